/* SPDX-License-Identifier: MIT */
/*
 * Changes of owner that are refused, or end half-way because of what is beside
 * them: policies that make no sense, hosts that lack something, devices that
 * are pulled, held, or on their way to somebody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GUEST 7u
#define OTHER 8u
#define CARD PCV_TEST_ALONE
#define ROM_SIZE_MAX (16u << 20)

struct offer {
    struct hosted h;
    struct pcv_domain *guest;
};

/* What happens in the middle of a change: DMA is moved without a lock. */
static struct {
    void (*fn)(struct offer *o);
    struct offer *o;
    uint32_t domain_id; /* when DMA goes there */
    int error;
    pcv_sbdf busy;
} beside;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    void (*fn)(struct offer * o) = beside.fn;

    if (fn && domain_id == beside.domain_id) {
        beside.fn = NULL;
        fn(beside.o);
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

static void offer_build(struct offer *o)
{
    struct pcv_test_function f;

    memset(o, 0, sizeof(*o));
    memset(&beside, 0, sizeof(beside));
    beside.o = o;
    hosted_build(&o->h);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar64(&f, 0, 0xfe000000, 16384);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(o->h.model, &f, CARD);
    o->h.ops.dma_attach = attach;
}

static void offer_boot(struct offer *o)
{
    hosted_start(&o->h);
    (void)hosted_scan(&o->h);
    assert_int_equal(pcv_domain_create(o->h.host, GUEST, &o->guest), 0);
}

static void offer_start(struct offer *o)
{
    offer_build(o);
    offer_boot(o);
}

static int once(struct offer *o, const struct pcv_assign_policy *policy)
{
    return pcv_device_assign(o->h.host, CARD, o->guest, policy, NULL);
}

static int give(struct offer *o, const struct pcv_assign_policy *policy)
{
    int error = -PCV_ERESTART;

    for (unsigned i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = once(o, policy);
    }
    return error;
}

static int take_back(struct offer *o)
{
    int error = -PCV_ERESTART;

    for (unsigned i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(o->h.host, CARD);
    }
    return error;
}

static uint32_t owner_of(struct offer *o)
{
    return hosted_status(&o->h, CARD).owner_id;
}

/* ---- what is asked --------------------------------------------------------
 */

/* OWN-4, CAP-6 */
static void a_policy_that_makes_no_sense_is_refused(void **state)
{
    static const uint8_t image[2048];
    static const struct pcv_assign_policy none;
    struct pcv_assign_policy bad[10];
    struct offer o;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        bad[i] = none;
        bad[i].passed_count = i > 4 ? 1 : 0;
        bad[i].passed[0] = (struct pcv_passed_range){0x40, 4, false};
    }
    bad[0].flags = 16;
    bad[1].cap_count = PCV_POLICY_CAPS + 1;
    bad[2].passed_count = PCV_POLICY_PASSED + 1;
    bad[3].rom_size = sizeof(image);
    bad[4].rom = image;
    bad[4].rom_size = ROM_SIZE_MAX + 1;
    bad[5].passed[0].size = 0;
    bad[6].passed[0].offset = 0x42;
    bad[7].passed[0].size = 6;
    bad[8].passed[0].size = PCV_CFG_EXT_SIZE + 4;
    bad[9].passed[0].offset = PCV_CFG_EXT_SIZE;
    offer_start(&o);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(once(&o, &bad[i]), -PCV_EINVAL);
        assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    }
    /* What is just within all that. */
    bad[9].rom = image;
    bad[9].rom_size = sizeof(image);
    bad[9].passed[0].offset = PCV_CFG_EXT_SIZE - 4;
    assert_int_equal(give(&o, &bad[9]), 0);
    assert_int_equal(take_back(&o), 0);
    hosted_end(&o.h);
}

