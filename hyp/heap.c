/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's memory: pages by powers of two (a buddy allocator), and
 * small pieces out of pages, by classes of powers of two.
 */
#include "heap.h"

#include "driver.h"
#include "lib.h"

#define ORDERS 15u       /* up to 64 MiB */
#define SMALL_FIRST 5u   /* 32 bytes ... */
#define SMALL_CLASSES 7u /* ... to 2048; larger ones are pages */
#define NONE 0xffu       /* not the first page of a run */
/* What a page's entry says besides: the run that begins here is in use, or the
 * page is cut into pieces of a class. */
#define USED 0x40u
#define PIECES 0x80u

struct piece {
    struct piece *next, **at;
    uint64_t mark; /* FREE ^ its address: a small one that is free */
};

#define FREE 0x9e3779b97f4a7c15u

static struct {
    struct spinlock lock;
    uint64_t base, pages;
    uint8_t *order; /* of each run, at its first page, and flags; or NONE */
    struct piece *free[ORDERS];
    struct piece *small[SMALL_CLASSES];
} heap;

static void push(struct piece **list, struct piece *piece)
{
    piece->next = *list;
    piece->at = list;
    if (*list) {
        (*list)->at = &piece->next;
    }
    *list = piece;
}

static void take_out(struct piece *piece)
{
    *piece->at = piece->next;
    if (piece->next) {
        piece->next->at = piece->at;
    }
}

static struct piece *page_at(uint64_t index)
{
    return (struct piece *)(heap.base + (index << PAGE_SHIFT));
}

/* Under the lock: a free run, joined with its other half while that is free. */
static void give_pages(uint64_t index, unsigned order)
{
    heap.order[index] = NONE;
    while (order + 1 < ORDERS) {
        uint64_t other = index ^ ((uint64_t)1 << order);

        if (other + ((uint64_t)1 << order) > heap.pages ||
            heap.order[other] != order) {
            break;
        }
        take_out(page_at(other));
        heap.order[other] = NONE;
        index &= other;
        order++;
    }
    heap.order[index] = (uint8_t)order;
    push(&heap.free[order], page_at(index));
}

void heap_init(uint64_t base, uint64_t size)
{
    uint64_t align = PAGE_SIZE << (ORDERS - 1);
    uint64_t first;

    /* Runs are aligned to their size: count pages from a round address. */
    heap.base = base & ~(align - 1);
    heap.pages = (base + size - heap.base) >> PAGE_SHIFT;
    heap.order = (uint8_t *)base;
    memset(heap.order, NONE, heap.pages);
    first = (base - heap.base + heap.pages + PAGE_SIZE - 1) >> PAGE_SHIFT;
    spin_lock(&heap.lock);
    for (uint64_t i = first; i < heap.pages; i++) {
        give_pages(i, 0);
    }
    spin_unlock(&heap.lock);
}

/* Under the lock. */
static void *take_pages(unsigned order)
{
    unsigned from = order;
    uint64_t index;

    while (from < ORDERS && !heap.free[from]) {
        from++;
    }
    if (from >= ORDERS) {
        return NULL;
    }
    index = ((uint64_t)heap.free[from] - heap.base) >> PAGE_SHIFT;
    take_out(heap.free[from]);
    heap.order[index] = (uint8_t)(USED | order);
    while (from > order) {
        from--;
        heap.order[index + ((uint64_t)1 << from)] = (uint8_t)from;
        push(&heap.free[from], page_at(index + ((uint64_t)1 << from)));
    }
    return page_at(index);
}

void *pages_alloc(unsigned order)
{
    void *pages;

    spin_lock(&heap.lock);
    pages = take_pages(order);
    spin_unlock(&heap.lock);
    if (pages) {
        memset(pages, 0, PAGE_SIZE << order);
        dsb();
    }
    return pages;
}

static uint64_t index_of(const void *memory)
{
    uint64_t address = (uint64_t)memory;
    uint64_t index = (address - heap.base) >> PAGE_SHIFT;

    if (address < heap.base || index >= heap.pages) {
        panic("%p is given back, and is not the heap's", memory);
    }
    return index;
}

void pages_free(void *pages, unsigned order)
{
    uint64_t index;

    if (!pages) {
        return;
    }
    index = index_of(pages);
    spin_lock(&heap.lock);
    if (heap.order[index] != (USED | order) ||
        (uint64_t)pages % PAGE_SIZE != 0) {
        panic("%p is given back twice, or with another size", pages);
    }
    give_pages(index, order);
    spin_unlock(&heap.lock);
}

static unsigned class_of(size_t size)
{
    unsigned class = 0;

    while (((size_t)1 << (class + SMALL_FIRST)) < size) {
        class ++;
    }
    return class;
}

static bool is_small(size_t size)
{
    return size <= (size_t)1 << (SMALL_FIRST + SMALL_CLASSES - 1);
}

static uint64_t mark_of(const struct piece *piece)
{
    return FREE ^ (uint64_t)piece;
}

/* Under the lock. */
static void push_small(struct piece *piece, unsigned class)
{
    push(&heap.small[class], piece);
    piece->mark = mark_of(piece);
}

void *heap_alloc(size_t size)
{
    unsigned class;
    struct piece *piece;

    if (!is_small(size)) {
        unsigned order = pages_order(size);

        return order < ORDERS ? pages_alloc(order) : NULL;
    }
    class = class_of(size);
    spin_lock(&heap.lock);
    if (!heap.small[class]) {
        uint8_t *page = take_pages(0);
        size_t bytes = (size_t)1 << (class + SMALL_FIRST);

        if (page) {
            heap.order[index_of(page)] = (uint8_t)(PIECES | class);
        }
        for (size_t at = 0; page && at < PAGE_SIZE; at += bytes) {
            push_small((struct piece *)(void *)(page + at), class);
        }
    }
    piece = heap.small[class];
    if (piece) {
        take_out(piece);
        piece->mark = 0;
    }
    spin_unlock(&heap.lock);
    return piece;
}

void heap_free(void *memory, size_t size)
{
    struct piece *piece = memory;
    unsigned class;

    if (!memory) {
        return;
    }
    if (!is_small(size)) {
        pages_free(memory, pages_order(size));
        return;
    }
    class = class_of(size);
    spin_lock(&heap.lock);
    if (heap.order[index_of(memory)] != (PIECES | class) ||
        piece->mark == mark_of(piece)) {
        panic("%p is given back twice, or with another size", memory);
    }
    push_small(piece, class);
    spin_unlock(&heap.lock);
}
