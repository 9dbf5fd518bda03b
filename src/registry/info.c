/* SPDX-License-Identifier: MIT */
/* What can be asked of a device and of many. */
#include "registry/internal.h"

static void copy_bars(struct pcv_device *device, struct pcv_device_info *out)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        const struct pcv__bar *bar = &device->bar[i];

        out->bar[i].address = bar->address;
        out->bar[i].size = bar->size;
        out->bar[i].kind = bar->kind;
        out->bar[i].flags = bar->flags;
    }
}

void pcv_device_get_info(struct pcv_device *device, struct pcv_device_info *out)
{
    struct pcv__mem *mem = &device->host->mem;

    memset(out, 0, sizeof(*out));
    out->sbdf = pcv__device_sbdf(device);
    out->type = device->type;
    out->vendor = device->id.vendor;
    out->device = device->id.device;
    out->subsystem_vendor = device->id.subsystem_vendor;
    out->subsystem = device->id.subsystem;
    out->class_code = device->id.class_code;
    out->revision = device->id.revision;
    out->header_type = device->id.header_type;
    out->serial = device->id.serial;
    out->node = atomic_load_explicit(&device->node, memory_order_relaxed);
    out->owner_id =
        atomic_load_explicit(&device->owner, memory_order_acquire)->id;
    out->extended =
        atomic_load_explicit(&device->extended, memory_order_relaxed);
    out->vanished =
        atomic_load_explicit(&device->vanished, memory_order_acquire);
    out->read_only = (device->id.header_type & PCV_HEADER_TYPE_MASK) > 1;
    out->is_vf = device->is_vf;
    out->physfn = device->physfn;
    out->cap_problems = device->cap_problems;
    out->pcie_cap = device->pcie_cap;
    out->phantom_bits = device->phantom_bits;
    out->is_bridge = device->is_bridge;

    pcv__lock_take(mem, &device->segment->lock);
    out->bus_conflict = device->bus_conflict;
    out->secondary = device->secondary;
    out->subordinate = device->subordinate;
    pcv__lock_drop(mem, &device->segment->lock);

    pcv__lock_take(mem, &device->lock);
    out->num_vfs = device->vfs ? device->vfs->count : 0;
    copy_bars(device, out);
    pcv__lock_drop(mem, &device->lock);
}

/* All of a status comes from one reading of the word. A slot that was recycled
 * between the look-up and the reading shows another address: then nothing
 * stands at this one any more. */
int pcv_device_status(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device_status *out)
{
    struct pcv_device *device;
    const struct pcv_domain *owner;
    uint64_t word;

    if (!host || !out) {
        return -PCV_EINVAL;
    }
    memset(out, 0, sizeof(*out));
    device = pcv__table_peek(host, sbdf);
    if (!device) {
        return 0;
    }
    word = pcv__word(device);
    owner = atomic_load_explicit(&device->owner, memory_order_acquire);
    out->vanished =
        atomic_load_explicit(&device->vanished, memory_order_acquire);
    out->counters.reads =
        atomic_load_explicit(&device->reads, memory_order_relaxed);
    out->counters.writes =
        atomic_load_explicit(&device->writes, memory_order_relaxed);
    out->counters.refused =
        atomic_load_explicit(&device->refused, memory_order_relaxed);
    if (pcv__device_sbdf(device).v != sbdf.v || (word & PCV__WORD_NEW) != 0 ||
        pcv__table_peek(host, sbdf) != device) {
        memset(out, 0, sizeof(*out));
        return 0;
    }
    out->state =
        (word & PCV__WORD_LEAVING) != 0 || (word & PCV__WORD_COUNTS) == 0
            ? PCV_STATE_LEAVING
            : PCV_STATE_PRESENT;
    for (uint32_t i = 0; i < PCV_HOLDERS; i++) {
        out->held[i] = pcv__holder_count(word, (enum pcv_holder)i);
    }
    out->owner_id = owner->id;
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
