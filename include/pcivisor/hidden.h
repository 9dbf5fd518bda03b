/* SPDX-License-Identifier: MIT */
/*
 * Functions that the hypervisor has a use for, or that nobody is to have: one
 * that it shares with the hardware domain (hidden, OWN-7), one that the
 * hardware domain does not know of (concealed, OWN-9), one that is nobody's
 * (quarantine), and the way back. Each of these for one function, or for a
 * bridge and everything behind it (OWN-13). docs/hidden.md tells the whole
 * story; a function that the hypervisor drives alone and in everybody's sight
 * is in pcivisor/read_only.h.
 */
#ifndef PCIVISOR_HIDDEN_H
#define PCIVISOR_HIDDEN_H

#include "pcivisor/host.h"
#include "pcivisor/types.h"

/* Flags. */
#define PCV_SUBTREE 1u /* the bridge and everything behind it */
#define PCV_SLOT                                                               \
    2u /* all functions of the device number; what comes there                 \
          later, too */
/* The hypervisor needs the function's DMA: bus mastering is virtual for the
 * hardware domain as decoding is, and stays on. */
#define PCV_HIDE_MASTER 4u

#define PCV_HIDE_RANGES 8u

/* Bytes of a memory BAR that the hypervisor uses. */
struct pcv_hide_range {
    uint32_t bar;    /* 0 to 5 */
    uint64_t offset; /* bytes, from the BAR's start */
    uint64_t size;   /* bytes, not 0 */
};

struct pcv_hide_info {
    uint32_t flags;       /* PCV_SUBTREE or PCV_HIDE_MASTER */
    uint32_t range_count; /* of `range`: 4096 pages at most, in all */
    struct pcv_hide_range range[PCV_HIDE_RANGES];
};

/**
 * Hide a function: the hypervisor owns it and uses a part of it, and the
 * hardware domain goes on using the rest (OWN-7).
 *
 * The pages of the ranges are mapped for reading only, for whoever's BAR leads
 * there, as long as the function is hidden; writes to bytes of a range are
 * discarded and counted as refused, writes beside them reach the function.
 * Decoding, BARs, power state and reset (FLR) are virtual for the hardware
 * domain: they read back what it wrote, and hardware keeps what it has. So its
 * BARs must be where the hypervisor wants them, and decoded, before. A BAR that
 * the domain moves is served at its new place access by access, up to 16 MiB.
 * Resizing a BAR and enabling VFs are refused. Vectors and DMA stay the
 * hardware domain's. The bridges of a subtree keep their bus numbers, windows
 * and power, and reset nothing.
 *
 * One that is in quarantine is reset first, and stays there if that or anything
 * else fails.
 *
 * @info      copied; NULL: no ranges, no flags
 * @out_busy  who was in the way, with -PCV_EBUSY; with -PCV_ERESTART at whom it
 *            stopped, whose pcv_device_wait_us() counts; or NULL
 *
 * Returns 0, also if it is so already, with the same ranges; -PCV_EINVAL (flags
 * that there are not, PCV_SUBTREE for what is no bridge, or with ranges, which
 * belong to one function, a range that is not inside a memory BAR); -PCV_ENODEV
 * if nothing is there, it has vanished, or no bus number leads to it for the
 * moment; -PCV_EPERM for a VF, whose BARs are its PF's, and for a bridge alone;
 * -PCV_EOPNOTSUPP for a header that is neither type 0 nor 1; -PCV_EAGAIN while
 * it sleeps in a lower power state than D0; -PCV_EBUSY while
 * it is a guest's, on its way to one, the hypervisor's already, or a PF with
 * VFs, somebody else changes its owner, or it is in quarantine and a removal
 * waits for it (pcv_device_remove()); of a subtree also while an operation on
 * one that has functions in common with it is under way (*out_busy: its
 * bridge); -PCV_EEXIST if a register of the host's own (pcv_register_add())
 * stands where one has to be virtual; -PCV_EAGAIN while it sleeps (D3hot);
 * -PCV_EXDEV if it is in quarantine, and a guest has others of its isolation
 * group, of which *out_busy is the first; -PCV_ENOMEM; -PCV_EIO if the host
 * could not read it, it does not answer, or pages could not be made read-only.
 * Then nothing has changed; of a subtree everything that was done is taken
 * back. -PCV_ERESTART: call again, not before pcv_device_wait_us(). Accesses
 * are inside, or it settles from a reset: accesses to it may get retry until
 * the next call, or until pcv_device_reveal() takes that back. Or, of a
 * subtree, it is not all done. Context: control, one change of owner at a time
 * for each device. Locking: the segment's lock, the device's, map locks.
 */
