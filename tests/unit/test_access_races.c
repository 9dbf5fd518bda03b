/* SPDX-License-Identifier: MIT */
/*
 * Accesses that meet a device which is being rebuilt, removed or pulled: in
 * the middle of a hardware access or an allocation, something else happens.
 */
#include "engine_fixture.h"

#include <string.h>

#define NIC pcv_test_at(0, 0, 1, 0)

static void boot(struct rig *rig)
{
    struct pcv_test_function f;

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, 0xe0000000u, 0x4000);
    pcv_test_add(rig->model, &f, NIC);
    rig_boot(rig);
}

/* ---- in the middle of a rebuild ------------------------------------------ */

static struct rig *rebuilding; /* whose gate is paused when memory is asked */
static enum pcv_verdict during[3];

static void *alloc_in_the_middle(void *ctx, size_t size)
{
    struct rig *rig = rebuilding;
    uint64_t data;

    if (rig) {
        rebuilding = NULL;
        during[0] = rig_try_read(rig, NIC, 0, 4, &data);
        during[1] = rig_try_write(rig, NIC, PCV_REG_INT_LINE, 1, 0x55);
        during[2] = rig_try_read(rig, NIC, 0, 3, &data);
    }
    return pcv_model_ops()->alloc(ctx, size);
}

static const struct pcv_register scratch = {
    .name = "scratch",
    .offset = 0x800,
    .size = 4,
    .policy = {.virt = 0xffffffffu},
};

/* CFG-9, CFG-10: what is refused comes to no gate; it is counted all the same.
 */
static void a_rebuild_makes_accesses_retry_and_nothing_happens(void **state)
{
    struct pcv_test_function f;
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig.ops.alloc = alloc_in_the_middle;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    (void)pcv_test_aer(&f);
    pcv_test_add(rig.model, &f, NIC);
    rig_boot(&rig);
    device = pcv_device_find(rig.host, NIC);
    assert_non_null(device);
    during[0] = during[1] = PCV_DONE;
    /* One register in each of 16 dwords, until an array has to grow. */
    rebuilding = &rig;
    for (uint16_t i = 0; i < 32 && rebuilding; i++) {
        struct pcv_register *reg = test_malloc(sizeof(*reg));

        *reg = scratch;
        reg->offset = (uint16_t)(0x800 + 4 * i);
        assert_int_equal(pcv_register_add(device, reg, NULL), 0);
        assert_int_equal(rig.logged, 0);
        assert_int_equal(pcv_register_remove(device, reg->offset, 4), 0);
        test_free(reg);
    }
    assert_null(rebuilding);
    assert_int_equal(during[0], PCV_RETRY);
    assert_int_equal(during[1], PCV_RETRY);
    assert_int_equal(during[2], PCV_DONE);
    assert_int_equal(rig_status(&rig, NIC).counters.refused, 1);
    assert_int_equal(rig_status(&rig, NIC).counters.reads, 0);
    assert_int_equal(rig_status(&rig, NIC).counters.writes, 0);
    assert_int_equal(rig_read(&rig, NIC, 0, 2), 0x8086);
    pcv_device_put(device);
    rig_close(&rig);
}

static int rebuild_result;

static void rebuild_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    (void)access;
    rig->hook = NULL;
    rebuild_result = pcv_register_add(rig->hook_data, &scratch, NULL);
}

/* CFG-6, CFG-10 */
static void a_rebuild_does_not_begin_while_an_access_is_inside(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    rig.hook_data = pcv_device_find(rig.host, NIC);
    rig.hook = rebuild_inside;
    rebuild_result = 1;
    assert_int_equal(rig_read(&rig, NIC, 0, 2), 0x8086);
    assert_int_equal(rebuild_result, -PCV_ERESTART);
    assert_int_equal(pcv_register_add(rig.hook_data, &scratch, NULL), 0);
    pcv_device_put(rig.hook_data);
    rig_close(&rig);
}

static struct {
    int result[2];
    enum pcv_verdict read, write;
} drain;

static void come_in_behind(struct rig *rig, const struct pcv_model_cfg *access)
{
    uint64_t data;

    (void)access;
    rig->hook = NULL;
    drain.result[0] = pcv_register_add(rig->hook_data, &scratch, NULL);
    drain.read = rig_try_read(rig, NIC, PCV_REG_DEVICE, 2, &data);
    drain.write = rig_try_write(rig, NIC, PCV_REG_INT_LINE, 1, 0x55);
    drain.result[1] = pcv_register_add(rig->hook_data, &scratch, NULL);
}

