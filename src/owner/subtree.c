/* SPDX-License-Identifier: MIT */
/*
 * One operation on a bridge and everything behind it, or on all functions of a
 * slot: all or nothing (OWN-13).
 *
 * First everything is looked at, under the segment's lock; what is found to be
 * in the way is named, and nothing has changed. Then it is done to one function
 * after the other, deepest first, each marked when it was. If one of them
 * refuses nevertheless, those that are marked are revealed again. A call does a
 * bounded number of them: how far it is stands in the marks, what is under way
 * and why it is taken back at the root, so that the next call goes on.
 */
#include "owner/hidden.h"

#define PER_CALL 16u

/* pcv__extras.subtree: an operation, and these. */
#define OP 0x0fu
#define UNDOING 0x40u /* it is taken back */
#define RUNNING 0x80u /* somebody is at it */

struct set {
    struct pcv_host *host;
    struct pcv__segment *segment;
    struct pcv_device *root; /* a reference is held */
    const struct pcv__order *order;
    bool slot;
    bool upwards; /* from the root on: what is behind a bridge comes after it */
    uint32_t budget;
};

/* ---- who belongs to it -----------------------------------------------------
 */

/* A place to look at, in the order of the walk. */
struct place {
    uint32_t step; /* 0: the root comes first; 1: the rest; 2: it comes last */
    uint32_t rid;
};

static pcv_sbdf at_rid(const struct set *set, uint32_t rid)
{
    return pcv_sbdf_make(set->segment->number, (uint8_t)(rid >> 8),
                         (uint8_t)rid);
}

static void range_of(const struct set *set, uint32_t *first, uint32_t *last)
    PCV__REQUIRES(set->segment->lock)
{
    const struct pcv_device *root = set->root;

    if (set->slot) {
        *first = pcv__rid(pcv__device_sbdf(root)) + 1u;
        *last = *first + (PCV_FUNCTIONS - 2u);
    } else if (root->bound || (root->bus_conflict && root->secondary != 0)) {
        *first = (uint32_t)root->secondary << 8;
        *last = pcv__last_rid(root);
    } else {
        *first = 1;
        *last = 0;
    }
}

static void begin_walk(const struct set *set, struct place *place)
    PCV__REQUIRES(set->segment->lock)
{
    uint32_t first, last;

    range_of(set, &first, &last);
    place->step = set->upwards ? 0 : 1;
    place->rid = set->upwards ? first : last;
}

/* A bridge in conflict has only what it alone leads to. */
static bool belongs(const struct set *set, pcv_sbdf sbdf)
    PCV__REQUIRES(set->segment->lock)
{
    return set->slot || set->root->bound ||
           pcv__leads_alone(set->segment, set->root, pcv_sbdf_bus(sbdf));
}

/* What is registered beside the root at or after a place; NULL: nothing more.
 */
static struct pcv_device *next_there(const struct set *set, struct place *place,
                                     pcv_sbdf *out_sbdf)
    PCV__REQUIRES(set->segment->lock)
{
    struct pcv_device *device;
    uint32_t first, last;

    range_of(set, &first, &last);
    if (place->rid < first || place->rid > last) {
        return NULL;
    }
    device = set->upwards ? pcv__segment_next(set->segment, &place->rid, last)
                          : pcv__segment_prev(set->segment, &place->rid, first);
    if (device) {
        *out_sbdf = at_rid(set, place->rid);
        /* There is something below: no bound bridge covers bus 0 (TOPO-2), and
         * function 0 is before a slot's others. */
        place->rid += set->upwards ? 1u : UINT32_MAX;
    }
    return device;
}

static struct pcv_device *next_beside(const struct set *set,
                                      struct place *place, pcv_sbdf *out_sbdf)
    PCV__REQUIRES(set->segment->lock)
{
    struct pcv_device *device;

    /* Bounded: the place moves on. */
    do {
        device = next_there(set, place, out_sbdf);
    } while (device && !belongs(set, *out_sbdf));
    return device;
}

