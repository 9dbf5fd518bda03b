/* SPDX-License-Identifier: MIT */
/*
 * Bus numbers move (TOPO-4): what the files share that take functions away from
 * their addresses, and bring them to others.
 */
#ifndef PCV_OWNER_MOVE_H
#define PCV_OWNER_MOVE_H

#include "owner/look.h"

/* One at a time for a segment, across calls without its lock. False: somebody
 * else is at it. */
bool pcv__move_begin(struct pcv__segment *segment, struct pcv__mem *mem);
void pcv__move_end(struct pcv__segment *segment, struct pcv__mem *mem);

/* ---- cut.c -----------------------------------------------------------------
 */

/*
 * A bridge is to cover other buses: what these numbers do not lead to any more
 * is made unreachable, its own and that of bridges beside it that claim the
 * same buses. `routed`: hardware still has the old numbers. We are the one who
 * moves; no lock.
 * 0; -PCV_ERESTART: something there is being added, or changes its owner, or
 * accesses drain, behind paused gates: call again. -PCV_EBUSY: a guest has
 * something there, which is `routed` still (OWN-15).
 */
int pcv__cut_for(struct pcv_device *bridge, uint8_t first, uint8_t last,
                 bool routed);

/* The administrator lets it through: what guests have there is lost. No lock.
 */
void pcv__cut_overruled(struct pcv_device *bridge, uint8_t first, uint8_t last);

/* A cut that waited is not made any more: gates are open again. */
void pcv__cut_given_up(struct pcv__segment *segment, struct pcv__mem *mem);

/* ---- bridges.c -------------------------------------------------------------
 */

/* Whether bridges that stand beside this one on its bus, and are in conflict,
 * claim any of these buses. */
bool pcv__has_rival(struct pcv__segment *segment,
                    const struct pcv_device *bridge, uint8_t first,
                    uint8_t last) PCV__REQUIRES(segment->lock);
/* A bridge that stands on the bus of this one, beside it, and is bound to one
 * of these buses, or leads to what was found there alone; or NULL. */
struct pcv_device *pcv__rival_at(struct pcv__segment *segment,
                                 const struct pcv_device *bridge, uint8_t first,
                                 uint8_t last) PCV__REQUIRES(segment->lock);
/* Whether a bridge that is in conflict claims a bus: whoever answers there may
 * be behind one or the other. */
bool pcv__is_disputed(struct pcv__segment *segment, uint8_t bus)
    PCV__REQUIRES(segment->lock);
/* Whether several bridges in conflict claim a bus that nobody beside them is
 * bound to: nobody knows behind which of them something is that answers. */
bool pcv__is_contested(struct pcv__segment *segment, uint8_t bus)
    PCV__REQUIRES(segment->lock);
/* Let a bridge cover these buses, or be in conflict. */
void pcv__join_bridge(struct pcv__segment *segment, struct pcv_device *bridge,
                      uint8_t first, uint8_t last) PCV__REQUIRES(segment->lock);
/* The same with what stands in its registers, which may have changed while
 * nobody could see it; it is reached again. */
void pcv__join_bridge_again(struct pcv__segment *segment,
                            struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock);
/* Let bridges that are not in conflict any more cover their buses. True if
 * there was one. */
bool pcv__end_conflicts(struct pcv__segment *segment)
    PCV__REQUIRES(segment->lock);

/* ---- join.c ----------------------------------------------------------------
 */

/*
 * Bind everything that bus numbers lead to again. We are the one who moves; no
 * lock. 0; -PCV_ERESTART: the owner of one is being changed just now;
 * -PCV_EEXIST: another card stands at *out_other, call again.
 */
int pcv__join_all(struct pcv_host *host, struct pcv__segment *segment,
                  pcv_sbdf *out_other);
/* Let it look again at what could not be bound before. */
void pcv__join_afresh(struct pcv__segment *segment, struct pcv__mem *mem);

#endif
