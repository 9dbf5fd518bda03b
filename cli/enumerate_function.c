/* SPDX-License-Identifier: MIT */
/*
 * The enumerator: what a function says of itself. Nothing of it is believed
 * further than its registers reach.
 */
#include <string.h>

#include "enumerate_internal.h"
#include "text.h"

#define CAP_FIRST 0x40u
#define HEADER_CARDBUS 2u
#define CARDBUS_CAPS 0x14u
#define RANGE_64                                                               \
    1u /* low bits of a window's registers: it has upper halves                \
        */

/* Lengths of the capabilities that are looked into, bytes. */
#define PCIX_LENGTH 8u
#define PCIE_LENGTH 4u
#define SUBSYSTEM_LENGTH 8u
#define ARI_LENGTH 8u
#define SRIOV_LENGTH 0x40u

static void cap_add(struct enumeration *result, struct enumerate_function *fn,
                    uint16_t offset, uint16_t id, bool extended)
{
    result->cap = memory_grow(result->cap, result->caps, &result->caps_room,
                              sizeof(*result->cap));
    result->cap[result->caps++] = (struct enumerate_cap){
        .offset = offset, .id = id, .extended = extended};
    fn->caps++;
}

static void cap_note(struct enumerate_function *fn, uint16_t offset,
                     uint16_t id)
{
    uint8_t *to = NULL;
    unsigned length = 0;

    if (id == PCV_CAP_ID_PCIE) {
        to = &fn->pcie_cap;
        length = PCIE_LENGTH;
    } else if (id == PCV_CAP_ID_PCIX) {
        to = &fn->pcix_cap;
        length = PCIX_LENGTH;
    } else if (id == PCV_CAP_ID_SSVID) {
        to = &fn->subsystem_cap;
        length = SUBSYSTEM_LENGTH;
    }
    if (to != NULL && *to == 0 && offset <= PCV_CFG_SIZE - length) {
        *to = (uint8_t)offset;
    }
}

static void caps_walk(struct enumerate_walk *walk,
                      struct enumerate_function *fn)
{
    uint64_t seen = 0; /* one bit a dword of the first 256 bytes */
    uint32_t status = enumerate_read(walk, fn->sbdf, PCV_REG_STATUS, 2);
    uint8_t header = fn->header_type & PCV_HEADER_TYPE_MASK;
    uint16_t head = header == HEADER_CARDBUS ? CARDBUS_CAPS : PCV_REG_CAPS;

    if (status == 0xffff || (status & PCV_STATUS_CAPS) == 0) {
        return;
    }
    uint32_t next = enumerate_read(walk, fn->sbdf, head, 1);
    /* Bounded: each round marks another of 64 dwords, or ends. */
    while ((next & 0xfc) != 0) {
        fn->problems |= (next & 3) != 0 ? ENUMERATE_CAP_MISALIGNED : 0;
        next &= 0xfc;
        if (next < CAP_FIRST || (seen >> (next / 4) & 1) != 0) {
            fn->problems |=
                next < CAP_FIRST ? ENUMERATE_CAP_LOW : ENUMERATE_CAP_LOOP;
            return;
        }
        seen |= UINT64_C(1) << (next / 4);
        uint32_t cap = enumerate_read(walk, fn->sbdf, (uint16_t)next, 2);
        if (cap == 0xffff) {
            fn->problems |= ENUMERATE_CAP_ALL_ONES;
            return;
        }
        cap_add(walk->result, fn, (uint16_t)next, (uint16_t)(cap & 0xff),
                false);
        cap_note(fn, (uint16_t)next, (uint16_t)(cap & 0xff));
        next = cap >> 8;
    }
    fn->problems |= next != 0 ? ENUMERATE_CAP_MISALIGNED : 0;
}

static void ext_cap_note(struct enumerate_function *fn, uint16_t offset,
                         uint16_t id)
{
    if (id == PCV_EXT_CAP_ID_ARI && fn->ari_cap == 0 &&
        offset <= PCV_CFG_EXT_SIZE - ARI_LENGTH) {
        fn->ari_cap = offset;
    } else if (id == PCV_EXT_CAP_ID_SRIOV && fn->sriov_cap == 0 &&
               offset <= PCV_CFG_EXT_SIZE - SRIOV_LENGTH) {
        fn->sriov_cap = offset;
    }
}

