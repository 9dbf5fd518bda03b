/* SPDX-License-Identifier: MIT */
/*
 * Registers of PCI configuration space: offsets and bits, as the
 * specifications give them (PCI Local Bus 3.0, chapter 6; PCI Express Base
 * 6.0, chapter 7). Offsets are bytes.
 */
#ifndef PCIVISOR_REGS_H
#define PCIVISOR_REGS_H

/* Common header. */
#define PCV_REG_VENDOR 0x00u
#define PCV_REG_DEVICE 0x02u
#define PCV_REG_COMMAND 0x04u
#define PCV_CMD_IO 0x0001u
#define PCV_CMD_MEMORY 0x0002u
#define PCV_CMD_MASTER 0x0004u
#define PCV_CMD_SPECIAL 0x0008u
#define PCV_CMD_MWI 0x0010u
#define PCV_CMD_VGA_SNOOP 0x0020u
#define PCV_CMD_PARITY 0x0040u
#define PCV_CMD_SERR 0x0100u
#define PCV_CMD_FAST_B2B 0x0200u
#define PCV_CMD_INTX_OFF 0x0400u
#define PCV_REG_STATUS 0x06u
#define PCV_STATUS_READY 0x0001u /* Immediate Readiness */
#define PCV_STATUS_INTX 0x0008u
#define PCV_STATUS_CAPS 0x0010u
#define PCV_STATUS_W1C 0xf900u
#define PCV_REG_REVISION 0x08u
#define PCV_REG_CLASS 0x09u
#define PCV_REG_CACHE_LINE 0x0cu
#define PCV_REG_LATENCY 0x0du
#define PCV_REG_HEADER_TYPE 0x0eu
#define PCV_HEADER_TYPE_MASK 0x7fu
#define PCV_HEADER_MULTI 0x80u
#define PCV_REG_BIST 0x0fu
#define PCV_REG_BAR0 0x10u
#define PCV_BAR_SPACE_IO 0x01u
#define PCV_BAR_IO_MASK 0xfffffffcu
#define PCV_BAR_TYPE_MASK 0x06u
#define PCV_BAR_TYPE_64 0x04u
#define PCV_BAR_PREFETCH 0x08u
#define PCV_BAR_MEM_MASK 0xfffffff0u
#define PCV_REG_CAPS 0x34u
#define PCV_REG_INT_LINE 0x3cu
#define PCV_REG_INT_PIN 0x3du

/* Type 0 header. */
#define PCV_REG_SUBSYSTEM_VENDOR 0x2cu
#define PCV_REG_SUBSYSTEM 0x2eu
#define PCV_REG_ROM0 0x30u
#define PCV_ROM_ENABLE 0x01u
#define PCV_ROM_MASK 0xfffff800u

/* Type 1 header. */
#define PCV_REG_PRIMARY 0x18u
#define PCV_REG_SECONDARY 0x19u
#define PCV_REG_SUBORDINATE 0x1au
#define PCV_REG_SEC_LATENCY 0x1bu
#define PCV_REG_IO_BASE 0x1cu
#define PCV_REG_IO_LIMIT 0x1du
#define PCV_REG_SEC_STATUS 0x1eu
#define PCV_REG_MEM_BASE 0x20u
#define PCV_REG_MEM_LIMIT 0x22u
#define PCV_REG_PREF_BASE 0x24u
#define PCV_REG_PREF_LIMIT 0x26u
#define PCV_REG_PREF_BASE_HI 0x28u
#define PCV_REG_PREF_LIMIT_HI 0x2cu
#define PCV_REG_IO_BASE_HI 0x30u
#define PCV_REG_IO_LIMIT_HI 0x32u
#define PCV_REG_ROM1 0x38u
#define PCV_REG_BRIDGE_CONTROL 0x3eu
#define PCV_BRIDGE_RESET 0x0040u

/* Capability identifiers. */
#define PCV_CAP_ID_PM 0x01u
#define PCV_CAP_ID_AGP 0x02u
#define PCV_CAP_ID_VPD 0x03u
#define PCV_CAP_ID_SLOT 0x04u
#define PCV_CAP_ID_MSI 0x05u
#define PCV_CAP_ID_HOTSWAP 0x06u
#define PCV_CAP_ID_PCIX 0x07u
#define PCV_CAP_ID_HT 0x08u
#define PCV_CAP_ID_VENDOR 0x09u
#define PCV_CAP_ID_DEBUG 0x0au
#define PCV_CAP_ID_SHPC 0x0cu
#define PCV_CAP_ID_SSVID 0x0du
#define PCV_CAP_ID_SECURE 0x0fu
#define PCV_CAP_ID_PCIE 0x10u
#define PCV_CAP_ID_MSIX 0x11u
#define PCV_CAP_ID_SATA 0x12u
#define PCV_CAP_ID_AF 0x13u
#define PCV_CAP_ID_EA 0x14u

