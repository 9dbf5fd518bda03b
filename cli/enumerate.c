/* SPDX-License-Identifier: MIT */
/*
 * The enumerator: the walk over buses and devices as an operating system does
 * it (PCI Local Bus 3.0, 3.2.2.3; PCI Express Base 6.0,
 * 7.3.1 and 7.8.7).
 */
#include "enumerate.h"

#include <stdlib.h>
#include <string.h>

#include "enumerate_internal.h"
#include "text.h"

/* So many VFs of one PF may be silent before it is believed no further. */
#define SILENT_VFS_MAX 256u

/* ---- functions ----------------------------------------------------------- */

/* Vendor and device of somebody: all ones or zeros in both, or all ones where
 * the vendor stands, come from boards without anybody in a slot. */
static bool somebody(uint32_t ids)
{
    return ids != UINT32_MAX && ids != 0 && ids != 0x0000ffff &&
           ids != 0xffff0000;
}

/* False if it was found before. */
static bool found_mark(struct enumerate_walk *walk, pcv_sbdf sbdf)
{
    uint32_t *word = &walk->found[(sbdf.v & 0xffffu) / 32];
    uint32_t bit = UINT32_C(1) << (sbdf.v % 32);

    if ((*word & bit) != 0) {
        return false;
    }
    *word |= bit;
    return true;
}

static struct enumerate_function *function_add(struct enumeration *result,
                                               pcv_sbdf sbdf)
{
    result->function = memory_grow(result->function, result->count,
                                   &result->room, sizeof(*result->function));
    struct enumerate_function *fn = &result->function[result->count++];
    memset(fn, 0, sizeof(*fn));
    fn->sbdf = sbdf;
    return fn;
}

/* The function at an address, or NULL; it stays there until the next one. */
static struct enumerate_function *function_look(struct enumerate_walk *walk,
                                                uint8_t bus, uint8_t devfn)
{
    pcv_sbdf sbdf = pcv_sbdf_make(walk->segment, bus, devfn);
    uint32_t ids = enumerate_read(walk, sbdf, PCV_REG_VENDOR, 4);

    if (!somebody(ids) || !found_mark(walk, sbdf)) {
        return NULL;
    }
    struct enumerate_function *fn = function_add(walk->result, sbdf);
    fn->vendor = (uint16_t)ids;
    fn->device = (uint16_t)(ids >> 16);
    enumerate_function_read(walk, fn);
    return fn;
}

/* With ARI each function names the next. Bounded: the number grows and has 8
 * bits. */
static void ari_walk(struct enumerate_walk *walk, uint8_t bus,
                     struct enumerate_function *fn)
{
    uint32_t number = 0;

    while (fn != NULL && fn->ari_cap != 0) {
        uint32_t next =
            enumerate_read(walk, fn->sbdf,
                           (uint16_t)(fn->ari_cap + PCV_ARI_CAP), 2) >>
            8;
        if (next <= number) {
            fn->problems |= next != 0 ? ENUMERATE_ARI : 0;
            return;
        }
        number = next;
        fn = function_look(walk, bus, (uint8_t)next);
    }
}

static void device_walk(struct enumerate_walk *walk, uint8_t bus,
                        uint8_t device)
{
    struct enumerate_function *fn =
        function_look(walk, bus, pcv_devfn(device, 0));

    if (fn == NULL) {
        return;
    }
    if (walk->bus[bus].ari && fn->ari_cap != 0) {
        ari_walk(walk, bus, fn);
    } else if ((fn->header_type & PCV_HEADER_MULTI) != 0) {
        for (uint8_t i = 1; i < PCV_FUNCTIONS; i++) {
            (void)function_look(walk, bus, pcv_devfn(device, i));
        }
    }
}

/* A VF has its PF's vendor, the device ID that its PF says, and its part of
 * the PF's VF BARs. False if nobody is there. */
static bool vf_look(struct enumerate_walk *walk, size_t pf_index, pcv_sbdf sbdf,
                    uint32_t number)
{
    /* Its IDs read all ones by design; its class doesn't. */
    if (enumerate_read(walk, sbdf, PCV_REG_REVISION, 4) == UINT32_MAX ||
        !found_mark(walk, sbdf)) {
        return false;
    }
    struct enumerate_function *vf = function_add(walk->result, sbdf);
    const struct enumerate_function *pf = &walk->result->function[pf_index];
    vf->is_vf = true;
    vf->physfn = pf->sbdf;
    vf->vendor = pf->vendor;
    vf->device = pf->vf_device;
    for (unsigned i = 0; i < ENUMERATE_VF_BARS; i++) {
        vf->bar[i] = pf->vf_bar[i];
        vf->bar[i].address += number * vf->bar[i].size;
    }
    enumerate_function_read(walk, vf);
    return true;
}

