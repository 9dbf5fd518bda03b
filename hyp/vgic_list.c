/* SPDX-License-Identifier: MIT */
/*
 * List registers: what the hardware's virtual CPU interface offers to the
 * guest (IHI 0069, 12.4). A vCPU loads its most urgent interrupts before it
 * enters the guest, and folds them back when somebody posted work for it.
 */
#include "gic.h"
#include "vgic_state.h"

/* ICH_LR<n>_EL2: the INTID is in bits 0 to 31. */
#define LR_EOI                                                                 \
    ((uint64_t)1 << 41) /* its end causes a maintenance interrupt              \
                         */
#define LR_HARDWARE_SHIFT 32u
#define LR_PRIORITY_SHIFT 48u
#define LR_GROUP1 ((uint64_t)1 << 60)
#define LR_HARDWARE ((uint64_t)1 << 61)
#define LR_PENDING ((uint64_t)1 << 62)
#define LR_ACTIVE ((uint64_t)1 << 63)

/* ICH_HCR_EL2. The end count counts ends of interrupts in no list register. */
#define HCR_ENABLE ((uint64_t)1 << 0)
#define HCR_NONE_PENDING ((uint64_t)1 << 3)
#define HCR_ENTRY_NOT_PRESENT ((uint64_t)1 << 2)
#define HCR_END_COUNT(hcr) ((unsigned)((hcr) >> 27) & 31u)

#define VTR_LISTS(vtr) (((unsigned)(vtr)&31u) + 1u)
#define VTR_PREEMPTION_BITS(vtr) (((unsigned)((vtr) >> 26) & 7u) + 1u)

