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

#include "guard.h"
#include "pcivisor/regs.h"

#define VCPUS 3u /* of each guest; the hardware domain has one */
#define AT_A_TIME 24u
#define REGS 192u

/* A vCPU, and the access that it waits for. */
struct vcpu {
    struct pcv_domain *domain;
    uint32_t id; /* of the domain */
    struct pcv_access access;
    struct guard_device *device; /* that it may concern, or NULL */
    bool pending, retry;
    pcv_gpa ecam; /* not zero: that way in */
};

/* Places in a device's registers where something happens. */
struct places {
    uint16_t reg[REGS];
    uint32_t count;
    uint16_t pcie, pm, msi, msix;
};

struct hostile {
    struct guard guard;
    struct vcpu vcpu[GUARD_GUESTS * VCPUS];
    struct vcpu hardware;
    struct places places[GUARD_ACTIVE]; /* of the device active there */
    struct guard_device *placed[GUARD_ACTIVE];
    uint64_t seed;
    uint64_t accesses, limit, traps;
};

static uint64_t chance(struct hostile *h)
{
    h->seed ^= h->seed << 13; /* xorshift: one course for one seed */
    h->seed ^= h->seed >> 7;
    h->seed ^= h->seed << 17;
    return h->seed;
}

static uint32_t below(struct hostile *h, uint32_t limit)
{
    return (uint32_t)((chance(h) >> 16) % limit);
}

static bool one_in(struct hostile *h, uint32_t n)
{
    return below(h, n) == 0;
}

/* ---- where to poke ------------------------------------------------------- */

static void place_add(struct places *places, uint32_t first, uint32_t bytes)
{
    for (uint32_t at = first; at < first + bytes; at += 2) {
        if (places->count < REGS) {
            places->reg[places->count++] = (uint16_t)at;
        }
    }
}

/* From hardware's list: also what the guest is not shown. */
static void places_look(struct hostile *h, struct guard_device *device,
                        struct places *out)
{
    const struct pcv_model *model = h->guard.model;
    uint32_t at = pcv_model_peek(model, device->sbdf, PCV_REG_CAPS, 1);

    memset(out, 0, sizeof(*out));
    place_add(out, PCV_REG_COMMAND, 4);
    place_add(out, PCV_REG_BAR0, 24);
    place_add(out, PCV_REG_ROM0, 4);
    for (uint32_t i = 0; i < 48 && at >= 0x40; i++) {
        uint32_t id = pcv_model_peek(model, device->sbdf, (uint16_t)at, 1);

        place_add(out, at, id == PCV_CAP_ID_PCIE ? 0x30 : 0x18);
        out->pcie = id == PCV_CAP_ID_PCIE ? (uint16_t)at : out->pcie;
        out->pm = id == PCV_CAP_ID_PM ? (uint16_t)at : out->pm;
        out->msi = id == PCV_CAP_ID_MSI ? (uint16_t)at : out->msi;
        out->msix = id == PCV_CAP_ID_MSIX ? (uint16_t)at : out->msix;
        at = pcv_model_peek(model, device->sbdf, (uint16_t)(at + 1u), 1);
    }
    place_add(out, PCV_EXT_CAP_START, 0x40);
}

/* Of a device that is in a guest's hands. */
static const struct places *places_of(struct hostile *h,
                                      struct guard_device *device)
{
    uint32_t free = GUARD_ACTIVE;

    for (uint32_t i = 0; i < GUARD_ACTIVE; i++) {
        if (h->placed[i] == device) {
            return &h->places[i];
        }
        if (!h->placed[i] || h->placed[i]->state == GUARD_FREE) {
            free = i;
        }
    }
    assert_int_not_equal(free, GUARD_ACTIVE);
    h->placed[free] = device;
    places_look(h, device, &h->places[free]);
    return &h->places[free];
}

/* ---- a guest's access ---------------------------------------------------- */

/* A device in any guest's hands, or NULL. */
static struct guard_device *any_active(struct hostile *h)
{
    return h->guard.actives == 0 ? NULL
                                 : h->guard.active[below(h, h->guard.actives)];
}

static struct guard_device *any_of(struct hostile *h, uint32_t id)
{
    for (uint32_t i = 0; i < 8; i++) {
        struct guard_device *device = any_active(h);

        if (device && device->state == GUARD_OWNED && device->owner == id) {
            return device;
        }
    }
    return NULL;
}

