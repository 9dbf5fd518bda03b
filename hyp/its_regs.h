/* SPDX-License-Identifier: MIT */
/*
 * Registers and memory formats of the ITS and of a redistributor's LPIs (Arm
 * IHI 0069: 12.11 and 12.19 registers, 5.3 commands, 5.2 tables). Only what the
 * driver uses.
 */
#ifndef HYP_ITS_REGS_H
#define HYP_ITS_REGS_H

#include <stdint.h>

#define ITS_BIT(n) ((uint64_t)1 << (n))
#define ITS_FIELD(value, low) ((uint64_t)(value) << (low))

#define GITS_CTLR 0x000u
#define GITS_TYPER 0x008u
#define GITS_CBASER 0x080u
#define GITS_CWRITER 0x088u
#define GITS_CREADR 0x090u
#define GITS_BASER(n) (0x100u + 8u * (n))
#define GITS_BASERS 8u
#define GITS_TRANSLATER 0x10040u /* in the second frame, the devices' */

#define GITS_CTLR_ENABLED 1u
#define GITS_CTLR_QUIESCENT (1u << 31)
#define GITS_TYPER_PHYSICAL ITS_BIT(0)
#define GITS_TYPER_ENTRY_SIZE(typer) (bits((typer), 7, 4) + 1) /* in an ITT */
#define GITS_TYPER_EVENT_BITS(typer) (bits((typer), 12, 8) + 1)
#define GITS_TYPER_DEVICE_BITS(typer) (bits((typer), 17, 13) + 1)
#define GITS_TYPER_PTA ITS_BIT(19) /* targets are addresses, not numbers */
#define GITS_TYPER_HELD_COLLECTIONS(typer) bits((typer), 31, 24)
#define GITS_CWRITER_RETRY ITS_BIT(0)
#define GITS_CREADR_STALLED ITS_BIT(0)

/* BASER and CBASER; cacheability 7 is write-back, read- and write-allocate, the
 * outer one 0 the same as the inner. */
#define BASER_VALID ITS_BIT(63)
#define BASER_INNER_WB ITS_FIELD(7, 59)
#define BASER_SHARED ITS_FIELD(1, 10)
#define BASER_SHARED_MASK ITS_FIELD(3, 10)
#define BASER_TYPE(baser) bits((baser), 58, 56)
#define BASER_TYPE_DEVICES 1u
#define BASER_TYPE_COLLECTIONS 4u
#define BASER_ENTRY_SIZE(baser) (bits((baser), 52, 48) + 1)
#define BASER_PAGE_SIZE(baser) bits((baser), 9, 8) /* 4, 16 or 64 KiB */
#define BASER_PAGE_64K ITS_FIELD(2, 8)
#define BASER_PAGES_MAX 256u

/* Redistributor. */
#define GICR_CTLR 0x00u
#define GICR_TYPER 0x08u
#define GICR_PROPBASER 0x70u
#define GICR_PENDBASER 0x78u
#define GICR_CTLR_LPIS 1u
#define GICR_TYPER_LPIS ITS_BIT(0)
#define GICR_TYPER_NUMBER(typer) bits((typer), 23, 8)
#define LPI_TABLE_INNER_WB ITS_FIELD(7, 7)
#define LPI_TABLE_ADDRESS 0x000ffffffffff000u /* of both */
#define PROPBASER_ID_BITS(n) ITS_FIELD((n)-1, 0)
#define PENDBASER_ZEROED ITS_BIT(62)
#define PENDING_TABLE_ALIGN 0x10000u

/* One byte of an LPI's configuration: priority, a one, enabled. */
#define LPI_CONFIG(priority) ((priority) | 3)

/* Commands: four words of 64 bits. */
#define ITS_COMMAND_WORDS 4u
#define ITS_SYNC 0x05u
#define ITS_MAPD 0x08u
#define ITS_MAPC 0x09u
#define ITS_MAPTI 0x0au
#define ITS_INVALL 0x0du
#define ITS_DISCARD 0x0fu
#define COMMAND0_OPCODE(word) bits((word), 7, 0)
#define COMMAND0_DEVICE(id) ITS_FIELD(id, 32)
#define COMMAND0_DEVICE_OF(word) bits((word), 63, 32)
#define COMMAND1_LPI(lpi) ITS_FIELD(lpi, 32)
#define COMMAND1_EVENT_BITS(n) ITS_FIELD((n)-1, 0)
#define COMMAND2_VALID ITS_BIT(63)

#endif
