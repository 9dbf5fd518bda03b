/* SPDX-License-Identifier: MIT */
/* Access Control Services are the hypervisor's to switch (TOPO-6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"

#define OURS 0x001du   /* source validation, redirects, upstream forwarding */
#define THEIRS 0x0002u /* translation blocking */

static uint16_t cap; /* where the capability stands */
static uint16_t control;

static void make(struct pcv_test_function *f, uint16_t has, uint16_t is)
{
    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    cap = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ACS, 1, 8);
    control = (uint16_t)(cap + PCV_ACS_CTRL);
    pcv_test_set(f, (uint16_t)(cap + PCV_ACS_CAP), 2, has);
    pcv_test_set(f, control, 2, is);
}

/* TOPO-6, CFG-3: what isolates is on in hardware from the first, and the
 * hardware domain's switches for it are virtual; the others are hardware's. */
static void isolation_is_on_whatever_the_hardware_domain_writes(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, OURS | THEIRS, 0);
    owned_start(&o, &f);
    assert_int_equal(owned_peek(&o, control, 2), OURS);
    assert_int_equal(owned_read(&o, control, 2), 0);
    owned_write(&o, control, 2, 0x0004 | THEIRS);
    assert_int_equal(owned_read(&o, control, 2), 0x0004 | THEIRS);
    assert_int_equal(owned_peek(&o, control, 2), OURS | THEIRS);
    owned_write(&o, control, 2, 0);
    assert_int_equal(owned_read(&o, control, 2), 0);
    assert_int_equal(owned_peek(&o, control, 2), OURS);
    owned_end(&o);
}

/* TOPO-6: what a function does not have is not asked of it, and what was on
 * reads so. */
static void only_services_that_it_has_are_switched_on(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, 0x0005, 0x0001);
    owned_start(&o, &f);
    assert_int_equal(owned_peek(&o, control, 2), 0x0005);
    assert_int_equal(owned_read(&o, control, 2), 0x0001);
    owned_end(&o);
}

/* TOPO-6, MSI-3: a function that lost its state has them again. */
static void a_restored_function_isolates_again(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, OURS, 0);
    owned_start(&o, &f);
    pcv_model_poke(o.h.model, OWNED_AT, control, 2, 0);
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_peek(&o, control, 2), OURS);
    owned_give(&o, NULL);
    assert_int_equal(owned_peek(&o, control, 2), OURS);
    assert_int_equal(owned_read(&o, control, 2), 0); /* CAP-7: hidden */
    owned_take(&o);
    assert_int_equal(owned_peek(&o, control, 2), OURS);
    owned_end(&o);
}

/* TOPO-6, PORT-3: what the host cannot read is not known to isolate; then the
 * hardware domain cannot switch anything there (CAP-3). */
static void a_host_that_fails_leaves_a_capability_that_is_read_only(
    void **state)
{
    struct pcv_test_function f;
    struct owned o;
    uint32_t reads;

    (void)state;
    make(&f, OURS, 0);
    owned_start(&o, &f);
    reads = (uint32_t)owned_touched(&o, control, false);
    assert_int_equal(reads, 1);
    for (uint32_t n = 1; n < 400; n++) {
        assert_int_equal(pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL), 0);
        o.events[PCV_EVENT_CAP_HIDDEN] = 0;
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, n);
        (void)!pcv_device_add(o.h.host, OWNED_AT, NULL);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
        if (hosted_state(&o.h, OWNED_AT) != PCV_STATE_PRESENT) {
            assert_int_equal(pcv_device_add(o.h.host, OWNED_AT, NULL), 0);
        }
        if (o.events[PCV_EVENT_CAP_HIDDEN] != 0 &&
            o.args[PCV_EVENT_CAP_HIDDEN] == (0x10000u | PCV_EXT_CAP_ID_ACS)) {
            pcv_model_poke(o.h.model, OWNED_AT, control, 2, OURS);
            owned_write(&o, control, 2, 0);
            assert_int_equal(owned_peek(&o, control, 2), OURS);
            owned_end(&o);
            return;
        }
    }
    fail();
}

/* TOPO-6, CAP-1: a list that ends too late for the registers to be there. */
static void a_capability_without_room_has_no_registers(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, OURS, 0);
    pcv_test_set(&f, cap, 4, PCV_EXT_CAP_ID_DSN | 1u << 16 | 0xffcu << 20);
    pcv_test_set(&f, 0xffc, 4, PCV_EXT_CAP_ID_ACS | 1u << 16);
    owned_start(&o, &f);
    assert_int_equal(owned_peek(&o, control, 2), 0);
    for (size_t i = 0; i < o.logged; i++) {
        assert_true(o.log[i].reg <= PCV_CFG_EXT_SIZE - o.log[i].size);
    }
    owned_end(&o);
}

/* TOPO-6: a host without an IOMMU sees to isolation by itself. */
static void without_an_iommu_it_is_hardware(void **state)
{
    struct pcv_test_function f;
    struct hosted h;
    struct pcv_access write;

    (void)state;
    make(&f, OURS, 0);
    hosted_build(&h);
    h.ops.dma_attach = NULL;
    pcv_test_add(h.model, &f, OWNED_AT);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    assert_int_equal(pcv_model_peek(h.model, OWNED_AT, control, 2), 0);
    write = PCV_WRITE(OWNED_AT, control, 2, 0x0004);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &write),
                     PCV_DONE);
    assert_int_equal(pcv_model_peek(h.model, OWNED_AT, control, 2), 0x0004);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isolation_is_on_whatever_the_hardware_domain_writes),
        cmocka_unit_test(only_services_that_it_has_are_switched_on),
        cmocka_unit_test(a_restored_function_isolates_again),
        cmocka_unit_test(
            a_host_that_fails_leaves_a_capability_that_is_read_only),
        cmocka_unit_test(a_capability_without_room_has_no_registers),
        cmocka_unit_test(without_an_iommu_it_is_hardware),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
