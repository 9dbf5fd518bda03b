/* SPDX-License-Identifier: MIT */
/*
 * Hostile guests: accesses by chance, of every size and to every place, among
 * mappings that are under way, vectors, resets, sleeping devices, devices that
 * come and go, and the hardware domain's own accesses. guard.h looks on.
 *
 * 100,000 accesses; with PCV_TEST_LONG=1 five million. PCV_TEST_SEED gives
 * another course of events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "driven.h"
#include "machines.h"
#include "pcivisor/regs.h"
#include "poke.h"

#define VCPUS 3u /* of each guest; the hardware domain has one */
#define AT_A_TIME 24u
#define CARDS 16u
#define SPECIAL (2u * CARDS) /* at the end of the list of devices */

/* A vCPU, and the access that it waits for. */
struct vcpu {
    struct pcv_domain *domain;
    uint32_t id; /* of the domain */
    struct pcv_access access;
    struct guard_device *device; /* that it may concern, or NULL */
    bool pending, retry;
    pcv_gpa ecam; /* not zero: that way in */
};

struct hostile {
    struct guard guard;
    struct vcpu vcpu[GUARD_GUESTS * VCPUS];
    struct vcpu hardware;
    struct poke poke;
    uint64_t accesses, limit, traps;
};

static enum pcv_verdict enter(struct hostile *h, struct vcpu *vcpu)
{
    struct pcv_access *access = &vcpu->access;

    h->guard.actor = GUARD_GUEST;
    h->guard.actor_id = vcpu->id;
    if (vcpu->ecam.v != 0) {
        return pcv_ecam_access(vcpu->domain, vcpu->ecam, access->size,
                               access->write, access->data, access);
    }
    return pcv_access(vcpu->domain, access);
}

static void settle(struct hostile *h, struct vcpu *vcpu,
                   enum pcv_verdict verdict)
{
    vcpu->pending = verdict == PCV_PENDING;
    vcpu->retry = verdict == PCV_RETRY;
    h->guard.actor = GUARD_CONTROL;
    if (vcpu->device) {
        guard_check(&h->guard, vcpu->device);
    }
}

static void start(struct hostile *h, struct vcpu *vcpu)
{
    const struct pcv_access *access = &vcpu->access;

    vcpu->device = poke_access(&h->poke, vcpu->id, &vcpu->access);
    vcpu->ecam.v = 0;
    if (poke_one_in(&h->poke, 4)) {
        vcpu->ecam.v = GUARD_ECAM + ((uint64_t)(access->sbdf.v & 0x3ff) << 12) +
                       access->reg;
    }
    if (poke_one_in(&h->poke,
                    30)) { /* by port: segment 0, the first 256 bytes */
        struct pcv_access other = {0};

        (void)pcv_port_access(vcpu->domain, PCV_PORT_ADDRESS, 4, true,
                              0x80000000u | (access->sbdf.v & 0xffffu) << 8 |
                                  (access->reg & 0xfcu),
                              &other);
    }
    settle(h, vcpu, enter(h, vcpu));
    h->accesses++;
}

/* A vCPU whose access is not behind it goes on with it, and with no other. */
static void go_on(struct hostile *h, struct vcpu *vcpu)
{
    if (vcpu->pending) {
        h->guard.actor = vcpu == &h->hardware ? GUARD_HARDWARE : GUARD_GUEST;
        h->guard.actor_id = vcpu->id;
        settle(h, vcpu, pcv_access_resume(vcpu->domain, &vcpu->access));
    } else if (vcpu->retry) {
        settle(h, vcpu, enter(h, vcpu));
    }
}

/* ---- memory -------------------------------------------------------------- */

/* Somewhere in a BAR of the guest's, mostly in its MSI-X table. */
static uint64_t any_address(struct hostile *h, struct guard_device *device)
{
    struct pcv_device *held = pcv_device_find(h->guard.host, device->sbdf);
    struct pcv_bar_view bars[PCV_BARS];
    uint32_t bar = poke_below(&h->poke, PCV_BARS);
    uint64_t offset = poke_chance(&h->poke);

    assert_non_null(held);
    pcv_device_bars(held, bars);
    pcv_device_put(held);
    for (uint32_t i = 0; i < PCV_BARS; i++) { /* small: others are beside it */
        if (bars[i].size != 0 && bars[i].size < GUARD_PAGE) {
            return (bars[i].address.v & ~(GUARD_PAGE - 1u)) +
                   offset % GUARD_PAGE;
        }
    }
    if (device->table_bar < 6 && !poke_one_in(&h->poke, 4)) {
        bar = device->table_bar;
        offset = device->table.start +
                 (uint64_t)poke_below(&h->poke, device->entries) * 16u +
                 (poke_one_in(&h->poke, 8) ? poke_below(&h->poke, 16)
                                           : poke_below(&h->poke, 4) * 4u);
    }
    return bars[bar].address.v +
           (bars[bar].size != 0 ? offset % bars[bar].size : 0);
}

