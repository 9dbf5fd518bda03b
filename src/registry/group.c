/* SPDX-License-Identifier: MIT */
/*
 * Isolation groups (TOPO-6): from a function up to its root bus, the group is
 * the last that could not be kept apart on the way. Everything here is found
 * again for each question: nothing is remembered that a bridge which is added,
 * removed or renumbered could make false.
 *
 * Who reaches whom without the IOMMU (PCI Express Base 6.0, 6.12):
 *   - Behind a bridge that has a conventional bus on a side, all are one.
 *   - A root port whose ACS does not redirect may send requests from below back
 *     down; the same of a port of a switch down to all its other ports.
 *   - Functions of one device, unless the ACS of each redirects.
 *   - A VF is apart from all functions of its device.
 */
#include "registry/group.h"
#include "registry/requester.h"
#include "registry/route.h"

#define PORT_ACS                                                               \
    (PCV_ACS_SOURCE | PCV_ACS_REDIRECT | PCV_ACS_COMPLETION | PCV_ACS_UPSTREAM)
#define FUNCTION_ACS (PCV_ACS_REDIRECT | PCV_ACS_COMPLETION)

/* One question: what was found so far, and the host's error. */
struct finding {
    struct pcv_host *host;
    struct pcv_group_part part;
    int error;
};

/* ---- ACS -------------------------------------------------------------------
 */

/* Under the lock: a failure of the host is told on behalf of the owner, which
 * may be a guest that ends. */
static bool fetch(struct pcv_device *device, uint16_t reg, uint32_t *out_value)
{
    struct pcv__mem *mem = &device->host->mem;
    bool done;

    pcv__lock_take(mem, &device->segment->lock);
    done = pcv__hw_fetch(device, reg, 4, out_value);
    pcv__lock_drop(mem, &device->segment->lock);
    return done;
}

/* Whether a function's ACS has these bits on. Of those in `optional` a function
 * has only what it has something to control for (6.12.1). What does not answer,
 * or has no such capability, isolates nothing. */
static bool acs_has(struct finding *f, struct pcv_device *device,
                    uint32_t needed, uint32_t optional)
{
    uint16_t at = device->acs_cap;
    uint32_t both;

    if (at == 0) {
        return false;
    }
    if (!fetch(device, (uint16_t)(at + PCV_ACS_CAP), &both)) {
        f->error = -PCV_EIO;
        return false;
    }
    needed |= optional & both;
    return both != 0xffffffffu && (both >> 16 & needed) == needed;
}

/* Whether what comes from below a port goes on to the root. */
static bool port_isolates(struct finding *f, struct pcv_device *port)
{
    if (pcv__is_marked(port, PCV__MARK_ISOLATED)) {
        return true;
    }
    return port->type == PCV_TYPE_DOWNSTREAM_PORT
               ? acs_has(f, port, PORT_ACS, 0)
               : acs_has(f, port, PCV_ACS_SOURCE, PORT_ACS);
}

/* Whether a function of a device with several reaches none of the others. */
static bool function_isolates(struct finding *f, struct pcv_device *device)
{
    return pcv__is_link_port(device) ? port_isolates(f, device)
                                     : acs_has(f, device, 0, FUNCTION_ACS);
}

/* ---- one device, one switch ------------------------------------------------
 */

/* Functions `first` to `last` of the bus: those of one device. Behind a link
 * there is only one, with ARI it has all numbers. */
static void set_device(struct finding *f, struct pcv_group_part *part,
                       pcv_sbdf sbdf)
{
    struct pcv_device *above =
        pcv__bridge_above(f->host, pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf));
    bool link = above && pcv__is_link_port(above);

    pcv_device_put(above);
    part->at = sbdf;
    part->kind = PCV__PART_DEVICE;
    part->first = link ? 0 : pcv_sbdf_devfn(sbdf) & 0xf8u;
    part->last = link ? 0xffu : pcv_sbdf_devfn(sbdf) | 7u;
}

/* Whether all functions of a bus from `first` to `last` that are of some kind
 * isolate; *out_count: how many there are. */
typedef bool kind_fn(struct pcv_device *device);
typedef bool isolates_fn(struct finding *f, struct pcv_device *device);

static bool all_isolate(struct finding *f, const struct pcv_group_part *part,
                        kind_fn *counts, isolates_fn *isolates,
                        uint32_t *out_count)
{
    struct pcv__segment *segment =
        pcv__segment_find(f->host, pcv_sbdf_segment(part->at));
    uint32_t base = pcv__rid(part->at) & ~0xffu;
    bool all = true;

    *out_count = 0;
    /* At most 256: rid goes up. */
    for (uint32_t rid = base | part->first;
         pcv__segment_next(segment, &rid, base | part->last); rid++) {
        struct pcv_device *device = pcv_device_find(
            f->host,
            pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid));

        if (device && counts(device)) {
            *out_count += 1;
            all = all && isolates(f, device);
        }
        pcv_device_put(device);
    }
    return all;
}

