/* SPDX-License-Identifier: MIT */
/*
 * Interval map with use counts: an AVL tree with parent links, so that nothing
 * here recurses. A walk down or up the tree takes no more steps than the tree
 * is high: 1.44 * log2(n + 2), less than 93 for any n below 2^64. A walk along
 * the runs takes no more steps than there are runs: four at most for each
 * range that the host has registered, see PCV__IMAP_NODES_PER_RANGE.
 *
 * Longer than other files: the tree has one user, whose proof that no node is
 * ever missing needs to see each place where one is taken or given back.
 */
#include "base/imap.h"

#define LOWER 0u
#define HIGHER 1u

/* What lies in a range, found before anything is changed. */
struct survey {
    size_t splits;        /* runs that stick out at an edge, for each edge */
    size_t gaps;          /* maximal stretches of count 0 */
    uint64_t empty_pages; /* pages in the gaps */
    uint32_t top;         /* highest count */
};

/* ---- nodes ---- */

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

/*
 * Free spare nodes that no range is due. After an inc or a dec there are some
 * only if a range was unregistered before it was counted out.
 */
static void pool_trim(struct pcv__imap *map)
{
    while (map->spare > 0 && map->runs + map->spare > nodes_due(map)) {
        map->alloc.free(map->alloc.ctx, pool_pop(map), sizeof(*map->pool));
    }
}

/* ---- tree ---- */

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

/* The neighbour in order, or NULL. */
static struct pcv__imap_node *step(struct pcv__imap_node *node, unsigned side)
{
    if (node->kid[side] != NULL) {
        return edge(node->kid[side], side ^ 1u);
    }
    while (node->parent != NULL && node->parent->kid[side] == node) {
        node = node->parent;
    }
    return node->parent;
}

