/* SPDX-License-Identifier: MIT */
/* Actors that change who has a function, and guests that come and go. */
#include "torture.h"

static bool is_endpoint(const struct function *fn)
{
    return !fn->bridge;
}

/* ---- giving ----------------------------------------------------------------
 */

static void any_policy(struct player *p)
{
    struct pcv_assign_policy *policy = &p->policy;

    memset(policy, 0, sizeof(*policy));
    policy->flags = one_in(p, 4) ? 0 : PCV_ASSIGN_NO_RESET;
    if (one_in(p, 2)) {
        policy->flags |= PCV_ASSIGN_SLOT;
        policy->slot = (uint8_t)(chance(p, GUEST_SLOTS) << 3);
    }
    policy->bars_out = (uint8_t)(one_in(p, 8) ? 1u << chance(p, 6) : 0);
    if (one_in(p, 8)) {
        policy->cap_count = 1;
        policy->caps[0].id = one_in(p, 2) ? PCV_CAP_ID_MSI : PCV_CAP_ID_MSIX;
    }
    if (one_in(p, 8)) {
        policy->passed_count = 1;
        policy->passed[0].offset = 0x3c;
        policy->passed[0].size = 4;
    }
}

static bool begin_assign(struct player *p)
{
    if (!be_guest(p) || !claim(p, any_function(p, is_endpoint))) {
        return false;
    }
    any_policy(p);
    p->value = readers(p->fn);
    may_read(p, p->fn, (uint32_t)p->value | 1u << p->guest);
    return true;
}

/* It has it; or it has it not, as before. */
static void end_assign(struct player *p, int answer, pcv_sbdf at)
{
    struct guest *guest = &p->w->guest[p->guest];

    if (answer == 0) {
        EXPECT(p, at.v >> 3 < GUEST_SLOTS, at.v);
        may_read(p, p->fn, 1u << p->guest);
        atomic_store(&guest->slot[at.v >> 3],
                     (uint32_t)(p->fn - p->w->fn) + 1u);
    } else {
        may_read(p, p->fn, (uint32_t)p->value);
    }
    unclaim(p);
}

enum turn play_assign(struct player *p)
{
    pcv_sbdf at = {0};
    int answer;

    if (p->stage == 0) {
        if (!begin_assign(p)) {
            return TURN_OVER;
        }
        p->stage = 1;
    }
    if (!still_is(p)) {
        end_assign(p, -PCV_ENODEV, at);
        return TURN_OVER;
    }
    answer =
        pcv_device_assign(p->w->host, p->fn->sbdf, p->domain, &p->policy, &at);
    EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_ENODEV, -PCV_EPERM,
                  -PCV_EOPNOTSUPP, -PCV_EBUSY, -PCV_EEXIST, -PCV_ENOSPC,
                  -PCV_EAGAIN, -PCV_ENOMEM, -PCV_EIO, -PCV_ERESTART);
    /* Some administrators never come back. */
    if (answer == -PCV_ERESTART && !one_in(p, 400)) {
        return TURN_AGAIN;
    }
    end_assign(p, answer, at);
    return TURN_OVER;
}

/* ---- taking back -----------------------------------------------------------
 */

int deassign_once(struct player *p, pcv_sbdf sbdf)
{
    int answer = pcv_device_deassign(p->w->host, sbdf);

    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EINVAL, -PCV_ENOMEM, -PCV_EIO,
                  -PCV_ERESTART, -PCV_EAGAIN, -PCV_EBUSY, -PCV_EOPNOTSUPP);
    return answer;
}

/* Now and then in the middle of what somebody else does with the function;
 * then its books are not ours to keep. */
enum turn play_deassign(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        struct function *fn = any_function(p, is_endpoint);

        if (!claim(p, fn)) {
            if (one_in(p, 4)) {
                (void)deassign_once(p, fn->sbdf);
            }
            return TURN_OVER;
        }
        p->stage = 1;
    }
    answer = deassign_once(p, p->fn->sbdf);
    if (answer == -PCV_ERESTART && !one_in(p, 400)) {
        return TURN_AGAIN;
    }
    if (answer == 0 || answer == -PCV_EAGAIN) {
        may_read(p, p->fn, 0);
    }
    unclaim(p);
    return TURN_OVER;
}

enum turn play_restore(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, NULL);
        p->stage = 1;
    }
    answer = pcv_device_restore(p->w->host, p->fn->sbdf);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EBUSY, -PCV_EIO,
                  -PCV_ERESTART);
    return answer == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}

/* The hypervisor drives it from now on, until its hardware is gone. */
static bool may_be_driven(const struct function *fn)
{
    return !fn->bridge && !fn->vf && fn->sriov == 0 &&
           pcv_sbdf_device(fn->sbdf) % 4u == 3u && !in_arena(fn);
}

enum turn play_read_only(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        if (!claim(p, any_function(p, may_be_driven))) {
            return TURN_OVER;
        }
        if (!may_be_driven(p->fn)) {
            unclaim(p);
            return TURN_OVER;
        }
        p->stage = 1;
    }
    answer = pcv_device_set_read_only(p->w->host, p->fn->sbdf);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EPERM, -PCV_EOPNOTSUPP,
                  -PCV_EBUSY, -PCV_ENOMEM, -PCV_EIO, -PCV_ERESTART);
    if (answer == -PCV_ERESTART) {
        return TURN_AGAIN;
    }
    unclaim(p);
    return TURN_OVER;
}

/* ---- guests ----------------------------------------------------------------
 */

/* Alone: a guest that owns nothing ends, one that does not exist begins. */
enum turn play_domains(struct player *p)
{
    uint32_t index = chance(p, GUESTS);
    struct guest *guest = &p->w->guest[index];
    struct pcv_domain *domain;
    int answer;

    if (guest->domain) {
        answer = pcv_domain_destroy(guest->domain);
        EXPECT_ANSWER(p, answer, 0, -PCV_EBUSY);
        if (answer == 0) {
            guest->domain = NULL;
            guest->generation++;
        }
        return TURN_OVER;
    }
    answer = pcv_domain_create(p->w->host, FIRST_GUEST_ID + index, &domain);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENOMEM);
    if (answer == 0) {
        guest->domain = domain;
        answer = pcv_domain_add_window(domain, (pcv_gpa){GUEST_WINDOW},
                                       GUEST_WINDOW_SIZE);
        EXPECT_ANSWER(p, answer, 0);
        /* Without a window what comes by ECAM is forwarded. */
        do {
            answer =
                pcv_domain_add_ecam(domain, (pcv_gpa){GUEST_ECAM}, 0, 0, 255);
            EXPECT_ANSWER(p, answer, 0, -PCV_ENOMEM);
        } while (answer != 0);
    }
    return TURN_OVER;
}

/* All that a guest has is taken back, so that it can end. */
enum turn play_evict(struct player *p)
{
    uint32_t index;
    int answer;

    if (p->stage == 0) {
        p->guest = chance(p, GUESTS);
        p->stage = 1;
        p->fn = NULL;
    }
    for (; p->stage <= GUEST_SLOTS; p->stage++) {
        index = atomic_load(&p->w->guest[p->guest].slot[p->stage - 1u]);
        if (!p->fn && (index == 0 || !claim(p, &p->w->fn[index - 1u]))) {
            continue;
        }
        answer = deassign_once(p, p->fn->sbdf);
        if (answer == -PCV_ERESTART) {
            return TURN_AGAIN;
        }
        if (answer == 0 || answer == -PCV_EAGAIN) {
            may_read(p, p->fn, 0);
        }
        unclaim(p);
        p->fn = NULL;
    }
    return TURN_OVER;
}
