/* SPDX-License-Identifier: MIT */
/* The design that hypervisors use today, written for the bench. */
#include <stdatomic.h>
#include <stdlib.h>

#include "bench.h"
#include "yardstick.h"

/* ---- locks ---------------------------------------------------------------
 * Readers count themselves in and out; a writer waits until it is alone. */

#define WRITER 0x80000000u

struct rwlock {
    _Atomic uint32_t state; /* readers, and WRITER */
};

static inline void read_lock(struct rwlock *lock)
{
    while ((atomic_fetch_add_explicit(&lock->state, 1, memory_order_acquire) &
            WRITER) != 0) {
        atomic_fetch_sub_explicit(&lock->state, 1, memory_order_relaxed);
        while ((atomic_load_explicit(&lock->state, memory_order_relaxed) &
                WRITER) != 0) {
        }
    }
}

static inline void read_unlock(struct rwlock *lock)
{
    atomic_fetch_sub_explicit(&lock->state, 1, memory_order_release);
}

static void write_lock(struct rwlock *lock)
{
    uint32_t nobody = 0;

    while (!atomic_compare_exchange_weak_explicit(&lock->state, &nobody, WRITER,
                                                  memory_order_acquire,
                                                  memory_order_relaxed)) {
        nobody = 0;
    }
}

static void write_unlock(struct rwlock *lock)
{
    atomic_fetch_sub_explicit(&lock->state, WRITER, memory_order_release);
}

/* One device's, for its registers: a write may be to a part of one. */
struct spinlock {
    _Atomic uint32_t next, serving;
};

static inline void spin_lock(struct spinlock *lock)
{
    uint32_t ticket =
        atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

    while (atomic_load_explicit(&lock->serving, memory_order_acquire) !=
           ticket) {
    }
}

static inline void spin_unlock(struct spinlock *lock)
{
    uint32_t serving =
        atomic_load_explicit(&lock->serving, memory_order_relaxed);

    atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
}

/* ---- lists --------------------------------------------------------------- */

struct handler {
    struct handler *next;
    uint16_t offset;
    uint8_t size;
    uint32_t (*read)(void *data);
    void (*write)(void *data, uint32_t value);
    void *data;
    _Atomic uint32_t value;
};

struct yard_device {
    struct yard_device *next;
    pcv_sbdf sbdf;
    struct spinlock lock;
    struct handler *handlers; /* sorted by offset; none overlap */
};

struct yard {
    struct rwlock lock;
    struct yard_device *devices, **end;
    const struct pcv_host_ops *ops;
    void *ctx;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        bench_fail("the yardstick", -PCV_ENOMEM);
    }
    return memory;
}

struct yard *yard_create(const struct pcv_host_ops *ops, void *ctx)
{
    struct yard *yard = allocate(sizeof(*yard));

    yard->end = &yard->devices;
    yard->ops = ops;
    yard->ctx = ctx;
    return yard;
}

static void free_device(struct yard_device *device)
{
    while (device->handlers) {
        struct handler *handler = device->handlers;

        device->handlers = handler->next;
        free(handler);
    }
    free(device);
}

void yard_destroy(struct yard *yard)
{
    while (yard->devices) {
        struct yard_device *device = yard->devices;

        yard->devices = device->next;
        free_device(device);
    }
    free(yard);
}

struct yard_device *yard_add(struct yard *yard, pcv_sbdf sbdf)
{
    struct yard_device *device = allocate(sizeof(*device));

    device->sbdf = sbdf;
    write_lock(&yard->lock);
    *yard->end = device;
    yard->end = &device->next;
    write_unlock(&yard->lock);
    return device;
}

static uint32_t stored_read(void *data)
{
    return atomic_load_explicit((_Atomic uint32_t *)data, memory_order_relaxed);
}

static void stored_write(void *data, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)data, value,
                          memory_order_relaxed);
}

void yard_add_register(struct yard_device *device, uint16_t offset,
                       uint32_t value)
{
    struct handler *handler = allocate(sizeof(*handler));
    struct handler **at = &device->handlers;

    handler->offset = offset;
    handler->size = 4;
    handler->read = stored_read;
    handler->write = stored_write;
    handler->data = &handler->value;
    atomic_store_explicit(&handler->value, value, memory_order_relaxed);
    spin_lock(&device->lock);
    while (*at && (*at)->offset < offset) {
        at = &(*at)->next;
    }
    handler->next = *at;
    *at = handler;
    spin_unlock(&device->lock);
}

/* ---- accesses ------------------------------------------------------------ */

static struct yard_device *find(const struct yard *yard, pcv_sbdf sbdf)
{
    struct yard_device *device = yard->devices;

    while (device && device->sbdf.v != sbdf.v) {
        device = device->next;
    }
    return device;
}

/* The first handler that ends behind a register. */
static struct handler *seek(const struct yard_device *device, uint16_t reg)
{
    struct handler *handler = device->handlers;

    while (handler && handler->offset + handler->size <= reg) {
        handler = handler->next;
    }
    return handler;
}

static uint32_t ones(uint32_t size)
{
    return size >= 4 ? 0xffffffffu : (1u << (size * 8u)) - 1u;
}

static uint32_t hw_read(const struct yard *yard, pcv_sbdf sbdf, uint16_t reg,
                        uint8_t size)
{
    uint32_t value = ones(size);

    (void)yard->ops->cfg_read(yard->ctx, sbdf, reg, size, &value);
    return value & ones(size);
}

/* An access is aligned and no wider than a register, and registers here are
 * aligned dwords: so it is inside one of them, or beside all. */
static struct handler *over(const struct yard_device *device, uint16_t reg)
{
    struct handler *handler = seek(device, reg);

    return handler && handler->offset <= reg ? handler : NULL;
}

uint32_t yard_read(struct yard *yard, pcv_sbdf sbdf, uint16_t reg, uint8_t size)
{
    const struct yard_device *device;
    const struct handler *handler;
    uint32_t value = ones(size);

    read_lock(&yard->lock);
    device = find(yard, sbdf);
    if (device) {
        handler = over(device, reg);
        value = handler ? handler->read(handler->data) >>
                              ((reg - handler->offset) * 8u)
                        : hw_read(yard, sbdf, reg, size);
    }
    read_unlock(&yard->lock);
    return value & ones(size);
}

static void handled_write(struct yard_device *device, struct handler *handler,
                          uint16_t reg, uint8_t size, uint32_t value)
{
    uint32_t shift = (uint32_t)(reg - handler->offset) * 8u;
    uint32_t mask = ones(size) << shift;

    spin_lock(&device->lock);
    if (size != handler->size) {
        value =
            (handler->read(handler->data) & ~mask) | (value << shift & mask);
    }
    handler->write(handler->data, value);
    spin_unlock(&device->lock);
}

void yard_write(struct yard *yard, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                uint32_t value)
{
    struct yard_device *device;
    struct handler *handler;

    read_lock(&yard->lock);
    device = find(yard, sbdf);
    if (device) {
        handler = over(device, reg);
        if (handler) {
            handled_write(device, handler, reg, size, value);
        } else {
            (void)yard->ops->cfg_write(yard->ctx, sbdf, reg, size,
                                       value & ones(size));
        }
    }
    read_unlock(&yard->lock);
}
