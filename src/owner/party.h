/* SPDX-License-Identifier: MIT */
/*
 * Functions that one assignment gives: the one named, which leads, and with
 * PCV_ASSIGN_GROUP its mates (OWN-4). One alone is a party of one.
 */
#ifndef PCV_OWNER_PARTY_H
#define PCV_OWNER_PARTY_H

#include "owner/change.h"
#include "owner/split.h"

struct pcv__party {
    struct pcv_domain *domain;
    struct pcv_assign_policy policy;      /* of who leads */
    struct pcv_assign_policy mate_policy; /* of all others */
    /* Who else is in the group, with another user; or, `blamed`, the one of
     * them for whose sake all are refused. */
    struct pcv__others others;
    bool blamed;
    uint32_t count;
    struct pcv_device *device[PCV_ASSIGN_GROUP_MAX];
    const struct pcv_device *holder; /* of the claim, if anybody has it */
};

/*
 * Begin a change of owner of everybody, and look whether each may be assigned.
 * 0; or the first error. `count` says of how many a change was begun: theirs
 * must be ended, whatever is returned. With -PCV_EBUSY from somebody who is
 * changed elsewhere `elsewhere` is set: what an earlier call began goes on.
 */
int pcv__party_gather(struct pcv__party *party, struct pcv_host *host,
                      pcv_sbdf sbdf, struct pcv_domain *domain,
                      const struct pcv_assign_policy *policy,
                      bool *out_elsewhere);
/* The claim on shared requester IDs goes to a member (owner/dma.h). */
struct pcv_device *pcv__party_turn(struct pcv__party *party, uint32_t index);
/* Ends each change. */
void pcv__party_end(struct pcv__party *party);

/* Whether those of the group that another uses all are in the party: 0 or
 * -PCV_EXDEV. */
int pcv__party_whole(struct pcv__party *party);

static inline const struct pcv_assign_policy *pcv__party_policy(
    const struct pcv__party *party, uint32_t index)
{
    return index == 0 ? &party->policy : &party->mate_policy;
}

#endif
