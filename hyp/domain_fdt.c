/* SPDX-License-Identifier: MIT */
/*
 * The device tree of the hardware domain: the machine's own, less what the
 * hypervisor keeps (SMMU, ITS, what does DMA past the SMMU), with the domain's
 * share of memory and CPUs, and a GICv2m frame as the doorbell of messages.
 */
#include "domain_fdt.h"

#include <libfdt.h>

#include "lib.h"
#include "modelled.h"
#include "pcivisor/errno.h"
#include "vgic.h"

#define ROOM 65536u /* for what is added */

/* Devices that the hardware domain drives by itself: all that a domain can do
 * with them is to itself. */
static const char *const passed_through[] = {
    "arm,pl011",
    "arm,pl031",
    "arm,pl061",
};

static bool is_passed_through(const void *fdt, int node)
{
    for (size_t i = 0; i < sizeof(passed_through) / sizeof(*passed_through);
         i++) {
        if (fdt_node_check_compatible(fdt, node, passed_through[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a node of the root stays. */
static bool is_kept(const void *fdt, int node)
{
    static const char *const kept[] = {"arm,gic-v3", "pci-host-ecam-generic"};
    const char *type = fdt_stringlist_get(fdt, node, "device_type", 0, NULL);

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
        if (fdt_node_check_compatible(fdt, node, kept[i]) == 0) {
            return true;
        }
    }
    if (type && strcmp(type, "memory") == 0) {
        return true;
    }
    if (fdt_getprop(fdt, node, "reg", NULL)) {
        return is_passed_through(fdt, node);
    }
    return fdt_node_check_compatible(fdt, node, "arm,armv8-pmuv3") != 0 &&
           fdt_node_check_compatible(fdt, node, "simple-bus") != 0;
}

static int drop_nodes(void *fdt)
{
    int node = fdt_first_subnode(fdt, 0);

    while (node >= 0) {
        if (is_kept(fdt, node)) {
            node = fdt_next_subnode(fdt, node);
        } else {
            int error = fdt_del_node(fdt, node);

            if (error != 0) {
                return error;
            }
            /* What follows moved to its place; begin again. */
            node = fdt_first_subnode(fdt, 0);
        }
    }
    return 0;
}

/* The domain's own number of a CPU, in as many cells as it had. */
static int number_cpu(void *fdt, int node, unsigned number)
{
    int size = 0;

    (void)fdt_getprop(fdt, node, "reg", &size);
    return size == 8 ? fdt_setprop_u64(fdt, node, "reg", number)
                     : fdt_setprop_u32(fdt, node, "reg", number);
}

/* CPUs beyond the domain's share go. */
static int share_cpus(void *fdt, const struct domain *domain)
{
    int cpus = fdt_path_offset(fdt, "/cpus");
    int node = fdt_first_subnode(fdt, cpus);
    unsigned count = 0;
    int error = 0;

    while (node >= 0 && error == 0) {
        const char *type =
            fdt_stringlist_get(fdt, node, "device_type", 0, NULL);
        bool is_cpu = type && strcmp(type, "cpu") == 0;

        if (is_cpu && count < domain->vcpus) {
            error = number_cpu(fdt, node, count++);
            node = fdt_next_subnode(fdt, node);
        } else {
            /* cpu-map, too: it names CPUs */
            error = fdt_del_node(fdt, node);
            cpus = fdt_path_offset(fdt, "/cpus");
            node = fdt_first_subnode(fdt, cpus);
            count = 0;
        }
    }
    return error;
}

static int share_memory(void *fdt, const struct domain *domain)
{
    int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory",
                                             sizeof("memory"));
    fdt64_t reg[2] = {cpu_to_fdt64(domain->ram_base),
                      cpu_to_fdt64(domain->ram_size)};

    return fdt_setprop(fdt, node, "reg", reg, sizeof(reg));
}

int domain_fdt_set_text(void *fdt, int node, const char *name, const char *text)
{
    return fdt_setprop(fdt, node, name, text, (int)strlen(text) + 1);
}

/* The frame is a child of the interrupt controller. */
static int add_frame(void *fdt, uint64_t frame, uint32_t *out_phandle)
{
    int gic = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
    fdt64_t reg[2] = {cpu_to_fdt64(frame), cpu_to_fdt64(PAGE_SIZE)};
    int its = fdt_node_offset_by_compatible(fdt, gic, "arm,gic-v3-its");
    int node;
    int error;

    if (its >= 0) {
        (void)fdt_del_node(fdt, its);
    }
    node = fdt_add_subnode(fdt, gic, "v2m");
    if (node < 0) {
        return node;
    }
    error = fdt_generate_phandle(fdt, out_phandle);
    error = error ? error
                  : domain_fdt_set_text(fdt, node, "compatible",
                                        "arm,gic-v2m-frame");
    error = error ? error : fdt_setprop_empty(fdt, node, "msi-controller");
    error = error ? error : fdt_setprop(fdt, node, "reg", reg, sizeof(reg));
    return error ? error : fdt_setprop_u32(fdt, node, "phandle", *out_phandle);
}

static int set_host_bridge(void *fdt, uint32_t frame)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic");

    (void)fdt_delprop(fdt, node, "iommu-map");
    (void)fdt_delprop(fdt, node, "msi-map");
    return fdt_setprop_u32(fdt, node, "msi-parent", frame);
}

static int set_chosen(void *fdt, const struct boot_module *module)
{
    int node = fdt_path_offset(fdt, "/chosen");
    int child = fdt_first_subnode(fdt, node);
    int error;

    while (child >= 0) {
        error = fdt_del_node(fdt, child);
        if (error != 0) {
            return error;
        }
        node = fdt_path_offset(fdt, "/chosen");
        child = fdt_first_subnode(fdt, node);
    }
    error = domain_fdt_set_text(fdt, node, "bootargs",
                                module->arguments ? module->arguments : "");
    if (error == 0 && module->initrd.size != 0) {
        error = fdt_setprop_u64(fdt, node, "linux,initrd-start",
                                module->initrd.base);
        error =
            error ? error
                  : fdt_setprop_u64(fdt, node, "linux,initrd-end",
                                    module->initrd.base + module->initrd.size);
    }
    return error;
}

int domain_fdt_make(const struct machine *machine, const struct domain *domain,
                    const struct boot_module *module, uint64_t frame, void *at,
                    size_t size)
{
    uint32_t phandle = 0;
    int error = fdt_open_into(machine->fdt, at, (int)size);

    if (error != 0 || size < machine->fdt_size + ROOM) {
        return -PCV_ENOMEM;
    }
    error = drop_nodes(at);
    error = error ? error : share_cpus(at, domain);
    error = error ? error : share_memory(at, domain);
    error = error ? error : add_frame(at, frame, &phandle);
    if (error == 0) {
        error = modelled() ? modelled_fdt(at, phandle)
                           : set_host_bridge(at, phandle);
    }
    error = error ? error : set_chosen(at, module);
    error = error ? error : fdt_pack(at);
    return error ? -PCV_EINVAL : 0;
}

bool domain_fdt_device(const void *fdt, int *node, struct region *out_region,
                       uint32_t *out_intid)
{
    int at =
        *node < 0 ? fdt_first_subnode(fdt, 0) : fdt_next_subnode(fdt, *node);

    for (; at >= 0; at = fdt_next_subnode(fdt, at)) {
        int size = 0;
        const fdt64_t *reg = fdt_getprop(fdt, at, "reg", &size);
        const fdt32_t *irq;

        if (!is_passed_through(fdt, at) || !reg || size < 16) {
            continue;
        }
        out_region->base = fdt64_ld(&reg[0]);
        out_region->size = fdt64_ld(&reg[1]);
        irq = fdt_getprop(fdt, at, "interrupts", &size);
        *out_intid = irq && size >= 12 ? fdt32_ld(&irq[1]) + 32 : 0;
        *node = at;
        return true;
    }
    return false;
}
