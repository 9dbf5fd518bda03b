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

static void check_machine(void)
{
    need(machine.hardware.kernel.size != 0,
         "no kernel was loaded for the hardware domain");
    need(machine.ram.base / RESERVED * RESERVED == machine.ram.base &&
             (uint64_t)bss_end < machine.ram.base + RESERVED,
         "the image is not at the start of memory");
    need(machine.hardware.kernel.base >= machine.ram.base + RESERVED,
         "the kernel was loaded into the hypervisor's memory");
    mmu_add_ram(machine.ram.base, machine.ram.size);
}

void hyp_main(uint64_t fdt_address)
{
    uint64_t heap = ((uint64_t)bss_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    uint64_t base = heap & ~(RESERVED - 1);
    struct domain *domain;

    smp_init(READ_SYSREG(mpidr_el1) & 0xff00ffffffu);
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

void smmu_fault(uint32_t requester, uint64_t address, unsigned code)
{
    print("DMA refused: %02x:%02x.%u at %lx (event %x)\n", requester >> 8,
          requester >> 3 & 0x1fu, requester & 7u, address, code);
}
