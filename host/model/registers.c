/* SPDX-License-Identifier: MIT */
/*
 * What the bits of capability registers do, as the specifications define them:
 * PCI Local Bus 3.0 (6.8, appendices D, E, H, I), PCI Power Management 1.2,
 * PCI-X Addendum 2.0, AGP 3.0 and PCI Express Base 6.0 (chapter 7, whose
 * section stands at each table). A register without a row is read-only.
 *
 * A row's masks are those of a device that can do everything; the gates take
 * bits away that a device says it does not have.
 */
#include "internal.h"

#define ROWS(table) .rows = sizeof(table) / sizeof((table)[0]), .row = (table)
#define GATES(table)                                                           \
    .gates = sizeof(table) / sizeof((table)[0]), .gate = (table)

/* Power Management 1.2, 3.2.4. PME outlives resets. */
static const struct pcv__model_row pm_rows[] = {
    {.offset = 4,
     .size = 2,
     .effect = PCV__EFFECT_POWER,
     .rw = 0x1f03,
     .w1c = 0x8000,
     .sticky = 0x8100},
};
static const struct pcv__model_gate pm_gates[] = {
    {4, 0x8100, 0x00, 0xf8000000}, /* PME from some state */
    {4, 0x1e00, 0x04, 0xff006000}, /* data, or its scale, reads non-zero */
};

/* AGP 3.0, 6.2.3: command. */
static const struct pcv__model_row agp_rows[] = {
    {.offset = 8, .size = 4, .rw = 0xff00f317},
};

/* PCI Local Bus 3.0, appendix I. */
static const struct pcv__model_row vpd_rows[] = {
    {.offset = 2, .size = 2, .effect = PCV__EFFECT_VPD, .rw = 0xffff},
    {.offset = 4, .size = 4, .rw = 0xffffffff},
};

/* PCI-to-PCI Bridge 1.2, 13.2: chassis number. */
static const struct pcv__model_row slot_rows[] = {
    {.offset = 3, .size = 1, .rw = 0xff, .sticky = 0xff},
};

/* CompactPCI hot swap: EIM, LOO, INS and EXT. */
static const struct pcv__model_row hotswap_rows[] = {
    {.offset = 2, .size = 1, .rw = 0x0a, .w1c = 0xc0},
};

/* PCI-X 2.0, 7.2: types 0 and 1 differ. */
static const struct pcv__model_row pcix_rows[] = {
    {.offset = 2, .size = 2, .when = PCV__WHEN_TYPE0, .rw = 0x007f},
    {.offset = 4, .size = 4, .when = PCV__WHEN_TYPE0, .w1c = 0x200c0000},
    {.offset = 2, .size = 2, .when = PCV__WHEN_TYPE1, .w1c = 0x003c},
    {.offset = 4, .size = 4, .when = PCV__WHEN_TYPE1, .w1c = 0x003c0000},
    {.offset = 8, .size = 4, .when = PCV__WHEN_TYPE1, .rw = 0xffff0000},
    {.offset = 12, .size = 4, .when = PCV__WHEN_TYPE1, .rw = 0xffff0000},
};

/* Standard Hot-Plug Controller 1.0, 4.2: select and data window. */
static const struct pcv__model_row shpc_rows[] = {
    {.offset = 2, .size = 1, .rw = 0xff},
};

/* PCI Express Base 6.0, 7.5.3. Device control: relaxed ordering and no-snoop
 * are on and read requests 512 bytes after reset, as 7.5.3.4 has it. */
