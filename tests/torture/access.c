/* SPDX-License-Identifier: MIT */
/* Actors that access configuration space, through every entrance. */
#include "torture.h"

/* ---- one access ------------------------------------------------------------
 */

void prepare(struct player *p, pcv_sbdf sbdf, uint32_t reg, uint8_t size,
             bool write, uint32_t value)
{
    p->access = write ? PCV_WRITE(sbdf, (uint16_t)reg, size, value)
                      : PCV_READ(sbdf, (uint16_t)reg, size);
    p->value = value;
    p->entrance = BY_ADDRESS;
    p->begun = false;
    p->pending = false;
    p->since = atomic_load(&p->w->changes);
}

static uint64_t ecam_address(const struct player *p)
{
    pcv_sbdf at = p->access.sbdf;
    uint64_t base = p->guest == GUESTS
                        ? HARDWARE_ECAM + ((uint64_t)pcv_sbdf_segment(at) << 28)
                        : GUEST_ECAM;

    return base + ((uint64_t)pcv_sbdf_bus(at) << 20 |
                   (uint64_t)pcv_sbdf_devfn(at) << 12 | p->access.reg);
}

/* The data port, by whatever address is latched: it may be another CPU's. */
static enum pcv_verdict through_ports(struct player *p)
{
    pcv_sbdf at = p->access.sbdf;
    uint32_t latch = 0x80000000u | (uint32_t)pcv_sbdf_bus(at) << 16 |
                     (uint32_t)pcv_sbdf_devfn(at) << 8 |
                     (p->access.reg & 0xfcu);
    struct pcv_access address;

    if (!p->begun) {
        (void)pcv_port_access(p->domain, PCV_PORT_ADDRESS, 4, true, latch,
                              &address);
    }
    return pcv_port_access(
        p->domain, (uint16_t)(PCV_PORT_DATA + (p->access.reg & 3u)),
        p->access.size, p->access.write, (uint32_t)p->value, &p->access);
}

static enum pcv_verdict perform(struct player *p)
{
    if (p->pending) {
        return pcv_access_resume(p->domain, &p->access);
    }
    switch (p->entrance) {
    case BY_ECAM:
        return pcv_ecam_access(p->domain, (pcv_gpa){ecam_address(p)},
                               p->access.size, p->access.write, p->value,
                               &p->access);
    case BY_PORT:
        return through_ports(p);
    case BY_ADDRESS:
        break;
    }
    return pcv_access(p->domain, &p->access);
}

enum turn carry_on(struct player *p)
{
    if (!still_is(p)) {
        return TURN_OVER; /* the guest ended meanwhile */
    }
    p->verdict = perform(p);
    p->begun = true;
    p->answer = (int)p->verdict;
    p->pending = p->pending || p->verdict == PCV_PENDING;
    EXPECT(p, p->verdict != PCV_FORWARD, p->access.reg);
    return p->verdict == PCV_PENDING || p->verdict == PCV_RETRY ? TURN_AGAIN
                                                                : TURN_OVER;
}

/* ---- what may be accessed --------------------------------------------------
 */

/* Registers where something happens, and any others. */
static uint32_t any_register(struct player *p, const struct function *fn)
{
    static const uint16_t known[] = {
        PCV_REG_COMMAND,          PCV_REG_STATUS,      PCV_REG_BAR0,
        PCV_REG_BAR0 + 4u,        PCV_REG_BAR0 + 8u,   PCV_REG_BAR0 + 12u,
        PCV_REG_BAR0 + 16u,       PCV_REG_BAR0 + 20u,  PCV_REG_ROM0,
        PCV_REG_SUBSYSTEM_VENDOR, PCV_REG_HEADER_TYPE, PCV_REG_CAPS,
    };

    switch (chance(p, 8)) {
    case 0:
        return fn->pm + 4u * chance(p, 2);
    case 1:
        return fn->msi + 4u * chance(p, 4);
    case 2:
        return fn->msix + 2u * chance(p, 4);
    case 3:
        return fn->pcie + 4u * chance(p, 8);
    case 4:
        return (fn->sriov ? fn->sriov : 0x100u) + 4u * chance(p, 16);
    case 5:
        return 4u + chance(p, PCV_CFG_EXT_SIZE - 8u);
    default:
        return known[chance(p, sizeof(known) / sizeof(known[0]))];
    }
}

static uint32_t any_value(struct player *p)
{
    switch (chance(p, 4)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffffu;
    case 2:
        return PCV_CMD_MEMORY | PCV_CMD_MASTER;
    default:
        return (uint32_t)next_random(&p->random);
    }
}

