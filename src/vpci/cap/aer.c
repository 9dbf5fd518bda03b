/* SPDX-License-Identifier: MIT */
/*
 * Advanced Error Reporting (CAP-7; PCI Express Base 6.0, 7.8.4): errors are the
 * host's to handle, so for a guest all of it is virtual. Its masks and
 * severities are storage, its status never has a bit set. These registers are
 * sticky, so that no reset of the function changes them. The header log, and
 * what only root ports have, read zero.
 */
#include "vpci/cap/list.h"

/* Errors that an endpoint without a link of its own can have. */
#define UNCORRECTABLE 0x005ff010u
#define UNCORRECTABLE_MASKED 0x00400000u /* internal errors */
#define UNCORRECTABLE_FATAL 0x00462010u
#define CORRECTABLE 0x0000f1c1u
#define CORRECTABLE_MASKED 0x0000e000u /* advisory, internal, log overflow */

static const struct pcv_register rows[] = {
    {
        .name = "Uncorrectable Error Status",
        .offset = 0x04,
        .size = 4,
        .policy = {.virt_w1c = UNCORRECTABLE},
    },
    {
        .name = "Uncorrectable Error Mask",
        .offset = 0x08,
        .size = 4,
        .policy = {.virt = UNCORRECTABLE},
        .initial = UNCORRECTABLE_MASKED,
    },
    {
        .name = "Uncorrectable Error Severity",
        .offset = 0x0c,
        .size = 4,
        .policy = {.virt = UNCORRECTABLE},
        .initial = UNCORRECTABLE_FATAL,
    },
    {
        .name = "Correctable Error Status",
        .offset = 0x10,
        .size = 4,
        .policy = {.virt_w1c = CORRECTABLE},
    },
    {
        .name = "Correctable Error Mask",
        .offset = 0x14,
        .size = 4,
        .policy = {.virt = CORRECTABLE},
        .initial = CORRECTABLE_MASKED,
    },
    {
        /* Neither generates nor checks ECRC, and logs one header. */
        .name = "Advanced Error Capabilities and Control",
        .offset = 0x18,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
};

static int setup(struct pcv__cap *cap)
{
    return pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));
}

const struct pcv__cap_desc pcv__cap_aer = {
    .name = "Advanced Error Reporting",
    .id = PCV_EXT_CAP_ID_AER,
    .extended = true,
    .flags = PCV__CAP_GUEST,
    .setup = setup,
};
