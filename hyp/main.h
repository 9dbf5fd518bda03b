/* SPDX-License-Identifier: MIT */
/* What the whole hypervisor knows: the machine, and its domains. */
#ifndef HYP_MAIN_H
#define HYP_MAIN_H

#include "domain.h"
#include "machine.h"

const struct machine *the_machine(void);
/* The domain with an identifier of the library's, or NULL. Any CPU. */
struct domain *domain_find(uint32_t id);
/* What the end of its memory is for: its device tree. */
#define DOMAIN_FDT_SIZE (2 * MIB)
/* Make the hardware domain: memory, CPUs, interrupts, device tree. */
struct domain *domain_create_hardware(const struct machine *machine,
                                      uint64_t reserved);
/* This CPU runs a vCPU from now on. */
_Noreturn void vcpu_run(struct vcpu *vcpu);
/* Enter EL1 with these registers (start.S). */
_Noreturn void guest_start(struct frame *frame);

#endif
