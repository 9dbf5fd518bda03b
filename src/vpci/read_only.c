/* SPDX-License-Identifier: MIT */
/*
 * What the hardware domain sees of a function that the hypervisor drives
 * itself (OWN-8): all of it is hardware's, to be read, but for its BARs, which
 * are virtual. Neither has a handler: a read takes no lock.
 */
#include "vpci/bars.h"
#include "vpci/cap/msi.h"
#include "vpci/cap/msix.h"
#include "vpci/reserved.h"

static const char *const names[PCV_BARS] = {
    "BAR 0", "BAR 1", "BAR 2", "BAR 3", "BAR 4", "BAR 5", "Expansion ROM",
};

static int add_row(struct pcv__vpci *vpci, uint32_t place, uint16_t offset,
                   uint32_t settable, uint32_t value)
{
    struct pcv_register *row = &vpci->rows[place];

    *row = (struct pcv_register){
        .name = names[place],
        .offset = offset,
        .size = 4,
        .policy = {.constant = ~settable, .virt = settable},
        .initial = value,
    };
    return pcv__cells_add(vpci, row, NULL);
}

/* Bits of a BAR's register that are no address (PCI Local Bus 3.0, 6.2.5.1). */
static uint32_t type_bits(const struct pcv__bar *bar)
{
    uint32_t bits = bar->kind == PCV_BAR_MEM64 ? PCV_BAR_TYPE_64 : 0;

    if (bar->kind == PCV_BAR_IO) {
        return PCV_BAR_SPACE_IO;
    }
    return (bar->flags & PCV_BAR_PREFETCHABLE) != 0 ? bits | PCV_BAR_PREFETCH
                                                    : bits;
}

/* Whether its bytes are to be reserved: it has a place. An address of zero is
 * what stands in a BAR that nobody gave one. */
static bool has_place(const struct pcv__bar *bar, uint64_t address)
{
    uint64_t size = pcv__bar_size(bar);

    return address != 0 && size - 1u < UINT64_MAX - address;
}

/* A BAR whose size is known: one register, or two. */
static int add_bar(struct pcv_device *device, struct pcv__vpci *vpci,
                   uint32_t number)
{
    const struct pcv__bar *bar = &device->bar[number];
    uint16_t reg = pcv__bar_reg(device, number);
    uint32_t extra = type_bits(bar);
    bool place = true;
    uint64_t address;
    int error;

    if (!pcv__bar_address(device, number, &address)) {
        return -PCV_EIO;
    }
    if (bar->kind == PCV_BAR_ROM) {
        if (!pcv__hw_fetch(device, reg, 4, &extra)) {
            return -PCV_EIO;
        }
        extra &= PCV_ROM_ENABLE;
        place = extra != 0; /* else it is nowhere */
    }
    vpci->mapped[number].start = address;
    if (place && has_place(bar, address)) {
        vpci->reserved |= (uint8_t)(1u << number);
    }
    error = add_row(vpci, number, reg, pcv__bar_settable(bar),
                    (uint32_t)address | extra);
    if (error == 0 && bar->kind == PCV_BAR_MEM64) {
        error = add_row(vpci, number + 1, (uint16_t)(reg + 4u),
                        (uint32_t)(~(pcv__bar_size(bar) - 1u) >> 32),
                        (uint32_t)(address >> 32));
    }
    return error;
}

/* A register without a BAR. What stands in it, and does not change when it is
 * written, would look like a BAR without a size. */
static int add_nothing(struct pcv_device *device, struct pcv__vpci *vpci,
                       uint32_t number)
{
    uint16_t reg = pcv__bar_reg(device, number);
    uint32_t value;

    if (!pcv__hw_fetch(device, reg, 4, &value)) {
        return -PCV_EIO;
    }
    return value == 0 ? 0 : add_row(vpci, number, reg, 0, 0);
}

static bool is_upper_half(const struct pcv_device *device, uint32_t number)
{
    return number > 0 && number < PCV_BAR_IS_ROM &&
           device->bar[number - 1].kind == PCV_BAR_MEM64;
}

