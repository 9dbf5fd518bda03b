/* SPDX-License-Identifier: MIT */
/*
 * Pages of the hardware domain that no BAR of a device may be mapped at, since
 * something else serves them access by access: holes (HDR-7) without a BAR.
 */
#ifndef PCV_VPCI_WITHHELD_H
#define PCV_VPCI_WITHHELD_H

#include "vpci/internal.h"

/*
 * Withhold pages from BARs, for which a range was registered in domain->holes.
 * False, and nothing changed: a BAR wants one of them already, or (`alone`) one
 * is a hole.
 */
bool pcv__withhold(struct pcv_domain *hardware, uint64_t first, uint64_t pages,
                   bool alone) PCV__REQUIRES(hardware->map_lock);
/*
 * Give them back: BARs that came to want them meanwhile are mapped there. True;
 * or false if the host could not: what it did not do stays withheld for good,
 * so that what is recorded is true, and with it the range that was registered.
 */
bool pcv__give_back(struct pcv_domain *hardware, uint64_t first, uint64_t pages,
                    pcv_sbdf sbdf) PCV__REQUIRES(hardware->map_lock);

#endif
