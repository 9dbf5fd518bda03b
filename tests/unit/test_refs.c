/* SPDX-License-Identifier: MIT */
/* References: one word for all holders, the last put, vectors, stale slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* How many of each holder fit, as docs and header say. */
static const uint32_t most[PCV_HOLDERS] = {
    [PCV_HOLDER_REGISTRY] = 1,     [PCV_HOLDER_OWNER] = 255,
    [PCV_HOLDER_VECTOR] = 4095,    [PCV_HOLDER_ACCESS] = 65535,
    [PCV_HOLDER_CALLER] = 1048575,
};

struct completion {
    struct pcv_completion completion; /* first */
    unsigned calls;
    pcv_sbdf sbdf;
};

static void done(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct completion *c = (struct completion *)self;

    c->calls++;
    c->sbdf = sbdf;
}

/* LIFE-4 */
static void each_holder_has_its_own_bits_of_one_word(void **state)
{
    uint64_t all = 0;

    (void)state;
    for (int i = 0; i < PCV_HOLDERS; i++) {
        uint64_t field = pcv__holder_unit((enum pcv_holder)i) * most[i];

        assert_int_equal(all & field, 0);
        all |= field;
        for (int j = 0; j < PCV_HOLDERS; j++) {
            assert_int_equal(pcv__holder_count(field, (enum pcv_holder)j),
                             i == j ? most[j] : 0);
        }
    }
    assert_int_equal(all, PCV__WORD_COUNTS);
    assert_int_equal(all & (PCV__WORD_NEW | PCV__WORD_PAUSED |
                            PCV__WORD_CLOSED | PCV__WORD_LEAVING),
                     0);
    assert_int_equal(sizeof(((struct pcv_device *)NULL)->word), 8);
}

/* LIFE-4 */
static void a_status_names_the_references_of_each_holder(void **state)
{
    struct pcv_vector vectors[3] = {{.index = 0}};
    struct pcv_device *device, *entered;
    struct pcv_device_status status;
    struct hosted h;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_ptr_equal(pcv_device_get(device), device);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(
            pcv_vector_attach(device, &vectors[i], i != 0, (uint16_t)i), 0);
    }
    assert_int_equal(pcv__gate_enter(&h.host->hardware, TREE_LEAF, &entered),
                     PCV_DONE);
    status = hosted_status(&h, TREE_LEAF);
    assert_int_equal(status.state, PCV_STATE_PRESENT);
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(status.held[PCV_HOLDER_REGISTRY], 1);
    assert_int_equal(status.held[PCV_HOLDER_OWNER], 1);
    assert_int_equal(status.held[PCV_HOLDER_VECTOR], 3);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 1);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 2);
    pcv__gate_leave(entered);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        pcv_vector_detach(&vectors[i]);
    }
    pcv_device_put(device);
    pcv_device_put(device);
    status = hosted_status(&h, TREE_LEAF);
    assert_int_equal(status.held[PCV_HOLDER_VECTOR], 0);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 0);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
    hosted_end(&h);
}

/* What the watcher of configuration accesses saw of the leaf's holders. */
struct seen {
    struct hosted *h;
    struct pcv_device_status status;
};

static void look(void *arg, const struct pcv_model_cfg *access)
{
    struct seen *seen = arg;

    if (access->sbdf.v == TREE_LEAF.v) {
        seen->status = hosted_status(seen->h, TREE_LEAF);
    }
}

/* LIFE-4 */
static void an_access_in_flight_takes_one_reference_and_no_other(void **state)
{
    struct hosted h;
    struct seen seen;

    (void)state;
    tree_start(&h);
    memset(&seen, 0, sizeof(seen));
    seen.h = &h;
    pcv_model_watch(h.model, look, &seen);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_VENDOR, 4), 0x10d38086);
    assert_int_equal(seen.status.held[PCV_HOLDER_ACCESS], 1);
    assert_int_equal(seen.status.held[PCV_HOLDER_CALLER], 0);
    assert_int_equal(seen.status.held[PCV_HOLDER_OWNER], 1);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_ACCESS], 0);
    hosted_end(&h);
}

/* Give the last reference back, whoever holds it. */
enum last { LAST_CALLER, LAST_GET, LAST_VECTOR, LAST_ACCESS };

