/* SPDX-License-Identifier: MIT */
/* The bench measures the library against the yardstick (tests/bench): they do
 * the same, on the same hardware. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"
#include "yardstick.h"

#define DEVICES 5u
#define STEPS 50000u

static uint32_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 16);
}

struct both {
    struct bench_host b;
    struct yard *yard;
};

static void read_both(struct both *both, pcv_sbdf sbdf, uint16_t reg,
                      uint8_t size)
{
    struct pcv_access a = PCV_READ(sbdf, reg, size);

    (void)pcv_access(both->b.domain, &a);
    assert_int_equal(a.data, yard_read(both->yard, sbdf, reg, size));
}

static void write_both(struct both *both, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size, uint32_t value)
{
    struct pcv_access a = PCV_WRITE(sbdf, reg, size, value);

    assert_int_equal(pcv_access(both->b.domain, &a), PCV_DONE);
    yard_write(both->yard, sbdf, reg, size, value);
}

/* Reads anywhere, also where there is no device; writes to what has a register,
 * and to hardware that nobody mediates. CFG-2, CFG-3 */
static void the_yardstick_answers_as_the_library_does(void **state)
{
    const uint16_t end =
        (uint16_t)(BENCH_FIRST_REGISTER + 4u * BENCH_REGISTERS);
    struct both both;
    uint64_t random = 1;

    (void)state;
    bench_machine_make(&both.b, &both.yard, DEVICES);
    for (uint32_t i = 0; i < STEPS; i++) {
        uint8_t size = (uint8_t)(1u << next_random(&random) % 3u);
        pcv_sbdf sbdf = bench_sbdf(next_random(&random) % (DEVICES + 1u));
        uint32_t value = next_random(&random);
        uint16_t reg =
            (uint16_t)(next_random(&random) % (end + 64u) & ~(size - 1u));

        if (reg >= BENCH_EMPTY && sbdf.v < DEVICES &&
            next_random(&random) % 2u == 0) {
            write_both(&both, sbdf, reg, size, value);
        }
        read_both(&both, sbdf, reg, size);
    }
    yard_destroy(both.yard);
    bench_host_end(&both.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_yardstick_answers_as_the_library_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