/* The next of them, looked at but not held; NULL: that was all. */
static struct pcv_device *next(const struct set *set, struct place *place,
                               pcv_sbdf *out_sbdf, enum pcv__look *out_look)
    PCV__REQUIRES(set->segment->lock)
{
    struct pcv_device *device = NULL;

    if (place->step == 1) {
        /* Bounded: the place moves on. */
        do {
            device = next_beside(set, place, out_sbdf);
            *out_look = device ? pcv__look(device, *out_sbdf) : PCV__LOOK_GONE;
        } while (device && *out_look == PCV__LOOK_GONE);
    }
    if (!device && place->step != (set->upwards ? 1u : 2u)) {
        place->step++;
        *out_sbdf = pcv__device_sbdf(set->root);
        *out_look = pcv__look(set->root, *out_sbdf);
        return set->root;
    }
    return device;
}

/* ---- looking at all of them ------------------------------------------------
 */

/* Whether somebody holds what goes away with its owner. */
static bool is_used(struct pcv_device *device, enum pcv__set_op op)
{
    struct pcv__mem *mem = &device->host->mem;
    bool is;

    pcv__lock_take(mem, &device->lock);
    is = pcv__has_vfs(device) || (op != PCV__SET_HIDE && device->vectors);
    pcv__lock_drop(mem, &device->lock);
    return is;
}

/* What may be taken only with others that are not of the set is in the way: a
 * VF, and in a slot a bridge. */
static int check_live(const struct set *set, struct pcv_device *device)
    PCV__REQUIRES(set->segment->lock)
{
    int error;

    if (pcv__has_vanished(device) || pcv__set_is_done(device, set->order)) {
        return 0;
    }
    if (device->changing) {
        return -PCV_EBUSY;
    }
    error = set->slot && device->is_bridge ? -PCV_EPERM
                                           : pcv__set_check(device, set->order);
    if (error == 0 && !pcv__is_quarantined(device) &&
        is_used(device, set->order->op)) {
        error = -PCV_EBUSY;
    }
    return error == -PCV_EPERM ? -PCV_EBUSY : error;
}

static int check_all(const struct set *set, pcv_sbdf *out_busy)
    PCV__REQUIRES(set->segment->lock)
{
    struct pcv_device *device;
    struct place place;
    enum pcv__look look;
    int error = 0;

    if (!set->slot &&
        (device = pcv__next_behind(set->segment, set->root, NULL)) != NULL) {
        *out_busy =
            pcv__device_sbdf(device); /* it cannot be reached (TOPO-4) */
        return -PCV_EBUSY;
    }
    begin_walk(set, &place);
    while (error == 0 &&
           (device = next(set, &place, out_busy, &look)) != NULL) {
        error = look == PCV__LOOK_LIVE ? check_live(set, device) : -PCV_EBUSY;
    }
    return error;
}

/* ---- one after the other ---------------------------------------------------
 */

static bool wants(const struct set *set, const struct pcv_device *device,
                  bool undo)
{
    if (pcv__has_vanished(device) || pcv__is_unreachable(device)) {
        return false;
    }
    return undo ? pcv__is_marked(device, PCV__MARK_SUBTREE)
                : !pcv__set_is_done(device, set->order);
}

/* The next that something is to be done to, with a caller's reference. */
static struct pcv_device *hold_next(const struct set *set, struct place *place,
                                    bool undo)
{
    struct pcv__mem *mem = &set->host->mem;
    struct pcv_device *device;
    enum pcv__look look;
    pcv_sbdf sbdf;

    pcv__lock_take(mem, &set->segment->lock);
    do {
        device = next(set, place, &sbdf, &look);
    } while (device &&
             (look != PCV__LOOK_LIVE || !wants(set, device, undo) ||
              !pcv__ref_try(device, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)));
    pcv__lock_drop(mem, &set->segment->lock);
    return device;
}

static void begin_place(const struct set *set, struct place *place)
{
    pcv__lock_take(&set->host->mem, &set->segment->lock);
    begin_walk(set, place);
    pcv__lock_drop(&set->host->mem, &set->segment->lock);
}

