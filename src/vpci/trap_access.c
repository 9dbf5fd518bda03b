/* SPDX-License-Identifier: MIT */
/*
 * One access to a page of a BAR that is trapped: a capability's registers, a
 * ROM image, or the device's own (HDR-5, HDR-12, MSIX-1).
 */
#include "vpci/cap.h"
#include "vpci/hidden.h"
#include "vpci/map.h"
#include "vpci/reserved.h"

/* An access, in the BAR's bytes. */
struct inside {
    uint64_t offset;
    uint64_t *data;
    uint8_t bar, size;
    bool write;
};

enum served { BY_NOBODY, BY_CAPABILITY, BY_DEVICE };

/* Whether an access concerns what nobody serves: the bytes that a hole is kept
 * for, or all of one that is on its way out. */
static bool is_nobodys(const struct pcv__hole *hole, const struct inside *in)
{
    return !hole->kept || (in->offset < (uint64_t)hole->offset + hole->size &&
                           in->offset + in->size > hole->offset);
}

/* Who has the registers in a page of a hole. What a hole was for may be gone:
 * its bytes are no more the owner's then than before. */
static enum served by_hole(struct pcv_device *device, const struct inside *in)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    uint64_t page = in->offset >> device->host->page_shift;
    enum served by = BY_DEVICE;

    for (uint32_t i = 0; i < PCV__HOLES; i++) {
        const struct pcv__hole *hole = &vpci->hole[i];

        if (hole->bar != in->bar || page < hole->first ||
            page - hole->first >= hole->pages) {
            continue;
        }
        if (!hole->cap) {
            by = is_nobodys(hole, in) ? BY_NOBODY : by;
        } else if (hole->cap->desc->mmio(hole->cap, in->bar, in->offset,
                                         in->size, in->write, in->data)) {
            return BY_CAPABILITY;
        }
    }
    return by;
}

/* The image that came with the assignment, and nothing behind it. */
static void by_image(const struct pcv__assignment *guest,
                     const struct inside *in)
{
    const uint8_t *image = guest->policy.rom;
    uint64_t value = 0;

    for (uint32_t i = 0; i < in->size && !in->write; i++) {
        uint64_t at = in->offset + i;
        uint64_t byte = at < guest->policy.rom_size ? image[at] : 0xffu;

        value |= byte << (i * 8u);
    }
    if (!in->write) {
        *in->data = value;
    }
}

/* Nobody knows what a host does with an access that no device answers. */
static bool answers(struct pcv_device *device)
{
    uint32_t command;

    if (device->is_vf) {
        return pcv__vf_decodes(device);
    }
    command = pcv__hw_read(device, PCV_REG_COMMAND, 2);
    return command != 0xffffu && (command & PCV_CMD_MEMORY) != 0;
}

/* A BAR's address may be any that stood in it, or none: it must lead to a
 * device, not to the host's memory, and not to what the hypervisor drives. */
static bool reaches(const struct pcv_device *device, const struct inside *in,
                    pcv_hpa *out_address)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint64_t start = device->bar[in->bar].address;

    if (!mem->ops.mmio_permitted ||
        start > UINT64_MAX - (in->offset + in->size)) {
        return false;
    }
    out_address->v = start + in->offset;
    if (pcv__reserved_memory(device->host, out_address->v, in->size)) {
        return false;
    }
    return mem->ops.mmio_permitted(mem->ctx, device->host->hardware.id,
                                   *out_address, in->size) == 1;
}

static void by_device(struct pcv_device *device, const struct inside *in)
{
    const struct pcv__mem *mem = &device->host->mem;
    pcv_hpa address;
    uint64_t value = 0;
    int error;

    if (!mem->ops.mmio_read || !reaches(device, in, &address) ||
        !answers(device)) {
        return; /* there are both operations, or neither */
    }
    if ((in->write || device->assignment) &&
        pcv__used_memory(device->host, address.v, in->size)) {
        atomic_fetch_add_explicit(&device->refused, 1, memory_order_relaxed);
        return; /* the hypervisor's (OWN-7) */
    }
    if (in->write) {
        error = mem->ops.mmio_write(mem->ctx, address, in->size, *in->data);
    } else {
        error = mem->ops.mmio_read(mem->ctx, address, in->size, &value);
    }
    if (error != 0) {
        pcv__hw_failed(device, PCV__IN_BAR | in->bar, in->write);
    } else if (!in->write) {
        *in->data = value;
    }
}

static void access_locked(struct pcv_device *device, struct inside *in,
                          uint64_t address) PCV__REQUIRES(device->lock)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__mapped *mapped = &vpci->mapped[in->bar];
    struct pcv__owned owned;

    if (device->torn || !vpci->decoding || !mapped->placed ||
        pcv__has_vanished(device)) {
        return;
    }
    pcv__bar_owned(device, in->bar, &owned);
    in->offset = address - owned.address;
    if (owned.address != mapped->start || address < owned.address ||
        owned.size < in->size || in->offset > owned.size - in->size) {
        return; /* it moves, or the access reaches over its end */
    }
    if (device->assignment && in->bar == PCV_BAR_IS_ROM) {
        by_image(device->assignment, in);
    } else if (by_hole(device, in) == BY_DEVICE) {
        by_device(device, in);
    }
}

void pcv__trap_access(struct pcv_device *device, uint8_t bar, uint64_t address,
                      uint8_t size, bool write, uint64_t *data)
{
    struct pcv__mem *mem = &device->host->mem;
    uint64_t ones = size >= 8 ? UINT64_MAX : (1ull << (size * 8u)) - 1u;
    struct inside in = {.data = data, .bar = bar, .size = size, .write = write};

    *data = write ? *data & ones : ones;
    pcv__lock_take(mem, &device->lock);
    access_locked(device, &in, address);
    pcv__lock_drop(mem, &device->lock);
    *data &= ones;
}
