/* SPDX-License-Identifier: MIT */
/* Bits of hardware that a guest reads (shown.h). */
#include "shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MSI_MASKED 2u
#define MSI_WIDE_MASKED 3u

const struct shown shown_table[] = {
    {"header", "Status", 0, false, 0, 0x06, 0xffa8},
    {"Power Management", "Control/Status", PCV_CAP_ID_PM, false, 0, 0x04,
     0x0003},
    {"Vital Product Data", "Address", PCV_CAP_ID_VPD, false, 0, 0x02, 0xffff},
    {"Vital Product Data", "Data", PCV_CAP_ID_VPD, false, 0, 0x04, 0xffffffff},
    {"MSI, 32-bit", "Pending Bits", PCV_CAP_ID_MSI, false, MSI_MASKED, 0x10,
     0xffffffff},
    {"MSI, 64-bit", "Pending Bits", PCV_CAP_ID_MSI, false, MSI_WIDE_MASKED,
     0x14, 0xffffffff},
    {"PCI Express", "Device Status", PCV_CAP_ID_PCIE, false, 0, 0x0a, 0x003f},
    {"Advanced Features", "Status", PCV_CAP_ID_AF, false, 0, 0x05, 0x01},
};

const size_t shown_count = sizeof(shown_table) / sizeof(shown_table[0]);

static void add(uint32_t *out, uint16_t id, bool extended, uint32_t layout,
                uint32_t at)
{
    for (size_t i = 0; i < shown_count; i++) {
        const struct shown *row = &shown_table[i];
        uint32_t where = at + row->offset;

        if (row->id == id && row->extended == extended &&
            row->layout == layout) {
            out[where / 4u] |= row->bits << 8u * (where % 4u);
        }
    }
}

/* A pointer of a list, or its end. */
static void check(uint32_t at, uint32_t least)
{
    if (at != 0 && (at < least || at % 4u != 0)) {
        (void)fprintf(stderr, "shown: a capability at %03x\n", at);
        abort();
    }
}

static size_t look_first(const struct bus_function *fn, uint32_t *out)
{
    uint32_t at = bus_get(fn, PCV_REG_CAPS, 1);
    size_t count = 0;

    for (; count < 48 && at != 0; count++) { /* as many as fit */
        uint16_t id;
        uint32_t layout = 0;

        check(at, 0x40);
        id = (uint16_t)bus_get(fn, (uint16_t)at, 1);
        if (id == PCV_CAP_ID_MSI) {
            layout = bus_get(fn, (uint16_t)(at + 2u), 2) >> 7 & 3u;
        }
        add(out, id, false, layout, at);
        at = bus_get(fn, (uint16_t)(at + 1u), 1);
    }
    check(at == 0 ? 0 : 1, 0x40);
    return count;
}

static size_t look_extended(const struct bus_function *fn, uint32_t *out)
{
    uint32_t at = PCV_EXT_CAP_START;
    size_t count = 0;

    for (uint32_t i = 0; i < 960 && at != 0; i++) {
        uint32_t header = bus_get(fn, (uint16_t)at, 4);

        check(at, PCV_EXT_CAP_START);
        if ((header & 0xffffu) != 0) {
            add(out, (uint16_t)header, true, 0, at);
            count++;
        }
        at = header >> 20;
    }
    check(at == 0 ? 0 : 1, PCV_EXT_CAP_START);
    return count;
}

size_t shown_look(const struct bus_function *fn, bool extended, uint32_t *out)
{
    size_t count;

    memset(out, 0, PCV_CFG_EXT_SIZE);
    add(out, 0, false, 0, 0);
    count = look_first(fn, out);
    return count + (extended ? look_extended(fn, out) : 0);
}
