/* SPDX-License-Identifier: MIT */
/* The device tree that a domain is started with. */
#ifndef HYP_DOMAIN_FDT_H
#define HYP_DOMAIN_FDT_H

#include "domain.h"
#include "machine.h"

/* Make the hardware domain's tree in `size` bytes of its memory; `frame` is
 * the doorbell's address. 0, -PCV_ENOMEM or -PCV_EINVAL. */
int domain_fdt_make(const struct machine *machine, const struct domain *domain,
                    const struct boot_module *module, uint64_t frame, void *at,
                    size_t size);

/* The next device in a tree that its domain drives without us; *node is -1
 * before the first. *out_intid 0: it has no interrupt. */
bool domain_fdt_device(const void *fdt, int *node, struct region *out_region,
                       uint32_t *out_intid);

/* A property of text; 0 or libfdt's error. */
int domain_fdt_set_text(void *fdt, int node, const char *name,
                        const char *text);

#endif
