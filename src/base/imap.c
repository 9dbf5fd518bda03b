/* SPDX-License-Identifier: MIT */
/*
 * Interval map with use counts: what counting in and out does to the runs. The
 * tree that holds them is in imap_tree.c. A walk along the runs takes no more
 * steps than there are runs: four at most for each range that the host has
 * registered, see PCV__IMAP_NODES_PER_RANGE.
 */
#include "base/imap_tree.h"

#define LOWER PCV__IMAP_LOWER
#define HIGHER PCV__IMAP_HIGHER

/* What lies in a range, found before anything is changed. */
struct survey {
    size_t splits;        /* runs that stick out at an edge, for each edge */
    size_t gaps;          /* maximal stretches of count 0 */
    uint64_t empty_pages; /* pages in the gaps */
    uint32_t top;         /* highest count */
};

/* ---- runs ---- */

/* Let no run reach over the place before a page; takes up to one node. */
static void split_at(struct pcv__imap *map, uint64_t page)
{
    struct pcv__imap_node *node = pcv__imap_first_after(map, page);
    struct pcv__imap_run low;

    if (node == NULL || node->start >= page) {
        return;
    }
    low = (struct pcv__imap_run){node->start, page, node->count};
    node->start = page;
    pcv__imap_insert_before(map, node, &low);
}

/*
 * Make one run of the two that meet before a page, if they count the same.
 * Where nothing meets there, the runs found do not touch or count differently.
 */
static void merge_at(struct pcv__imap *map, uint64_t page)
{
    struct pcv__imap_node *high = pcv__imap_first_after(map, page);
    struct pcv__imap_node *low =
        high == NULL ? NULL : pcv__imap_step(high, LOWER);

    if (low != NULL && low->end == high->start && low->count == high->count) {
        high->start = low->start;
        pcv__imap_erase(map, low);
    }
}

static struct survey survey_range(const struct pcv__imap *map, uint64_t start,
                                  uint64_t end)
{
    struct pcv__imap_node *node = pcv__imap_first_after(map, start);
    struct survey found = {0};
    uint64_t page = start;

    for (; node != NULL && node->start < end;
         node = pcv__imap_step(node, HIGHER)) {
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
    struct pcv__imap_node *node = pcv__imap_first_after(map, start);
    uint64_t page = start;

    while (page < end) {
        struct pcv__imap_run gap = {page, end, 1};

        if (node != NULL && node->start == page) {
            node->count++;
            page = node->end;
            node = pcv__imap_step(node, HIGHER);
            continue;
        }
        if (node != NULL && node->start < end) {
            gap.end = node->start;
        }
        pcv__imap_insert_before(map, node, &gap);
        page = gap.end;
    }
}

/* Take one from each run in a range that was split off and has no gaps. */
static void lower_range(struct pcv__imap *map, uint64_t start, uint64_t end)
{
    struct pcv__imap_node *node = pcv__imap_first_after(map, start);

    while (node != NULL && node->start < end) {
        struct pcv__imap_node *next = pcv__imap_step(node, HIGHER);

        node->count--;
        if (node->count == 0) {
            map->pages -= node->end - node->start;
            pcv__imap_erase(map, node);
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
    pcv__imap_pool_trim(map);
}

/* Whether two runs may be neighbours: in order and not to be merged. */
static bool runs_are_apart(const struct pcv__imap_node *low,
                           const struct pcv__imap_node *high)
{
    return low->end < high->start ||
           (low->end == high->start && low->count != high->count);
}

/* ---- interface ---- */

void pcv__imap_init(struct pcv__imap *map, const struct pcv__imap_alloc *alloc)
{
    *map = (struct pcv__imap){.alloc = *alloc};
}

void pcv__imap_fini(struct pcv__imap *map)
{
    pcv__imap_clear(map);
    map->ranges = 0;
    map->pages = 0;
    pcv__imap_pool_trim(map);
}

int pcv__imap_register(struct pcv__imap *map)
{
    map->ranges++;
    if (pcv__imap_pool_fill(map) != 0) {
        pcv__imap_unregister(map);
        return -PCV_ENOMEM;
    }
    return 0;
}

void pcv__imap_unregister(struct pcv__imap *map)
{
    if (map->ranges > 0) {
        map->ranges--;
    }
    pcv__imap_pool_trim(map);
}

uint32_t pcv__imap_prefix(const struct pcv__imap *map, uint64_t start,
                          uint64_t end, uint64_t *out_len)
{
    const struct pcv__imap_node *node = pcv__imap_first_after(map, start);
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
    const struct pcv__imap_node *node = pcv__imap_first_after(map, from);

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
    struct pcv__imap_node *node = pcv__imap_first(map);
    struct pcv__imap_node *last = NULL;
    uint64_t pages = 0;
    size_t runs = 0;

    for (; node != NULL; node = pcv__imap_step(node, HIGHER)) {
        if (runs == map->runs || !pcv__imap_node_is_sound(node) ||
            (last != NULL && !runs_are_apart(last, node))) {
            return -PCV_EINVAL;
        }
        runs++;
        pages += node->end - node->start;
        last = node;
    }
    return runs == map->runs && pages == map->pages &&
                   pcv__imap_pool_is_sound(map)
               ? 0
               : -PCV_EINVAL;
}
