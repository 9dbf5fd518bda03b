/* SPDX-License-Identifier: MIT */
/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2; MSIX-1 to MSIX-3): its registers in
 * configuration space.
 *
 * Enable and function mask are virtual, and so is the table. Hardware's enable
 * follows the owner's; its function mask is on as well while nothing is bound,
 * so hardware's table need not be written, nor memory decoding be on, before an
 * entry is bound.
 */
#include "vpci/cap/msix.h"
#include "vpci/cap/list.h"

#define BAR_NUMBER 7u /* low bits of both; the rest is the offset */

static struct pcv__vpci *vpci_of(const struct pcv__cap *cap)
{
    return pcv__vpci(cap->device);
}

/* ---- hardware --------------------------------------------------------------
 */

void pcv__msix_control_write(const struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;
    uint32_t control = msix->kept | msix->control;

    if ((control & MSIX_ENABLE) != 0 && vpci_of(cap)->bound == 0) {
        control |= MSIX_MASK_ALL;
    }
    pcv__hw_restore(cap->device, (uint16_t)(cap->offset + MSIX_CONTROL), 2,
                    control);
}

/* ---- the control register --------------------------------------------------
 */

/* INTx is off while MSI-X is on (HDR-2). */
static void set_on(const struct pcv__cap *cap, bool on) PCV__NO_ANALYSIS
{
    if (vpci_of(cap)->msix_on != on) {
        vpci_of(cap)->msix_on = on;
        pcv__command_update(cap->device);
    }
}

/* Off, in hardware first. What the owner reads is not touched. */
static void switch_off(struct pcv__cap *cap)
{
    struct pcv__msix *msix = cap->state;

    msix->control &= (uint16_t)~MSIX_ENABLE;
    pcv__msix_control_write(cap);
    pcv__msix_unbind_all(cap);
    set_on(cap, false);
}

/* It is enabled, with the function mask on or off. Entries that wait for being
 * unmasked are bound before hardware's mask goes, and masked after it came. */
static void switch_on(struct pcv__cap *cap, uint16_t control)
{
    struct pcv__msix *msix = cap->state;

    set_on(cap, true);
    msix->control = control;
    if ((control & MSIX_MASK_ALL) == 0) {
        pcv__msix_follow_all(cap);
    }
    pcv__msix_control_write(cap);
}

static void store_control(struct pcv__cap *cap, uint16_t control)
{
    const struct pcv__msix *msix = cap->state;

    pcv__cap_store(cap, MSIX_CONTROL, 2, control | (msix->count - 1u));
}

static enum pcv_verdict write_control(const struct pcv_register_write *write)
{
    struct pcv__cap *cap = write->data;
    struct pcv__msix *msix = cap->state;
    uint16_t control = write->value & (MSIX_ENABLE | MSIX_MASK_ALL);

    if (!msix) {
        return PCV_DONE; /* it was torn down while we waited (CAP-5) */
    }
    if (!pcv__cap_is_guest(cap) && pcv__is_noted(cap->device, PCV__NOTE_MSIX)) {
        control &= MSIX_MASK_ALL; /* it is set aside: msix_prepare.c */
        store_control(cap, control);
    }
    if (msix->hidden) {
        pcv__cap_store(cap, MSIX_CONTROL, 2, 0);
    } else if ((control & MSIX_ENABLE) != 0) {
        if (control != msix->control) {
            switch_on(cap, control);
        }
    } else {
        if ((msix->control & MSIX_ENABLE) != 0) {
            switch_off(cap);
        }
        msix->control = control;
    }
    return PCV_DONE;
}

static const struct pcv_register_ops control_ops = {.write = write_control};

