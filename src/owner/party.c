/* SPDX-License-Identifier: MIT */
/* Who goes along with an assignment, and whether all of them may. */
#include "owner/party.h"

#include "owner/dma.h"
#include "owner/reset.h"

static const struct pcv_assign_policy everything;

static bool has(const struct pcv__party *party, pcv_sbdf sbdf)
{
    for (uint32_t i = 0; i < party->count; i++) {
        if (pcv__device_sbdf(party->device[i]).v == sbdf.v) {
            return true;
        }
    }
    return false;
}

int pcv__party_whole(struct pcv__party *party)
{
    struct pcv__others *others = &party->others;
    int error = pcv__group_split(party->device[0], party->domain, others->sbdf,
                                 PCV_ASSIGN_GROUP_MAX, &others->count);

    if (error != -PCV_EXDEV || others->count > PCV_ASSIGN_GROUP_MAX) {
        return error;
    }
    for (uint32_t i = 0; i < others->count; i++) {
        if (!has(party, others->sbdf[i])) {
            return -PCV_EXDEV;
        }
    }
    return 0;
}

static int join(struct pcv__party *party, struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device **place = &party->device[party->count];
    int error = pcv__change_begin_with(host, sbdf, party->holder, place);

    if (error == 0) {
        party->holder = *place;
        party->count++;
    }
    return error;
}

struct pcv_device *pcv__party_turn(struct pcv__party *party, uint32_t index)
{
    struct pcv_device *device = party->device[index];

    if (party->holder != device) {
        pcv__dma_pass(party->holder, device);
        party->holder = device;
    }
    return device;
}

static int blame(struct pcv__party *party, pcv_sbdf sbdf, int error)
{
    party->blamed = true;
    party->others.sbdf[0] = sbdf;
    party->others.count = 1;
    return error;
}

/* Whether the last that joined is one that an earlier call began with, or that
 * uses a function of the group: bus numbers may lead to another by now. */
static bool is_mate(const struct pcv__party *party)
{
    const struct pcv_device *device = party->device[party->count - 1u];

    if (pcv__change_for(device) == party->domain) {
        return true;
    }
    for (uint32_t i = 0; i < party->others.count && i < PCV_ASSIGN_GROUP_MAX;
         i++) {
        if (party->others.sbdf[i].v == pcv__device_sbdf(device).v) {
            return true;
        }
    }
    return false;
}

/* Mates of a change that an earlier call began. One that is gone by now uses
 * nothing any more. */
static int join_again(struct pcv__party *party, struct pcv_host *host)
{
    const struct pcv__assignment *lead = party->device[0]->change_to;

    for (uint32_t i = 0; i < lead->mate_count; i++) {
        int error = join(party, host, lead->mate[i]);

        if (error == 0 && !is_mate(party)) {
            return blame(party, lead->mate[i], -PCV_ENODEV);
        }
        if (error != 0 && error != -PCV_ENODEV) {
            return blame(party, lead->mate[i], error);
        }
    }
    return 0;
}

/* Everybody who uses another function of the group, for the first time. */
static int join_first(struct pcv__party *party, struct pcv_host *host)
{
    if (party->others.count > PCV_ASSIGN_GROUP_MAX - 1u) {
        return -PCV_ENOSPC;
    }
    for (uint32_t i = 0; i < party->others.count; i++) {
        int error = join(party, host, party->others.sbdf[i]);

        if (error != 0) {
            return blame(party, party->others.sbdf[i], error);
        }
    }
    return 0;
}

/* Each may go, and there is a slot for each that has none yet. */
static int check_mates(struct pcv__party *party)
{
    uint32_t free = pcv__slots_free(party->domain, &party->policy);
    uint32_t wanted = (party->policy.flags & PCV_ASSIGN_SLOT) == 0 &&
                              !pcv__change_for(party->device[0])
                          ? 1u
                          : 0u;

    for (uint32_t i = 1; i < party->count; i++) {
        struct pcv__others others;
        int error = pcv__assign_check(party->device[i], party->domain,
                                      &party->mate_policy, &others);

        if (error != 0) {
            return blame(party, pcv__device_sbdf(party->device[i]), error);
        }
        wanted += pcv__change_for(party->device[i]) ? 0u : 1u;
    }
    return wanted <= free ? 0 : -PCV_ENOSPC;
}

