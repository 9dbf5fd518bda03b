/* SPDX-License-Identifier: MIT */
/*
 * A number for each thread that calls the library, as this_cpu() wants it. A
 * thread keeps its number until it ends; then another may have it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

static _Atomic uint64_t taken; /* one bit a number */
static pthread_key_t at_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local uint32_t number = PCV__MODEL_CPUS;

/* The value is the number plus one, since NULL calls no destructor. */
static void give_back(void *value)
{
    uint32_t cpu = (uint32_t)((uintptr_t)value - 1);

    (void)atomic_fetch_and(&taken, ~(UINT64_C(1) << cpu));
}

static void make_key(void)
{
    if (pthread_key_create(&at_end, give_back) != 0) {
        (void)fprintf(stderr, "model: no thread-specific data left\n");
        abort();
    }
}

static uint32_t take(void)
{
    (void)pthread_once(&once, make_key);
    for (uint32_t i = 0; i < PCV__MODEL_CPUS; i++) {
        uint64_t bit = UINT64_C(1) << i;

        if ((atomic_fetch_or(&taken, bit) & bit) == 0) {
            (void)pthread_setspecific(at_end, (void *)(uintptr_t)(i + 1));
            return i;
        }
    }
    (void)fprintf(stderr, "model: more than %u threads at a time\n",
                  PCV__MODEL_CPUS);
    abort();
}

uint32_t pcv__model_this_cpu(void)
{
    if (number == PCV__MODEL_CPUS) {
        number = take();
    }
    return number;
}
