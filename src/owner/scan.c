/* SPDX-License-Identifier: MIT */
/*
 * Finding every function (TOPO-8). Buses are looked at in ascending order, so
 * that the bridge above a bus is known before the bus is. Every loop is bounded
 * by the numbers there are, whatever devices answer.
 */
#include "owner/internal.h"
#include "registry/route.h"

static void failed(struct pcv_scan *scan, pcv_sbdf sbdf, int error)
{
    if (scan->failed++ == 0) {
        scan->first_error = error;
        scan->first_failed = sbdf;
    }
}

/* Add what answers. Returns the device with a reference, or NULL. */
static struct pcv_device *try_add(struct pcv_host *host, struct pcv_scan *scan,
                                  pcv_sbdf sbdf,
                                  const struct pcv_add_info *info)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    int error;

    if (device) {
        return device;
    }
    /* Most addresses are empty: they cost one read. A VF's IDs tell nothing. */
    if (!info && pcv__probe(host, sbdf) == -PCV_ENODEV) {
        return NULL;
    }
    error = pcv_device_add(host, sbdf, info);
    /* Bounded by the pages of the function's BARs. */
    while (error == -PCV_ERESTART) {
        error = pcv_device_add(host, sbdf, info);
    }
    if (error == 0) {
        scan->found++;
        return pcv_device_find(host, sbdf);
    }
    if (error != -PCV_ENODEV && error != -PCV_EEXIST) { /* concealed */
        failed(scan, sbdf, error);
    }
    return NULL;
}

static bool is_vf_of(const struct pcv_device *device, pcv_sbdf pf)
{
    return device->is_vf && pcv__physfn(device).v == pf.v;
}

/* Where a PF says that its VFs are; none if it is no PF. The rest of what is
 * kept of them is not the device's lock's. */
static struct pcv__vfs vfs_of(struct pcv_device *pf)
{
    struct pcv__vfs vfs;

    memset(&vfs, 0, sizeof(vfs));
    pcv__lock_take(&pf->host->mem, &pf->lock);
    if (pf->vfs) {
        vfs.count = pf->vfs->count;
        vfs.offset = pf->vfs->offset;
        vfs.stride = pf->vfs->stride;
    }
    pcv__lock_drop(&pf->host->mem, &pf->lock);
    return vfs;
}

/* VFs come from their PF's capability; their vendor ID reads all ones. A PF
 * that claims what is another's, or a bus where its VFs cannot be, is believed
 * no further. */
static void add_vfs(struct pcv_host *host, struct pcv_scan *scan,
                    struct pcv_device *pf)
{
    const struct pcv__vfs vfs = vfs_of(pf);
    pcv_sbdf sbdf = pcv__device_sbdf(pf);
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = sbdf};
    uint32_t rid = pcv__rid(sbdf);
    uint32_t silent = 0;

    if (vfs.count == 0 || vfs.offset == 0 ||
        (vfs.count > 1 && vfs.stride == 0)) {
        return;
    }
    rid += vfs.offset;
    /* Bounded: at most 65,535 of them, and within the segment. */
    for (uint32_t i = 0; i < vfs.count && rid <= 0xffffu; i++) {
        const pcv_sbdf at = {(sbdf.v & 0xffff0000u) | rid};
        struct pcv_device *vf = NULL;
        bool believed = pcv__may_have_vfs_of(pf, pcv_sbdf_bus(at));

        if (believed) {
            vf = try_add(host, scan, at, &info);
            silent += vf == NULL;
            believed = vf ? is_vf_of(vf, sbdf) : silent < PCV__SILENT_VFS_MAX;
        }
        pcv_device_put(vf);
        if (!believed) {
            return;
        }
        rid += vfs.stride;
    }
}

/* The VFs of all PFs of a bus, once its bridges are known. */
static void scan_vfs(struct pcv_host *host, struct pcv_scan *scan,
                     uint16_t number, uint8_t bus)
{
    struct pcv__segment *segment = pcv__segment_find(host, number);
    uint32_t rid = (uint32_t)bus << 8;
    const uint32_t last = rid | 0xffu;

    /* Bounded: rid goes up. */
    while (segment && pcv__segment_next(segment, &rid, last)) {
        struct pcv_device *device =
            pcv_device_find(host, pcv_sbdf_make(number, bus, (uint8_t)rid));

        if (device) {
            add_vfs(host, scan, device);
        }
        pcv_device_put(device);
        rid++;
    }
}

