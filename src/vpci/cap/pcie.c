/* SPDX-License-Identifier: MIT */
/*
 * PCI Express (PCIE-1, PCIE-2; PCI Express Base 6.0, 7.5.3). A guest's function
 * stands on its root bus, so it reads as a root-complex integrated endpoint:
 * link, slot and root registers do not exist and read zero.
 *
 * What of Device Control reaches hardware from a guest:
 *   read request size  the smaller one of the guest's and the host's
 *   relaxed ordering   if the host has it on: it only lets the function's own
 *                      requests pass each other, and where the host switched it
 *                      off, what is above the function cannot bear it
 *   no snoop           never: it stays off (saved.c says why), and a function
 *                      that snoops is always right
 *   initiate FLR       as a reset of its own
 * A VF has none of these bits in hardware; its PF's hold for it.
 */
#include "registry/requester.h"
#include "vpci/cap/list.h"
#include "vpci/cap/slot.h"
#include "vpci/protect.h"

/* Bytes up to and with Device Status. */
#define CONTROL_SIZE 12u
#define DEVCAP_GUEST                                                           \
    0x00008007u /* payload sizes, role-based error reporting                   \
                 */
#define DEVCTL_VIRTUAL                                                         \
    (PCV_PCIE_DEVCTL_ERRORS | PCV_PCIE_DEVCTL_RELAXED |                        \
     PCV_PCIE_DEVCTL_PAYLOAD | PCV_PCIE_DEVCTL_NO_SNOOP |                      \
     PCV_PCIE_DEVCTL_READ_REQUEST)
/* Relaxed ordering and no snoop on, 512 bytes a read request. An FLR keeps the
 * payload size (6.6.2). */
#define DEVCTL_RESET 0x2810u
#define DEVCTL2_TIMEOUT 0x001fu /* value and disable of completion timeouts */
#define DEVCAP2_TIMEOUT 0x001fu /* ranges, and that disabling is supported */
#define DEVSTA_ERRORS 0x000fu
#define DEVSTA_READ_ONLY 0x0030u /* auxiliary power, transactions pending */

/* Device Control as the host had it, without what no guest has. */
static uint32_t host_control(const struct pcv__cap *cap)
{
    return (uint32_t)(uintptr_t)cap->state;
}

static void write_hardware(const struct pcv__cap *cap)
{
    uint32_t guest = pcv__cap_load(cap, PCV_PCIE_DEVCTL, 2);
    uint32_t value = host_control(cap);
    uint32_t size = value & PCV_PCIE_DEVCTL_READ_REQUEST;

    if (cap->device->is_vf) {
        return;
    }
    if (size > (guest & PCV_PCIE_DEVCTL_READ_REQUEST)) {
        size = guest & PCV_PCIE_DEVCTL_READ_REQUEST;
    }
    value = (value & ~PCV_PCIE_DEVCTL_READ_REQUEST) | size;
    if ((guest & PCV_PCIE_DEVCTL_RELAXED) == 0) {
        value &= ~PCV_PCIE_DEVCTL_RELAXED;
    }
    pcv__cap_write(cap, PCV_PCIE_DEVCTL, 2, value);
}

static enum pcv_verdict write_guest_control(
    const struct pcv_register_write *write) PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;
    bool shown =
        (pcv__cap_load(cap, PCV_PCIE_DEVCAP, 4) & PCV_PCIE_DEVCAP_FLR) != 0;

    if (shown && (write->value & PCV_PCIE_DEVCTL_FLR) != 0) {
        return pcv__reset_begin(write->device, PCV__RESET_FLR);
    }
    write_hardware(cap);
    return PCV_DONE;
}

