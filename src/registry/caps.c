/* SPDX-License-Identifier: MIT */
/* Capability lists, walked with a bound (CAP-1). */
#include "registry/internal.h"

#define CAP_FIRST 0x40u
#define HEADER_CARDBUS 2u
#define CARDBUS_CAPS 0x14u

static void tell(uint32_t *out_problems, uint32_t problems)
{
    if (out_problems) {
        *out_problems = problems;
    }
}

size_t pcv_caps_walk(const struct pcv_cap_source *source,
                     struct pcv_cap *out_caps, size_t max,
                     uint32_t *out_problems)
{
    uint64_t seen = 0; /* one bit a dword of the first 256 bytes */
    uint32_t problems = 0;
    uint32_t status = source->read(source->ctx, PCV_REG_STATUS, 2);
    uint32_t type = source->read(source->ctx, PCV_REG_HEADER_TYPE, 1);
    uint16_t head = (type & PCV_HEADER_TYPE_MASK) == HEADER_CARDBUS
                        ? CARDBUS_CAPS
                        : PCV_REG_CAPS;
    size_t count = 0;
    uint32_t next = 0;

    if (status != 0xffffu && (status & PCV_STATUS_CAPS) != 0) {
        next = source->read(source->ctx, head, 1);
    }
    /* Bounded: each round marks another of 64 dwords, or ends. */
    while (next != 0) {
        uint32_t header;

        problems |= (next & 3u) != 0 ? PCV_CAP_MISALIGNED : 0;
        next &= 0xfcu;
        if (next < CAP_FIRST) {
            /* Only low bits were set: that is an end of the list too. */
            problems |= next != 0 ? PCV_CAP_LOW : 0;
            break;
        }
        if ((seen >> (next / 4u) & 1u) != 0) {
            problems |= PCV_CAP_LOOP;
            break;
        }
        seen |= 1ull << (next / 4u);
        header = source->read(source->ctx, (uint16_t)next, 2);
        if (header == 0xffffu) {
            problems |= PCV_CAP_ALL_ONES;
            break;
        }
        if (count == max) {
            problems |= PCV_CAP_FULL;
            break;
        }
        out_caps[count++] = (struct pcv_cap){
            .offset = (uint16_t)next,
            .id = (uint16_t)(header & 0xffu),
        };
        next = header >> 8;
    }
    tell(out_problems, problems);
    return count;
}

uint32_t pcv__ext_caps_visit(const struct pcv_cap_source *source,
                             bool (*see)(void *ctx, const struct pcv_cap *cap),
                             void *ctx)
{
    uint32_t seen[PCV_CFG_EXT_SIZE / 4 / 32]; /* one bit a dword */
    uint32_t problems = 0;
    uint32_t next = PCV_EXT_CAP_START;

    memset(seen, 0, sizeof(seen));
    /* Bounded: each round marks another of 960 dwords, or ends. */
    while (next != 0) {
        uint32_t header;

        problems |= (next & 3u) != 0 ? PCV_CAP_MISALIGNED : 0;
        next &= 0xffcu;
        if (next < PCV_EXT_CAP_START) {
            return problems | (next != 0 ? PCV_CAP_LOW : 0);
        }
        if ((seen[next / 128u] >> (next / 4u % 32u) & 1u) != 0) {
            return problems | PCV_CAP_LOOP;
        }
        seen[next / 128u] |= 1u << (next / 4u % 32u);
        header = source->read(source->ctx, (uint16_t)next, 4);
        if (header == 0xffffffffu) {
            return problems | PCV_CAP_ALL_ONES;
        }
        if (header == 0) {
            break; /* an empty list, or a hole at its end */
        }
        if (!see(ctx, &(struct pcv_cap){
                          .offset = (uint16_t)next,
                          .id = (uint16_t)header,
                          .version = (uint8_t)(header >> 16 & 0xfu),
                          .extended = true,
                      })) {
            return problems | PCV_CAP_FULL;
        }
        next = header >> 20;
    }
    return problems;
}

struct collector {
    struct pcv_cap *caps;
    size_t count, max;
};

static bool collect(void *ctx, const struct pcv_cap *cap)
{
    struct collector *collector = ctx;

    if (collector->count == collector->max) {
        return false;
    }
    collector->caps[collector->count++] = *cap;
    return true;
}

