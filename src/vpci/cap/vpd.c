/* SPDX-License-Identifier: MIT */
/*
 * Vital Product Data (CAP-7; PCI Local Bus 3.0, Appendix I): a guest names an
 * address and reads what stands there; it never writes the storage.
 */
#include "vpci/cap/list.h"

#define FLAG_BYTE 2u /* the upper one of the address register */

/* A write with the flag clear starts a read, which hardware ends by setting
 * it. A write that leaves the flag's byte out says neither, and is dropped. */
static enum pcv_verdict write_address(const struct pcv_register_write *write)
{
    if ((write->bytes & FLAG_BYTE) != 0 && (write->value & PCV_VPD_FLAG) == 0) {
        pcv__cap_write(write->data, PCV_VPD_ADDRESS, 2, write->value);
    }
    return PCV_DONE;
}

static const struct pcv_register_ops address_ops = {.write = write_address};

static const struct pcv_register rows[] = {
    {
        .name = "VPD Address",
        .offset = PCV_VPD_ADDRESS,
        .size = 2,
        .policy = {.hardware = 0xffff},
        .ops = &address_ops,
    },
    {
        .name = "VPD Data",
        .offset = PCV_VPD_DATA,
        .size = 4,
        .policy = {.read_only = 0xffffffffu},
    },
};

static int setup(struct pcv__cap *cap)
{
    return pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));
}

const struct pcv__cap_desc pcv__cap_vpd = {
    .name = "Vital Product Data",
    .id = PCV_CAP_ID_VPD,
    .extended = false,
    .flags = PCV__CAP_GUEST,
    .setup = setup,
};
