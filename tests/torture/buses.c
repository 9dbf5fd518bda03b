/* SPDX-License-Identifier: MIT */
/* Actors that change what leads where: bus numbers, virtual functions,
 * extended configuration space, emulated functions. */
#include "torture.h"

static bool is_movable(const struct function *fn)
{
    return fn->bridge && !in_arena(fn);
}

/* ---- bus numbers -----------------------------------------------------------
 */

static uint32_t any_numbers(struct player *p)
{
    uint32_t secondary = 1u + chance(p, 40);

    if (one_in(p, 2)) {
        return 0;
    }
    return (p->fn->numbers & 0xffu) | secondary << 8 |
           (secondary + chance(p, 4)) << 16;
}

/* Others for a while, then those that firmware gave. */
enum turn play_renumber(struct player *p)
{
    if (p->stage == 0) {
        (void)be_hardware(p);
        p->fn = any_function(p, is_movable);
        if (!p->fn) {
            return TURN_OVER;
        }
        prepare(p, p->fn->sbdf, PCV_REG_PRIMARY, 4, true, any_numbers(p));
        p->memory.data = chance(p, 40);
        p->stage = 1;
    }
    if (p->stage == 2) {
        if (p->memory.data-- != 0) {
            return TURN_AGAIN;
        }
        prepare(p, p->fn->sbdf, PCV_REG_PRIMARY, 4, true, p->fn->numbers);
        p->stage = 3;
    }
    if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    return p->stage++ == 1 ? TURN_AGAIN : TURN_OVER;
}

/* True or not: they were not changed behind the library's back, since whoever
 * does that must report it before anything behind the bridge is added. */
enum turn play_report_buses(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, is_movable);
        if (!p->fn) {
            return TURN_OVER;
        }
        p->value = one_in(p, 4) ? any_numbers(p) : p->fn->numbers;
        p->stage = 1;
    }
    answer = pcv_bridge_report_buses(p->w->host, p->fn->sbdf, (uint8_t)p->value,
                                     (uint8_t)(p->value >> 8),
                                     (uint8_t)(p->value >> 16));
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EINVAL, -PCV_EIO,
                  -PCV_ERESTART);
    return answer == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}

/* ---- virtual functions -----------------------------------------------------
 */

static bool is_pf(const struct function *fn)
{
    return fn->sriov != 0 && !fn->vf && !in_arena(fn);
}

enum turn play_virtual_functions(struct player *p)
{
    uint32_t cap;

    if (p->stage == 0) {
        (void)be_hardware(p);
        p->fn = any_function(p, is_pf);
        if (!p->fn) {
            return TURN_OVER;
        }
    } else if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    }
    cap = p->fn->sriov;
    switch (p->stage++) {
    case 0:
        prepare(p, p->fn->sbdf, cap + PCV_SRIOV_CTRL, 2, true, 0);
        return TURN_AGAIN;
    case 1:
        prepare(p, p->fn->sbdf, cap + PCV_SRIOV_NUM_VFS, 2, true, chance(p, 6));
        return TURN_AGAIN;
    case 2:
        prepare(p, p->fn->sbdf, cap + PCV_SRIOV_CTRL, 2, true,
                one_in(p, 4) ? 0 : PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
        return TURN_AGAIN;
    default:
        return TURN_OVER;
    }
}

/* ---- extended space --------------------------------------------------------
 */

