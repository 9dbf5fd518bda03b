/* SPDX-License-Identifier: MIT */
/*
 * A function that does not exist for the hardware domain (OWN-9), and the stub
 * that stands in for a function 0 (OWN-9, VBUS-2).
 */
#include "engine_fixture.h"

#include "console.h"

#define FN(n) pcv_test_at(0, 0, 5, (n))
#define ABSENT 0xffffffffu
#define STUB_IDS 0xffff1b36u

static int conceal(struct guest *g, pcv_sbdf sbdf, uint32_t flags)
{
    return pcv_device_conceal(g->rig.host, sbdf, flags, NULL);
}

static int reveal(struct guest *g, pcv_sbdf sbdf, uint32_t flags)
{
    return pcv_device_reveal(g->rig.host, sbdf, flags, NULL);
}

static uint32_t ids(struct guest *g, pcv_sbdf sbdf)
{
    uint64_t value = ABSENT;

    (void)rig_try_read(&g->rig, sbdf, PCV_REG_VENDOR, 4, &value);
    return (uint32_t)value;
}

/* Who is there in the end, once somebody has looked (LIFE-12). */
static uint32_t ids_at_last(struct guest *g, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, PCV_REG_VENDOR, 4);

    if (pcv_access(g->rig.dom0, &access) == PCV_PENDING) {
        (void)rig_settle(&g->rig, &access);
    }
    return (uint32_t)access.data;
}

/* ---- one function ----------------------------------------------------------
 */

/* OWN-9, LIFE-2, LIFE-12 */
static void for_the_hardware_domain_it_is_not_there(void **state)
{
    struct pcv_device_info info;
    struct pcv_device *device;
    uint64_t data;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    rig_forget(&g.rig);
    assert_int_equal(rig_try_read(&g.rig, DEV, 0, 4, &data), PCV_ABSENT);
    assert_int_equal(rig_try_write(&g.rig, DEV, PCV_REG_COMMAND, 2, 0),
                     PCV_ABSENT);
    /* Nobody asks hardware who is there. */
    assert_int_equal(g.rig.logged, 0);
    assert_null(pcv_device_find_owned(g.rig.dom0, DEV));
    rig_info(&g.rig, DEV, &info);
    assert_true(info.concealed);
    assert_int_equal(info.owner_id, PCV_DOMAIN_ID_HYPERVISOR);
    device = pcv_device_find_owned(
        pcv_domain_find(g.rig.host, PCV_DOMAIN_ID_HYPERVISOR), DEV);
    assert_non_null(device);
    pcv_device_put(device);
    assert_int_equal(pcv_device_add(g.rig.host, DEV, NULL), 0);
    assert_int_equal(rig_try_read(&g.rig, DEV, 0, 4, &data), PCV_ABSENT);
    guest_close(&g);
}

/* OWN-9, OWN-8 */
static void its_memory_is_reserved_and_hardware_is_left_as_it_is(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    assert_false(rig_mapped(&g.rig, HIGH, 0x10000));
    assert_true(pcv_host_reserved(g.rig.host, false, LOW, 1));
    console_move(&g, 0, LOW);
    assert_false(rig_mapped(&g.rig, LOW, 0x4000));
    assert_int_equal(pcv_model_dma_domain(g.rig.model, DEV),
                     PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, PCV_REG_COMMAND, 2),
                     DECODES);
    console_check(&g);
    guest_close(&g);
}

/* OWN-9 */
static void revealed_it_is_there_with_what_hardware_has(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    rig_forget(&g.rig);
    assert_int_equal(reveal(&g, DEV, 0), 0);
    /* It was no guest's: it is not reset. */
    assert_int_equal(rig_events(&g.rig, PCV_EVENT_RESET), 0);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(ids(&g, DEV), 0x00021b36);
    assert_true(rig_mapped(&g.rig, HIGH, 0x10000));
    assert_true(rig_mapped(&g.rig, LOW, 0x4000));
    assert_false(pcv_host_reserved(g.rig.host, false, 0, UINT64_MAX));
    assert_false(pcv_host_reserved(g.rig.host, true, 0, UINT64_MAX));
    assert_int_equal(pcv_model_dma_domain(g.rig.model, DEV),
                     PCV_DOMAIN_ID_HARDWARE);
    rig_write(&g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, PCV_REG_COMMAND, 2), 0);
    console_check(&g);
    guest_close(&g);
}

