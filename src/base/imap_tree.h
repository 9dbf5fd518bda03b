/* SPDX-License-Identifier: MIT */
/**
 * The tree under the interval map, and the pool of its spare nodes: for imap.c
 * alone. What the map is, its context and its locking stand in imap.h.
 *
 * The nodes of the tree are in the order of their pages. That they do not
 * overlap, and that neighbours which touch differ in count, is imap.c's duty.
 * So are the ranges and the sum of pages; root, pool, spare and runs are kept
 * here.
 */
#ifndef PCV_BASE_IMAP_TREE_H
#define PCV_BASE_IMAP_TREE_H

#include "base/imap.h"

/* The sides of a node: indices of kid[], and directions to step in. */
#define PCV__IMAP_LOWER 0u
#define PCV__IMAP_HIGHER 1u

/* ---- the pool ---- */

/**
 * Allocate what the registered ranges are due and do not have yet.
 *
 * Returns 0, or -PCV_ENOMEM: what was allocated until then is in the pool;
 * with the range's registration taken back, pcv__imap_pool_trim() frees it.
 */
int pcv__imap_pool_fill(struct pcv__imap *map);

/**
 * Free spare nodes that no range is due. After an inc or a dec there are some
 * only if a range was unregistered before it was counted out.
 */
void pcv__imap_pool_trim(struct pcv__imap *map);

/**
 * Whether the pool has as many nodes as it says, and as many as the ranges are
 * due beside those in the tree.
 */
bool pcv__imap_pool_is_sound(const struct pcv__imap *map);

/* ---- the tree ---- */

/** The first node in order, or NULL if the tree is empty. */
struct pcv__imap_node *pcv__imap_first(const struct pcv__imap *map);

/** The neighbour in order on one side of a node, or NULL. */
struct pcv__imap_node *pcv__imap_step(struct pcv__imap_node *node,
                                      unsigned side);

/**
 * The first run that ends after a page: the one that has it or the next one
 * above it; NULL if there is neither.
 */
struct pcv__imap_node *pcv__imap_first_after(const struct pcv__imap *map,
                                             uint64_t page);

/**
 * Add a run just before another, or as the last if that is NULL. Takes a node
 * from the pool, which must have one; other nodes stay valid.
 */
void pcv__imap_insert_before(struct pcv__imap *map, struct pcv__imap_node *next,
                             const struct pcv__imap_run *run);

/** Take a run out; its node goes back to the pool, other nodes stay valid. */
void pcv__imap_erase(struct pcv__imap *map, struct pcv__imap_node *node);

/** Take every run out; the nodes go back to the pool. */
void pcv__imap_clear(struct pcv__imap *map);

/**
 * Whether a node has a run, with links, height and balance as they should be.
 * Its kids' heights are believed; a walk over all nodes proves them.
 */
bool pcv__imap_node_is_sound(const struct pcv__imap_node *node);

#endif