/* The first run that ends after a page: the one that has it or the next. */
static struct pcv__imap_node *first_after(const struct pcv__imap *map,
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

/* Add a run just before another, or as the last if that is NULL. */
static void insert_before(struct pcv__imap *map, struct pcv__imap_node *next,
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

/* Take a run out; its node goes back to the pool, other nodes keep theirs. */
static void erase(struct pcv__imap *map, struct pcv__imap_node *node)
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

/* ---- runs ---- */

/* Let no run reach over the place before a page; takes up to one node. */
static void split_at(struct pcv__imap *map, uint64_t page)
{
    struct pcv__imap_node *node = first_after(map, page);
    struct pcv__imap_run low;

    if (node == NULL || node->start >= page) {
        return;
    }
    low = (struct pcv__imap_run){node->start, page, node->count};
    node->start = page;
    insert_before(map, node, &low);
}

/*
 * Make one run of the two that meet before a page, if they count the same.
 * Where nothing meets there, the runs found do not touch or count differently.
 */
static void merge_at(struct pcv__imap *map, uint64_t page)
{
    struct pcv__imap_node *high = first_after(map, page);
    struct pcv__imap_node *low = high == NULL ? NULL : step(high, LOWER);

    if (low != NULL && low->end == high->start && low->count == high->count) {
        high->start = low->start;
        erase(map, low);
    }
}

static struct survey survey_range(const struct pcv__imap *map, uint64_t start,
                                  uint64_t end)
{
    struct pcv__imap_node *node = first_after(map, start);
    struct survey found = {0};
    uint64_t page = start;

    for (; node != NULL && node->start < end; node = step(node, HIGHER)) {
        if (node->start > page) {
            found.gaps++;
            found.empty_pages += node->start - page;
        }
        found.splits += node->start < start ? 1 : 0;
        found.splits += node->end > end ? 1 : 0;
        found.top = node->count > found.top ? node->count : found.top;
        page = node->end;
    }
    if (page < end) {
        found.gaps++;
        found.empty_pages += end - page;
    }
    return found;
}

static bool range_is_valid(uint64_t start, uint64_t len)
{
    return len > 0 && len <= UINT64_MAX - start;
}

/* Add one to each run in a range that was split off, and fill its gaps. */
static void raise_range(struct pcv__imap *map, uint64_t start, uint64_t end)
{
    struct pcv__imap_node *node = first_after(map, start);
    uint64_t page = start;

    while (page < end) {
        struct pcv__imap_run gap = {page, end, 1};

        if (node != NULL && node->start == page) {
            node->count++;
            page = node->end;
            node = step(node, HIGHER);
            continue;
        }
        if (node != NULL && node->start < end) {
            gap.end = node->start;
        }
        insert_before(map, node, &gap);
        page = gap.end;
    }
}

/* Take one from each run in a range that was split off and has no gaps. */
static void lower_range(struct pcv__imap *map, uint64_t start, uint64_t end)
{
    struct pcv__imap_node *node = first_after(map, start);

    while (node != NULL && node->start < end) {
        struct pcv__imap_node *next = step(node, HIGHER);

        node->count--;
        if (node->count == 0) {
            map->pages -= node->end - node->start;
            erase(map, node);
        }
        node = next;
    }
}

/*
 * Put a changed range together with its surroundings. Inside it there is
 * nothing to merge: neighbours differed before, so they differ by as much now.
 */
static void settle(struct pcv__imap *map, uint64_t start, uint64_t end)
{
    merge_at(map, start);
    merge_at(map, end);
    pool_trim(map);
}

static bool node_is_sound(const struct pcv__imap_node *node)
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

/* Whether two runs may be neighbours: in order and not to be merged. */
static bool runs_are_apart(const struct pcv__imap_node *low,
                           const struct pcv__imap_node *high)
{
    return low->end < high->start ||
           (low->end == high->start && low->count != high->count);
}

/* The pool has as many nodes as it says, and as many as the ranges are due. */
static bool pool_is_sound(const struct pcv__imap *map)
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

/* ---- interface ---- */

void pcv__imap_init(struct pcv__imap *map, const struct pcv__imap_alloc *alloc)
{
    *map = (struct pcv__imap){.alloc = *alloc};
}

void pcv__imap_fini(struct pcv__imap *map)
{
    struct pcv__imap_node *node = map->root;

    /* The first run is always a leaf or has one kid, which takes its place. */
    node = node == NULL ? NULL : edge(node, LOWER);
    while (node != NULL) {
        struct pcv__imap_node *up = node->parent;
        struct pcv__imap_node *kid = node->kid[HIGHER];

        replace(map, node, kid);
        pool_push(map, node);
        node = kid == NULL ? up : edge(kid, LOWER);
    }
    map->runs = 0;
    map->ranges = 0;
    map->pages = 0;
    pool_trim(map);
}

int pcv__imap_register(struct pcv__imap *map)
{
    map->ranges++;
    while (map->runs + map->spare < nodes_due(map)) {
        struct pcv__imap_node *node =
            map->alloc.alloc(map->alloc.ctx, sizeof(*node));

        if (node == NULL) {
            pcv__imap_unregister(map);
            return -PCV_ENOMEM;
        }
        pool_push(map, node);
    }
    return 0;
}

void pcv__imap_unregister(struct pcv__imap *map)
{
    if (map->ranges > 0) {
        map->ranges--;
    }
    pool_trim(map);
}

uint32_t pcv__imap_prefix(const struct pcv__imap *map, uint64_t start,
                          uint64_t end, uint64_t *out_len)
{
    const struct pcv__imap_node *node = first_after(map, start);
    uint64_t stop = end;
    uint32_t count = 0;

    if (start >= end) {
        *out_len = 0;
        return 0;
    }
    if (node != NULL && node->start <= start) {
        count = node->count;
        stop = node->end < end ? node->end : end;
    } else if (node != NULL && node->start < end) {
        stop = node->start;
    }
    *out_len = stop - start;
    return count;
}

int pcv__imap_inc(struct pcv__imap *map, uint64_t start, uint64_t len)
{
    uint64_t end = start + len;
    struct survey found;

    if (!range_is_valid(start, len)) {
        return -PCV_EINVAL;
    }
    found = survey_range(map, start, end);
    if (found.top == UINT32_MAX) {
        return -PCV_EOVERFLOW;
    }
    if (found.splits + found.gaps > map->spare) {
        return -PCV_ENOMEM;
    }
    split_at(map, start);
    split_at(map, end);
    raise_range(map, start, end);
    map->pages += found.empty_pages;
    settle(map, start, end);
    return 0;
}

int pcv__imap_dec(struct pcv__imap *map, uint64_t start, uint64_t len)
{
    uint64_t end = start + len;
    struct survey found;

    if (!range_is_valid(start, len)) {
        return -PCV_EINVAL;
    }
    found = survey_range(map, start, end);
    if (found.gaps > 0) {
        return -PCV_EINVAL;
    }
    if (found.splits > map->spare) {
        return -PCV_ENOMEM;
    }
    split_at(map, start);
    split_at(map, end);
    lower_range(map, start, end);
    settle(map, start, end);
    return 0;
}

bool pcv__imap_next(const struct pcv__imap *map, uint64_t from,
                    struct pcv__imap_run *out)
{
    const struct pcv__imap_node *node = first_after(map, from);

    if (node == NULL) {
        return false;
    }
    *out = (struct pcv__imap_run){node->start, node->end, node->count};
    return true;
}

size_t pcv__imap_runs(const struct pcv__imap *map)
{
    return map->runs;
}

uint64_t pcv__imap_pages(const struct pcv__imap *map)
{
    return map->pages;
}

int pcv__imap_check(const struct pcv__imap *map)
{
    struct pcv__imap_node *node = map->root;
    struct pcv__imap_node *last = NULL;
    uint64_t pages = 0;
    size_t runs = 0;

    node = node == NULL ? NULL : edge(node, LOWER);
    for (; node != NULL; node = step(node, HIGHER)) {
        if (runs == map->runs || !node_is_sound(node) ||
            (last != NULL && !runs_are_apart(last, node))) {
            return -PCV_EINVAL;
        }
        runs++;
        pages += node->end - node->start;
        last = node;
    }
    return runs == map->runs && pages == map->pages && pool_is_sound(map)
               ? 0
               : -PCV_EINVAL;
}
