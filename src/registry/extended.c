/* SPDX-License-Identifier: MIT */
/*
 * Extended configuration space: whether a function has it (EXT-1), what the
 * host declared of it (EXT-2), and what the registry needs of the capabilities
 * that stand in it.
 */
#include "registry/barred.h"
#include "registry/identify.h"

#define DSN_LENGTH 0x0cu
#define SRIOV_LENGTH 0x40u
#define ARI_LENGTH 0x08u
#define ACS_LENGTH 0x08u

/* ---- capabilities ----------------------------------------------------------
 */

/* Where they stand; 0: nowhere. The first of a kind counts, and only if it has
 * room for its registers. */
struct ext_caps {
    uint16_t serial, sriov, ari, acs;
};

static void note_cap(uint16_t *where, const struct pcv_cap *cap,
                     uint16_t length)
{
    if (*where == 0 && cap->offset <= PCV_CFG_EXT_SIZE - length) {
        *where = cap->offset;
    }
}

static bool see_ext_cap(void *ctx, const struct pcv_cap *cap)
{
    struct ext_caps *found = ctx;

    switch (cap->id) {
    case PCV_EXT_CAP_ID_DSN:
        note_cap(&found->serial, cap, DSN_LENGTH);
        break;
    case PCV_EXT_CAP_ID_SRIOV:
        note_cap(&found->sriov, cap, SRIOV_LENGTH);
        break;
    case PCV_EXT_CAP_ID_ARI:
        note_cap(&found->ari, cap, ARI_LENGTH);
        break;
    case PCV_EXT_CAP_ID_ACS:
        note_cap(&found->acs, cap, ACS_LENGTH);
        break;
    default:
        break;
    }
    return true;
}

/* Returns PCV_CAP_*. */
static uint32_t find_caps(struct pcv__reader *reader, struct ext_caps *found)
{
    const struct pcv_cap_source source = {pcv__reader_read, reader};

    memset(found, 0, sizeof(*found));
    return pcv__ext_caps_visit(&source, see_ext_cap, found);
}

static uint64_t read_serial(struct pcv__reader *reader,
                            const struct ext_caps *caps)
{
    uint64_t low;

    if (caps->serial == 0) {
        return 0;
    }
    low = pcv__reader_read(reader, (uint16_t)(caps->serial + 4u), 4);
    return low |
           (uint64_t)pcv__reader_read(reader, (uint16_t)(caps->serial + 8u), 4)
               << 32;
}

uint64_t pcv__ext_serial(struct pcv__reader *reader)
{
    struct ext_caps caps;

    (void)find_caps(reader, &caps);
    return read_serial(reader, &caps);
}

void pcv__ext_learn(struct pcv_device *device, struct pcv__reader *reader)
{
    struct ext_caps caps;
    uint32_t problems = find_caps(reader, &caps);
    uint64_t serial = read_serial(reader, &caps);

    if (reader->error != 0) {
        return;
    }
    device->cap_problems |= problems;
    device->sriov_cap = caps.sriov;
    device->ari_cap = caps.ari;
    device->acs_cap = caps.acs;
    if (caps.ari != 0) {
        device->phantom_bits = 0; /* never with ARI (TOPO-5) */
    }
    /* Where it was known before and is another now, the card was replaced
     * meanwhile: what we know stays, so that the next add sees it (LIFE-7). */
    if (!device->id.serial_known) {
        device->id.serial = serial;
        device->id.serial_known = true;
    }
}

/* ---- what was declared -----------------------------------------------------
 */

static bool bit_of(const _Atomic uint32_t *bits, uint8_t bus)
{
    return (atomic_load_explicit(&bits[bus / 32u], memory_order_acquire) >>
                (bus % 32u) &
            1u) != 0;
}

bool pcv__ecam_declared(const struct pcv__segment *segment, uint8_t bus)
{
    return bit_of(segment->ecam_declared, bus);
}

static void set_bit(_Atomic uint32_t *bits, uint8_t bus, bool on)
{
    uint32_t bit = 1u << (bus % 32u);

    if (on) {
        atomic_fetch_or_explicit(&bits[bus / 32u], bit, memory_order_acq_rel);
    } else {
        atomic_fetch_and_explicit(&bits[bus / 32u], ~bit, memory_order_acq_rel);
    }
}

void pcv__ecam_declare(struct pcv__segment *segment,
                       const struct pcv__ecam *ecam)
{
    for (uint32_t bus = ecam->first; bus <= ecam->last; bus++) {
        set_bit(segment->ecam_usable, (uint8_t)bus, ecam->usable);
        set_bit(segment->ecam_declared, (uint8_t)bus, true);
    }
}

static bool is_usable(struct pcv_host *host, pcv_sbdf sbdf,
                      const struct pcv__ecam *planned)
{
    const struct pcv__mem *mem = &host->mem;
    uint16_t number = pcv_sbdf_segment(sbdf);
    uint8_t bus = pcv_sbdf_bus(sbdf);
    const struct pcv__segment *segment;

    if (planned && planned->first <= bus && bus <= planned->last) {
        return planned->usable;
    }
    segment = pcv__segment_find(host, number);
    if (segment && pcv__ecam_declared(segment, bus)) {
        return bit_of(segment->ecam_usable, bus);
    }
    return mem->ops.ecam_usable &&
           mem->ops.ecam_usable(mem->ctx, number, bus) == 1;
}