/* OWN-9, PORT-3: either way a failure leaves it where it was. */
static void a_failure_at_any_call_changes_nothing(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_dma_attach};

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(ops) / sizeof(ops[0]); i++) {
        bool back = i % 2 != 0;
        uint64_t nth = 0;
        int error = -1;
        struct guest g;

        (void)console_open(&g);
        if (back) {
            assert_int_equal(conceal(&g, DEV, 0), 0);
        }
        while (error != 0) {
            assert_true(++nth < 400);
            pcv_model_fail(g.rig.model, ops[i / 2], nth);
            error = back ? reveal(&g, DEV, 0) : conceal(&g, DEV, 0);
            pcv_model_fail(g.rig.model, ops[i / 2], 0);
            if (error != 0) {
                assert_int_equal(ids(&g, DEV), back ? ABSENT : 0x00021b36);
                assert_int_equal(pcv_host_reserved(g.rig.host, false, LOW, 1),
                                 back);
                console_check(&g);
            }
        }
        assert_true(nth > 1);
        assert_int_equal(ids(&g, DEV), back ? 0x00021b36 : ABSENT);
        guest_close(&g);
    }
}

/* OWN-9, LIFE-9: what is pulled can be removed; what comes is new. */
static void pulled_and_removed_its_place_is_free(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    assert_int_equal(pcv_device_remove(g.rig.host, DEV, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_vanished(g.rig.host, DEV), 0);
    assert_int_equal(pcv_device_remove(g.rig.host, DEV, NULL, NULL), 0);
    assert_int_equal(ids_at_last(&g, DEV), 0x00021b36);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HARDWARE);
    guest_close(&g);
}

static int inside;

static void conceal_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    (void)access;
    rig->hook = NULL;
    inside = pcv_device_conceal(rig->host, DEV, 0, NULL);
}

/* OWN-9, LIFE-11 */
static void it_waits_for_accesses_and_can_be_given_up(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    g.rig.hook = conceal_inside;
    (void)rig_read(&g.rig, DEV, PCV_REG_VENDOR, 4);
    assert_int_equal(inside, -PCV_ERESTART);
    assert_int_equal(ids(&g, DEV), ABSENT);
    assert_int_equal(reveal(&g, DEV, 0), 0);
    assert_int_equal(ids(&g, DEV), 0x00021b36);
    g.rig.hook = conceal_inside;
    (void)rig_read(&g.rig, DEV, PCV_REG_VENDOR, 4);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    guest_close(&g);
}

