/* SPDX-License-Identifier: MIT */
/* A device with registers that are plain memory (cells_fixture.h). */
#include "cells_fixture.h"

#include <stdio.h>
#include <string.h>

static struct cells *current; /* host operations know only the model */

static bool ours(pcv_sbdf sbdf, uint16_t reg)
{
    return current && sbdf.v == CELLS_DEVICE.v && reg >= CELLS_AT &&
           reg < CELLS_AT + 4 * CELLS_DWORDS;
}

static uint32_t ones(uint8_t size)
{
    return size == 4 ? 0xffffffffu : (1u << (8u * size)) - 1u;
}

static void note(uint16_t reg, uint8_t size, bool write, uint32_t value)
{
    const struct pcv_model_cfg access = {CELLS_DEVICE, reg, size, write, value};

    assert_true((size == 1 || size == 2 || size == 4) && reg % size == 0);
    if (current->logged < CELLS_LOG) {
        current->log[current->logged] = access;
    }
    current->logged++;
}

static int read_memory(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t *out)
{
    if (!ours(sbdf, reg)) {
        return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out);
    }
    *out = current->hw[(reg - CELLS_AT) / 4] >> (8u * (reg % 4u)) & ones(size);
    note(reg, size, false, *out);
    return 0;
}

static int write_memory(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t value)
{
    uint32_t shift = 8u * (reg % 4u);
    uint32_t mask = ones(size) << shift;
    uint32_t at = (reg - CELLS_AT) / 4u;
    uint32_t old, w1c;

    if (!ours(sbdf, reg)) {
        return pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
    }
    note(reg, size, true, value);
    assert_int_equal(value & ~ones(size), 0);
    old = current->hw[at];
    w1c = current->w1c[at];
    value <<= shift;
    current->hw[at] =
        (old & ~mask) | (value & mask & ~w1c) | (old & mask & w1c & ~value);
    return 0;
}

void cells_open(struct cells *cells)
{
    struct pcv_test_function f;

    memset(cells, 0, sizeof(*cells));
    current = NULL;
    rig_open(&cells->rig);
    cells->rig.ops.cfg_read = read_memory;
    cells->rig.ops.cfg_write = write_memory;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_aer(&f);
    pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
    pcv_test_add(cells->rig.model, &f, CELLS_DEVICE);
    rig_create(&cells->rig);
    assert_int_equal(pcv_device_add(cells->rig.host, CELLS_DEVICE, NULL), 0);
    rig_forget(&cells->rig);
    cells->device = pcv_device_find(cells->rig.host, CELLS_DEVICE);
    assert_non_null(cells->device);
    current = cells;
}

void cells_close(struct cells *cells)
{
    pcv_device_put(cells->device);
    rig_close(&cells->rig);
    current = NULL;
}

void cells_add(struct cells *cells, const struct pcv_register *reg, void *data)
{
    assert_int_equal(pcv_register_add(cells->device, reg, data), 0);
}

uint32_t cells_read(struct cells *cells, uint16_t reg, uint8_t size)
{
    return rig_read(&cells->rig, CELLS_DEVICE, reg, size);
}

void cells_write(struct cells *cells, uint16_t reg, uint8_t size,
                 uint32_t value)
{
    rig_write(&cells->rig, CELLS_DEVICE, reg, size, value);
}

void cells_expect(struct cells *cells, const char *accesses)
{
    char text[CELLS_LOG * 8] = "";
    size_t used = 0;

    assert_true(cells->logged <= CELLS_LOG);
    for (size_t i = 0; i < cells->logged; i++) {
        const struct pcv_model_cfg *access = &cells->log[i];
        int more = snprintf(text + used, sizeof(text) - used, "%s%c%u:%x",
                            i == 0 ? "" : " ", access->write ? 'w' : 'r',
                            access->size, access->reg);

        assert_true(more > 0 && (size_t)more < sizeof(text) - used);
        used += (size_t)more;
    }
    assert_string_equal(text, accesses);
    cells->logged = 0;
}