/* Registers of a type 1 header where a type 0 one has BARs. */
static bool is_bridges(const struct pcv_device *device, uint32_t number)
{
    return device->is_bridge && number >= 2 && number < PCV_BAR_IS_ROM;
}

static int fill(struct pcv_device *device, struct pcv__vpci *vpci)
{
    int error = 0;

    vpci->pass_through = true;
    vpci->read_only = true;
    vpci->rows = pcv__alloc(&device->host->mem, PCV_BARS * sizeof(*vpci->rows));
    if (!vpci->rows) {
        return -PCV_ENOMEM;
    }
    if (!pcv__bars_are_there(device)) {
        return 0;
    }
    for (uint32_t i = 0; i < PCV_BARS && error == 0; i++) {
        if (device->bar[i].order != 0) {
            error = add_bar(device, vpci, i);
        } else if (!is_upper_half(device, i) && !is_bridges(device, i)) {
            error = add_nothing(device, vpci, i);
        }
    }
    return error;
}

/* Whether it answers: registers that read all ones say nothing. */
static bool answers(struct pcv_device *device)
{
    uint32_t ids;

    return pcv__hw_fetch(device, PCV_REG_VENDOR, 4, &ids) && ids != 0xffffffffu;
}

/* Let a view be the device's, and return the one that was. */
static struct pcv__vpci *exchange(struct pcv_device *device,
                                  struct pcv__vpci *vpci)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *before = pcv__vpci(device);

    device->view = &vpci->view;
    return before;
}

int pcv__read_only_build(struct pcv_device *device, struct pcv__vpci **out_vpci)
{
    struct pcv__vpci *vpci, *before;
    int error = 0;

    if (!answers(device)) {
        return -PCV_EIO;
    }
    vpci = pcv__vpci_create(device);
    if (!vpci) {
        return -PCV_ENOMEM;
    }
    before = exchange(device, vpci);
    error = fill(device, vpci);
    if (error == 0) {
        error = pcv__reserved_prepare(device);
    }
    if (error != 0) {
        pcv__vpci_free(device);
    }
    device->view = &before->view;
    *out_vpci = error == 0 ? vpci : NULL;
    return error;
}

void pcv__read_only_discard(struct pcv_device *device, struct pcv__vpci *vpci)
{
    struct pcv__vpci *before = exchange(device, vpci);

    pcv__reserved_forget(device);
    pcv__vpci_free(device);
    device->view = &before->view;
}

void pcv__read_only_take(struct pcv_device *device, struct pcv__vpci *vpci)
{
    pcv__vpci_free(device);
    device->view = &vpci->view;
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (device->bar[i].order != 0) {
            device->bar[i].address = vpci->mapped[i].start;
        }
    }
    pcv__reserved_begin(device);
}

/* ---- messages --------------------------------------------------------------
 */

static uint32_t read_device(void *ctx, uint16_t reg, uint8_t size)
{
    return pcv__hw_read(ctx, reg, size);
}

/* Message control of both stands at the same place (PCI Local Bus 3.0, 6.8.1.3
 * and 6.8.2.3). */
static void switch_off(struct pcv_device *device, uint16_t cap, uint32_t enable)
{
    uint16_t reg = (uint16_t)(cap + 2u);
    uint32_t control;

    if (reg <= PCV_CFG_SIZE - 2u && pcv__hw_fetch(device, reg, 2, &control) &&
        control != 0xffffu && (control & enable) != 0) {
        pcv__hw_restore(device, reg, 2, control & ~enable);
    }
}

void pcv__read_only_silence(struct pcv_device *device)
{
    const struct pcv_cap_source source = {read_device, device};
    struct pcv_cap caps[PCV_CAPS_MAX];
    size_t count = pcv_caps_walk(&source, caps, PCV_CAPS_MAX, NULL);

    for (size_t i = 0; i < count; i++) {
        if (caps[i].id == PCV_CAP_ID_MSI) {
            switch_off(device, caps[i].offset, MSI_ENABLE);
        } else if (caps[i].id == PCV_CAP_ID_MSIX) {
            switch_off(device, caps[i].offset, MSIX_ENABLE);
        }
    }
}
