/* SPDX-License-Identifier: MIT */
/*
 * Wiring: which bus is behind which bridge, settled once from the bus numbers
 * that the machine was described with.
 *
 * A bridge counts if its secondary bus is above the bus that it is on and not
 * above its subordinate bus. With that no wiring can loop, whatever the
 * registers say: each step up leads to a smaller number. Any other bridge
 * forwards nothing. A bus that cannot be reached so is a root bus.
 */
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

/* The counting bridge with the highest secondary bus that covers each bus; of
 * several with the same one the first in address order. */
static void find_innermost(const struct pcv__model_segment *segment,
                           struct pcv__model_fn *innermost[PCV_BUSES])
{
    for (uint32_t own = 0; own < PCV_BUSES; own++) {
        const struct pcv__model_bus *bus = segment->home[own];
        struct pcv__model_fn *fn = bus == NULL ? NULL : bus->bridges;

        for (; fn != NULL; fn = fn->next_bridge) {
            uint32_t first = pcv__model_get(fn, PCV_REG_SECONDARY, 1);
            uint32_t last = pcv__model_get(fn, PCV_REG_SUBORDINATE, 1);

            for (uint32_t i = first; first > own && i <= last; i++) {
                if (innermost[i] == NULL ||
                    pcv__model_get(innermost[i], PCV_REG_SECONDARY, 1) <
                        first) {
                    innermost[i] = fn;
                }
            }
        }
    }
}

/* Where every function of a bus is a VF: the bus of the first one's PF, if
 * that is a lower one. Else NULL. */
static struct pcv__model_bus *bus_of_pfs(
    const struct pcv__model_segment *segment, uint32_t number)
{
    const struct pcv__model_bus *bus = segment->home[number];
    struct pcv__model_bus *found = NULL;

    for (uint32_t i = 0; i < PCV_DEVFNS; i++) {
        const struct pcv__model_fn *fn = bus->fn[i];

        if (fn == NULL) {
            continue;
        }
        if (fn->pf == NULL) {
            return NULL;
        }
        if (found == NULL) {
            found = fn->pf->bus;
        }
    }
    return found != NULL && found->number < number ? found : NULL;
}

static struct pcv__model_link *link_make(struct pcv__model_segment *segment,
                                         struct pcv__model_fn *up,
                                         uint32_t number)
{
    struct pcv__model_link *link = calloc(1, sizeof(*link));
    struct pcv__model_link **at = &segment->links;

    if (link == NULL) {
        return NULL;
    }
    link->up = up;
    link->number = (uint8_t)number;
    while (*at != NULL && (*at)->up == NULL &&
           (up != NULL || (*at)->number < number)) {
        at = &(*at)->next;
    }
    link->next = *at;
    *at = link;
    return link;
}

/* Buses come with growing numbers, so the list stays in order of delta. */
static void link_append(struct pcv__model_link *link,
                        struct pcv__model_bus *bus, uint32_t first)
{
    struct pcv__model_bus **at = &link->buses;

    while (*at != NULL) {
        at = &(*at)->next;
    }
    bus->link = link;
    bus->delta = (uint8_t)(bus->number - first);
    *at = bus;
}

static int wire_bus(struct pcv__model_segment *segment,
                    struct pcv__model_bus *bus, struct pcv__model_fn *above)
{
    struct pcv__model_bus *pfs;

    if (above != NULL) {
        if (above->below == NULL) {
            above->below = link_make(segment, above, 0);
        }
        if (above->below == NULL) {
            return -PCV_ENOMEM;
        }
        link_append(above->below, bus,
                    pcv__model_get(above, PCV_REG_SECONDARY, 1));
        return 0;
    }
    pfs = bus_of_pfs(segment, bus->number);
    if (pfs != NULL) {
        link_append(pfs->link, bus, (uint32_t)(pfs->number - pfs->delta));
        return 0;
    }
    struct pcv__model_link *root = link_make(segment, NULL, bus->number);

    if (root == NULL) {
        return -PCV_ENOMEM;
    }
    link_append(root, bus, bus->number);
    return 0;
}

/* Take a bus from its link. The link stays, even if it is empty now. */
static void link_remove(struct pcv__model_bus *bus)
{
    struct pcv__model_bus **at = &bus->link->buses;

    while (*at != bus) {
        at = &(*at)->next;
    }
    *at = bus->next;
    bus->next = NULL;
}

/*
 * Whatever the bus numbers say, the source saw the functions of a bus answer.
 * A bus that they do not lead to becomes a root bus: one that an unused port's
 * ff claims, or one behind a bridge whose own upstream bridge covers less.
 * Upwards, since a bus that becomes a root may be the way to higher ones.
 */
static int wire_unreached(struct pcv__model_segment *segment)
{
    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        struct pcv__model_bus *bus = segment->home[i];
        struct pcv__model_link *root;

        if (bus == NULL || pcv__model_bus_at(segment, i) == bus) {
            continue;
        }
        root = link_make(segment, NULL, i);
        if (root == NULL) {
            return -PCV_ENOMEM;
        }
        link_remove(bus);
        link_append(root, bus, i);
    }
    return 0;
}

