/* SPDX-License-Identifier: MIT */
/*
 * What the files of the virtual interrupt controller share.
 *
 * Interrupts are kept in rows of 32, one bit each, as the registers of a
 * distributor show them. A vCPU has a row for its SGIs and PPIs; the domain has
 * the rows of the SPIs.
 *
 * Where the truth is. Whether an interrupt is pending or active is known to its
 * row, until the interrupt is loaded into a list register of some vCPU; then it
 * is known to that register alone, which only its own CPU can read. A pending
 * bit in the row of a loaded interrupt is an edge that came since. Folding
 * takes what a CPU's list registers say back into the rows.
 *
 * Two CPUs at once. One lock a domain guards all of this, including the list
 * registers' records; it is taken before gic.c's lock and no other is taken
 * inside. To read or change an interrupt that another vCPU has loaded, that
 * vCPU is paused (vgic_gather_locked): at its next trap, which a kick brings
 * about, it folds and waits. Who pauses others has folded itself before, and
 * stays so until it returns to its guest; so that two may pause each other.
 *
 * A hardware interrupt that the domain owns has one more rule: it is pending or
 * active here if and only if it is active in the hardware. Hence the guest's
 * deactivation can be the hardware's, and a level that fell while its interrupt
 * was disabled does not come as a stale one.
 */
#ifndef HYP_VGIC_STATE_H
#define HYP_VGIC_STATE_H

#include "vgic.h"

#define ROW_BITS 32u
#define ROWS (VGIC_INTIDS / ROW_BITS)
#define SPI_FIRST ROW_BITS
#define SGI_BITS 0xffffu
#define LIST_MAX 16u /* list registers that the architecture allows */
#define NOBODY 0xffu /* a route that leads to no vCPU */

struct vgic_row {
    uint32_t first;    /* INTID of bit 0 */
    struct vcpu *vcpu; /* whose private row it is; NULL: the domain's */
    uint32_t enabled, pending, active, edge;
    uint32_t owned;  /* hardware interrupts */
    uint32_t loaded; /* in a list register of their holder */
    uint8_t priority[ROW_BITS];
    uint8_t target[ROW_BITS]; /* vCPU that it is for, or NOBODY */
    uint8_t holder[ROW_BITS]; /* vCPU of what is loaded or active */
    uint64_t route[ROW_BITS]; /* as the guest wrote it */
};

/* One interrupt. */
struct vgic_irq {
    struct vgic_row *row;
    unsigned index; /* in its row */
};

struct vgic_cpu {
    /* vgic_enter() has something to do. Written under the lock. */
    _Atomic bool work;
    bool asleep;   /* GICR_WAKER */
    bool overflow; /* an active interrupt has no list register */
    /* How many wait for, or change, what was loaded here. Written under the
     * lock, as is the next. */
    _Atomic unsigned pauses;
    _Atomic bool holds; /* something is loaded */
    unsigned lists;     /* list registers that this CPU has */
    unsigned filled;    /* of these, from the first on, not zero */
    unsigned loads;     /* of these, in use */
    struct vgic_irq load[LIST_MAX];
    struct vgic_row row;
};

struct vgic {
    struct spinlock lock;
    struct domain *domain;
    struct vgic_layout layout;
    bool enabled;              /* GICD_CTLR.EnableGrp1 */
    struct vgic_row row[ROWS]; /* the first is not used */
    struct vgic_cpu cpu[CPUS_MAX];
};

static inline uint32_t vgic_bit(struct vgic_irq irq)
{
    return (uint32_t)1 << irq.index;
}

/* The first bit of several; there is one. */
static inline unsigned vgic_lowest(uint32_t bits)
{
    return (unsigned)__builtin_ctz(bits);
}

static inline uint32_t vgic_intid(struct vgic_irq irq)
{
    return irq.row->first + irq.index;
}

static inline struct vgic_cpu *vgic_cpu_of(struct vcpu *vcpu)
{
    return &vcpu->domain->vgic->cpu[vcpu->index];
}

/* The CPU whose hardware interrupt it is; of no account for an SPI. */
static inline unsigned vgic_home(const struct vgic_row *row)
{
    return row->vcpu ? row->vcpu->cpu : 0;
}

/* vgic.c */

/* A pending interrupt is the hardware's again, which raises it anew if its
 * line is up, or it was an edge. */
void vgic_give_back_locked(struct vgic_irq irq);

/* vgic_cross.c */

/* A vCPU has to look at what changed, when it is kicked next. */
void vgic_post_locked(struct vgic *vgic, unsigned vcpu);
/* The same for each vCPU whom these interrupts of a row concern. Returns which
 * they are, one bit each: to be kicked when the lock is free again. */
uint32_t vgic_notify_locked(struct vgic *vgic, struct vgic_row *row,
                            uint32_t bits);
/* Have these vCPUs look. */
void vgic_kick(struct vgic *vgic, uint32_t vcpus);
/* These interrupts of a row are in no list register until the release, which
 * takes what this returns. May let go of the lock in between. */
uint32_t vgic_gather_locked(struct vcpu *vcpu, struct vgic_row *row,
                            uint32_t bits);
void vgic_release_locked(struct vgic *vgic, uint32_t paused);

/* vgic_list.c, each on the vCPU's own CPU; they return whom to kick. */

/* Take its list registers back into the rows. What they hold counts no more,
 * until vgic_enter() fills them again. */
uint32_t vgic_fold_locked(struct vcpu *vcpu);
/* Its list registers are empty, its interface as reset. */
uint32_t vgic_reset_lists_locked(struct vcpu *vcpu);

/* vgic_dist.c: an access inside the distributor or a redistributor. Reads
 * take their value from *data, which was 0. */
void vgic_dist_access(struct vcpu *vcpu, uint64_t offset, unsigned size,
                      bool write, uint64_t *data);
void vgic_redist_access(struct vcpu *vcpu, uint64_t offset, unsigned size,
                        bool write, uint64_t *data);

#endif
