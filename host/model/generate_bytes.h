/* SPDX-License-Identifier: MIT */
/*
 * The registers of one made-up function while they are written: the bytes,
 * and where the two capability lists end.
 */
#ifndef PCIVISOR_HOST_MODEL_GENERATE_BYTES_H
#define PCIVISOR_HOST_MODEL_GENERATE_BYTES_H

#include "generate.h"

struct pcv__gen_bytes {
    const struct pcv__gen_plan *plan;
    const struct pcv__gen_fn *fn;
    const struct pcv__gen_kind *kind;
    uint16_t rid;
    uint8_t *config; /* 4096 bytes, zero at first */
    unsigned link;   /* the byte that points to the next capability */
    unsigned next;   /* where that will be */
    unsigned ext;    /* the last extended capability; 0: none */
    unsigned ext_next;
};

void pcv__gen_put16(struct pcv__gen_bytes *b, unsigned at, uint32_t value);
void pcv__gen_put32(struct pcv__gen_bytes *b, unsigned at, uint32_t value);

/* Both lists of capabilities; the header is there. */
void pcv__gen_capabilities(struct pcv__gen_bytes *b);
void pcv__gen_ext_capabilities(struct pcv__gen_bytes *b);

/* What is behind a port: the routing ID of function 0, if there is one. */
bool pcv__gen_occupied(const struct pcv__gen_bytes *b);

#endif
