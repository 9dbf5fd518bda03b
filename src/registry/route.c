/* SPDX-License-Identifier: MIT */
/*
 * Where hardware leads a configuration access (LIFE-12, TOPO-2): the host's
 * runs of buses, the bridge above a bus, and which functions can be behind it.
 */
#include "registry/route.h"
#include "registry/barred.h"

int pcv__bus_run(struct pcv_host *host, pcv_sbdf sbdf,
                 struct pcv_segment_info *out_run)
{
    const struct pcv__mem *mem = &host->mem;
    uint8_t bus = pcv_sbdf_bus(sbdf);

    /* Bounded by the host's own list, and by us. */
    for (uint32_t i = 0; i <= PCV__SEGMENT_RUNS_MAX; i++) {
        struct pcv_segment_info run;
        int error = mem->ops.segment(mem->ctx, i, &run);

        if (error != 0) {
            return error == -PCV_ENOENT ? -PCV_EINVAL : -PCV_EIO;
        }
        if (run.segment == pcv_sbdf_segment(sbdf) && run.bus_first <= bus &&
            bus <= run.bus_last) {
            *out_run = run;
            return 0;
        }
    }
    return -PCV_EINVAL;
}

bool pcv__is_link_port(const struct pcv_device *device)
{
    return device->type == PCV_TYPE_ROOT_PORT ||
           device->type == PCV_TYPE_DOWNSTREAM_PORT;
}

struct pcv_device *pcv__bridge_above(struct pcv_host *host, uint16_t segment,
                                     uint8_t bus)
{
    pcv_sbdf up;

    if (pcv_topology_upstream(host, segment, bus, &up) != 0) {
        return NULL;
    }
    return pcv_device_find(host, up);
}

bool pcv__bus_is_reset(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *bridge;
    bool is;

    if (atomic_load_explicit(&host->bus_reset_count, memory_order_acquire) ==
        0) {
        return false;
    }
    bridge =
        pcv__bridge_above(host, pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf));
    is = bridge && pcv__is_noted(bridge, PCV__NOTE_BUS_RESET);
    pcv_device_put(bridge);
    return is;
}

bool pcv__forwards_ari(struct pcv_device *port)
{
    uint16_t reg = (uint16_t)(port->pcie_cap + PCV_PCIE_DEVCTL2);
    uint32_t flags =
        pcv__hw_read(port, (uint16_t)(port->pcie_cap + PCV_PCIE_FLAGS), 2);

    if ((flags & PCV_PCIE_FLAGS_VERSION) < 2 || reg > PCV_CFG_SIZE - 2u) {
        return false;
    }
    return (pcv__hw_read(port, reg, 2) & PCV_PCIE_DEVCTL2_ARI) != 0;
}

/* Whether every bridge from a bus up to a root is there and covers it. *last
 * becomes the topmost bus. */
static bool path_stands(struct pcv_host *host, uint16_t segment, uint8_t *last)
{
    /* Bounded: bus numbers go down on the way up. */
    for (;;) {
        struct pcv_device *bridge;
        pcv_sbdf up;
        bool stands;
        int error = pcv_topology_upstream(host, segment, *last, &up);

        if (error != 0) {
            return error == -PCV_ENOENT;
        }
        bridge = pcv_device_find(host, up);
        stands = bridge && bridge->is_bridge && !pcv__has_vanished(bridge);
        pcv_device_put(bridge);
        if (!stands) {
            return false;
        }
        *last = pcv_sbdf_bus(up);
    }
}

static bool is_concealed(struct pcv_host *host, pcv_sbdf sbdf, uint32_t marks)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    bool is =
        device && (atomic_load_explicit(&device->marks, memory_order_acquire) &
                   marks) == marks;

    pcv_device_put(device);
    return is;
}