/* PCI Local Bus 3.0, 6.8.2.3 to 6.8.2.5. */
static const struct pcv_register rows[] = {
    {
        .name = "MSI-X Message Control",
        .offset = MSIX_CONTROL,
        .size = 2,
        .policy = {.virt = MSIX_ENABLE | MSIX_MASK_ALL,
                   .constant = MSIX_SIZE,
                   .preserve = 0x3800u},
        .ops = &control_ops,
    },
    {
        .name = "MSI-X Table Offset",
        .offset = MSIX_TABLE,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
    {
        .name = "MSI-X PBA Offset",
        .offset = MSIX_PBA,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
};

/* ---- setup -----------------------------------------------------------------
 */

/* What hardware's registers say. */
struct registers {
    uint32_t control, table, pba;
};

static bool read_registers(const struct pcv__cap *cap, struct registers *out)
{
    struct pcv_device *device = cap->device;

    return cap->offset <= PCV_CFG_SIZE - 0x0cu &&
           pcv__hw_fetch(device, (uint16_t)(cap->offset + MSIX_CONTROL), 2,
                         &out->control) &&
           out->control != 0xffffu &&
           pcv__hw_fetch(device, (uint16_t)(cap->offset + MSIX_TABLE), 4,
                         &out->table) &&
           pcv__hw_fetch(device, (uint16_t)(cap->offset + MSIX_PBA), 4,
                         &out->pba);
}

static size_t state_size(uint32_t count)
{
    return sizeof(struct pcv__msix) + count * sizeof(struct pcv__msix_entry);
}

static void reset_entries(struct pcv__msix *msix)
{
    memset(msix->entry, 0, msix->count * sizeof(msix->entry[0]));
    for (uint16_t i = 0; i < msix->count; i++) {
        msix->entry[i].lower = MSIX_IS_MASKED;
    }
}

static bool make_state(struct pcv__cap *cap, const struct registers *regs)
{
    uint32_t count = (regs->control & MSIX_SIZE) + 1u;
    struct pcv__msix *msix =
        pcv__alloc(&cap->device->host->mem, state_size(count));

    if (!msix) {
        return false;
    }
    cap->state = msix;
    msix->kept = (uint16_t)(regs->control & ~(MSIX_ENABLE | MSIX_MASK_ALL));
    msix->count = (uint16_t)count;
    msix->table_bar = regs->table & BAR_NUMBER;
    msix->table = regs->table & ~BAR_NUMBER;
    msix->pba_bar = regs->pba & BAR_NUMBER;
    msix->pba = regs->pba & ~BAR_NUMBER;
    reset_entries(msix);
    return true;
}

static bool host_can(const struct pcv_device *device)
{
    const struct pcv_host_ops *ops = &device->host->mem.ops;

    return pcv__vectors_can_bind(device) && ops->mmio_read &&
           ops->mmio_permitted;
}

static bool decodes_memory(struct pcv_device *device)
{
    uint32_t command;

    if (device->is_vf) {
        return pcv__vf_decodes(device);
    }
    return pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) &&
           command != 0xffffu && (command & PCV_CMD_MEMORY) != 0;
}

/* The hardware domain finds what firmware or an earlier kernel left: what is
 * enabled goes on, with its entries bound. Where the table cannot be read,
 * memory decoding being off, it is off. */
static void adopt(struct pcv__cap *cap, uint16_t control)
{
    struct pcv__msix *msix = cap->state;

    control &= MSIX_ENABLE | MSIX_MASK_ALL;
    if ((control & MSIX_ENABLE) != 0 && decodes_memory(cap->device)) {
        msix->control = control;
        pcv__msix_control_write(cap); /* the function mask is on */
        pcv__msix_adopt(cap);
        switch_on(cap, control);
    } else if ((control & MSIX_ENABLE) != 0) {
        control = control & MSIX_MASK_ALL;
        msix->control = control;
        switch_off(cap);
    }
    msix->control = control;
    store_control(cap, control);
}

/* A function has one; what else says that it is one is hidden. */
static bool is_first(const struct pcv__cap *cap)
{
    return pcv__cap_find(cap->device, PCV_CAP_ID_MSIX, false) == cap;
}

static int set_up(struct pcv__cap *cap, const struct registers *regs)
{
    int error;

    if (!host_can(cap->device)) {
        return -PCV_EOPNOTSUPP;
    }
    if (!is_first(cap)) {
        return -PCV_EEXIST;
    }
    if (!make_state(cap, regs)) {
        return -PCV_ENOMEM;
    }
    if (!pcv__msix_is_sound(cap)) {
        return -PCV_EINVAL;
    }
    error = pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));
    if (error == 0) {
        error = pcv__msix_holes_set(cap);
    }
    if (error != 0) {
        return error;
    }
    pcv__cap_store(cap, MSIX_TABLE, 4, regs->table);
    pcv__cap_store(cap, MSIX_PBA, 4, regs->pba);
    if (pcv__cap_is_guest(cap)) {
        switch_off(cap);
        store_control(cap, 0);
    } else {
        adopt(cap, (uint16_t)regs->control);
    }
    return 0;
}

