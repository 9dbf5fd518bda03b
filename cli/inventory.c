/* SPDX-License-Identifier: MIT */
/* All functions of a machine at one moment. */
#include "inventory.h"

#include <stdlib.h>
#include <string.h>

static int node_compare(const void *a, const void *b)
{
    const struct inventory_node *x = a;
    const struct inventory_node *y = b;

    if (x->domain != y->domain) {
        return x->domain < y->domain ? -1 : 1;
    }
    uint32_t p = x->info.sbdf.v & 0xffffu;
    uint32_t q = y->info.sbdf.v & 0xffffu;
    return p < q ? -1 : p > q;
}

size_t inventory_find(const struct inventory *inventory,
                      const struct machine *machine, pcv_sbdf sbdf)
{
    struct inventory_node key;
    memset(&key, 0, sizeof(key));
    key.info.sbdf = sbdf;
    key.domain = pcv_model_domain_of(machine->model, pcv_sbdf_segment(sbdf));
    if (inventory->count == 0) {
        return INVENTORY_NONE;
    }
    const struct inventory_node *node = bsearch(
        &key, inventory->node, inventory->count, sizeof(key), node_compare);
    return node != NULL ? (size_t)(node - inventory->node) : INVENTORY_NONE;
}

static void functions_take(struct inventory *inventory,
                           const struct machine *machine)
{
    size_t room = 0;
    pcv_sbdf from = {0};

    for (;;) {
        struct pcv_device *device = pcv_device_next(machine->host, from);
        if (device == NULL) {
            break;
        }
        inventory->node = memory_grow(inventory->node, inventory->count, &room,
                                      sizeof(*inventory->node));
        struct inventory_node *node = &inventory->node[inventory->count++];
        pcv_device_get_info(device, &node->info);
        pcv_device_put(device);
        uint16_t segment = pcv_sbdf_segment(node->info.sbdf);
        node->domain = pcv_model_domain_of(machine->model, segment);
        node->parent = INVENTORY_NONE;
        node->child = INVENTORY_NONE;
        node->next = INVENTORY_NONE;
        if (node->info.sbdf.v == UINT32_MAX) {
            break;
        }
        from.v = node->info.sbdf.v + 1;
    }
}

/* The bridge above a bus; none if the way up does not end. */
static size_t bus_parent(const struct inventory *inventory,
                         const struct machine *machine, pcv_sbdf sbdf)
{
    pcv_sbdf bridge;

    if (pcv_topology_path(machine->host, sbdf, NULL, 0) < 0 ||
        pcv_topology_upstream(machine->host, pcv_sbdf_segment(sbdf),
                              pcv_sbdf_bus(sbdf), &bridge) != 0) {
        return INVENTORY_NONE;
    }
    return inventory_find(inventory, machine, bridge);
}

/* From last to first, so that each list is in order. Those of a root bus make
 * a list too, which begins with the first of them. */
static void families_link(struct inventory *inventory,
                          const struct machine *machine)
{
    uint32_t bus = 0;
    size_t parent = INVENTORY_NONE;

    for (size_t i = inventory->count; i-- > 0;) {
        struct inventory_node *node = &inventory->node[i];
        uint32_t its_bus = node->info.sbdf.v >> 8;
        if (i == inventory->count - 1 || its_bus != bus) {
            bus = its_bus;
            parent = bus_parent(inventory, machine, node->info.sbdf);
            inventory->buses++;
        }
        if (parent != INVENTORY_NONE && parent != i) {
            node->parent = parent;
            node->next = inventory->node[parent].child;
            inventory->node[parent].child = i;
        } else if (i + 1 < inventory->count &&
                   inventory->node[i + 1].info.sbdf.v >> 8 == its_bus) {
            node->next = i + 1;
        }
    }
}

void inventory_take(struct inventory *out_inventory,
                    const struct machine *machine)
{
    struct inventory inventory = {0};

    functions_take(&inventory, machine);
    if (inventory.count > 0) {
        qsort(inventory.node, inventory.count, sizeof(*inventory.node),
              node_compare);
    }
    families_link(&inventory, machine);
    *out_inventory = inventory;
}

void inventory_fini(struct inventory *inventory)
{
    free(inventory->node);
    memset(inventory, 0, sizeof(*inventory));
}