enum turn play_declare_ecam(struct player *p)
{
    _Atomic bool *declaring;
    bool free = false;
    pcv_sbdf busy = {0};
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, NULL);
        p->value = pcv_sbdf_bus(p->fn->sbdf);
    }
    declaring = &p->w->declaring[pcv_sbdf_segment(p->fn->sbdf)];
    if (p->stage == 0) {
        if (!atomic_compare_exchange_strong(declaring, &free, true)) {
            return TURN_OVER;
        }
        p->stage = one_in(p, 3) ? 1 : 2;
    }
    answer = pcv_host_set_ecam(p->w->host, pcv_sbdf_segment(p->fn->sbdf),
                               (uint8_t)p->value, (uint8_t)(p->value | 3u),
                               p->stage == 2, &busy);
    EXPECT_ANSWER(p, answer, 0, -PCV_EBUSY, -PCV_ERESTART, -PCV_ENOMEM,
                  -PCV_EIO);
    if (answer == -PCV_ERESTART) {
        /* Somebody may have left a change of owner half way. */
        if (p->tries % 256u == 255u) {
            (void)deassign_once(p, busy);
        }
        /* And what does not answer after its reset may never do so again. */
        if (p->tries % PATIENCE == PATIENCE - 1u) {
            answer = pcv_device_vanished(p->w->host, busy);
            EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV);
        }
        return TURN_AGAIN;
    }
    atomic_store(declaring, false);
    return TURN_OVER;
}

/* ---- emulated functions ----------------------------------------------------
 */

static int emulated_read(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                         uint64_t *out_value)
{
    struct world *w = ctx;

    (void)bar;
    (void)size;
    *out_value = offset;
    return atomic_fetch_add(&w->callbacks, 1) % 64u == 63u ? -PCV_ERESTART : 0;
}

static int emulated_write(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                          uint64_t value)
{
    uint64_t old;

    (void)value;
    return emulated_read(ctx, bar, offset, size, &old);
}

static void create(struct player *p)
{
    static const struct pcv_emulated_ops ops = {emulated_read, emulated_write};
    const struct pcv_emulated_info info = {
        .sbdf = pcv_sbdf_make(0, 0, pcv_devfn((uint8_t)chance(p, 32), 0)),
        .vendor = 0x1b36,
        .device = 0x00e1,
        .class_code = 0x088000,
        .bar_size = 0x1000,
        .window = {UINT64_C(0x200000000000)},
        .window_size = 0x100000,
        .bar_64 = true,
    };
    int answer =
        pcv_emulated_create(p->w->hardware, &info, &ops, p->w, &p->w->emulated);

    EXPECT_ANSWER(p, answer, 0, -PCV_EEXIST, -PCV_ENOMEM, -PCV_EIO, -PCV_EPERM);
}

/* Made, used, looked at and taken away. */
enum turn play_emulated(struct player *p)
{
    struct pcv_emulated_status status;
    bool free = false;

    if (p->stage == 0) {
        (void)be_hardware(p);
        if (!atomic_compare_exchange_strong(&p->w->emulated_busy, &free,
                                            true)) {
            return TURN_OVER;
        }
        if (!p->w->emulated) {
            create(p);
            atomic_store(&p->w->emulated_busy, false);
            return TURN_OVER;
        }
        p->stage = one_in(p, 8) ? 9 : 1;
    }
    if (p->stage == 9) {
        if (pcv_emulated_destroy(p->w->emulated) == -PCV_ERESTART) {
            return TURN_AGAIN;
        }
        p->w->emulated = NULL;
        atomic_store(&p->w->emulated_busy, false);
        return TURN_OVER;
    }
    if (p->stage == 1) {
        pcv_emulated_get_status(p->w->emulated, &status);
        prepare(p, status.info.sbdf, PCV_REG_BAR0, 4, true,
                chance(p, 256) << 12);
    } else if (carry_on(p) == TURN_AGAIN) {
        return TURN_AGAIN;
    } else if (p->stage == 2) {
        prepare(p, p->access.sbdf, PCV_REG_BAR0 + 4u, 4, true, 0x2000);
    } else if (p->stage == 3) {
        prepare(p, p->access.sbdf, PCV_REG_COMMAND, 2, true, PCV_CMD_MEMORY);
    } else {
        p->memory =
            PCV_MMIO_READ(UINT64_C(0x200000000000) + (chance(p, 256) << 12), 4);
        (void)pcv_mmio_access(p->domain, &p->memory);
        pcv_emulated_get_status(p->w->emulated, &status);
        atomic_store(&p->w->emulated_busy, false);
        return TURN_OVER;
    }
    p->stage++;
    return TURN_AGAIN;
}
