/* SPDX-License-Identifier: MIT */
/* Actors that access memory behind BARs, and program interrupts there. */
#include "torture.h"

/* The address of a BAR as the player's domain has programmed it, from what it
 * reads of the register; 0: it is none. */
static uint64_t bar_address(uint64_t value)
{
    if (value >= 0xffffffffu || (value & PCV_BAR_SPACE_IO) != 0) {
        return 0;
    }
    return value & PCV_BAR_MEM_MASK;
}

static void access_memory(struct player *p)
{
    enum pcv_verdict verdict = pcv_mmio_access(p->domain, &p->memory);

    EXPECT(p,
           verdict == PCV_DONE || verdict == PCV_RETRY ||
               verdict == PCV_ABSENT || verdict == PCV_FORWARD,
           verdict);
}

static bool choose(struct player *p)
{
    if (!(one_in(p, 2) ? be_guest(p) : be_hardware(p))) {
        return false;
    }
    p->fn = any_function(p, NULL);
    if (p->guest != GUESTS) {
        uint32_t slot = chance(p, GUEST_SLOTS);
        uint32_t index = atomic_load(&p->w->guest[p->guest].slot[slot]);

        if (index == 0) {
            return false;
        }
        p->fn = &p->w->fn[index - 1u];
        p->memory.sbdf.v = slot << 3;
    } else {
        p->memory.sbdf = p->fn->sbdf;
    }
    return !p->fn->bridge;
}

/* Reads and writes of what traps, and of what does not. */
enum turn play_memory_access(struct player *p)
{
    static const uint8_t sizes[] = {1, 2, 4, 8, 3};
    uint64_t base;

    if (p->stage == 0) {
        if (!choose(p)) {
            return TURN_OVER;
        }
        prepare(p, p->memory.sbdf, PCV_REG_BAR0 + 4u * chance(p, FN_BARS), 4,
                false, 0);
        p->stage = 1;
        return TURN_AGAIN;
    }
    if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    base = bar_address(p->access.data);
    if (base == 0 || !still_is(p)) {
        return TURN_OVER;
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t size = sizes[chance(p, 5)];
        uint64_t at = base + (chance(p, 0x4000) & ~(uint64_t)(size - 1u));

        p->memory = one_in(p, 2)
                        ? PCV_MMIO_READ(at, size)
                        : PCV_MMIO_WRITE(at, size, next_random(&p->random));
        access_memory(p);
    }
    return TURN_OVER;
}

/* ---- interrupts ------------------------------------------------------------
 */

static uint32_t program_msi(struct player *p, uint32_t stage)
{
    static const uint8_t size[] = {4, 4, 2, 2};
    static const uint8_t at[] = {4, 8, 12, 2};
    const uint32_t value[] = {DOORBELL, 0x40u + chance(p, 32), 0x40,
                              chance(p, 4) != 0 ? 1u : 0u};

    prepare(p, p->memory.sbdf, p->fn->msi + (uint32_t)at[stage], size[stage],
            true, value[stage]);
    return stage + 1u;
}

/* Where the table is, as the capability says it. */
static void program_entry(struct player *p, uint64_t base)
{
    uint64_t entry = base + ((uint64_t)chance(p, 8) << 4);
    const uint32_t dwords[] = {DOORBELL, 0, 0x50u + chance(p, 32),
                               chance(p, 2)};

    for (uint32_t i = 0; i < 4; i++) {
        p->memory = PCV_MMIO_WRITE(entry + (uint64_t)4 * i, 4, dwords[i]);
        access_memory(p);
    }
}

enum turn play_vectors_program(struct player *p)
{
    enum { MSI_END = 4, TABLE, BAR, ENTRY, CONTROL, END };

    if (p->stage == 0) {
        if (!choose(p) || (p->fn->msi == 0 && p->fn->msix == 0)) {
            return TURN_OVER;
        }
        if (p->fn->msi == 0 || (p->fn->msix != 0 && one_in(p, 2))) {
            p->stage = TABLE;
        }
    } else if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    if (!still_is(p)) {
        return TURN_OVER;
    }
    switch (p->stage) {
    case MSI_END:
    case END:
        return TURN_OVER;
    case TABLE:
        prepare(p, p->memory.sbdf, p->fn->msix + 4u, 4, false, 0);
        break;
    case BAR:
        p->since = p->access.data;
        prepare(p, p->memory.sbdf,
                PCV_REG_BAR0 + 4u * ((uint32_t)p->access.data & 7u) % 24u, 4,
                false, 0);
        p->memory.data = p->access.data & 0xfffffff8u;
        p->stage = ENTRY;
        return TURN_AGAIN;
    case ENTRY: {
        pcv_sbdf at = p->access.sbdf;

        if (bar_address(p->access.data) == 0) {
            return TURN_OVER;
        }
        program_entry(p, bar_address(p->access.data) +
                             (p->memory.data & 0xfffffff8u));
        prepare(p, at, p->fn->msix + 2u, 2, true,
                one_in(p, 4) ? 0 : 0x8000u | (one_in(p, 4) ? 0x4000u : 0));
        p->stage = END;
        return TURN_AGAIN;
    }
    default:
        p->stage = program_msi(p, p->stage);
        return TURN_AGAIN;
    }
    p->stage++;
    return TURN_AGAIN;
}
