/* SPDX-License-Identifier: MIT */
/*
 * Registers and memory formats of the SMMUv3 (Arm IHI 0070: chapter 6
 * registers, 5 stream table entry and context descriptor, 4 commands, 7
 * events). Only what the driver uses.
 */
#ifndef HYP_SMMU_REGS_H
#define HYP_SMMU_REGS_H

#include <stdint.h>

#define SMMU_BIT(n) ((uint32_t)1 << (n))
#define SMMU_FIELD(value, low) ((uint64_t)(value) << (low))

/* Offsets. The event queue's indices are in the second page of 64 KiB. */
#define SMMU_IDR0 0x00u
#define SMMU_IDR1 0x04u
#define SMMU_IDR3 0x0cu
#define SMMU_IDR5 0x14u
#define SMMU_CR0 0x20u
#define SMMU_CR0ACK 0x24u
#define SMMU_CR1 0x28u
#define SMMU_CR2 0x2cu
#define SMMU_GBPA 0x44u
#define SMMU_IRQ_CTRL 0x50u
#define SMMU_IRQ_CTRLACK 0x54u
#define SMMU_GERROR 0x60u
#define SMMU_GERRORN 0x64u
#define SMMU_STRTAB_BASE 0x80u
#define SMMU_STRTAB_BASE_CFG 0x88u
#define SMMU_CMDQ_BASE 0x90u
#define SMMU_CMDQ_PROD 0x98u
#define SMMU_CMDQ_CONS 0x9cu
#define SMMU_EVENTQ_BASE 0xa0u
#define SMMU_EVENTQ_IRQ_CFG0 0xb0u
#define SMMU_EVENTQ_PROD 0x100a8u
#define SMMU_EVENTQ_CONS 0x100acu

/* IDR0 */
#define IDR0_S1P SMMU_BIT(1)
#define IDR0_TTF_AARCH64 SMMU_BIT(3)
#define IDR0_COHACC SMMU_BIT(4)
#define IDR0_MSI SMMU_BIT(13)
#define IDR0_TTENDIAN(idr0) bits((idr0), 22, 21)
#define TTENDIAN_BIG 3u
#define IDR0_STALL_MODEL(idr0) bits((idr0), 25, 24)
#define STALL_MODEL_FORCED 2u
/* IDR1 */
#define IDR1_SIDSIZE(idr1) bits((idr1), 5, 0)
#define IDR1_EVENTQS(idr1) bits((idr1), 20, 16)
#define IDR1_CMDQS(idr1) bits((idr1), 25, 21)
#define IDR1_QUEUES_PRESET SMMU_BIT(29)
#define IDR1_TABLES_PRESET SMMU_BIT(30)
/* IDR3: how a block may become a table; 2: any time. */
#define IDR3_BBML(idr3) bits((idr3), 12, 11)
/* IDR5 */
#define IDR5_OAS(idr5) bits((idr5), 2, 0)
#define IDR5_GRAN4K SMMU_BIT(4)

#define CR0_SMMUEN SMMU_BIT(0)
#define CR0_EVENTQEN SMMU_BIT(2)
#define CR0_CMDQEN SMMU_BIT(3)
/* Attributes of the SMMU's own accesses: write-back, inner shareable. */
#define CR1_QUEUE_IC_WB SMMU_BIT(0)
#define CR1_QUEUE_OC_WB SMMU_BIT(2)
#define CR1_QUEUE_SH_INNER (3u << 4)
#define CR1_TABLE_IC_WB SMMU_BIT(6)
#define CR1_TABLE_OC_WB SMMU_BIT(8)
#define CR1_TABLE_SH_INNER (3u << 10)
#define CR2_RECINVSID SMMU_BIT(1) /* record stream IDs beyond the table */
#define CR2_PTM SMMU_BIT(2)       /* the CPUs' TLB broadcasts are not for us */
#define GBPA_ABORT SMMU_BIT(20)
#define GBPA_UPDATE SMMU_BIT(31)
#define IRQ_CTRL_EVENTQ SMMU_BIT(2)
#define GERROR_CMDQ SMMU_BIT(0)
#define GERROR_EVENTQ_ABORT SMMU_BIT(2)
#define GERROR_SERVICE_FAILURE SMMU_BIT(8)
#define BASE_ALLOCATE SMMU_FIELD(1, 62) /* read- or write-allocate hint */
#define CMDQ_CONS_ERROR(cons) bits((cons), 30, 24)
#define EVENTQ_OVERFLOW SMMU_BIT(31) /* of PROD, and its echo in CONS */

