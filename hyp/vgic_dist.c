/* SPDX-License-Identifier: MIT */
/*
 * Registers of the distributor and the redistributors (IHI 0069, 12.9 and
 * 12.11) as a domain sees them: one security state, affinity routing always on,
 * everything in group 1, no LPIs. What is not listed reads as zero and ignores
 * writes, and so does an access of a width that a register does not have.
 */
#include "gic.h"
#include "vgic_state.h"

/* Banks, the same in a distributor and a redistributor's second frame. */
#define BANK_BITS 0x0080u /* to BANK_PRIORITY: one bit an interrupt */
#define BANK_BITS_SIZE 0x80u
#define BANK_PRIORITY 0x0400u
#define BANK_ICFGR 0x0c00u

#define IGROUPR 0x0080u
#define ISENABLER 0x0100u
#define ICENABLER 0x0180u
#define ISPENDR 0x0200u
#define ICPENDR 0x0280u
#define ISACTIVER 0x0300u
#define ICACTIVER 0x0380u

#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IIDR 0x0008u
#define GICD_IROUTER 0x6000u

#define GICR_IIDR 0x0004u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_SGI_FRAME 0x10000u
#define GICR_SIZE 0x20000u

#define PIDR2 0xffe8u

#define CTLR_ENABLE_GROUP1 (1u << 1)
#define CTLR_ARE (1u << 4)
#define CTLR_ONE_SECURITY_STATE (1u << 6)

/* 10 bits of INTID; an SPI goes to one CPU, never to any of several. */
#define TYPER_VALUE ((ROWS - 1u) | 9u << 19 | 1u << 25)
#define IIDR_VALUE                                                             \
    0x5000043bu           /* no known part: no driver has quirks for it        \
                           */
#define PIDR2_VALUE 0x30u /* GICv3 */

#define REDIST_LAST ((uint64_t)1 << 4)
#define WAKER_PROCESSOR_SLEEP (1u << 1)
#define WAKER_CHILDREN_ASLEEP (1u << 2)

#define ROUTE_BITS 0xff00ffffffu /* affinities; the mode bit is fixed */
#define PRIORITY_BITS 0xf8u

/* Which of the owned ones are pending in the hardware, and not taken yet. */
static uint32_t pending_outside(const struct vgic_row *row)
{
    uint32_t result = 0;

    for (uint32_t left = row->owned; left != 0; left &= left - 1u) {
        unsigned i = vgic_lowest(left);

        if (gic_get_state(vgic_home(row), row->first + i, GIC_PENDING)) {
            result |= (uint32_t)1 << i;
        }
    }
    return result;
}

static uint32_t read_bits_locked(const struct vgic_row *row, uint32_t block)
{
    switch (block) {
    case IGROUPR:
        return ~(uint32_t)0;
    case ISENABLER:
    case ICENABLER:
        return row->enabled;
    case ISPENDR:
    case ICPENDR:
        return row->pending | pending_outside(row);
    default:
        return row->active;
    }
}

/* The hardware's part of a write to an owned interrupt; vgic_state.h has the
 * rule that it keeps. Before the row changes. */
static void write_hardware_locked(struct vgic_irq irq, uint32_t block)
{
    const struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq), intid = vgic_intid(irq);
    unsigned home = vgic_home(row);

    switch (block) {
    case ISENABLER:
    case ICENABLER:
        gic_set_state(home, intid, GIC_ENABLED, block == ISENABLER);
        break;
    case ISPENDR:
        if ((row->pending & bit) == 0) {
            gic_set_state(home, intid, GIC_PENDING, true);
        }
        break;
    case ICPENDR:
        gic_set_state(home, intid, GIC_PENDING, false);
        if ((row->pending & ~row->active & bit) != 0) {
            gic_set_state(home, intid, GIC_ACTIVE, false);
        }
        break;
    case ISACTIVER:
        gic_set_state(home, intid, GIC_ACTIVE, true);
        break;
    default:
        /* Active only in the hardware: it is on its way to us. */
        if ((row->active & bit) != 0) {
            gic_set_state(home, intid, GIC_ACTIVE, false);
        }
        break;
    }
}