static void touch_memory(struct hostile *h, struct vcpu *vcpu)
{
    static const uint8_t sizes[] = {4, 4, 4, 8, 1, 2, 3, 0};
    struct guard_device *device = poke_active_of(&h->poke, vcpu->id);
    uint8_t size = sizes[poke_below(&h->poke, 8)];
    bool write = !poke_one_in(&h->poke, 3);
    uint64_t value = poke_one_in(&h->poke, 2) ? poke_below(&h->poke, 2)
                                              : poke_chance(&h->poke);
    uint64_t address;

    if (!device) {
        return;
    }
    address = any_address(h, device);
    if ((size != 0 && size != 3 && address % size == 0) &&
        pcv_model_mmio_access(h->guard.model, vcpu->id, (pcv_gpa){address},
                              size, write, &value) == 0) {
        h->accesses++;
        return;
    }
    h->guard.actor = GUARD_GUEST;
    h->guard.actor_id = vcpu->id;
    (void)pcv_mmio_access(vcpu->domain, &(struct pcv_mmio){.address = {address},
                                                           .size = size,
                                                           .write = write,
                                                           .data = value});
    h->guard.actor = GUARD_CONTROL;
    h->accesses++;
    h->traps++;
    guard_check(&h->guard, device);
}

/* ---- the rest of the machine --------------------------------------------- */

/* Any function of the machine: what nobody has works on, what a guest has does
 * not notice. */
static void touch_hardware(struct hostile *h)
{
    struct guard *guard = &h->guard;
    struct guard_device *device =
        poke_one_in(&h->poke, 3)
            ? poke_active(&h->poke)
            : &guard->device[poke_below(&h->poke, (uint32_t)guard->devices)];
    struct vcpu *vcpu = &h->hardware;
    uint32_t size = 1u << poke_below(&h->poke, 3);

    if (!device || vcpu->pending || vcpu->retry) {
        return;
    }
    vcpu->device = device;
    vcpu->access = PCV_READ(
        device->sbdf, (uint16_t)(poke_chance(&h->poke) & 0xfffu & ~(size - 1u)),
        (uint8_t)size);
    if (device->state != GUARD_FREE) {
        vcpu->access.write = poke_one_in(&h->poke, 2);
        vcpu->access.data = poke_value(&h->poke);
    } else if (!device->bridge && poke_one_in(&h->poke, 3)) {
        vcpu->access = PCV_WRITE(device->sbdf, PCV_REG_COMMAND, 2,
                                 poke_chance(&h->poke) & 0x6u);
    }
    guard->actor = GUARD_HARDWARE;
    guard->actor_id = vcpu->id;
    settle(h, vcpu, pcv_access(vcpu->domain, &vcpu->access));
    h->accesses++;
}

static void raise_something(struct hostile *h)
{
    struct guard_device *device = poke_active(&h->poke);
    uint32_t owner;

    if (!device) {
        return;
    }
    (void)pcv_model_raise(
        h->guard.model, device->sbdf, !poke_one_in(&h->poke, 3),
        (uint16_t)poke_below(&h->poke, poke_one_in(&h->poke, 4) ? 4096 : 8),
        NULL);
    if (pcv_model_dma(h->guard.model, device->sbdf, poke_chance(&h->poke), true,
                      &owner) == 0) {
        assert_int_equal(device->state, GUARD_OWNED);
        assert_int_equal(owner, device->owner);
    }
}

static void change_owner(struct hostile *h)
{
    struct guard *guard = &h->guard;
    struct guard_device *device = poke_active(&h->poke);

    if (device && device->state == GUARD_COMING) {
        (void)guard_assign(guard, device, 0);
    } else if (device &&
               (device->state == GUARD_GOING ||
                (guard->actives == AT_A_TIME && poke_one_in(&h->poke, 16)))) {
        (void)guard_deassign(guard, device);
    } else if (guard->actives < AT_A_TIME) {
        uint32_t last = (uint32_t)guard->devices - 1u;

        device = &guard->device[poke_one_in(&h->poke, 4)
                                    ? last - poke_below(&h->poke, SPECIAL)
                                    : poke_below(&h->poke, last)];
        if (!device->bridge && device->state == GUARD_FREE) {
            (void)guard_assign(guard, device,
                               poke_below(&h->poke, GUARD_GUESTS));
        }
    }
}

static void step(struct hostile *h)
{
    static const uint8_t chunks[] = {1, 1, 1, 3, 0};
    struct vcpu *vcpu = &h->vcpu[poke_below(&h->poke, GUARD_GUESTS * VCPUS)];
    uint32_t what = poke_below(&h->poke, 100);

    if (what < 4) {
        pcv_model_advance_us(h->guard.model, poke_chance(&h->poke) % 60000u);
    } else if (what < 12) {
        change_owner(h);
    } else if (what < 20) {
        touch_hardware(h);
    } else if (what < 28) {
        raise_something(h);
    } else if (what < 29) {
        pcv_model_set_map_chunk(h->guard.model,
                                chunks[poke_below(&h->poke, 5)]);
    } else if (what < 34) {
        go_on(h, &h->hardware);
    } else if (vcpu->pending || vcpu->retry) {
        go_on(h, vcpu);
    } else if (what < 60) {
        touch_memory(h, vcpu);
    } else {
        start(h, vcpu);
    }
}