static void ext_caps_walk(struct enumerate_walk *walk,
                          struct enumerate_function *fn)
{
    uint32_t seen[PCV_CFG_EXT_SIZE / 4 / 32] = {0}; /* one bit a dword */
    uint32_t next = PCV_EXT_CAP_START;

    /* Bounded: each round marks another of 960 dwords, or ends. */
    while ((next & 0xffc) != 0) {
        fn->problems |= (next & 3) != 0 ? ENUMERATE_CAP_MISALIGNED : 0;
        next &= 0xffc;
        if (next < PCV_EXT_CAP_START ||
            (seen[next / 128] >> (next / 4 % 32) & 1) != 0) {
            fn->problems |= next < PCV_EXT_CAP_START ? ENUMERATE_CAP_LOW
                                                     : ENUMERATE_CAP_LOOP;
            return;
        }
        seen[next / 128] |= UINT32_C(1) << (next / 4 % 32);
        uint32_t cap = enumerate_read(walk, fn->sbdf, (uint16_t)next, 4);
        if (cap == 0 || (cap == UINT32_MAX && next == PCV_EXT_CAP_START)) {
            return; /* there is no list, or it has ended */
        }
        if (cap == UINT32_MAX) {
            fn->problems |= ENUMERATE_CAP_ALL_ONES;
            return;
        }
        cap_add(walk->result, fn, (uint16_t)next, (uint16_t)cap, true);
        ext_cap_note(fn, (uint16_t)next, (uint16_t)cap);
        next = cap >> 20;
    }
    fn->problems |= next != 0 ? ENUMERATE_CAP_MISALIGNED : 0;
}

/* PCI Express, fast PCI-X and host bridges can have more than 256 bytes. */
static bool may_be_extended(struct enumerate_walk *walk,
                            const struct enumerate_function *fn)
{
    if (!walk->plan->extended) {
        return false;
    }
    if (fn->pcie_cap != 0 || fn->class_code >> 8 == PCV_CLASS_BRIDGE_HOST) {
        return true;
    }
    return fn->pcix_cap != 0 &&
           (enumerate_read(walk, fn->sbdf,
                           (uint16_t)(fn->pcix_cap + PCV_PCIX_STATUS), 4) &
            (PCV_PCIX_STATUS_266 | PCV_PCIX_STATUS_533)) != 0;
}

static void caps_read(struct enumerate_walk *walk,
                      struct enumerate_function *fn)
{
    fn->cap = walk->result->caps;
    caps_walk(walk, fn);
    if (fn->pcie_cap != 0) {
        uint32_t flags = enumerate_read(
            walk, fn->sbdf, (uint16_t)(fn->pcie_cap + PCV_PCIE_FLAGS), 2);
        fn->pcie_type = flags >> PCV_PCIE_FLAGS_TYPE_SHIFT & 0xf;
    }
    if (may_be_extended(walk, fn)) {
        ext_caps_walk(walk, fn);
    }
}

static const struct enumerate_range nothing = {1, 0};

static struct enumerate_range range_io(struct enumerate_walk *walk,
                                       pcv_sbdf sbdf)
{
    uint32_t low = enumerate_read(walk, sbdf, PCV_REG_IO_BASE, 2);
    struct enumerate_range range = {(low & 0xf0) << 8,
                                    (low >> 8 & 0xf0) << 8 | 0xfff};

    if (low == 0 || low == 0xffff) {
        return nothing; /* it has no such registers */
    }
    if ((low & 0xf) == RANGE_64) {
        uint32_t high = enumerate_read(walk, sbdf, PCV_REG_IO_BASE_HI, 4);
        range.base |= (uint64_t)(high & 0xffff) << 16;
        range.limit |= (uint64_t)(high >> 16) << 16;
    }
    return range;
}

