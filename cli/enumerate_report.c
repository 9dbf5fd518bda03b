/* SPDX-License-Identifier: MIT */
/* What the enumerator found, in words. */
#include "enumerate_report.h"

#include <inttypes.h>

#include "pcivisor/regs.h"

static bool type_is_bridge(enum pcv_device_type type)
{
    return type == PCV_TYPE_ROOT_PORT || type == PCV_TYPE_UPSTREAM_PORT ||
           type == PCV_TYPE_DOWNSTREAM_PORT ||
           type == PCV_TYPE_PCIE_TO_PCI_BRIDGE ||
           type == PCV_TYPE_PCI_TO_PCIE_BRIDGE;
}

enum pcv_device_type enumerate_type(const struct enumerate_function *fn)
{
    static const uint8_t pcie[16] = {
        [PCV_PCIE_TYPE_ENDPOINT] = PCV_TYPE_ENDPOINT,
        [PCV_PCIE_TYPE_LEGACY] = PCV_TYPE_LEGACY_ENDPOINT,
        [PCV_PCIE_TYPE_ROOT_PORT] = PCV_TYPE_ROOT_PORT,
        [PCV_PCIE_TYPE_UPSTREAM] = PCV_TYPE_UPSTREAM_PORT,
        [PCV_PCIE_TYPE_DOWNSTREAM] = PCV_TYPE_DOWNSTREAM_PORT,
        [PCV_PCIE_TYPE_TO_PCI] = PCV_TYPE_PCIE_TO_PCI_BRIDGE,
        [PCV_PCIE_TYPE_FROM_PCI] = PCV_TYPE_PCI_TO_PCIE_BRIDGE,
        [PCV_PCIE_TYPE_RC_ENDPOINT] = PCV_TYPE_RC_ENDPOINT,
        [PCV_PCIE_TYPE_RC_EVENT] = PCV_TYPE_RC_EVENT_COLLECTOR,
    };
    uint8_t header = fn->header_type & PCV_HEADER_TYPE_MASK;
    bool host_bridge = fn->class_code >> 8 == PCV_CLASS_BRIDGE_HOST;

    if (header > 1) {
        return PCV_TYPE_UNKNOWN;
    }
    if (fn->pcie_cap == 0) {
        return header == 1   ? PCV_TYPE_PCI_BRIDGE
               : host_bridge ? PCV_TYPE_HOST_BRIDGE
                             : PCV_TYPE_LEGACY_ENDPOINT;
    }
    enum pcv_device_type type = (enum pcv_device_type)pcie[fn->pcie_type & 0xf];
    /* Ports have a type 1 header, and nothing else has one. */
    if (type == PCV_TYPE_UNKNOWN || type_is_bridge(type) != (header == 1)) {
        return PCV_TYPE_UNKNOWN;
    }
    return host_bridge ? PCV_TYPE_HOST_BRIDGE : type;
}

static void title(struct text *text, const struct machine *machine,
                  const struct enumerate_function *fn)
{
    text_add(text, "%s %04x:%04x %s", machine_sbdf(machine, fn->sbdf).s,
             fn->vendor, fn->device, pcv_device_type_name(enumerate_type(fn)));
    if (fn->is_vf) {
        text_add(text, ", VF of %s", machine_sbdf(machine, fn->physfn).s);
    }
    if ((fn->header_type & PCV_HEADER_TYPE_MASK) == 1) {
        text_add(text, ", buses %02x-%02x", fn->secondary, fn->subordinate);
    }
    text_add(text, ", class %06" PRIx32, fn->class_code);
    if (fn->subsystem_vendor != 0 || fn->subsystem != 0) {
        text_add(text, ", subsystem %04x:%04x", fn->subsystem_vendor,
                 fn->subsystem);
    }
    text_add(text, "\n");
}

void enumerate_report_bar(struct text *text, const struct enumerate_bar *bar)
{
    static const char *const kind[] = {
        [ENUMERATE_NONE] = "none",
        [ENUMERATE_IO] = "I/O",
        [ENUMERATE_MEM32] = "mem32",
        [ENUMERATE_MEM64] = "mem64",
        [ENUMERATE_ROM] = "ROM",
        [ENUMERATE_BROKEN] = "without a size that makes sense",
    };
    text_add(text, "%s", kind[bar->kind]);
    if (bar->kind == ENUMERATE_NONE || bar->kind == ENUMERATE_BROKEN) {
        return;
    }
    text_add(text, "%s", bar->prefetchable ? " prefetchable" : "");
    if (bar->size != 0) {
        text_add(text, " %s", format_size(bar->size).s);
    }
    text_add(text, " at %" PRIx64, bar->address);
    if (bar->kind == ENUMERATE_ROM) {
        text_add(text, ", %s", bar->enabled ? "enabled" : "disabled");
    }
}

static void bars(struct text *text, const struct enumerate_function *fn)
{
    for (unsigned i = 0; i < ENUMERATE_BARS; i++) {
        if (fn->bar[i].kind == ENUMERATE_NONE) {
            continue;
        }
        text_add(text, "  ");
        if (i != ENUMERATE_BAR_ROM) {
            text_add(text, "BAR%u ", i);
        } else if (fn->bar[i].kind == ENUMERATE_BROKEN) {
            text_add(text, "ROM ");
        }
        enumerate_report_bar(text, &fn->bar[i]);
        text_add(text, "\n");
    }
}

