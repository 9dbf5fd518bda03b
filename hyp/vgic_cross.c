/* SPDX-License-Identifier: MIT */
/*
 * How vCPUs of a domain act on each other's interrupts: by posting work, and by
 * pausing who has something loaded. vgic_state.h says why this cannot lock up.
 */
#include "gic.h"
#include "vgic_state.h"

/* How long a paused vCPU may take to stop. It is a matter of microseconds; the
 * bound is for a CPU that is stuck in the hypervisor. */
#define PAUSE_SECONDS 1u

void vgic_post_locked(struct vgic *vgic, unsigned vcpu)
{
    unsigned cpu = vgic->domain->vcpu[vcpu].cpu;

    atomic_store_explicit(&vgic->cpu[vcpu].work, true, memory_order_relaxed);
    if (cpu != this_cpu()->index) {
        gic_send(cpu, GIC_SGI_KICK);
    }
}

/* The vCPU that has to know of a change, or NOBODY. */
static unsigned concerned(struct vgic_irq irq)
{
    struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq);

    if (((row->loaded | row->active) & bit) != 0) {
        return row->holder[irq.index];
    }
    return (row->pending & row->enabled & bit) != 0 ? row->target[irq.index]
                                                    : NOBODY;
}

void vgic_notify_locked(struct vgic *vgic, struct vgic_row *row, uint32_t bits)
{
    uint32_t told = 0;

    for (; bits != 0; bits &= bits - 1u) {
        unsigned vcpu = concerned((struct vgic_irq){row, vgic_lowest(bits)});

        if (vcpu != NOBODY && (told >> vcpu & 1u) == 0) {
            told |= (uint32_t)1 << vcpu;
            vgic_post_locked(vgic, vcpu);
        }
    }
}

/* vCPUs other than `self` that run and hold some of these loaded. */
static uint32_t holders(const struct vgic *vgic, unsigned self,
                        const struct vgic_row *row, uint32_t bits)
{
    uint32_t result = 0;

    for (bits &= row->loaded; bits != 0; bits &= bits - 1u) {
        unsigned holder = row->holder[vgic_lowest(bits)];

        if (holder != self &&
            atomic_load_explicit(&vgic->domain->vcpu[holder].on,
                                 memory_order_relaxed)) {
            result |= (uint32_t)1 << holder;
        }
    }
    return result;
}

uint32_t vgic_gather_locked(struct vcpu *vcpu, struct vgic_row *row,
                            uint32_t bits)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint64_t begin = READ_SYSREG(cntpct_el0);
    uint64_t patience = READ_SYSREG(cntfrq_el0) * PAUSE_SECONDS;
    uint32_t paused = 0;

    if ((row->loaded & bits) == 0) {
        return 0;
    }
    vgic_fold_locked(vcpu);
    for (;;) {
        uint32_t wait = holders(vgic, vcpu->index, row, bits);

        if (wait == 0 || READ_SYSREG(cntpct_el0) - begin > patience) {
            return paused;
        }
        for (unsigned i = 0; i < vgic->domain->vcpus; i++) {
            if (((wait & ~paused) >> i & 1u) != 0) {
                vgic->cpu[i].pauses++;
                vgic_post_locked(vgic, i);
            }
        }
        paused |= wait;
        spin_unlock(&vgic->lock);
        relax();
        spin_lock(&vgic->lock);
    }
}

void vgic_release_locked(struct vgic *vgic, uint32_t paused)
{
    for (unsigned i = 0; i < vgic->domain->vcpus; i++) {
        if ((paused >> i & 1u) != 0) {
            vgic->cpu[i].pauses--;
        }
    }
}
