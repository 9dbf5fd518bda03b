/* SPDX-License-Identifier: MIT */
/* Sizing one BAR, wherever its register is. */
#ifndef PCV_VPCI_BARS_H
#define PCV_VPCI_BARS_H

#include "vpci/internal.h"

/*
 * Find kind and size of the BAR whose register is at `reg`. Decoding is off.
 *
 * @number  for the event, if it makes no sense
 * @last    there is no register after it for an upper half
 * @stated  the host's word for its size, or NULL: size it
 *
 * Returns how many registers it takes: 1, or 2 for a 64-bit one.
 */
uint32_t pcv__bar_probe(struct pcv_device *device, uint16_t reg,
                        uint32_t number, bool last, const uint64_t *stated,
                        struct pcv__bar *out);

/* Whether its registers at 0x10 and on are BARs at all. */
bool pcv__bars_are_there(const struct pcv_device *device);

/* Bits of its address that can be set, and of a ROM its enable bit: they say
 * how large it is. Of a 64-bit BAR the lower half. */
uint32_t pcv__bar_settable(const struct pcv__bar *bar);

/* Where hardware has a BAR; false if the host could not read it. */
bool pcv__bar_address(struct pcv_device *device, uint32_t number,
                      uint64_t *out_address);

#endif
