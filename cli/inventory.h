/* SPDX-License-Identifier: MIT */
/*
 * All functions of a machine at one moment, and who is above whom.
 */
#ifndef PCIVISOR_CLI_INVENTORY_H
#define PCIVISOR_CLI_INVENTORY_H

#include "machine.h"

#define INVENTORY_NONE SIZE_MAX

struct inventory_node {
    struct pcv_device_info info;
    uint32_t domain; /* what people call its segment */
    size_t parent;   /* the bridge above; INVENTORY_NONE on a root bus */
    size_t child;    /* the first behind it, or INVENTORY_NONE */
    size_t next;     /* the next behind the same bridge, or on the same root
                      bus; or INVENTORY_NONE */
};

struct inventory {
    struct inventory_node *node; /* by domain, bus, device and function */
    size_t count;
    size_t buses; /* with at least one function */
};

void inventory_take(struct inventory *out_inventory,
                    const struct machine *machine);
void inventory_fini(struct inventory *inventory);

/* Where a function is in the list; INVENTORY_NONE. */
size_t inventory_find(const struct inventory *inventory,
                      const struct machine *machine, pcv_sbdf sbdf);

#endif