/* ---- begin and end ------------------------------------------------------- */

/* On a segment of their own: cards with everything, and devices whose BARs
 * stand side by side in one page. */
static void add_devices(struct pcv_model *model)
{
    for (uint8_t i = 0; i < CARDS; i++) {
        struct pcv_test_function f;

        driven_add_nic(model, pcv_test_at(1, 0, i, 0),
                       0x70000000u + i * 0x100000u,
                       UINT64_C(0x300000000000) + (uint64_t)i * 0x400000u);
        pcv_test_pcie_endpoint(&f, 0x1b36, 0x0010);
        pcv_test_bar32(&f, 0, 0x6f000000u + i * 256u, 256);
        pcv_test_add(model, &f, pcv_test_at(1, 0, (uint8_t)(16u + i), 0));
    }
}

static void open_machine(struct hostile *h, const char *spec)
{
    const char *wish = getenv("PCV_TEST_LONG");
    const char *seed = getenv("PCV_TEST_SEED");

    memset(h, 0, sizeof(*h));
    guard_begin(&h->guard, spec, add_devices);
    h->poke.guard = &h->guard;
    h->poke.seed = seed ? strtoull(seed, NULL, 0) | 1u : 88172645463325252u;
    h->limit = wish && strcmp(wish, "1") == 0 ? 5000000u : 100000u;
    for (uint32_t i = 0; i < GUARD_GUESTS * VCPUS; i++) {
        h->vcpu[i].domain = h->guard.guest[i / VCPUS];
        h->vcpu[i].id = GUARD_FIRST_ID + i / VCPUS;
    }
    h->hardware.domain = pcv_host_hardware_domain(h->guard.host);
    h->hardware.id = PCV_DOMAIN_ID_HARDWARE;
}

/* Every access ends, every device comes back. */
static void close_machine(struct hostile *h)
{
    for (uint32_t i = 0; i < GUARD_GUESTS * VCPUS; i++) {
        for (uint32_t n = 0; h->vcpu[i].pending && n < 100000; n++) {
            go_on(h, &h->vcpu[i]);
        }
        assert_false(h->vcpu[i].pending);
    }
    for (uint32_t n = 0; h->hardware.pending && n < 100000; n++) {
        go_on(h, &h->hardware);
    }
    while (h->guard.actives > 0) {
        struct guard_device *device = h->guard.active[0];
        int error = -PCV_ERESTART;

        for (uint32_t n = 0; n < 100 && error == -PCV_ERESTART; n++) {
            error = guard_deassign(&h->guard, device);
            pcv_model_advance_us(h->guard.model, 50000);
        }
        assert_int_equal(error, 0);
    }
    guard_end(&h->guard);
}

/* CFG-2, CFG-10, HDR-2, HDR-5, HDR-7, HDR-8, HDR-9, HDR-17, MSI-2, MSIX-1,
 * MSIX-2, OWN-1, OWN-6, OWN-14, PM-1, PCIE-1, PCIE-2, VBUS-5, LIFE-4, LIFE-8 */
static void hostile_guests_reach_nothing_but_their_own(void **state)
{
    static struct hostile h;
    uint64_t next = 0;

    (void)state;
    open_machine(&h, "functions=3000,vfs=16,multi=8,seed=5");
    while (h.accesses < h.limit) {
        step(&h);
        if (h.accesses >= next) {
            next = h.accesses + 8192;
            guard_check_all(&h.guard);
        }
    }
    print_message(
        "%llu pages mapped, %llu vectors bound, %llu registers "
        "written, %llu messages, %llu trapped, %llu resets, "
        "%llu BARs resized, %llu accesses forwarded\n",
        (unsigned long long)h.guard.mapped, (unsigned long long)h.guard.bound,
        (unsigned long long)h.guard.written,
        (unsigned long long)h.guard.delivered, (unsigned long long)h.traps,
        (unsigned long long)h.guard.told[PCV_EVENT_RESET],
        (unsigned long long)h.guard.placed,
        (unsigned long long)h.guard.forwarded);
    /* It was no empty exercise. */
    assert_true(h.guard.mapped > 1000);
    assert_true(h.guard.bound > 300);
    assert_true(h.guard.written > 3000);
    assert_true(h.guard.delivered > 50);
    assert_true(h.guard.told[PCV_EVENT_RESET] > 100);
    assert_true(h.guard.placed > 20);
    assert_true(h.guard.forwarded > 5);
    close_machine(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_guests_reach_nothing_but_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
