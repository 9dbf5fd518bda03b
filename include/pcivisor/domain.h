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

uint32_t pcv_domain_id(const struct pcv_domain *domain);
enum pcv_domain_kind pcv_domain_kind(const struct pcv_domain *domain);

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
