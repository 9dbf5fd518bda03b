/* SPDX-License-Identifier: MIT */
/**
 * Interval map with use counts: which page is wanted by how many users.
 *
 * A page wanted by several BARs is mapped when its count goes from 0 to 1 and
 * unmapped when it goes from 1 to 0. The map holds maximal runs of equal count
 * above zero in an AVL tree; what no run covers has count 0.
 *
 * Pages are numbers, ranges are [start, end) and the end is a page number too,
 * so UINT64_MAX itself is never in a range.
 *
 * Cost: a look-up is O(log n) in the number of runs. An operation over a range
 * is O(log n + k), k being the runs and gaps in the range: the walk shares one
 * path, and what it adds are only additions, what it removes only removals,
 * for which an AVL tree's rebalancing is amortised constant. Two splits and
 * two merges at the edges come on top, O(log n) each.
 *
 * Memory: nodes are allocated when a range is registered and never later, so
 * counting in and out cannot fail half way through a mapping. How many a range
 * needs, and why, stands at PCV__IMAP_NODES_PER_RANGE.
 *
 * Context: any, interrupts may be off, except where the allocator is called
 * (register, unregister, fini), whose context rules then hold. Locking: none
 * is taken; the caller's lock covers every call on one map, queries too.
 */
#ifndef PCV_BASE_IMAP_H
#define PCV_BASE_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcivisor/errno.h"
#include "pcivisor/types.h"

/*
 * Nodes set aside for each registered range.
 *
 * Contract: a registered range's share in the counts is the sum of at most two
 * intervals at any time: a prefix, a suffix, both (pages in the middle not yet
 * or no longer mapped), all of it, or a rest at its old place and a beginning
 * at its new one. One inc or dec works on one share: it makes or removes an
 * interval, moves one end of one, cuts one in two or joins two. A BAR in more
 * pieces registers a range for each.
 *
 * Claim: with R >= 1 ranges at most 4R runs exist, even inside an operation.
 *
 * Proof. The count of a page is the sum of the shares, so it changes only at
 * an end of some interval: at no more than 2 * 2 * R places. While an operation
 * over [a, b) has split runs and not merged them yet, runs may also meet at a
 * and b. Making an interval, or cutting one in two, finds its share with one
 * at most: a and b make 4 places. Removing and joining work between ends that
 * are there already. Moving an end adds one place, a fifth for that share. One
 * operation is in the map at a time, so there are at most 4R + 1 places in
 * all. A run lies between two places next to each other; 4R + 1 places leave
 * 4R such gaps.
 *
 * R ranges set 4R nodes aside, so each run finds one. Fewer would not do: see
 * the_last_node_of_the_reserve_can_be_needed in the tests.
 */
#define PCV__IMAP_NODES_PER_RANGE 4u

/* Where nodes come from. Both functions are required. */
struct pcv__imap_alloc {
    /* Returns memory aligned for any pointer, or NULL if there is none. */
    void *(*alloc)(void *ctx, size_t size);
    /* Takes back what alloc gave; size is the size asked for then. */
    void (*free)(void *ctx, void *ptr, size_t size);
    void *ctx;
};

/* A maximal run of pages with one count; the map's own. */
struct pcv__imap_node {
    struct pcv__imap_node *parent; /* in the pool: the next spare node */
    struct pcv__imap_node *kid[2]; /* lower pages, higher pages */
    uint64_t start;
    uint64_t end;    /* one past the last page; above start */
    uint32_t count;  /* never 0 in the tree */
    uint32_t height; /* of the subtree; a leaf has 1 */
};

/* Storage is the caller's; the fields are the map's. */
struct pcv__imap {
    struct pcv__imap_alloc alloc;
    struct pcv__imap_node *root;
    struct pcv__imap_node *pool; /* spare nodes, set aside for the ranges */
    size_t spare;                /* nodes in the pool */
    size_t runs;                 /* nodes in the tree */
    size_t ranges;               /* registered ranges */
    uint64_t pages;              /* pages in all runs */
};

/* A run as the caller sees it: pages [start, end), each wanted count times. */
struct pcv__imap_run {
    uint64_t start;
    uint64_t end;
    uint32_t count;
};

/**
 * Make an empty map.
 *
 * @map    storage, the caller's; its old content is not looked at
 * @alloc  where nodes come from; copied, what its ctx points to is borrowed
 *         until pcv__imap_fini()
 */
void pcv__imap_init(struct pcv__imap *map, const struct pcv__imap_alloc *alloc);

/**
 * Free every node, whatever is still counted in or registered. The map is
 * empty afterwards, as after pcv__imap_init().
 */
void pcv__imap_fini(struct pcv__imap *map);

/**
 * Set nodes aside for one more range, so that counting it in and out, whole or
 * in part, cannot fail for memory. Which pages it has is not said here.
 *
 * Returns 0, or -PCV_ENOMEM: nothing changed, the caller may try again later.
 */
PCV_MUST_CHECK int pcv__imap_register(struct pcv__imap *map);

/**
 * Give back what one pcv__imap_register() set aside. The range's share must be
 * counted out before; where it is not, by our own bug, its nodes are freed as
 * soon as its runs go. A call without a registered range does nothing.
 */
void pcv__imap_unregister(struct pcv__imap *map);

/**
 * The use count of a page, and how far it reaches.
 *
 * @out_len  number of pages from start on, within [start, end), that have the
 *           same count; at least 1, or 0 if the range is empty
 *
 * Returns the count of page start, 0 as well; 0 for an empty range.
 */
uint32_t pcv__imap_prefix(const struct pcv__imap *map, uint64_t start,
                          uint64_t end, uint64_t *out_len);

/**
 * Add one to the count of each page in [start, start + len).
 *
 * Each error is our own bug, and nothing changed then:
 *   -PCV_EINVAL     the range is empty or start + len is past UINT64_MAX
 *   -PCV_EOVERFLOW  a page has the count UINT32_MAX already
 *   -PCV_ENOMEM     no node is left: more is counted in than was registered
 * Returns 0 otherwise.
 */
PCV_MUST_CHECK int pcv__imap_inc(struct pcv__imap *map, uint64_t start,
                                 uint64_t len);

/**
 * Take one from the count of each page in [start, start + len).
 *
 * Each error is our own bug, and nothing changed then:
 *   -PCV_EINVAL  the range is empty, start + len is past UINT64_MAX, or a page
 *                has the count 0 already
 *   -PCV_ENOMEM  no node is left: more is counted in than was registered
 * Returns 0 otherwise.
 */
PCV_MUST_CHECK int pcv__imap_dec(struct pcv__imap *map, uint64_t start,
                                 uint64_t len);

/**
 * Find the first run that ends after a page; to go on, give its end as from.
 *
 * @out  the whole run, its start may be below from; untouched if there is none
 *
 * Returns whether there is one. The map may change between two calls.
 */
bool pcv__imap_next(const struct pcv__imap *map, uint64_t from,
                    struct pcv__imap_run *out);

/** Number of runs. */
size_t pcv__imap_runs(const struct pcv__imap *map);

/** Number of pages whose count is not 0. */
uint64_t pcv__imap_pages(const struct pcv__imap *map);

/**
 * Check what the map promises itself: order, links, heights, balance, merged
 * neighbours, page and node accounting. O(n); for tests and debug builds.
 *
 * Returns 0, or -PCV_EINVAL if a promise is broken, which is our own bug.
 */
PCV_MUST_CHECK int pcv__imap_check(const struct pcv__imap *map);

#endif
