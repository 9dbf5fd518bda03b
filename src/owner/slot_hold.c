/* SPDX-License-Identifier: MIT */
/*
 * A hot-plug port whose bus is reset would tell its driver that the card was
 * pulled and another plugged in (OWN-16; PCI Express Base 6.0, 6.7.3). Its
 * events are held back meanwhile, and those that came of the reset are cleared,
 * as a slot's own way to be reset does it on other systems.
 */
#include "owner/bus_reset.h"
#include "registry/route.h"

#define SLOT_END 0x1cu /* behind Slot Status, from the capability's start */
/* Slot Control (7.5.3.10): presence, link state, and interrupts at all. */
#define SLOT_EVENTS 0x1028u
#define SLOT_CHANGED                                                           \
    (PCV_PCIE_SLTSTA_PRESENCE_CHANGED | PCV_PCIE_SLTSTA_LINK_CHANGED)
#define SLOT_COMPLETED 0x0010u /* of Slot Status: a command was completed */

static bool has_slot(struct pcv_device *port)
{
    uint32_t flags;

    return pcv__is_link_port(port) && port->pcie_cap != 0 &&
           port->pcie_cap <= PCV_CFG_SIZE - SLOT_END &&
           pcv__hw_fetch(port, (uint16_t)(port->pcie_cap + PCV_PCIE_FLAGS), 2,
                         &flags) &&
           flags != 0xffffu && (flags & PCV_PCIE_FLAGS_SLOT) != 0;
}

/* Clear what has happened of these since it was looked at. */
static void forget(struct pcv_device *port, uint32_t events)
    PCV__REQUIRES(port->lock)
{
    uint16_t status = (uint16_t)(port->pcie_cap + PCV_PCIE_SLTSTA);
    uint32_t now;

    events &= ~(uint32_t)port->extras->bus_reset.slot_status;
    if (pcv__hw_fetch(port, status, 2, &now) && now != 0xffffu &&
        (now & events) != 0) {
        pcv__hw_restore(port, status, 2, now & events);
    }
}

/* A write of Slot Control is a command, which the slot reports as completed
 * (6.7.3.2): that was ours. */
static void command(struct pcv_device *port, uint32_t value)
    PCV__REQUIRES(port->lock)
{
    pcv__hw_restore(port, (uint16_t)(port->pcie_cap + PCV_PCIE_SLTCTL), 2,
                    value);
    forget(port, SLOT_COMPLETED);
}

/* Remember what is on, and what had happened before. */
void pcv__slot_hold(struct pcv_device *port)
{
    struct pcv__bus_reset *reset = &port->extras->bus_reset;
    uint32_t on, changed;

    reset->slot =
        has_slot(port) &&
        pcv__hw_fetch(port, (uint16_t)(port->pcie_cap + PCV_PCIE_SLTCTL), 2,
                      &on) &&
        on != 0xffffu &&
        pcv__hw_fetch(port, (uint16_t)(port->pcie_cap + PCV_PCIE_SLTSTA), 2,
                      &changed);
    if (!reset->slot) {
        return;
    }
    reset->slot_control = (uint16_t)on;
    reset->slot_status = (uint16_t)changed;
    if ((on & SLOT_EVENTS) != 0) {
        command(port, on & ~SLOT_EVENTS);
    }
}

/* What else the driver changed in Slot Control meanwhile stays. */
void pcv__slot_release(struct pcv_device *port)
{
    const struct pcv__bus_reset *reset = &port->extras->bus_reset;
    uint32_t now;

    if (!reset->slot) {
        return;
    }
    forget(port, SLOT_CHANGED);
    if ((reset->slot_control & SLOT_EVENTS) == 0) {
        return;
    }
    if (!pcv__hw_fetch(port, (uint16_t)(port->pcie_cap + PCV_PCIE_SLTCTL), 2,
                       &now)) {
        now = reset->slot_control;
    }
    if (now != 0xffffu) {
        command(port, now | (reset->slot_control & SLOT_EVENTS));
    }
}