static bool counts_in_device(struct pcv_device *device)
{
    return !device->is_vf && !pcv__is_bystander(device) &&
           !pcv__stands_alone(device);
}

static bool counts_in_switch(struct pcv_device *device)
{
    return device->type == PCV_TYPE_DOWNSTREAM_PORT;
}

/* A device whose functions reach each other is one. */
static void look_at_device(struct finding *f, pcv_sbdf sbdf)
{
    struct pcv_group_part part;
    uint32_t count;

    set_device(f, &part, sbdf);
    if (!all_isolate(f, &part, counts_in_device, function_isolates, &count) &&
        count > 1) {
        f->part = part;
    }
}

/* Whether some port of the switch whose inner bus this is leads down to the
 * others. */
static bool switch_isolates(struct finding *f, pcv_sbdf on_bus)
{
    struct pcv_group_part bus = {.at = on_bus, .first = 0, .last = 0xffu};
    uint32_t count;

    return all_isolate(f, &bus, counts_in_switch, port_isolates, &count);
}

static void set_tree(struct finding *f, pcv_sbdf bridge)
{
    f->part = (struct pcv_group_part){.at = bridge, .kind = PCV__PART_TREE};
}

/* ---- the way up ------------------------------------------------------------
 */

/* A port that does not isolate: all behind it, and behind its switch. */
static void look_at_port(struct finding *f, struct pcv_device *port)
{
    pcv_sbdf sbdf = pcv__device_sbdf(port);
    pcv_sbdf up;

    if (port->type == PCV_TYPE_ROOT_PORT) {
        if (!port_isolates(f, port)) {
            set_tree(f, sbdf);
        }
    } else if (!switch_isolates(f, sbdf)) {
        bool inside = pcv_topology_upstream(f->host, pcv_sbdf_segment(sbdf),
                                            pcv_sbdf_bus(sbdf), &up) == 0;

        set_tree(f, inside ? up : sbdf);
    }
}

/* One bridge on the way, or where it begins. */
static void look_at_bridge(struct finding *f, struct pcv_device *bridge)
{
    if (pcv__bridge_joins(bridge)) {
        set_tree(f, pcv__device_sbdf(bridge));
    } else if (pcv__is_link_port(bridge)) {
        look_at_port(f, bridge);
    }
    look_at_device(f, pcv__device_sbdf(bridge));
}

/* An upstream port belongs to what is behind it if that is one. */
static void look_below(struct finding *f, struct pcv_device *upstream)
{
    uint32_t first, last;

    if (pcv__behind(upstream, &first, &last)) {
        pcv_sbdf inner =
            pcv_sbdf_make(upstream->segment->number, (uint8_t)(first >> 8), 0);

        if (!switch_isolates(f, inner)) {
            set_tree(f, pcv__device_sbdf(upstream));
        }
    }
}

static void look_at_itself(struct finding *f, struct pcv_device *device)
{
    pcv_sbdf sbdf = pcv__device_sbdf(device);

    f->part = (struct pcv_group_part){.at = sbdf, .kind = PCV__PART_FUNCTION};
    if (device->type == PCV_TYPE_UPSTREAM_PORT) {
        look_below(f, device);
    }
    if (device->is_bridge) {
        look_at_bridge(f, device);
    } else if (!device->is_vf && !pcv__is_bystander(device)) {
        look_at_device(f, sbdf);
    }
}

/* -PCV_ERESTART: a bridge is going. */
static int look_up(struct finding *f, pcv_sbdf sbdf)
{
    pcv_sbdf up;

    /* Bounded: pcv_topology_upstream() answers only with a lower bus. */
    while (pcv_topology_upstream(f->host, pcv_sbdf_segment(sbdf),
                                 pcv_sbdf_bus(sbdf), &up) == 0) {
        struct pcv_device *bridge = pcv_device_find(f->host, up);

        if (!bridge) {
            return -PCV_ERESTART;
        }
        look_at_bridge(f, bridge);
        pcv_device_put(bridge);
        sbdf = up;
    }
    return f->error;
}

/* The part that a function is in. */
static int find_part(struct pcv_device *device, struct pcv_group_part *out_part)
{
    struct finding f = {.host = device->host};
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    int error = 0;

    if (pcv__stands_alone(device)) {
        f.part =
            (struct pcv_group_part){.at = sbdf, .kind = PCV__PART_FUNCTION};
    } else {
        look_at_itself(&f, device);
        error = look_up(&f, sbdf);
    }
    if (error == 0) {
        *out_part = f.part;
    }
    return error;
}

/* ---- requester IDs that were named -----------------------------------------
 */

static bool has(const struct pcv_group *group, struct pcv_device *device)
{
    bool is = false;

    for (uint32_t i = 0; i < group->parts && !is; i++) {
        is = pcv__part_has(group->host, &group->part[i], device);
    }
    return is;
}

