/* SPDX-License-Identifier: MIT */
/* Device Serial Number (CAP-7; PCI Express Base 6.0, 7.9.3): guests read it. */
#include "vpci/cap/list.h"

#define LOWER 0x04u
#define UPPER 0x08u

static const struct pcv_register rows[] = {
    {
        .name = "Serial Number (Lower)",
        .offset = LOWER,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
    {
        .name = "Serial Number (Upper)",
        .offset = UPPER,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
};

static int setup(struct pcv__cap *cap)
{
    uint32_t lower, upper;
    int error = pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));

    if (error != 0) {
        return error; /* it may end outside of the space */
    }
    if (!pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + LOWER), 4,
                       &lower) ||
        !pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + UPPER), 4,
                       &upper)) {
        return -PCV_EIO;
    }
    pcv__cap_store(cap, LOWER, 4, lower);
    pcv__cap_store(cap, UPPER, 4, upper);
    return 0;
}

const struct pcv__cap_desc pcv__cap_dsn = {
    .name = "Device Serial Number",
    .id = PCV_EXT_CAP_ID_DSN,
    .extended = true,
    .flags = PCV__CAP_GUEST,
    .setup = setup,
};
