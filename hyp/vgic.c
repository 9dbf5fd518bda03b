/* SPDX-License-Identifier: MIT */
/*
 * The virtual interrupt controller: what it is made of, how interrupts come in,
 * and the frame to which messages are addressed. Registers are in vgic_dist.c,
 * the way to the guest in vgic_list.c, vCPUs among each other in vgic_cross.c.
 */
#include "vgic.h"
#include "gic.h"
#include "lib.h"
#include "vgic_state.h"

#include <pcivisor/errno.h>

#define DIST_SIZE 0x10000u
#define REDIST_SIZE 0x20000u
#define FRAME_SIZE 0x1000u
#define PPI_FIRST 16u

/* The frame for messages (Arm Server Base System Architecture, GICv2m). */
#define MSI_TYPER 0x008u
#define MSI_IIDR 0xfccu
#define MSI_TYPER_VALUE (VGIC_MSI_FIRST << 16 | VGIC_MSI_COUNT)
#define MSI_IIDR_VALUE 0x5000043bu

/* ICC_SGI1R_EL1. Affinities above the lowest level are 0 in a domain. */
#define SGI1R_TARGETS(value) ((uint32_t)(value)&0xffffu)
#define SGI1R_INTID(value) ((uint32_t)((value) >> 24) & 15u)
#define SGI1R_ALL_OTHERS(value) (((value) >> 40 & 1u) != 0)
#define SGI1R_RANGE(value) ((unsigned)((value) >> 44) & 15u)
#define SGI1R_AFFINITIES 0x00ff00ff00ff0000u

_Static_assert(VGIC_INTIDS % ROW_BITS == 0, "rows are whole");
_Static_assert(VGIC_MSI_FIRST >= SPI_FIRST &&
                   VGIC_MSI_COUNT <= VGIC_INTIDS - VGIC_MSI_FIRST,
               "messages arrive as SPIs that exist");
_Static_assert(CPUS_MAX <= 16u, "a target list reaches all of range 0");

/* An interrupt by number, as a vCPU sees it. INTIDs end at VGIC_INTIDS. */
static struct vgic_irq find(struct vgic *vgic, unsigned vcpu, uint32_t intid)
{
    struct vgic_row *row =
        intid < SPI_FIRST ? &vgic->cpu[vcpu].row : &vgic->row[intid / ROW_BITS];

    return (struct vgic_irq){row, intid % ROW_BITS};
}

int vgic_create(struct domain *domain, const struct vgic_layout *layout)
{
    struct vgic *vgic = heap_alloc(sizeof(*vgic));

    if (!vgic) {
        return -PCV_ENOMEM;
    }
    memset(vgic, 0, sizeof(*vgic));
    vgic->domain = domain;
    vgic->layout = *layout;
    for (unsigned r = 0; r < ROWS; r++) {
        vgic->row[r].first = r * ROW_BITS;
    }
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        struct vgic_row *row = &vgic->cpu[i].row;

        row->vcpu = &domain->vcpu[i];
        row->edge = SGI_BITS;
        memset(row->target, (int)i, sizeof(row->target));
        memset(row->holder, (int)i, sizeof(row->holder));
        vgic->cpu[i].asleep = true;
    }
    domain->vgic = vgic;
    return 0;
}

/* As after reset: off, nothing pending, and the hardware's PPIs likewise. */
static void reset_private_locked(struct vgic_row *row)
{
    row->enabled = row->pending = row->active = 0;
    row->edge = SGI_BITS;
    memset(row->priority, 0, sizeof(row->priority));
    for (unsigned i = 0; i < ROW_BITS; i++) {
        if ((row->owned >> i & 1u) != 0) {
            gic_set_state(vgic_home(row), i, GIC_ENABLED, false);
            gic_set_state(vgic_home(row), i, GIC_PENDING, false);
            gic_set_state(vgic_home(row), i, GIC_ACTIVE, false);
        }
    }
}

void vgic_reset_vcpu(struct vcpu *vcpu)
{
    struct vgic *vgic = vcpu->domain->vgic;
    struct vgic_cpu *cpu = vgic_cpu_of(vcpu);
    uint32_t kicks;

    spin_lock(&vgic->lock);
    kicks = vgic_reset_lists_locked(vcpu);
    reset_private_locked(&cpu->row);
    cpu->asleep = true;
    /* An SPI that was loaded here may be for somebody else by now. */
    for (unsigned r = 1; r < ROWS; r++) {
        kicks |= vgic_notify_locked(vgic, &vgic->row[r], ~(uint32_t)0);
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

void vgic_init_vcpu(struct vcpu *vcpu)
{
    vgic_reset_vcpu(vcpu);
    gic_enable(GIC_SGI_KICK);
    gic_enable(GIC_PPI_MAINTENANCE);
}

/* The guest may have set it up before it owned it. */
static void own_locked(struct domain *domain, struct vgic_irq irq)
{
    struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq), intid = vgic_intid(irq);
    unsigned target = row->target[irq.index];

    row->owned |= bit;
    if (intid >= SPI_FIRST) {
        gic_set_edge(intid, (row->edge & bit) != 0);
        gic_route(intid, domain->vcpu[target == NOBODY ? 0 : target].cpu);
    }
    if ((row->enabled & bit) != 0) {
        gic_set_state(vgic_home(row), intid, GIC_ENABLED, true);
    }
}

void vgic_own(struct domain *domain, uint32_t intid)
{
    struct vgic *vgic = domain->vgic;

    if (intid < PPI_FIRST || intid >= VGIC_MSI_FIRST) {
        panic("vgic: interrupt %u cannot be given to a domain\n", intid);
    }
    spin_lock(&vgic->lock);
    for (unsigned i = 0; i < (intid < SPI_FIRST ? CPUS_MAX : 1u); i++) {
        own_locked(domain, find(vgic, i, intid));
    }
    spin_unlock(&vgic->lock);
}

void vgic_give_back_locked(struct vgic_irq irq)
{
    struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq);

    if ((row->owned & row->pending & bit) == 0) {
        return;
    }
    row->pending &= ~bit;
    if ((row->edge & bit) != 0) {
        gic_set_state(vgic_home(row), vgic_intid(irq), GIC_PENDING, true);
    }
    if ((row->active & bit) == 0) {
        gic_set_state(vgic_home(row), vgic_intid(irq), GIC_ACTIVE, false);
    }
}

