/* SPDX-License-Identifier: MIT */
/*
 * A function goes to a guest, and with it its group if that was asked for
 * (OWN-4, OWN-5). Each call goes on where the last one stopped; what is done
 * already stands in the device: its gate is closed, its owner is quarantine,
 * and its assignment says for whom the view is.
 *
 * All of a party are taken before the first is reset, and all are built before
 * the first is found: so what fails, fails for all of them.
 */
#include "owner/party.h"
#include "owner/reset.h"

/* ---- what can be taken back ------------------------------------------------
 */

/* Memory for the assignment, and the place on the guest's bus: what can be
 * refused before anything changed. */
static int prepare(struct pcv_device *device, struct pcv_domain *domain,
                   const struct pcv_assign_policy *policy)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__assignment *assignment;
    int error;

    if (pcv__change_for(device) == domain) {
        return 0; /* an earlier call did it */
    }
    assignment = pcv__alloc(mem, sizeof(*assignment));
    if (!assignment) {
        return -PCV_ENOMEM;
    }
    assignment->part.bytes = sizeof(*assignment);
    assignment->policy = *policy;
    error = pcv__slot_take(domain, device, policy);
    if (error != 0) {
        pcv__free(mem, assignment, sizeof(*assignment));
        return error;
    }
    atomic_store_explicit(&device->change_for, domain, memory_order_release);
    device->change_to = assignment;
    return 0;
}

/* The next call finds its mates again by who leads. */
static int remember_mates(const struct pcv__party *party)
{
    struct pcv__assignment *lead = party->device[0]->change_to;

    if (party->count == 1 || lead->mate) {
        return 0;
    }
    lead->mate = pcv__alloc(&party->device[0]->host->mem,
                            PCV_ASSIGN_GROUP_MAX * sizeof(*lead->mate));
    if (!lead->mate) {
        return -PCV_ENOMEM;
    }
    for (uint32_t i = 1; i < party->count; i++) {
        lead->mate[lead->mate_count++] = pcv__device_sbdf(party->device[i]);
    }
    return 0;
}

/* From here on everybody who looks at the group sees for whom they are, and
 * that nobody goes on bringing them home: so it is looked at again (of two who
 * take parts of one group, one at least sees the other). */
static int prepare_all(struct pcv__party *party)
{
    int error = 0;

    for (uint32_t i = 0; i < party->count && error == 0; i++) {
        error = prepare(party->device[i], party->domain,
                        pcv__party_policy(party, i));
        pcv__unnote(party->device[i], PCV__NOTE_HOMEWARD);
    }
    if (error == 0) {
        error = remember_mates(party);
    }
    return error != 0 ? error : pcv__party_whole(party);
}

/* Nothing changed yet that is not taken back here. */
static void abandon(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__change_forget(device);
    pcv__change_undo(device);
    pcv__lock_take(mem, &device->lock);
    pcv__gate_reopen(device);
    pcv__lock_drop(mem, &device->lock);
    pcv__change_seen(device);
}

/* What was the hardware domain's is so again. */
static void abandon_all(struct pcv__party *party)
{
    for (uint32_t i = 0; i < party->count; i++) {
        struct pcv_device *device = party->device[i];

        if (pcv__change_for(device) == party->domain &&
            !pcv__is_quarantined(device)) {
            abandon(device);
            pcv__change_at(device, PCV_STEP_NONE);
        }
    }
}

/* It is not to be, though earlier calls may have begun it: what rested in
 * quarantine rests there, and what came there with those has failed. */
static void refuse(struct pcv__party *party, int error)
{
    for (uint32_t i = 0; i < party->count; i++) {
        struct pcv_device *device = pcv__party_turn(party, i);

        if (!device->change_to || !pcv__is_quarantined(device) ||
            pcv__change_for(device) != party->domain) {
            continue;
        }
        if (pcv__is_on_its_way(device)) {
            pcv__change_failed(device, error);
        } else {
            pcv__change_forget(device);
        }
    }
    abandon_all(party);
}

/* ---- the steps -------------------------------------------------------------
 */

/* From the hardware domain. It may have come to use the function after that was
 * looked at, and until the gate was closed. */
static int take(struct pcv_device *device)
{
    int error;

    pcv__change_at(device, PCV_STEP_CLOSE);
    error = pcv__change_cast(device);
    if (error == 0) {
        error = pcv__gate_close(device);
    }
    if (error == -PCV_ERESTART) {
        pcv__change_at(device, PCV_STEP_DRAIN);
    }
    if (error == 0 && pcv__assign_is_used(device)) {
        error = -PCV_EBUSY;
    }
    return error != 0 ? error : pcv__change_take(device);
}

