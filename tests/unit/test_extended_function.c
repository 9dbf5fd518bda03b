/* SPDX-License-Identifier: MIT */
/*
 * Functions that are said to be extended ones: above 7, behind a port that
 * forwards to all 8 bits of a number. Most tests have no extended space, where
 * the library could read that by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "pcivisor/ctl.h"
#include "pcivisor/requester.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define PORT pcv_test_at(0, 0, 1, 0)
#define FIRST pcv_sbdf_make(0, 1, 0)
#define LOW pcv_sbdf_make(0, 1, 7)
#define EXTENDED pcv_sbdf_make(0, 1, 8)
#define NEXT pcv_sbdf_make(0, 1, 9)

/* What a test's machine is like. */
struct kind {
    bool forwards, ecam;
    bool ari_first, ari_extended; /* with the capability */
    bool phantom;                 /* function 8 has one of them, switched on */
};

static void card_add(struct hosted *h, uint8_t number, bool ari, bool phantom)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x1234);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCAP, 4,
                 (phantom ? 1u : 0u) << PCV_PCIE_DEVCAP_PHANTOM_SHIFT);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCTL, 2,
                 phantom ? PCV_PCIE_DEVCTL_PHANTOM : 0);
    if (ari) {
        (void)pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
    } else {
        (void)pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_AER, 1, 0x48);
    }
    pcv_test_add(h->model, &f, pcv_sbdf_make(0, 1, number));
}

static void machine_start(struct hosted *h, const struct kind *kind)
{
    struct pcv_test_function f;

    hosted_build(h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCTL2, 2,
                 kind->forwards ? PCV_PCIE_DEVCTL2_ARI : 0);
    pcv_test_add(h->model, &f, PORT);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x1234);
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 2, 0));
    card_add(h, 0, kind->ari_first, false);
    card_add(h, 7, true, false);
    card_add(h, 8, kind->ari_extended, kind->phantom);
    card_add(h, 9, true, false);
    if (!kind->ecam) {
        h->ops.ecam_usable = NULL;
    }
    hosted_start(h);
    assert_int_equal(pcv_device_add(h->host, PORT, NULL), 0);
}

static const struct kind blind = {.forwards = true};

static int add(struct hosted *h, pcv_sbdf sbdf, uint32_t flags)
{
    struct pcv_ctl_request request;
    struct pcv_ctl_reply reply = {0};

    memset(&request, 0, sizeof(request));
    request.op = PCV_CTL_ADD;
    request.sbdf = sbdf;
    request.u.add.flags = flags;
    request.u.add.physfn = FIRST;
    return pcv_ctl(h->host, &request, &reply);
}

static void hosted_write(struct hosted *h, pcv_sbdf sbdf, uint16_t reg,
                         uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);

    assert_int_equal(pcv_access(pcv_host_hardware_domain(h->host), &access),
                     PCV_DONE);
}

static uint32_t ids_of(struct hosted *h, pcv_sbdf sbdf)
{
    struct pcv_requester requester;
    uint32_t count = 0;

    while (pcv_device_requester(h->host, sbdf, count, &requester) == 0) {
        count++;
    }
    return count;
}

/* CTL-1 TOPO-5 */
static void an_extended_function_has_no_phantom_functions(void **state)
{
    static const struct kind kind = {.forwards = true, .phantom = true};
    struct hosted h;

    (void)state;
    machine_start(&h, &kind);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(add(&h, EXTENDED, PCV_ADD_EXTENDED_FUNCTION), 0);
    assert_int_equal(ids_of(&h, EXTENDED), 1);
    assert_int_equal(pcv_device_set_phantom(h.host, EXTENDED, 4), -PCV_EINVAL);
    /* The hardware domain cannot switch them on, either. */
    hosted_write(&h, EXTENDED, 0x40 + PCV_PCIE_DEVCTL, 2,
                 PCV_PCIE_DEVCTL_PHANTOM);
    assert_int_equal(ids_of(&h, EXTENDED), 1);
    hosted_end(&h);
    /* Who does not say so has them. */
    machine_start(&h, &kind);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(add(&h, EXTENDED, 0), 0);
    assert_int_equal(ids_of(&h, EXTENDED), 2);
    hosted_end(&h);
}

/* CTL-1 LIFE-12 */
static void others_of_its_device_may_be_found(void **state)
{
    struct hosted h;

    (void)state;
    machine_start(&h, &blind);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(hosted_read(&h, NEXT, PCV_REG_VENDOR, 2), 0xffff);
    assert_int_equal(add(&h, EXTENDED, PCV_ADD_EXTENDED_FUNCTION), 0);
    assert_int_equal(hosted_read(&h, NEXT, PCV_REG_VENDOR, 2), 0x8086);
    assert_true(hosted_found(&h, NEXT));
    hosted_end(&h);
}

