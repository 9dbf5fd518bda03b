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
    policy->flags |= one_in(p, 4) ? PCV_ASSIGN_TO_QUARANTINE : 0;
    if (one_in(p, 2)) {
        policy->flags |= PCV_ASSIGN_GROUP;
    } else if (one_in(p, 2)) {
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

/* Those of its group that go along are claimed as well, each with who could
 * read it. False: somebody else is at one. */
static bool claim_others(struct player *p)
{
    pcv_sbdf others[OTHERS];
    uint32_t count = 0;
    int answer = pcv_device_test_assign(p->w->host, p->fn->sbdf, p->domain,
                                        &p->policy, others, OTHERS, &count);

    p->others = 0;
    if (answer != 0) {
        return false;
    }
    for (uint32_t i = 0; i < count && i < OTHERS; i++) {
        struct function *fn = function_at(p->w, others[i]);
        bool free = false;

        if (!fn ||
            !atomic_compare_exchange_strong(&fn->changing, &free, true)) {
            return false;
        }
        p->other[p->others++] = fn;
    }
    return count <= OTHERS;
}

static void release_others(struct player *p)
{
    for (uint32_t i = 0; i < p->others; i++) {
        atomic_store(&p->other[i]->changing, false);
    }
    p->others = 0;
}

static bool begin_assign(struct player *p)
{
    p->others = 0;
    if (!be_guest(p) || !claim(p, any_function(p, is_endpoint))) {
        return false;
    }
    any_policy(p);
    if ((p->policy.flags & PCV_ASSIGN_GROUP) != 0 && !claim_others(p)) {
        release_others(p);
        unclaim(p);
        return false;
    }
    p->value = readers(p->fn);
    may_read(p, p->fn, (uint32_t)p->value | 1u << p->guest);
    for (uint32_t i = 0; i < p->others; i++) {
        may_read(p, p->other[i], readers(p->other[i]) | 1u << p->guest);
    }
    return true;
}

/* What the guest finds on its bus. */
static void learn_slots(struct player *p)
{
    struct guest *guest = &p->w->guest[p->guest];

    for (uint32_t slot = 0; slot < GUEST_SLOTS; slot++) {
        struct pcv_device *device =
            pcv_domain_device(p->domain, (pcv_sbdf){slot << 3});
        struct pcv_device_info info;

        if (device) {
            pcv_device_get_info(device, &info);
            if (info.subsystem != 0 && info.subsystem <= p->w->functions) {
                atomic_store(&guest->slot[slot], info.subsystem);
            }
            pcv_device_put(device);
        }
    }
}

/* It has it; or it has it not, as before. Of a group that went half the way
 * nobody knows who has what. */
static void end_assign(struct player *p, int answer, pcv_sbdf at)
{
    if (answer == 0) {
        EXPECT(p, at.v >> 3 < GUEST_SLOTS, at.v);
        may_read(p, p->fn, 1u << p->guest);
        learn_slots(p);
    } else if (p->others == 0) {
        may_read(p, p->fn, (uint32_t)p->value);
    }
    release_others(p);
    unclaim(p);
}

static int assign_once(struct player *p, pcv_sbdf *out_at)
{
    int answer = pcv_device_assign(p->w->host, p->fn->sbdf, p->domain,
                                   &p->policy, out_at);

    EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_ENODEV, -PCV_EPERM,
                  -PCV_EOPNOTSUPP, -PCV_EBUSY, -PCV_EXDEV, -PCV_EEXIST,
                  -PCV_ENOSPC, -PCV_EAGAIN, -PCV_ENOMEM, -PCV_EIO,
                  -PCV_ERESTART);
    return answer;
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
    answer = assign_once(p, &at);
    /* Some administrators never come back. */
    if (answer == -PCV_ERESTART && p->tries < PATIENCE && !one_in(p, 400)) {
        return TURN_AGAIN;
    }
    end_assign(p, answer, at);
    return TURN_OVER;
}

enum turn play_test_assign(struct player *p)
{
    pcv_sbdf others[OTHERS];
    uint32_t count = 0;
    int answer;

    if (!be_guest(p)) {
        return TURN_OVER;
    }
    p->fn = any_function(p, NULL);
    any_policy(p);
    answer = pcv_device_test_assign(p->w->host, p->fn->sbdf, p->domain,
                                    &p->policy, others, OTHERS, &count);
    EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_ENODEV, -PCV_EPERM,
                  -PCV_EOPNOTSUPP, -PCV_EBUSY, -PCV_EXDEV, -PCV_EEXIST,
                  -PCV_ENOSPC, -PCV_EAGAIN, -PCV_EIO, -PCV_ERESTART);
    return TURN_OVER;
}

