/* SPDX-License-Identifier: MIT */
/*
 * Emulated functions on the hardware domain's buses (VBUS-6): functions that
 * no hardware answers for but the host, by callbacks. A hypervisor's control
 * device is one.
 *
 * Such a function is a conventional endpoint (PCI Local Bus 3.0, chapter 6):
 * type 0 header, one memory BAR, no capabilities, no interrupt, no extended
 * space, and it does not master the bus. It takes a device number for itself
 * and is function 0 there. docs/emulated.md tells the whole story.
 */
#ifndef PCIVISOR_EMULATED_H
#define PCIVISOR_EMULATED_H

#include "pcivisor/assign.h"
#include "pcivisor/domain.h"
#include "pcivisor/types.h"

struct pcv_emulated;

/*
 * What is behind the BAR. Both are required. An access has 1, 2, 4 or 8 bytes,
 * is naturally aligned and lies inside the BAR; whether the width suits a
 * register is the callback's business.
 *
 * They return 0; -PCV_ERESTART: nothing was done, and the access is to be run
 * again (PCV_RETRY); any other error: a read is all ones, a write is lost.
 *
 * Context: that of pcv_mmio_access(), on several CPUs at once; no lock of the
 * library is held. They may call the library, but not what ends the host, and
 * their own pcv_emulated_destroy() answers restart as long as they are inside.
 */
struct pcv_emulated_ops {
    int (*read)(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                uint64_t *out_value);
    int (*write)(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                 uint64_t value);
};

/* Bytes. There is a largest since shutting a BAR off is one step, whatever
 * device's BAR gets its pages by that. */
#define PCV_EMULATED_BAR_MIN 16u
#define PCV_EMULATED_BAR_MAX 0x100000u

/* Who it is; nothing of it is built in. */
struct pcv_emulated_info {
    pcv_sbdf sbdf;           /* function 0 of a device number on a root bus */
    uint16_t vendor, device; /* neither 0 nor all ones as vendor */
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: base class, sub-class, interface */
    uint8_t revision;
    bool bar_64;       /* BAR 0 is a 64-bit one; it takes BAR 1, too */
    uint64_t bar_size; /* bytes, a power of two, PCV_EMULATED_BAR_* */
    /* Where BAR 0 may stand. Elsewhere it leads nowhere, so that no domain can
     * lay it over its memory. */
    pcv_gpa window;
    uint64_t window_size; /* bytes */
};

/**
 * Let an emulated function stand on a bus of the hardware domain.
 *
 * Decoding is off and its BAR is 0, as after a reset. Reads of the address,
 * through any entrance, are answered from now on. What is plugged in at its
 * device number later is concealed: its DMA is blocked (dma_attach of all eight
 * requester IDs to quarantine), pcv_device_add() and scans do not register it,
 * and the first to see it causes PCV_EVENT_CONCEALED.
 *
 * @hardware  pcv_host_hardware_domain()
 * @info      copied
 * @ops       copied
 * @ctx       first argument of both; lent until pcv_emulated_destroy() was 0
 *
 * Returns 0 and *out_emulated, the host's until it is destroyed; -PCV_EINVAL
 * (not the hardware domain, a bus that the host does not have, function not 0,
 * IDs or class that cannot be, a size that is no BAR's, a missing callback);
 * -PCV_ENOSPC: the window has no place for the BAR; -PCV_EPERM: a bridge leads
 * to the bus; -PCV_EEXIST: a function is registered in that device number,
 * answers there, or is emulated there; -PCV_ENOMEM; -PCV_EIO: the host could
 * not say whether something answers, or not block its DMA. A failed call leaves
 * nothing behind. Context: control. Locking: the segment's lock, the domain's
 * map lock.
 */
int PCV_MUST_CHECK pcv_emulated_create(struct pcv_domain *hardware,
                                       const struct pcv_emulated_info *info,
                                       const struct pcv_emulated_ops *ops,
                                       void *ctx,
                                       struct pcv_emulated **out_emulated);

/**
 * Take it away again: from the first call on its address is empty and its BAR
 * leads nowhere.
 *
 * Returns 0: it is gone, no callback runs and none will; -PCV_ERESTART: some
 * are running on other CPUs (or on this one), call again. NULL is allowed.
 * A host that is destroyed takes what is left along.
 * Context: control, beside accesses, but not beside another call for the same
 * function. Locking: the segment's lock, the domain's map lock.
 */
int PCV_MUST_CHECK pcv_emulated_destroy(struct pcv_emulated *emulated);

/* What an emulated function is at, for those who look. */
struct pcv_emulated_status {
    struct pcv_emulated_info info;
    uint16_t command; /* register */
    /* BAR 0: state is off, trapped (it can be reached), outside (of its window)
     * or waiting (a BAR of a physical function, or another emulated one, has
     * one of its pages); host is 0. */
    struct pcv_bar_view bar;
    uint64_t reads, writes; /* of registers and of the BAR */
    uint64_t refused;       /* of those of the BAR: width or alignment */
    uint32_t inside;        /* callbacks that run */
    uint8_t concealed;      /* bit n: function n answers there physically */
};

/**
 * Context: any, but not beside its destroy. Locking: the domain's map lock.
 */
void pcv_emulated_get_status(struct pcv_emulated *emulated,
                             struct pcv_emulated_status *out_status);

#endif