static enum pcv_verdict write_host_control(
    const struct pcv_register_write *write) PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.set = PCV_PCIE_DEVCTL_FLR};
    uint32_t value;
    enum pcv_verdict verdict = pcv__protect(write, &bits, &value);

    if (verdict != PCV_DONE) {
        return pcv__protect_end(verdict);
    }
    pcv__cap_write(write->data, PCV_PCIE_DEVCTL, 2,
                   value & ~PCV_PCIE_DEVCTL_FLR);
    pcv__phantom_set(write->device,
                     (value & PCV_PCIE_DEVCTL_PHANTOM) != 0 ||
                         pcv__is_marked(write->device, PCV__MARK_PHANTOM));
    return (value & PCV_PCIE_DEVCTL_FLR) != 0
               ? pcv__reset_begin(write->device, PCV__RESET_FLR)
               : PCV_DONE;
}

static const struct pcv_register_ops guest_control_ops = {
    .write = write_guest_control,
};
static const struct pcv_register_ops host_control_ops = {
    .write = write_host_control,
};

/* Of both versions (7.5.3.2 to 7.5.3.5). */
static const struct pcv_register guest_rows[] = {
    {
        .name = "PCI Express Capabilities",
        .offset = PCV_PCIE_FLAGS,
        .size = 2,
        .policy = {.constant = 0xffff},
    },
    {
        .name = "Device Capabilities",
        .offset = PCV_PCIE_DEVCAP,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
    {
        .name = "Device Control",
        .offset = PCV_PCIE_DEVCTL,
        .size = 2,
        .flags = PCV_REGISTER_MAPS,
        /* Initiate FLR reads zero, and its handler sees a one. */
        .policy = {.virt = DEVCTL_VIRTUAL, .virt_w1c = PCV_PCIE_DEVCTL_FLR},
        .initial = DEVCTL_RESET,
        .ops = &guest_control_ops,
    },
    {
        .name = "Device Status",
        .offset = PCV_PCIE_DEVSTA,
        .size = 2,
        .policy = {.read_only = DEVSTA_READ_ONLY, .w1c = DEVSTA_ERRORS},
    },
};

/* Of version 2 (7.5.3.15 and 7.5.3.16). No ARI forwarding, LTR, OBFF, atomic
 * operations, 10-bit tags or prefixes. */
static const struct pcv_register version_2_rows[] = {
    {
        .name = "Device Capabilities 2",
        .offset = PCV_PCIE_DEVCAP2,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
    {
        .name = "Device Control 2",
        .offset = PCV_PCIE_DEVCTL2,
        .size = 2,
        .policy = {.virt = DEVCTL2_TIMEOUT},
    },
};

/* For the hardware domain only the reset is ours. */
static const struct pcv_register hardware_row = {
    .name = "Device Control",
    .offset = PCV_PCIE_DEVCTL,
    .size = 2,
    .flags = PCV_REGISTER_MAPS,
    .policy = {.hardware = 0xffffu & ~PCV_PCIE_DEVCTL_FLR,
               .virt_w1c = PCV_PCIE_DEVCTL_FLR},
    .ops = &host_control_ops,
};

/* ---- setting up ------------------------------------------------------------
 */

/* A register of hardware; false if the host could not read it. */
static bool fetch(const struct pcv__cap *cap, uint16_t offset, uint8_t size,
                  uint32_t *out_value)
{
    return pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + offset), size,
                         out_value);
}

static int setup_hardware(struct pcv__cap *cap)
{
    uint32_t caps;

    if (cap->device->is_bridge) {
        /* Initiate FLR means something else there. */
        return pcv__slot_setup(cap);
    }
    if (cap->offset > PCV_CFG_SIZE - CONTROL_SIZE) {
        return -PCV_EINVAL;
    }
    if (!fetch(cap, PCV_PCIE_DEVCAP, 4, &caps)) {
        return -PCV_EIO;
    }
    return (caps & PCV_PCIE_DEVCAP_FLR) != 0
               ? pcv__cap_add(cap, &hardware_row, 1)
               : 0;
}