static int take_all(struct pcv__party *party, uint32_t *out_failed)
{
    for (uint32_t i = 0; i < party->count; i++) {
        struct pcv_device *device = pcv__party_turn(party, i);
        int error = pcv__is_quarantined(device) ? 0 : take(device);

        if (error != 0) {
            *out_failed = i;
            return error;
        }
    }
    return 0;
}

/* All at once: their times pass together. */
static int reset_all(struct pcv__party *party, uint32_t *out_failed)
{
    const struct pcv__mates mates = {party->device, party->count};
    bool accepted = (party->policy.flags & PCV_ASSIGN_NO_RESET) != 0;
    int result = 0;

    for (uint32_t i = 0; i < party->count; i++) {
        int error = pcv__change_reset_among(party->device[i], &mates, accepted);

        if (error != 0 && error != -PCV_ERESTART) {
            *out_failed = i;
            return error;
        }
        result = error != 0 ? error : result;
    }
    return result;
}

static int build_all(struct pcv__party *party, uint32_t *out_failed)
{
    for (uint32_t i = 0; i < party->count; i++) {
        struct pcv_device *device = pcv__party_turn(party, i);
        int error;

        pcv__change_part(device);
        error = pcv__change_build(device, party->domain);
        if (error != 0) {
            *out_failed = i;
            return error;
        }
    }
    return 0;
}

/* Nobody removes what changes its owner, so this ends well for each. */
static int hand_all(struct pcv__party *party, uint32_t *out_failed)
{
    for (uint32_t i = 0; i < party->count; i++) {
        int error = pcv__change_hand(party->device[i], party->domain);

        if (error != 0) {
            *out_failed = i;
            return error;
        }
    }
    return 0;
}

static int steps(struct pcv__party *party, uint32_t *out_failed)
{
    int error = take_all(party, out_failed);

    if (error == 0) {
        error = reset_all(party, out_failed);
    }
    if (error == 0) {
        error = build_all(party, out_failed);
    }
    return error != 0 ? error : hand_all(party, out_failed);
}

/* One failed: nobody goes. What is the hardware domain's still stays so, and
 * whoever failed there says so; what stays in quarantine for its sake says at
 * which step that was, since none of its own failed. */
static void give_up(struct pcv__party *party, uint32_t failed, int error)
{
    enum pcv_change_step step = (enum pcv_change_step)atomic_load_explicit(
        &party->device[failed]->change_step, memory_order_relaxed);

    for (uint32_t i = 0; i < party->count; i++) {
        struct pcv_device *device = pcv__party_turn(party, i);

        if (pcv__is_quarantined(device)) {
            pcv__change_at(device, step);
            pcv__change_failed(device, error);
        } else if (i == failed) {
            abandon(device);
            pcv__change_told(device, PCV_EVENT_CHANGE_FAILED, error);
        }
    }
    abandon_all(party);
}

static int assign(struct pcv__party *party)
{
    uint32_t failed = 0;
    int error = prepare_all(party);

    if (error != 0) {
        refuse(party, error);
        return error;
    }
    error = steps(party, &failed);
    if (error != 0 && error != -PCV_ERESTART) {
        give_up(party, failed, error);
    }
    return error;
}

/* Functions of one slot know of each other (HDR-15). */
static pcv_sbdf mark_slots(const struct pcv__party *party)
{
    for (uint32_t i = 0; i < party->count; i++) {
        pcv_sbdf there = pcv_device_guest_sbdf(party->device[i]);

        pcv__slot_mark(party->domain, (uint8_t)there.v);
    }
    return pcv_device_guest_sbdf(party->device[0]);
}

int pcv_device_assign(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_domain *domain,
                      const struct pcv_assign_policy *policy,
                      pcv_sbdf *out_guest_sbdf)
{
    struct pcv__party party;
    bool elsewhere;
    int error =
        pcv__party_gather(&party, host, sbdf, domain, policy, &elsewhere);

    if (error == 0) {
        error = assign(&party);
    } else if (!elsewhere && error != -PCV_ERESTART) {
        refuse(&party, error); /* what an earlier call began */
    }
    if (error == 0) {
        pcv_sbdf there = mark_slots(&party);

        if (out_guest_sbdf) {
            *out_guest_sbdf = there;
        }
    }
    pcv__party_end(&party);
    return error;
}
