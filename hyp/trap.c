/* SPDX-License-Identifier: MIT */
/* Traps from a domain's CPU: by class to who knows; interrupts by number. */
#include "trap.h"

#include "gic.h"
#include "its.h"
#include "lib.h"
#include "main.h"
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
#define EL1_SYNC_SAME 0x200u
#define EL1_SYNC_LOWER 0x400u
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
    trap_skip(frame);
}

void trap_inject_abort(struct frame *frame, bool fetch)
{
    bool from_el1 = (frame->spsr & 0xcu) != 0;
    uint64_t class = fetch ? ESR_CLASS_FETCH : ESR_CLASS_DATA;

    WRITE_SYSREG(esr_el1, class << 26 | (from_el1 ? ESR_SAME_LEVEL : 0) |
                              ESR_32_BIT | ESR_ABORT_EXTERNAL);
    WRITE_SYSREG(far_el1, READ_SYSREG(far_el2));
    WRITE_SYSREG(elr_el1, frame->elr);
    WRITE_SYSREG(spsr_el1, frame->spsr);
    frame->elr =
        READ_SYSREG(vbar_el1) + (from_el1 ? EL1_SYNC_SAME : EL1_SYNC_LOWER);
    frame->spsr = SPSR_EL1H_MASKED;
}

void trap_sync(struct frame *frame)
{
    struct vcpu *vcpu = this_cpu()->vcpu;
    uint64_t esr = READ_SYSREG(esr_el2);

    switch (ESR_CLASS(esr)) {
    case ESR_CLASS_DATA:
        trap_data(vcpu, frame, esr);
        break;
    case ESR_CLASS_SYSREG:
        trap_sysreg(vcpu, frame, esr);
        break;
    case ESR_CLASS_SMC: /* trapped before it is executed */
        trap_skip(frame);
        trap_psci(vcpu, frame);
        break;
    case ESR_CLASS_HVC: /* returns behind itself */
        trap_psci(vcpu, frame);
        break;
    default:
        print("%s: CPU %u: trap of class %x at %lx: it gets an abort\n",
              vcpu->domain->name, vcpu->index, ESR_CLASS(esr), frame->elr);
        trap_inject_abort(frame, ESR_CLASS(esr) == ESR_CLASS_FETCH);
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
    /* Ends: what is taken stays active until somebody deactivates it. A device
     * that floods us with messages gets a bounded share of each trap. */
    for (unsigned i = 0; i < 64; i++) {
        intid = gic_acknowledge();
        if (intid >= GIC_SPURIOUS && intid < GIC_LPI_FIRST) {
            break;
        }
        take(vcpu, intid);
    }
    vgic_enter(vcpu);
}

void trap_serror(struct frame *frame)
{
    struct vcpu *vcpu = this_cpu()->vcpu;

    print("%s: CPU %u: system error at %lx, syndrome %lx\n", vcpu->domain->name,
          vcpu->index, frame->elr, READ_SYSREG(esr_el2));
    vgic_enter(vcpu);
}

void trap_own(struct frame *frame, unsigned vector)
{
    panic("exception %u: syndrome %lx, at %lx, address %lx, link %lx", vector,
          READ_SYSREG(esr_el2), frame->elr, READ_SYSREG(far_el2), frame->x[30]);
}