bool pcv__ecam_reaches(struct pcv_host *host, pcv_sbdf sbdf)
{
    return is_usable(host, sbdf, NULL);
}

/* ---- who has it ------------------------------------------------------------
 */

static bool is_extended(const struct pcv_device *device)
{
    return pcv__is_extended(device);
}

static uint8_t plan_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->ext_plan, memory_order_acquire);
}

bool pcv__ext_expected(struct pcv_device *device,
                       const struct pcv__ecam *planned)
{
    struct pcv__mem *mem = &device->host->mem;
    uint8_t plan;
    bool extended;

    /* A rebuild changes both under the lock. */
    pcv__lock_take(mem, &device->lock);
    plan = plan_of(device);
    extended = is_extended(device);
    pcv__lock_drop(mem, &device->lock);
    if (planned && (plan & PCV__EXT_PROBED) != 0) {
        return (plan & PCV__EXT_VERDICT) != 0;
    }
    return (plan & PCV__EXT_PENDING) != 0 ? !extended : extended;
}

bool pcv__ext_moves(const struct pcv_device *device)
{
    uint8_t plan = plan_of(device);

    if ((plan & PCV__EXT_PENDING) != 0) {
        return true;
    }
    return (plan & PCV__EXT_PROBED) != 0 &&
           ((plan & PCV__EXT_VERDICT) != 0) != is_extended(device);
}

/* Ports of PCI Express carry every register number, whether they have extended
 * space of their own or not. */
static bool is_port(const struct pcv_device *bridge)
{
    return bridge->type == PCV_TYPE_ROOT_PORT ||
           bridge->type == PCV_TYPE_UPSTREAM_PORT ||
           bridge->type == PCV_TYPE_DOWNSTREAM_PORT;
}

/* Conventional buses carry no extended register number, those of PCI-X 266 and
 * 533 do (EXT-1). */
static bool forwards(struct pcv_device *bridge, const struct pcv__ecam *planned)
{
    return is_port(bridge) ||
           (pcv__ext_expected(bridge, planned) &&
            (bridge->type != PCV_TYPE_PCIE_TO_PCI_BRIDGE || bridge->pcix));
}

/* The bridge above a bus, with a caller's reference, or NULL. False: there is
 * none, the bus is the root complex's. *bus becomes the bridge's own. */
static bool next_up(struct pcv_host *host, uint16_t segment, uint8_t *bus,
                    struct pcv_device **out_bridge)
{
    pcv_sbdf up;

    if (pcv_topology_upstream(host, segment, *bus, &up) != 0) {
        return false;
    }
    *bus = pcv_sbdf_bus(up);
    *out_bridge = pcv_device_find(host, up);
    return true;
}

static bool path_forwards(struct pcv_host *host, pcv_sbdf sbdf,
                          const struct pcv__ecam *planned)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);
    struct pcv_device *bridge;
    bool all = true;

    /* Bounded: pcv_topology_upstream() answers only with a lower bus. */
    while (all && next_up(host, pcv_sbdf_segment(sbdf), &bus, &bridge)) {
        all = bridge && forwards(bridge, planned);
        pcv_device_put(bridge);
    }
    return all;
}

bool pcv__ext_path_moves(struct pcv_host *host, pcv_sbdf sbdf)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);
    struct pcv_device *bridge;
    bool any = false;

    /* Bounded: as above. */
    while (!any && next_up(host, pcv_sbdf_segment(sbdf), &bus, &bridge)) {
        any = bridge && !is_port(bridge) && pcv__ext_moves(bridge);
        pcv_device_put(bridge);
    }
    return any;
}

bool pcv__ext_possible(struct pcv_device *device, struct pcv_device *pf,
                       const struct pcv__ecam *planned)
{
    struct pcv_host *host = device->host;
    pcv_sbdf sbdf = pcv__device_sbdf(device);

    if (pf) {
        return pcv__ext_expected(pf, planned) && is_usable(host, sbdf, planned);
    }
    return (device->pcie_cap != 0 || device->pcix ||
            pcv__is_host_bridge(&device->id)) &&
           is_usable(host, sbdf, planned) && path_forwards(host, sbdf, planned);
}

/* Some devices decode only eight bits of the register number: then each 256
 * bytes are the first ones again. */
static bool is_aliased(struct pcv__reader *reader, uint32_t ids)
{
    for (uint16_t reg = PCV_CFG_SIZE; reg < PCV_CFG_EXT_SIZE;
         reg += PCV_CFG_SIZE) {
        if (pcv__reader_read(reader, reg, 4) != ids) {
            return false;
        }
    }
    return true;
}

enum pcv__ext_answer pcv__ext_probe(struct pcv__reader *reader)
{
    uint32_t ids = pcv__reader_read(reader, PCV_REG_VENDOR, 4);

    if (!pcv__ids_answer(ids)) {
        return PCV__EXT_SILENT;
    }
    if (pcv__reader_read(reader, PCV_EXT_CAP_START, 4) == 0xffffffffu ||
        is_aliased(reader, ids)) {
        return PCV__EXT_ABSENT;
    }
    return PCV__EXT_PRESENT;
}
