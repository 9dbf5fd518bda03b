/* SPDX-License-Identifier: MIT */
/* The floor: what no design does without - an uncontended lock taken and
 * dropped, one read of an array, one indirect call. */
#ifndef PCIVISOR_BENCH_FLOOR_H
#define PCIVISOR_BENCH_FLOOR_H

#include <stdatomic.h>
#include <stdint.h>

#define BENCH_FLOOR_ARRAY 1024u

struct bench_floor {
    _Alignas(128) _Atomic uint32_t next;
    _Atomic uint32_t serving;
    volatile uint32_t array[BENCH_FLOOR_ARRAY];
    uint32_t at;
    uint32_t (*volatile call)(uint32_t value);
    volatile uint32_t sink;
};

uint32_t bench_floor_call(uint32_t value);
void bench_floor_run(void *arg);

#endif
