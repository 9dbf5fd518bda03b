/* SPDX-License-Identifier: MIT */
/* Bridges whose bus numbers the hardware domain writes (HDR-13). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define FIRST pcv_test_at(0, 0, 1, 0)
#define SECOND pcv_test_at(0, 0, 2, 0)

static bool cannot_read;

static int read_or_fail(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t *out_value)
{
    return cannot_read
               ? -PCV_EIO
               : pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);
}

static void two_bridges(struct hosted *h)
{
    struct pcv_test_function f;

    hosted_build(h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
    pcv_test_add(h->model, &f, FIRST);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 3, 4);
    pcv_test_add(h->model, &f, SECOND);
    h->ops.cfg_read = read_or_fail;
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 2);
}

static void write_numbers(struct hosted *h, pcv_sbdf bridge, uint32_t value,
                          bool resumed)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(h->host);
    struct pcv_access access = PCV_WRITE(bridge, PCV_REG_PRIMARY, 4, value);

    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    if (resumed) {
        assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    }
}

static struct pcv_device_info info_of(struct hosted *h, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(h->host, sbdf);
    struct pcv_device_info info;

    assert_non_null(device);
    pcv_device_get_info(device, &info);
    pcv_device_put(device);
    return info;
}

static bool is_behind(struct hosted *h, uint8_t bus, pcv_sbdf bridge)
{
    pcv_sbdf up;

    return pcv_topology_upstream(h->host, 0, bus, &up) == 0 && up.v == bridge.v;
}

/* HDR-13 */
static void what_a_bridge_covers_follows_its_numbers(void **state)
{
    struct hosted h;

    (void)state;
    two_bridges(&h);
    assert_true(is_behind(&h, 2, FIRST));
    write_numbers(&h, FIRST, 0x00070600, true);
    assert_int_equal(info_of(&h, FIRST).secondary, 6);
    assert_int_equal(info_of(&h, FIRST).subordinate, 7);
    assert_false(is_behind(&h, 2, FIRST));
    assert_true(is_behind(&h, 6, FIRST) && is_behind(&h, 7, FIRST));
    assert_true(is_behind(&h, 3, SECOND));
    assert_int_equal(pcv_model_peek(h.model, FIRST, PCV_REG_PRIMARY, 4),
                     0x00070600);
    hosted_end(&h);
}

/* HDR-13, TOPO-4: nobody knows whose they are. */
static void numbers_that_overlap_for_the_moment_cover_nothing(void **state)
{
    struct hosted h;

    (void)state;
    two_bridges(&h);
    write_numbers(&h, FIRST, 0x00040300, true); /* the other's */
    assert_true(info_of(&h, FIRST).bus_conflict);
    assert_true(info_of(&h, SECOND).bus_conflict);
    assert_false(is_behind(&h, 3, FIRST) || is_behind(&h, 3, SECOND));
    write_numbers(&h, SECOND, 0, true);
    assert_false(info_of(&h, SECOND).bus_conflict);
    assert_false(info_of(&h, FIRST).bus_conflict);
    assert_true(is_behind(&h, 3, FIRST));
    write_numbers(&h, FIRST, 0x00050300, true);
    assert_false(info_of(&h, FIRST).bus_conflict);
    assert_true(is_behind(&h, 3, FIRST) && is_behind(&h, 5, FIRST));
    hosted_end(&h);
}

/* HDR-13, LIFE-5 */
static void a_bridge_that_goes_leaves_no_work(void **state)
{
    struct hosted h;

    (void)state;
    two_bridges(&h);
    write_numbers(&h, FIRST, 0x00070600, false);
    assert_int_equal(atomic_load(&h.host->renumber_count), 1);
    assert_int_equal(pcv_device_remove(h.host, FIRST, NULL, NULL), 0);
    assert_int_equal(atomic_load(&h.host->renumber_count), 0);
    hosted_end(&h);
}

/* HDR-13: they are what was written, as far as anybody knows. */
static void numbers_that_the_host_cannot_read_are_those_that_were_written(
    void **state)
{
    struct pcv_domain *hardware;
    struct pcv_access access = PCV_WRITE(FIRST, PCV_REG_PRIMARY, 4, 0x00070600);
    struct hosted h;

    (void)state;
    two_bridges(&h);
    hardware = pcv_host_hardware_domain(h.host);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    cannot_read = true;
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    cannot_read = false;
    assert_int_equal(info_of(&h, FIRST).secondary, 6);
    assert_true(is_behind(&h, 6, FIRST));
    assert_false(is_behind(&h, 2, FIRST));
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_bridge_covers_follows_its_numbers),
        cmocka_unit_test(numbers_that_overlap_for_the_moment_cover_nothing),
        cmocka_unit_test(a_bridge_that_goes_leaves_no_work),
        cmocka_unit_test(
            numbers_that_the_host_cannot_read_are_those_that_were_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
