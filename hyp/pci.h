/* SPDX-License-Identifier: MIT */
/* PCI for the domains: where traps enter the library, and how it is set up. */
#ifndef HYP_PCI_H
#define HYP_PCI_H

#include "domain.h"
#include "machine.h"
#include "pcivisor/pcivisor.h"

enum pci_access {
    PCI_DONE,
    PCI_AGAIN,    /* let the guest repeat the instruction */
    PCI_NOT_OURS, /* no address of PCI */
};

/* Make the library's host, find what is there, and hide what is ours. */
void pci_init(const struct machine *machine);
/* A domain that was created here is the library's domain with its id. */
void pci_add_domain(struct domain *domain);
/* An access that trapped. Any CPU; it may take long. */
enum pci_access pci_access(struct vcpu *vcpu, uint64_t address, unsigned size,
                           bool write, uint64_t *data);
/* A device's DMA was refused (OWN-10); from the interrupt handler. */
void pci_dma_fault(uint32_t requester, uint64_t address, bool write);
/* Do what that left to do, if its time has come: on the way out of a trap,
 * where no lock is held. */
void pci_work(void);

/* The port contract (port.c). */
extern const struct pcv_host_ops port_ops;
/* The machine that port.c serves; before the host is made. */
void port_init(const struct machine *of);

#endif
