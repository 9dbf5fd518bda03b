/* SPDX-License-Identifier: MIT */
/* Requester IDs: which a function has, and whose memory each reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "joined.h"
#include "pcivisor/requester.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DOM0 PCV_DOMAIN_ID_HARDWARE
#define ALIAS JOINED_AT_ALIAS

/* ---- which a function has --------------------------------------------------
 */

struct expected {
    uint32_t id;
    enum pcv_requester_kind kind;
    uint32_t by;
    bool shared;
};

static void assert_ids(struct joined *j, pcv_sbdf at,
                       const struct expected *expected, uint32_t count)
{
    struct pcv_requester r;

    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(pcv_device_requester(j->h.host, at, i, &r), 0);
        assert_int_equal(r.id.v, expected[i].id);
        assert_int_equal(r.kind, expected[i].kind);
        assert_int_equal(r.by.v, expected[i].by);
        assert_int_equal(r.shared, expected[i].shared);
        assert_int_equal(r.domain_id, joined_id(j, r.id));
    }
    r.id.v = 0x1234;
    assert_int_equal(pcv_device_requester(j->h.host, at, count, &r),
                     -PCV_ENOENT);
    assert_int_equal(r.id.v, 0x1234);
}

/* TOPO-5 */
static void a_bridge_from_pcie_sends_as_device_0_behind_it_and_as_itself(
    void **state)
{
    static const struct expected second[] = {
        {0x208, PCV_REQUESTER_OWN, 0x208, false},
        {0x200, PCV_REQUESTER_ALIAS, 0x100, true},
        {0x100, PCV_REQUESTER_BRIDGE, 0x100, true},
    };
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_ids(&j, JOINED_SECOND, second, COUNT(second));
    hosted_end(&j.h);
}

/* TOPO-5 */
static void a_conventional_bridge_sends_as_itself(void **state)
{
    static const struct expected old[] = {
        {0x708, PCV_REQUESTER_OWN, 0x708, false},
        {0x010, PCV_REQUESTER_BRIDGE, 0x010, false},
    };
    static const struct expected deep[] = {
        {0x320, PCV_REQUESTER_OWN, 0x320, false},
        {0x210, PCV_REQUESTER_BRIDGE, 0x210, false},
        {0x200, PCV_REQUESTER_ALIAS, 0x100, true},
        {0x100, PCV_REQUESTER_BRIDGE, 0x100, true},
    };
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_ids(&j, JOINED_OLD, old, COUNT(old));
    assert_ids(&j, JOINED_DEEP, deep, COUNT(deep));
    hosted_end(&j.h);
}

/* A bridge the other way round: all above it is one conventional bus, on which
 * nobody has a requester ID. TOPO-5 */
static void a_bridge_to_pcie_sends_as_itself(void **state)
{
    static const struct expected card[] = {
        {0x200, PCV_REQUESTER_OWN, 0x200, false},
        {0x008, PCV_REQUESTER_BRIDGE, 0x008, false},
    };
    struct pcv_test_function f;
    struct joined j;

    (void)state;
    memset(&j, 0, sizeof(j));
    hosted_build(&j.h);
    pcv_test_port(&f, PCV_PCIE_TYPE_FROM_PCI, 0, 1, 2);
    pcv_test_add(j.h.model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_DOWNSTREAM, 1, 2, 2);
    pcv_test_add(j.h.model, &f, pcv_test_at(0, 1, 0, 0));
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(j.h.model, &f, pcv_test_at(0, 2, 0, 0));
    hosted_start(&j.h);
    joined_block_all(&j);
    assert_int_equal(hosted_scan(&j.h), 3);
    assert_ids(&j, pcv_test_at(0, 2, 0, 0), card, COUNT(card));
    assert_int_equal(joined_dma(&j, pcv_test_at(0, 2, 0, 0)), DOM0);
    hosted_end(&j.h);
}

