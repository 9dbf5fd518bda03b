/* SPDX-License-Identifier: MIT */
/*
 * What the bits of the configuration header do, for each header type.
 */
#include "internal.h"

/* PCI Local Bus 3.0, 6.2, and PCI Express Base 6.0, 7.5.1.1. A VF has bus
 * master enable and its status alone (9.3.4.1). */
static const struct pcv__model_row common_rows[] = {
    {.offset = PCV_REG_COMMAND, .size = 2, .rw = PCV_CMD_MASTER},
    {.offset = PCV_REG_COMMAND,
     .size = 2,
     .when = PCV__WHEN_PCIE,
     .rw = 0x0543},
    {.offset = PCV_REG_COMMAND,
     .size = 2,
     .when = PCV__WHEN_CONVENTIONAL,
     .rw = 0x077b},
    {.offset = PCV_REG_STATUS, .size = 2, .w1c = PCV_STATUS_W1C},
    {.offset = PCV_REG_CACHE_LINE,
     .size = 1,
     .when = PCV__WHEN_NOT_VF,
     .rw = 0xff},
    {.offset = PCV_REG_LATENCY,
     .size = 1,
     .when = PCV__WHEN_CONVENTIONAL,
     .rw = 0xff},
};

static const struct pcv__model_row type0_rows[] = {
    {.offset = PCV_REG_INT_LINE,
     .size = 1,
     .when = PCV__WHEN_NOT_VF,
     .rw = 0xff},
};

/* PCI-to-PCI Bridge 1.2, 3.2.5, and PCI Express Base 6.0, 7.5.1.3. Windows
 * that may be missing come with window_fields(). */
static const struct pcv__model_row type1_rows[] = {
    {.offset = PCV_REG_PRIMARY,
     .size = 4,
     .effect = PCV__EFFECT_BUS_NUMBERS,
     .rw = 0x00ffffff},
    {.offset = PCV_REG_SEC_LATENCY,
     .size = 1,
     .when = PCV__WHEN_CONVENTIONAL,
     .rw = 0xff},
    {.offset = PCV_REG_SEC_STATUS, .size = 2, .w1c = PCV_STATUS_W1C},
    {.offset = PCV_REG_MEM_BASE, .size = 4, .rw = 0xfff0fff0},
    {.offset = PCV_REG_INT_LINE, .size = 1, .rw = 0xff},
    {.offset = PCV_REG_BRIDGE_CONTROL,
     .size = 2,
     .effect = PCV__EFFECT_BRIDGE_CONTROL,
     .rw = 0x005f},
    {.offset = PCV_REG_BRIDGE_CONTROL,
     .size = 2,
     .when = PCV__WHEN_CONVENTIONAL,
     .rw = 0x0ba0,
     .w1c = 0x0400},
    {.offset = PCV_REG_BRIDGE_CONTROL,
     .size = 2,
     .when = PCV__WHEN_TO_PCI,
     .rw = 0x0ba0,
     .w1c = 0x0400},
};

/* PC Card Standard 8.0, volume 7 (PCI to CardBus bridge). */
static const struct pcv__model_row type2_rows[] = {
    {.offset = 0x16, .size = 2, .w1c = PCV_STATUS_W1C},
    {.offset = PCV_REG_PRIMARY,
     .size = 4,
     .effect = PCV__EFFECT_BUS_NUMBERS,
     .rw = 0xffffffff},
    {.offset = 0x1c, .size = 4, .rw = 0xfffff000},
    {.offset = 0x20, .size = 4, .rw = 0xfffff000},
    {.offset = 0x24, .size = 4, .rw = 0xfffff000},
    {.offset = 0x28, .size = 4, .rw = 0xfffff000},
    {.offset = 0x2c, .size = 4, .rw = 0xfffffffc},
    {.offset = 0x30, .size = 4, .rw = 0xfffffffc},
    {.offset = 0x34, .size = 4, .rw = 0xfffffffc},
    {.offset = 0x38, .size = 4, .rw = 0xfffffffc},
    {.offset = PCV_REG_INT_LINE, .size = 1, .rw = 0xff},
    {.offset = PCV_REG_BRIDGE_CONTROL,
     .size = 2,
     .effect = PCV__EFFECT_BRIDGE_CONTROL,
     .rw = 0x07ef},
    {.offset = 0x44, .size = 4, .rw = 0xfffffffc},
};

static void add_rows(struct pcv__model_fields *to,
                     const struct pcv__model_fn *fn,
                     const struct pcv__model_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pcv__model_fields_add(to, fn, 0, &rows[i]);
    }
}

static void add_window(struct pcv__model_fields *to,
                       const struct pcv__model_fn *fn, uint32_t reg,
                       uint8_t size, uint32_t rw)
{
    struct pcv__model_row row = {
        .offset = (uint16_t)reg, .size = size, .rw = rw};

    pcv__model_fields_add(to, fn, 0, &row);
}

/* The I/O and prefetchable windows are optional and read zero where they are
 * not there; the low bits say whether the upper halves are. */
static void window_fields(struct pcv__model_fields *to,
                          const struct pcv__model_fn *fn)
{
    uint32_t io = pcv__model_get(fn, PCV_REG_IO_BASE, 2);
    uint32_t pref = pcv__model_get(fn, PCV_REG_PREF_BASE, 4);

    if (io != 0) {
        add_window(to, fn, PCV_REG_IO_BASE, 2, 0xf0f0);
    }
    if ((io & 0xfu) == 1) {
        add_window(to, fn, PCV_REG_IO_BASE_HI, 4, 0xffffffff);
    }
    if (pref != 0) {
        add_window(to, fn, PCV_REG_PREF_BASE, 4, 0xfff0fff0);
    }
    if ((pref & 0xfu) == 1) {
        add_window(to, fn, PCV_REG_PREF_BASE_HI, 4, 0xffffffff);
        add_window(to, fn, PCV_REG_PREF_LIMIT_HI, 4, 0xffffffff);
    }
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void pcv__model_header_fields(struct pcv__model_fields *to,
                              const struct pcv__model_fn *fn)
{
    add_rows(to, fn, common_rows, COUNT(common_rows));
    if (fn->vf) {
        return;
    }
    switch (fn->header) {
    case 0:
        add_rows(to, fn, type0_rows, COUNT(type0_rows));
        break;
    case 1:
        add_rows(to, fn, type1_rows, COUNT(type1_rows));
        window_fields(to, fn);
        break;
    case 2:
        add_rows(to, fn, type2_rows, COUNT(type2_rows));
        break;
    default:
        break;
    }
}