static void store_first(struct pcv__cap *cap, uint32_t version, uint32_t caps,
                        uint32_t control)
{
    bool flr = pcv__vpci(cap->device)->reset_method == PCV__RESET_FLR;

    pcv__cap_store(cap, PCV_PCIE_FLAGS, 2,
                   version | PCV_PCIE_TYPE_RC_ENDPOINT
                                 << PCV_PCIE_FLAGS_TYPE_SHIFT);
    pcv__cap_store(cap, PCV_PCIE_DEVCAP, 4,
                   caps & (DEVCAP_GUEST | (flr ? PCV_PCIE_DEVCAP_FLR : 0u)));
    pcv__cap_store(cap, PCV_PCIE_DEVCTL, 2,
                   DEVCTL_RESET | (control & PCV_PCIE_DEVCTL_PAYLOAD));
    cap->state = (void *)(uintptr_t)(control & ~(PCV_PCIE_DEVCTL_FLR |
                                                 PCV_PCIE_DEVCTL_PHANTOM |
                                                 PCV_PCIE_DEVCTL_NO_SNOOP));
}

static int setup_version_2(struct pcv__cap *cap)
{
    uint32_t caps2;
    int error =
        pcv__cap_add(cap, version_2_rows,
                     sizeof(version_2_rows) / sizeof(version_2_rows[0]));

    if (error != 0) {
        return error;
    }
    if (!fetch(cap, PCV_PCIE_DEVCAP2, 4, &caps2)) {
        return -PCV_EIO;
    }
    pcv__cap_store(cap, PCV_PCIE_DEVCAP2, 4, caps2 & DEVCAP2_TIMEOUT);
    return 0;
}

static int setup_guest(struct pcv__cap *cap)
{
    uint32_t flags, caps, control, version;
    int error = pcv__cap_add(cap, guest_rows,
                             sizeof(guest_rows) / sizeof(guest_rows[0]));

    if (error != 0) {
        return error; /* it may end outside of the space */
    }
    if (!fetch(cap, PCV_PCIE_FLAGS, 2, &flags) ||
        !fetch(cap, PCV_PCIE_DEVCAP, 4, &caps) ||
        !fetch(cap, PCV_PCIE_DEVCTL, 2, &control)) {
        return -PCV_EIO;
    }
    if (flags == 0xffffu || control == 0xffffu) {
        return -PCV_EIO; /* it does not answer: nothing of that is its own */
    }
    version = flags & PCV_PCIE_FLAGS_VERSION;
    if (version == 0) {
        return -PCV_EOPNOTSUPP; /* there never was such a one */
    }
    store_first(cap, version >= 2 ? 2 : 1, caps, control);
    /* The first version ends before these. */
    error = version >= 2 ? setup_version_2(cap) : 0;
    if (error == 0) {
        write_hardware(cap);
    }
    return error;
}

static int setup(struct pcv__cap *cap)
{
    return pcv__cap_is_guest(cap) ? setup_guest(cap) : setup_hardware(cap);
}

/* Hardware follows when the reset is over. */
static void reset(struct pcv__cap *cap)
{
    uint32_t control;

    if (!pcv__cap_is_guest(cap)) {
        return;
    }
    control = pcv__cap_load(cap, PCV_PCIE_DEVCTL, 2);
    pcv__cap_store(cap, PCV_PCIE_DEVCTL, 2,
                   DEVCTL_RESET | (control & PCV_PCIE_DEVCTL_PAYLOAD));
    pcv__cap_store(cap, PCV_PCIE_DEVCTL2, 2, 0);
}

static void restore(struct pcv__cap *cap)
{
    if (pcv__cap_is_guest(cap)) {
        write_hardware(cap);
    }
}

const struct pcv__cap_desc pcv__cap_pcie = {
    .name = "PCI Express",
    .id = PCV_CAP_ID_PCIE,
    .extended = false,
    .flags = PCV__CAP_GUEST | PCV__CAP_HARDWARE,
    .control_size = CONTROL_SIZE,
    .setup = setup,
    .reset = reset,
    .restore = restore,
};