/* TOPO-5 */
static void ports_of_pcie_leave_a_requester_id_as_it_is(void **state)
{
    static const struct expected leaf[] = {
        {0x300, PCV_REQUESTER_OWN, 0x300, false},
    };
    struct joined j;

    (void)state;
    memset(&j, 0, sizeof(j));
    tree_start(&j.h);
    assert_ids(&j, TREE_LEAF, leaf, COUNT(leaf));
    hosted_end(&j.h);
}

/* TOPO-5 */
static void who_has_no_address_has_no_requester_id(void **state)
{
    struct pcv_requester r;
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_device_requester(j.h.host, TREE_NOTHING, 0, &r),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_requester(NULL, JOINED_OLD, 0, &r),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_requester(j.h.host, JOINED_OLD, 0, NULL),
                     -PCV_EINVAL);
    assert_int_equal(
        pcv_bridge_report_buses(j.h.host, JOINED_OLD_BRIDGE, 0, 0, 0),
        -PCV_EINVAL);
    pcv_model_poke(j.h.model, JOINED_OLD_BRIDGE, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(
        pcv_bridge_report_buses(j.h.host, JOINED_OLD_BRIDGE, 0, 0, 0), 0);
    assert_int_equal(pcv_device_requester(j.h.host, JOINED_OLD, 0, &r),
                     -PCV_ENODEV);
    assert_string_equal(pcv_requester_kind_name(PCV_REQUESTER_ALIAS), "alias");
    assert_string_equal(pcv_requester_kind_name(PCV_REQUESTER_KINDS),
                        "unknown");
    hosted_end(&j.h);
}

/* TOPO-5 */
static void who_sends_under_an_id_can_be_asked(void **state)
{
    static const uint32_t users[] = {0x200, 0x208, 0x320};
    pcv_sbdf from = {0};
    pcv_sbdf found;
    struct joined j;

    (void)state;
    joined_start(&j);
    for (size_t i = 0; i < COUNT(users); i++) {
        assert_true(pcv_requester_next_user(j.h.host, ALIAS, from, &found));
        assert_int_equal(found.v, users[i]);
        from.v = found.v + 1u;
    }
    assert_false(pcv_requester_next_user(j.h.host, ALIAS, from, &found));
    assert_false(pcv_requester_next_user(j.h.host, JOINED_ROOT_PORT,
                                         (pcv_sbdf){0}, &found));
    assert_false(pcv_requester_next_user(j.h.host, pcv_test_at(9, 0, 0, 0),
                                         (pcv_sbdf){0}, &found));
    hosted_end(&j.h);
}

/* ---- phantom functions -----------------------------------------------------
 */

/* A function at 00:05.`fn`. */
static void phantom_build(struct joined *j, uint8_t fn, uint8_t supported,
                          bool on, bool ari)
{
    struct pcv_test_function f;

    joined_build(j);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCAP, 4,
                 (uint32_t)supported << PCV_PCIE_DEVCAP_PHANTOM_SHIFT |
                     PCV_PCIE_DEVCAP_FLR);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCTL, 2,
                 on ? PCV_PCIE_DEVCTL_PHANTOM : 0);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    if (ari) {
        (void)pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
    }
    pcv_test_add(j->h.model, &f, pcv_test_at(0, 0, 5, fn));
}

static uint8_t ids_of(struct joined *j, pcv_sbdf at)
{
    struct pcv_requester r;
    uint8_t seen = 0;

    for (uint32_t i = 0; pcv_device_requester(j->h.host, at, i, &r) == 0; i++) {
        assert_int_equal(r.id.v & ~7u, at.v & ~7u);
        assert_int_equal(r.kind,
                         i == 0 ? PCV_REQUESTER_OWN : PCV_REQUESTER_PHANTOM);
        assert_int_equal(r.domain_id, joined_id(j, r.id));
        seen |= (uint8_t)(1u << pcv_sbdf_function(r.id));
    }
    return seen;
}