/* A walk over all. *out_any: something was done. */
static int walk(struct set *set, bool undo, bool *out_any, pcv_sbdf *out_busy)
{
    struct pcv_device *device;
    struct place place;
    int error = 0;

    *out_any = false;
    begin_place(set, &place);
    while (error == 0 && (device = hold_next(set, &place, undo)) != NULL) {
        *out_busy = pcv__device_sbdf(device);
        if (set->budget == 0) {
            error = -PCV_ERESTART;
        } else {
            set->budget--;
            *out_any = true;
            error =
                undo ? pcv__set_undo(device) : pcv__set_do(device, set->order);
        }
        pcv_device_put(device);
    }
    return error;
}

/* Until a walk finds nothing to do: something may come meanwhile. Bounded by
 * the budget. */
static int walk_all(struct set *set, bool undo, pcv_sbdf *out_busy)
{
    bool any = true;
    int error = 0;

    while (error == 0 && any) {
        error = walk(set, undo, &any, out_busy);
    }
    return error;
}

static void unmark_all(const struct set *set)
{
    struct pcv__mem *mem = &set->host->mem;
    struct pcv_device *device;
    struct place place;
    enum pcv__look look;
    pcv_sbdf sbdf;

    pcv__lock_take(mem, &set->segment->lock);
    begin_walk(set, &place);
    while ((device = next(set, &place, &sbdf, &look)) != NULL) {
        if (look == PCV__LOOK_LIVE) {
            pcv__set_unmark(device);
        }
    }
    pcv__lock_drop(mem, &set->segment->lock);
}

/* ---- the operation ---------------------------------------------------------
 */

/* Whether somebody is at it, or another operation than what is asked for is
 * under way. Revealing ends any. */
static bool is_anothers(const struct pcv__extras *extras, enum pcv__set_op op)
{
    return (extras->subtree & RUNNING) != 0 ||
           (extras->subtree != 0 && op != PCV__SET_REVEAL &&
            (extras->subtree & OP) != (uint32_t)op);
}

/* Whose turn it is at the root. 0: ours, and `fresh` if it is not under way;
 * -PCV_EBUSY: it is another's, or another operation's; -PCV_ENOMEM. */
static int claim_root(const struct set *set, bool *out_fresh)
{
    struct pcv_device *root = set->root;
    struct pcv__extras *extras;
    int error = 0;

    pcv__lock_take(&set->host->mem, &root->lock);
    extras = pcv__extras_get(root);
    if (!extras) {
        error = -PCV_ENOMEM;
    } else if (is_anothers(extras, set->order->op)) {
        error = -PCV_EBUSY;
    } else {
        *out_fresh = extras->subtree == 0;
        /* Whatever was given up half-way is revealed, too. */
        extras->subtree = (uint8_t)(set->order->op == PCV__SET_REVEAL
                                        ? RUNNING | (uint32_t)PCV__SET_REVEAL
                                        : extras->subtree | RUNNING |
                                              (uint32_t)set->order->op);
    }
    pcv__lock_drop(&set->host->mem, &root->lock);
    return error;
}

/* The same among all sets that have functions in common: the one that is under
 * way is noted, and others are looked at by who begins. */
static int claim(const struct set *set, bool *out_fresh, pcv_sbdf *out_busy)
{
    struct pcv__mem *mem = &set->host->mem;
    int error = 0;

    pcv__lock_take(mem, &set->segment->lock);
    if (!pcv__is_noted(set->root, PCV__NOTE_SET)) {
        error = pcv__set_is_apart(set->segment, set->root, set->slot, out_busy);
    }
    if (error == 0) {
        error = claim_root(set, out_fresh);
    }
    if (error == 0) {
        pcv__note(set->root, PCV__NOTE_SET);
    }
    pcv__lock_drop(mem, &set->segment->lock);
    return error;
}

/* What is to be remembered of it until the next call; 0: nothing. */
static void release(const struct set *set, uint32_t state, int error,
                    pcv_sbdf busy)
{
    struct pcv__mem *mem = &set->host->mem;
    struct pcv_device *root = set->root;

    pcv__lock_take(mem, &set->segment->lock);
    pcv__lock_take(mem, &root->lock);
    root->extras->subtree = (uint8_t)state;
    root->extras->subtree_error = error;
    root->extras->subtree_busy = busy.v;
    pcv__lock_drop(mem, &root->lock);
    if (state == 0) {
        pcv__unnote(root, PCV__NOTE_SET);
    }
    pcv__lock_drop(mem, &set->segment->lock);
}

