/* SPDX-License-Identifier: MIT */
/*
 * The modelled host bridges in a device tree: a node for each root bus, with
 * its slice of configuration space (PCI Bus Binding to Open Firmware; Linux'
 * binding host-generic-pci). No interrupt map: nothing is wired to the pins.
 */
#include <libfdt.h>

#include "domain_fdt.h"
#include "lib.h"
#include "modelled_impl.h"

#define BUS_SHIFT 20u /* bytes of ECAM that a bus takes */
#define RANGE_CELLS 7u
#define SPACE_IO 0x01000000u
#define SPACE_MEMORY32 0x02000000u
#define SPACE_MEMORY64 0x03000000u
#define ADDRESS_CELLS 3u
#define SIZE_CELLS 2u

static void put_two(fdt32_t *cells, uint64_t value)
{
    cells[0] = cpu_to_fdt32((uint32_t)(value >> 32));
    cells[1] = cpu_to_fdt32((uint32_t)value);
}

static void put_range(fdt32_t *cells, const struct modelled_window *window)
{
    bool io = window->space == MODELLED_IO;
    uint32_t space =
        window->end <= UINT64_C(1) << 32 ? SPACE_MEMORY32 : SPACE_MEMORY64;

    cells[0] = cpu_to_fdt32(io ? SPACE_IO : space);
    put_two(cells + 1, window->start);
    put_two(cells + 3, window->start + (io ? modelled_machine.io.base : 0));
    put_two(cells + 5, window->end - window->start);
}

static int set_ranges(void *fdt, int node, unsigned root)
{
    const struct modelled_machine *machine = &modelled_machine;
    fdt32_t cells[RANGE_CELLS * MODELLED_WINDOWS];
    unsigned used = 0;

    for (unsigned i = 0; i < machine->windows; i++) {
        if (machine->window[i].root == root) {
            put_range(cells + used, &machine->window[i]);
            used += RANGE_CELLS;
        }
    }
    return fdt_setprop(fdt, node, "ranges", cells,
                       (int)(used * sizeof(*cells)));
}

static int set_place(void *fdt, int node, const struct modelled_root *root)
{
    uint64_t buses = (uint64_t)root->bus_last - root->bus_first + 1;
    fdt32_t reg[4];
    fdt32_t range[2] = {cpu_to_fdt32(root->bus_first),
                        cpu_to_fdt32(root->bus_last)};
    int error;

    put_two(reg, modelled_machine.ecam.base +
                     ((uint64_t)root->bus_first << BUS_SHIFT));
    put_two(reg + 2, buses << BUS_SHIFT);
    error = fdt_setprop(fdt, node, "reg", reg, sizeof(reg));
    return error ? error
                 : fdt_setprop(fdt, node, "bus-range", range, sizeof(range));
}

/* What all of them have. With a device tree Linux has one host bridge in a
 * domain at most, so that each root bus is a domain to it; bus numbers stay. */
static int set_kind(void *fdt, int node, unsigned root, uint32_t frame)
{
    int error =
        domain_fdt_set_text(fdt, node, "compatible", "pci-host-ecam-generic");

    error =
        error ? error : domain_fdt_set_text(fdt, node, "device_type", "pci");
    error = error ? error
                  : fdt_setprop_u32(fdt, node, "#address-cells", ADDRESS_CELLS);
    error =
        error ? error : fdt_setprop_u32(fdt, node, "#size-cells", SIZE_CELLS);
    error = error ? error
                  : fdt_setprop_u32(fdt, node, "linux,pci-domain",
                                    modelled_machine.segment + root);
    error = error ? error : fdt_setprop_empty(fdt, node, "dma-coherent");
    return error ? error : fdt_setprop_u32(fdt, node, "msi-parent", frame);
}

static int add_bridge(void *fdt, unsigned root, uint32_t frame)
{
    char name[] = "pcie@00";
    uint8_t bus = modelled_machine.root[root].bus_first;
    int node;
    int error;

    name[5] = "0123456789abcdef"[bus >> 4];
    name[6] = "0123456789abcdef"[bus & 15u];
    node = fdt_add_subnode(fdt, 0, name);
    if (node < 0) {
        return node;
    }
    error = set_kind(fdt, node, root, frame);
    error = error ? error : set_place(fdt, node, &modelled_machine.root[root]);
    return error ? error : set_ranges(fdt, node, root);
}

int modelled_fdt(void *fdt, uint32_t frame)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic");
    int error = node < 0 ? node : fdt_del_node(fdt, node);

    for (unsigned i = 0; error == 0 && i < modelled_machine.roots; i++) {
        error = add_bridge(fdt, i, frame);
    }
    if (error == 0) {
        /* Firmware placed everything, and nothing is to be moved. */
        error = fdt_setprop_u32(fdt, fdt_path_offset(fdt, "/chosen"),
                                "linux,pci-probe-only", 1);
    }
    return error;
}