static const struct pcv__model_row pcie_rows[] = {
    {.offset = PCV_PCIE_DEVCTL, .size = 2, .effect = PCV__EFFECT_DEVCTL},
    {.offset = PCV_PCIE_DEVCTL,
     .size = 2,
     .when = PCV__WHEN_NOT_VF,
     .rw = 0x7fff,
     .reset = 0x2810,
     .keep = 0x00e0},
    {.offset = PCV_PCIE_DEVCTL,
     .size = 2,
     .when = PCV__WHEN_TO_PCI, /* retry enable, in place of FLR */
     .rw = 0x8000},
    {.offset = PCV_PCIE_DEVSTA, .size = 2, .w1c = 0x004f},
    {.offset = PCV_PCIE_LNKCTL,
     .size = 2,
     .when = PCV__WHEN_LINK,
     .rw = 0x03cb,
     .keep = 0x03cb},
    {.offset = PCV_PCIE_LNKCTL,
     .size = 2,
     .when = PCV__WHEN_DOWNSTREAM,
     .rw = 0xcc10,
     .keep = 0xcc10},
    {.offset = PCV_PCIE_LNKSTA,
     .size = 2,
     .when = PCV__WHEN_DOWNSTREAM,
     .w1c = 0xc000},
    {.offset = PCV_PCIE_SLTCTL,
     .size = 2,
     .when = PCV__WHEN_SLOT,
     .effect = PCV__EFFECT_SLTCTL,
     .rw = 0x37ff},
    {.offset = PCV_PCIE_SLTSTA,
     .size = 2,
     .when = PCV__WHEN_SLOT,
     .w1c = 0x011f},
    {.offset = PCV_PCIE_RTCTL, .size = 2, .when = PCV__WHEN_ROOT, .rw = 0x001f},
    {.offset = PCV_PCIE_RTSTA,
     .size = 4,
     .when = PCV__WHEN_ROOT,
     .w1c = 0x00010000},
    {.offset = PCV_PCIE_DEVCTL2, .size = 2, .when = PCV__WHEN_V2, .rw = 0xffff},
    {.offset = PCV_PCIE_LNKCTL2,
     .size = 2,
     .when = PCV__WHEN_V2_LINK,
     .rw = 0xffbf,
     .keep = 0xffbf,
     .sticky = 0xffbf},
    {.offset = PCV_PCIE_LNKCTL2 + 2,
     .size = 2,
     .when = PCV__WHEN_V2_LINK,
     .w1c = 0x8020},
};
static const struct pcv__model_gate pcie_gates[] = {
    {PCV_PCIE_DEVCTL, 0x0200, PCV_PCIE_DEVCAP, 0x00000018}, /* phantom */
    {PCV_PCIE_DEVCTL, 0x0100, PCV_PCIE_DEVCAP, 0x00000020}, /* 8-bit tags */
    {PCV_PCIE_DEVCTL, 0x00e0, PCV_PCIE_DEVCAP, 0x00000007}, /* payload */
    {PCV_PCIE_LNKCTL, 0x0100, PCV_PCIE_LNKCAP, 0x00040000}, /* clock PM */
    {PCV_PCIE_LNKCTL, 0x0c00, PCV_PCIE_LNKCAP, 0x00200000}, /* bandwidth */
    {PCV_PCIE_LNKSTA, 0xc000, PCV_PCIE_LNKCAP, 0x00200000},
    {PCV_PCIE_SLTCTL, 0x0001, PCV_PCIE_SLTCAP, 0x00000001}, /* button */
    {PCV_PCIE_SLTCTL, 0x0402, PCV_PCIE_SLTCAP, 0x00000002}, /* power */
    {PCV_PCIE_SLTCTL, 0x0004, PCV_PCIE_SLTCAP, 0x00000004}, /* latch */
    {PCV_PCIE_SLTCTL, 0x00c0, PCV_PCIE_SLTCAP, 0x00000008}, /* attention */
    {PCV_PCIE_SLTCTL, 0x0300, PCV_PCIE_SLTCAP, 0x00000010}, /* power lamp */
    {PCV_PCIE_SLTCTL, 0x0030, PCV_PCIE_SLTCAP, 0x00000040}, /* hot plug */
    {PCV_PCIE_RTCTL, 0x0010, PCV_PCIE_RTCTL, 0x00010000},   /* retry visible */
    {PCV_PCIE_DEVCTL2, 0x000f, PCV_PCIE_DEVCAP2, 0x0000000f}, /* timeouts */
    {PCV_PCIE_DEVCTL2, 0x0010, PCV_PCIE_DEVCAP2, 0x00000010},
    {PCV_PCIE_DEVCTL2, 0x0020, PCV_PCIE_DEVCAP2, 0x00000020}, /* ARI */
    {PCV_PCIE_DEVCTL2, 0x0080, PCV_PCIE_DEVCAP2, 0x00000040}, /* atomics */
    {PCV_PCIE_DEVCTL2, 0x0400, PCV_PCIE_DEVCAP2, 0x00000800}, /* LTR */
    {PCV_PCIE_DEVCTL2, 0x0800, PCV_PCIE_DEVCAP2, 0x03000000}, /* emergency */
    {PCV_PCIE_DEVCTL2, 0x1000, PCV_PCIE_DEVCAP2, 0x00020000}, /* 10-bit tags */
    {PCV_PCIE_DEVCTL2, 0x6000, PCV_PCIE_DEVCAP2, 0x000c0000}, /* OBFF */
    {PCV_PCIE_DEVCTL2, 0x8000, PCV_PCIE_DEVCAP2, 0x00200000}, /* prefixes */
};

