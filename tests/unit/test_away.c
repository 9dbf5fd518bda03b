/* SPDX-License-Identifier: MIT */
/* Functions that were given away are found without a look at all others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/away.h"
#include "two_ports.h"

/* The one function that is found, and nothing behind it. */
static bool finds_only(struct two *t, pcv_sbdf sbdf)
{
    struct pcv_device *first = pcv__away_next(t->r.h.host, (pcv_sbdf){0});
    struct pcv_device *second =
        pcv__away_next(t->r.h.host, (pcv_sbdf){sbdf.v + 1u});
    bool right = first && pcv_device_sbdf(first).v == sbdf.v && !second;

    pcv_device_put(first);
    pcv_device_put(second);
    return right;
}

static bool finds_nothing(struct two *t)
{
    struct pcv_device *device = pcv__away_next(t->r.h.host, (pcv_sbdf){0});

    pcv_device_put(device);
    return !device;
}

/* HDR-8, OWN-5: BARs are held against those of what others were given. */
static void what_was_given_away_is_found_and_nothing_else(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    assert_true(finds_nothing(&t));
    assert_int_equal(change(&t, CARD_B, true), 0);
    assert_true(finds_only(&t, CARD_B));
    assert_int_equal(change(&t, CARD_B, false), 0);
    two_end(&t);
}

/* TOPO-4, HDR-8 */
static void it_is_found_where_bus_numbers_moved_it(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    assert_int_equal(change(&t, CARD_B, true), 0);
    elsewhere(&t, PORT_B, 0, 0);
    assert_true(finds_nothing(&t));
    elsewhere(&t, PORT_B, 0x45, 0x45);
    assert_true(finds_only(&t, BUS(0x45)));
    /* What was not given away moves without a trace. */
    numbers(&t, PORT_A, 0x44, 0x44);
    assert_true(finds_only(&t, BUS(0x45)));
    assert_int_equal(change(&t, BUS(0x45), false), 0);
    two_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_away_is_found_and_nothing_else),
        cmocka_unit_test(it_is_found_where_bus_numbers_moved_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
