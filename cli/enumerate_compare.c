/* SPDX-License-Identifier: MIT */
/* What an operating system found, held against what the registry knows. */
#include "enumerate_compare.h"

#include <string.h>

#include "emulated.h"
#include "enumerate_report.h"
#include "report.h"

struct comparison {
    const struct enumeration *enumeration;
    const struct enumerate_plan *plan;
    const struct machine *machine;
    struct inventory inventory;
    struct text *out;
    uint64_t max;
    struct enumerate_comparison result;
};

/* Begin the line of a difference; false if there were enough of them. */
static bool differs(struct comparison *to, pcv_sbdf sbdf)
{
    if (to->result.differences++ >= to->max) {
        return false;
    }
    text_add(to->out, "differs: %s: ", machine_sbdf(to->machine, sbdf).s);
    return true;
}

static bool segment_planned(const struct enumerate_plan *plan, pcv_sbdf sbdf)
{
    for (size_t i = 0; i < plan->windows; i++) {
        if (plan->window[i].segment == pcv_sbdf_segment(sbdf)) {
            return true;
        }
    }
    return false;
}

/* Whether a function is among those that were asked for. */
static bool wanted(const struct comparison *of,
                   const struct inventory_node *node)
{
    if (of->plan->one_segment && !segment_planned(of->plan, node->info.sbdf)) {
        return false;
    }
    /* Bounded: the inventory's ways up end. */
    while (of->plan->one_root &&
           pcv_sbdf_bus(node->info.sbdf) != of->plan->root) {
        if (node->parent == INVENTORY_NONE) {
            return false;
        }
        node = &of->inventory.node[node->parent];
    }
    return true;
}

static bool bus_served(const struct enumerate_plan *plan, pcv_sbdf sbdf)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);

    for (size_t i = 0; i < plan->windows; i++) {
        const struct enumerate_window *window = &plan->window[i];
        if (window->segment == pcv_sbdf_segment(sbdf) &&
            bus >= window->bus_first && bus <= window->bus_last) {
            return true;
        }
    }
    return false;
}

/* Behind a port there is one device, unless ARI counts its functions on. */
static bool found_by_ari(const struct comparison *of,
                         const struct inventory_node *node)
{
    if (pcv_sbdf_device(node->info.sbdf) == 0 ||
        node->parent == INVENTORY_NONE) {
        return false;
    }
    enum pcv_device_type above = of->inventory.node[node->parent].info.type;
    return above == PCV_TYPE_ROOT_PORT || above == PCV_TYPE_DOWNSTREAM_PORT;
}

/* Whether a walk through this entrance can find a function: not one that is
 * gone, that had to be reported at boot as well, or that only registers above
 * 0x100 lead to. */
static bool reachable(const struct comparison *of,
                      const struct inventory_node *node)
{
    const struct machine *machine = of->machine;

    if (node->info.vanished || !bus_served(of->plan, node->info.sbdf) ||
        (!of->plan->extended && (node->info.is_vf || found_by_ari(of, node)))) {
        return false;
    }
    for (size_t i = 0; i < machine->reported_count; i++) {
        if (machine->reported[i].v == node->info.sbdf.v) {
            return false;
        }
    }
    return true;
}

static void add_vf(struct comparison *to, bool is_vf, pcv_sbdf physfn)
{
    if (is_vf) {
        text_add(to->out, "a VF of %s", machine_sbdf(to->machine, physfn).s);
    } else {
        text_add(to->out, "no VF");
    }
}

static void compare_ids(struct comparison *to,
                        const struct enumerate_function *fn,
                        const struct pcv_device_info *info)
{
    bool same = fn->vendor == info->vendor && fn->device == info->device &&
                fn->subsystem_vendor == info->subsystem_vendor &&
                fn->subsystem == info->subsystem &&
                fn->class_code == info->class_code &&
                fn->revision == info->revision &&
                fn->header_type == info->header_type;

    if (!same && differs(to, fn->sbdf)) {
        text_add(to->out, "vendor, device, class, revision, subsystem or "
                          "header type are not the registry's\n");
    }
    bool same_vf = fn->is_vf == info->is_vf &&
                   (!fn->is_vf || fn->physfn.v == info->physfn.v);
    if (!same_vf && differs(to, fn->sbdf)) {
        add_vf(to, fn->is_vf, fn->physfn);
        text_add(to->out, ", for the registry ");
        add_vf(to, info->is_vf, info->physfn);
        text_add(to->out, "\n");
    }
    if (enumerate_type(fn) != info->type && differs(to, fn->sbdf)) {
        text_add(to->out, "it is a %s, for the registry a %s\n",
                 pcv_device_type_name(enumerate_type(fn)),
                 pcv_device_type_name(info->type));
    }
    if (info->is_bridge && !info->bus_conflict &&
        (fn->secondary != info->secondary ||
         fn->subordinate != info->subordinate) &&
        differs(to, fn->sbdf)) {
        text_add(to->out, "buses %02x-%02x, for the registry %02x-%02x\n",
                 fn->secondary, fn->subordinate, info->secondary,
                 info->subordinate);
    }
}