/* PCI Local Bus 3.0, 6.8.2.3. */
static const struct pcv__model_row msix_rows[] = {
    {.offset = 2, .size = 2, .rw = 0xc000},
};

/* Advanced Capabilities ECN: initiate FLR is write-only. */
static const struct pcv__model_row af_rows[] = {
    {.offset = 4, .size = 1, .effect = PCV__EFFECT_AF},
};

/* 7.8.4. Status, masks and severity outlive all but a loss of power. */
static const struct pcv__model_row aer_rows[] = {
    {.offset = 0x04, .size = 4, .w1c = 0x07fff030, .sticky = 0x07fff030},
    {.offset = 0x08, .size = 4, .rw = 0x07fff030, .sticky = 0x07fff030},
    {.offset = 0x0c,
     .size = 4,
     .rw = 0x07fff030,
     .reset = 0x00462030,
     .sticky = 0x07fff030},
    {.offset = 0x10, .size = 4, .w1c = 0x0000f1c1, .sticky = 0x0000f1c1},
    {.offset = 0x14,
     .size = 4,
     .rw = 0x0000f1c1,
     .reset = 0x00002000,
     .sticky = 0x0000f1c1},
    {.offset = 0x18, .size = 4, .rw = 0x00000540, .sticky = 0x00000540},
    {.offset = 0x2c, .size = 4, .when = PCV__WHEN_ROOT, .rw = 0x00000007},
    {.offset = 0x30,
     .size = 4,
     .when = PCV__WHEN_ROOT,
     .w1c = 0x0000007f,
     .sticky = 0x0000007f},
};
static const struct pcv__model_gate aer_gates[] = {
    {0x18, 0x0040, 0x18, 0x00000020}, /* ECRC generation */
    {0x18, 0x0100, 0x18, 0x00000080}, /* ECRC check */
    {0x18, 0x0400, 0x18, 0x00000200}, /* several headers */
};

/* 7.8.8. */
static const struct pcv__model_row ari_rows[] = {
    {.offset = 6, .size = 2, .rw = 0x0073},
};
static const struct pcv__model_gate ari_gates[] = {
    {6, 0x0001, 4, 0x00000001},
    {6, 0x0002, 4, 0x00000002},
    {6, 0x0070, 4, 0x00000003},
};

/* 10.5.1. */
static const struct pcv__model_row ats_rows[] = {
    {.offset = 6, .size = 2, .rw = 0x801f},
};

/* 9.3.3. VF BARs are settled with their sizes. */
static const struct pcv__model_row sriov_rows[] = {
    {.offset = PCV_SRIOV_CTRL,
     .size = 2,
     .effect = PCV__EFFECT_SRIOV,
     .rw = 0x003f},
    {.offset = PCV_SRIOV_CTRL + 2, .size = 2, .w1c = 0x0001},
    {.offset = PCV_SRIOV_NUM_VFS,
     .size = 2,
     .effect = PCV__EFFECT_NUM_VFS,
     .rw = 0xffff},
};
static const struct pcv__model_gate sriov_gates[] = {
    {PCV_SRIOV_CTRL, 0x0006, 4, 0x00000001}, /* migration */
    {PCV_SRIOV_CTRL, 0x0020, 4, 0x00000004}, /* 10-bit tags */
};

