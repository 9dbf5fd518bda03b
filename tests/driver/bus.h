/* SPDX-License-Identifier: MIT */
/*
 * A guest's side of the bus, for tests: configuration accesses, memory as the
 * guest's CPU reaches it, and an enumerator that does what Linux does. It knows
 * the entrances and nothing of what is behind them.
 *
 * Nothing here asserts: what does not hold is told as a sentence, so that tests
 * that make the host fail can go on.
 */
#ifndef PCV_TESTS_DRIVER_BUS_H
#define PCV_TESTS_DRIVER_BUS_H

#include "pcivisor/access.h"
#include "pcivisor/domain.h"
#include "pcivisor/errno.h"
#include "pcivisor/regs.h"
#include "pcivisor/types.h"

/* Say what does not hold. Functions that can answer NULL or such a sentence. */
#define BUS_NEED(condition, sentence)                                          \
    do {                                                                       \
        if (!(condition)) {                                                    \
            return (sentence);                                                 \
        }                                                                      \
    } while (0)
#define BUS_TRY(call)                                                          \
    do {                                                                       \
        const char *bus_said = (call);                                         \
                                                                               \
        if (bus_said) {                                                        \
            return bus_said;                                                   \
        }                                                                      \
    } while (0)

#define BUS_BARS 7u /* six, and the ROM */
#define BUS_INBOX 64u

/* What a machine has beside the bus. */
struct bus_machine {
    void *ctx;
    /* The CPU's access to memory: 0, or not: nothing is mapped, it traps. */
    int (*memory)(void *ctx, uint32_t domain_id, uint64_t address, uint8_t size,
                  bool write, uint64_t *inout_value);
    void (*sleep_us)(void *ctx, uint64_t us);
    /* The function that the owner sees at this address raises a vector, as its
     * work would make it. */
    void (*raise)(void *ctx, pcv_sbdf sbdf, bool msix, uint16_t vector);
};

/* Addresses for BARs: what is left of a window. */
struct bus_room {
    uint64_t next, end;
};

/* A message in the interrupt controller. */
struct bus_message {
    uint64_t address;
    uint32_t data;
};

struct bus {
    struct pcv_domain *domain;
    struct bus_machine machine;
    uint64_t ecam;             /* where the window is; 0: by address */
    bool placed;               /* firmware gave BARs their addresses */
    struct bus_room narrow;    /* where 32-bit BARs go */
    struct bus_room wide;      /* where 64-bit ones go */
    enum pcv_verdict verdict;  /* of the last access */
    bool stuck;                /* an access did not end */
    uint64_t resumed, trapped; /* how often */
    struct bus_message inbox[BUS_INBOX];
    uint64_t arrived; /* messages; the last BUS_INBOX are in the inbox */
};

struct bus_bar {
    uint64_t address;
    uint64_t size; /* 0: there is none */
    bool io, wide, prefetch;
};

struct bus_function {
    struct bus *bus;
    pcv_sbdf sbdf;
    uint16_t vendor, device;
    uint32_t class_code;
    uint8_t header_type;
    struct bus_bar bar[BUS_BARS];
};

/* ---- accesses ------------------------------------------------------------ */

/* 1, 2 or 4 bytes, until they are done. All ones where nothing answers. */
uint32_t bus_read(struct bus *bus, pcv_sbdf sbdf, uint16_t reg, uint8_t size);
void bus_write(struct bus *bus, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
               uint32_t value);
/* Memory, 1, 2, 4 or 8 bytes. */
uint64_t bus_load(struct bus *bus, uint64_t address, uint8_t size);
void bus_store(struct bus *bus, uint64_t address, uint8_t size, uint64_t value);

uint32_t bus_get(const struct bus_function *fn, uint16_t reg, uint8_t size);
void bus_set(const struct bus_function *fn, uint16_t reg, uint8_t size,
             uint32_t value);
/* Change the bits of `mask` to those of `value`. */
void bus_change(const struct bus_function *fn, uint16_t reg, uint8_t size,
                uint32_t mask, uint32_t value);

/* ---- enumeration --------------------------------------------------------- */

/* Every function of segment 0 from bus 0 on, behind bridges, too. Returns how
 * many there are, of which `max` are stored. */
size_t bus_scan(struct bus *bus, struct bus_function *out, size_t max);
/* The function with these IDs among them, or NULL. */
struct bus_function *bus_find(struct bus_function *fns, size_t count,
                              uint16_t vendor, uint16_t device);

/* Sizes of all BARs, by all ones with decoding off; everything is put back. */
const char *bus_size(struct bus_function *fn);
/* Addresses for all BARs of memory, unless firmware gave them theirs. */
const char *bus_place(struct bus_function *fn);

/* Offset of a capability, or 0. A list that leads astray ends there. */
uint16_t bus_cap(const struct bus_function *fn, uint8_t id);
uint16_t bus_ext_cap(const struct bus_function *fn, uint16_t id);

/* ---- the interrupt controller -------------------------------------------- */

/* A message came in. */
void bus_message(struct bus *bus, uint64_t address, uint32_t data);
/* The one message since `before` is this one. */
const char *bus_expect(const struct bus *bus, uint64_t before, uint64_t address,
                       uint32_t data);

#endif
