/* SPDX-License-Identifier: MIT */
/*
 * The tree under the interval map: an AVL tree with parent links, so that
 * nothing here recurses. A walk down or up the tree takes no more steps than
 * the tree is high: 1.44 * log2(n + 2), less than 93 for any n below 2^64. A
 * walk along the pool takes no more steps than it has nodes.
 *
 * Each node is in the tree or in the pool. All places where one changes sides,
 * is allocated or freed are in this file; the proof that none is ever missing
 * stands at PCV__IMAP_NODES_PER_RANGE.
 */
#include "base/imap_tree.h"

#define LOWER PCV__IMAP_LOWER
#define HIGHER PCV__IMAP_HIGHER

/* ---- the pool ---- */

static void pool_push(struct pcv__imap *map, struct pcv__imap_node *node)
{
    node->parent = map->pool;
    map->pool = node;
    map->spare++;
}

static struct pcv__imap_node *pool_pop(struct pcv__imap *map)
{
    struct pcv__imap_node *node = map->pool;

    map->pool = node->parent;
    map->spare--;
    return node;
}

/* Nodes that the ranges are due. They were allocated, so it cannot wrap. */
static size_t nodes_due(const struct pcv__imap *map)
{
    return map->ranges * PCV__IMAP_NODES_PER_RANGE;
}

int pcv__imap_pool_fill(struct pcv__imap *map)
{
    while (map->runs + map->spare < nodes_due(map)) {
        struct pcv__imap_node *node =
            map->alloc.alloc(map->alloc.ctx, sizeof(*node));

        if (node == NULL) {
            return -PCV_ENOMEM;
        }
        pool_push(map, node);
    }
    return 0;
}

void pcv__imap_pool_trim(struct pcv__imap *map)
{
    while (map->spare > 0 && map->runs + map->spare > nodes_due(map)) {
        map->alloc.free(map->alloc.ctx, pool_pop(map), sizeof(*map->pool));
    }
}

bool pcv__imap_pool_is_sound(const struct pcv__imap *map)
{
    const struct pcv__imap_node *node = map->pool;
    size_t due = nodes_due(map);

    for (size_t i = 0; i < map->spare; i++) {
        if (node == NULL) {
            return false;
        }
        node = node->parent;
    }
    return node == NULL && (map->runs + map->spare == due ||
                            (map->spare == 0 && map->runs > due));
}

/* ---- the tree ---- */

static uint32_t height_of(const struct pcv__imap_node *node)
{
    return node == NULL ? 0 : node->height;
}

static uint32_t height_from_kids(const struct pcv__imap_node *node)
{
    uint32_t low = height_of(node->kid[LOWER]);
    uint32_t high = height_of(node->kid[HIGHER]);

    return 1 + (low > high ? low : high);
}

/* The last node on one side of a subtree. */
static struct pcv__imap_node *edge(struct pcv__imap_node *node, unsigned side)
{
    while (node->kid[side] != NULL) {
        node = node->kid[side];
    }
    return node;
}

struct pcv__imap_node *pcv__imap_first(const struct pcv__imap *map)
{
    return map->root == NULL ? NULL : edge(map->root, LOWER);
}

struct pcv__imap_node *pcv__imap_step(struct pcv__imap_node *node,
                                      unsigned side)
{
    if (node->kid[side] != NULL) {
        return edge(node->kid[side], side ^ 1u);
    }
    while (node->parent != NULL && node->parent->kid[side] == node) {
        node = node->parent;
    }
    return node->parent;
}

struct pcv__imap_node *pcv__imap_first_after(const struct pcv__imap *map,
                                             uint64_t page)
{
    struct pcv__imap_node *best = NULL;
    struct pcv__imap_node *node = map->root;

    while (node != NULL) {
        if (node->end > page) {
            best = node;
            node = node->kid[LOWER];
        } else {
            node = node->kid[HIGHER];
        }
    }
    return best;
}

static void set_kid(struct pcv__imap_node *node, unsigned side,
                    struct pcv__imap_node *kid)
{
    node->kid[side] = kid;
    if (kid != NULL) {
        kid->parent = node;
    }
}

/* Let heir, which may be NULL, hang where node hangs. */
static void replace(struct pcv__imap *map, struct pcv__imap_node *node,
                    struct pcv__imap_node *heir)
{
    struct pcv__imap_node *parent = node->parent;