/* OWN-4, OWN-5 */
static void a_change_without_host_guest_or_device_is_refused(void **state)
{
    const pcv_sbdf nowhere = pcv_test_at(9, 0, 0, 0); /* no such segment */
    struct offer o;

    (void)state;
    offer_start(&o);
    assert_int_equal(pcv_device_assign(NULL, CARD, o.guest, NULL, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_assign(o.h.host, CARD, NULL, NULL, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_deassign(NULL, CARD), -PCV_EINVAL);
    assert_int_equal(pcv_device_restore(NULL, CARD), -PCV_EINVAL);
    assert_int_equal(pcv_device_assign(o.h.host, nowhere, o.guest, NULL, NULL),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_deassign(o.h.host, nowhere), -PCV_ENODEV);
    assert_int_equal(pcv_device_restore(o.h.host, nowhere), -PCV_ENODEV);
    hosted_end(&o.h);
}

/* OWN-4, LIFE-9 */
static void what_was_pulled_is_given_to_nobody(void **state)
{
    struct offer o;

    (void)state;
    offer_start(&o);
    assert_int_equal(pcv_device_vanished(o.h.host, CARD), 0);
    assert_int_equal(once(&o, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_device_restore(o.h.host, CARD), -PCV_ENODEV);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&o.h);
}

/* OWN-4, OWN-7 */
static void what_the_hypervisor_hides_is_given_to_nobody(void **state)
{
    struct pcv_device *device;
    struct offer o;

    (void)state;
    offer_start(&o);
    device = hosted_hold(&o.h, CARD);
    atomic_store(&device->owner, &o.h.host->hypervisor);
    assert_int_equal(once(&o, NULL), -PCV_EBUSY);
    assert_int_equal(pcv_device_deassign(o.h.host, CARD), -PCV_EINVAL);
    assert_ptr_equal(atomic_load(&device->owner), &o.h.host->hypervisor);
    pcv_device_put(device);
    hosted_end(&o.h);
}

/* LIFE-4, OWN-4 */
static void a_device_whose_count_is_full_changes_no_owner(void **state)
{
    struct pcv_device *device;
    uint64_t all;
    struct offer o;

    (void)state;
    offer_start(&o);
    device = hosted_hold(&o.h, CARD);
    all = 0xfffffu - pcv__holder_count(pcv__word(device), PCV_HOLDER_CALLER);
    atomic_fetch_add(&device->word, all);
    assert_int_equal(once(&o, NULL), -PCV_EBUSY);
    atomic_fetch_sub(&device->word, all);
    pcv_device_put(device);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(give(&o, NULL), 0);
    hosted_end(&o.h);
}

/* ---- what happens meanwhile -----------------------------------------------
 */

static void change_it_too(struct offer *o)
{
    beside.error = once(o, NULL);
}

static void remove_it(struct offer *o)
{
    beside.error = pcv_device_remove(o->h.host, CARD, NULL, &beside.busy);
}

static void declare(struct offer *o)
{
    beside.error = pcv_host_set_ecam(o->h.host, 0, 0, 0, true, &beside.busy);
}

/* OWN-5, LIFE-5, EXT-2: it goes on as if nobody had asked. */
static void who_comes_in_the_middle_of_a_change_is_told_to_wait(void **state)
{
    static const struct {
        void (*fn)(struct offer *o);
        int error;
    } rows[] = {
        {change_it_too, -PCV_EBUSY},
        {remove_it, -PCV_EBUSY},
        {declare, -PCV_ERESTART},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        struct offer o;

        offer_start(&o);
        beside.domain_id = i % 2 == 0 ? GUEST : PCV_DOMAIN_ID_QUARANTINE;
        beside.fn = rows[i / 2].fn;
        assert_int_equal(give(&o, NULL), 0);
        assert_null(beside.fn);
        assert_int_equal(beside.error, rows[i / 2].error);
        if (rows[i / 2].fn != change_it_too) {
            assert_int_equal(beside.busy.v, CARD.v);
        }
        assert_int_equal(owner_of(&o), GUEST);
        assert_int_equal(take_back(&o), 0);
        hosted_end(&o.h);
    }
}

static void forget_flr(struct offer *o)
{
    const uint16_t reg = 0x40 + PCV_PCIE_DEVCAP;
    uint32_t caps = pcv_model_peek(o->h.model, CARD, reg, 4);

    pcv_model_poke(o->h.model, CARD, reg, 4, caps & ~PCV_PCIE_DEVCAP_FLR);
}

/* OWN-5, OWN-16: what it could do at first, and cannot any more. */
static void a_way_to_reset_that_goes_in_the_middle_is_not_done_without(
    void **state)
{
    const struct pcv_assign_policy accepts = {.flags = PCV_ASSIGN_NO_RESET};
    struct offer o;

    (void)state;
    offer_start(&o);
    beside.domain_id = PCV_DOMAIN_ID_QUARANTINE;
    beside.fn = forget_flr;
    assert_int_equal(give(&o, NULL), -PCV_EOPNOTSUPP);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_dma_domain(o.h.model, CARD),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(give(&o, NULL), -PCV_EOPNOTSUPP);
    assert_int_equal(give(&o, &accepts), 0);
    assert_int_equal(owner_of(&o), GUEST);
    hosted_end(&o.h);
}

/* ---- what the host lacks --------------------------------------------------
 */

/* OWN-5, PORT-3 */
static void without_memory_a_device_stays_in_quarantine(void **state)
{
    struct offer o;

    (void)state;
    offer_start(&o);
    /* Its guest's DMA is not let through: it is left without a view. */
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(give(&o, NULL), -PCV_EIO);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 0);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_QUARANTINE);
    /* There is nothing to restore, and nobody whose it would be. */
    assert_int_equal(pcv_device_restore(o.h.host, CARD), -PCV_ENODEV);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, 1);
    assert_int_equal(take_back(&o), -PCV_ENOMEM);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(take_back(&o), 0);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_device_restore(o.h.host, CARD), 0);
    hosted_end(&o.h);
}

/* OWN-5, SRIOV-3 */
static void a_device_between_two_owners_is_not_restored(void **state)
{
    struct offer o;

    (void)state;
    offer_start(&o);
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(once(&o, NULL), -PCV_ERESTART);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_device_restore(o.h.host, CARD), -PCV_ENODEV);
    pcv_model_set_clock(o.h.model, false);
    assert_int_equal(give(&o, NULL), 0);
    hosted_end(&o.h);
}

/* OWN-5, PORT-1: then the host sees to DMA by itself. */
static void a_host_without_an_iommu_gives_devices_too(void **state)
{
    struct offer o;

    (void)state;
    offer_build(&o);
    o.h.ops.dma_attach = NULL;
    offer_boot(&o);
    assert_int_equal(give(&o, NULL), 0);
    assert_int_equal(owner_of(&o), GUEST);
    assert_int_equal(pcv_model_calls(o.h.model, PCV_MODEL_OP_dma_attach), 0);
    assert_int_equal(take_back(&o), 0);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&o.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_change_without_host_guest_or_device_is_refused),
        cmocka_unit_test(what_was_pulled_is_given_to_nobody),
        cmocka_unit_test(what_the_hypervisor_hides_is_given_to_nobody),
        cmocka_unit_test(a_device_whose_count_is_full_changes_no_owner),
        cmocka_unit_test(who_comes_in_the_middle_of_a_change_is_told_to_wait),
        cmocka_unit_test(
            a_way_to_reset_that_goes_in_the_middle_is_not_done_without),
        cmocka_unit_test(without_memory_a_device_stays_in_quarantine),
        cmocka_unit_test(a_device_between_two_owners_is_not_restored),
        cmocka_unit_test(a_host_without_an_iommu_gives_devices_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