int pcv__model_wire(struct pcv__model_segment *segment)
{
    struct pcv__model_fn *innermost[PCV_BUSES] = {NULL};

    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        struct pcv__model_bus *bus = segment->home[i];

        for (uint32_t j = PCV_DEVFNS; bus != NULL && j > 0; j--) {
            struct pcv__model_fn *fn = bus->fn[j - 1];

            if (fn != NULL && fn->bridge) {
                fn->next_bridge = bus->bridges;
                bus->bridges = fn;
            }
        }
    }
    find_innermost(segment, innermost);
    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        if (segment->home[i] != NULL) {
            int error = wire_bus(segment, segment->home[i], innermost[i]);

            if (error != 0) {
                return error;
            }
        }
    }
    return wire_unreached(segment);
}

/* ---- making a model ready ----------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct pcv__model_fn *const *x = a;
    const struct pcv__model_fn *const *y = b;

    return ((*x)->sbdf.v > (*y)->sbdf.v) - ((*x)->sbdf.v < (*y)->sbdf.v);
}

/* Those that this finds when the machine is described come and go with VF
 * enable. */
int32_t pcv__model_vf_index(const struct pcv__model_fn *vf,
                            const struct pcv__model_fn *pf)
{
    uint32_t offset, stride, enabled, distance;

    if (pf->sriov == 0 || (pcv__model_get(pf, pf->sriov + PCV_SRIOV_CTRL, 2) &
                           PCV_SRIOV_CTRL_VFE) == 0) {
        return -1;
    }
    offset = pcv__model_get(pf, pf->sriov + PCV_SRIOV_OFFSET, 2);
    stride = pcv__model_get(pf, pf->sriov + PCV_SRIOV_STRIDE, 2);
    enabled = pcv__model_get(pf, pf->sriov + PCV_SRIOV_NUM_VFS, 2);
    distance = (vf->sbdf.v - pf->sbdf.v) & 0xffffu;
    if (distance < offset) {
        return -1;
    }
    distance -= offset;
    if (distance != 0 && (stride == 0 || distance % stride != 0)) {
        return -1;
    }
    distance = distance == 0 ? 0 : distance / stride;
    return distance < enabled ? (int32_t)distance : -1;
}

/* Connect VFs with their PFs. A VF of a VF, or of nobody, stands alone. */
static void join_vfs(struct pcv_model *model)
{
    for (size_t i = model->fns; i > 0; i--) {
        struct pcv__model_fn *vf = model->fn[i - 1];
        struct pcv__model_fn *pf =
            vf->vf ? pcv__model_fn_at(model, vf->physfn) : NULL;

        if (pf == NULL || pf->vf ||
            pcv_sbdf_segment(pf->sbdf) != pcv_sbdf_segment(vf->sbdf)) {
            continue;
        }
        vf->pf = pf;
        vf->vf_index = pcv__model_vf_index(vf, pf);
        vf->next_vf = pf->vfs;
        pf->vfs = vf;
    }
}

static int list_segments(struct pcv_model *model)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < 65536; i++) {
        count += model->segment[i] != NULL;
    }
    model->run = calloc(count == 0 ? 1 : count, sizeof(model->run[0]));
    if (model->run == NULL) {
        return -PCV_ENOMEM;
    }
    for (uint32_t i = 0; i < 65536; i++) {
        if (model->segment[i] != NULL) {
            model->run[model->runs++] = model->segment[i];
        }
    }
    return 0;
}

static int make_fields(struct pcv_model *model)
{
    struct pcv__model_fields scratch = {NULL, 0, 0, false};
    int error = 0;

    for (size_t i = 0; error == 0 && i < model->fns; i++) {
        error = pcv__model_fields_make(&scratch, model->fn[i]);
    }
    free(scratch.field);
    return error;
}

static int make_ready(struct pcv_model *model)
{
    int error = list_segments(model);

    qsort(model->fn, model->fns, sizeof(struct pcv__model_fn *), by_address);
    for (size_t i = 0; i < model->fns; i++) {
        pcv__model_caps_find(model->fn[i]);
    }
    join_vfs(model);
    for (uint32_t i = 0; error == 0 && i < model->runs; i++) {
        error = pcv__model_wire(model->run[i]);
    }
    for (size_t i = 0; i < model->fns; i++) {
        pcv__model_sizes(model->fn[i]);
    }
    for (size_t i = 0; error == 0 && i < model->fns; i++) {
        error = pcv__model_vf_sizes(model->fn[i]);
    }
    if (error == 0) {
        error = make_fields(model);
    }
    for (size_t i = 0; i < model->fns; i++) {
        pcv__model_decode_forget_locked(model, model->fn[i]);
    }
    return error != 0 ? error : pcv__model_mmio(model);
}

int pcv_model_ready(struct pcv_model *model, struct pcv_model_error *error)
{
    int result;

    if (model->ready) {
        result = -PCV_EINVAL;
    } else {
        model->ready = true;
        result = model->fns == 0 ? list_segments(model) : make_ready(model);
    }
    if (result != 0 && error != NULL) {
        error->line = 0;
        (void)snprintf(error->text, sizeof(error->text), "%s",
                       result == -PCV_ENOMEM ? "out of memory"
                                             : "the machine is ready already");
    }
    return result;
}