int PCV_MUST_CHECK pcv_device_hide(struct pcv_host *host, pcv_sbdf sbdf,
                                   const struct pcv_hide_info *info,
                                   pcv_sbdf *out_busy);

/**
 * Conceal a function: it is the hypervisor's, and for the hardware domain there
 * is nothing at its address (OWN-9). It is not found by
 * pcv_device_find_owned(), nor by probing (LIFE-12); its BARs are reserved as
 * those of a read-only function; dma_attach is told that its requester ID is
 * PCV_DOMAIN_ID_HYPERVISOR's. Hardware is left as it is.
 *
 * Where function 0 is concealed and another function of the device is not, a
 * stub stands in for it: the vendor's ID, no device ID (ffff), class ff0000,
 * the multi-function bit, no BARs and no capabilities. With PCV_SLOT all
 * functions of the device number are concealed, and what is added there later
 * is not registered (-PCV_EEXIST, its DMA blocked); likewise behind a bridge
 * that is concealed.
 *
 * @flags     PCV_SUBTREE or PCV_SLOT, or 0
 * @out_busy  as of pcv_device_hide()
 *
 * Returns as pcv_device_hide(), but that -PCV_EPERM is for a VF and a bridge
 * alone, a header that is not known can be concealed, -PCV_EBUSY is also while
 * somebody holds a vector of it, and -PCV_EINVAL is also PCV_SLOT for another
 * function than 0, for a function 0 that is a bridge, and both flags.
 * With -PCV_ERESTART it answers absent until the next call, or until
 * pcv_device_reveal() takes that back.
 * Context, locking: as of pcv_device_hide().
 */
int PCV_MUST_CHECK pcv_device_conceal(struct pcv_host *host, pcv_sbdf sbdf,
                                      uint32_t flags, pcv_sbdf *out_busy);

/**
 * Let a function of the hardware domain be nobody's: bus mastering and decoding
 * go off, DMA is blocked, vectors and mappings go. It is not reset, which is
 * for whoever gets it next.
 *
 * @flags     PCV_SUBTREE or 0
 * @out_busy  as of pcv_device_hide()
 *
 * Returns 0, also if it is there already; -PCV_EINVAL; -PCV_ENODEV as of
 * pcv_device_hide(); -PCV_EPERM for a bridge alone; -PCV_EBUSY while it is a
 * guest's, on its way to one, or the hypervisor's, a PF with VFs, somebody
 * holds a vector of it, or changes its owner; -PCV_ENOMEM; -PCV_EIO; then it is
 * the hardware domain's as before. -PCV_ERESTART as of pcv_device_conceal().
 * Context, locking: as of pcv_device_hide().
 */
int PCV_MUST_CHECK pcv_device_quarantine(struct pcv_host *host, pcv_sbdf sbdf,
                                         uint32_t flags, pcv_sbdf *out_busy);

/**
 * Give back to the hardware domain what is hidden, concealed or in quarantine;
 * of a subtree or slot everything that is.
 *
 * A hidden function gets what the domain wrote to its virtual registers: BARs,
 * decoding, power state. A concealed one appears with what hardware has; it was
 * no guest's, so neither is reset. One that is in quarantine is reset, as by
 * pcv_device_deassign(). What an earlier call of the above began and did not
 * end is taken back.
 *
 * @flags     PCV_SUBTREE: everything of it that is one of these; PCV_SLOT: what
 *            was concealed with that flag; or 0
 * @out_busy  as of pcv_device_hide()
 *
 * Returns 0, also if it is the hardware domain's already; -PCV_EINVAL (flags;
 * it is read-only, for good); -PCV_ENODEV if nothing is there, it has vanished,
 * or no bus number leads to it for the moment; -PCV_EPERM for a concealed
 * function alone where all of its slot, or a bridge above it, is concealed;
 * -PCV_EBUSY: it is a guest's, on its way to one, or somebody else changes its
 * owner, an operation on all behind a bridge above or below is under way
 * (*out_busy), or a removal waits for what is in quarantine:
 * pcv_device_deassign() ends that, pcv_device_cancel_remove() takes it back;
 * -PCV_EXDEV: a guest has others of its isolation group, of which *out_busy is
 * the first; -PCV_ENOMEM; -PCV_EIO. Then it is as before, or in quarantine
 * still; of a subtree what is given back stays so. -PCV_ERESTART: call again,
 * not before pcv_device_wait_us(). Context, locking: as of pcv_device_hide().
 */
int PCV_MUST_CHECK pcv_device_reveal(struct pcv_host *host, pcv_sbdf sbdf,
                                     uint32_t flags, pcv_sbdf *out_busy);

#endif
