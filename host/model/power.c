/* SPDX-License-Identifier: MIT */
/*
 * Whether a function of the modelled machine takes part at all: it is there,
 * awake, and allowed to send.
 */
#include "machine.h"

/* At most 255 steps: every step up leads to a lower described bus number. */
bool pcv__model_is_there(const struct pcv__model_fn *fn)
{
    const struct pcv__model_fn *at = fn;

    if (atomic_load(&fn->state) != 0) {
        return false;
    }
    while (at->bus->link != NULL && at->bus->link->up != NULL) {
        at = at->bus->link->up;
        if (!pcv__model_forwards(at)) {
            return false;
        }
    }
    return true;
}

/* PCI Power Management 1.2, 3.2.4: bits 1:0 of control and status. */
static bool is_low(const struct pcv__model_fn *fn)
{
    return fn->pm != 0 && (pcv__model_get(fn, fn->pm + 4u, 2) & 3u) != 0;
}

bool pcv__model_is_asleep(const struct pcv__model_fn *fn)
{
    return is_low(fn) || (fn->pf != NULL && is_low(fn->pf));
}

bool pcv__model_can_send(const struct pcv__model_fn *fn)
{
    return (pcv__model_get(fn, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER) != 0 &&
           !pcv__model_is_asleep(fn) && pcv__model_is_there(fn);
}

pcv_sbdf pcv__model_requester_locked(const struct pcv_model *model,
                                     const struct pcv__model_fn *fn)
{
    const struct pcv__model_segment *segment =
        model->segment[pcv_sbdf_segment(fn->sbdf)];

    if (pcv__model_bus_at(segment, fn->bus->number) == fn->bus) {
        return fn->sbdf;
    }
    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        if (pcv__model_bus_at(segment, i) == fn->bus) {
            return pcv_sbdf_make(segment->segment, (uint8_t)i,
                                 pcv_sbdf_devfn(fn->sbdf));
        }
    }
    return fn->sbdf; /* no number leads to it: it keeps the last one it had */
}

/* What a bridge makes of the requester ID of something behind it. */
static pcv_sbdf renamed_locked(const struct pcv_model *model,
                               const struct pcv__model_fn *bridge, pcv_sbdf id)
{
    uint32_t type =
        bridge->pcie == 0
            ? PCV_PCIE_TYPE_FROM_PCI
            : pcv__model_get(bridge, bridge->pcie + PCV_PCIE_FLAGS, 2) >>
                      PCV_PCIE_FLAGS_TYPE_SHIFT &
                  0xfu;

    switch (type) {
    case PCV_PCIE_TYPE_TO_PCI:
        return pcv_sbdf_make(
            pcv_sbdf_segment(id),
            (uint8_t)pcv__model_get(bridge, PCV_REG_SECONDARY, 1), 0);
    case PCV_PCIE_TYPE_FROM_PCI:
        return pcv__model_requester_locked(model, bridge);
    default:
        return id;
    }
}

pcv_sbdf pcv__model_forwarded_locked(const struct pcv_model *model,
                                     const struct pcv__model_fn *fn)
{
    pcv_sbdf id = pcv__model_requester_locked(model, fn);
    const struct pcv__model_fn *at = fn;

    /* At most 255 steps: every step up leads to a lower described number. */
    while (at->bus->link != NULL && at->bus->link->up != NULL) {
        at = at->bus->link->up;
        id = renamed_locked(model, at, id);
    }
    return id;
}

pcv_sbdf pcv__model_sender_locked(const struct pcv_model *model,
                                  const struct pcv__model_fn *fn)
{
    return fn->sends_as_other ? fn->sends_as
                              : pcv__model_forwarded_locked(model, fn);
}