/* Each list register has a name of its own. */
#define EACH_LIST(do)                                                          \
    do                                                                         \
    (0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(       \
        11) do(12) do(13) do(14) do(15)

static uint64_t list_read(unsigned list)
{
#define CASE(n)                                                                \
    case n:                                                                    \
        return READ_SYSREG(ich_lr##n##_el2);
    switch (list) {
        EACH_LIST(CASE)
    default:
        return 0;
    }
#undef CASE
}

static void list_write(unsigned list, uint64_t value)
{
#define CASE(n)                                                                \
    case n:                                                                    \
        WRITE_SYSREG(ich_lr##n##_el2, value);                                  \
        break;
    switch (list) {
        EACH_LIST(CASE)
    default:
        break;
    }
#undef CASE
}

/* What the hardware has, or shall have; the rest of the lists is zero. They
 * are read before the lock is taken, and written after it is let go: to do so
 * takes a while, and nobody else can. */
struct lists {
    uint64_t hcr;
    unsigned count;
    uint64_t list[LIST_MAX];
};

static void lists_read(const struct vgic_cpu *cpu, struct lists *lists)
{
    lists->hcr = cpu->overflow ? READ_SYSREG(ich_hcr_el2) : 0;
    lists->count = cpu->loads;
    for (unsigned i = 0; i < lists->count; i++) {
        lists->list[i] = list_read(i);
    }
}

static void lists_write(struct vgic_cpu *cpu, const struct lists *lists)
{
    for (unsigned i = 0; i < lists->count; i++) {
        list_write(i, lists->list[i]);
    }
    for (unsigned i = lists->count; i < cpu->filled; i++) {
        list_write(i, 0);
    }
    cpu->filled = lists->count;
    WRITE_SYSREG(ich_hcr_el2, lists->hcr);
}

/*
 * Is an interrupt a vCPU's, in its present state? Something active stays with
 * the vCPU that took it. Sets whether it may be offered as pending.
 */
static bool is_for(const struct vgic *vgic, unsigned vcpu, struct vgic_irq irq,
                   bool *out_pending)
{
    const struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq);

    *out_pending = vgic->enabled && (row->pending & row->enabled & bit) != 0 &&
                   row->target[irq.index] == vcpu;
    return (row->active & bit) != 0 ? row->holder[irq.index] == vcpu
                                    : *out_pending;
}

static struct vgic_row *row_at(struct vgic *vgic, unsigned vcpu, unsigned row)
{
    return row == 0 ? &vgic->cpu[vcpu].row : &vgic->row[row];
}

/* The guest ended an active interrupt for which there was no list register.
 * Ends come most urgent first. Returns whom to kick. */
static uint32_t end_unloaded_locked(struct vgic *vgic, unsigned vcpu)
{
    struct vgic_irq best = {NULL, 0};

    for (unsigned r = 0; r < ROWS; r++) {
        struct vgic_row *row = row_at(vgic, vcpu, r);
        uint32_t bits = row->active & ~row->loaded;

        for (; bits != 0; bits &= bits - 1u) {
            unsigned i = vgic_lowest(bits);

            if (row->holder[i] == vcpu &&
                (!best.row ||
                 row->priority[i] < best.row->priority[best.index])) {
                best = (struct vgic_irq){row, i};
            }
        }
    }
    if (!best.row) {
        return 0;
    }
    best.row->active &= ~vgic_bit(best);
    if ((best.row->owned & vgic_bit(best)) != 0) {
        gic_set_state(vgic_home(best.row), vgic_intid(best), GIC_ACTIVE, false);
    }
    return vgic_notify_locked(vgic, best.row, vgic_bit(best));
}

static uint32_t fold_locked(struct vcpu *vcpu, const struct lists *lists)
{
    struct vgic *vgic = vcpu->domain->vgic;
    struct vgic_cpu *cpu = vgic_cpu_of(vcpu);
    uint32_t kicks = 0;

    for (unsigned i = HCR_END_COUNT(lists->hcr); i > 0; i--) {
        kicks |= end_unloaded_locked(vgic, vcpu->index);
    }
    for (unsigned i = 0; i < lists->count; i++) {
        struct vgic_irq irq = cpu->load[i];
        uint32_t bit = vgic_bit(irq);

        irq.row->loaded &= ~bit;
        irq.row->pending |= (lists->list[i] & LR_PENDING) != 0 ? bit : 0;
        irq.row->active |= (lists->list[i] & LR_ACTIVE) != 0 ? bit : 0;
        /* It may have waited for its end here to go elsewhere. */
        if (irq.row->target[irq.index] != vcpu->index) {
            kicks |= vgic_notify_locked(vgic, irq.row, bit);
        }
    }
    cpu->overflow = false;
    cpu->loads = 0;
    atomic_store_explicit(&cpu->holds, false, memory_order_relaxed);
    atomic_store_explicit(&cpu->work, true, memory_order_relaxed);
    return kicks;
}

uint32_t vgic_fold_locked(struct vcpu *vcpu)
{
    struct lists lists;

    lists_read(vgic_cpu_of(vcpu), &lists);
    return fold_locked(vcpu, &lists);
}

/* The most urgent first; those that are active before those that are not,
 * since their end must find them. */
struct choice {
    struct vgic_irq irq[LIST_MAX];
    uint32_t urgency[LIST_MAX];
    unsigned count, limit;
    bool left_active, left_pending;
    struct vgic_irq best_pending;
    uint32_t best_urgency;
};

#define URGENCY_PENDING 256u /* added to the priority */

static void note_left(struct choice *choice, uint32_t urgency)
{
    if (urgency < URGENCY_PENDING) {
        choice->left_active = true;
    } else {
        choice->left_pending = true;
    }
}

static void choose(struct choice *choice, struct vgic_irq irq)
{
    bool active = (irq.row->active & vgic_bit(irq)) != 0;
    uint32_t urgency =
        irq.row->priority[irq.index] + (active ? 0 : URGENCY_PENDING);
    unsigned at;

    if (!active && urgency < choice->best_urgency) {
        choice->best_pending = irq;
        choice->best_urgency = urgency;
    }
    if (choice->count == choice->limit) {
        if (urgency >= choice->urgency[choice->count - 1]) {
            note_left(choice, urgency);
            return;
        }
        note_left(choice, choice->urgency[--choice->count]);
    }
    for (at = choice->count++; at > 0 && choice->urgency[at - 1] > urgency;
         at--) {
        choice->irq[at] = choice->irq[at - 1];
        choice->urgency[at] = choice->urgency[at - 1];
    }
    choice->irq[at] = irq;
    choice->urgency[at] = urgency;
}

static void choose_all(struct vgic *vgic, unsigned vcpu, struct choice *choice)
{
    bool pending;

    for (unsigned r = 0; r < ROWS; r++) {
        struct vgic_row *row = row_at(vgic, vcpu, r);
        uint32_t bits =
            (row->active | (row->pending & row->enabled)) & ~row->loaded;

        for (; bits != 0; bits &= bits - 1u) {
            struct vgic_irq irq = {row, vgic_lowest(bits)};

            if (is_for(vgic, vcpu, irq, &pending)) {
                choose(choice, irq);
            }
        }
    }
    /* However much is active, what is pending gets its chance. */
    if (choice->left_pending &&
        choice->urgency[choice->count - 1] < URGENCY_PENDING) {
        choice->irq[choice->count - 1] = choice->best_pending;
        choice->left_active = true;
    }
}

/* The list register for an interrupt, whose state moves there. Sets *out_watch
 * if the hypervisor has to act when the guest ends it. */
static uint64_t load(struct vgic *vgic, unsigned vcpu, struct vgic_irq irq,
                     bool *out_watch)
{
    struct vgic_row *row = irq.row;
    uint32_t bit = vgic_bit(irq), intid = vgic_intid(irq);
    bool pending, active = (row->active & bit) != 0;
    uint64_t list = intid | LR_GROUP1 |
                    (uint64_t)row->priority[irq.index] << LR_PRIORITY_SHIFT;

    (void)is_for(vgic, vcpu, irq, &pending);
    if ((row->owned & bit) != 0) {
        /* Never both: active in the hardware, it does not come again. */
        list |= LR_HARDWARE | (uint64_t)intid << LR_HARDWARE_SHIFT;
        pending = pending && !active;
    } else if (active && !pending && (row->pending & row->enabled & bit) != 0) {
        list |= LR_EOI; /* comes again, but not here or not now */
        *out_watch = true;
    }
    list |= (active ? LR_ACTIVE : 0) | (pending ? LR_PENDING : 0);
    row->active &= ~bit;
    row->pending &= pending ? ~bit : ~(uint32_t)0;
    row->loaded |= bit;
    row->holder[irq.index] = (uint8_t)vcpu;
    return list;
}

static void fill_locked(struct vcpu *vcpu, struct lists *out_lists)
{
    struct vgic *vgic = vcpu->domain->vgic;
    struct vgic_cpu *cpu = vgic_cpu_of(vcpu);
    struct choice choice = {.limit = cpu->lists, .best_urgency = ~0u};
    bool watch = false;

    choose_all(vgic, vcpu->index, &choice);
    for (unsigned i = 0; i < choice.count; i++) {
        out_lists->list[i] = load(vgic, vcpu->index, choice.irq[i], &watch);
        cpu->load[i] = choice.irq[i];
    }
    out_lists->count = choice.count;
    /* At least one of the loaded ones is pending then, see choose_all(). */
    out_lists->hcr = HCR_ENABLE | (choice.left_pending ? HCR_NONE_PENDING : 0) |
                     (choice.left_active ? HCR_ENTRY_NOT_PRESENT : 0);
    cpu->overflow = choice.left_active;
    cpu->loads = choice.count;
    atomic_store_explicit(&cpu->holds, choice.count != 0, memory_order_relaxed);
    /* A maintenance interrupt says nothing more than that it is time to look
     * again, so be ready to whenever one may come. */
    atomic_store_explicit(&cpu->work,
                          watch || choice.left_pending || choice.left_active,
                          memory_order_relaxed);
}

void vgic_maintenance(void)
{
    /* What caused it stays until the list registers are filled anew; without
     * this it would come again at once. Filling enables the interface. */
    WRITE_SYSREG(ich_hcr_el2, READ_SYSREG(ich_hcr_el2) & ~HCR_ENABLE);
    isb();
}

void vgic_enter(struct vcpu *vcpu)
{
    struct vgic *vgic = vcpu->domain->vgic;
    struct vgic_cpu *cpu = vgic_cpu_of(vcpu);
    struct lists lists;
    uint32_t kicks;

    if (!atomic_load_explicit(&cpu->work, memory_order_relaxed)) {
        return;
    }
    lists_read(cpu, &lists);
    spin_lock(&vgic->lock);
    kicks = fold_locked(vcpu, &lists);
    /* Ends: who pauses us waits for nothing but this, or a second. */
    while (atomic_load_explicit(&cpu->pauses, memory_order_relaxed) != 0) {
        spin_unlock(&vgic->lock);
        while (atomic_load_explicit(&cpu->pauses, memory_order_relaxed) != 0) {
            relax();
        }
        spin_lock(&vgic->lock);
    }
    fill_locked(vcpu, &lists);
    spin_unlock(&vgic->lock);
    lists_write(cpu, &lists);
    vgic_kick(vgic, kicks);
}

/* Active priorities: as many registers as there are preemption levels. */
static void clear_active_priorities(unsigned preemption_bits)
{
    WRITE_SYSREG(ich_ap0r0_el2, 0);
    WRITE_SYSREG(ich_ap1r0_el2, 0);
    if (preemption_bits >= 6) {
        WRITE_SYSREG(ich_ap0r1_el2, 0);
        WRITE_SYSREG(ich_ap1r1_el2, 0);
    }
    if (preemption_bits >= 7) {
        WRITE_SYSREG(ich_ap0r2_el2, 0);
        WRITE_SYSREG(ich_ap1r2_el2, 0);
        WRITE_SYSREG(ich_ap0r3_el2, 0);
        WRITE_SYSREG(ich_ap1r3_el2, 0);
    }
}

uint32_t vgic_reset_lists_locked(struct vcpu *vcpu)
{
    struct vgic_cpu *cpu = vgic_cpu_of(vcpu);
    const struct lists none = {.hcr = HCR_ENABLE};
    uint64_t vtr = READ_SYSREG(ich_vtr_el2);
    uint32_t kicks = vgic_fold_locked(vcpu);

    cpu->lists = VTR_LISTS(vtr) < LIST_MAX ? VTR_LISTS(vtr) : LIST_MAX;
    cpu->filled = cpu->lists;
    clear_active_priorities(VTR_PREEMPTION_BITS(vtr));
    WRITE_SYSREG(ich_vmcr_el2, 0); /* groups off, every priority masked */
    lists_write(cpu, &none);
    isb();
    return kicks;
}