static void vfs(struct text *text, const struct machine *machine,
                const struct enumerate_function *fn)
{
    if (fn->sriov_cap == 0 || fn->is_vf) {
        return;
    }
    text_add(text, "  SR-IOV: %u of %u VFs are enabled", fn->num_vfs,
             fn->total_vfs);
    if (fn->num_vfs != 0) {
        uint32_t first = (fn->sbdf.v + fn->vf_offset) & 0xffffu;
        pcv_sbdf sbdf = {(fn->sbdf.v & 0xffff0000u) | first};
        text_add(text, ", from %s on, %u apart", machine_sbdf(machine, sbdf).s,
                 fn->vf_stride);
    }
    text_add(text, "\n");
    for (unsigned i = 0; i < ENUMERATE_VF_BARS; i++) {
        if (fn->vf_bar[i].kind != ENUMERATE_NONE) {
            text_add(text, "  of the first VF: BAR%u ", i);
            enumerate_report_bar(text, &fn->vf_bar[i]);
            text_add(text, "\n");
        }
    }
}

static void ranges(struct text *text, const struct enumerate_function *fn)
{
    const struct {
        const char *what;
        const struct enumerate_range *range;
    } row[] = {{"I/O", &fn->io},
               {"memory", &fn->memory},
               {"prefetchable", &fn->prefetch}};
    const char *between = " ";

    if ((fn->header_type & PCV_HEADER_TYPE_MASK) != 1) {
        return;
    }
    text_add(text, "  forwards");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (row[i].range->base <= row[i].range->limit) {
            text_add(text, "%s%s %" PRIx64 "-%" PRIx64, between, row[i].what,
                     row[i].range->base, row[i].range->limit);
            between = ", ";
        }
    }
    text_add(text, "%s\n", between[0] == ' ' ? " nothing" : "");
}

/* Names, in list order; equal neighbours once, with how many they are. */
static void caps(struct text *text, const struct enumeration *enumeration,
                 const struct enumerate_function *fn)
{
    const char *between = "  caps: ";

    if (fn->caps == 0) {
        return;
    }
    const struct enumerate_cap *cap = &enumeration->cap[fn->cap];
    for (size_t i = 0, same; i < fn->caps; i += same) {
        const char *name = pcv_cap_name(cap[i].id, cap[i].extended);
        for (same = 1; i + same < fn->caps; same++) {
            if (cap[i + same].id != cap[i].id ||
                cap[i + same].extended != cap[i].extended) {
                break;
            }
        }
        text_add(text, "%s", between);
        if (name != NULL) {
            text_add(text, "%s", name);
        } else {
            text_add(text, "%s %0*x", cap[i].extended ? "extended" : "unknown",
                     cap[i].extended ? 4 : 2, cap[i].id);
        }
        if (same > 1) {
            text_add(text, " (%zu)", same);
        }
        between = ", ";
    }
    text_add(text, "\n");
}

static void problems(struct text *text, const struct enumerate_function *fn)
{
    static const struct {
        uint32_t bit;
        const char *words;
    } problem[] = {
        {ENUMERATE_CAP_LOOP, "a capability's pointer leads back"},
        {ENUMERATE_CAP_LOW, "a capability's pointer leads into the header"},
        {ENUMERATE_CAP_MISALIGNED,
         "a capability's pointer is no multiple of 4"},
        {ENUMERATE_CAP_ALL_ONES, "a capability reads all ones"},
        {ENUMERATE_BUSES, "its bus numbers cannot be right"},
        {ENUMERATE_BUSES_TAKEN, "its bus numbers are another bridge's"},
        {ENUMERATE_ARI, "the next function's number does not grow"},
        {ENUMERATE_VFS, "it has VFs that are not there, or cannot be"},
    };
    for (size_t i = 0; i < sizeof(problem) / sizeof(problem[0]); i++) {
        if ((fn->problems & problem[i].bit) != 0) {
            text_add(text, "  problem: %s\n", problem[i].words);
        }
    }
}

void enumerate_report_function(struct text *text, const struct machine *machine,
                               const struct enumeration *enumeration,
                               const struct enumerate_function *fn)
{
    title(text, machine, fn);
    bars(text, fn);
    vfs(text, machine, fn);
    ranges(text, fn);
    caps(text, enumeration, fn);
    problems(text, fn);
}

void enumerate_report_summary(struct text *text,
                              const struct enumeration *enumeration)
{
    uint64_t troubled = 0;

    for (size_t i = 0; i < enumeration->count; i++) {
        troubled += enumeration->function[i].problems != 0;
    }
    text_add_count(text, enumeration->count, "function");
    text_add(text, " on ");
    text_add_count(text, enumeration->buses, "bus");
    text_add(text, ", ");
    text_add_count(text, enumeration->bars, "BAR");
    text_add(text, " sized, %" PRIu64 " accesses", enumeration->accesses);
    if (enumeration->resumed != 0) {
        text_add(text, " (%" PRIu64 " resumed)", enumeration->resumed);
    }
    if (troubled != 0) {
        text_add(text, ", problems with ");
        text_add_count(text, troubled, "function");
    }
    text_add(text, "\n");
}
