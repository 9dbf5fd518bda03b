/* SPDX-License-Identifier: MIT */
/*
 * Functions that are hidden, concealed, quarantined and revealed on some CPUs
 * while others drive them.
 */
#include "engine_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "hidden_card.h"

#define ROUNDS 100u
#define DRIVERS 2u

struct shared {
    struct card c;
    _Atomic bool stop;
};

/* There may be fewer CPUs than threads, and locks are taken in order. */
static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

static void finish(struct pcv_domain *dom0, struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(dom0, access);

    while (verdict == PCV_PENDING || verdict == PCV_RETRY) {
        (void)sched_yield();
        verdict = verdict == PCV_PENDING ? pcv_access_resume(dom0, access)
                                         : pcv_access(dom0, access);
    }
}

static void config_write(struct shared *s, pcv_sbdf at, uint16_t reg,
                         uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);

    finish(s->c.g.rig.dom0, &access);
}

static void mmio_write(struct shared *s, uint64_t address, uint32_t value)
{
    struct pcv_mmio access = PCV_MMIO_WRITE(address, 4, value);

    (void)pcv_mmio_access(s->c.g.rig.dom0, &access);
}

/* A driver: whatever it meets, its accesses end. */
static void *drive(void *arg)
{
    struct shared *s = arg;
    uint32_t n = 0;

    while (!atomic_load(&s->stop)) {
        pcv_sbdf at = n % 3 == 0 ? DEV2 : DEV;
        struct pcv_access access = PCV_READ(at, PCV_REG_COMMAND, 2);

        finish(s->c.g.rig.dom0, &access);
        config_write(s, at, PCV_REG_COMMAND, 2, n % 2 == 0 ? FULL : 0);
        config_write(s, DEV, REG_BAR(3), 4, n % 4 == 0 ? 0xffffffffu : LITTLE);
        config_write(s, DEV, REG_BAR(3), 4, LITTLE);
        mmio_write(s, REGS + PORT, n);
        mmio_write(s, NEXT, n);
        n++;
    }
    return NULL;
}

/* A second administrator, who looks. */
static void *look(void *arg)
{
    struct shared *s = arg;

    while (!atomic_load(&s->stop)) {
        struct pcv_device *device = pcv_device_find(s->c.g.rig.host, DEV);
        struct pcv_bar_view bars[PCV_BARS];
        struct pcv_device_info info;

        if (device) {
            pcv_device_get_info(device, &info);
            pcv_device_bars(device, bars);
            pcv_device_put(device);
        }
        /* Whatever it answers: it is being concealed at this moment. */
        int error = pcv_device_reveal(s->c.g.rig.host, DEV2, 0, NULL);

        (void)error;
    }
    return NULL;
}

/* To its end; somebody else may be at it. */
static void until(int (*perform)(struct shared *s), struct shared *s)
{
    int error;

    do {
        (void)sched_yield();
        error = perform(s);
    } while (error == -PCV_ERESTART || error == -PCV_EBUSY);
    assert_int_equal(error, 0);
}

static int hide(struct shared *s)
{
    return pcv_device_hide(s->c.g.rig.host, DEV, &card_ranges, NULL);
}

static int reveal(struct shared *s)
{
    return pcv_device_reveal(s->c.g.rig.host, DEV, 0, NULL);
}

static int conceal(struct shared *s)
{
    return pcv_device_conceal(s->c.g.rig.host, DEV2, 0, NULL);
}

static int quarantine(struct shared *s)
{
    return pcv_device_quarantine(s->c.g.rig.host, DEV2, 0, NULL);
}

/* OWN-7, OWN-9, LIFE-11 */
static void functions_change_hands_while_they_are_driven(void **state)
{
    static struct shared s;
    pthread_t thread[DRIVERS + 1];

    (void)state;
    memset(&s, 0, sizeof(s));
    guest_open(&s.c.g);
    s.c.g.rig.ops.relax = relax;
    card_add(&s.c);
    guest_boot(&s.c.g);
    pcv_model_watch(s.c.g.rig.model, NULL, NULL);
    pcv_model_on_event(s.c.g.rig.model, NULL, NULL);
    for (uint32_t i = 0; i < DRIVERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, drive, &s), 0);
    }
    assert_int_equal(pthread_create(&thread[DRIVERS], NULL, look, &s), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        until(hide, &s);
        until(i % 2 == 0 ? conceal : quarantine, &s);
        until(reveal, &s);
    }
    atomic_store(&s.stop, true);
    for (uint32_t i = 0; i <= DRIVERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    card_check(&s.c);
    assert_int_equal(pcv_device_reveal(s.c.g.rig.host, DEV2, 0, NULL), 0);
    guest_close(&s.c.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_change_hands_while_they_are_driven),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