/* 10.5.2. Reset is write-only. */
static const struct pcv__model_row pri_rows[] = {
    {.offset = 4, .size = 2, .rw = 0x0001},
    {.offset = 6, .size = 2, .w1c = 0x0003},
    {.offset = 12, .size = 4, .rw = 0xffffffff},
};

/* 7.9.12: dynamic power allocation. */
static const struct pcv__model_row dpa_rows[] = {
    {.offset = 0x0c, .size = 2, .w1c = 0x0100},
    {.offset = 0x0e, .size = 2, .rw = 0x001f},
};

/* 7.9.13: TLP processing hints. */
static const struct pcv__model_row tph_rows[] = {
    {.offset = 8, .size = 4, .rw = 0x00000307},
};

/* 7.8.2. */
static const struct pcv__model_row ltr_rows[] = {
    {.offset = 4, .size = 2, .rw = 0x1fff},
    {.offset = 6, .size = 2, .rw = 0x1fff},
};

/* 7.7.3: secondary PCI Express. */
static const struct pcv__model_row secondary_rows[] = {
    {.offset = 4, .size = 4, .when = PCV__WHEN_DOWNSTREAM, .rw = 0x0000fe03},
    {.offset = 8, .size = 4, .w1c = 0xffffffff, .sticky = 0xffffffff},
};

/* 7.8.9. */
static const struct pcv__model_row pasid_rows[] = {
    {.offset = 6, .size = 2, .rw = 0x0007},
};
static const struct pcv__model_gate pasid_gates[] = {
    {6, 0x0002, 4, 0x00000002}, /* execute */
    {6, 0x0004, 4, 0x00000004}, /* privileged */
};

/* 7.9.14. The software trigger is write-only. Root port registers at 0x0c. */
static const struct pcv__model_row dpc_rows[] = {
    {.offset = 0x06, .size = 2, .rw = 0x01bf},
    {.offset = 0x08, .size = 2, .w1c = 0x2009, .sticky = 0x2009},
    {.offset = 0x0c,
     .size = 4,
     .when = PCV__WHEN_ROOT_PORT,
     .w1c = 0x00070707,
     .sticky = 0x00070707},
    {.offset = 0x10,
     .size = 4,
     .when = PCV__WHEN_ROOT_PORT,
     .rw = 0x00070707,
     .reset = 0x00070707,
     .sticky = 0x00070707},
    {.offset = 0x14,
     .size = 4,
     .when = PCV__WHEN_ROOT_PORT,
     .rw = 0x00070707,
     .sticky = 0x00070707},
    {.offset = 0x18,
     .size = 4,
     .when = PCV__WHEN_ROOT_PORT,
     .rw = 0x00070707,
     .sticky = 0x00070707},
    {.offset = 0x1c,
     .size = 4,
     .when = PCV__WHEN_ROOT_PORT,
     .rw = 0x00070707,
     .sticky = 0x00070707},
};
static const struct pcv__model_gate dpc_gates[] = {
    {0x06, 0x0020, 4, 0x00000040}, /* poisoned TLPs blocked */
    {0x06, 0x0080, 4, 0x00001000}, /* link active */
    {0x0c, 0xffffffff, 4, 0x00000020}, {0x10, 0xffffffff, 4, 0x00000020},
    {0x14, 0xffffffff, 4, 0x00000020}, {0x18, 0xffffffff, 4, 0x00000020},
    {0x1c, 0xffffffff, 4, 0x00000020},
};

/* 7.8.3. */
static const struct pcv__model_row l1ss_rows[] = {
    {.offset = 8, .size = 4, .rw = 0xe3ffff1f, .keep = 0xe3ffff1f},
    {.offset = 12, .size = 4, .rw = 0x000000fb, .keep = 0x000000fb},
};
static const struct pcv__model_gate l1ss_gates[] = {
    {8, 0x0001, 4, 0x00000001},
    {8, 0x0002, 4, 0x00000002},
    {8, 0x0004, 4, 0x00000004},
    {8, 0x0008, 4, 0x00000008},
};

