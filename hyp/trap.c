/* SPDX-License-Identifier: MIT */
/* Traps from a domain's CPU: by class to who knows; interrupts by number. */
#include "trap.h"

#include "gic.h"
#include "its.h"
#include "lib.h"
#include "main.h"
#include "pci.h"
#include "smmu.h"
#include "vgic.h"

/* The register of a trapped MRS or MSR, as its syndrome gives it. */
#define SYSREG(op0, op1, crn, crm, op2)                                        \
    ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define SYSREG_MASK SYSREG(3u, 7u, 15u, 15u, 7u)
#define SYSREG_ICC_SGI1R SYSREG(3u, 0u, 12u, 11u, 5u)
#define SYSREG_IS_READ 1u
#define SYSREG_RT(esr) ((uint32_t)((esr) >> 5) & 31u)

#define SPSR_EL1H_MASKED 0x3c5u
#define SPSR_KEPT 0xf1400000u /* flags, DIT and PAN, which a trap leaves */
#define SPSR_PAN (1u << 22)
#define SPSR_STEP (1u << 21)
#define SPSR_32_BIT (1u << 4)
#define SPSR_THUMB (1u << 5) /* in 32-bit state */
#define SPSR_EL(spsr) ((spsr) >> 2 & 3u)
#define SPSR_SP_EL1 1u
#define SCTLR_SPAN (1u << 23)
#define HAS_PAN(mmfr1) (((mmfr1) >> 20 & 15u) != 0)

/* Entries for synchronous exceptions, by where they come from. */
#define EL1_SYNC_SP_EL0 0x000u
#define EL1_SYNC_SAME 0x200u
#define EL1_SYNC_LOWER 0x400u
#define EL1_SYNC_LOWER_32 0x600u
#define ESR_ABORT_EXTERNAL 0x10u
#define ESR_SAME_LEVEL (1u << 26)
#define ESR_32_BIT (1u << 25)

static void trap_sysreg(struct vcpu *vcpu, struct frame *frame, uint64_t esr)
{
    uint32_t rt = SYSREG_RT(esr);

    if ((esr & SYSREG_IS_READ) != 0) {
        if (rt < 31) {
            frame->x[rt] = 0;
        }
    } else if ((esr & SYSREG_MASK) == SYSREG_ICC_SGI1R) {
        vgic_send(vcpu, rt < 31 ? frame->x[rt] : 0);
    }
    /* Whatever else is trapped does not exist: reads zero, ignores writes. */
    trap_skip(frame, esr);
}

/* The next instruction of a Thumb IT block has the next condition (Arm ARM,
 * G1.2.6): the state of the block is in two pieces of the SPSR. */
static uint64_t next_in_block(uint64_t spsr)
{
    uint64_t it = (spsr >> 25 & 3u) | (spsr >> 8 & 0xfcu);

    it = (it & 7u) == 0 ? 0 : (it & 0xe0u) | (it << 1 & 0x1fu);
    return (spsr & ~0x0600fc00ull) | (it & 3u) << 25 | (it & 0xfcu) << 8;
}

void trap_skip(struct frame *frame, uint64_t esr)
{
    frame->elr += (esr & ESR_32_BIT) != 0 ? 4 : 2;
    if ((frame->spsr & SPSR_32_BIT) != 0 && (frame->spsr & SPSR_THUMB) != 0) {
        frame->spsr = next_in_block(frame->spsr);
    }
    frame->spsr &= ~(uint64_t)SPSR_STEP; /* a debugger's step is done */
}

static uint64_t entry_offset(uint64_t spsr)
{
    if ((spsr & SPSR_32_BIT) != 0) {
        return EL1_SYNC_LOWER_32;
    }
    if (SPSR_EL(spsr) == 0) {
        return EL1_SYNC_LOWER;
    }
    return (spsr & SPSR_SP_EL1) != 0 ? EL1_SYNC_SAME : EL1_SYNC_SP_EL0;
}

/* As the processor takes an exception to EL1 (Arm ARM, D1.3.1). */
static void inject(struct frame *frame, uint64_t esr)
{
    uint64_t spsr = SPSR_EL1H_MASKED | (frame->spsr & SPSR_KEPT);

    if (HAS_PAN(READ_SYSREG(id_aa64mmfr1_el1)) &&
        (READ_SYSREG(sctlr_el1) & SCTLR_SPAN) == 0) {
        spsr |= SPSR_PAN;
    }
    WRITE_SYSREG(esr_el1, esr | ESR_32_BIT);
    WRITE_SYSREG(elr_el1, frame->elr);
    WRITE_SYSREG(spsr_el1, frame->spsr);
    frame->elr = READ_SYSREG(vbar_el1) + entry_offset(frame->spsr);
    frame->spsr = spsr;
}

