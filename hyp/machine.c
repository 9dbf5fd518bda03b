/* SPDX-License-Identifier: MIT */
/* Reading the device tree, with libfdt (Devicetree Specification 0.4). */
#include "machine.h"

#include <libfdt.h>

#include "driver.h"
#include "lib.h"

#define GICV3 "arm,gic-v3"
#define HOST_BRIDGE "pci-host-ecam-generic"
#define RANGE_CELLS 7u /* 3 of PCI, 2 of the CPU, 2 of size */
#define MAP_CELLS                                                              \
    10u /* 3 of the function, 1 pin, 1 controller and 2 of its                 \
           address, 3 of the interrupt there */
#define MPIDR_AFFINITY 0xff00ffffffu
#define SPACE_IO 1u
#define SPACE_MEMORY32 2u
#define SPACE_MEMORY64 3u

static int need(const void *fdt, const char *compatible)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, compatible);

    if (node < 0) {
        panic("the device tree has no %s", compatible);
    }
    return node;
}

static const fdt32_t *need_cells(const void *fdt, int node, const char *name,
                                 unsigned count)
{
    int size = 0;
    const fdt32_t *cells = fdt_getprop(fdt, node, name, &size);

    if (!cells || size < (int)(count * sizeof(*cells))) {
        panic("%s of the device tree: `%s` is missing or too short",
              fdt_get_name(fdt, node, NULL), name);
    }
    return cells;
}

/* A string, or NULL where there is none that ends. */
static const char *text_of(const void *fdt, int node, const char *name)
{
    return fdt_stringlist_get(fdt, node, name, 0, NULL);
}

static uint64_t two_cells(const fdt32_t *cells)
{
    return (uint64_t)fdt32_to_cpu(cells[0]) << 32 | fdt32_to_cpu(cells[1]);
}

/* The index-th entry of `reg`; all our nodes have two cells for each part. */
static struct region need_reg(const void *fdt, int node, unsigned index)
{
    const fdt32_t *reg = need_cells(fdt, node, "reg", 4 * (index + 1));

    return (struct region){two_cells(reg + (size_t)4 * index),
                           two_cells(reg + (size_t)4 * index + 2)};
}

/* The CPU that runs this is the first. */
static void begin_with(struct machine *machine, uint64_t mpidr)
{
    for (unsigned i = 0; i < machine->cpus; i++) {
        if (machine->mpidr[i] == mpidr) {
            machine->mpidr[i] = machine->mpidr[0];
            machine->mpidr[0] = mpidr;
            return;
        }
    }
    panic("the device tree does not have the CPU that booted");
}

static void read_cpus(struct machine *machine)
{
    int cpus = fdt_path_offset(machine->fdt, "/cpus");
    int cells = fdt_address_cells(machine->fdt, cpus);
    int node;

    if (cpus < 0 || cells < 1 || cells > 2) {
        panic("the device tree has no /cpus");
    }
    fdt_for_each_subnode(node, machine->fdt, cpus)
    {
        const char *type = text_of(machine->fdt, node, "device_type");
        const fdt32_t *reg;

        if (!type || strcmp(type, "cpu") != 0 || machine->cpus >= CPUS_MAX) {
            continue;
        }
        reg = need_cells(machine->fdt, node, "reg", (unsigned)cells);
        machine->mpidr[machine->cpus++] =
            cells == 2 ? two_cells(reg) : fdt32_to_cpu(*reg);
    }
    begin_with(machine, READ_SYSREG(mpidr_el1) & MPIDR_AFFINITY);
}

static void read_gic(struct machine *machine)
{
    int node = need(machine->fdt, GICV3);
    struct region redist = need_reg(machine->fdt, node, 1);

    machine->gic.dist = need_reg(machine->fdt, node, 0).base;
    machine->gic.redist = redist.base;
    machine->gic.redist_size = redist.size;
    node = fdt_node_offset_by_compatible(machine->fdt, -1, GICV3 "-its");
    machine->its = node < 0 ? 0 : need_reg(machine->fdt, node, 0).base;
}

static void read_smmu(struct machine *machine)
{
    int node = need(machine->fdt, "arm,smmu-v3");
    const fdt32_t *irqs = need_cells(machine->fdt, node, "interrupts", 3);

    machine->smmu.base = need_reg(machine->fdt, node, 0).base;
    machine->smmu.event_irq = fdt32_to_cpu(irqs[1]) + 32; /* an SPI's INTID */
}

static void read_range(struct pci_windows *pci, const fdt32_t *cells)
{
    uint64_t bus = two_cells(cells + 1);
    struct region region = {two_cells(cells + 3), two_cells(cells + 5)};
    uint32_t space = fdt32_to_cpu(cells[0]) >> 24 & 3u;

    if (space == SPACE_IO) {
        pci->io = region;
    } else if (bus != region.base) {
        panic("PCI memory at %lx stands at %lx on the bus: not supported",
              region.base, bus);
    } else if (space == SPACE_MEMORY32) {
        pci->memory32 = region;
    } else if (space == SPACE_MEMORY64) {
        pci->memory64 = region;
    }
}

