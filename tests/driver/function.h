/* SPDX-License-Identifier: MIT */
/*
 * What drivers of all kinds do with their function: switch it on and off, reset
 * it, put it to sleep.
 */
#ifndef PCV_TESTS_DRIVER_FUNCTION_H
#define PCV_TESTS_DRIVER_FUNCTION_H

#include "bus.h"

/* Memory decoding and bus mastering, INTx off; and everything off again. */
const char *function_on(const struct bus_function *fn);
const char *function_off(const struct bus_function *fn);

/* FLR (PCI Express Base 6.0, 6.6.2): nobody answers for 100 ms, then registers
 * are as after reset. */
const char *function_reset(const struct bus_function *fn);

/* D3hot (PCI Power Management 1.2, 5.4): memory does not answer. */
const char *function_sleep(const struct bus_function *fn);
/* D0 10 ms later. Registers are as they were before the sleep. */
const char *function_wake(const struct bus_function *fn);

/* What a guest programmed, to be compared with later. */
struct function_state {
    uint32_t command;
    uint32_t bar[7];
};

void function_state(const struct bus_function *fn, struct function_state *out);
/* All of it written again, as Linux does after a reset: BARs, then command. */
void function_put_back(const struct bus_function *fn,
                       const struct function_state *state);
bool function_is(const struct bus_function *fn,
                 const struct function_state *state);

#endif
