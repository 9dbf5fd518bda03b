/* SPDX-License-Identifier: MIT */
/* Actors that keep functions from the hardware domain, give them back, reset
 * them, and set their MSI-X aside. */
#include "torture.h"

/* One function or a bridge with everything behind it; not where the arena's
 * actor counts on nobody else. */
static bool choose(struct player *p)
{
    p->fn = any_function(p, NULL);
    p->value = p->fn->bridge ? PCV_SUBTREE
               : pcv_sbdf_function(p->fn->sbdf) == 0 && one_in(p, 4) ? PCV_SLOT
                                                                     : 0;
    return !in_arena(p->fn);
}

static void any_ranges(struct player *p, struct pcv_hide_info *info)
{
    memset(info, 0, sizeof(*info));
    info->flags = (uint32_t)p->value & PCV_SUBTREE;
    if (info->flags == 0 && one_in(p, 2)) {
        info->range_count = 1;
        info->range[0].bar = chance(p, FN_BARS);
        info->range[0].offset = (uint64_t)chance(p, 32) << 4;
        info->range[0].size = 0x100;
    }
    if (info->flags == 0 && one_in(p, 4)) {
        info->flags = PCV_HIDE_MASTER;
    }
}

/* Some administrators never come back. */
static enum turn go_on(struct player *p, int answer)
{
    EXPECT_ANSWER(p, answer, 0, -PCV_EAGAIN, -PCV_EINVAL, -PCV_ENODEV,
                  -PCV_EPERM, -PCV_EOPNOTSUPP, -PCV_EBUSY, -PCV_EXDEV,
                  -PCV_EEXIST, -PCV_ENOMEM, -PCV_EIO, -PCV_ERESTART);
    return answer == -PCV_ERESTART && p->tries < PATIENCE && !one_in(p, 400)
               ? TURN_AGAIN
               : TURN_OVER;
}

/* What was begun and is not gone on with is taken back: accesses wait for it.
 */
static enum turn take_back(struct player *p)
{
    pcv_sbdf busy;
    int answer = pcv_device_reveal(p->w->host, p->fn->sbdf,
                                   (uint32_t)p->value & PCV_SUBTREE, &busy);

    p->answer = answer;
    return (answer == -PCV_ERESTART || answer == -PCV_EBUSY) &&
                   p->tries < 2u * PATIENCE
               ? TURN_AGAIN
               : TURN_OVER;
}

enum turn play_hide(struct player *p)
{
    pcv_sbdf busy;
    int answer;

    if (p->stage == 2) {
        return take_back(p);
    }
    if (p->stage == 0) {
        if (!choose(p)) {
            return TURN_OVER;
        }
        any_ranges(p, &p->hide);
        p->stage = 1;
    }
    answer = pcv_device_hide(p->w->host, p->fn->sbdf, &p->hide, &busy);
    if (go_on(p, answer) == TURN_OVER && answer == -PCV_ERESTART) {
        p->stage = 2;
    }
    return answer == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}

enum turn play_conceal(struct player *p)
{
    pcv_sbdf busy;

    if (p->stage == 0) {
        if (!choose(p)) {
            return TURN_OVER;
        }
        p->stage = 1;
    }
    return go_on(p, pcv_device_conceal(p->w->host, p->fn->sbdf,
                                       (uint32_t)p->value, &busy));
}

enum turn play_quarantine(struct player *p)
{
    pcv_sbdf busy;

    if (p->stage == 0) {
        if (!choose(p)) {
            return TURN_OVER;
        }
        p->stage = 1;
    }
    return go_on(p, pcv_device_quarantine(p->w->host, p->fn->sbdf,
                                          (uint32_t)p->value & PCV_SUBTREE,
                                          &busy));
}

enum turn play_reveal(struct player *p)
{
    pcv_sbdf busy;
    int answer;

    if (p->stage == 0) {
        (void)choose(p);
        p->value = one_in(p, 4) ? 0 : p->value;
        p->stage = 1;
    }
    answer =
        pcv_device_reveal(p->w->host, p->fn->sbdf, (uint32_t)p->value, &busy);
    (void)go_on(p, answer);
    /* What does not answer after its reset may never do so. */
    if (answer == -PCV_ERESTART && p->tries % PATIENCE == PATIENCE - 1u) {
        give_up_silent(p);
    }
    return answer == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}

/* ---- resets, MSI-X ---------------------------------------------------------
 */

enum turn play_reset(struct player *p)
{
    enum pcv_reset reset;
    pcv_sbdf busy;
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, NULL);
        p->stage = 1;
        answer =
            pcv_device_reset_method(p->w->host, p->fn->sbdf, &reset, &busy);
        EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_ENODEV, -PCV_EBUSY,
                      -PCV_ERESTART, -PCV_EIO);
    }
    return go_on(p, pcv_device_reset(p->w->host, p->fn->sbdf, &busy));
}

enum turn play_set_msix_aside(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, NULL);
        p->stage = 1 + chance(p, 2);
    }
    answer = p->stage == 1 ? pcv_msix_prepare(p->w->host, p->fn->sbdf)
                           : pcv_msix_release(p->w->host, p->fn->sbdf);
    EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_ENODEV, -PCV_EBUSY, -PCV_EIO,
                  -PCV_ERESTART);
    return answer == -PCV_ERESTART && p->tries < PATIENCE ? TURN_AGAIN
                                                          : TURN_OVER;
}
