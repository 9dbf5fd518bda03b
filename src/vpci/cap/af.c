/* SPDX-License-Identifier: MIT */
/*
 * Advanced Features: function-level reset of conventional PCI (CAP-7, PCIE-1;
 * Advanced Capabilities for Conventional PCI, 3).
 */
#include "vpci/cap/list.h"
#include "vpci/protect.h"

#define LENGTH 6u /* bytes, header included */

static enum pcv_verdict write_control(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.set = PCV_AF_CONTROL_FLR};
    uint32_t value;

    if (pcv__protect(write, &bits, &value) == PCV_FORWARD) {
        return PCV_FORWARD;
    }
    if ((value & PCV_AF_CONTROL_FLR) != 0) {
        return pcv__reset_begin(write->device, PCV__RESET_AF);
    }
    if (!pcv__cap_is_guest(write->data)) {
        pcv__cap_write(write->data, PCV_AF_CONTROL, 1, value);
    }
    return PCV_DONE;
}

static const struct pcv_register_ops control_ops = {.write = write_control};

static const struct pcv_register guest_rows[] = {
    {
        .name = "AF Length",
        .offset = PCV_AF_LENGTH,
        .size = 1,
        .policy = {.constant = 0xff},
        .initial = LENGTH,
    },
    {
        .name = "AF Capabilities",
        .offset = PCV_AF_CAPS,
        .size = 1,
        .policy = {.constant = 0xff},
        .initial = PCV_AF_CAPS_TP | PCV_AF_CAPS_FLR,
    },
    {
        .name = "AF Control",
        .offset = PCV_AF_CONTROL,
        .size = 1,
        .flags = PCV_REGISTER_MAPS,
        /* Initiate FLR reads zero, and its handler sees a one. */
        .policy = {.virt_w1c = PCV_AF_CONTROL_FLR},
        .ops = &control_ops,
    },
    {
        .name = "AF Status",
        .offset = PCV_AF_STATUS,
        .size = 1,
        .policy = {.read_only = PCV_AF_STATUS_TP},
    },
};

/* For the hardware domain only the reset is ours. */
static const struct pcv_register hardware_row = {
    .name = "AF Control",
    .offset = PCV_AF_CONTROL,
    .size = 1,
    .flags = PCV_REGISTER_MAPS,
    .policy = {.hardware = 0xffu & ~PCV_AF_CONTROL_FLR,
               .virt_w1c = PCV_AF_CONTROL_FLR},
    .ops = &control_ops,
};

static int setup(struct pcv__cap *cap)
{
    const uint32_t both = PCV_AF_CAPS_TP | PCV_AF_CAPS_FLR;
    uint32_t caps;

    if (!pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + PCV_AF_CAPS), 1,
                       &caps)) {
        return -PCV_EIO;
    }
    if (!pcv__cap_is_guest(cap)) {
        return (caps & PCV_AF_CAPS_FLR) != 0
                   ? pcv__cap_add(cap, &hardware_row, 1)
                   : 0;
    }
    if (caps == 0xffu || (caps & both) != both) {
        return PCV__CAP_NOT_SHOWN; /* without a reset there is nothing to see */
    }
    return pcv__cap_add(cap, guest_rows,
                        sizeof(guest_rows) / sizeof(guest_rows[0]));
}

const struct pcv__cap_desc pcv__cap_af = {
    .name = "Advanced Features",
    .id = PCV_CAP_ID_AF,
    .extended = false,
    .flags = PCV__CAP_GUEST | PCV__CAP_HARDWARE,
    .control_size = 8,
    .setup = setup,
};
