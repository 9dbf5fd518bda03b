/* SPDX-License-Identifier: MIT */
/*
 * Routing as hardware does it: a root bus is reached directly, every other bus
 * through the bridges whose registers cover its number now (PCI Local Bus 3.0,
 * 3.2.2.3; PCI Express Base 6.0, 7.3.3).
 *
 * What a bus number reaches is remembered per segment, and forgotten when
 * bus numbers change or a bridge stops or starts forwarding.
 */
#include "internal.h"

/* Reached by a number that leads nowhere; nothing is ever stored in it. */
static struct pcv__model_bus nowhere;

/* Where several bridges of one bus claim a number, the one with the highest
 * secondary bus gets it, of equal ones the first: as wiring decides. */
static struct pcv__model_fn *claimant(const struct pcv__model_link *link,
                                      uint32_t first, uint32_t target,
                                      uint32_t *out_secondary)
{
    struct pcv__model_fn *best = NULL;

    for (struct pcv__model_bus *bus = link->buses; bus; bus = bus->next) {
        struct pcv__model_fn *fn = bus->bridges;

        for (; fn != NULL; fn = fn->next_bridge) {
            uint32_t from = pcv__model_get(fn, PCV_REG_SECONDARY, 1);

            if (from <= first + bus->delta || from > target ||
                target > pcv__model_get(fn, PCV_REG_SUBORDINATE, 1) ||
                (best != NULL && from <= *out_secondary)) {
                continue;
            }
            best = fn;
            *out_secondary = from;
        }
    }
    return best;
}

/* A bridge that is gone, or holds its bus in reset, forwards nothing. */
bool pcv__model_forwards(const struct pcv__model_fn *bridge)
{
    return atomic_load(&bridge->state) == 0 && bridge->below != NULL &&
           (pcv__model_get(bridge, PCV_REG_BRIDGE_CONTROL, 2) &
            PCV_BRIDGE_RESET) == 0;
}

/* From one root bus down to a number that is not below it; NULL if nothing
 * there claims it. Downwards in a tree of at most 256 buses. */
static struct pcv__model_bus *descend(const struct pcv__model_link *link,
                                      uint32_t target)
{
    uint32_t first = link->number;
    uint32_t next = 0;

    while (first != target) {
        struct pcv__model_fn *bridge = claimant(link, first, target, &next);

        if (bridge == NULL) {
            break;
        }
        if (!pcv__model_forwards(bridge)) {
            return &nowhere;
        }
        link = bridge->below;
        first = next;
    }
    for (struct pcv__model_bus *bus = link->buses; bus; bus = bus->next) {
        if (bus->delta == target - first) {
            return bus;
        }
    }
    return link->up == NULL ? NULL : &nowhere;
}

struct pcv__model_bus *pcv__model_bus_at(
    const struct pcv__model_segment *segment, uint32_t target)
{
    struct pcv__model_bus *found = NULL;

    for (const struct pcv__model_link *root = segment->links;
         root != NULL && root->up == NULL && root->number <= target;
         root = root->next) {
        struct pcv__model_bus *bus = descend(root, target);

        found = bus != NULL ? bus : found;
    }
    return found != NULL ? found : &nowhere;
}

struct pcv__model_fn *pcv__model_route(struct pcv_model *model, pcv_sbdf sbdf)
{
    struct pcv__model_segment *segment = model->segment[pcv_sbdf_segment(sbdf)];
    uint32_t number = pcv_sbdf_bus(sbdf);
    struct pcv__model_bus *bus;
    struct pcv__model_fn *fn;

    if (segment == NULL) {
        return NULL;
    }
    bus = atomic_load_explicit(&segment->route[number], memory_order_acquire);
    if (bus == NULL) {
        /* Under the lock no bus number changes between look and store. */
        (void)pthread_mutex_lock(model->lock);
        bus = pcv__model_bus_at(segment, number);
        atomic_store_explicit(&segment->route[number], bus,
                              memory_order_release);
        (void)pthread_mutex_unlock(model->lock);
    }
    fn = bus->fn[pcv_sbdf_devfn(sbdf)];
    if (fn == NULL ||
        atomic_load_explicit(&fn->state, memory_order_acquire) != 0) {
        return NULL;
    }
    return fn;
}

void pcv__model_route_forget_locked(struct pcv_model *model,
                                    struct pcv__model_fn *fn)
{
    struct pcv__model_segment *segment =
        model->segment[pcv_sbdf_segment(fn->sbdf)];

    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        atomic_store_explicit(&segment->route[i], NULL, memory_order_release);
    }
}
