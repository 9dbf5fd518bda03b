/* SPDX-License-Identifier: MIT */
/*
 * Machines that answer what a test wants, without a model between: a function
 * says what each register of each address reads, writes are only counted.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_ANSWERS_H
#define PCV_TESTS_UNIT_ANSWERS_H

#include "hosted.h"

/* Answers for an address; false: nothing is there. */
typedef bool (*answer_fn)(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword);

static struct {
    answer_fn answer;
    uint64_t reads, writes;
    uint32_t asked[65536 / 32]; /* addresses that were read, one bit each */
} machine;

static inline int machine_read(void *ctx, pcv_sbdf sbdf, uint16_t reg,
                               uint8_t size, uint32_t *out_value)
{
    uint32_t dword = 0xffffffffu;

    (void)ctx;
    machine.reads++;
    machine.asked[(sbdf.v & 0xffffu) / 32] |= 1u << (sbdf.v % 32);
    if (!machine.answer(sbdf, (uint16_t)(reg & ~3u), &dword)) {
        dword = 0xffffffffu;
    }
    *out_value = size == 4
                     ? dword
                     : (dword >> (reg % 4 * 8)) & ((1u << (size * 8)) - 1u);
    return 0;
}

static inline int machine_write(void *ctx, pcv_sbdf sbdf, uint16_t reg,
                                uint8_t size, uint32_t value)
{
    (void)ctx;
    (void)sbdf;
    (void)reg;
    (void)size;
    (void)value;
    machine.writes++;
    return 0;
}

static inline bool was_asked(pcv_sbdf sbdf)
{
    return (machine.asked[(sbdf.v & 0xffffu) / 32] >> (sbdf.v % 32) & 1) != 0;
}

#define MACHINE_BUSES 8u

static inline int machine_segment(void *ctx, uint32_t index,
                                  struct pcv_segment_info *out_info)
{
    (void)ctx;
    if (index != 0) {
        return -PCV_ENOENT;
    }
    *out_info = (struct pcv_segment_info){0, 0, MACHINE_BUSES - 1};
    return 0;
}

/* A host that asks this machine; a test may change its operations. */
static inline void machine_build(struct hosted *h, answer_fn answer)
{
    hosted_build(h);
    memset(&machine, 0, sizeof(machine));
    machine.answer = answer;
    h->ops.cfg_read = machine_read;
    h->ops.cfg_write = machine_write;
    h->ops.segment = machine_segment;
}

static inline void machine_start(struct hosted *h, answer_fn answer)
{
    machine_build(h, answer);
    hosted_start(h);
}

/* Registers of a plain endpoint, or of a bridge with these bus numbers. */
static inline uint32_t plain(uint16_t reg)
{
    return reg == 0 ? 0x12348086u : reg == PCV_REG_REVISION ? 0x02000000u : 0;
}

static inline uint32_t bridge(uint16_t reg, uint32_t numbers, uint8_t pcie_type)
{
    switch (reg) {
    case 0:
        return 0x00011b36u;
    case PCV_REG_COMMAND:
        return (uint32_t)PCV_STATUS_CAPS << 16;
    case PCV_REG_REVISION:
        return 0x06040000u;
    case PCV_REG_HEADER_TYPE & ~3u:
        return 0x00010000u;
    case PCV_REG_PRIMARY & ~3u:
        return numbers;
    case PCV_REG_CAPS:
        return 0x40u;
    case 0x40:
        return (uint32_t)(pcie_type << 4 | 2) << 16 | PCV_CAP_ID_PCIE;
    default:
        return 0;
    }
}

#endif