size_t pcv_ext_caps_walk(const struct pcv_cap_source *source,
                         struct pcv_cap *out_caps, size_t max,
                         uint32_t *out_problems)
{
    struct collector collector = {out_caps, 0, max};

    tell(out_problems, pcv__ext_caps_visit(source, collect, &collector));
    return collector.count;
}

struct cap_name {
    uint16_t id;
    const char *name;
};

static const struct cap_name names[] = {
    {PCV_CAP_ID_PM, "Power Management"},
    {PCV_CAP_ID_AGP, "AGP"},
    {PCV_CAP_ID_VPD, "Vital Product Data"},
    {PCV_CAP_ID_SLOT, "Slot Identification"},
    {PCV_CAP_ID_MSI, "MSI"},
    {PCV_CAP_ID_HOTSWAP, "CompactPCI Hot Swap"},
    {PCV_CAP_ID_PCIX, "PCI-X"},
    {PCV_CAP_ID_HT, "HyperTransport"},
    {PCV_CAP_ID_VENDOR, "Vendor Specific"},
    {PCV_CAP_ID_DEBUG, "Debug Port"},
    {PCV_CAP_ID_SHPC, "Hot-Plug Controller"},
    {PCV_CAP_ID_SSVID, "Bridge Subsystem"},
    {PCV_CAP_ID_SECURE, "Secure Device"},
    {PCV_CAP_ID_PCIE, "PCI Express"},
    {PCV_CAP_ID_MSIX, "MSI-X"},
    {PCV_CAP_ID_SATA, "SATA"},
    {PCV_CAP_ID_AF, "Advanced Features"},
    {PCV_CAP_ID_EA, "Enhanced Allocation"},
};

static const struct cap_name ext_names[] = {
    {PCV_EXT_CAP_ID_AER, "Advanced Error Reporting"},
    {PCV_EXT_CAP_ID_VC, "Virtual Channel"},
    {PCV_EXT_CAP_ID_DSN, "Device Serial Number"},
    {0x0004u, "Power Budgeting"},
    {0x0005u, "Root Complex Link Declaration"},
    {0x0007u, "Root Complex Event Collector Association"},
    {0x000bu, "Vendor Specific"},
    {PCV_EXT_CAP_ID_ACS, "Access Control Services"},
    {PCV_EXT_CAP_ID_ARI, "Alternative Routing-ID"},
    {PCV_EXT_CAP_ID_ATS, "Address Translation Services"},
    {PCV_EXT_CAP_ID_SRIOV, "SR-IOV"},
    {0x0012u, "Multicast"},
    {PCV_EXT_CAP_ID_PRI, "Page Request"},
    {PCV_EXT_CAP_ID_REBAR, "Resizable BAR"},
    {0x0016u, "Dynamic Power Allocation"},
    {0x0017u, "TPH Requester"},
    {PCV_EXT_CAP_ID_LTR, "Latency Tolerance Reporting"},
    {0x0019u, "Secondary PCI Express"},
    {PCV_EXT_CAP_ID_PASID, "PASID"},
    {PCV_EXT_CAP_ID_DPC, "Downstream Port Containment"},
    {PCV_EXT_CAP_ID_L1SS, "L1 PM Substates"},
    {0x001fu, "Precision Time Measurement"},
    {0x0023u, "Designated Vendor Specific"},
    {PCV_EXT_CAP_ID_VF_REBAR, "VF Resizable BAR"},
    {0x0025u, "Data Link Feature"},
    {0x0026u, "Physical Layer 16 GT/s"},
    {0x0027u, "Lane Margining"},
    {0x002au, "Physical Layer 32 GT/s"},
    {0x002eu, "Data Object Exchange"},
};

const char *pcv_cap_name(uint16_t id, bool extended)
{
    const struct cap_name *table = extended ? ext_names : names;
    size_t count = extended ? sizeof(ext_names) / sizeof(ext_names[0])
                            : sizeof(names) / sizeof(names[0]);

    for (size_t i = 0; i < count; i++) {
        if (table[i].id == id) {
            return table[i].name;
        }
    }
    return NULL;
}