static int setup(struct pcv__cap *cap)
{
    struct registers regs;
    int error;

    if (!read_registers(cap, &regs)) {
        return -PCV_EIO;
    }
    error = set_up(cap, &regs);
    if (error != 0 && (regs.control & MSIX_ENABLE) != 0) {
        /* What is hidden must not go on sending. */
        pcv__hw_restore(cap->device, (uint16_t)(cap->offset + MSIX_CONTROL), 2,
                        regs.control & ~MSIX_ENABLE);
    }
    return error;
}

/* Nobody sees it: nobody reaches what it has in memory, nor is it sent. Of the
 * hardware domain that is asked only where the host can serve the rest of those
 * pages. */
static int shield(struct pcv__cap *cap)
{
    struct pcv_device *device = cap->device;
    struct registers regs;
    uint32_t count;

    if (cap->offset > PCV_CFG_SIZE - 0x0cu ||
        (!pcv__cap_is_guest(cap) && !device->host->mem.ops.mmio_read)) {
        return 0;
    }
    if (!read_registers(cap, &regs)) {
        return regs.control == 0xffffu ? 0 : -PCV_EIO;
    }
    count = (regs.control & MSIX_SIZE) + 1u;
    pcv__hole_shield(device, 0, regs.table & BAR_NUMBER,
                     regs.table & ~BAR_NUMBER, count * MSIX_ENTRY_SIZE);
    pcv__hole_shield(device, 1, regs.pba & BAR_NUMBER, regs.pba & ~BAR_NUMBER,
                     (count + 63u) / 64u * 8u);
    return 0;
}

/* ---- the rest of the description -------------------------------------------
 */

static void teardown(struct pcv__cap *cap)
{
    struct pcv__msix *msix = cap->state;

    if (!msix) {
        return;
    }
    msix->control = 0;
    switch_off(cap);
    pcv__msix_holes_clear(cap);
    cap->state = NULL;
    pcv__free(&cap->device->host->mem, msix, state_size(msix->count));
}

void pcv__msix_reset(struct pcv__cap *cap)
{
    struct pcv__msix *msix = cap->state;

    if (!msix) {
        return;
    }
    msix->control = 0;
    switch_off(cap);
    reset_entries(msix);
    store_control(cap, 0);
}

static void restore(struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;

    if (!msix || (msix->control & MSIX_ENABLE) == 0) {
        return; /* hardware's MSI-X is off after a reset */
    }
    pcv__msix_resend(cap);
    switch_on(cap, msix->control);
}

/* Bus numbers move: nothing is sent, and nothing is bound for the host. */
static void leave(struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;

    if (!msix || (msix->control & MSIX_ENABLE) == 0) {
        return;
    }
    pcv__hw_restore(cap->device, (uint16_t)(cap->offset + MSIX_CONTROL), 2,
                    msix->kept | msix->control | MSIX_MASK_ALL);
    pcv__msix_park(cap);
}

const struct pcv__cap_desc pcv__cap_msix = {
    .name = "MSI-X",
    .id = PCV_CAP_ID_MSIX,
    .extended = false,
    .flags = PCV__CAP_GUEST | PCV__CAP_HARDWARE,
    .control_size = 0x0cu,
    .setup = setup,
    .shield = shield,
    .teardown = teardown,
    .reset = pcv__msix_reset,
    .restore = restore,
    .leave = leave,
    .arrive = restore,
    .mmio = pcv__msix_mmio,
};