static bool moves_buses(uint32_t reg, uint8_t size)
{
    return reg < PCV_REG_SUBORDINATE + 1u && reg + size > PCV_REG_PRIMARY;
}

/* In the arena nobody reads vendor IDs, and bridges are left alone. */
void prepare_any(struct player *p, pcv_sbdf sbdf, const struct function *fn)
{
    static const uint8_t sizes[] = {1, 2, 4, 4};
    uint8_t size = sizes[chance(p, 4)];
    uint32_t reg = any_register(p, fn);
    bool write = one_in(p, 2);
    bool arena = p->guest == GUESTS && in_arena(fn);

    if (!one_in(p, 50)) {
        reg &= ~(size - 1u);
    }
    reg = reg < 4u ? 4u : reg;
    if (fn->bridge && p->guest == GUESTS &&
        (arena || moves_buses(reg, size) || !one_in(p, 8))) {
        write = false; /* play_renumber() writes those */
    }
    if (!write && !arena && one_in(p, 4)) {
        reg = PCV_REG_VENDOR;
        size = 4;
    }
    prepare(p, sbdf, reg, size, write, any_value(p));
    if (one_in(p, 3)) {
        p->entrance = BY_ECAM;
        p->access.size = reg % 8u == 0 && reg >= 8u && one_in(p, 4) ? 8 : size;
    } else if (one_in(p, 6) && reg < PCV_CFG_SIZE && (reg & 3u) + size <= 4u &&
               pcv_sbdf_segment(sbdf) == 0) {
        p->entrance = BY_PORT;
    }
}

/* ---- actors ----------------------------------------------------------------
 */

/* In the arena nothing moves: a function reads as itself, or not at all. */
static void check_identity(struct player *p)
{
    uint32_t value = (uint32_t)p->access.data;

    if (p->verdict != PCV_DONE || p->access.write || p->access.size != 4 ||
        p->access.reg != PCV_REG_SUBSYSTEM_VENDOR || !in_arena(p->fn) ||
        p->fn->bridge) {
        return;
    }
    EXPECT(p,
           value == 0xffffffffu ||
               value >> 16 == (uint32_t)(p->fn - p->w->fn) + 1u,
           value);
}

enum turn play_hardware_access(struct player *p)
{
    enum turn turn;

    if (p->stage == 0) {
        (void)be_hardware(p);
        p->fn = any_function(p, NULL);
        prepare_any(p, p->fn->sbdf, p->fn);
        p->stage = 1;
    }
    turn = carry_on(p);
    if (turn == TURN_OVER) {
        check_identity(p);
    }
    return turn;
}

/* It was given by an address where it stood after bus numbers had moved, or
 * went along with its group: it is the guest's still, then, or has gone
 * meanwhile. In the arena, where nothing moves, by its name; else what stands
 * in the slot is what was read. */
static bool is_the_guests(struct player *p, const struct function *fn)
{
    struct pcv_device_status status;
    struct pcv_device_info info;
    struct pcv_device *device;
    bool is;

    if (in_arena(fn)) {
        return pcv_device_status(p->w->host, fn->sbdf, &status) == 0 &&
               status.owner_id == FIRST_GUEST_ID + p->guest;
    }
    device = pcv_domain_device(p->domain, p->access.sbdf);
    if (!device) {
        return true;
    }
    pcv_device_get_info(device, &info);
    is = info.subsystem == (uint32_t)(fn - p->w->fn) + 1u;
    pcv_device_put(device);
    return is;
}

/* What a guest reads of a function's identity says which one it is: it must
 * have been given to that guest. */
static void check_given(struct player *p)
{
    uint32_t index = (uint32_t)(p->access.data >> 16) - 1u;
    const struct function *fn;
    uint64_t may;

    if (p->verdict != PCV_DONE || p->access.data >= 0xffffffffu ||
        p->access.data >> 16 == 0) {
        return;
    }
    EXPECT(p, index < p->w->functions, p->access.data);
    fn = &p->w->fn[index];
    may = atomic_load(&fn->may);
    if ((may >> p->guest & 1u) == 0 && may >> 8 <= p->since) {
        EXPECT(p, is_the_guests(p, fn), fn->sbdf.v);
    }
}

