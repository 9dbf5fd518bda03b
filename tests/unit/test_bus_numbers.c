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
#include <stdio.h>

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

/* Several times with different numbers. */
static void renumber_often(struct renumber *r)
{
    static const uint8_t firsts[] = {1, 40, 7, 1};

    for (size_t i = 0; i < sizeof(firsts); i++) {
        renumber_all(r, firsts[i], 1);
        renumber_is_sound(r);
        renumber_holds(r);
    }
    assert_true(r->events[PCV_EVENT_MOVED] > 0);
    assert_int_equal(r->events[PCV_EVENT_MOVE_FAILED], 0);
    assert_int_equal(r->events[PCV_EVENT_VANISHED], 0);
    assert_int_equal(r->events[PCV_EVENT_BUS_NUMBERS], 0);
}

/* TOPO-4, SIM-1 */
static void captured_machines_are_renumbered(void **state)
{
    static const char *const files[] = {"q35.txt", "virt.txt"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        struct renumber r;

        (void)snprintf(path, sizeof(path), "%s/examples/hosts/%s",
                       PCV_SOURCE_ROOT, files[i]);
        renumber_machine(&r, path, NULL);
        renumber_often(&r);
        renumber_end(&r);
    }
}

/* TOPO-4 */
static void made_up_machines_are_renumbered(void **state)
{
    static const char *const specs[] = {
        "functions=40,bridges=12,seed=2",
        "functions=120,bridges=40,switches=6,seed=3",
        "functions=90,bridges=20,pci=9,seed=4",
        "functions=150,bridges=30,vfs=4,seed=5",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct renumber r;

        renumber_machine(&r, NULL, specs[i]);
        renumber_often(&r);
        renumber_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_renumbers_and_everything_is_what_it_was),
        cmocka_unit_test(captured_machines_are_renumbered),
        cmocka_unit_test(made_up_machines_are_renumbered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