static void expect_last_one_releases(enum last last)
{
    struct completion c = {.completion = {.done = done}};
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *device, *entered = NULL;
    struct hosted h;

    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    if (last == LAST_GET) {
        assert_non_null(pcv_device_get(device));
    } else if (last == LAST_VECTOR) {
        assert_int_equal(pcv_vector_attach(device, &vector, true, 2047), 0);
    } else if (last == LAST_ACCESS) {
        assert_int_equal(
            pcv__gate_enter(&h.host->hardware, TREE_LEAF, &entered), PCV_DONE);
    }
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, &c.completion, NULL),
                     -PCV_EBUSY);
    if (last != LAST_CALLER) {
        pcv_device_put(device);
    }
    assert_int_equal(c.calls, 0);
    assert_int_equal(hosted_stats(&h).leaving, 1);
    if (last == LAST_VECTOR) {
        pcv_vector_detach(&vector);
    } else if (last == LAST_ACCESS) {
        pcv__gate_leave(entered);
    } else {
        pcv_device_put(device);
    }
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.sbdf.v, TREE_LEAF.v);
    assert_int_equal(hosted_stats(&h).leaving, 0);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS - 1);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    hosted_end(&h);
}

/* LIFE-3 */
static void the_last_reference_releases_the_device_whoever_held_it(void **state)
{
    (void)state;
    expect_last_one_releases(LAST_CALLER);
    expect_last_one_releases(LAST_GET);
    expect_last_one_releases(LAST_VECTOR);
    expect_last_one_releases(LAST_ACCESS);
}

/* LIFE-3 */
static void a_get_is_legal_on_a_leaving_device_that_is_held(void **state)
{
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
    assert_null(pcv_device_find(h.host, TREE_LEAF));
    assert_ptr_equal(pcv_device_get(device), device);
    pcv_device_put(device);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
    pcv_device_put(device);
    pcv_device_put(NULL);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    hosted_end(&h);
}

/* LIFE-3 */
static void nobody_revives_a_device_whose_count_is_zero(void **state)
{
    struct hosted h;
    struct pcv_device *stale;

    (void)state;
    tree_start(&h);
    stale = hosted_hold(&h, TREE_LEAF);
    pcv_device_put(stale);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    for (int i = 0; i < PCV_HOLDERS; i++) {
        assert_false(pcv__ref_try(stale, (enum pcv_holder)i, 0));
    }
    assert_int_equal(pcv__word(stale) & PCV__WORD_COUNTS, 0);
    hosted_end(&h);
}

/* LIFE-3 */
static void a_slot_used_for_another_address_is_not_taken_for_the_old_one(
    void **state)
{
    struct pcv_device_status status;
    struct pcv_device *other, *entered;
    _Atomic(struct pcv_device *) *place;
    struct hosted h;

    (void)state;
    tree_start(&h);
    other = hosted_hold(&h, TREE_ENDPOINT);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    /* What a find sees that read the table before the slot was recycled. */
    place = pcv__table_find_place(pcv__segment_find(h.host, 0), TREE_LEAF);
    atomic_store(place, other);
    assert_null(pcv_device_find(h.host, TREE_LEAF));
    assert_null(pcv_device_find_real(h.host, TREE_LEAF));
    assert_int_equal(pcv__gate_enter(&h.host->hardware, TREE_LEAF, &entered),
                     PCV_ABSENT);
    pcv__lock_take(&other->host->mem, &other->lock);
    assert_int_equal(pcv__gate_pause(other), 0);
    pcv__lock_drop(&other->host->mem, &other->lock);
    assert_int_equal(pcv__gate_enter(&h.host->hardware, TREE_LEAF, &entered),
                     PCV_ABSENT);
    pcv__lock_take(&other->host->mem, &other->lock);
    pcv__gate_open(other);
    pcv__lock_drop(&other->host->mem, &other->lock);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    atomic_store(place, NULL);
    /* The other one's counts are as they were. */
    status = hosted_status(&h, TREE_ENDPOINT);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 1);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 0);
    pcv_device_put(other);
    hosted_end(&h);
}

/* LIFE-3 */
static void a_slot_is_used_again_for_devices_and_counts_from_the_start(
    void **state)
{
    struct hosted h;
    struct pcv_device *old, *again;
    struct pcv_device_status status;

    (void)state;
    tree_start(&h);
    old = hosted_hold(&h, TREE_LEAF);
    pcv_device_put(old);
    (void)hosted_read(&h, TREE_LEAF, 0, 4);
    (void)hosted_read(&h, TREE_LEAF, 1, 4);
    assert_int_equal(hosted_status(&h, TREE_LEAF).counters.reads, 1);
    assert_int_equal(hosted_status(&h, TREE_LEAF).counters.refused, 1);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), 0);
    again = hosted_hold(&h, TREE_LEAF);
    assert_ptr_equal(again, old);
    status = hosted_status(&h, TREE_LEAF);
    assert_false(status.vanished);
    assert_int_equal(status.counters.reads, 0);
    assert_int_equal(status.counters.refused, 0);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 1);
    assert_int_equal(hosted_info(&h, TREE_LEAF).vendor, 0x8086);
    pcv_device_put(again);
    hosted_end(&h);
}