void trap_inject_abort(struct frame *frame, bool fetch)
{
    uint64_t class = fetch ? ESR_CLASS_FETCH : ESR_CLASS_DATA;
    bool from_el1 = SPSR_EL(frame->spsr) != 0;

    WRITE_SYSREG(far_el1, READ_SYSREG(far_el2));
    inject(frame,
           class << 26 | (from_el1 ? ESR_SAME_LEVEL : 0) | ESR_ABORT_EXTERNAL);
}

void trap_inject_undefined(struct frame *frame)
{
    inject(frame, 0); /* class 0: no reason known */
}

void trap_sync(struct frame *frame)
{
    static struct print_limit limit = {.burst = 4};
    struct vcpu *vcpu = this_cpu()->vcpu;
    uint64_t esr = READ_SYSREG(esr_el2);

    switch (ESR_CLASS(esr)) {
    case ESR_CLASS_DATA:
        trap_data(vcpu, frame, esr);
        break;
    case ESR_CLASS_FETCH:
        trap_fetch(vcpu, frame, esr);
        break;
    case ESR_CLASS_SYSREG:
        trap_sysreg(vcpu, frame, esr);
        break;
    case ESR_CLASS_SMC: /* trapped before it is executed */
        trap_skip(frame, esr);
        trap_psci(vcpu, frame);
        break;
    case ESR_CLASS_HVC: /* returns behind itself */
        trap_psci(vcpu, frame);
        break;
    default:
        print_limited(&limit, "%s: CPU %u: trap of class %x at %lx\n",
                      vcpu->domain->name, vcpu->index, ESR_CLASS(esr),
                      frame->elr);
        trap_inject_undefined(frame);
        break;
    }
    vgic_enter(vcpu);
}

static void take(struct vcpu *vcpu, uint32_t intid)
{
    uint32_t virq;
    uint32_t domain_id;

    gic_drop_priority(intid);
    if (intid >= GIC_LPI_FIRST) {
        struct domain *domain = NULL;

        if (its_lookup(intid, &domain_id, &virq)) {
            domain = domain_find(domain_id);
        }
        if (domain) {
            vgic_message(domain, virq);
        }
    } else if (intid == GIC_SGI_KICK) {
        gic_deactivate(intid); /* what it asks for is done on the way out */
    } else if (intid == GIC_PPI_MAINTENANCE) {
        vgic_maintenance();
        gic_deactivate(intid);
    } else if (intid == the_machine()->smmu.event_irq) {
        smmu_poll();
        gic_deactivate(intid);
    } else {
        vgic_hardware(vcpu->domain, intid);
    }
}

void trap_irq(struct frame *frame)
{
    struct vcpu *vcpu = this_cpu()->vcpu;
    uint32_t intid;

    (void)frame;
    if (panicked()) {
        halt();
    }
    /* Ends: what is taken stays active until somebody deactivates it. A device
     * that floods us with messages gets a bounded share of each trap. */
    for (unsigned i = 0; i < 64; i++) {
        intid = gic_acknowledge();
        if (intid >= GIC_SPURIOUS && intid < GIC_LPI_FIRST) {
            break;
        }
        take(vcpu, intid);
    }
    if (smmu_unfinished()) {
        smmu_poll();
    }
    pci_work();
    vgic_enter(vcpu);
}

void trap_serror(struct frame *frame)
{
    static struct print_limit limit = {.burst = 4};
    struct vcpu *vcpu = this_cpu()->vcpu;

    print_limited(&limit, "%s: CPU %u: system error at %lx, syndrome %lx\n",
                  vcpu->domain->name, vcpu->index, frame->elr,
                  READ_SYSREG(esr_el2));
    vgic_enter(vcpu);
}

void trap_own(unsigned vector, uint64_t link, uint64_t stack)
{
    panic("exception %u: syndrome %lx, at %lx, address %lx, link %lx, "
          "stack %lx",
          vector, READ_SYSREG(esr_el2), READ_SYSREG(elr_el2),
          READ_SYSREG(far_el2), link, stack);
}
