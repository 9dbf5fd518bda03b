/* SPDX-License-Identifier: MIT */
/*
 * The yardstick: configuration space as hypervisors mediate it today, to
 * measure the library against. A domain has a reader-writer lock and a linked
 * list of its devices; a device has a linked list of handlers, sorted by
 * register. An access takes the lock for reading, walks the one list and then
 * the other, and asks hardware for the bytes that have no handler.
 *
 * It does what the design asks for and no more: no reference counts, no
 * removal, no verdicts, and a lock that costs one atomic step each way while
 * nobody writes. What a handler does is one load or store.
 */
#ifndef PCIVISOR_BENCH_YARDSTICK_H
#define PCIVISOR_BENCH_YARDSTICK_H

#include "pcivisor/pcivisor.h"

struct yard;
struct yard_device;

/* Ends the program when memory runs out. `ops` and `ctx` are hardware. */
struct yard *yard_create(const struct pcv_host_ops *ops, void *ctx);
void yard_destroy(struct yard *yard);

/* One more device, at the end of the list. */
struct yard_device *yard_add(struct yard *yard, pcv_sbdf sbdf);
/* A register of 4 bytes that holds what was written to it. */
void yard_add_register(struct yard_device *device, uint16_t offset,
                       uint32_t value);

/* Accesses of 1, 2 or 4 bytes, aligned. All ones where there is no device. */
uint32_t yard_read(struct yard *yard, pcv_sbdf sbdf, uint16_t reg,
                   uint8_t size);
void yard_write(struct yard *yard, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                uint32_t value);

#endif