/* Stream table entry: 8 words of 64 bits, of which we need two. */
#define STE_WORDS 8u
#define STE0_VALID SMMU_FIELD(1, 0)
#define STE0_CONFIG_STAGE1 SMMU_FIELD(5, 1)
#define STE0_CONTEXT_MASK 0x000fffffffffffc0u
#define STE1_CONTEXT_INNER_WB SMMU_FIELD(1, 2)
#define STE1_CONTEXT_OUTER_WB SMMU_FIELD(1, 4)
#define STE1_CONTEXT_INNER_SHARED SMMU_FIELD(3, 6)
/* Zero is right for the rest: no substreams, no ATS, regime EL1 non-secure,
 * faults not merged. */

/* Context descriptor: 8 words of 64 bits. */
#define CD_WORDS 8u
#define CD0_T0SZ(bits_) SMMU_FIELD(64 - (bits_), 0)
#define CD0_TG0_4K SMMU_FIELD(0, 6)
#define CD0_IR0_WB SMMU_FIELD(1, 8)
#define CD0_OR0_WB SMMU_FIELD(1, 10)
#define CD0_SH0_INNER SMMU_FIELD(3, 12)
#define CD0_EPD1 SMMU_FIELD(1, 30)
#define CD0_VALID SMMU_FIELD(1, 31)
#define CD0_IPS(size) SMMU_FIELD(size, 32)
#define CD0_AARCH64 SMMU_FIELD(1, 41)
#define CD0_RECORD SMMU_FIELD(1, 45)
#define CD0_ABORT SMMU_FIELD(1, 46)
#define CD0_ASET_PRIVATE SMMU_FIELD(1, 47)
#define CD0_ASID(asid) SMMU_FIELD(asid, 48)
#define CD_TTB0 1u
#define CD_MAIR 3u
#define MAIR_MEMORY SMMU_FIELD(0xff, 0) /* attribute 0: write-back */
#define MAIR_DEVICE SMMU_FIELD(0x04, 8) /* attribute 1: nGnRE */

/* Commands: two words of 64 bits. */
#define CMD_CFGI_STE 0x03u
#define CMD_CFGI_ALL 0x04u
#define CMD_TLBI_NH_ASID 0x11u
#define CMD_TLBI_NH_VA 0x12u
#define CMD_TLBI_NSNH_ALL 0x30u
#define CMD_SYNC 0x46u
#define CMD0_STREAM(id) SMMU_FIELD(id, 32)
#define CMD0_ASID(asid) SMMU_FIELD(asid, 48)
#define CMD1_CFGI_LEAF SMMU_FIELD(1, 0)
#define CMD1_CFGI_RANGE_ALL SMMU_FIELD(31, 0)

/* Event records: four words of 64 bits. */
#define EVENT_WORDS 4u
#define EVENT_TYPE(word0) bits((word0), 7, 0)
#define EVENT_STREAM(word0) bits((word0), 63, 32)
#define EVENT_ADDRESS 2u /* the word that has it */
#define EVENT_FLAGS 1u   /* and the word with RnW */
#define EVENT_READS SMMU_FIELD(1, 35)
#define EVENT_UNSUPPORTED_UPSTREAM 0x01u
#define EVENT_TRANSLATION_FORBIDDEN 0x07u
#define EVENT_WALK_ABORT 0x0bu
#define EVENT_TRANSLATION 0x10u
#define EVENT_ADDRESS_SIZE 0x11u
#define EVENT_ACCESS 0x12u
#define EVENT_PERMISSION 0x13u

#endif
