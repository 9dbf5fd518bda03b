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

/* A load or store that stage 2 does not allow (abort.c); or an instruction. */
void trap_data(struct vcpu *vcpu, struct frame *frame, uint64_t esr);
void trap_fetch(struct vcpu *vcpu, struct frame *frame, uint64_t esr);
/* PSCI calls (psci.c). */
void trap_psci(struct vcpu *vcpu, struct frame *frame);
/* Let the guest take an exception at its own level, instead of what it tried: a
 * synchronous external abort, as from a bus that nobody answers on; or as an
 * instruction that does not exist. */
void trap_inject_abort(struct frame *frame, bool fetch);
void trap_inject_undefined(struct frame *frame);
/* The next instruction: what was trapped, with this syndrome, is done. */
void trap_skip(struct frame *frame, uint64_t esr);

/* From vectors.S. */
void trap_sync(struct frame *frame);
void trap_irq(struct frame *frame);
void trap_serror(struct frame *frame);
_Noreturn void trap_own(unsigned vector, uint64_t link, uint64_t stack);

#endif