static bool is_undoing(const struct set *set, int *error, pcv_sbdf *busy)
{
    struct pcv_device *root = set->root;
    bool is;

    pcv__lock_take(&set->host->mem, &root->lock);
    is = (root->extras->subtree & UNDOING) != 0;
    if (is) {
        *error = root->extras->subtree_error;
        busy->v = root->extras->subtree_busy;
    }
    pcv__lock_drop(&set->host->mem, &root->lock);
    return is;
}

/* All of it is done: what holds for the whole of it from now on. */
static void complete(const struct set *set)
{
    if (set->slot && set->order->op == PCV__SET_CONCEAL) {
        atomic_fetch_or_explicit(&set->root->marks, PCV__MARK_SLOT,
                                 memory_order_release);
    }
    unmark_all(set);
}

/* Take back what was done. -PCV_ERESTART, or the reason. */
static int undo(struct set *set, int reason, pcv_sbdf why)
{
    pcv_sbdf busy = why;
    int error = walk_all(set, true, &busy);

    if (error == -PCV_ERESTART) {
        release(set, (uint32_t)set->order->op | UNDOING, reason, why);
        return error;
    }
    release(set, 0, 0, why);
    return reason;
}

static int run(struct set *set, pcv_sbdf *out_busy)
{
    pcv_sbdf busy = *out_busy;
    int error = 0;

    if (is_undoing(set, &error, &busy)) {
        *out_busy = busy;
        return undo(set, error, busy);
    }
    error = walk_all(set, false, &busy);
    *out_busy = busy;
    if (error == -PCV_ERESTART) {
        release(set, (uint32_t)set->order->op, 0, busy);
        return error;
    }
    if (error == 0 || set->order->op == PCV__SET_REVEAL) {
        complete(set);
        release(set, 0, 0, busy);
        return error;
    }
    if (error == -PCV_EPERM) {
        error = -PCV_EBUSY; /* a VF came */
    }
    return undo(set, error, busy);
}

static int begin(const struct set *set, pcv_sbdf *out_busy)
{
    struct pcv__mem *mem = &set->host->mem;
    int error = 0;

    pcv__lock_take(mem, &set->segment->lock);
    if (set->order->op != PCV__SET_REVEAL) {
        error = check_all(set, out_busy);
    }
    pcv__lock_drop(mem, &set->segment->lock);
    return error;
}

/* The root, with a reference. -PCV_ENODEV; -PCV_EINVAL: it is none. */
static int find_root(struct pcv_host *host, pcv_sbdf sbdf, bool slot,
                     struct pcv_device **out_root)
{
    struct pcv_device *root = pcv_device_find(host, sbdf);

    if (!root || pcv__has_vanished(root)) {
        pcv_device_put(root);
        return -PCV_ENODEV;
    }
    if (slot ? root->is_bridge || root->is_vf || pcv_sbdf_function(sbdf) != 0
             : !root->is_bridge) {
        pcv_device_put(root);
        return -PCV_EINVAL;
    }
    *out_root = root;
    return 0;
}

int pcv__set_all(struct pcv_host *host, pcv_sbdf root,
                 const struct pcv__order *order, bool slot, pcv_sbdf *out_busy)
{
    struct set set = {.host = host,
                      .order = order,
                      .slot = slot,
                      .upwards = order->op == PCV__SET_REVEAL,
                      .budget = PER_CALL};
    bool fresh = false;
    int error = find_root(host, root, slot, &set.root);

    if (error != 0) {
        return error;
    }
    set.segment = set.root->segment;
    error = claim(&set, &fresh, out_busy);
    if (error == 0 && fresh) {
        error = begin(&set, out_busy);
        if (error != 0) {
            release(&set, 0, 0, root);
        }
    }
    if (error == 0) {
        error = run(&set, out_busy);
    }
    pcv_device_put(set.root);
    return error;
}