/* Memory, or prefetchable memory, whose registers may have upper halves. */
static struct enumerate_range range_memory(struct enumerate_walk *walk,
                                           pcv_sbdf sbdf, uint16_t reg)
{
    uint32_t low = enumerate_read(walk, sbdf, reg, 4);
    struct enumerate_range range = {(low & 0xfff0) << 16,
                                    (low & 0xfff00000) | 0xfffff};

    if (low == 0 || low == UINT32_MAX) {
        return nothing;
    }
    if (reg == PCV_REG_PREF_BASE && (low & 0xf) == RANGE_64) {
        range.base |=
            (uint64_t)enumerate_read(walk, sbdf, PCV_REG_PREF_BASE_HI, 4) << 32;
        range.limit |=
            (uint64_t)enumerate_read(walk, sbdf, PCV_REG_PREF_LIMIT_HI, 4)
            << 32;
    }
    return range;
}

static void bridge_read(struct enumerate_walk *walk,
                        struct enumerate_function *fn)
{
    uint32_t numbers = enumerate_read(walk, fn->sbdf, PCV_REG_PRIMARY, 4);

    fn->primary = (uint8_t)numbers;
    fn->secondary = (uint8_t)(numbers >> 8);
    fn->subordinate = (uint8_t)(numbers >> 16);
    fn->io = range_io(walk, fn->sbdf);
    fn->memory = range_memory(walk, fn->sbdf, PCV_REG_MEM_BASE);
    fn->prefetch = range_memory(walk, fn->sbdf, PCV_REG_PREF_BASE);
}

static void subsystem_read(struct enumerate_walk *walk,
                           struct enumerate_function *fn)
{
    uint8_t header = fn->header_type & PCV_HEADER_TYPE_MASK;
    uint16_t reg = PCV_REG_SUBSYSTEM_VENDOR;

    if (header == 1 && fn->subsystem_cap != 0) {
        reg = (uint16_t)(fn->subsystem_cap + 4);
    } else if (header != 0) {
        return;
    }
    uint32_t value = enumerate_read(walk, fn->sbdf, reg, 4);
    fn->subsystem_vendor = (uint16_t)value;
    fn->subsystem = (uint16_t)(value >> 16);
}

static void sriov_read(struct enumerate_walk *walk,
                       struct enumerate_function *pf)
{
    uint16_t cap = pf->sriov_cap;
    uint32_t control =
        enumerate_read(walk, pf->sbdf, (uint16_t)(cap + PCV_SRIOV_CTRL), 2);
    uint32_t totals = enumerate_read(
        walk, pf->sbdf, (uint16_t)(cap + PCV_SRIOV_INITIAL_VFS), 4);

    if (control == 0xffff) {
        return;
    }
    pf->total_vfs = (uint16_t)(totals >> 16);
    if ((control & PCV_SRIOV_CTRL_VFE) != 0) {
        pf->num_vfs = (uint16_t)enumerate_read(
            walk, pf->sbdf, (uint16_t)(cap + PCV_SRIOV_NUM_VFS), 2);
    }
    uint32_t where =
        enumerate_read(walk, pf->sbdf, (uint16_t)(cap + PCV_SRIOV_OFFSET), 4);
    pf->vf_offset = (uint16_t)where;
    pf->vf_stride = (uint16_t)(where >> 16);
    pf->vf_device = (uint16_t)enumerate_read(
        walk, pf->sbdf, (uint16_t)(cap + PCV_SRIOV_VF_DEVICE), 2);
    enumerate_vf_bars_read(walk, pf);
}

void enumerate_function_read(struct enumerate_walk *walk,
                             struct enumerate_function *fn)
{
    uint32_t class = enumerate_read(walk, fn->sbdf, PCV_REG_REVISION, 4);

    fn->revision = (uint8_t) class;
    fn->class_code = class >> 8;
    fn->header_type =
        (uint8_t)enumerate_read(walk, fn->sbdf, PCV_REG_HEADER_TYPE, 1);
    fn->io = fn->memory = fn->prefetch = nothing;
    caps_read(walk, fn);
    subsystem_read(walk, fn);
    if (fn->is_vf) {
        return; /* it has neither BARs nor VFs of its own */
    }
    enumerate_bars_read(walk, fn);
    if ((fn->header_type & PCV_HEADER_TYPE_MASK) == 1) {
        bridge_read(walk, fn);
    }
    if (fn->sriov_cap != 0) {
        sriov_read(walk, fn);
    }
}