/* Whether VFs of a PF on one bus can be on another: no bridge is between. */
static bool vf_bus(const struct enumerate_walk *walk, uint32_t own,
                   uint32_t bus)
{
    return walk->bus[bus].served &&
           walk->bus[bus].above == walk->bus[own].above;
}

/* VFs stand where the PF's capability computes them, on its bus or the next
 * ones that the bridge above covers. Bounded: 65,535, and one segment. */
static void vfs_walk(struct enumerate_walk *walk, size_t pf_index)
{
    struct enumerate_function *pf = &walk->result->function[pf_index];
    const uint32_t count = pf->num_vfs;
    const uint32_t stride = pf->vf_stride;
    const uint32_t own = pf->sbdf.v & 0xffffu;
    const uint32_t last = walk->bus[own >> 8].last;
    uint32_t rid = own + pf->vf_offset;
    uint32_t silent = 0;

    if (count == 0) {
        return;
    }
    bool good = pf->vf_offset != 0 && (count == 1 || stride != 0);
    for (uint32_t i = 0; good && i < count; i++, rid += stride) {
        pcv_sbdf at = {(uint32_t)walk->segment << 16 | (rid & 0xffffu)};
        if (rid >> 8 > last || !vf_bus(walk, own >> 8, rid >> 8)) {
            good = false;
        } else if (!vf_look(walk, pf_index, at, i)) {
            good = ++silent < SILENT_VFS_MAX;
        }
    }
    if (!good || silent != 0) {
        walk->result->function[pf_index].problems |= ENUMERATE_VFS;
    }
}

/* ---- buses --------------------------------------------------------------- */

static bool is_port(const struct enumerate_function *fn)
{
    return fn->pcie_cap != 0 && (fn->pcie_type == PCV_PCIE_TYPE_ROOT_PORT ||
                                 fn->pcie_type == PCV_PCIE_TYPE_DOWNSTREAM);
}

static bool forwards_ari(struct enumerate_walk *walk,
                         const struct enumerate_function *port)
{
    uint16_t reg = (uint16_t)(port->pcie_cap + PCV_PCIE_DEVCTL2);
    uint32_t flags = enumerate_read(
        walk, port->sbdf, (uint16_t)(port->pcie_cap + PCV_PCIE_FLAGS), 2);

    if ((flags & PCV_PCIE_FLAGS_VERSION) < 2 || reg > PCV_CFG_SIZE - 2) {
        return false; /* it has no such register */
    }
    return (enumerate_read(walk, port->sbdf, reg, 2) & PCV_PCIE_DEVCTL2_ARI) !=
           0;
}

static void bus_queue(struct enumerate_walk *walk, uint8_t number, uint8_t last)
{
    walk->bus[number].queued = true;
    walk->bus[number].last = last;
    walk->queue[walk->queued++] = number; /* bounded: each bus once */
}

/* Whether a bridge's range is free: inside that of the bridge above, and of
 * nobody else. */
static bool range_free(const struct enumerate_walk *walk, uint8_t bus,
                       const struct enumerate_function *bridge)
{
    for (unsigned i = bridge->secondary; i <= bridge->subordinate; i++) {
        if (walk->bus[i].above != walk->bus[bus].above || walk->bus[i].queued) {
            return false;
        }
    }
    return true;
}

/* What is behind a bridge is looked at later; its bus numbers are taken as
 * they are, and only if they can be right. */
static void bridge_follow(struct enumerate_walk *walk, uint8_t bus, size_t at)
{
    struct enumerate_function *fn = &walk->result->function[at];

    if (fn->secondary == 0 && fn->subordinate == 0) {
        return; /* nobody gave it any */
    }
    if (fn->secondary <= bus || fn->subordinate < fn->secondary ||
        fn->subordinate > walk->bus[bus].last) {
        fn->problems |= ENUMERATE_BUSES;
        return;
    }
    if (!range_free(walk, bus, fn)) {
        fn->problems |= ENUMERATE_BUSES_TAKEN;
        return;
    }
    for (unsigned i = fn->secondary; i <= fn->subordinate; i++) {
        walk->bus[i].above = fn->secondary;
    }
    struct enumerate_bus *below = &walk->bus[fn->secondary];
    if (below->served) {
        below->link = is_port(fn);
        below->ari = below->link && forwards_ari(walk, fn);
        bus_queue(walk, fn->secondary, fn->subordinate);
    }
}

