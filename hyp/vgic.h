/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller that a domain sees: a GICv3 without LPIs, and a
 * GICv2m frame as doorbell for messages. Its CPU interface is the hardware's
 * virtual one (list registers); distributor, redistributors and the frame are
 * emulated here.
 */
#ifndef HYP_VGIC_H
#define HYP_VGIC_H

#include "domain.h"

/* Interrupts that messages arrive as; the frame's own numbers. */
#define VGIC_MSI_FIRST 256u
#define VGIC_MSI_COUNT 256u
#define VGIC_INTIDS 512u
#define VGIC_FRAME_DOORBELL 0x40u /* offset of SETSPI_NS in the frame */

struct vgic_layout {
    uint64_t dist, redist, frame; /* guest-physical; 64K, 128K a vCPU, 4K */
};

/* 0 or -PCV_ENOMEM. */
int vgic_create(struct domain *domain, const struct vgic_layout *layout);
/* On the vCPU's CPU, before it first runs: list registers, traps. */
void vgic_init_vcpu(struct vcpu *vcpu);
/* It was switched off (PSCI) and starts again. */
void vgic_reset_vcpu(struct vcpu *vcpu);

/* A hardware interrupt is the domain's, under the same number: enabling it
 * there enables it here, and the guest's deactivation is the hardware's. */
void vgic_own(struct domain *domain, uint32_t intid);
/* It arrived on this CPU (acknowledged, priority dropped). */
void vgic_hardware(struct domain *domain, uint32_t intid);
/* A message: an edge, to the vCPU that the guest routed it to. Any CPU. */
void vgic_message(struct domain *domain, uint32_t virq);

/* An access that trapped. False: not the interrupt controller's. */
bool vgic_access(struct vcpu *vcpu, uint64_t address, unsigned size, bool write,
                 uint64_t *data);
/* The guest wrote ICC_SGI1R_EL1. */
void vgic_send(struct vcpu *vcpu, uint64_t sgi1r);
/* GIC_PPI_MAINTENANCE came to this CPU: silent until vgic_enter(). */
void vgic_maintenance(void);
/* Fill list registers; before every return to the guest. */
void vgic_enter(struct vcpu *vcpu);

#endif