/* An interrupt comes in. Returns whom to kick. */
static uint32_t raise_locked(struct vgic *vgic, struct vgic_irq irq)
{
    irq.row->pending |= vgic_bit(irq);
    return vgic_notify_locked(vgic, irq.row, vgic_bit(irq));
}

void vgic_hardware(struct domain *domain, uint32_t intid)
{
    struct vcpu *here = this_cpu()->vcpu;
    struct vgic *vgic = domain->vgic;
    struct vgic_irq irq;
    uint32_t kicks = 0;

    if (intid >= VGIC_INTIDS ||
        (intid < SPI_FIRST && (!here || here->domain != domain))) {
        gic_deactivate(intid);
        return;
    }
    irq = find(vgic, here ? here->index : 0, intid);
    spin_lock(&vgic->lock);
    if ((irq.row->owned & vgic_bit(irq)) == 0) {
        gic_deactivate(intid);
    } else if ((irq.row->enabled & vgic_bit(irq)) == 0) {
        /* Disabled while it was on its way. */
        irq.row->pending |= vgic_bit(irq);
        vgic_give_back_locked(irq);
    } else {
        kicks = raise_locked(vgic, irq);
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

void vgic_message(struct domain *domain, uint32_t virq)
{
    struct vgic *vgic = domain->vgic;
    struct vgic_irq irq;
    uint32_t kicks = 0;

    if (virq < SPI_FIRST || virq >= VGIC_INTIDS) {
        return;
    }
    irq = find(vgic, 0, virq);
    spin_lock(&vgic->lock);
    if ((irq.row->owned & vgic_bit(irq)) == 0) {
        kicks = raise_locked(vgic, irq);
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

void vgic_send(struct vcpu *vcpu, uint64_t sgi1r)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint32_t targets = SGI1R_TARGETS(sgi1r), kicks = 0;

    if (SGI1R_ALL_OTHERS(sgi1r)) {
        targets = ~((uint32_t)1 << vcpu->index);
    } else if ((sgi1r & SGI1R_AFFINITIES) != 0 || SGI1R_RANGE(sgi1r) != 0) {
        return; /* nobody is there */
    }
    spin_lock(&vgic->lock);
    for (unsigned i = 0; i < vcpu->domain->vcpus; i++) {
        if ((targets >> i & 1u) != 0) {
            kicks |= raise_locked(vgic, find(vgic, i, SGI1R_INTID(sgi1r)));
        }
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

static void frame_access(struct domain *domain, uint64_t offset, unsigned size,
                         bool write, uint64_t *data)
{
    if (size != 4) {
        return;
    }
    if (!write) {
        *data = offset == MSI_TYPER  ? MSI_TYPER_VALUE
                : offset == MSI_IIDR ? MSI_IIDR_VALUE
                                     : 0;
    } else if (offset == VGIC_FRAME_DOORBELL && *data >= VGIC_MSI_FIRST &&
               *data - VGIC_MSI_FIRST < VGIC_MSI_COUNT) {
        vgic_message(domain, (uint32_t)*data);
    }
}

static bool inside(uint64_t address, unsigned size, uint64_t base,
                   uint64_t length, uint64_t *out_offset)
{
    if (address < base || length < size || address - base > length - size) {
        return false;
    }
    *out_offset = address - base;
    return true;
}

bool vgic_access(struct vcpu *vcpu, uint64_t address, unsigned size, bool write,
                 uint64_t *data)
{
    struct domain *domain = vcpu->domain;
    const struct vgic_layout *layout = &domain->vgic->layout;
    uint64_t value = 0, offset = 0;
    bool found = true;

    if (size != 1 && size != 2 && size != 4 && size != 8) {
        return false;
    }
    if (write) {
        value = *data & ~(uint64_t)0 >> (64u - 8u * size);
    }
    if (inside(address, size, layout->dist, DIST_SIZE, &offset)) {
        vgic_dist_access(vcpu, offset, size, write, &value);
    } else if (inside(address, size, layout->redist,
                      (uint64_t)REDIST_SIZE * domain->vcpus, &offset)) {
        vgic_redist_access(vcpu, offset, size, write, &value);
    } else if (inside(address, size, layout->frame, FRAME_SIZE, &offset)) {
        frame_access(domain, offset, size, write, &value);
    } else {
        found = false;
    }
    if (found && !write) {
        *data = value;
    }
    return found;
}
