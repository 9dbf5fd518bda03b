/* SPDX-License-Identifier: MIT */
/*
 * Domains: those who can own a device.
 */
#ifndef PCIVISOR_DOMAIN_H
#define PCIVISOR_DOMAIN_H

#include "pcivisor/host.h"
#include "pcivisor/types.h"

struct pcv_domain;

enum pcv_domain_kind {
    PCV_DOMAIN_HARDWARE,   /* the privileged domain that drives the machine */
    PCV_DOMAIN_GUEST,      /* any other */
    PCV_DOMAIN_HYPERVISOR, /* owner of hidden devices */
    PCV_DOMAIN_QUARANTINE, /* owner of devices that nobody may use */
};

/* Identifiers of the domains that every host has. Guests get others. */
#define PCV_DOMAIN_ID_HARDWARE 0u
#define PCV_DOMAIN_ID_HYPERVISOR 0xfffffffeu
#define PCV_DOMAIN_ID_QUARANTINE 0xffffffffu

/** The hardware domain; it lives as long as the host. Context: any. */
struct pcv_domain *pcv_host_hardware_domain(struct pcv_host *host);

/** As it was created. Context: any. Locking: none. */
uint32_t pcv_domain_id(const struct pcv_domain *domain);
enum pcv_domain_kind pcv_domain_kind(const struct pcv_domain *domain);

/**
 * Create a guest: a domain with a virtual bus of its own (bus 0 of segment 0,
 * empty) and nothing mapped.
 *
 * @id   the host's name for it, as handed to host operations; not one of the
 *       three that every host has
 *
 * Returns 0 and *out_domain, owned by the host until pcv_domain_destroy();
 * -PCV_EINVAL (id is reserved); -PCV_EEXIST; -PCV_ENOMEM.
 * Context: control, not beside another call that makes or ends a domain.
 */
int PCV_MUST_CHECK pcv_domain_create(struct pcv_host *host, uint32_t id,
                                     struct pcv_domain **out_domain);

/**
 * End a guest. What it has, or is about to get, is given back, as
 * pcv_device_deassign() does it: to the hardware domain, or to quarantine, as
 * its assignment said; a removal that waits for it completes (OWN-11). From the
 * first call on it is assigned nothing more. Each call works on one function,
 * and none waits for its reset: it goes on with the next, and comes back.
 *
 * What fails on its way is in quarantine, with an event, and in nobody's way.
 * Only what cannot be cut off from the guest's memory keeps it (-PCV_EIO).
 *
 * Returns 0: it is gone, and must not be used again. -PCV_EINVAL (not a guest).
 * -PCV_ERESTART: call again, not before pcv_domain_wait_us(). -PCV_EBUSY:
 * somebody else changes the owner of all that is left; call again. -PCV_EIO:
 * the DMA of a function could not be blocked, so it has that still; call again.
 * Context: control, not beside its accesses, a query of a device that was its
 * own a moment ago, nor another call that makes or ends a domain.
 */
int PCV_MUST_CHECK pcv_domain_destroy(struct pcv_domain *domain);

/**
 * How long until pcv_domain_destroy() has anything to do, in microseconds; 0:
 * now. Context: control, not beside it.
 */
uint64_t pcv_domain_wait_us(struct pcv_domain *domain);

/** The domain with an identifier, one of the host's own included, or NULL.
 * Context: control, not beside pcv_domain_create() or destroy. */
struct pcv_domain *pcv_domain_find(struct pcv_host *host, uint32_t id);

/** The guest with the smallest identifier above `id` (`first`: at or above), or
 * NULL. Context: as pcv_domain_find(). */
struct pcv_domain *pcv_domain_next(struct pcv_host *host, uint32_t id,
                                   bool first);

#define PCV_DOMAIN_WINDOWS 8u

/**
 * Declare a range of guest-physical addresses where BARs of this guest may
 * appear (HDR-17). A guest without windows has no BAR mapped.
 *
 * Returns 0; -PCV_EINVAL (not a guest, not whole pages, empty, or it wraps);
 * -PCV_EEXIST if it overlaps another; -PCV_ENOSPC: there are
 * PCV_DOMAIN_WINDOWS already.
 * Context: control, before the guest's first access.
 */
int PCV_MUST_CHECK pcv_domain_add_window(struct pcv_domain *domain,
                                         pcv_gpa base, uint64_t size);

/**
 * The device that a guest sees at an address of its own bus, with a reference;
 * for the hardware domain the device at that address. NULL if there is none.
 * Context: any. Locking: none.
 */
struct pcv_device *pcv_domain_device(struct pcv_domain *domain,
                                     pcv_sbdf guest_sbdf);

/* A run of mapped pages, for those who look. */
struct pcv_mapping {
    uint64_t first_page; /* page frame number */
    uint64_t pages;
    uint32_t users; /* how many BARs want these pages */
};

/**
 * The first mapped run that ends after page `from`.
 *
 * Returns true and *out_mapping, or false if there is none.
 * Context: any. Locking: takes the domain's map lock.
 */
bool pcv_domain_next_mapping(struct pcv_domain *domain, uint64_t from,
                             struct pcv_mapping *out_mapping);

#endif
