/* SPDX-License-Identifier: MIT */
/*
 * The wire form as data: where each member of a request or record stands, and
 * how wide it is there. It knows nothing of hosts, so that a client can be
 * built from it, too.
 */
#ifndef PCV_CTL_WIRE_H
#define PCV_CTL_WIRE_H

#include "pcivisor/mailbox.h"

/* One member, or several of one kind at equal distances. */
struct pcv__wire_field {
    uint16_t wire;     /* offset there */
    uint16_t at;       /* offset in the structure */
    uint8_t width;     /* bytes there */
    uint8_t size;      /* bytes in the structure: 1, 2, 4 or 8 */
    uint8_t count;     /* how many */
    uint8_t wire_step; /* bytes from one to the next there */
    uint8_t step;      /* and in the structure */
    bool is_bool;      /* anything but 0 is true */
};

struct pcv__wire_shape {
    const struct pcv__wire_field *field;
    uint16_t fields;
    uint16_t size; /* there, all of it */
};

/* What an operation's arguments and records look like; NULL: no such one. */
struct pcv__wire_op {
    const struct pcv__wire_shape *args;
    const struct pcv__wire_shape *record;
};
const struct pcv__wire_op *pcv__wire_op(uint32_t op);

/* Little-endian, 1, 2, 4 or 8 bytes. */
static inline uint64_t pcv__wire_get(const uint8_t *bytes, uint32_t width)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < width; i++) {
        value |= (uint64_t)bytes[i] << (i * 8u);
    }
    return value;
}

static inline void pcv__wire_put(uint8_t *bytes, uint32_t width, uint64_t value)
{
    for (uint32_t i = 0; i < width; i++) {
        bytes[i] = (uint8_t)(value >> (i * 8u));
    }
}

#endif
