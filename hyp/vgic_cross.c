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
    atomic_store_explicit(&vgic->cpu[vcpu].work, true, memory_order_relaxed);
}

void vgic_kick(struct vgic *vgic, uint32_t vcpus)
{
    for (; vcpus != 0; vcpus &= vcpus - 1u) {
        unsigned cpu = vgic->domain->vcpu[vgic_lowest(vcpus)].cpu;

        if (cpu != this_cpu()->index) {
            gic_send(cpu, GIC_SGI_KICK);
        }
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

uint32_t vgic_notify_locked(struct vgic *vgic, struct vgic_row *row,
                            uint32_t bits)
{
    uint32_t told = 0;

    for (; bits != 0; bits &= bits - 1u) {
        unsigned vcpu = concerned((struct vgic_irq){row, vgic_lowest(bits)});

        if (vcpu != NOBODY) {
            told |= (uint32_t)1 << vcpu;
            vgic_post_locked(vgic, vcpu);
        }
    }
    return told;
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

static void pause_locked(struct vgic *vgic, uint32_t vcpus)
{
    for (; vcpus != 0; vcpus &= vcpus - 1u) {
        unsigned vcpu = vgic_lowest(vcpus);

        atomic_fetch_add_explicit(&vgic->cpu[vcpu].pauses, 1,
                                  memory_order_relaxed);
        vgic_post_locked(vgic, vcpu);
    }
}

void vgic_release_locked(struct vgic *vgic, uint32_t paused)
{
    for (; paused != 0; paused &= paused - 1u) {
        atomic_fetch_sub_explicit(&vgic->cpu[vgic_lowest(paused)].pauses, 1,
                                  memory_order_relaxed);
    }
}

/* Do all of these vCPUs have empty list registers? */
static bool are_empty(const struct vgic *vgic, uint32_t vcpus)
{
    for (; vcpus != 0; vcpus &= vcpus - 1u) {
        if (atomic_load_explicit(&vgic->cpu[vgic_lowest(vcpus)].holds,
                                 memory_order_relaxed)) {
            return false;
        }
    }
    return true;
}

uint32_t vgic_gather_locked(struct vcpu *vcpu, struct vgic_row *row,
                            uint32_t bits)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint64_t begin = READ_SYSREG(cntpct_el0);
    uint64_t patience = READ_SYSREG(cntfrq_el0) * PAUSE_SECONDS;
    uint32_t wait, paused = 0;

    if ((row->loaded & bits) == 0) {
        return 0;
    }
    vgic_kick(vgic, vgic_fold_locked(vcpu));
    /* While one vCPU stops, another may load what was waited for. */
    while ((wait = holders(vgic, vcpu->index, row, bits)) != 0 &&
           READ_SYSREG(cntpct_el0) - begin <= patience) {
        pause_locked(vgic, wait & ~paused);
        paused |= wait;
        spin_unlock(&vgic->lock);
        vgic_kick(vgic, wait);
        while (!are_empty(vgic, wait) &&
               READ_SYSREG(cntpct_el0) - begin <= patience) {
            relax();
        }
        spin_lock(&vgic->lock);
    }
    return paused;
}
