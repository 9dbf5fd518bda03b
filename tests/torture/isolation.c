/* SPDX-License-Identifier: MIT */
/* Actors about the IOMMU: faults, isolation groups, requester IDs. */
#include "torture.h"

/* ---- faults ----------------------------------------------------------------
 */

/* What the IOMMU blocked is told, and what nobody did. */
enum turn play_faults(struct player *p)
{
    struct pcv_device_faults faults;
    int answer;

    p->fn = any_function(p, NULL);
    switch (chance(p, 4)) {
    case 0:
        (void)pcv_model_tell_faults(p->w->model, p->w->host);
        return TURN_OVER;
    case 1:
        for (uint32_t i = chance(p, 20); i != 0; i--) {
            (void)pcv_dma_fault(p->w->host, p->fn->sbdf, i << 12, 0);
        }
        return TURN_OVER;
    case 2:
        (void)pcv_dma_fault(p->w->host,
                            (pcv_sbdf){(uint32_t)next_random(&p->random)}, 0,
                            PCV_FAULT_WRITE);
        return TURN_OVER;
    default:
        answer = pcv_device_faults(p->w->host, p->fn->sbdf, &faults);
        EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV);
        EXPECT(p, answer != 0 || faults.excess || !faults.cut, p->fn->sbdf.v);
        return TURN_OVER;
    }
}

enum turn play_clear_faults(struct player *p)
{
    int answer;

    p->fn = any_function(p, NULL);
    answer = pcv_device_clear_faults(p->w->host, p->fn->sbdf);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV);
    if (one_in(p, 8)) {
        answer = pcv_host_set_faults(p->w->host, chance(p, 64),
                                     1u + chance(p, 10000000));
        EXPECT_ANSWER(p, answer, 0);
    }
    return TURN_OVER;
}

/* ---- groups ----------------------------------------------------------------
 */

/* A function is in its own group, unless it goes meanwhile. */
enum turn play_group(struct player *p)
{
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    int answer;

    p->fn = any_function(p, NULL);
    answer = pcv_group_find(p->w->host, p->fn->sbdf, &group);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EIO, -PCV_ERESTART);
    if (answer == -PCV_ERESTART) {
        return TURN_AGAIN;
    }
    while (answer == 0 && pcv_group_next(&group, from, &member)) {
        EXPECT(p, member.sbdf.v >= from.v, member.sbdf.v);
        from.v = member.sbdf.v + 1u;
    }
    return TURN_OVER;
}

enum turn play_isolate(struct player *p)
{
    int answer;

    p->fn = any_function(p, NULL);
    answer =
        pcv_device_declare_isolated(p->w->host, p->fn->sbdf, !one_in(p, 4));
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EPERM);
    return TURN_OVER;
}

/* ---- requester IDs ---------------------------------------------------------
 */

enum turn play_requesters(struct player *p)
{
    struct pcv_requester requester;
    pcv_sbdf user = {0};
    int answer = 0;

    p->fn = any_function(p, NULL);
    for (uint32_t i = 0; answer == 0; i++) {
        answer = pcv_device_requester(p->w->host, p->fn->sbdf, i, &requester);
        EXPECT_ANSWER(p, answer, 0, -PCV_ENOENT, -PCV_ENODEV);
        EXPECT(p, answer != 0 || i != 0 || requester.id.v == p->fn->sbdf.v,
               requester.id.v);
    }
    (void)pcv_requester_next_user(p->w->host, p->fn->sbdf, user, &user);
    return TURN_OVER;
}

/* It sends as a function number that nobody has, too. */
enum turn play_name_requester(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, NULL);
        p->stage = 1;
    }
    answer = pcv_device_add_requester(p->w->host, p->fn->sbdf,
                                      (pcv_sbdf){p->fn->sbdf.v | 0xffu});
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EBUSY, -PCV_ENOSPC,
                  -PCV_ENOMEM, -PCV_EIO, -PCV_ERESTART);
    return answer == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}