/* TOPO-5 */
static void phantom_functions_have_the_stride_that_the_capability_says(
    void **state)
{
    static const struct {
        uint8_t fn, supported, ids;
        bool on, ari;
    } rows[] = {
        {0, 0, 0x01, true, false},
        {0, 1, 0x11, true, false},
        {3, 1, 0x88, true, false},
        {0, 2, 0x55, true, false},
        {1, 2, 0xaa, true, false},
        {0, 3, 0xff, true, false},
        /* No number is left for others. */
        {5, 1, 0x20, true, false},
        {3, 2, 0x08, true, false},
        {0, 3, 0x01, true, true}, /* never with ARI */
        /* Whoever drives it may switch them on at any time. */
        {0, 2, 0x55, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        pcv_sbdf at = pcv_test_at(0, 0, 5, rows[i].fn);
        struct joined j;

        phantom_build(&j, rows[i].fn, rows[i].supported, rows[i].on,
                      rows[i].ari);
        hosted_start(&j.h);
        joined_block_all(&j);
        assert_int_equal(pcv_device_add(j.h.host, at, NULL), 0);
        assert_int_equal(ids_of(&j, at), rows[i].ids);
        for (uint8_t fn = 0; fn < 8; fn++) {
            pcv_sbdf id = pcv_test_at(0, 0, 5, fn);

            assert_int_equal(pcv_model_send_as(j.h.model, at, &id), 0);
            assert_int_equal(joined_dma(&j, at), (rows[i].ids >> fn & 1) != 0
                                                     ? DOM0
                                                     : JOINED_NOBODY);
        }
        hosted_end(&j.h);
    }
}

/* TOPO-5 LIFE-2 */
static void a_function_at_a_phantoms_number_has_it(void **state)
{
    struct pcv_test_function f;
    struct joined j;
    pcv_sbdf found;

    (void)state;
    phantom_build(&j, 0, 1, true, false);
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_add(j.h.model, &f, pcv_test_at(0, 0, 5, 4));
    joined_boot(&j);
    assert_int_equal(pcv_device_add(j.h.host, pcv_test_at(0, 0, 5, 4), NULL),
                     0);
    assert_int_equal(ids_of(&j, pcv_test_at(0, 0, 5, 0)), 0x01);
    assert_true(pcv_requester_next_user(j.h.host, pcv_test_at(0, 0, 5, 4),
                                        (pcv_sbdf){0}, &found));
    assert_int_equal(found.v, pcv_test_at(0, 0, 5, 4).v);
    hosted_end(&j.h);
}

/* TOPO-5 */
static void phantom_functions_are_off_for_guests(void **state)
{
    const pcv_sbdf at = pcv_test_at(0, 0, 5, 0);
    const pcv_sbdf phantom = pcv_test_at(0, 0, 5, 4);
    struct joined j;

    (void)state;
    phantom_build(&j, 0, 1, true, false);
    joined_boot(&j);
    assert_int_equal(joined_id(&j, phantom), DOM0);
    assert_int_equal(joined_give(&j, at, 0), 0);
    assert_int_equal(pcv_model_peek(j.h.model, at, 0x40 + PCV_PCIE_DEVCTL, 2) &
                         PCV_PCIE_DEVCTL_PHANTOM,
                     0);
    assert_int_equal(joined_id(&j, at), 7);
    assert_int_equal(joined_id(&j, phantom), JOINED_NOBODY);
    assert_int_equal(ids_of(&j, at), 0x11);
    assert_int_equal(joined_home(&j, at), 0);
    assert_int_equal(joined_id(&j, phantom), DOM0);
    hosted_end(&j.h);
}

/* LIFE-2 TOPO-5 */
static void phantom_functions_that_are_switched_on_later_are_known(void **state)
{
    const pcv_sbdf at = pcv_test_at(0, 0, 5, 0);
    const pcv_sbdf phantom = pcv_test_at(0, 0, 5, 4);
    static const uint16_t values[] = {PCV_PCIE_DEVCTL_PHANTOM, 0};
    struct joined j;

    (void)state;
    phantom_build(&j, 0, 1, false, false);
    joined_boot(&j);
    for (size_t i = 0; i < COUNT(values); i++) {
        struct pcv_access access =
            PCV_WRITE(at, 0x40 + PCV_PCIE_DEVCTL, 2, values[i]);
        struct pcv_device *device;

        assert_int_equal(
            pcv_access(pcv_host_hardware_domain(j.h.host), &access), PCV_DONE);
        device = pcv_device_find_real(j.h.host, phantom);
        assert_int_equal(device != NULL, values[i] != 0);
        pcv_device_put(device);
        assert_int_equal(joined_id(&j, phantom), DOM0);
    }
    hosted_end(&j.h);
}

/* TOPO-5 */
static void a_quirk_may_say_that_a_function_uses_phantom_functions(void **state)
{
    static const struct {
        uint8_t stride, ids;
    } rows[] = {{4, 0x11}, {2, 0x55}, {1, 0xff}};
    const pcv_sbdf at = JOINED_ALONE;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct joined j;

        joined_start(&j);
        assert_int_equal(pcv_device_set_phantom(j.h.host, at, rows[i].stride),
                         0);
        assert_int_equal(ids_of(&j, at), rows[i].ids);
        assert_int_equal(joined_id(&j, pcv_test_at(0, 0, 3, 4)), DOM0);
        /* Nobody can switch these off. */
        assert_int_equal(joined_give(&j, at, 0), 0);
        assert_int_equal(joined_id(&j, pcv_test_at(0, 0, 3, 4)), 7);
        assert_int_equal(pcv_device_set_phantom(j.h.host, at, 4), -PCV_EBUSY);
        hosted_end(&j.h);
    }
}