/* Its part comes to the group. Where there is no room for it, all of the
 * segment is taken as one. */
static int join(struct pcv_group *group, struct pcv_device *device)
{
    struct pcv_group_part part;
    int error = find_part(device, &part);

    if (error != 0) {
        return error;
    }
    if (group->parts == PCV_GROUP_PARTS) {
        part.kind = PCV__PART_SEGMENT;
        group->parts = 0;
    }
    group->part[group->parts++] = part;
    return 0;
}

/* One walk over the users of a requester ID: whether the group has one of
 * them, or those come to it that it has not. 1: there was one; or an error. */
static int walk_users(struct pcv_group *group, pcv_sbdf id, bool joins)
{
    pcv_sbdf from = {0};
    pcv_sbdf user;
    int result = 0;

    /* Bounded: `from` goes up. */
    while (result >= 0 && !(result == 1 && !joins) &&
           pcv_requester_next_user(group->host, id, from, &user)) {
        struct pcv_device *device = pcv_device_find(group->host, user);
        bool member = device && has(group, device);

        if (device && member != joins) {
            int error = joins ? join(group, device) : 0;

            result = error != 0 ? error : 1;
        }
        pcv_device_put(device);
        from.v = user.v + 1u;
        if (pcv__rid(from) == 0) {
            break;
        }
    }
    return result;
}

/* The IOMMU cannot tell apart who shares a requester ID. */
static int join_named(struct pcv_group *group, struct pcv__segment *segment)
{
    bool again = true;

    /* Each turn but the last makes the group larger: as often as parts fit,
     * and once more for the segment, which has everybody. */
    for (uint32_t turn = 0; again && turn <= PCV_GROUP_PARTS + 1u; turn++) {
        pcv_sbdf id;

        again = false;
        for (uint32_t i = 0; pcv__requester_named_next(segment, i, &id); i++) {
            int result = walk_users(group, id, false);

            if (result == 1) {
                result = walk_users(group, id, true);
                again = again || result == 1;
            }
            if (result < 0) {
                return result;
            }
        }
    }
    return 0;
}

static int find(struct pcv_device *device, struct pcv_group *out_group)
{
    uint32_t moves = pcv__moves(device->segment);
    struct pcv_group group;
    int error;

    memset(&group, 0, sizeof(group));
    group.host = device->host;
    error = join(&group, device);
    if (error == 0) {
        error = join_named(&group, device->segment);
    }
    if (moves % 2u != 0 || moves != pcv__moves(device->segment)) {
        return -PCV_ERESTART;
    }
    if (error == 0) {
        *out_group = group;
    }
    return error;
}

int pcv_group_find(struct pcv_host *host, pcv_sbdf sbdf,
                   struct pcv_group *out_group)
{
    struct pcv_device *device;
    int error;

    if (!host || !out_group) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    error = find(device, out_group);
    pcv_device_put(device);
    return error;
}

bool pcv_group_next(const struct pcv_group *group, pcv_sbdf from,
                    struct pcv_group_member *out_member)
{
    pcv_sbdf start = pcv_sbdf_make(pcv_sbdf_segment(group->part[0].at), 0, 0);
    struct pcv_device *best = NULL;

    if (from.v < start.v) {
        from = start;
    }
    if (from.v - start.v > 0xffffu) {
        return false; /* behind the segment */
    }
    for (uint32_t i = 0; i < group->parts; i++) {
        struct pcv_device *device =
            pcv__part_next(group->host, &group->part[i], pcv__rid(from));
        bool first = device && (!best || pcv__device_sbdf(device).v <
                                             pcv__device_sbdf(best).v);

        pcv_device_put(first ? best : device);
        best = first ? device : best;
    }
    if (!best) {
        return false;
    }
    pcv__lock_take(&best->host->mem, &best->segment->lock); /* the owner's id */
    *out_member = (struct pcv_group_member){
        .sbdf = pcv__device_sbdf(best),
        .owner_id =
            atomic_load_explicit(&best->owner, memory_order_acquire)->id,
        .is_bridge = best->is_bridge,
        .is_vf = best->is_vf,
        .declared = pcv__is_marked(best, PCV__MARK_ISOLATED),
    };
    pcv__lock_drop(&best->host->mem, &best->segment->lock);
    pcv_device_put(best);
    return true;
}

int pcv_device_declare_isolated(struct pcv_host *host, pcv_sbdf sbdf,
                                bool isolated)
{
    struct pcv_device *device;
    int error = 0;

    if (!host) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    if (!isolated) {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_ISOLATED,
                                  memory_order_acq_rel);
    } else if (pcv__bridge_joins(device) || pcv__is_joined(host, sbdf)) {
        error = -PCV_EPERM;
    } else {
        atomic_fetch_or_explicit(&device->marks, PCV__MARK_ISOLATED,
                                 memory_order_acq_rel);
    }
    pcv_device_put(device);
    return error;
}