/* Which interrupts the pins are routed to; each once. */
static void read_pins(const void *fdt, int node, struct pci_windows *pci)
{
    int size = 0;
    const fdt32_t *map = fdt_getprop(fdt, node, "interrupt-map", &size);

    for (size_t i = 0; map && i + MAP_CELLS <= (size_t)size / 4;
         i += MAP_CELLS) {
        uint32_t intid = fdt32_to_cpu(map[i + 8]) + 32;
        unsigned at = 0;

        while (at < pci->pins && pci->pin[at] != intid) {
            at++;
        }
        if (at == pci->pins && at < 4) {
            pci->pin[pci->pins++] = intid;
        }
    }
}

static void read_pci(struct machine *machine)
{
    const void *fdt = machine->fdt;
    struct pci_windows *pci = &machine->pci;
    int node = need(fdt, HOST_BRIDGE);
    const fdt32_t *buses = need_cells(fdt, node, "bus-range", 2);
    const fdt32_t *domain = fdt_getprop(fdt, node, "linux,pci-domain", NULL);
    int size = 0;
    const fdt32_t *ranges = fdt_getprop(fdt, node, "ranges", &size);

    pci->ecam = need_reg(fdt, node, 0);
    pci->bus_first = (uint8_t)fdt32_to_cpu(buses[0]);
    pci->bus_last = (uint8_t)fdt32_to_cpu(buses[1]);
    if (fdt32_to_cpu(buses[0]) > fdt32_to_cpu(buses[1]) ||
        fdt32_to_cpu(buses[1]) > 255 ||
        pci->ecam.size >> 20 < pci->bus_last - pci->bus_first + 1u) {
        panic("the host bridge has more buses than its window");
    }
    pci->segment = domain ? (uint16_t)fdt32_to_cpu(*domain) : 0;
    for (size_t i = 0; ranges && i + RANGE_CELLS <= (size_t)size / 4;
         i += RANGE_CELLS) {
        read_range(pci, ranges + i);
    }
    read_pins(fdt, node, pci);
}

/* Modules are children of /chosen named by where they were loaded. */
static void read_modules(struct machine *machine, int chosen)
{
    const void *fdt = machine->fdt;
    int node;

    fdt_for_each_subnode(node, fdt, chosen)
    {
        if (fdt_node_check_compatible(fdt, node, "multiboot,kernel") == 0) {
            machine->hardware.kernel = need_reg(fdt, node, 0);
            machine->hardware.arguments = text_of(fdt, node, "bootargs");
        } else if (fdt_node_check_compatible(fdt, node, "multiboot,ramdisk") ==
                   0) {
            machine->hardware.initrd = need_reg(fdt, node, 0);
        }
    }
}

void machine_read(uint64_t fdt_address, struct machine *out)
{
    const void *given = (const void *)fdt_address;
    int node;

    *out = (struct machine){.fdt = NULL};
    if (fdt_check_header(given) != 0) {
        panic("there is no device tree at %lx", fdt_address);
    }
    out->fdt_size = fdt_totalsize(given);
    out->fdt = pages_alloc(pages_order(out->fdt_size));
    if (!out->fdt) {
        panic("no memory for a device tree of %lu bytes",
              (uint64_t)out->fdt_size);
    }
    memcpy(out->fdt, given, out->fdt_size);
    if (fdt_check_full(out->fdt, out->fdt_size) != 0) {
        panic("the device tree at %lx is not a sound one", fdt_address);
    }
    node = fdt_node_offset_by_prop_value(out->fdt, -1, "device_type", "memory",
                                         sizeof("memory"));
    if (node < 0) {
        panic("the device tree has no memory");
    }
    out->ram = need_reg(out->fdt, node, 0);
    read_cpus(out);
    read_gic(out);
    read_smmu(out);
    read_pci(out);
    node = fdt_path_offset(out->fdt, "/chosen");
    if (node >= 0) {
        out->options = text_of(out->fdt, node, "bootargs");
        read_modules(out, node);
    }
}

bool machine_option(const struct machine *machine, const char *name,
                    const char **out_value)
{
    size_t length = strlen(name);
    const char *at = machine->options;

    while (at && *at != '\0') {
        if (strncmp(at, name, length) == 0 &&
            (out_value ? at[length - 1] == '='
                       : at[length] == '\0' || at[length] == ' ')) {
            if (out_value) {
                *out_value = at + length;
            }
            return true;
        }
        while (*at != '\0' && *at != ' ') {
            at++;
        }
        while (*at == ' ') {
            at++;
        }
    }
    return false;
}
