/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's memory: pages by powers of two (a buddy allocator), and
 * small pieces out of pages, by classes of powers of two.
 */
#include "heap.h"

#include "arch.h"
#include "lib.h"

#define ORDERS 15u       /* up to 64 MiB */
#define SMALL_FIRST 5u   /* 32 bytes ... */
#define SMALL_CLASSES 7u /* ... to 2048; larger ones are pages */
#define NONE 0xffu

struct piece {
    struct piece *next, **at;
};

static struct {
    struct spinlock lock;
    uint64_t base, pages;
    uint8_t *order; /* of each free run, at its first page; NONE elsewhere */
    struct piece *free[ORDERS];
    struct piece *small[SMALL_CLASSES];
    uint64_t used; /* bytes */
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
    heap.order[index] = NONE;
    while (from > order) {
        from--;
        heap.order[index + ((uint64_t)1 << from)] = (uint8_t)from;
        push(&heap.free[from], page_at(index + ((uint64_t)1 << from)));
    }
    heap.used += PAGE_SIZE << order;
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

void pages_free(void *pages, unsigned order)
{
    if (!pages) {
        return;
    }
    spin_lock(&heap.lock);
    heap.used -= PAGE_SIZE << order;
    give_pages(((uint64_t)pages - heap.base) >> PAGE_SHIFT, order);
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

static unsigned order_of(size_t size)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < size) {
        order++;
    }
    return order;
}

static bool is_small(size_t size)
{
    return size <= (size_t)1 << (SMALL_FIRST + SMALL_CLASSES - 1);
}

void *heap_alloc(size_t size)
{
    unsigned class;
    struct piece *piece;

    if (!is_small(size)) {
        unsigned order = order_of(size);

        return order < ORDERS ? pages_alloc(order) : NULL;
    }
    class = class_of(size);
    spin_lock(&heap.lock);
    if (!heap.small[class]) {
        uint8_t *page = take_pages(0);
        size_t bytes = (size_t)1 << (class + SMALL_FIRST);

        for (size_t at = 0; page && at < PAGE_SIZE; at += bytes) {
            push(&heap.small[class], (struct piece *)(void *)(page + at));
        }
    }
    piece = heap.small[class];
    if (piece) {
        take_out(piece);
    }
    spin_unlock(&heap.lock);
    return piece;
}

void heap_free(void *memory, size_t size)
{
    if (!memory) {
        return;
    }
    if (!is_small(size)) {
        pages_free(memory, order_of(size));
        return;
    }
    spin_lock(&heap.lock);
    push(&heap.small[class_of(size)], memory);
    spin_unlock(&heap.lock);
}

uint64_t heap_used(void)
{
    return heap.used;
}
