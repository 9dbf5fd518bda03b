/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor on one page: read the machine, take its interrupts and its DMA,
 * share it out, and start the hardware domain on the first CPU.
 */
#include "main.h"

#include "console.h"
#include "gic.h"
#include "heap.h"
#include "its.h"
#include "lib.h"
#include "mmu.h"
#include "modelled.h"
#include "pci.h"
#include "smmu.h"
#include "smp.h"

/* The start of memory is the hypervisor's own: image, then heap. */
#define RESERVED (64u * MIB)
#define ADDRESS_END ((uint64_t)1 << 40) /* of what the tables reach */

extern const char bss_end[];
_Noreturn void hyp_main(uint64_t fdt_address);

static struct machine machine;

const struct machine *the_machine(void)
{
    return &machine;
}

static void need(bool there, const char *what)
{
    if (!there) {
        panic("%s", what);
    }
}

static void start_interrupts(void)
{
    gic_init(&machine.gic);
    gic_init_cpu();
    need(machine.its != 0, "the machine has no ITS");
    need(its_init(machine.its) == 0 && its_init_cpu() == 0,
         "the ITS could not be set up");
}

static bool overlap(struct region a, struct region b)
{
    return a.base < b.base ? b.size != 0 && b.base - a.base < a.size
                           : a.size != 0 && a.base - b.base < b.size;
}

/* What a loader left for the domain stands in the domain's memory, where
 * nothing else goes, and each apart. */
static void check_modules(const struct region *free)
{
    const struct boot_module *module = &machine.hardware;
    const struct region *parts[] = {&module->kernel, &module->initrd};

    need(module->kernel.size != 0,
         "no kernel was loaded for the hardware domain");
    need(module->kernel.base % (2 * MIB) == 0,
         "the kernel is not at a multiple of 2 MiB");
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        need(parts[i]->size == 0 || region_holds(free, parts[i]),
             "a module was loaded outside of the hardware domain's memory");
    }
    need(!overlap(module->kernel, module->initrd), "two modules overlap");
}

/* PCI memory is given out page by page: nothing else may be in it. */
static void check_windows(void)
{
    const struct pci_windows *pci = &machine.pci;
    const struct region others[] = {
        machine.ram,
        pci->ecam,
        pci->io,
        {machine.gic.dist, PAGE_SIZE},
        {machine.gic.redist, machine.gic.redist_size},
        {machine.its, PAGE_SIZE},
        {machine.smmu.base, PAGE_SIZE},
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        need(!overlap(pci->memory32, others[i]) &&
                 !overlap(pci->memory64, others[i]),
             "the host bridge's windows reach over other things");
    }
}

static void check_machine(void)
{
    const struct region *ram = &machine.ram;
    struct region free = {ram->base + RESERVED,
                          ram->size - RESERVED - DOMAIN_FDT_SIZE};

    need(ram->base % RESERVED == 0 && ram->base < ADDRESS_END &&
             ram->size <= ADDRESS_END - ram->base &&
             ram->size >= 2 * (uint64_t)RESERVED &&
             (uint64_t)bss_end < ram->base + RESERVED &&
             (uint64_t)bss_end > ram->base,
         "the image is not at the start of memory");
    check_modules(&free);
    check_windows();
    mmu_add_ram(ram->base, ram->size);
}

void hyp_main(uint64_t fdt_address)
{
    uint64_t heap = ((uint64_t)bss_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    uint64_t base = heap & ~(RESERVED - 1);
    struct domain *domain;

    smp_init(READ_SYSREG(mpidr_el1) & 0xff00ffffffu);
    need(fdt_address < base || fdt_address >= base + RESERVED,
         "the device tree is where the hypervisor's memory is");
    heap_init(heap, base + RESERVED - heap);
    machine_read(fdt_address, &machine);
    check_machine();
    if (!console_init(&machine)) {
        print("no console: the root bus has no PCI serial card\n");
    }
    print("pcivisor's reference hypervisor: %u CPUs, %lu MiB at %lx\n",
          machine.cpus, machine.ram.size / MIB, machine.ram.base);
    modelled_init(&machine);
    start_interrupts();
    need(smmu_init(&machine.smmu) == 0, "the SMMU could not be set up");
    if (machine.smmu.event_irq != 0) {
        gic_set_edge(machine.smmu.event_irq, true);
        gic_enable(machine.smmu.event_irq);
    }
    domain = domain_create_hardware(&machine, RESERVED);
    pci_init(&machine);
    pci_add_domain(domain);
    print("%s: kernel at %lx, %u CPUs, %lu MiB\n", domain->name,
          machine.hardware.kernel.base, domain->vcpus, domain->ram_size / MIB);
    vcpu_run(&domain->vcpu[0]);
}

void smmu_fault(uint32_t requester, uint64_t address, bool write, unsigned code)
{
    static struct print_limit limit = {.burst = 8};

    print_limited(&limit, "DMA refused: %02x:%02x.%u at %lx (event %x)\n",
                  requester >> 8, requester >> 3 & 0x1fu, requester & 7u,
                  address, code);
    pci_dma_fault(requester, address, write);
}
