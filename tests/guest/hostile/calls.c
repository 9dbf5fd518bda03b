/* SPDX-License-Identifier: MIT */
/* Calls to the hypervisor, by numbers that exist and by others; and CPUs that
 * are switched on just as they switch themselves off. */
#include "hostile.h"

#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_LAST 0x8400001fu
#define BIT_64 0x40000000u
#define ROUNDS 10000u
#define SWITCHES 300u
#define PATIENCE 2000000u

extern const char next_cpu[];
volatile bool second_is_short;

int64_t call(bool smc, uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;

    if (smc) {
        __asm__ volatile("smc #0"
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    } else {
        __asm__ volatile("hvc #0"
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    }
    return (int64_t)x0;
}

/* What would end this very run, or start a CPU at a random place. */
static bool is_an_end(uint32_t function)
{
    uint32_t number = function & ~BIT_64;

    return number == PSCI_CPU_OFF || number == 0x84000003u ||
           number == 0x84000008u || number == 0x84000009u;
}

bool attack_ids(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t random = random64();
        uint32_t function = (random & 1u) != 0
                                ? 0x84000000u | (uint32_t)(random >> 32 & 0x1f)
                                : (uint32_t)(random >> 32);

        if ((random & 2u) != 0) {
            function |= BIT_64;
        }
        if (!is_an_end(function)) {
            (void)call((random & 4u) != 0, function, random64(), random64(),
                       random64());
        }
    }
    /* CPUs that are not there, and one that is on already. */
    return call(true, PSCI_CPU_ON, 77, 0, 0) == -2 &&
           call(true, PSCI_CPU_ON, UINT64_MAX, 0, 0) == -2 &&
           call(true, PSCI_CPU_ON, 0, (uint64_t)next_cpu, 0) == -4 &&
           call(true, PSCI_LAST, 0, 0, 0) == -1;
}

bool second_start(void)
{
    int64_t error;

    for (unsigned i = 0; i < PATIENCE; i++) {
        error = call(true, PSCI_CPU_ON, 1, (uint64_t)next_cpu, 1);
        if (error != -4) {
            return error == 0;
        }
    }
    return false;
}

void second_stop(void)
{
    (void)call(true, PSCI_CPU_OFF, 0, 0, 0);
}

/* It storms until it is told to be short; then it switches itself off again and
 * again, while we switch it on without asking whether it is off. */
bool attack_cpu_on(void)
{
    second_is_short = true;
    for (unsigned i = 0; i < SWITCHES; i++) {
        if (!second_start()) {
            return false;
        }
    }
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (call(false, PSCI_AFFINITY_INFO, 1, 0, 0) == 1) {
            return true;
        }
    }
    return false;
}