/* CFG-6, CFG-10: else accesses that never end would keep it out for ever. */
static void a_rebuild_that_waits_lets_nobody_in_until_it_had_its_turn(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    rig.hook_data = pcv_device_find(rig.host, NIC);
    rig.hook = come_in_behind;
    assert_int_equal(rig_read(&rig, NIC, 0, 2), 0x8086);
    assert_int_equal(drain.result[0], -PCV_ERESTART);
    assert_int_equal(drain.read, PCV_RETRY);
    assert_int_equal(drain.write, PCV_RETRY);
    assert_int_equal(drain.result[1], -PCV_ERESTART);
    assert_int_equal(rig.logged, 1);
    assert_int_equal(rig_try_read(&rig, NIC, 0, 2, &data), PCV_RETRY);
    /* The access is out: the rebuild finds the gate empty, whatever else it
     * answers then, and opens it. */
    assert_int_equal(pcv_register_add(rig.hook_data, &scratch, NULL), 0);
    assert_int_equal(rig_read(&rig, NIC, 0, 2), 0x8086);
    rig.hook = come_in_behind;
    assert_int_equal(rig_read(&rig, NIC, 0, 2), 0x8086);
    assert_int_equal(rig_try_read(&rig, NIC, 0, 2, &data), PCV_RETRY);
    assert_int_equal(pcv_register_add(rig.hook_data, &scratch, NULL),
                     -PCV_EEXIST);
    assert_int_equal(rig_read(&rig, NIC, 0, 2), 0x8086);
    pcv_device_put(rig.hook_data);
    rig_close(&rig);
}

/* ---- in the middle of a removal ------------------------------------------ */

static struct {
    int result;
    pcv_sbdf busy;
    struct pcv_device_status status;
    struct pcv_device *found;
    enum pcv_verdict later;
    uint64_t later_data;
} removal;

static void remove_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    rig->hook = NULL;
    removal.result =
        pcv_device_remove(rig->host, access->sbdf, NULL, &removal.busy);
    removal.status = rig_status(rig, access->sbdf);
    removal.found = pcv_device_find(rig->host, access->sbdf);
    removal.later = rig_try_read(rig, access->sbdf, 0, 4, &removal.later_data);
}

static void check_removal(const struct rig *rig, pcv_sbdf sbdf)
{
    assert_int_equal(removal.result, -PCV_EBUSY);
    assert_int_equal(removal.busy.v, sbdf.v);
    assert_int_equal(removal.status.state, PCV_STATE_LEAVING);
    assert_int_equal(removal.status.held[PCV_HOLDER_ACCESS], 1);
    assert_int_equal(removal.status.held[PCV_HOLDER_REGISTRY], 0);
    assert_null(removal.found);
    assert_int_equal(removal.later, PCV_ABSENT);
    assert_int_equal(removal.later_data, 0xffffffffu);
    assert_int_equal(pcv_device_remove(rig->host, sbdf, NULL, NULL),
                     -PCV_ENODEV);
}

/* CFG-10, LIFE-11 */
static void a_read_in_flight_ends_against_the_removed_device(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    rig.hook = remove_inside;
    assert_int_equal(rig_read(&rig, NIC, 0, 4), 0x10d38086u);
    assert_int_equal(rig_status(&rig, NIC).state, PCV_STATE_ABSENT);
    assert_int_equal(rig.logged, 1);
    check_removal(&rig, NIC);
    assert_int_equal(rig.logged, 1);
    rig_close(&rig);
}

/* CFG-10, LIFE-11 */
static void a_write_in_flight_ends_against_the_removed_device(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    rig.hook = remove_inside;
    rig_write(&rig, NIC, PCV_REG_INT_LINE, 1, 0x0b);
    assert_int_equal(pcv_model_peek(rig.model, NIC, PCV_REG_INT_LINE, 1), 0x0b);
    assert_int_equal(rig.logged, 1);
    check_removal(&rig, NIC);
    rig_close(&rig);
}

static void vanish_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    rig->hook = NULL;
    assert_int_equal(pcv_device_vanished(rig->host, access->sbdf), 0);
}

/* LIFE-11, CFG-8 */
static void a_device_pulled_in_the_middle_is_not_asked_again(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    rig.hook = vanish_inside;
    /* Two reads of hardware, status and command; the second must not be. */
    assert_int_equal(rig_read(&rig, NIC, PCV_REG_COMMAND, 4) & 0xffffu, 0xffff);
    assert_int_equal(rig.logged, 1);
    assert_int_equal(rig_read(&rig, NIC, 0, 4), 0xffffffffu);
    rig_write(&rig, NIC, PCV_REG_INT_LINE, 1, 1);
    assert_int_equal(rig.logged, 1);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rebuild_makes_accesses_retry_and_nothing_happens),
        cmocka_unit_test(a_rebuild_does_not_begin_while_an_access_is_inside),
        cmocka_unit_test(
            a_rebuild_that_waits_lets_nobody_in_until_it_had_its_turn),
        cmocka_unit_test(a_read_in_flight_ends_against_the_removed_device),
        cmocka_unit_test(a_write_in_flight_ends_against_the_removed_device),
        cmocka_unit_test(a_device_pulled_in_the_middle_is_not_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