/* A BAR of the registry, in the enumerator's words. */
static uint8_t kind_of(const struct pcv_bar *bar)
{
    if ((bar->flags & PCV_BAR_BROKEN) != 0) {
        return ENUMERATE_BROKEN;
    }
    switch (bar->size != 0 ? bar->kind : PCV_BAR_NONE) {
    case PCV_BAR_IO:
        return ENUMERATE_IO;
    case PCV_BAR_MEM32:
        return ENUMERATE_MEM32;
    case PCV_BAR_MEM64:
        return ENUMERATE_MEM64;
    case PCV_BAR_ROM:
        return ENUMERATE_ROM;
    default:
        return ENUMERATE_NONE;
    }
}

static bool bar_same(const struct enumerate_bar *found,
                     const struct pcv_bar *known)
{
    uint8_t kind = kind_of(known);

    if ((known->flags & PCV_BAR_HINTED) != 0) {
        return true; /* the host's word, whatever the device says */
    }
    if (found->kind != kind || kind == ENUMERATE_NONE ||
        kind == ENUMERATE_BROKEN) {
        return found->kind == kind;
    }
    return found->size == known->size && found->address == known->address &&
           found->prefetchable == ((known->flags & PCV_BAR_PREFETCHABLE) != 0);
}

static void compare_bars(struct comparison *to,
                         const struct enumerate_function *fn,
                         const struct pcv_device_info *info)
{
    for (unsigned i = 0; i < ENUMERATE_BARS; i++) {
        if (bar_same(&fn->bar[i], &info->bar[i]) || !differs(to, fn->sbdf)) {
            continue;
        }
        text_add(to->out, "%s is ", report_bar_name(i));
        enumerate_report_bar(to->out, &fn->bar[i]);
        text_add(to->out, ", for the registry ");
        report_bar_kind(to->out, &info->bar[i]);
        text_add(to->out, " ");
        report_bar_size(to->out, to->machine, fn->sbdf, i, &info->bar[i]);
        text_add(to->out, " at %llx\n",
                 (unsigned long long)info->bar[i].address);
    }
}

/* What is concealed is not found, but for the stub that may stand in its place
 * (OWN-9). */
static void compare_concealed(struct comparison *to, pcv_sbdf sbdf,
                              const struct enumerate_function *fn)
{
    bool stub =
        fn != NULL && fn->device == 0xffff && fn->class_code == 0xff0000;

    if (fn != NULL && !stub && differs(to, sbdf)) {
        text_add(to->out, "it is concealed, and was found\n");
    }
}

/* The registry's side: everything of it that can be found was. */
static void compare_known(struct comparison *to)
{
    for (size_t i = 0; i < to->inventory.count; i++) {
        const struct inventory_node *node = &to->inventory.node[i];
        const struct enumerate_function *fn =
            enumerate_find(to->enumeration, node->info.sbdf);
        if (node->info.concealed) {
            compare_concealed(to, node->info.sbdf, fn);
        } else if (fn != NULL) {
            to->result.functions++;
            compare_ids(to, fn, &node->info);
            if (to->plan->size_bars) {
                compare_bars(to, fn, &node->info);
            }
        } else if (!wanted(to, node)) {
            continue;
        } else if (!reachable(to, node)) {
            to->result.unreachable++;
        } else if (differs(to, node->info.sbdf)) {
            text_add(to->out, "the registry knows it, it was not found\n");
        }
    }
}

/* The other side: what was found is known, or emulated. */
static void compare_found(struct comparison *to)
{
    for (size_t i = 0; i < to->enumeration->count; i++) {
        pcv_sbdf sbdf = to->enumeration->function[i].sbdf;
        if (inventory_find(&to->inventory, to->machine, sbdf) ==
                INVENTORY_NONE &&
            emulated_at(to->machine, sbdf) == NULL && differs(to, sbdf)) {
            text_add(to->out, "it was found, the registry does not know it\n");
        }
    }
}

void enumerate_compare(const struct enumeration *enumeration,
                       const struct enumerate_plan *plan,
                       const struct machine *machine, struct text *out,
                       uint64_t max,
                       struct enumerate_comparison *out_comparison)
{
    struct comparison to = {.enumeration = enumeration,
                            .plan = plan,
                            .machine = machine,
                            .out = out,
                            .max = max};

    inventory_take(&to.inventory, machine);
    compare_known(&to);
    compare_found(&to);
    inventory_fini(&to.inventory);
    *out_comparison = to.result;
}
