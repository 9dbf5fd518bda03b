/* SPDX-License-Identifier: MIT */
/*
 * A load or store at an address that is not mapped: the emulated interrupt
 * controller, configuration space, or what is trapped of PCI memory. The
 * hardware has decoded the instruction for us (syndrome valid); others than
 * plain loads and stores of one register are answered with an abort.
 */
#include "lib.h"
#include "pci.h"
#include "trap.h"
#include "vgic.h"

#define ISS_VALID(esr) (((esr) >> 24 & 1u) != 0)
#define ISS_SIZE(esr) (1u << ((esr) >> 22 & 3u))
#define ISS_SIGNED(esr) (((esr) >> 21 & 1u) != 0)
#define ISS_REGISTER(esr) ((uint32_t)((esr) >> 16) & 31u)
#define ISS_64_BIT(esr) (((esr) >> 15 & 1u) != 0)
#define ISS_WALK(esr) (((esr) >> 7 & 1u) != 0)
#define ISS_WRITE(esr) (((esr) >> 6 & 1u) != 0)

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

void trap_data(struct vcpu *vcpu, struct frame *frame, uint64_t esr)
{
    uint64_t address = (READ_SYSREG(hpfar_el2) >> 4 << PAGE_SHIFT) |
                       (READ_SYSREG(far_el2) & (PAGE_SIZE - 1));
    uint32_t rt = ISS_REGISTER(esr);
    unsigned size = ISS_SIZE(esr);
    bool write = ISS_WRITE(esr);
    uint64_t data = write && rt < 31 ? frame->x[rt] : 0;
    enum pci_access result = PCI_NOT_OURS;

    if (ISS_VALID(esr) && !ISS_WALK(esr)) {
        result = vgic_access(vcpu, address, size, write, &data)
                     ? PCI_DONE
                     : pci_access(vcpu, address, size, write, &data);
    }
    switch (result) {
    case PCI_AGAIN:
        return; /* the same instruction once more */
    case PCI_DONE:
        if (!write && rt < 31) {
            frame->x[rt] = extend(data, esr);
        }
        trap_skip(frame);
        return;
    default:
        print("%s: CPU %u: nothing answers a %s of %u at %lx (from %lx)\n",
              vcpu->domain->name, vcpu->index, write ? "write" : "read", size,
              address, frame->elr);
        trap_inject_abort(frame, false);
        return;
    }
}
