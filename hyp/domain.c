/* SPDX-License-Identifier: MIT */
/* Making domains, and entering them. */
#include "domain_fdt.h"
#include "its.h"
#include "lib.h"
#include "main.h"
#include "mmu.h"
#include "smmu.h"
#include "vgic.h"

#define DOMAINS_MAX 4u
#define FRAME_OFFSET                                                           \
    0x20000u /* of the doorbell's page behind the distributor */

/* HCR_EL2: stage 2 on; set/way invalidation cleans; interrupts and system
 * errors to EL2; barriers and TLB maintenance inner shareable at least; SMC,
 * the implementation's own registers and ACTLR trapped; EL1 is AArch64. */
#define HCR_VALUE                                                              \
    ((1u << 0) | (1u << 1) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 9) |   \
     (1u << 10) | (1u << 19) | (1u << 20) | (1u << 21) | ((uint64_t)1 << 31))
/* MDCR_EL2: the guest debugs itself, but for what external debuggers use: the
 * OS lock, under which it could hold interrupts off, and powering. Profiling
 * and trace buffers stay EL2's. The number of event counters is kept. */
#define MDCR_COUNTERS 0x1fu
#define MDCR_OS_LOCK (1u << 10)
#define CNTHCTL_COUNTER                                                        \
    1u /* EL1 reads the counter; its physical timer traps                      \
        */
/* CPTR_EL2: floating point is the guest's; trace registers are trapped. */
#define CPTR_VALUE (0x33ffu | 1u << 20)
#define SCTLR_EL1_RESET 0x30d00800u
#define MPIDR_RES1 ((uint64_t)1 << 31)
#define SPSR_EL1H_MASKED 0x3c5u

static struct domain domains[DOMAINS_MAX];
static unsigned domain_count;

struct domain *domain_find(uint32_t id)
{
    for (unsigned i = 0; i < domain_count; i++) {
        if (domains[i].id == id) {
            return &domains[i];
        }
    }
    return NULL;
}

static void check(int error, const char *what)
{
    if (error != 0) {
        panic("%s: error %d", what, error);
    }
}

/* CPU time: how many it gets, from the first on. */
static void share_cpus(struct domain *domain, unsigned first, unsigned count)
{
    domain->vcpus = count;
    for (unsigned i = 0; i < count; i++) {
        domain->vcpu[i].domain = domain;
        domain->vcpu[i].index = i;
        domain->vcpu[i].cpu = first + i;
    }
}

static void share_memory(struct domain *domain)
{
    check(stage2_create(domain), "stage 2");
    check(stage2_map(domain, domain->ram_base, domain->ram_base,
                     domain->ram_size >> PAGE_SHIFT, STAGE2_RAM),
          "stage 2 of the memory");
    domain->dma = smmu_context_create();
    if (!domain->dma) {
        panic("no memory for the SMMU's tables");
    }
    check(smmu_map(domain->dma, domain->ram_base, domain->ram_base,
                   domain->ram_size, false),
          "DMA to the memory");
    check(smmu_map(domain->dma, its_doorbell() & ~(PAGE_SIZE - 1),
                   its_doorbell() & ~(PAGE_SIZE - 1), PAGE_SIZE, true),
          "DMA to the doorbell");
}

/* Devices that it drives without us, and the host bridge's four pins. */
static void share_devices(struct domain *domain, const struct machine *machine,
                          const void *fdt)
{
    struct region region;
    uint32_t intid;
    int node = -1;

    while (domain_fdt_device(fdt, &node, &region, &intid)) {
        check(stage2_map(domain, region.base, region.base,
                         (region.size + PAGE_SIZE - 1) >> PAGE_SHIFT,
                         STAGE2_DEVICE),
              "a device of the hardware domain");
        if (intid != 0) {
            vgic_own(domain, intid);
        }
    }
    for (unsigned i = 0; i < machine->pci.pins; i++) {
        vgic_own(domain, machine->pci.pin[i]);
    }
    vgic_own(domain, GIC_PPI_VTIMER);
}

struct domain *domain_create_hardware(const struct machine *machine,
                                      uint64_t reserved)
{
    struct domain *domain = &domains[domain_count++];
    struct vgic_layout layout = {
        .dist = machine->gic.dist,
        .redist = machine->gic.redist,
        .frame = machine->gic.dist + FRAME_OFFSET,
    };
    void *fdt;

    domain->id = 0;
    domain->name = "hardware domain";
    domain->ram_base = machine->ram.base + reserved;
    domain->ram_size = machine->ram.size - reserved;
    domain->frame = layout.frame;
    share_cpus(domain, 0, machine->cpus);
    share_memory(domain);
    check(vgic_create(domain, &layout), "virtual interrupt controller");
    /* At the end of its memory, where Linux does not unpack itself to. */
    fdt = (void *)(domain->ram_base + domain->ram_size - DOMAIN_FDT_SIZE);
    check(domain_fdt_make(machine, domain, &machine->hardware, layout.frame,
                          fdt, DOMAIN_FDT_SIZE),
          "device tree of the hardware domain");
    mmu_clean(fdt, DOMAIN_FDT_SIZE);
    share_devices(domain, machine, fdt);
    domain->vcpu[0].entry = machine->hardware.kernel.base;
    domain->vcpu[0].context = (uint64_t)fdt;
    atomic_store(&domain->vcpu[0].on, true);
    return domain;
}

/* What of this CPU the guest may use, and what traps. */
static void set_traps(const struct vcpu *vcpu)
{
    WRITE_SYSREG(hcr_el2, HCR_VALUE);
    WRITE_SYSREG(cnthctl_el2, CNTHCTL_COUNTER);
    WRITE_SYSREG(cntvoff_el2, 0);
    WRITE_SYSREG(cptr_el2, CPTR_VALUE);
    WRITE_SYSREG(oslar_el1, 0);
    WRITE_SYSREG(osdlr_el1, 0);
    WRITE_SYSREG(mdcr_el2,
                 (READ_SYSREG(mdcr_el2) & MDCR_COUNTERS) | MDCR_OS_LOCK);
    WRITE_SYSREG(hstr_el2, 0);
    WRITE_SYSREG(vpidr_el2, READ_SYSREG(midr_el1));
    WRITE_SYSREG(vmpidr_el2, MPIDR_RES1 | vcpu->index);
}

void vcpu_run(struct vcpu *vcpu)
{
    struct frame frame = {
        .x = {vcpu->context},
        .elr = vcpu->entry,
        .spsr = SPSR_EL1H_MASKED,
    };

    this_cpu()->vcpu = vcpu;
    stage2_use(vcpu->domain);
    set_traps(vcpu);
    WRITE_SYSREG(sctlr_el1, SCTLR_EL1_RESET);
    WRITE_SYSREG(mdscr_el1, 0);
    WRITE_SYSREG(cntv_ctl_el0, 0);
    isb();
    __asm__ volatile("dsb sy\n\ttlbi vmalls12e1\n\tic iallu\n\tdsb sy\n\tisb" ::
                         : "memory");
    vgic_init_vcpu(vcpu);
    vgic_enter(vcpu);
    guest_start(&frame);
}
