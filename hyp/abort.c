/* SPDX-License-Identifier: MIT */
/*
 * A load or store at an address that is not mapped: the emulated interrupt
 * controller, configuration space, or what is trapped of PCI memory. The
 * hardware has decoded the instruction for us (syndrome valid); others than
 * plain loads and stores of one register are answered with an abort.
 */
#include "lib.h"
#include "mmu.h"
#include "pci.h"
#include "trap.h"
#include "vgic.h"

#define ISS_VALID(esr) (((esr) >> 24 & 1u) != 0)
#define ISS_SIZE(esr) (1u << ((esr) >> 22 & 3u))
#define ISS_SIGNED(esr) (((esr) >> 21 & 1u) != 0)
#define ISS_REGISTER(esr) ((uint32_t)((esr) >> 16) & 31u)
#define ISS_64_BIT(esr) (((esr) >> 15 & 1u) != 0)
#define ISS_MAINTENANCE(esr) (((esr) >> 8 & 1u) != 0)
#define ISS_WALK(esr) (((esr) >> 7 & 1u) != 0)
#define ISS_WRITE(esr) (((esr) >> 6 & 1u) != 0)
/* Nothing is mapped there, at whichever level; or it is for reading only, and
 * this is a store. Nothing else that is mapped is there only in part, except
 * that devices are not executable. */
#define ISS_NOT_MAPPED(esr) (((esr)&0x3cu) == 0x04u)
#define ISS_NOT_WRITABLE(esr) (((esr)&0x3cu) == 0x0cu && ISS_WRITE(esr))
#define PAR_FAULT 1u
#define PAR_ADDRESS 0x000ffffffffff000u

static uint64_t extend(uint64_t data, uint64_t esr)
{
    unsigned bits = ISS_SIZE(esr) * 8u;

    if (bits < 64) {
        data &= ((uint64_t)1 << bits) - 1;
        if (ISS_SIGNED(esr) && (data >> (bits - 1) & 1u) != 0) {
            data |= UINT64_MAX << bits;
        }
    }
    return ISS_64_BIT(esr) ? data : (uint32_t)data;
}

static uint64_t fault_address(void)
{
    return (READ_SYSREG(hpfar_el2) >> 4 << PAGE_SHIFT) |
           (READ_SYSREG(far_el2) & (PAGE_SIZE - 1));
}

/*
 * Of a store to what is mapped for reading only HPFAR_EL2 says nothing (Arm
 * ARM, HPFAR_EL2): the domain's own tables do, unless it has changed them
 * meanwhile.
 */
static bool store_address(uint64_t *out_address)
{
    uint64_t far = READ_SYSREG(far_el2);
    uint64_t before = READ_SYSREG(par_el1);
    uint64_t par;

    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(far) : "memory");
    par = READ_SYSREG(par_el1);
    WRITE_SYSREG(par_el1, before);
    *out_address = (par & PAR_ADDRESS) | (far & (PAGE_SIZE - 1));
    return (par & PAR_FAULT) == 0;
}

/* While a block is split, or by a BAR that moves, what another CPU uses may be
 * missing for a moment. */
static bool is_back(struct vcpu *vcpu, uint64_t address)
{
    uint64_t physical;

    return stage2_lookup(vcpu->domain, address, &physical);
}

/* What the hardware has decoded. */
static enum pci_access emulate(struct vcpu *vcpu, struct frame *frame,
                               uint64_t address, uint64_t esr)
{
    uint32_t rt = ISS_REGISTER(esr);
    unsigned size = ISS_SIZE(esr);
    bool write = ISS_WRITE(esr);
    uint64_t data = write && rt < 31 ? frame->x[rt] : 0;
    enum pci_access result =
        vgic_access(vcpu, address, size, write, &data)
            ? PCI_DONE
            : pci_access(vcpu, address, size, write, &data);

    if (result == PCI_DONE && !write && rt < 31) {
        frame->x[rt] = extend(data, esr);
    }
    return result;
}

static void refuse(struct vcpu *vcpu, struct frame *frame, uint64_t address,
                   const char *what, bool fetch)
{
    static struct print_limit limit = {.burst = 8};

    print_limited(&limit,
                  "%s: CPU %u: nothing answers a %s at %lx (from %lx)\n",
                  vcpu->domain->name, vcpu->index, what, address, frame->elr);
    trap_inject_abort(frame, fetch);
}

void trap_data(struct vcpu *vcpu, struct frame *frame, uint64_t esr)
{
    bool store = ISS_NOT_WRITABLE(esr) && !ISS_WALK(esr);
    uint64_t address = fault_address();
    enum pci_access result = PCI_NOT_OURS;

    if (store && !store_address(&address)) {
        return; /* the same instruction once more */
    }
    if ((ISS_NOT_MAPPED(esr) || store) && ISS_VALID(esr) && !ISS_WALK(esr)) {
        result = emulate(vcpu, frame, address, esr);
    }
    if (result == PCI_NOT_OURS && ISS_NOT_MAPPED(esr)) {
        if (is_back(vcpu, address)) {
            result = PCI_AGAIN;
        } else if (ISS_MAINTENANCE(esr) && !ISS_WALK(esr)) {
            result = PCI_DONE; /* no cache holds anything of it */
        }
    }
    if (result == PCI_DONE) {
        trap_skip(frame, esr);
    } else if (result == PCI_NOT_OURS) {
        refuse(vcpu, frame, address, ISS_WRITE(esr) ? "store" : "load", false);
    } /* else the same instruction once more */
}

void trap_fetch(struct vcpu *vcpu, struct frame *frame, uint64_t esr)
{
    uint64_t address = fault_address();

    if (!ISS_NOT_MAPPED(esr) || !is_back(vcpu, address)) {
        refuse(vcpu, frame, address, "fetch", true);
    }
}