/* Extended capability identifiers. */
#define PCV_EXT_CAP_START 0x100u
#define PCV_EXT_CAP_ID_AER 0x0001u
#define PCV_EXT_CAP_ID_VC 0x0002u
#define PCV_EXT_CAP_ID_DSN 0x0003u
#define PCV_EXT_CAP_ID_ACS 0x000du
#define PCV_EXT_CAP_ID_ARI 0x000eu
#define PCV_EXT_CAP_ID_ATS 0x000fu
#define PCV_EXT_CAP_ID_SRIOV 0x0010u
#define PCV_EXT_CAP_ID_PRI 0x0013u
#define PCV_EXT_CAP_ID_REBAR 0x0015u
#define PCV_EXT_CAP_ID_TPH 0x0017u
#define PCV_EXT_CAP_ID_LTR 0x0018u
#define PCV_EXT_CAP_ID_PASID 0x001bu
#define PCV_EXT_CAP_ID_DPC 0x001du
#define PCV_EXT_CAP_ID_L1SS 0x001eu
#define PCV_EXT_CAP_ID_PTM 0x001fu
#define PCV_EXT_CAP_ID_VF_REBAR 0x0024u

/* Power Management capability (PCI Power Management 1.2, 3.2): offsets from its
 * start. */
#define PCV_PM_CAPS 0x02u
#define PCV_PM_CAPS_VERSION 0x0007u
#define PCV_PM_CAPS_READY 0x0010u /* Immediate Readiness on Return to D0 */
#define PCV_PM_CAPS_DSI 0x0020u
#define PCV_PM_CONTROL 0x04u
#define PCV_PM_STATE 0x0003u
#define PCV_PM_D0 0u
#define PCV_PM_D2 2u
#define PCV_PM_D3HOT 3u
#define PCV_PM_NO_SOFT_RESET 0x0008u
#define PCV_PM_PME_STATUS 0x8000u

/* Advanced Features capability (Advanced Capabilities for Conventional PCI):
 * offsets from its start. */
#define PCV_AF_LENGTH 0x02u
#define PCV_AF_CAPS 0x03u
#define PCV_AF_CAPS_TP 0x01u
#define PCV_AF_CAPS_FLR 0x02u
#define PCV_AF_CONTROL 0x04u
#define PCV_AF_CONTROL_FLR 0x01u
#define PCV_AF_STATUS 0x05u
#define PCV_AF_STATUS_TP 0x01u

/* Vital Product Data capability (PCI Local Bus 3.0, Appendix I): offsets from
 * its start. */
#define PCV_VPD_ADDRESS 0x02u
#define PCV_VPD_FLAG 0x8000u
#define PCV_VPD_DATA 0x04u

/* PCI-X capability (PCI-X Addendum 2.0, 7.2): offsets from its start. */
#define PCV_PCIX_COMMAND 0x02u
#define PCV_PCIX_STATUS 0x04u
#define PCV_PCIX_STATUS_266 0x40000000u
#define PCV_PCIX_STATUS_533 0x80000000u

