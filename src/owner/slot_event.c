/* SPDX-License-Identifier: MIT */
/*
 * What left its slot without a word (LIFE-9, LIFE-12). All ones alone say
 * nothing; together with a port that sees no card, or no link, they say that
 * everything behind that port is gone.
 */
#include "owner/look.h"
#include "registry/route.h"

#define SLOT_END 0x1cu /* behind Slot Status, from the capability's start */

static uint32_t read_cap(struct pcv_device *port, uint32_t offset, uint8_t size)
{
    return pcv__hw_read(port, (uint16_t)(port->pcie_cap + offset), size);
}

/* Whether a port that answers sees nothing at the other end of its link. While
 * it resets what is there, that has not gone. */
static bool is_empty(struct pcv_device *port)
{
    uint32_t control = pcv__hw_read(port, PCV_REG_BRIDGE_CONTROL, 2);
    uint32_t flags, slot, caps, link;

    if (port->pcie_cap == 0 || port->pcie_cap > PCV_CFG_SIZE - SLOT_END ||
        (control & PCV_BRIDGE_RESET) != 0 ||
        pcv__is_noted(port, PCV__NOTE_BUS_RESET)) {
        return false;
    }
    flags = read_cap(port, PCV_PCIE_FLAGS, 2);
    slot = read_cap(port, PCV_PCIE_SLTSTA, 2);
    caps = read_cap(port, PCV_PCIE_LNKCAP, 4);
    link = read_cap(port, PCV_PCIE_LNKSTA, 2);
    /* What does not answer reads as if it were there. */
    if ((flags & PCV_PCIE_FLAGS_SLOT) != 0 &&
        (slot & PCV_PCIE_SLTSTA_PRESENT) == 0) {
        return true;
    }
    return caps != UINT32_MAX && (caps & PCV_PCIE_LNKCAP_REPORTS) != 0 &&
           (link & PCV_PCIE_LNKSTA_ACTIVE) == 0;
}

/* Whether hardware answers at the address of a device, whatever is known of
 * it. A host that fails says nothing. */
static bool is_silent(struct pcv_device *device)
{
    return pcv__probe(device->host, pcv__device_sbdf(device)) == -PCV_ENODEV;
}

void pcv__look_above(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *port =
        pcv__bridge_above(host, pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf));

    /* Bounded: bus numbers go down on the way up. A port that does not answer
     * may be behind the one that has lost its card. */
    while (port && (!pcv__is_link_port(port) || pcv__has_vanished(port) ||
                    is_silent(port))) {
        sbdf = pcv__device_sbdf(port);
        pcv_device_put(port);
        port =
            pcv__bridge_above(host, pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf));
    }
    if (port && is_empty(port)) {
        pcv__slot_emptied(port);
    }
    pcv_device_put(port);
}

/*
 * The functions of the one device behind a port, but for VFs: whether none of
 * them answers, if that is asked. They are marked, since a card that came and
 * went may have the same IDs.
 */
static bool all_silent(struct pcv_device *port, uint8_t bus, bool asked)
{
    uint16_t segment = pcv_sbdf_segment(pcv__device_sbdf(port));
    bool silent = asked;

    for (uint32_t devfn = 0; devfn < PCV_DEVFNS; devfn++) {
        struct pcv_device *device = pcv_device_find(
            port->host, pcv_sbdf_make(segment, bus, (uint8_t)devfn));

        if (device && !device->is_vf) {
            atomic_store_explicit(&device->suspect, true, memory_order_release);
            silent = silent && is_silent(device);
        }
        pcv_device_put(device);
    }
    return silent;
}

void pcv__slot_event(struct pcv_device *port)
{
    struct pcv__mem *mem = &port->host->mem;
    bool bound;
    uint8_t bus;

    if (!atomic_exchange_explicit(&port->slot_event, false,
                                  memory_order_acq_rel)) {
        return;
    }
    atomic_fetch_sub_explicit(&port->host->slot_count, 1, memory_order_acq_rel);
    pcv__lock_take(mem, &port->segment->lock);
    bound = port->bound && (pcv__word(port) & PCV__WORD_LEAVING) == 0;
    bus = port->secondary;
    pcv__lock_drop(mem, &port->segment->lock);
    if (bound && all_silent(port, bus, is_empty(port))) {
        pcv__slot_emptied(port);
    }
}