/* One interrupt, in no list register. */
static void write_bit_locked(struct vgic_irq irq, uint32_t block, uint8_t self)
{
    struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq);
    bool owned = (row->owned & bit) != 0;

    if (owned) {
        write_hardware_locked(irq, block);
    }
    switch (block) {
    case ISENABLER:
        row->enabled |= bit;
        break;
    case ICENABLER:
        row->enabled &= ~bit;
        vgic_give_back_locked(irq);
        break;
    case ISPENDR: /* an owned one comes by way of the hardware */
        row->pending |= owned ? 0 : bit;
        break;
    case ICPENDR:
        row->pending &= ~bit;
        break;
    case ISACTIVER:
        if ((row->active & bit) == 0) {
            row->holder[irq.index] = row->target[irq.index] != NOBODY
                                         ? row->target[irq.index]
                                         : self;
        }
        row->active |= bit;
        vgic_give_back_locked(irq);
        break;
    default:
        row->active &= ~bit;
        break;
    }
}

static void bits_access(struct vcpu *vcpu, struct vgic_row *row, uint32_t block,
                        bool write, uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint32_t bits = write ? (uint32_t)*data : ~(uint32_t)0;
    uint32_t paused = 0, kicks = 0;

    spin_lock(&vgic->lock);
    if (block >= ISPENDR || (write && block == ICENABLER)) {
        paused = vgic_gather_locked(vcpu, row, bits);
    }
    if (!write) {
        *data = read_bits_locked(row, block);
    } else if (block != IGROUPR) {
        for (uint32_t left = bits; left != 0; left &= left - 1u) {
            write_bit_locked((struct vgic_irq){row, vgic_lowest(left)}, block,
                             (uint8_t)vcpu->index);
        }
        kicks = vgic_notify_locked(vgic, row, bits);
    }
    vgic_release_locked(vgic, paused);
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

static void priority_access(struct vcpu *vcpu, struct vgic_row *row,
                            unsigned first, unsigned size, bool write,
                            uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint32_t kicks = 0;

    spin_lock(&vgic->lock);
    for (unsigned i = 0; i < size; i++) {
        if (write) {
            row->priority[first + i] =
                (uint8_t)(*data >> 8u * i) & PRIORITY_BITS;
            kicks |= vgic_notify_locked(vgic, row, (uint32_t)1 << (first + i));
        } else {
            *data |= (uint64_t)row->priority[first + i] << 8u * i;
        }
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

/* Two bits an interrupt, of which the upper says edge. What an SGI is, and an
 * owned PPI, is fixed. */
static void config_access(struct vcpu *vcpu, struct vgic_row *row,
                          unsigned first, bool write, uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint32_t fixed = row->vcpu ? row->owned | SGI_BITS : 0;

    spin_lock(&vgic->lock);
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = (uint32_t)1 << (first + i);
        bool edge = (*data >> (2u * i + 1u) & 1u) != 0;

        if (!write) {
            *data |= (row->edge & bit) != 0 ? (uint64_t)2 << 2u * i : 0;
        } else if ((fixed & bit) == 0 && edge != ((row->edge & bit) != 0)) {
            row->edge ^= bit;
            if ((row->owned & bit) != 0) {
                gic_set_edge(row->first + first + i, edge);
            }
        }
    }
    spin_unlock(&vgic->lock);
}

/* The row of an interrupt in the banks of a distributor (`private` is NULL) or
 * a redistributor; NULL: not there. */
static struct vgic_row *bank_row(struct vgic *vgic, struct vgic_row *private,
                                 uint64_t intid)
{
    if (private) {
        return intid < SPI_FIRST ? private : NULL;
    }
    return intid >= SPI_FIRST && intid < VGIC_INTIDS
               ? &vgic->row[intid / ROW_BITS]
               : NULL;
}

/* The offset is aligned to the size. */
static void bank_access(struct vcpu *vcpu, struct vgic_row *private,
                        uint64_t offset, unsigned size, bool write,
                        uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    struct vgic_row *row;
    uint64_t intid;

    if (offset >= BANK_ICFGR) {
        intid = (offset - BANK_ICFGR) * 4u;
        row = bank_row(vgic, private, intid);
        if (row && size == 4) {
            config_access(vcpu, row, intid % ROW_BITS, write, data);
        }
    } else if (offset >= BANK_PRIORITY) {
        intid = offset - BANK_PRIORITY;
        row = bank_row(vgic, private, intid);
        if (row && (size == 1 || size == 4)) {
            priority_access(vcpu, row, intid % ROW_BITS, size, write, data);
        }
    } else if (offset >= BANK_BITS && size == 4) {
        uint32_t block = (uint32_t)(offset - offset % BANK_BITS_SIZE);

        row = bank_row(vgic, private, offset % BANK_BITS_SIZE * 8u);
        if (row) {
            bits_access(vcpu, row, block, write, data);
        }
    }
}

/* One that no vCPU has as its affinity leads nowhere; the interrupt waits. */
static void route_locked(struct vcpu *vcpu, struct vgic_irq irq, uint64_t route)
{
    struct domain *domain = vcpu->domain;
    struct vgic_row *row = irq.row;

    row->route[irq.index] = route;
    row->target[irq.index] = route < domain->vcpus ? (uint8_t)route : NOBODY;
    if ((row->owned & vgic_bit(irq)) != 0 && route < domain->vcpus) {
        gic_route(vgic_intid(irq), domain->vcpu[route].cpu);
    }
}

static void route_access(struct vcpu *vcpu, uint64_t offset, unsigned size,
                         bool write, uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint64_t intid = (offset - GICD_IROUTER) / 8u;
    struct vgic_row *row = bank_row(vgic, NULL, intid);
    unsigned index = intid % ROW_BITS, shift = 8u * (offset % 8u);
    uint64_t mask = size == 8 ? ~(uint64_t)0 : (uint64_t)~0u << shift;
    uint32_t kicks = 0;

    if (!row || size < 4) {
        return;
    }
    spin_lock(&vgic->lock);
    if (write) {
        uint32_t bit = (uint32_t)1 << index;
        uint32_t paused = vgic_gather_locked(vcpu, row, bit);

        route_locked(vcpu, (struct vgic_irq){row, index},
                     ((row->route[index] & ~mask) | (*data << shift & mask)) &
                         ROUTE_BITS);
        kicks = vgic_notify_locked(vgic, row, bit);
        vgic_release_locked(vgic, paused);
    } else {
        *data = row->route[index] >> shift & (mask >> shift);
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

static void control_access(struct vcpu *vcpu, bool write, uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint32_t kicks = 0;

    spin_lock(&vgic->lock);
    if (write) {
        vgic->enabled = (*data & CTLR_ENABLE_GROUP1) != 0;
        for (unsigned i = 0; i < vcpu->domain->vcpus; i++) {
            vgic_post_locked(vgic, i);
            kicks |= (uint32_t)1 << i;
        }
    } else {
        *data = CTLR_ONE_SECURITY_STATE | CTLR_ARE |
                (vgic->enabled ? CTLR_ENABLE_GROUP1 : 0);
    }
    spin_unlock(&vgic->lock);
    vgic_kick(vgic, kicks);
}

void vgic_dist_access(struct vcpu *vcpu, uint64_t offset, unsigned size,
                      bool write, uint64_t *data)
{
    if (offset % size != 0) {
        return;
    }
    if (offset >= BANK_BITS && offset < GICD_IROUTER) {
        bank_access(vcpu, NULL, offset, size, write, data);
    } else if (offset >= GICD_IROUTER && offset < PIDR2) {
        route_access(vcpu, offset, size, write, data);
    } else if (size == 4 && offset == GICD_CTLR) {
        control_access(vcpu, write, data);
    } else if (size == 4 && !write) {
        *data = offset == GICD_TYPER  ? TYPER_VALUE
                : offset == GICD_IIDR ? IIDR_VALUE
                : offset == PIDR2     ? PIDR2_VALUE
                                      : 0;
    }
}

static void waker_access(struct vgic *vgic, struct vgic_cpu *cpu, bool write,
                         uint64_t *data)
{
    spin_lock(&vgic->lock);
    if (write) {
        cpu->asleep = (*data & WAKER_PROCESSOR_SLEEP) != 0;
    } else {
        *data = cpu->asleep ? WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP : 0;
    }
    spin_unlock(&vgic->lock);
}

void vgic_redist_access(struct vcpu *vcpu, uint64_t offset, unsigned size,
                        bool write, uint64_t *data)
{
    struct vgic *vgic = vcpu->domain->vgic;
    uint64_t index = offset / GICR_SIZE, at = offset % GICR_SIZE;
    uint64_t typer = index << 32 | index << 8;

    if (offset % size != 0 || index >= vcpu->domain->vcpus) {
        return;
    }
    if (index == vcpu->domain->vcpus - 1u) {
        typer |= REDIST_LAST;
    }
    if (at >= GICR_SGI_FRAME) {
        bank_access(vcpu, &vgic->cpu[index].row, at - GICR_SGI_FRAME, size,
                    write, data);
    } else if (size == 4 && at == GICR_WAKER) {
        waker_access(vgic, &vgic->cpu[index], write, data);
    } else if (size == 8 && at == GICR_TYPER && !write) {
        *data = typer;
    } else if (size == 4 && !write) {
        *data = at == GICR_IIDR         ? IIDR_VALUE
                : at == GICR_TYPER      ? (uint32_t)typer
                : at == GICR_TYPER + 4u ? typer >> 32
                : at == PIDR2           ? PIDR2_VALUE
                                        : 0;
    }
}
