/* SPDX-License-Identifier: MIT */
/*
 * What the ITS driver's files share: its.c (devices, events, LPIs),
 * its_table.c (the unit's and the redistributors' memory), its_command.c (the
 * command queue).
 */
#ifndef HYP_ITS_IMPL_H
#define HYP_ITS_IMPL_H

#include "its.h"

/* INTIDs of 14 bits, which every GIC with LPIs has: 8192 to 16383. */
#define LPI_BITS 14u
#define LPI_FIRST 8192u
#define LPI_COUNT 8192u
#define ITS_REQUESTER_BITS 16u
#define ITS_EVENT_BITS 12u
#define ITS_EVENTS (1u << ITS_EVENT_BITS)

_Static_assert(LPI_FIRST + LPI_COUNT == 1u << LPI_BITS, "all of them");
_Static_assert(ITS_EVENTS == ITS_VECTORS, "a function alone has all it needs");

/* Check the unit, give it its tables, enable it. */
int its_unit_init(uint64_t base);
/* This CPU's redistributor: its tables, LPIs on. What commands call it by. */
int its_redistributor_init(uint64_t typer, uint64_t *out_target);

/*
 * The command queue. Commands are put one by one and take effect at the latest
 * with its_finish(), which waits: 0, or -PCV_EIO if one of them since the last
 * time was not done. All under its_lock.
 */
extern struct spinlock its_lock;
int its_commands_init(uint64_t base);
void its_put_mapd(uint32_t requester, const void *itt);
void its_put_mapc(unsigned collection, uint64_t target);
void its_put_mapti(uint32_t requester, uint32_t event, uint32_t lpi,
                   unsigned collection);
void its_put_discard(uint32_t requester, uint32_t event);
void its_put_invall(unsigned collection);
int its_finish(uint64_t target);

#endif