/* 7.9.15: precision time measurement. */
static const struct pcv__model_row ptm_rows[] = {
    {.offset = 8, .size = 4, .rw = 0x0000ff03},
};

/* 7.9.11: multicast. */
static const struct pcv__model_row multicast_rows[] = {
    {.offset = 0x06, .size = 2, .rw = 0x803f},
    {.offset = 0x08, .size = 4, .rw = 0xfffff03f},
    {.offset = 0x0c, .size = 4, .rw = 0xffffffff},
    {.offset = 0x10, .size = 4, .rw = 0xffffffff},
    {.offset = 0x14, .size = 4, .rw = 0xffffffff},
    {.offset = 0x18, .size = 4, .rw = 0xffffffff},
    {.offset = 0x1c, .size = 4, .rw = 0xffffffff},
    {.offset = 0x20, .size = 4, .rw = 0xffffffff},
    {.offset = 0x24, .size = 4, .rw = 0xffffffff},
};

/* 7.8.1: power budgeting, data select. */
static const struct pcv__model_row budget_rows[] = {
    {.offset = 4, .size = 1, .rw = 0xff},
};

const struct pcv__model_cap_table pcv__model_cap_tables[] = {
    {.id = PCV_CAP_ID_PM, ROWS(pm_rows), GATES(pm_gates)},
    {.id = PCV_CAP_ID_AGP, ROWS(agp_rows)},
    {.id = PCV_CAP_ID_VPD, ROWS(vpd_rows)},
    {.id = PCV_CAP_ID_SLOT, ROWS(slot_rows)},
    {.id = PCV_CAP_ID_HOTSWAP, ROWS(hotswap_rows)},
    {.id = PCV_CAP_ID_PCIX, ROWS(pcix_rows)},
    {.id = PCV_CAP_ID_SHPC, ROWS(shpc_rows)},
    {.id = PCV_CAP_ID_PCIE, ROWS(pcie_rows), GATES(pcie_gates)},
    {.id = PCV_CAP_ID_MSIX, ROWS(msix_rows)},
    {.id = PCV_CAP_ID_AF, ROWS(af_rows)},
    {.id = PCV_EXT_CAP_ID_AER,
     .extended = true,
     ROWS(aer_rows),
     GATES(aer_gates)},
    {.id = PCV_EXT_CAP_ID_ARI,
     .extended = true,
     ROWS(ari_rows),
     GATES(ari_gates)},
    {.id = PCV_EXT_CAP_ID_ATS, .extended = true, ROWS(ats_rows)},
    {.id = PCV_EXT_CAP_ID_SRIOV,
     .extended = true,
     ROWS(sriov_rows),
     GATES(sriov_gates)},
    {.id = PCV_EXT_CAP_ID_PRI, .extended = true, ROWS(pri_rows)},
    {.id = PCV_EXT_CAP_ID_LTR, .extended = true, ROWS(ltr_rows)},
    {.id = PCV_EXT_CAP_ID_PASID,
     .extended = true,
     ROWS(pasid_rows),
     GATES(pasid_gates)},
    {.id = PCV_EXT_CAP_ID_DPC,
     .extended = true,
     ROWS(dpc_rows),
     GATES(dpc_gates)},
    {.id = PCV_EXT_CAP_ID_L1SS,
     .extended = true,
     ROWS(l1ss_rows),
     GATES(l1ss_gates)},
    {.id = 0x0004, .extended = true, ROWS(budget_rows)},
    {.id = 0x0012, .extended = true, ROWS(multicast_rows)},
    {.id = 0x0016, .extended = true, ROWS(dpa_rows)},
    {.id = 0x0017, .extended = true, ROWS(tph_rows)},
    {.id = 0x0019, .extended = true, ROWS(secondary_rows)},
    {.id = 0x001f, .extended = true, ROWS(ptm_rows)},
};

const size_t pcv__model_cap_table_count =
    sizeof(pcv__model_cap_tables) / sizeof(pcv__model_cap_tables[0]);
