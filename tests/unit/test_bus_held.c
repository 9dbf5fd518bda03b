/* SPDX-License-Identifier: MIT */
/* What the hardware domain does at a bridge that the library resets the bus of
 * (OWN-16), and what an administrator lets it do there (OWN-15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus_reset_fixture.h"

static void write(struct bus *b, uint16_t reg, uint8_t size, uint32_t value)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(b->h.host);
    struct pcv_access access = PCV_WRITE(PORT, reg, size, value);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    for (int i = 0; i < 100 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(hardware, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

static uint32_t control(struct bus *b)
{
    return hosted_read(&b->h, PORT, PCV_REG_BRIDGE_CONTROL, 2);
}

static int reset_step(struct bus *b)
{
    return pcv_device_reset(b->h.host, CARD_0, NULL);
}

/* The bus is held in reset: nobody calls again until a test does. Nothing of it
 * is a guest's, so nothing else keeps the domain from writing. */
static void hold(struct bus *b)
{
    bus_start(b);
    for (uint32_t i = 0; i < 2; i++) {
        const pcv_sbdf card = {CARD_0.v + i};

        assert_int_equal(pcv_device_quarantine(b->h.host, card, 0, NULL), 0);
    }
    assert_int_equal(reset_step(b), -PCV_ERESTART);
    assert_true(bus_is_held(b));
}

static void recover(struct bus *b)
{
    hold(b);
    pcv_model_advance_us(b->h.model, 1000);
    assert_int_equal(reset_step(b), -PCV_ERESTART);
    assert_false(bus_is_held(b));
}

/* OWN-16: it is held for its time, and let go. */
static void a_bus_that_is_held_is_not_the_domains_to_let_go(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value, after;
    } rows[] = {
        {PCV_REG_BRIDGE_CONTROL, 2, 0, 0},
        {PCV_REG_BRIDGE_CONTROL, 2, 0x0003, 0x0003},
        {PCV_REG_BRIDGE_CONTROL, 2, 0x0043, 0x0003},
        {PCV_REG_BRIDGE_CONTROL, 1, 0x02, 0x0002},
        {PCV_REG_BRIDGE_CONTROL + 1u, 1, 0x01, 0},
        {PCV_REG_INT_LINE, 4, 0x0003002a, 0x0003},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bus b;

        hold(&b);
        /* What the domain did not set it does not see, and so not write. */
        assert_int_equal(control(&b), 0);
        write(&b, rows[i].reg, rows[i].size, rows[i].value);
        assert_true(bus_is_held(&b));
        assert_int_equal(control(&b), rows[i].after);
        assert_int_equal(b.events[PCV_EVENT_PROTECTED],
                         (rows[i].value & PCV_BRIDGE_RESET) != 0);
        pcv_model_advance_us(b.h.model, 1000);
        assert_int_equal(bus_reset(&b, CARD_0, NULL), 0);
        assert_false(bus_is_held(&b));
        assert_int_equal(control(&b), rows[i].after);
        bus_end(&b);
    }
}

/* OWN-16, SRIOV-3: nor is what recovers reset once more. */
static void a_bus_that_recovers_is_not_reset_once_more(void **state)
{
    struct bus b;

    (void)state;
    recover(&b);
    write(&b, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET | 0x0001u);
    assert_int_equal(bus_peek(&b, PORT, PCV_REG_BRIDGE_CONTROL, 2), 0x0001);
    assert_int_equal(b.events[PCV_EVENT_PROTECTED], 1);
    assert_int_equal(b.args[PCV_EVENT_PROTECTED][0], PCV_REG_BRIDGE_CONTROL);
    assert_int_equal(b.args[PCV_EVENT_PROTECTED][1], PCV_BRIDGE_RESET);
    pcv_model_advance_us(b.h.model, 100000);
    assert_int_equal(bus_reset(&b, CARD_0, NULL), 0);
    /* When it is over the bit is the domain's again. */
    write(&b, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(control(&b), PCV_BRIDGE_RESET);
    pcv_model_advance_us(b.h.model, 1000);
    write(&b, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(control(&b), 0);
    bus_end(&b);
}

/* Accesses behind the bridge. */
static void saw(void *arg, const struct pcv_model_cfg *access)
{
    unsigned *count = arg;

    *count += pcv_sbdf_bus(access->sbdf) == 1;
}

/* OWN-15, SRIOV-3: the administrator lets a write through that takes a function
 * from a guest which is about to get it, in the middle of the reset for that
 * guest: what is left alone is left alone, and the reset goes to its end. */
static void what_is_lost_in_a_reset_is_not_touched(void **state)
{
    /* When, from the start; and whether the bus was let go by then. */
    static const struct {
        uint64_t us;
        bool recovers;
    } rows[] = {{0, false}, {1500, false}, {0, true}, {99999, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t wait = 0;
        unsigned asked = 0;
        struct bus b;
        int error = -PCV_ERESTART;

        bus_start(&b);
        assert_int_equal(pcv_device_quarantine(b.h.host, CARD_1, 0, NULL), 0);
        assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
        if (rows[i].recovers) {
            pcv_model_advance_us(b.h.model, 1000);
            assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
        }
        pcv_model_advance_us(b.h.model, rows[i].us);
        assert_int_equal(bus_is_held(&b), !rows[i].recovers);
        assert_int_equal(pcv_device_override(b.h.host, PORT, true), 0);
        pcv_model_watch(b.h.model, saw, &asked);
        write(&b, PCV_REG_MEM_BASE, 4, 0x0000fff0);
        assert_int_equal(b.events[PCV_EVENT_OVERRIDDEN], 1);
        assert_int_equal(hosted_read(&b.h, CARD_0, PCV_REG_VENDOR, 4),
                         0xffffffffu);
        assert_int_equal(asked, 0);
        pcv_model_watch(b.h.model, NULL, NULL);
        for (int k = 0; k < 20 && (error != 0 || wait != 0); k++) {
            pcv_model_advance_us(b.h.model, wait);
            error = pcv_host_work(b.h.host, &wait);
        }
        assert_int_equal(error, 0);
        assert_false(bus_is_held(&b));
        assert_int_equal(hosted_read(&b.h, CARD_0, PCV_REG_VENDOR, 4),
                         0x56701234u);
        assert_int_equal(bus_owner(&b, CARD_0), PCV_DOMAIN_ID_HARDWARE);
        bus_end(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bus_that_is_held_is_not_the_domains_to_let_go),
        cmocka_unit_test(a_bus_that_recovers_is_not_reset_once_more),
        cmocka_unit_test(what_is_lost_in_a_reset_is_not_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
