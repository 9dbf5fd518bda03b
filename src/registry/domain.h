/* SPDX-License-Identifier: MIT */
/* Making and ending domains. */
#ifndef PCV_REGISTRY_DOMAIN_H
#define PCV_REGISTRY_DOMAIN_H

#include "registry/internal.h"

void pcv__domain_init(struct pcv_domain *domain, struct pcv_host *host,
                      uint32_t id, enum pcv_domain_kind kind);
/* Nothing may be mapped any more. */
void pcv__domain_fini(struct pcv_domain *domain);

/* A guest that has nothing any more goes. */
void pcv__domain_free(struct pcv_domain *domain);

/* An empty map whose nodes are the host's memory. */
void pcv__map_init(struct pcv__imap *map, struct pcv_host *host);

/* Give back all memory of a host that has no device left. */
void pcv__host_free(struct pcv_host *host);

#endif