/* Functions 1 to 7 of a device whose function 0 says that there are others. */
static void scan_functions(struct pcv_host *host, struct pcv_scan *scan,
                           pcv_sbdf function0)
{
    for (uint32_t fn = 1; fn < PCV_FUNCTIONS; fn++) {
        const pcv_sbdf sbdf = {function0.v | fn};

        pcv_device_put(try_add(host, scan, sbdf, NULL));
    }
}

/* With ARI each function names the next; the numbers must grow. */
static void scan_ari(struct pcv_host *host, struct pcv_scan *scan,
                     struct pcv_device *function0)
{
    pcv_sbdf base = pcv__device_sbdf(function0);
    struct pcv_device *device = function0;
    uint32_t number = 0;

    /* Bounded: number grows and has 8 bits. */
    while (device && device->ari_cap) {
        uint32_t next =
            pcv__hw_read(device, (uint16_t)(device->ari_cap + PCV_ARI_CAP),
                         2) >>
            8;
        pcv_sbdf sbdf = {(base.v & ~0xffu) | next};

        if (next <= number) {
            break;
        }
        if (device != function0) {
            pcv_device_put(device);
        }
        number = next;
        device = try_add(host, scan, sbdf, NULL);
    }
    if (device != function0) {
        pcv_device_put(device);
    }
}

static void scan_slot(struct pcv_host *host, struct pcv_scan *scan,
                      pcv_sbdf function0, struct pcv_device *above)
{
    struct pcv_device *device = try_add(host, scan, function0, NULL);

    if (!device) {
        return;
    }
    if (above && device->ari_cap && pcv__forwards_ari(above)) {
        scan_ari(host, scan, device);
    } else if ((device->id.header_type & PCV_HEADER_MULTI) != 0) {
        scan_functions(host, scan, function0);
    }
    pcv_device_put(device);
}

/* The port above a bus, if it is one behind which only device 0 can be. */
static struct pcv_device *port_above(struct pcv_host *host, uint16_t segment,
                                     uint8_t bus)
{
    struct pcv_device *device = pcv__bridge_above(host, segment, bus);

    if (device && pcv__is_link_port(device)) {
        return device;
    }
    pcv_device_put(device);
    return NULL;
}

/* Bus numbers may be moving. */
static bool leads_straight_to(struct pcv_device *port, uint8_t bus)
{
    struct pcv__mem *mem = &port->host->mem;
    bool is;

    pcv__lock_take(mem, &port->segment->lock);
    is = port->secondary == bus;
    pcv__lock_drop(mem, &port->segment->lock);
    return is;
}

static void scan_bus(struct pcv_host *host, struct pcv_scan *scan,
                     uint16_t segment, uint8_t bus)
{
    struct pcv_device *port = port_above(host, segment, bus);
    uint32_t slots = port ? 1 : PCV_SLOTS;

    /* Behind a port's secondary bus lies one link. Further buses of its range
     * that no bridge claims can hold only VFs. */
    if (port && !leads_straight_to(port, bus)) {
        slots = 0;
    }
    for (uint32_t slot = 0; slot < slots; slot++) {
        scan_slot(host, scan,
                  pcv_sbdf_make(segment, bus, pcv_devfn((uint8_t)slot, 0)),
                  port);
    }
    scan_vfs(host, scan, segment, bus);
    pcv_device_put(port);
}

int pcv_host_scan(struct pcv_host *host, struct pcv_scan *scan, uint32_t budget)
{
    const struct pcv__mem *mem;
    struct pcv_segment_info info;
    uint32_t looked = 0;

    if (!host || !scan) {
        return -PCV_EINVAL;
    }
    mem = &host->mem;
    while (scan->segment_index <= PCV__SEGMENT_RUNS_MAX) {
        int error = mem->ops.segment(mem->ctx, scan->segment_index, &info);
        uint32_t bus;

        if (error != 0) {
            return error == -PCV_ENOENT ? 0 : -PCV_EIO;
        }
        bus = info.bus_first + scan->bus;
        if (bus > info.bus_last) {
            scan->segment_index++;
            scan->bus = 0;
            continue;
        }
        if (budget != 0 && looked == budget) {
            return -PCV_ERESTART;
        }
        scan_bus(host, scan, info.segment, (uint8_t)bus);
        scan->bus++;
        looked++;
    }
    return 0;
}
