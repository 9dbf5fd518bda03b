/* SPDX-License-Identifier: MIT */
/*
 * MSI and MSI-X as a driver uses them (PCI Local Bus 3.0, 6.8): set up, mask,
 * look at what is pending, shut down.
 */
#ifndef PCV_TESTS_DRIVER_IRQ_H
#define PCV_TESTS_DRIVER_IRQ_H

#include "bus.h"

/* Where this guest's interrupt controller takes messages: made up, so that it
 * cannot be mistaken for a physical one. */
#define IRQ_ADDRESS UINT64_C(0x12fee01000)
#define IRQ_DATA 0x4140u

struct irq_msix {
    struct bus_function *fn;
    uint16_t cap;
    uint32_t entries;
    uint64_t table, pending; /* addresses */
};

/* Find it; its BARs have their addresses. */
const char *irq_msix_find(struct irq_msix *msix, struct bus_function *fn);
/* As Linux: on with everything masked, write the entries, unmask each, then
 * all. Entry n gets IRQ_ADDRESS and IRQ_DATA + n. */
const char *irq_msix_up(struct irq_msix *msix);
void irq_msix_down(const struct irq_msix *msix);
void irq_msix_entry(const struct irq_msix *msix, uint32_t entry,
                    uint64_t address, uint32_t data);
void irq_msix_mask(const struct irq_msix *msix, uint32_t entry, bool on);
bool irq_msix_is_pending(const struct irq_msix *msix, uint32_t entry);
/* One vector: it arrives; masked it waits, with its pending bit, and arrives
 * when it is unmasked; moved elsewhere it arrives there. */
const char *irq_msix_try(const struct irq_msix *msix, uint32_t entry);
/* Each entry, and the mask of all. */
const char *irq_msix_try_all(const struct irq_msix *msix);

struct irq_msi {
    struct bus_function *fn;
    uint16_t cap;
    uint32_t vectors; /* that it has */
    uint32_t data;    /* registers */
    uint32_t mask;    /* 0: none */
    bool wide;
};

const char *irq_msi_find(struct irq_msi *msi, struct bus_function *fn);
/* `vectors`: 1, 2, 4 ... as many as it has. */
const char *irq_msi_up(const struct irq_msi *msi, uint32_t vectors);
void irq_msi_down(const struct irq_msi *msi);
const char *irq_msi_try(const struct irq_msi *msi, uint32_t vector);

#endif
