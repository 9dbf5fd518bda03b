/* SPDX-License-Identifier: MIT */
/*
 * Requester IDs (TOPO-5): under which addresses the IOMMU sees what a function
 * sends. A function has its own; those of phantom functions; those of bridges
 * above that send on in their own name; and those that the host names because
 * it knows the chip. docs/isolation.md tells whose memory each reaches.
 */
#ifndef PCIVISOR_REQUESTER_H
#define PCIVISOR_REQUESTER_H

#include "pcivisor/device.h"
#include "pcivisor/types.h"

enum pcv_requester_kind {
    PCV_REQUESTER_OWN,
    PCV_REQUESTER_PHANTOM, /* of a phantom function */
    PCV_REQUESTER_ALIAS,   /* what a bridge puts in its place: device 0,
                              function 0 of its secondary bus */
    PCV_REQUESTER_BRIDGE,  /* a bridge's own */
    PCV_REQUESTER_NAMED,   /* by pcv_device_add_requester() */
    PCV_REQUESTER_KINDS
};

/**
 * A constant string for a kind: "own", "phantom", "alias", "bridge", "named".
 * Context: any. Locking: none.
 */
const char *pcv_requester_kind_name(enum pcv_requester_kind kind);

struct pcv_requester {
    pcv_sbdf id;
    enum pcv_requester_kind kind;
    pcv_sbdf by; /* the bridge that sends under it; else the function */
    /* Whose memory it reaches, as the library last told the host; quarantine:
     * nobody's, either because nobody uses it, or because several do that are
     * not the same domain's. */
    uint32_t domain_id;
    bool shared; /* other functions that are registered send under it, too */
};

/**
 * One of the requester IDs of a function. The first is its own, then phantom
 * functions', then those of bridges, nearest first, then those that were named.
 *
 * @index  from 0
 *
 * Returns 0 and *out_requester; -PCV_ENOENT past the last; -PCV_ENODEV if
 * nothing is registered there, or no bus number leads to it; -PCV_EINVAL.
 * Context: control. Locking: the segment's lock, for as many steps as there are
 * functions behind its bridges.
 */
int PCV_MUST_CHECK pcv_device_requester(struct pcv_host *host, pcv_sbdf sbdf,
                                        uint32_t index,
                                        struct pcv_requester *out_requester);

/**
 * The first function at or after an address that sends under a requester ID:
 * who may have caused a fault of the IOMMU. Bridges that send on are not told.
 *
 * @from  0 to begin, then the last answer plus one
 *
 * Returns whether there is one, and its address.
 * Context: any. Locking: the segment's lock.
 */
bool pcv_requester_next_user(struct pcv_host *host, pcv_sbdf requester,
                             pcv_sbdf from, pcv_sbdf *out_sbdf);

#define PCV_REQUESTERS_NAMED 4u /* of one function */

/**
 * A function also sends under another requester ID, of its segment: a chip that
 * does not keep to the rules. From now on that one follows it; functions that
 * share one are one isolation group. It stays for as long as the function is
 * registered, whatever bus numbers become of others.
 *
 * Best called before a guest has it.
 *
 * Returns 0, also if it does already; -PCV_EINVAL (another segment);
 * -PCV_ENODEV; -PCV_EBUSY: a guest has the function, or its owner, or that of
 * the function at `requester`, is being changed; -PCV_ENOSPC: it has
 * PCV_REQUESTERS_NAMED; -PCV_ENOMEM; -PCV_EIO: the host could not attach it,
 * nothing has changed; -PCV_ERESTART: call again. Context: control. Locking:
 * the segment's lock.
 */
int PCV_MUST_CHECK pcv_device_add_requester(struct pcv_host *host,
                                            pcv_sbdf sbdf, pcv_sbdf requester);

/**
 * A function uses phantom functions though its PCI Express capability does not
 * say so, or it has none.
 *
 * @stride  1, 2 or 4: the distance of function numbers that it sends under
 *
 * These cannot be switched off, so they follow it to a guest, too. Numbers at
 * which a function is registered are that one's.
 *
 * Returns as pcv_device_add_requester(); -PCV_EINVAL also for another stride,
 * a function number that is not below it, and with ARI.
 * Context and locking: as pcv_device_add_requester().
 */
int PCV_MUST_CHECK pcv_device_set_phantom(struct pcv_host *host, pcv_sbdf sbdf,
                                          uint8_t stride);

#endif