bool pcv__is_concealed_place(struct pcv_host *host, pcv_sbdf sbdf,
                             pcv_sbdf *out_by)
{
    const pcv_sbdf first = {sbdf.v & ~7u};
    pcv_sbdf at = sbdf;

    if (atomic_load_explicit(&host->concealed_count, memory_order_acquire) ==
        0) {
        return false;
    }
    if (first.v != sbdf.v &&
        is_concealed(host, first, PCV__MARK_CONCEALED | PCV__MARK_SLOT)) {
        at = first;
    }
    /* Bounded: each step goes to a lower bus number. */
    while (at.v == sbdf.v || !is_concealed(host, at, PCV__MARK_CONCEALED)) {
        if (pcv_topology_upstream(host, pcv_sbdf_segment(at), pcv_sbdf_bus(at),
                                  &at) != 0) {
            return false;
        }
    }
    if (out_by) {
        *out_by = at;
    }
    return true;
}

/* Whether a bus that no bridge covers is a root bus: the first of its run is;
 * runs may hold the buses of several host bridges, and where something is
 * registered already hardware leads there. */
static bool is_root(struct pcv_host *host, const struct pcv_segment_info *run,
                    uint8_t bus)
{
    pcv_sbdf first = pcv_sbdf_make(run->segment, bus, 0);
    struct pcv_device *device;
    bool found;

    if (bus == run->bus_first) {
        return true;
    }
    device = pcv_device_next(host, first);
    found = device && (pcv__device_sbdf(device).v ^ first.v) < PCV_DEVFNS;
    pcv_device_put(device);
    return found;
}

/* Whether a bus is the other side of a bridge, which is the one above it. Buses
 * of its range that no bridge claims have nothing that answers. */
static bool leads_to(struct pcv_device *bridge, uint8_t bus)
{
    struct pcv__mem *mem = &bridge->host->mem;
    bool leads;

    pcv__lock_take(mem, &bridge->segment->lock);
    leads = bridge->bound && bridge->secondary == bus;
    pcv__lock_drop(mem, &bridge->segment->lock);
    return leads;
}

/* Whether function 0 of a device is registered; what it says of others. */
static bool function0(struct pcv_host *host, pcv_sbdf sbdf, bool *out_multi,
                      bool *out_ari)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);

    if (!device) {
        return false;
    }
    *out_multi = (device->id.header_type & PCV_HEADER_MULTI) != 0;
    *out_ari = pcv__knows_ari(device);
    pcv_device_put(device);
    return true;
}

/*
 * Functions beside the first are where that one says so: a device that has but
 * one may answer for all eight. Behind a link there is one device, and it has
 * all numbers if both ends know of ARI; other device numbers may come back as
 * the same device.
 */
static bool function_may_be(struct pcv_host *host, pcv_sbdf sbdf,
                            struct pcv_device *bridge)
{
    bool link = bridge && pcv__is_link_port(bridge);
    bool multi = false;
    bool ari = false;
    pcv_sbdf first = {sbdf.v & ~(link ? 0xffu : 7u)};

    if (first.v == sbdf.v) {
        return true;
    }
    if (!function0(host, first, &multi, &ari)) {
        return false;
    }
    if (link && ari && pcv__forwards_ari(bridge)) {
        return true;
    }
    return multi && (sbdf.v & ~7u) == first.v;
}

int pcv__route(struct pcv_host *host, pcv_sbdf sbdf)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);
    uint8_t root = bus;
    struct pcv_segment_info run;
    struct pcv_device *bridge;
    bool reached;
    int error = pcv__bus_run(host, sbdf, &run);

    if (error != 0) {
        return error == -PCV_EINVAL ? 0 : error;
    }
    if (pcv__is_concealed_place(host, sbdf, NULL)) {
        return 0;
    }
    if (!path_stands(host, run.segment, &root) || !is_root(host, &run, root)) {
        return 0;
    }
    bridge = pcv__bridge_above(host, run.segment, bus);
    reached = (bridge ? leads_to(bridge, bus) : root == bus) &&
              function_may_be(host, sbdf, bridge);
    pcv_device_put(bridge);
    return reached ? 1 : 0;
}