static uint32_t any_value(struct hostile *h)
{
    switch (below(h, 6)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffffu;
    case 2:
        return 1u << below(h, 32);
    case 3:
        return (uint32_t)(chance(h) & chance(h));
    case 4: /* in a window, or near it */
        return (uint32_t)(GUARD_NARROW - 0x100000u +
                          (chance(h) & 0x1ffffffu & ~0xfffull));
    default:
        return (uint32_t)chance(h);
    }
}

/* One of the steps that a driver takes, so that there is something to disturb.
 */
static void set_step(struct hostile *h, const struct places *places,
                     struct pcv_access *access)
{
    static const uint16_t msix[] = {0x8000, 0xc000, 0x0000};
    uint16_t bar = (uint16_t)(PCV_REG_BAR0 + 4u * below(h, 6));

    access->write = true;
    switch (below(h, 9)) {
    case 0:
    case 1:
        *access = PCV_WRITE(access->sbdf, PCV_REG_COMMAND, 2,
                            PCV_CMD_MEMORY | PCV_CMD_MASTER);
        return;
    case 2:
        *access = PCV_WRITE(access->sbdf, bar, 4,
                            GUARD_NARROW + (chance(h) & 0xffff00u));
        return;
    case 3: /* a pair, as for a 64-bit BAR in the wide window */
        *access =
            PCV_WRITE(access->sbdf, bar, 4,
                      one_in(h, 2) ? GUARD_WIDE >> 32 : chance(h) & 0x3ff0000u);
        return;
    case 4:
    case 5:
        if (places->msix != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->msix + 2u), 2,
                                msix[below(h, 3)]);
        }
        return;
    case 6:
        if (places->msi != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->msi + 2u), 2,
                                (chance(h) & 0x70u) | 1u);
        }
        return;
    case 7:
        if (places->pm != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->pm + 4u), 2,
                                one_in(h, 3) ? 3u : 0u);
        }
        return;
    default:
        if (places->pcie != 0 && one_in(h, 4)) {
            *access = PCV_WRITE(access->sbdf,
                                (uint16_t)(places->pcie + PCV_PCIE_DEVCTL), 2,
                                PCV_PCIE_DEVCTL_FLR);
        }
        return;
    }
}

static void choose(struct hostile *h, struct vcpu *vcpu)
{
    static const uint8_t sizes[] = {1, 2, 4, 4, 4, 2, 1, 4, 8, 0, 3, 16};
    struct guard_device *device = any_of(h, vcpu->id);
    struct pcv_access *access = &vcpu->access;

    vcpu->device = device;
    *access = (struct pcv_access){.sbdf = {below(h, 64)},
                                  .reg = (uint16_t)chance(h),
                                  .size = sizes[below(h, 12)],
                                  .write = one_in(h, 2),
                                  .data = any_value(h)};
    if (one_in(h, 20)) {
        access->sbdf.v = (uint32_t)chance(h);
        return;
    }
    access->reg &= one_in(h, 8) ? 0xffffu : 0xfffu;
    if (device) {
        const struct places *places = places_of(h, device);

        access->sbdf = device->there;
        if (one_in(h, 3)) {
            set_step(h, places, access);
        } else if (!one_in(h, 4)) {
            access->reg = places->reg[below(h, places->count)];
            access->reg &= (uint16_t) ~(access->size == 4 ? 3u : 0u);
        }
    }
}

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

    choose(h, vcpu);
    vcpu->ecam.v = 0;
    if (one_in(h, 4)) {
        vcpu->ecam.v = GUARD_ECAM + ((uint64_t)(access->sbdf.v & 0x3ff) << 12) +
                       access->reg;
    }
    if (one_in(h, 30)) { /* by port: segment 0, the first 256 bytes */
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
    uint32_t bar = below(h, PCV_BARS);
    uint64_t offset = chance(h);

    assert_non_null(held);
    pcv_device_bars(held, bars);
    pcv_device_put(held);
    if (device->table_bar < 6 && !one_in(h, 4)) {
        bar = device->table_bar;
        offset = device->table.start + below(h, device->entries) * 16u +
                 (one_in(h, 8) ? below(h, 16) : below(h, 4) * 4u);
    }
    return bars[bar].address.v +
           (bars[bar].size != 0 ? offset % bars[bar].size : 0);
}

