/* SPDX-License-Identifier: MIT */
/*
 * A minimal driver of something like a network card with everything that cards
 * have: several BARs, one of them resizable, MSI with masks and MSI-X, error
 * reporting, a serial number.
 */
#ifndef PCV_TESTS_DRIVER_NIC_H
#define PCV_TESTS_DRIVER_NIC_H

#include "function.h"
#include "irq.h"

#define NIC_VENDOR 0x8086u
#define NIC_DEVICE 0x1572u
#define NIC_SERIAL UINT64_C(0x0123456789abcdef)

struct nic {
    struct bus_function *fn;
    struct irq_msix msix;
    struct irq_msi msi;
    bool msix_on;
};

/* From a function as found to a running card, with MSI-X or with MSI. */
const char *nic_up(struct nic *nic, struct bus_function *fn, bool msix);
const char *nic_interrupts(const struct nic *nic);
/* Make BAR 4 larger: driver down, up again with twice the memory. */
const char *nic_resize(struct nic *nic, bool msix);
const char *nic_reset(struct nic *nic, bool msix);
const char *nic_suspend(struct nic *nic);
/* What has no effect on the rest: serial number, product data, error
 * masks, payload. */
const char *nic_extras(const struct nic *nic);
const char *nic_down(struct nic *nic);

#endif