enum turn play_mark_broken(struct player *p)
{
    int answer;

    p->fn = any_function(p, NULL);
    answer = pcv_device_set_broken(p->w->host, p->fn->sbdf, one_in(p, 4));
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV);
    return TURN_OVER;
}

/* The hardware domain may take functions from guests at a bridge or a PF. */
enum turn play_override(struct player *p)
{
    int answer;

    p->fn = any_function(p, NULL);
    answer = pcv_device_override(p->w->host, p->fn->sbdf, one_in(p, 4));
    EXPECT_ANSWER(p, answer, 0, -PCV_EINVAL, -PCV_ENODEV);
    return TURN_OVER;
}

/* ---- taking back -----------------------------------------------------------
 */

int deassign_once(struct player *p, pcv_sbdf sbdf)
{
    int answer = pcv_device_deassign(p->w->host, sbdf);

    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EINVAL, -PCV_ENOMEM, -PCV_EIO,
                  -PCV_ERESTART, -PCV_EAGAIN, -PCV_EBUSY, -PCV_EXDEV,
                  -PCV_EOPNOTSUPP);
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
    if (answer == -PCV_ERESTART && p->tries < PATIENCE && !one_in(p, 400)) {
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
    return answer == -PCV_ERESTART && p->tries < PATIENCE ? TURN_AGAIN
                                                          : TURN_OVER;
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

static bool create(struct player *p, uint32_t index)
{
    struct pcv_domain *domain;
    int answer = pcv_domain_create(p->w->host, FIRST_GUEST_ID + index, &domain);

    EXPECT_ANSWER(p, answer, 0, -PCV_ENOMEM);
    if (answer != 0) {
        return false;
    }
    answer = pcv_domain_add_window(domain, (pcv_gpa){GUEST_WINDOW},
                                   GUEST_WINDOW_SIZE);
    EXPECT_ANSWER(p, answer, 0);
    /* Without a window what comes by ECAM is forwarded. */
    do {
        answer = pcv_domain_add_ecam(domain, (pcv_gpa){GUEST_ECAM}, 0, 0, 255);
        EXPECT_ANSWER(p, answer, 0, -PCV_ENOMEM);
    } while (answer != 0);
    p->w->guest[index].domain = domain;
    return true;
}

static void forget_guest(struct player *p)
{
    for (uint32_t i = 0; i < p->w->functions; i++) {
        struct function *fn = &p->w->fn[i];

        may_read(p, fn, readers(fn) & ~(1u << p->guest));
    }
    p->w->guest[p->guest].ending = NULL;
}

/* What does not answer after its reset, and may never again, is said to be
 * gone: else nobody gets to an end with it. */
void give_up_silent(struct player *p)
{
    for (uint32_t i = 0; i < p->w->functions; i++) {
        pcv_sbdf at = p->w->fn[i].sbdf;
        struct pcv_device *device = pcv_device_find(p->w->host, at);
        int answer = 0;

        if (device && pcv_device_wait_us(device) != 0) {
            answer = pcv_device_vanished(p->w->host, at);
        }
        pcv_device_put(device);
        EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV);
    }
}

/* Alone: one guest begins, or ends, whatever it has. */
enum turn play_domains(struct player *p)
{
    struct guest *guest;
    int answer;

    if (p->stage == 0) {
        p->guest = chance(p, GUESTS);
        guest = &p->w->guest[p->guest];
        if (!guest->domain) {
            (void)(guest->ending || create(p, p->guest));
            return TURN_OVER;
        }
        /* From now on nobody does anything in its name. */
        guest->ending = guest->domain;
        guest->domain = NULL;
        guest->generation++;
        p->stage = 1;
    }
    answer = pcv_domain_destroy(p->w->guest[p->guest].ending);
    EXPECT_ANSWER(p, answer, 0, -PCV_EBUSY, -PCV_ERESTART, -PCV_EIO);
    if (answer != 0) {
        if (p->tries % 1024u == 1023u) {
            give_up_silent(p);
        }
        return TURN_AGAIN;
    }
    forget_guest(p);
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
        if (answer == -PCV_ERESTART && p->tries < PATIENCE) {
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
