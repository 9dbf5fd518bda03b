/* SPDX-License-Identifier: MIT */
/*
 * Registers of bridges and PFs whose write would take a guest's function away
 * (OWN-15). Whether there is such a function is a mark of the bridge or PF,
 * which changes under its lock (owner/guard.c): who handles a write holds that,
 * so the mark stays true until the write is done.
 */
#ifndef PCV_VPCI_PROTECT_H
#define PCV_VPCI_PROTECT_H

#include "vpci/internal.h"

/* Bits of a bridge's command register without which nothing reaches what is
 * behind it, or comes from there. */
#define PCV__BRIDGE_ENABLES (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER)

/* Bits of a register, by what must not happen to them. */
struct pcv__protected {
    uint32_t kept;    /* to change */
    uint32_t set;     /* to go from zero to one */
    uint32_t cleared; /* to go from one to zero */
    /* It resets or unpowers what is behind the bridge: what the hypervisor uses
     * there is not taken from it either, whatever the administrator lets
     * through. The rest it finds again when it is put right. */
    bool resets;
};

/*
 * What of a write of the hardware domain is to have its effect, in *out_value:
 * bits that are protected keep what they are, which is counted and told, and
 * the others are as written. PCV_DONE. PCV_ABSENT: nothing is left to be
 * written, or the register does not answer. PCV_FORWARD: the administrator lets
 * the write through, but first its victims are to be taken away, and then it
 * comes again: the handler returns that.
 */
enum pcv_verdict pcv__protect(const struct pcv_register_write *write,
                              const struct pcv__protected *bits,
                              uint32_t *out_value)
    PCV__REQUIRES(write->device->lock);

/* What a handler returns where pcv__protect() was not done. */
static inline enum pcv_verdict pcv__protect_end(enum pcv_verdict verdict)
{
    return verdict == PCV_FORWARD ? PCV_FORWARD : PCV_DONE;
}

/* A write to these bits was dropped for a guest's sake: count and tell. */
void pcv__protect_tell(struct pcv_device *device, uint16_t reg, uint32_t bits);

/* Whether the hypervisor uses something behind the bridge. */
static inline bool pcv__keeps(const struct pcv_device *device)
{
    return pcv__is_noted(device, PCV__NOTE_KEEPS);
}

/* Whether a guest has a function behind the bridge, or a VF of the PF. */
static inline bool pcv__guards(const struct pcv_device *device)
{
    return pcv__is_marked(device, PCV__MARK_GUARDS);
}

#endif