/* Each can be reset, together with the others if it has to be. */
static int check_resets(struct pcv__party *party)
{
    const struct pcv__mates mates = {party->device, party->count};

    for (uint32_t i = 0; i < party->count; i++) {
        int error = pcv__assign_check_reset(
            party->device[i], pcv__party_policy(party, i), &mates);

        if (error != 0) {
            return i == 0 ? error
                          : blame(party, pcv__device_sbdf(party->device[i]),
                                  error);
        }
    }
    return 0;
}

static void take_policy(struct pcv__party *party,
                        const struct pcv_assign_policy *policy)
{
    party->policy = *policy;
    party->mate_policy = everything;
    party->mate_policy.flags =
        policy->flags &
        (PCV_ASSIGN_NO_RESET | PCV_ASSIGN_GROUP | PCV_ASSIGN_TO_QUARANTINE);
}

static void begin(struct pcv__party *party, struct pcv_domain *domain,
                  const struct pcv_assign_policy *policy)
{
    party->domain = domain;
    take_policy(party, policy);
    party->others.count = 0;
    party->count = 0;
    party->blamed = false;
    party->holder = NULL;
}

int pcv__party_gather(struct pcv__party *party, struct pcv_host *host,
                      pcv_sbdf sbdf, struct pcv_domain *domain,
                      const struct pcv_assign_policy *policy,
                      bool *out_elsewhere)
{
    const struct pcv__assignment *begun;
    int error;

    policy = policy ? policy : &everything;
    begin(party, domain, policy);
    *out_elsewhere = true;
    error = pcv__assign_arguments(host, domain, policy);
    if (error == 0) {
        error = join(party, host, sbdf);
    }
    if (error != 0) {
        return error;
    }
    begun = pcv__change_for(party->device[0]) == domain
                ? party->device[0]->change_to
                : NULL;
    if (begun) {
        take_policy(party, &begun->policy);
    }
    *out_elsewhere = false;
    error = pcv__assign_check(party->device[0], domain, &party->policy,
                              &party->others);
    if (error != 0 || (party->policy.flags & PCV_ASSIGN_GROUP) == 0) {
        return error;
    }
    error = begun ? join_again(party, host) : join_first(party, host);
    if (error != 0) {
        *out_elsewhere = error == -PCV_EBUSY;
        return error;
    }
    error = check_mates(party);
    error = error == 0 ? check_resets(party) : error;
    return error != 0 ? error : pcv__party_whole(party);
}

void pcv__party_end(struct pcv__party *party)
{
    while (party->count > 0) {
        pcv__change_end(party->device[--party->count]);
    }
}

/* The others are those of the call that looked at them last. */
static void tell(const struct pcv__party *party, pcv_sbdf *out_others,
                 uint32_t room, uint32_t *out_count)
{
    for (uint32_t i = 0; out_others && i < room && i < PCV_ASSIGN_GROUP_MAX &&
                         i < party->others.count;
         i++) {
        out_others[i] = party->others.sbdf[i];
    }
    if (out_count) {
        *out_count = party->others.count;
    }
}

int pcv_device_test_assign(struct pcv_host *host, pcv_sbdf sbdf,
                           struct pcv_domain *domain,
                           const struct pcv_assign_policy *policy,
                           pcv_sbdf *out_others, uint32_t room,
                           uint32_t *out_count)
{
    struct pcv__party party;
    bool elsewhere;
    int error =
        pcv__party_gather(&party, host, sbdf, domain, policy, &elsewhere);

    if (error == -PCV_EXDEV || party.blamed ||
        (error == 0 && (party.policy.flags & PCV_ASSIGN_GROUP) != 0)) {
        tell(&party, out_others, room, out_count);
    }
    pcv__party_end(&party);
    return error;
}