    if (parent != NULL) {
        set_kid(parent, parent->kid[HIGHER] == node ? HIGHER : LOWER, heir);
        return;
    }
    map->root = heir;
    if (heir != NULL) {
        heir->parent = NULL;
    }
}

/* Lift the kid on one side above its parent; returns it. */
static struct pcv__imap_node *rotate(struct pcv__imap *map,
                                     struct pcv__imap_node *node, unsigned side)
{
    struct pcv__imap_node *up = node->kid[side];

    replace(map, node, up);
    set_kid(node, side, up->kid[side ^ 1u]);
    set_kid(up, side ^ 1u, node);
    node->height = height_from_kids(node);
    up->height = height_from_kids(up);
    return up;
}

/* Mend one node whose kids are right; returns the top of its subtree. */
static struct pcv__imap_node *mend(struct pcv__imap *map,
                                   struct pcv__imap_node *node)
{
    uint32_t low = height_of(node->kid[LOWER]);
    uint32_t high = height_of(node->kid[HIGHER]);
    unsigned side = high > low ? HIGHER : LOWER;
    struct pcv__imap_node *kid = node->kid[side];

    if ((high > low ? high - low : low - high) <= 1) {
        node->height = height_from_kids(node);
        return node;
    }
    if (height_of(kid->kid[side]) < height_of(kid->kid[side ^ 1u])) {
        (void)rotate(map, kid, side ^ 1u);
    }
    return rotate(map, node, side);
}

/* Mend from a node up, as long as the height of a subtree changes. */
static void rebalance(struct pcv__imap *map, struct pcv__imap_node *node)
{
    while (node != NULL) {
        uint32_t before = node->height;

        node = mend(map, node);
        if (node->height == before) {
            return;
        }
        node = node->parent;
    }
}

void pcv__imap_insert_before(struct pcv__imap *map, struct pcv__imap_node *next,
                             const struct pcv__imap_run *run)
{
    struct pcv__imap_node *node = pool_pop(map);
    struct pcv__imap_node *subtree =
        next == NULL ? map->root : next->kid[LOWER];

    *node = (struct pcv__imap_node){
        .start = run->start, .end = run->end, .count = run->count, .height = 1};
    if (subtree != NULL) {
        set_kid(edge(subtree, HIGHER), HIGHER, node);
    } else if (next != NULL) {
        set_kid(next, LOWER, node);
    } else {
        map->root = node;
    }
    map->runs++;
    rebalance(map, node->parent);
}

void pcv__imap_erase(struct pcv__imap *map, struct pcv__imap_node *node)
{
    struct pcv__imap_node *from = node->parent;
    struct pcv__imap_node *heir = node->kid[LOWER];

    if (heir == NULL) {
        heir = node->kid[HIGHER];
    } else if (node->kid[HIGHER] != NULL) {
        heir = edge(node->kid[HIGHER], LOWER);
        from = heir->parent == node ? heir : heir->parent;
        replace(map, heir, heir->kid[HIGHER]);
        set_kid(heir, LOWER, node->kid[LOWER]);
        set_kid(heir, HIGHER, node->kid[HIGHER]);
        heir->height = node->height;
    }
    replace(map, node, heir);
    rebalance(map, from);
    pool_push(map, node);
    map->runs--;
}

void pcv__imap_clear(struct pcv__imap *map)
{
    struct pcv__imap_node *node = pcv__imap_first(map);

    /* The first run is always a leaf or has one kid, which takes its place. */
    while (node != NULL) {
        struct pcv__imap_node *up = node->parent;
        struct pcv__imap_node *kid = node->kid[HIGHER];

        replace(map, node, kid);
        pool_push(map, node);
        node = kid == NULL ? up : edge(kid, LOWER);
    }
    map->runs = 0;
}

bool pcv__imap_node_is_sound(const struct pcv__imap_node *node)
{
    uint32_t low = height_of(node->kid[LOWER]);
    uint32_t high = height_of(node->kid[HIGHER]);

    for (unsigned side = LOWER; side <= HIGHER; side++) {
        if (node->kid[side] != NULL && node->kid[side]->parent != node) {
            return false;
        }
    }
    return node->start < node->end && node->count > 0 && low <= high + 1 &&
           high <= low + 1 && node->height == height_from_kids(node);
}
