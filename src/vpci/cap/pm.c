/* SPDX-License-Identifier: MIT */
/*
 * Power Management (PM-1; PCI Power Management 1.2, 3.2). In a lower state than
 * D0 nothing of a function is mapped. Coming back from D3hot hardware may have
 * forgotten everything: what a guest had is written again once the time is over
 * that the function needs (settle.c); the hardware domain does that itself.
 */
#include "registry/faults.h"
#include "vpci/cap/list.h"
#include "vpci/protect.h"

/* What a guest sees of the capabilities: no power management events, whose wire
 * is the host's, and no states but D0 and D3hot. */
#define GUEST_CAPS (PCV_PM_CAPS_VERSION | PCV_PM_CAPS_READY | PCV_PM_CAPS_DSI)

static bool is_low(uint32_t control)
{
    /* All ones: it does not answer, and nothing is known. */
    return control != 0xffffu && (control & PCV_PM_STATE) != PCV_PM_D0;
}

/* How long until it may be asked after coming back from a state. */
static uint64_t wake_time(const struct pcv__cap *cap, uint32_t from)
{
    uint32_t caps = pcv__cap_read(cap, PCV_PM_CAPS, 2);

    if (from == PCV_PM_D3HOT) {
        return caps != 0xffffu && (caps & PCV_PM_CAPS_READY) != 0
                   ? 0
                   : PCV__QUIET_POWER_US;
    }
    return from == PCV_PM_D2 ? PCV__QUIET_D2_US : 0;
}

/* The host's wake-up bits stay as they are where a guest writes. */
static void write_state(const struct pcv_register_write *write) PCV__NO_ANALYSIS
{
    if (pcv__cap_is_guest(write->data)) {
        (void)pcv__power_set(write->device, write->value & PCV_PM_STATE);
    } else {
        pcv__cap_write(write->data, PCV_PM_CONTROL, 2, write->value);
    }
}

/*
 * Pages are unmapped after the function fell asleep, since unmapping may have
 * to be gone on with. A guest's function does not decode them any more from the
 * first moment on; whoever touches them meanwhile reads what an absent device
 * reads, as on hardware.
 */
static enum pcv_verdict fall_asleep(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;
    struct pcv__vpci *vpci = pcv__vpci(device);

    vpci->asleep = true;
    if (device->assignment) {
        vpci->decoding = false;
        pcv__command_update(device);
    }
    write_state(write);
    return pcv__map_again(device, false, PCV__MOVING_ALL);
}

static enum pcv_verdict wake_up(const struct pcv_register_write *write,
                                uint32_t from) PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;
    uint64_t us = wake_time(write->data, from);
    bool forgets =
        from == PCV_PM_D3HOT && (write->old & PCV_PM_NO_SOFT_RESET) == 0;

    if (!device->assignment && forgets) {
        pcv__caps_reset(device);
        pcv__faults_clear(device); /* OWN-10 */
    }
    write_state(write);
    pcv__settle_begin(device, PCV__SETTLING_WAKE, us);
    return PCV_DONE;
}

static enum pcv_verdict change_state(const struct pcv_register_write *write)
{
    uint32_t from = write->old & PCV_PM_STATE;
    uint32_t to = write->value & PCV_PM_STATE;

    if (pcv__cap_is_guest(write->data) &&
        (from == to || (to != PCV_PM_D0 && to != PCV_PM_D3HOT))) {
        return PCV_DONE; /* 3.2.4: a state that is not supported is ignored */
    }
    if (from == to) {
        write_state(write);
        return PCV_DONE;
    }
    return to == PCV_PM_D0 ? wake_up(write, from) : fall_asleep(write);
}

/* What a guest has behind a bridge, or of a PF, must not lose its power; to get
 * it back is no harm. */
static enum pcv_verdict write_control(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    bool up = (write->value & PCV_PM_STATE) == PCV_PM_D0;
    const struct pcv__protected bits = {.kept = up ? 0 : PCV_PM_STATE,
                                        .resets = true};
    struct pcv_register_write kept = *write;
    enum pcv_verdict verdict = pcv__protect(write, &bits, &kept.value);

    return verdict == PCV_DONE ? change_state(&kept)
                               : pcv__protect_end(verdict);
}

static const struct pcv_register_ops control_ops = {.write = write_control};

/* 3.2.3 and 3.2.4. Data select, scale and the data register read zero, so do
 * the bridge's bits. */
static const struct pcv_register guest_rows[] = {
    {
        .name = "Power Management Capabilities",
        .offset = PCV_PM_CAPS,
        .size = 2,
        .policy = {.constant = 0xffff},
    },
    {
        .name = "Power Management Control/Status",
        .offset = PCV_PM_CONTROL,
        .size = 2,
        .flags = PCV_REGISTER_MAPS,
        .policy = {.hardware = PCV_PM_STATE, .constant = PCV_PM_NO_SOFT_RESET},
        .ops = &control_ops,
    },
};

static const struct pcv_register hardware_row = {
    .name = "Power Management Control/Status",
    .offset = PCV_PM_CONTROL,
    .size = 2,
    .flags = PCV_REGISTER_MAPS,
    .policy = {.hardware = 0xffffu & ~PCV_PM_PME_STATUS,
               .w1c = PCV_PM_PME_STATUS},
    .ops = &control_ops,
};

static int setup(struct pcv__cap *cap)
{
    struct pcv_device *device = cap->device;
    uint32_t caps, control;
    int error = pcv__cap_is_guest(cap) ? pcv__cap_add(cap, guest_rows, 2)
                                       : pcv__cap_add(cap, &hardware_row, 1);

    if (error != 0) {
        return error; /* it may end outside of the space */
    }
    if (!pcv__hw_fetch(device, (uint16_t)(cap->offset + PCV_PM_CAPS), 2,
                       &caps) ||
        !pcv__hw_fetch(device, (uint16_t)(cap->offset + PCV_PM_CONTROL), 2,
                       &control)) {
        return -PCV_EIO;
    }
    if (pcv__cap_is_guest(cap)) {
        pcv__cap_store(cap, PCV_PM_CAPS, 2, caps & GUEST_CAPS);
        pcv__cap_store(cap, PCV_PM_CONTROL, 2, control);
    }
    pcv__vpci(device)->asleep = is_low(control);
    return 0;
}

const struct pcv__cap_desc pcv__cap_pm = {
    .name = "Power Management",
    .id = PCV_CAP_ID_PM,
    .extended = false,
    .flags = PCV__CAP_GUEST | PCV__CAP_HARDWARE,
    .control_size = 8,
    .setup = setup,
};