/* TOPO-5 PORT-3 */
static void a_quirk_of_phantom_functions_that_cannot_be_is_refused(void **state)
{
    struct joined j;

    (void)state;
    phantom_build(&j, 0, 0, false, true); /* ARI */
    joined_boot(&j);
    assert_int_equal(pcv_device_set_phantom(NULL, JOINED_ALONE, 4),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_set_phantom(j.h.host, JOINED_ALONE, 0),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_set_phantom(j.h.host, JOINED_ALONE, 3),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_set_phantom(j.h.host, JOINED_ALONE, 8),
                     -PCV_EINVAL);
    assert_int_equal(
        pcv_device_set_phantom(j.h.host, pcv_test_at(0, 0, 5, 0), 4),
        -PCV_EINVAL);
    assert_int_equal(pcv_device_set_phantom(j.h.host, TREE_NOTHING, 4),
                     -PCV_ENODEV);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, nth);
        assert_int_equal(pcv_device_set_phantom(j.h.host, JOINED_ALONE, 4),
                         -PCV_EIO);
        assert_int_equal(ids_of(&j, JOINED_ALONE), 0x01);
        assert_int_equal(joined_id(&j, JOINED_ALONE), DOM0);
        assert_int_equal(joined_id(&j, pcv_test_at(0, 0, 3, 4)), JOINED_NOBODY);
    }
    hosted_end(&j.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_bridge_from_pcie_sends_as_device_0_behind_it_and_as_itself),
        cmocka_unit_test(a_conventional_bridge_sends_as_itself),
        cmocka_unit_test(a_bridge_to_pcie_sends_as_itself),
        cmocka_unit_test(ports_of_pcie_leave_a_requester_id_as_it_is),
        cmocka_unit_test(who_has_no_address_has_no_requester_id),
        cmocka_unit_test(who_sends_under_an_id_can_be_asked),
        cmocka_unit_test(
            phantom_functions_have_the_stride_that_the_capability_says),
        cmocka_unit_test(a_function_at_a_phantoms_number_has_it),
        cmocka_unit_test(phantom_functions_are_off_for_guests),
        cmocka_unit_test(
            phantom_functions_that_are_switched_on_later_are_known),
        cmocka_unit_test(
            a_quirk_may_say_that_a_function_uses_phantom_functions),
        cmocka_unit_test(
            a_quirk_of_phantom_functions_that_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
