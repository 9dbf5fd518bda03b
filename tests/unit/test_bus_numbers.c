/* SPDX-License-Identifier: MIT */
/*
 * Bus numbers that change under functions that are known (TOPO-4), as Linux
 * changes them and in odder ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "renumber_fixture.h"

/* TOPO-4 */
static void linux_renumbers_and_everything_is_what_it_was(void **state)
{
    static const struct {
        uint8_t first, step;
    } rows[] = {{1, 1}, {10, 1}, {2, 3}, {100, 7}, {1, 1}};
    struct renumber r;

    (void)state;
    renumber_tree(&r);
    renumber_holds(&r);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        renumber_all(&r, rows[i].first, rows[i].step);
        renumber_is_sound(&r);
        renumber_holds(&r);
    }
    assert_int_equal(r.events[PCV_EVENT_MOVE_FAILED], 0);
    assert_int_equal(r.events[PCV_EVENT_VANISHED], 0);
    renumber_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_renumbers_and_everything_is_what_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
