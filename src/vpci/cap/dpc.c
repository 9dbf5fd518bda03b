/* SPDX-License-Identifier: MIT */
/*
 * Downstream Port Containment, for the hardware domain that drives the port
 * (PCI Express Base 6.0, 7.9.14): everything is hardware's, but software can
 * trigger it, which takes the link down, and so what a guest has behind it
 * (OWN-15).
 */
#include "vpci/cap/list.h"
#include "vpci/protect.h"

static enum pcv_verdict write_control(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.set = PCV_DPC_CTRL_TRIGGER,
                                               .resets = true};
    uint32_t value;
    enum pcv_verdict verdict = pcv__protect(write, &bits, &value);

    if (verdict == PCV_DONE) {
        pcv__hw_write(write->device, write->offset, 2, value);
    }
    return pcv__protect_end(verdict);
}

static const struct pcv_register_ops control_ops = {.write = write_control};

static const struct pcv_register row = {
    .name = "DPC Control",
    .offset = PCV_DPC_CTRL,
    .size = 2,
    .policy = {.hardware = 0xffff},
    .ops = &control_ops,
};

static int setup(struct pcv__cap *cap)
{
    return cap->device->is_bridge ? pcv__cap_add(cap, &row, 1) : 0;
}

const struct pcv__cap_desc pcv__cap_dpc = {
    .name = "Downstream Port Containment",
    .id = PCV_EXT_CAP_ID_DPC,
    .extended = true,
    .flags = PCV__CAP_HARDWARE,
    .control_size = 8,
    .setup = setup,
};