/* CTL-1 LIFE-7 */
static void an_extended_function_needs_its_function_0(void **state)
{
    struct hosted h;

    (void)state;
    machine_start(&h, &blind);
    assert_int_equal(add(&h, EXTENDED, PCV_ADD_EXTENDED_FUNCTION), -PCV_ENODEV);
    assert_int_equal(hosted_state(&h, EXTENDED), PCV_STATE_ABSENT);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(pcv_device_vanished(h.host, FIRST), 0);
    assert_int_equal(add(&h, EXTENDED, PCV_ADD_EXTENDED_FUNCTION), -PCV_ENODEV);
    assert_int_equal(hosted_state(&h, EXTENDED), PCV_STATE_ABSENT);
    hosted_end(&h);
}

/* CTL-1 LIFE-7 */
static void a_claim_that_cannot_be_true_is_refused(void **state)
{
    static const struct {
        const char *what;
        struct kind kind;
        uint32_t at, flags;
    } rows[] = {
        {"function 7", {.forwards = true}, 0x107, 0},
        {"function 0", {.forwards = true}, 0x100, 0},
        {"a VF", {.forwards = true}, 0x108, PCV_ADD_IS_VF},
        {"a flag that there is not", {.forwards = true}, 0x108, 8},
        {"behind no port", {.forwards = true}, 0x010, 0},
        {"behind a port that forwards to no such number", {0}, 0x108, 0},
        {"function 0 has no ARI",
         {.forwards = true, .ecam = true, .ari_extended = true},
         0x108,
         0},
        {"it has no ARI itself",
         {.forwards = true, .ecam = true, .ari_first = true},
         0x108,
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const pcv_sbdf at = {rows[i].at};
        struct hosted h;

        machine_start(&h, &rows[i].kind);
        if (at.v != FIRST.v) {
            assert_int_equal(add(&h, FIRST, 0), 0);
        }
        if (add(&h, at, PCV_ADD_EXTENDED_FUNCTION | rows[i].flags) !=
            -PCV_EINVAL) {
            fail_msg("%s", rows[i].what);
        }
        assert_int_equal(hosted_state(&h, at), PCV_STATE_ABSENT);
        hosted_end(&h);
    }
}

/* CTL-1 EXT-1 */
static void where_it_can_be_read_the_claim_is_checked_and_true(void **state)
{
    static const struct kind kind = {.forwards = true,
                                     .ecam = true,
                                     .ari_first = true,
                                     .ari_extended = true};
    struct hosted h;

    (void)state;
    machine_start(&h, &kind);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(add(&h, EXTENDED, PCV_ADD_EXTENDED_FUNCTION), 0);
    assert_int_equal(ids_of(&h, EXTENDED), 1);
    hosted_end(&h);
}

/* CTL-1 LIFE-7: as with the rest of what an add says. */
static void it_may_be_said_of_a_function_that_is_registered(void **state)
{
    static const struct kind phantom = {.forwards = true, .phantom = true};
    struct hosted h;

    (void)state;
    machine_start(&h, &blind);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(add(&h, NEXT, 0), 0);
    assert_int_equal(pcv_device_set_phantom(h.host, NEXT, 4), 0);
    hosted_end(&h);
    machine_start(&h, &blind);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(add(&h, NEXT, 0), 0);
    assert_int_equal(add(&h, NEXT, PCV_ADD_EXTENDED_FUNCTION), 0);
    assert_int_equal(pcv_device_set_phantom(h.host, NEXT, 4), -PCV_EINVAL);
    hosted_end(&h);
    /* Not where it contradicts what it does. */
    machine_start(&h, &phantom);
    assert_int_equal(add(&h, FIRST, 0), 0);
    assert_int_equal(add(&h, EXTENDED, 0), 0);
    assert_int_equal(add(&h, EXTENDED, PCV_ADD_EXTENDED_FUNCTION), -PCV_EINVAL);
    assert_int_equal(ids_of(&h, EXTENDED), 2);
    assert_int_equal(hosted_state(&h, EXTENDED), PCV_STATE_PRESENT);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_extended_function_has_no_phantom_functions),
        cmocka_unit_test(others_of_its_device_may_be_found),
        cmocka_unit_test(an_extended_function_needs_its_function_0),
        cmocka_unit_test(a_claim_that_cannot_be_true_is_refused),
        cmocka_unit_test(where_it_can_be_read_the_claim_is_checked_and_true),
        cmocka_unit_test(it_may_be_said_of_a_function_that_is_registered),
    };

    return cmocka_run_group_tests_name("extended_function", tests, NULL, NULL);
}
