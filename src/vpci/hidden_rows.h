/* SPDX-License-Identifier: MIT */
/* What the files share that make registers of a hidden function virtual. */
#ifndef PCV_VPCI_HIDDEN_ROWS_H
#define PCV_VPCI_HIDDEN_ROWS_H

#include "vpci/hidden.h"

/* ---- hidden.c --------------------------------------------------------------
 */

/* What writes to virtual registers do. */
struct pcv__hidden_ops {
    struct pcv_register_ops command, bar, power, device_control, af;
};
extern const struct pcv__hidden_ops pcv__hidden_ops;

/* Bits of Command that hardware keeps. */
uint32_t pcv__hidden_kept(const struct pcv_device *device);
/* Command as the hardware domain wants it, and whether that decodes memory. */
uint32_t pcv__hidden_command_of(const struct pcv_device *device);
bool pcv__hidden_decodes(const struct pcv_device *device);
/* Where Power Management Control/Status is; 0: nowhere. */
uint16_t pcv__hidden_pm(const struct pcv_device *device);

/* Whether a row is a BAR's. */
static inline bool pcv__hidden_is_bar(const struct pcv_register *row)
{
    return row->size == 4 && row->offset >= PCV_REG_BAR0 &&
           row->policy.virt != 0;
}

/* ---- hidden_rows.c ---------------------------------------------------------
 */

/* Describe the registers, with hardware's values. 0 or -PCV_EIO. */
int pcv__hidden_describe(struct pcv_device *device, struct pcv__hidden *hidden)
    PCV__REQUIRES(device->lock);
/* Add the rows that stand where none is, and look whether the others can be
 * exchanged. 0; -PCV_EEXIST; -PCV_ENOMEM. What was added is left to
 * pcv__hidden_remove(). */
int pcv__hidden_add(struct pcv__vpci *vpci, struct pcv__hidden *hidden);
/* Exchange the others: the view is that of a hidden function. */
void pcv__hidden_exchange(struct pcv__vpci *vpci,
                          const struct pcv__hidden *hidden);
/* The rows go, and what stood there stands there again. */
void pcv__hidden_remove(struct pcv__vpci *vpci,
                        const struct pcv__hidden *hidden);

#endif