/* OWN-5, OWN-9: out of quarantine it is reset first. */
static void one_in_quarantine_can_be_concealed(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(pcv_device_quarantine(g.rig.host, DEV, 0, NULL), 0);
    assert_int_equal(conceal(&g, DEV, 0), 0);
    assert_int_equal(ids(&g, DEV), ABSENT);
    assert_int_equal(pcv_model_dma_domain(g.rig.model, DEV),
                     PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(reveal(&g, DEV, 0), 0);
    assert_int_equal(ids(&g, DEV), 0x00021b36);
    guest_close(&g);
}

/* ---- function 0 ------------------------------------------------------------
 */

/* Functions 0, 2 and 3 of a device. */
static void open_three(struct guest *g)
{
    struct pcv_test_function f;

    guest_open(g);
    (void)console_add(g->rig.model);
    for (uint8_t fn = 0; fn < 4; fn++) {
        if (fn == 1) {
            continue;
        }
        pcv_test_pcie_endpoint(&f, fn == 0 ? 0x1b36 : 0x8086, fn);
        pcv_test_bar32(&f, 0, 0xe0200000u + fn * 0x1000u, 0x1000);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        pcv_test_add(g->rig.model, &f, FN(fn));
    }
    guest_boot(g);
    rig_forget(&g->rig);
}

/* OWN-9 */
static void a_stub_stands_in_for_a_concealed_function_0(void **state)
{
    struct guest g;

    (void)state;
    open_three(&g);
    assert_int_equal(conceal(&g, FN(0), 0), 0);
    for (uint16_t reg = 0; reg < PCV_CFG_SIZE; reg += 4) {
        uint32_t want = reg == PCV_REG_VENDOR     ? STUB_IDS
                        : reg == PCV_REG_REVISION ? 0xff000000u
                        : reg == 0x0c             ? 0x00800000u
                                                  : 0;

        assert_int_equal(rig_read(&g.rig, FN(0), reg, 4), want);
        assert_int_equal(rig_read(&g.rig, FN(0), (uint16_t)(reg + 2u), 1),
                         want >> 16 & 0xffu);
    }
    assert_int_equal(rig_read(&g.rig, FN(0), PCV_CFG_SIZE, 4), ABSENT);
    rig_write(&g.rig, FN(0), REG_BAR(0), 4, ABSENT);
    assert_int_equal(rig_read(&g.rig, FN(0), REG_BAR(0), 4), 0);
    assert_int_equal(ids(&g, FN(2)), 0x00028086);
    assert_int_equal(ids(&g, FN(1)), ABSENT);
    guest_close(&g);
}

/* OWN-9 */
static void where_no_function_is_seen_no_stub_is(void **state)
{
    struct guest g;

    (void)state;
    open_three(&g);
    assert_int_equal(conceal(&g, FN(2), 0), 0);
    assert_int_equal(conceal(&g, FN(3), 0), 0);
    assert_int_equal(ids(&g, FN(0)), 0x00001b36);
    assert_int_equal(conceal(&g, FN(0), 0), 0);
    assert_int_equal(ids(&g, FN(0)), ABSENT);
    assert_int_equal(reveal(&g, FN(3), 0), 0);
    assert_int_equal(ids(&g, FN(0)), STUB_IDS);
    assert_int_equal(reveal(&g, FN(0), 0), 0);
    assert_int_equal(ids(&g, FN(0)), 0x00001b36);
    guest_close(&g);
}

/* OWN-9, LIFE-12: nobody has looked for the others yet. */
static void others_are_found_that_were_not_registered(void **state)
{
    struct guest g;

    (void)state;
    open_three(&g);
    assert_int_equal(pcv_device_remove(g.rig.host, FN(2), NULL, NULL), 0);
    assert_int_equal(pcv_device_remove(g.rig.host, FN(3), NULL, NULL), 0);
    assert_int_equal(conceal(&g, FN(0), 0), 0);
    assert_int_equal(ids(&g, FN(0)), STUB_IDS);
    assert_int_equal(ids_at_last(&g, FN(2)), 0x00028086);
    guest_close(&g);
}

/* OWN-9, LIFE-9: the stub goes with the function that it stands in for. */
static void replaced_or_removed_it_leaves_no_stub(void **state)
{
    struct guest g;

    (void)state;
    open_three(&g);
    assert_int_equal(conceal(&g, FN(0), 0), 0);
    assert_int_equal(pcv_model_pull(g.rig.model, FN(0)), 0);
    assert_int_equal(pcv_device_vanished(g.rig.host, FN(0)), 0);
    assert_int_equal(ids(&g, FN(0)), STUB_IDS);
    assert_int_equal(pcv_device_remove(g.rig.host, FN(0), NULL, NULL), 0);
    assert_int_equal(ids(&g, FN(0)), ABSENT);
    assert_int_equal(pcv_model_plug(g.rig.model, FN(0)), 0);
    assert_int_equal(ids_at_last(&g, FN(0)), 0x00001b36);
    guest_close(&g);
}

/* OWN-9 */
static void a_slot_is_concealed_with_what_comes_there_later(void **state)
{
    struct guest g;

    (void)state;
    open_three(&g);
    assert_int_equal(pcv_device_remove(g.rig.host, FN(3), NULL, NULL), 0);
    assert_int_equal(conceal(&g, FN(0), PCV_SLOT), 0);
    rig_forget(&g.rig);
    for (uint8_t fn = 0; fn < 8; fn++) {
        assert_int_equal(ids(&g, FN(fn)), ABSENT);
    }
    assert_int_equal(g.rig.logged, 0);
    assert_int_equal(pcv_device_add(g.rig.host, FN(3), NULL), -PCV_EEXIST);
    assert_int_equal(pcv_device_add(g.rig.host, FN(4), NULL), -PCV_ENODEV);
    assert_int_equal(rig_events(&g.rig, PCV_EVENT_CONCEALED), 1);
    assert_int_equal(pcv_model_dma_domain(g.rig.model, FN(3)),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(reveal(&g, FN(2), 0), -PCV_EPERM);
    assert_int_equal(reveal(&g, FN(0), PCV_SLOT), 0);
    assert_int_equal(ids(&g, FN(0)), 0x00001b36);
    assert_int_equal(ids(&g, FN(2)), 0x00028086);
    assert_int_equal(ids_at_last(&g, FN(3)), 0x00038086);
    guest_close(&g);
}

/* OWN-13 */
static void a_slot_is_concealed_as_a_whole_or_not_at_all(void **state)
{
    pcv_sbdf busy = {0};
    struct guest g;

    (void)state;
    open_three(&g);
    (void)guest_give(&g, FN(2), NULL);
    assert_int_equal(pcv_device_conceal(g.rig.host, FN(0), PCV_SLOT, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, FN(2).v);
    assert_int_equal(ids(&g, FN(0)), 0x00001b36);
    assert_int_equal(ids(&g, FN(3)), 0x00038086);
    assert_int_equal(conceal(&g, FN(3), PCV_SLOT), -PCV_EINVAL);
    assert_int_equal(conceal(&g, FN(0), PCV_SLOT | PCV_SUBTREE), -PCV_EINVAL);
    assert_int_equal(conceal(&g, FN(0), PCV_SUBTREE), -PCV_EINVAL);
    guest_take(&g, FN(2));
    guest_close(&g);
}

/* ---- guests ----------------------------------------------------------------
 */

static pcv_sbdf give_at(struct guest *g, pcv_sbdf sbdf, uint8_t devfn)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_SLOT,
                                             .slot = devfn};

    return guest_give(g, sbdf, &policy);
}

static bool is_absent(struct guest *g, pcv_sbdf at)
{
    struct pcv_access access = PCV_READ(at, PCV_REG_VENDOR, 4);

    return pcv_access(g->domain, &access) == PCV_ABSENT;
}

/* VBUS-2, HDR-15 */
static void a_stub_fills_a_guests_missing_function_0(void **state)
{
    const pcv_sbdf zero = {pcv_devfn(4, 0)};
    const pcv_sbdf one = {pcv_devfn(4, 1)};
    struct guest g;

    (void)state;
    open_three(&g);
    (void)give_at(&g, FN(2), pcv_devfn(4, 1));
    assert_int_equal(guest_read(&g, zero, PCV_REG_VENDOR, 4), 0xffff8086);
    assert_int_equal(guest_read(&g, zero, PCV_REG_REVISION, 4), 0xff000000);
    assert_int_equal(guest_read(&g, zero, PCV_REG_HEADER_TYPE, 1), 0x80);
    guest_write(&g, zero, REG_BAR(0), 4, ABSENT);
    assert_int_equal(guest_read(&g, zero, REG_BAR(0), 4), 0);
    assert_int_equal(guest_read(&g, one, PCV_REG_HEADER_TYPE, 1), 0x80);
    /* Another slot has none, nor other functions of this one. */
    assert_true(is_absent(&g, (pcv_sbdf){pcv_devfn(5, 0)}));
    assert_true(is_absent(&g, (pcv_sbdf){pcv_devfn(4, 2)}));
    /* A real one takes its place, and gives it back. */
    (void)give_at(&g, FN(3), pcv_devfn(4, 0));
    assert_int_equal(guest_read(&g, zero, PCV_REG_VENDOR, 4), 0x00038086);
    guest_take(&g, FN(3));
    assert_int_equal(guest_read(&g, zero, PCV_REG_VENDOR, 4), 0xffff8086);
    guest_take(&g, FN(2));
    assert_true(is_absent(&g, zero));
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_the_hardware_domain_it_is_not_there),
        cmocka_unit_test(its_memory_is_reserved_and_hardware_is_left_as_it_is),
        cmocka_unit_test(revealed_it_is_there_with_what_hardware_has),
        cmocka_unit_test(a_failure_at_any_call_changes_nothing),
        cmocka_unit_test(pulled_and_removed_its_place_is_free),
        cmocka_unit_test(it_waits_for_accesses_and_can_be_given_up),
        cmocka_unit_test(one_in_quarantine_can_be_concealed),
        cmocka_unit_test(a_stub_stands_in_for_a_concealed_function_0),
        cmocka_unit_test(where_no_function_is_seen_no_stub_is),
        cmocka_unit_test(others_are_found_that_were_not_registered),
        cmocka_unit_test(replaced_or_removed_it_leaves_no_stub),
        cmocka_unit_test(a_slot_is_concealed_with_what_comes_there_later),
        cmocka_unit_test(a_slot_is_concealed_as_a_whole_or_not_at_all),
        cmocka_unit_test(a_stub_fills_a_guests_missing_function_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
