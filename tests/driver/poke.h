/* SPDX-License-Identifier: MIT */
/*
 * What a hostile guest does, by chance: configuration accesses of every size
 * and to every place, but mostly where something happens. One course for one
 * seed.
 */
#ifndef PCV_TESTS_DRIVER_POKE_H
#define PCV_TESTS_DRIVER_POKE_H

#include "guard.h"

#define POKE_REGS 192u

/* Places in a device's registers where something happens. */
struct places {
    uint16_t reg[POKE_REGS];
    uint32_t count;
    uint16_t pcie, pm, msi, msix, rebar; /* offsets, or 0 */
};

struct poke {
    struct guard *guard;
    uint64_t seed; /* not 0 */
    struct places places[GUARD_ACTIVE];
    struct guard_device *placed[GUARD_ACTIVE]; /* whose they are */
};

uint64_t poke_chance(struct poke *poke);
uint32_t poke_below(struct poke *poke, uint32_t limit);
bool poke_one_in(struct poke *poke, uint32_t n);

/* What a guest might write. */
uint32_t poke_value(struct poke *poke);

/* A device in any guest's hands, or in this one's; NULL: none was met. */
struct guard_device *poke_active(struct poke *poke);
struct guard_device *poke_active_of(struct poke *poke, uint32_t domain_id);

/* An access of a guest. Returns the device that it may concern, or NULL. */
struct guard_device *poke_access(struct poke *poke, uint32_t domain_id,
                                 struct pcv_access *access);

#endif