/* PCI Express capability: offsets from its start. */
#define PCV_PCIE_FLAGS 0x02u
#define PCV_PCIE_FLAGS_VERSION 0x000fu
#define PCV_PCIE_FLAGS_TYPE_SHIFT 4u
#define PCV_PCIE_FLAGS_SLOT 0x0100u
#define PCV_PCIE_DEVCAP 0x04u
#define PCV_PCIE_DEVCAP_PHANTOM_SHIFT 3u
#define PCV_PCIE_DEVCAP_FLR 0x10000000u
#define PCV_PCIE_DEVCTL 0x08u
#define PCV_PCIE_DEVCTL_ERRORS 0x000fu
#define PCV_PCIE_DEVCTL_RELAXED 0x0010u
#define PCV_PCIE_DEVCTL_PAYLOAD 0x00e0u
#define PCV_PCIE_DEVCTL_PHANTOM 0x0200u
#define PCV_PCIE_DEVCTL_NO_SNOOP 0x0800u
#define PCV_PCIE_DEVCTL_READ_REQUEST 0x7000u
#define PCV_PCIE_DEVCTL_FLR 0x8000u
#define PCV_PCIE_DEVSTA 0x0au
#define PCV_PCIE_LNKCAP 0x0cu
#define PCV_PCIE_LNKCAP_REPORTS 0x00100000u /* data link layer active */
#define PCV_PCIE_LNKCTL 0x10u
#define PCV_PCIE_LNKCTL_DISABLE 0x0010u
#define PCV_PCIE_LNKSTA 0x12u
#define PCV_PCIE_LNKSTA_ACTIVE 0x2000u
#define PCV_PCIE_SLTCAP 0x14u
#define PCV_PCIE_SLTCTL 0x18u
#define PCV_PCIE_SLTCTL_POWER_OFF 0x0400u
#define PCV_PCIE_SLTSTA 0x1au
#define PCV_PCIE_SLTSTA_W1C 0x011fu
#define PCV_PCIE_SLTSTA_PRESENCE_CHANGED 0x0008u
#define PCV_PCIE_SLTSTA_PRESENT 0x0040u
#define PCV_PCIE_SLTSTA_LINK_CHANGED 0x0100u
#define PCV_PCIE_RTCTL 0x1cu
#define PCV_PCIE_RTCTL_RETRY_VISIBLE 0x0010u
#define PCV_PCIE_RTSTA 0x20u
#define PCV_PCIE_DEVCAP2 0x24u
#define PCV_PCIE_DEVCTL2 0x28u
#define PCV_PCIE_DEVCTL2_ARI 0x0020u
#define PCV_PCIE_LNKCTL2 0x30u
#define PCV_PCIE_SLTCTL2 0x38u

/* Values of the type field of the PCI Express capability. */
#define PCV_PCIE_TYPE_ENDPOINT 0x0u
#define PCV_PCIE_TYPE_LEGACY 0x1u
#define PCV_PCIE_TYPE_ROOT_PORT 0x4u
#define PCV_PCIE_TYPE_UPSTREAM 0x5u
#define PCV_PCIE_TYPE_DOWNSTREAM 0x6u
#define PCV_PCIE_TYPE_TO_PCI 0x7u
#define PCV_PCIE_TYPE_FROM_PCI 0x8u
#define PCV_PCIE_TYPE_RC_ENDPOINT 0x9u
#define PCV_PCIE_TYPE_RC_EVENT 0xau

/* ACS capability (PCI Express Base 6.0, 7.7.11): offsets from its start; the
 * bits of both registers are the same. */
#define PCV_ACS_CAP 0x04u
#define PCV_ACS_CTRL 0x06u
#define PCV_ACS_SOURCE 0x01u     /* source validation */
#define PCV_ACS_REDIRECT 0x04u   /* P2P request redirect */
#define PCV_ACS_COMPLETION 0x08u /* P2P completion redirect */
#define PCV_ACS_UPSTREAM 0x10u   /* upstream forwarding */
/* Downstream Port Containment: offsets from its start. */
#define PCV_DPC_CTRL 0x06u
#define PCV_DPC_CTRL_TRIGGER 0x0040u /* by software */

/* ARI capability: offsets from its start. */
#define PCV_ARI_CAP 0x04u /* bits 15:8: next function number */

/* SR-IOV capability: offsets from its start. */
#define PCV_SRIOV_CTRL 0x08u
#define PCV_SRIOV_CTRL_VFE 0x0001u
#define PCV_SRIOV_CTRL_MSE 0x0008u
#define PCV_SRIOV_CTRL_ARI 0x0010u
#define PCV_SRIOV_INITIAL_VFS 0x0cu
#define PCV_SRIOV_TOTAL_VFS 0x0eu
#define PCV_SRIOV_NUM_VFS 0x10u
#define PCV_SRIOV_OFFSET 0x14u
#define PCV_SRIOV_STRIDE 0x16u
#define PCV_SRIOV_VF_DEVICE 0x1au
#define PCV_SRIOV_PAGE_SIZE 0x20u
#define PCV_SRIOV_BAR 0x24u

/* Base class and sub-class, as the upper 16 bits of the class code. */
#define PCV_CLASS_BRIDGE_HOST 0x0600u

#endif
