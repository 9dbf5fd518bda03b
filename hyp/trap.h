/* SPDX-License-Identifier: MIT */
/* What comes from the vectors, and who it is handed to. */
#ifndef HYP_TRAP_H
#define HYP_TRAP_H

#include "domain.h"

/* Syndrome of an exception (Arm ARM, D17.2.37). */
#define ESR_CLASS(esr) ((uint32_t)((esr) >> 26) & 0x3fu)
#define ESR_CLASS_HVC 0x16u
#define ESR_CLASS_SMC 0x17u
#define ESR_CLASS_SYSREG 0x18u
#define ESR_CLASS_FETCH 0x20u
#define ESR_CLASS_DATA 0x24u

/* A load or store that stage 2 does not allow (abort.c). */
void trap_data(struct vcpu *vcpu, struct frame *frame, uint64_t esr);
/* PSCI calls (psci.c). */
void trap_psci(struct vcpu *vcpu, struct frame *frame);
/* Let the guest take a synchronous external abort at its own level: what a
 * bus that nobody answers on does. */
void trap_inject_abort(struct frame *frame, bool fetch);

/* From vectors.S. */
void trap_sync(struct frame *frame);
void trap_irq(struct frame *frame);
void trap_serror(struct frame *frame);
_Noreturn void trap_own(struct frame *frame, unsigned vector);

/* The next instruction: what was trapped is done. */
static inline void trap_skip(struct frame *frame)
{
    frame->elr += 4;
}

#endif