/* LIFE-3 */
static void a_full_count_of_callers_refuses_and_takes_none(void **state)
{
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (uint32_t i = 1; i < most[PCV_HOLDER_CALLER]; i++) {
        assert_non_null(pcv_device_get(device));
    }
    assert_null(pcv_device_get(device));
    assert_null(pcv_device_find(h.host, TREE_LEAF));
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER],
                     most[PCV_HOLDER_CALLER]);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR], 0);
    pcv_device_put(device);
    assert_ptr_equal(pcv_device_find(h.host, TREE_LEAF), device);
    for (uint32_t i = 0; i < most[PCV_HOLDER_CALLER]; i++) {
        pcv_device_put(device);
    }
    hosted_end(&h);
}

/* LIFE-4 */
static void a_full_gate_says_retry(void **state)
{
    struct pcv_access access = PCV_READ(TREE_LEAF, 0, 4);
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (uint32_t i = 0; i < most[PCV_HOLDER_ACCESS]; i++) {
        assert_true(pcv__ref_try(device, PCV_HOLDER_ACCESS, 0));
    }
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_RETRY);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_OWNER], 1);
    pcv__gate_leave(device);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_DONE);
    assert_int_equal(access.data, 0x10d38086);
    for (uint32_t i = 1; i < most[PCV_HOLDER_ACCESS]; i++) {
        pcv__gate_leave(device);
    }
    pcv_device_put(device);
    hosted_end(&h);
}

/* ---- vectors --------------------------------------------------------------
 */

/* LIFE-8 */
static void all_vectors_of_a_device_count_and_each_only_once(void **state)
{
    static struct pcv_vector msi[32], msix[2048], extra;
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (size_t i = 0; i < COUNT(msi); i++) {
        assert_int_equal(pcv_vector_attach(device, &msi[i], false, (uint16_t)i),
                         0);
    }
    for (size_t i = 0; i < COUNT(msix); i++) {
        assert_int_equal(pcv_vector_attach(device, &msix[i], true, (uint16_t)i),
                         0);
    }
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR],
                     32 + 2048);
    assert_int_equal(pcv_vector_attach(device, &extra, true, 7), -PCV_EEXIST);
    assert_int_equal(pcv_vector_attach(device, &extra, false, 7), -PCV_EEXIST);
    assert_null(extra.device);
    /* From the list's middle and both ends. */
    pcv_vector_detach(&msix[1000]);
    pcv_vector_detach(&msix[2047]);
    pcv_vector_detach(&msi[0]);
    pcv_vector_detach(&msi[0]); /* not attached any more: left alone */
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR],
                     32 + 2048 - 3);
    assert_int_equal(pcv_vector_attach(device, &msi[0], false, 0), 0);
    for (size_t i = 0; i < COUNT(msix); i++) {
        pcv_vector_detach(&msix[i]);
    }
    for (size_t i = 0; i < COUNT(msi); i++) {
        pcv_vector_detach(&msi[i]);
    }
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR], 0);
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-8 */
static void a_vector_out_of_range_or_attached_twice_is_refused(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 32),
                     -PCV_EINVAL);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 2048),
                     -PCV_EINVAL);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 2047), 0);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 2046),
                     -PCV_EINVAL);
    assert_int_equal(vector.index, 2047);
    pcv_vector_detach(&vector);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR], 0);
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-8 */
static void a_device_that_leaves_or_has_vanished_takes_no_vector(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct hosted h;
    struct pcv_device *leaf, *endpoint;

    (void)state;
    tree_start(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    endpoint = hosted_hold(&h, TREE_ENDPOINT);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_vanished(h.host, TREE_ENDPOINT), 0);
    assert_int_equal(pcv_vector_attach(leaf, &vector, false, 0), -PCV_ENODEV);
    assert_int_equal(pcv_vector_attach(endpoint, &vector, false, 0),
                     -PCV_ENODEV);
    assert_null(vector.device);
    pcv_device_put(leaf);
    pcv_device_put(endpoint);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_holder_has_its_own_bits_of_one_word),
        cmocka_unit_test(a_status_names_the_references_of_each_holder),
        cmocka_unit_test(an_access_in_flight_takes_one_reference_and_no_other),
        cmocka_unit_test(
            the_last_reference_releases_the_device_whoever_held_it),
        cmocka_unit_test(a_get_is_legal_on_a_leaving_device_that_is_held),
        cmocka_unit_test(nobody_revives_a_device_whose_count_is_zero),
        cmocka_unit_test(
            a_slot_used_for_another_address_is_not_taken_for_the_old_one),
        cmocka_unit_test(
            a_slot_is_used_again_for_devices_and_counts_from_the_start),
        cmocka_unit_test(a_full_count_of_callers_refuses_and_takes_none),
        cmocka_unit_test(a_full_gate_says_retry),
        cmocka_unit_test(all_vectors_of_a_device_count_and_each_only_once),
        cmocka_unit_test(a_vector_out_of_range_or_attached_twice_is_refused),
        cmocka_unit_test(a_device_that_leaves_or_has_vanished_takes_no_vector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