static void touch_memory(struct hostile *h, struct vcpu *vcpu)
{
    static const uint8_t sizes[] = {4, 4, 4, 8, 1, 2, 3, 0};
    struct guard_device *device = any_of(h, vcpu->id);
    uint8_t size = sizes[below(h, 8)];
    bool write = !one_in(h, 3);
    uint64_t value = one_in(h, 2) ? below(h, 2) : chance(h);
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
        one_in(h, 3) ? any_active(h)
                     : &guard->device[below(h, (uint32_t)guard->devices)];
    struct vcpu *vcpu = &h->hardware;
    uint32_t size = 1u << below(h, 3);

    if (!device || vcpu->pending || vcpu->retry) {
        return;
    }
    vcpu->device = device;
    vcpu->access =
        PCV_READ(device->sbdf, (uint16_t)(chance(h) & 0xfffu & ~(size - 1u)),
                 (uint8_t)size);
    if (device->state != GUARD_FREE) {
        vcpu->access.write = one_in(h, 2);
        vcpu->access.data = any_value(h);
    } else if (!device->bridge && one_in(h, 3)) {
        vcpu->access =
            PCV_WRITE(device->sbdf, PCV_REG_COMMAND, 2, chance(h) & 0x6u);
    }
    guard->actor = GUARD_HARDWARE;
    guard->actor_id = vcpu->id;
    settle(h, vcpu, pcv_access(vcpu->domain, &vcpu->access));
    h->accesses++;
}

static void raise_something(struct hostile *h)
{
    struct guard_device *device = any_active(h);
    uint32_t owner;

    if (!device) {
        return;
    }
    (void)pcv_model_raise(h->guard.model, device->sbdf, !one_in(h, 3),
                          (uint16_t)below(h, one_in(h, 4) ? 4096 : 8), NULL);
    if (pcv_model_dma(h->guard.model, device->sbdf, chance(h), true, &owner) ==
        0) {
        assert_int_equal(device->state, GUARD_OWNED);
        assert_int_equal(owner, device->owner);
    }
}

static void change_owner(struct hostile *h)
{
    struct guard *guard = &h->guard;
    struct guard_device *device = any_active(h);

    if (device && device->state == GUARD_COMING) {
        (void)guard_assign(guard, device, 0);
    } else if (device && device->state == GUARD_GOING) {
        (void)guard_deassign(guard, device);
    } else if (guard->actives < AT_A_TIME) {
        device = &guard->device[below(h, (uint32_t)guard->devices)];
        if (!device->bridge && device->state == GUARD_FREE) {
            (void)guard_assign(guard, device, below(h, GUARD_GUESTS));
        }
    } else if (one_in(h, 16)) {
        (void)guard_deassign(guard, device);
    }
}

static void step(struct hostile *h)
{
    static const uint8_t chunks[] = {1, 1, 1, 3, 0};
    struct vcpu *vcpu = &h->vcpu[below(h, GUARD_GUESTS * VCPUS)];
    uint32_t what = below(h, 100);

    if (what < 4) {
        pcv_model_advance_us(h->guard.model, chance(h) % 60000u);
    } else if (what < 12) {
        change_owner(h);
    } else if (what < 20) {
        touch_hardware(h);
    } else if (what < 28) {
        raise_something(h);
    } else if (what < 29) {
        pcv_model_set_map_chunk(h->guard.model, chunks[below(h, 5)]);
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

static void open_machine(struct hostile *h, const char *spec)
{
    const char *wish = getenv("PCV_TEST_LONG");
    const char *seed = getenv("PCV_TEST_SEED");

    memset(h, 0, sizeof(*h));
    guard_begin(&h->guard, spec);
    h->seed = seed ? strtoull(seed, NULL, 0) | 1u : 88172645463325252u;
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
    open_machine(&h, "functions=2000,vfs=16,multi=8,seed=5");
    while (h.accesses < h.limit) {
        step(&h);
        if (h.accesses >= next) {
            next = h.accesses + 8192;
            guard_check_all(&h.guard);
        }
    }
    print_message(
        "%llu pages mapped, %llu vectors bound, %llu registers "
        "written, %llu messages, %llu trapped\n",
        (unsigned long long)h.guard.mapped, (unsigned long long)h.guard.bound,
        (unsigned long long)h.guard.written,
        (unsigned long long)h.guard.delivered, (unsigned long long)h.traps);
    /* It was no empty exercise. */
    assert_true(h.guard.mapped > 1000);
    assert_true(h.guard.bound > 1000);
    assert_true(h.guard.written > 1000);
    assert_true(h.guard.delivered > 50);
    close_machine(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_guests_reach_nothing_but_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