static void bus_walk(struct enumerate_walk *walk, uint8_t number)
{
    const struct enumeration *result = walk->result;
    size_t first = result->count;
    uint8_t devices = walk->bus[number].link ? 1 : PCV_SLOTS;

    for (uint8_t device = 0; device < devices; device++) {
        device_walk(walk, number, device);
    }
    size_t end = result->count; /* VFs come behind, and need no look */
    for (size_t i = first; i < end; i++) {
        if ((result->function[i].header_type & PCV_HEADER_TYPE_MASK) == 1) {
            bridge_follow(walk, number, i);
        }
    }
    for (size_t i = first; i < end; i++) {
        vfs_walk(walk, i);
    }
}

/* A root bus and all that its bridges lead to. */
static void root_walk(struct enumerate_walk *walk, uint8_t root)
{
    unsigned last = root;

    while (last + 1 < PCV_BUSES && walk->bus[last + 1].served) {
        last++;
    }
    walk->queued = 0;
    bus_queue(walk, root, (uint8_t)last);
    for (size_t i = 0; i < walk->queued; i++) {
        bus_walk(walk, walk->queue[i]);
    }
}

/* ---- segments ------------------------------------------------------------ */

static void segment_walk(struct enumerate_walk *walk)
{
    const struct enumerate_plan *plan = walk->plan;

    for (unsigned i = 0; i < PCV_BUSES; i++) {
        walk->bus[i].above = ENUMERATE_ROOT;
    }
    for (size_t w = 0; w < plan->windows; w++) {
        const struct enumerate_window *window = &plan->window[w];
        unsigned bus = window->bus_first;
        for (; window->segment == walk->segment && bus <= window->bus_last;
             bus++) {
            walk->bus[bus].served = true;
            walk->bus[bus].base =
                window->base + ((uint64_t)(bus - window->bus_first) << 20);
        }
    }
    if (plan->one_root) {
        if (walk->bus[plan->root].served) {
            root_walk(walk, plan->root);
        }
        return;
    }
    /* The first bus is a root bus. Others are those that no bridge leads to. */
    for (unsigned bus = 0; bus < PCV_BUSES; bus++) {
        if (walk->bus[bus].served && !walk->bus[bus].queued &&
            walk->bus[bus].above == ENUMERATE_ROOT) {
            root_walk(walk, (uint8_t)bus);
        }
    }
}

static int function_compare(const void *a, const void *b)
{
    const struct enumerate_function *x = a;
    const struct enumerate_function *y = b;
    return x->sbdf.v < y->sbdf.v ? -1 : x->sbdf.v > y->sbdf.v;
}

static void result_sort(struct enumeration *result)
{
    if (result->count == 0) {
        return;
    }
    qsort(result->function, result->count, sizeof(*result->function),
          function_compare);
    result->buses = 1;
    for (size_t i = 1; i < result->count; i++) {
        result->buses += result->function[i].sbdf.v >> 8 !=
                         result->function[i - 1].sbdf.v >> 8;
    }
}

/* Whether an earlier window is of the same segment. */
static bool segment_done(const struct enumerate_plan *plan, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (plan->window[i].segment == plan->window[index].segment) {
            return true;
        }
    }
    return false;
}

void enumerate_run(const struct enumerate_plan *plan,
                   struct enumeration *out_enumeration)
{
    struct enumerate_walk *walk = memory_zero(1, sizeof(*walk));

    memset(out_enumeration, 0, sizeof(*out_enumeration));
    for (size_t i = 0; i < plan->windows; i++) {
        if (!segment_done(plan, i)) {
            memset(walk, 0, sizeof(*walk));
            walk->plan = plan;
            walk->result = out_enumeration;
            walk->segment = plan->window[i].segment;
            segment_walk(walk);
        }
    }
    free(walk);
    result_sort(out_enumeration);
}

void enumerate_fini(struct enumeration *enumeration)
{
    free(enumeration->function);
    free(enumeration->cap);
    memset(enumeration, 0, sizeof(*enumeration));
}

const struct enumerate_function *enumerate_find(
    const struct enumeration *enumeration, pcv_sbdf sbdf)
{
    struct enumerate_function key = {.sbdf = sbdf};
    return enumeration->count == 0
               ? NULL
               : bsearch(&key, enumeration->function, enumeration->count,
                         sizeof(key), function_compare);
}
