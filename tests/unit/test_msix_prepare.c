/* SPDX-License-Identifier: MIT */
/* MSI-X that is set aside for who gets a function next (CTL-1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"

#define ENABLE 0x8000u

static uint8_t msix;

static void start(struct owned *o, uint32_t table)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    msix = pcv_test_msix(&f, 4, 0, table, 0x2000);
    owned_bar(&f);
    owned_start(o, &f);
}

static uint32_t control(struct owned *o)
{
    return owned_read(o, (uint16_t)(msix + 2u), 2);
}

static void enable(struct owned *o, bool on)
{
    owned_write(o, (uint16_t)(msix + 2u), 2, on ? ENABLE : 0);
}

/* CTL-1 */
static void the_hardware_domain_leaves_it_alone_until_the_release(void **state)
{
    struct owned o;

    (void)state;
    start(&o, 0x1000);
    assert_int_equal(pcv_msix_release(o.h.host, OWNED_AT), -PCV_EBUSY);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), 0);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), -PCV_EBUSY);
    enable(&o, true);
    assert_int_equal(control(&o) & ENABLE, 0);
    assert_int_equal(owned_peek(&o, (uint16_t)(msix + 2u), 2) & ENABLE, 0);
    assert_int_equal(pcv_msix_release(o.h.host, OWNED_AT), 0);
    enable(&o, true);
    assert_int_equal(control(&o) & ENABLE, ENABLE);
    owned_end(&o);
}

/* CTL-1: the guest that it was set aside for uses it as ever. */
static void a_guest_uses_it_as_ever(void **state)
{
    struct owned o;

    (void)state;
    start(&o, 0x1000);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), 0);
    owned_give(&o, NULL);
    enable(&o, true);
    assert_int_equal(control(&o) & ENABLE, ENABLE);
    assert_int_equal(pcv_msix_release(o.h.host, OWNED_AT), -PCV_EBUSY);
    owned_take(&o);
    /* The mark outlives it. */
    enable(&o, true);
    assert_int_equal(control(&o) & ENABLE, 0);
    assert_int_equal(pcv_msix_release(o.h.host, OWNED_AT), 0);
    owned_end(&o);
}

/* CTL-1, LIFE-8 */
static void what_is_in_use_is_not_set_aside(void **state)
{
    struct pcv_vector vector = {.next = NULL};
    struct pcv_device *device;
    struct owned o;

    (void)state;
    start(&o, 0x1000);
    enable(&o, true);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), -PCV_EBUSY);
    enable(&o, false);
    device = hosted_hold(&o.h, OWNED_AT);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 2), 0);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), -PCV_EBUSY);
    pcv_vector_detach(&vector);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), 0);
    pcv_vector_detach(&vector);
    pcv_device_put(device);
    owned_end(&o);
}

/* CTL-1, MSIX-3 */
static void there_must_be_one_that_can_be_mediated(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    start(&o, 0x10000); /* outside its BAR */
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), -PCV_ENODEV);
    assert_int_equal(pcv_msix_prepare(o.h.host, TREE_NOTHING), -PCV_ENODEV);
    assert_int_equal(pcv_msix_prepare(NULL, OWNED_AT), -PCV_EINVAL);
    owned_end(&o);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    owned_bar(&f);
    owned_start(&o, &f);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), -PCV_ENODEV);
    owned_end(&o);
}

/* CTL-1: also of what nobody has. */
static void it_can_be_set_aside_in_quarantine(void **state)
{
    struct owned o;

    (void)state;
    start(&o, 0x1000);
    owned_give(&o, NULL);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(owned_change(&o, false, NULL), -PCV_EIO);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_change(&o, false, NULL), 0);
    enable(&o, true);
    assert_int_equal(control(&o) & ENABLE, 0);
    owned_end(&o);
}

/* CTL-1, PORT-3, SRIOV-3 */
static void a_write_that_fails_is_tried_again(void **state)
{
    struct owned o;

    (void)state;
    start(&o, 0x1000);
    for (uint64_t n = 1; n < 3; n++) {
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_write, n);
        assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), 0);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_write, 0);
        assert_int_equal(pcv_msix_release(o.h.host, OWNED_AT), 0);
    }
    owned_give(&o, NULL);
    owned_write(&o, (uint16_t)(0x40 + PCV_PCIE_DEVCTL), 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), -PCV_ERESTART);
    owned_settles(&o, 100000);
    assert_int_equal(pcv_msix_prepare(o.h.host, OWNED_AT), 0);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hardware_domain_leaves_it_alone_until_the_release),
        cmocka_unit_test(a_guest_uses_it_as_ever),
        cmocka_unit_test(what_is_in_use_is_not_set_aside),
        cmocka_unit_test(there_must_be_one_that_can_be_mediated),
        cmocka_unit_test(it_can_be_set_aside_in_quarantine),
        cmocka_unit_test(a_write_that_fails_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
