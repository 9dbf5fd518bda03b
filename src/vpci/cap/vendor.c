/* SPDX-License-Identifier: MIT */
/*
 * Vendor-specific capabilities (CAP-7; PCI Local Bus 3.0, Appendix H). What
 * they do only their vendor knows, so guests see none, with two exceptions: the
 * ones of a virtio device that say where its registers are, and any if the
 * assignment's policy shows them. Both are copies of what stood there, and
 * nothing is written.
 */
#include "vpci/cap/list.h"

#define LENGTH 0x02u
#define FIRST 0x02u /* byte after the header */

/* Virtual I/O Device 1.2, 4.1.2 and 4.1.4. */
#define VIRTIO_VENDOR 0x1af4u
#define VIRTIO_DEVICE_FIRST 0x1000u
#define VIRTIO_DEVICE_LAST 0x107fu
#define VIRTIO_TYPE 0x03u
#define VIRTIO_LENGTH_MIN 16u
#define VIRTIO_COMMON 1u
#define VIRTIO_NOTIFY 2u
#define VIRTIO_ISR 3u
#define VIRTIO_DEVICE 4u
#define VIRTIO_SHARED_MEMORY 8u

static const struct pcv_register header_row = {
    .name = "Vendor-Specific",
    .offset = FIRST,
    .size = 2,
    .policy = {.constant = 0xffff},
};

static const struct pcv_register data_row = {
    .name = "Vendor-Specific",
    .size = 4,
    .policy = {.constant = 0xffffffffu},
};

static bool is_virtio(const struct pcv_device *device)
{
    return device->id.vendor == VIRTIO_VENDOR &&
           device->id.device >= VIRTIO_DEVICE_FIRST &&
           device->id.device <= VIRTIO_DEVICE_LAST;
}

static bool virtio_shows(const struct pcv__cap *cap, uint32_t length)
{
    switch (pcv__cap_read(cap, VIRTIO_TYPE, 1)) {
    case VIRTIO_COMMON:
    case VIRTIO_NOTIFY:
    case VIRTIO_ISR:
    case VIRTIO_DEVICE:
    case VIRTIO_SHARED_MEMORY:
        return length >= VIRTIO_LENGTH_MIN;
    default:
        return false; /* 5, a window to any register of any BAR, is one */
    }
}

/* Whether the policy names it, rather than leaving it to us. */
static bool wished(const struct pcv__cap *cap)
{
    const struct pcv_assign_policy *policy = &cap->device->assignment->policy;

    for (uint32_t i = 0; i < policy->cap_count; i++) {
        if (policy->caps[i].id == cap->desc->id && !policy->caps[i].extended) {
            return policy->caps[i].show;
        }
    }
    return false;
}

static uint32_t read_device(void *ctx, uint16_t reg, uint8_t size)
{
    return pcv__hw_read(ctx, reg, size);
}

/* Bytes up to the next capability, or the end of the first 256: no more than
 * that is its own, whatever its length says. */
static uint32_t room(const struct pcv__cap *cap)
{
    const struct pcv_cap_source source = {read_device, cap->device};
    struct pcv_cap caps[PCV_CAPS_MAX];
    size_t count = pcv_caps_walk(&source, caps, PCV_CAPS_MAX, NULL);
    uint32_t end = PCV_CFG_SIZE;

    for (size_t i = 0; i < count; i++) {
        if (caps[i].offset > cap->offset && caps[i].offset < end) {
            end = caps[i].offset;
        }
    }
    return end - cap->offset;
}

/* Copy bytes [at, length), of one register. */
static int copy(struct pcv__cap *cap, const struct pcv_register *row,
                uint16_t at, uint32_t length)
{
    uint32_t base = at - (uint32_t)row->offset;
    uint32_t bytes = length - at < row->size ? length - at : row->size;
    uint32_t value;
    int error;

    if (!pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + at), row->size,
                       &value)) {
        return -PCV_EIO;
    }
    error = pcv__cap_add_at(cap, (uint16_t)base, row);
    if (error == 0) {
        pcv__cap_store(cap, at, row->size, value & pcv__ones((uint8_t)bytes));
    }
    return error;
}

static int setup(struct pcv__cap *cap)
{
    uint32_t length, most;
    int error;

    if (!pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + LENGTH), 1,
                       &length)) {
        return -PCV_EIO;
    }
    most = room(cap);
    length = length > most ? most : length;
    if (length <= FIRST ||
        (is_virtio(cap->device) ? !virtio_shows(cap, length) : !wished(cap))) {
        return PCV__CAP_NOT_SHOWN;
    }
    error = copy(cap, &header_row, FIRST, length);
    for (uint16_t at = 4; at < length && error == 0; at += 4) {
        error = copy(cap, &data_row, at, length);
    }
    return error;
}

const struct pcv__cap_desc pcv__cap_vendor = {
    .name = "Vendor-Specific",
    .id = PCV_CAP_ID_VENDOR,
    .extended = false,
    .flags = PCV__CAP_GUEST,
    .setup = setup,
};
