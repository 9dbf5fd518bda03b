/* SPDX-License-Identifier: MIT */
/* What can be asked of a device and of many. */
#include "registry/requester.h"

static void copy_bars(struct pcv_device *device, struct pcv_device_info *out)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        const struct pcv__bar *bar = &device->bar[i];

        out->bar[i].address = bar->address;
        out->bar[i].size = pcv__bar_size(bar);
        out->bar[i].kind = bar->kind;
        out->bar[i].flags = bar->flags;
    }
}

void pcv_device_get_info(struct pcv_device *device,
                         struct pcv_device_info *out_info)
{
    struct pcv__mem *mem = &device->host->mem;

    memset(out_info, 0, sizeof(*out_info));
    out_info->sbdf = pcv__device_sbdf(device);
    out_info->type = device->type;
    out_info->vendor = device->id.vendor;
    out_info->device = device->id.device;
    out_info->subsystem_vendor = device->id.subsystem_vendor;
    out_info->subsystem = device->id.subsystem;
    out_info->class_code = device->id.class_code;
    out_info->revision = device->id.revision;
    out_info->header_type = device->id.header_type;
    out_info->node = atomic_load_explicit(&device->node, memory_order_relaxed);
    out_info->vanished = pcv__has_vanished(device);
    out_info->unreachable = pcv__is_unreachable(device);
    out_info->overridden = pcv__is_marked(device, PCV__MARK_OVERRIDE);
    out_info->read_only =
        (device->id.header_type & PCV_HEADER_TYPE_MASK) > 1 ||
        atomic_load_explicit(&device->read_only, memory_order_relaxed) ||
        pcv__is_marked(device, PCV__MARK_READ_ONLY);
    out_info->hidden = pcv__is_marked(device, PCV__MARK_HIDDEN);
    out_info->concealed = pcv__is_marked(device, PCV__MARK_CONCEALED);
    out_info->is_vf = device->is_vf;
    out_info->physfn = pcv__physfn(device);
    out_info->pcie_cap = device->pcie_cap;
    out_info->is_bridge = device->is_bridge;

    pcv__lock_take(mem, &device->segment->lock);
    out_info->owner_id =
        atomic_load_explicit(&device->owner, memory_order_acquire)->id;
    out_info->bus_conflict = device->bus_conflict;
    out_info->secondary = device->secondary;
    out_info->subordinate = device->subordinate;
    pcv__lock_drop(mem, &device->segment->lock);

    pcv__lock_take(mem, &device->lock);
    /* What extended space told changes with it, as one (EXT-3). */
    out_info->extended = pcv__is_extended(device);
    out_info->serial = device->id.serial;
    out_info->cap_problems = device->cap_problems;
    out_info->phantom_bits = pcv__phantom_on(device);
    out_info->num_vfs = device->vfs ? device->vfs->count : 0;
    copy_bars(device, out_info);
    pcv__lock_drop(mem, &device->lock);
}

static enum pcv_device_state state_of(uint64_t word)
{
    if ((word & PCV__WORD_LEAVING) != 0 || (word & PCV__WORD_COUNTS) == 0) {
        return PCV_STATE_LEAVING;
    }
    return (word & PCV__WORD_NEW) != 0 ? PCV_STATE_ADDING : PCV_STATE_PRESENT;
}

static uint64_t counter(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/* Accesses that entered are reads but for the writes and those that were not
 * performed. While others are counting, the sum may be out by some. */
static void copy_counters(const struct pcv_device *device, uint64_t word,
                          struct pcv_device_counters *out)
{
    uint64_t entered = counter(&device->entered) + pcv__word_tally(word);
    uint64_t stores = counter(&device->stores) + counter(&device->passes);
    uint64_t others = stores + counter(&device->no_read);

    out->reads = entered > others ? entered - others : 0;
    out->writes = stores;
    out->refused = counter(&device->refused);
}

/* All of it comes from one reading of the word. */
static void copy_status(const struct pcv_device *device,
                        struct pcv_device_status *out)
{
    uint64_t word = pcv__word(device);

    out->owner_id =
        atomic_load_explicit(&device->owner, memory_order_acquire)->id;
    out->vanished = pcv__has_vanished(device);
    copy_counters(device, word, &out->counters);
    out->broken = pcv__is_marked(device, PCV__MARK_BROKEN);
    out->remove_waits = pcv__is_marked(device, PCV__MARK_REMOVE);
    out->group_waits = pcv__is_noted(device, PCV__NOTE_WAITS);
    out->change_step =
        atomic_load_explicit(&device->change_step, memory_order_relaxed);
    out->change_error = -(int32_t)atomic_load_explicit(&device->change_error,
                                                       memory_order_relaxed);
    out->state = state_of(word);
    for (uint32_t i = 0; i < PCV_HOLDERS; i++) {
        out->held[i] = pcv__holder_count(word, (enum pcv_holder)i);
    }
}

/* Nothing stands at an address; perhaps something did that is kept. */
static void kept_status(struct pcv_host *host, pcv_sbdf sbdf,
                        struct pcv_device_status *out)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    const struct pcv_device *device;

    memset(out, 0, sizeof(*out));
    if (!segment ||
        atomic_load_explicit(&segment->kept_count, memory_order_acquire) == 0) {
        return;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    device = pcv__kept_at(segment, sbdf);
    if (device) {
        copy_status(device, out);
        if (out->state == PCV_STATE_PRESENT) {
            out->state = PCV_STATE_UNREACHABLE;
        }
    }
    pcv__lock_drop(&host->mem, &segment->lock);
}

/* A slot that was recycled between the look-up and the reading shows another
 * address: then nothing stands at this one any more. */
int pcv_device_status(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device_status *out_status)
{
    struct pcv_device *device;

    if (!host || !out_status) {
        return -PCV_EINVAL;
    }
    device = pcv__table_peek(host, sbdf);
    if (device) {
        copy_status(device, out_status);
    }
    if (!device || pcv__device_sbdf(device).v != sbdf.v ||
        pcv__table_peek(host, sbdf) != device) {
        kept_status(host, sbdf, out_status);
    }
    return 0;
}

int pcv_device_nodes(struct pcv_host *host, const pcv_sbdf *sbdfs, size_t count,
                     uint32_t *out_nodes)
{
    if (!host || (count != 0 && (!sbdfs || !out_nodes))) {
        return -PCV_EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        struct pcv_device *device = pcv_device_find(host, sbdfs[i]);

        out_nodes[i] =
            device ? atomic_load_explicit(&device->node, memory_order_relaxed)
                   : PCV_NODE_UNKNOWN_DEVICE;
        pcv_device_put(device);
    }
    return 0;
}