static pcv_sbdf any_slot(struct player *p)
{
    struct guest *guest = &p->w->guest[p->guest];
    uint32_t slot = chance(p, GUEST_SLOTS);
    uint32_t index = 0;

    for (uint32_t i = 0; i < GUEST_SLOTS && index == 0; i++) {
        slot = (slot + 1u) % GUEST_SLOTS;
        index = atomic_load(&guest->slot[slot]);
    }
    p->fn = &p->w->fn[index == 0 ? 0 : index - 1u];
    return (pcv_sbdf){slot << 3 | (one_in(p, 16) ? chance(p, 8) : 0)};
}

enum turn play_guest_access(struct player *p)
{
    enum turn turn;

    if (p->stage == 0) {
        pcv_sbdf at;

        if (!be_guest(p)) {
            return TURN_OVER;
        }
        at = any_slot(p);
        p->stage = 1;
        if (one_in(p, 3)) {
            p->stage = 2;
            prepare(p, at, PCV_REG_SUBSYSTEM_VENDOR, 4, false, 0);
        } else {
            prepare_any(p, at, p->fn);
        }
    }
    turn = carry_on(p);
    if (turn == TURN_OVER && p->stage == 2 && still_is(p)) {
        check_given(p);
    }
    return turn;
}

/* A guest does what its drivers do: places its BARs, switches on. */
enum turn play_guest_sets_up(struct player *p)
{
    static const uint32_t bars = 6;

    if (p->stage == 0) {
        if (!be_guest(p)) {
            return TURN_OVER;
        }
        p->memory.sbdf = any_slot(p);
    } else if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    if (p->stage > bars || !still_is(p)) {
        return TURN_OVER;
    }
    if (p->stage == bars) {
        prepare(p, p->memory.sbdf, PCV_REG_COMMAND, 2, true,
                PCV_CMD_MEMORY | PCV_CMD_MASTER);
    } else {
        /* Upper halves get 0. */
        uint32_t at = (uint32_t)GUEST_WINDOW + (chance(p, 64) << 20);

        prepare(p, p->memory.sbdf, PCV_REG_BAR0 + 4u * p->stage, 4, true,
                p->stage % 2u == 0 ? at : 0);
    }
    p->stage++;
    return TURN_AGAIN;
}

/* As drivers do, with decoding on or off: all ones, a look, the old value. */
enum turn play_size_bar(struct player *p)
{
    uint32_t reg;

    if (p->stage == 0) {
        bool is = one_in(p, 2) ? be_guest(p) : be_hardware(p);

        if (!is) {
            return TURN_OVER;
        }
        p->fn = any_function(p, NULL);
        p->memory.sbdf = p->guest == GUESTS ? p->fn->sbdf : any_slot(p);
        if (p->guest == GUESTS && p->fn->bridge) {
            return TURN_OVER;
        }
        p->memory.size = (uint8_t)chance(p, FN_BARS);
    } else if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    reg = PCV_REG_BAR0 + 4u * p->memory.size;
    switch (p->stage++) {
    case 0:
        prepare(p, p->memory.sbdf, reg, 4, false, 0);
        return TURN_AGAIN;
    case 1:
        p->memory.data = p->access.data;
        prepare(p, p->memory.sbdf, reg, 4, true, 0xffffffffu);
        return TURN_AGAIN;
    case 2:
        prepare(p, p->memory.sbdf, reg, 4, false, 0);
        return TURN_AGAIN;
    case 3:
        prepare(p, p->memory.sbdf, reg, 4, true, (uint32_t)p->memory.data);
        return TURN_AGAIN;
    default:
        return TURN_OVER;
    }
}

/* The hardware domain programs a function as firmware had it: bus numbers,
 * BARs, command. Functions that came back from a slot need it. */
enum turn play_firmware(struct player *p)
{
    if (p->stage == 0) {
        (void)be_hardware(p);
        p->fn = any_function(p, NULL);
        if (p->fn->vf || (p->fn->bridge && in_arena(p->fn))) {
            return TURN_OVER;
        }
    } else if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    if (p->stage == 0 && p->fn->bridge) {
        prepare(p, p->fn->sbdf, PCV_REG_PRIMARY, 4, true, p->fn->numbers);
        p->stage = FN_BARS + 1u;
    } else if (p->stage < FN_BARS) {
        prepare(p, p->fn->sbdf, PCV_REG_BAR0 + 4u * p->stage, 4, true,
                p->fn->bar[p->stage]);
    } else if (p->stage == FN_BARS) {
        prepare(p, p->fn->sbdf, PCV_REG_COMMAND, 2, true, p->fn->command);
    } else {
        return TURN_OVER;
    }
    p->stage++;
    return TURN_AGAIN;
}
