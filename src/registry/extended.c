/* SPDX-License-Identifier: MIT */
/*
 * Extended configuration space: whether a function has it (EXT-1), and where
 * the capabilities stand in it that the registry needs.
 */
#include "registry/identify.h"

#define DSN_LENGTH 0x0cu
#define SRIOV_LENGTH 0x40u
#define ARI_LENGTH 0x08u

static void note_cap(uint16_t *where, const struct pcv_cap *cap,
                     uint16_t length)
{
    if (*where == 0 && cap->offset <= PCV_CFG_EXT_SIZE - length) {
        *where = cap->offset;
    }
}

static bool see_ext_cap(void *ctx, const struct pcv_cap *cap)
{
    struct pcv__ext_caps *found = ctx;

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
    default:
        break;
    }
    return true;
}

uint32_t pcv__ext_caps_find(struct pcv__reader *reader,
                            struct pcv__ext_caps *out_found)
{
    const struct pcv_cap_source source = {pcv__reader_read, reader};

    memset(out_found, 0, sizeof(*out_found));
    return pcv__ext_caps_visit(&source, see_ext_cap, out_found);
}

uint64_t pcv__ext_serial(struct pcv__reader *reader,
                         const struct pcv__ext_caps *caps)
{
    if (caps->serial == 0) {
        return 0;
    }
    return pcv__reader_read(reader, (uint16_t)(caps->serial + 4u), 4) |
           (uint64_t)pcv__reader_read(reader, (uint16_t)(caps->serial + 8u), 4)
               << 32;
}

/* Conventional buses carry no extended register number, those of PCI-X 266 and
 * 533 do (EXT-1). */
static bool path_forwards(struct pcv_host *host, pcv_sbdf sbdf)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);
    pcv_sbdf up;

    /* Bounded: pcv_topology_upstream() answers only with a lower bus. */
    while (pcv_topology_upstream(host, pcv_sbdf_segment(sbdf), bus, &up) == 0) {
        struct pcv_device *bridge = pcv_device_find(host, up);
        bool forwards =
            bridge &&
            (bridge->type == PCV_TYPE_ROOT_PORT ||
             bridge->type == PCV_TYPE_UPSTREAM_PORT ||
             bridge->type == PCV_TYPE_DOWNSTREAM_PORT ||
             (bridge->extended &&
              (bridge->type != PCV_TYPE_PCIE_TO_PCI_BRIDGE || bridge->pcix)));

        pcv_device_put(bridge);
        if (!forwards) {
            return false;
        }
        bus = pcv_sbdf_bus(up);
    }
    return true;
}

/* Some devices decode only eight bits of the register number: then each 256
 * bytes are the first ones again. */
static bool is_aliased(struct pcv__reader *reader)
{
    uint32_t ids = pcv__reader_read(reader, PCV_REG_VENDOR, 4);

    for (uint16_t reg = PCV_CFG_SIZE; reg < PCV_CFG_EXT_SIZE;
         reg += PCV_CFG_SIZE) {
        if (pcv__reader_read(reader, reg, 4) != ids) {
            return false;
        }
    }
    return true;
}

bool pcv__ext_probe(struct pcv_device *device, struct pcv__reader *reader)
{
    struct pcv_host *host = device->host;
    pcv_sbdf sbdf = reader->sbdf;

    if ((device->pcie_cap == 0 && !device->pcix &&
         !pcv__is_host_bridge(&device->id)) ||
        !host->mem.ops.ecam_usable ||
        host->mem.ops.ecam_usable(host->mem.ctx, pcv_sbdf_segment(sbdf),
                                  pcv_sbdf_bus(sbdf)) != 1 ||
        !path_forwards(host, sbdf)) {
        return false;
    }
    return pcv__reader_read(reader, PCV_EXT_CAP_START, 4) != 0xffffffffu &&
           !is_aliased(reader);
}
