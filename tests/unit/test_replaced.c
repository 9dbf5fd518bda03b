/* SPDX-License-Identifier: MIT */
/*
 * Places that are taken by somebody else: another card, another CPU's add, a
 * slot that was used again; and what has vanished and makes room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "registry/internal.h"
#include "removals.h"

static int add(struct hosted *h, pcv_sbdf sbdf)
{
    return pcv_device_add(h->host, sbdf, NULL);
}

/* ---- two adds ------------------------------------------------------------ */

/* What another CPU does in the middle of something: it is a thread, which ends
 * before the other goes on. */
static void on_another_cpu(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

struct race {
    struct pcv_completion completion; /* first */
    struct hosted *h;
    bool met;
    int vanished, removed, added;
    struct pcv_device *card; /* the new one */
};

static void *add_new_card(void *arg)
{
    struct race *race = arg;

    race->added = add(race->h, TREE_LEAF);
    race->card = pcv_device_find(race->h->host, TREE_LEAF);
    return NULL;
}

static void old_one_is_gone(struct pcv_completion *self, pcv_sbdf sbdf)
{
    (void)sbdf;
    on_another_cpu(add_new_card, self);
}

/* What an add does that saw the other card a moment earlier. */
static void *remove_old_card(void *arg)
{
    struct race *race = arg;

    race->vanished = pcv_device_vanished(race->h->host, TREE_LEAF);
    race->removed =
        pcv_device_remove(race->h->host, TREE_LEAF, &race->completion, NULL);
    return NULL;
}

static void overtake(void *arg, const struct pcv_model_cfg *access)
{
    struct race *race = arg;

    if (!race->met && access->reg == PCV_REG_SUBSYSTEM_VENDOR) {
        race->met = true;
        on_another_cpu(remove_old_card, race);
    }
}

/* LIFE-7, LIFE-11 */
static void of_two_adds_that_meet_another_card_only_the_old_one_goes(
    void **state)
{
    struct race race = {.completion = {.done = old_one_is_gone}};
    struct record vanished = {.kind = PCV_EVENT_VANISHED};
    struct hosted h;

    (void)state;
    tree_start(&h);
    race.h = &h;
    pcv_model_poke(h.model, TREE_LEAF, PCV_REG_DEVICE, 2, 0x1041);
    pcv_model_on_event(h.model, keep, &vanished);
    pcv_model_watch(h.model, overtake, &race);
    /* The old one went, though not by this call: call again. */
    assert_int_equal(add(&h, TREE_LEAF), -PCV_EBUSY);
    pcv_model_watch(h.model, NULL, NULL);
    pcv_model_on_event(h.model, NULL, NULL);
    assert_int_equal(race.vanished, 0);
    assert_int_equal(race.removed, -PCV_EBUSY);
    assert_int_equal(race.added, 0);
    assert_non_null(race.card);
    assert_int_equal(vanished.count, 1);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_PRESENT);
    assert_false(hosted_status(&h, TREE_LEAF).vanished);
    assert_int_equal(hosted_info(&h, TREE_LEAF).device, 0x1041);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    pcv_device_put(race.card);
    hosted_end(&h);
}

struct look {
    struct hosted *h;
    struct pcv_device_status status;
    struct pcv_device *found;
    int added, removed;
    uint32_t busy;
    bool looked;
};

static void look_at_it(void *arg, const struct pcv_model_cfg *access)
{
    struct look *look = arg;

    if (!look->looked && access->reg == PCV_REG_BAR0) {
        look->looked = true;
        look->status = hosted_status(look->h, access->sbdf);
        look->found = pcv_device_find(look->h->host, access->sbdf);
        look->removed = take_out(look->h, access->sbdf, NULL, &look->busy);
        look->added = add(look->h, access->sbdf);
    }
}

/* LIFE-6, LIFE-7 */
static void while_a_device_is_added_its_status_says_so(void **state)
{
    struct look look = {0};
    struct hosted h;

    (void)state;
    tree_start(&h);
    look.h = &h;
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    pcv_model_watch(h.model, look_at_it, &look);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    pcv_model_watch(h.model, NULL, NULL);
    assert_true(look.looked);
    assert_int_equal(look.status.state, PCV_STATE_ADDING);
    assert_null(look.found);
    assert_int_equal(look.removed, -PCV_EBUSY);
    assert_int_equal(look.busy, TREE_LEAF.v);
    assert_int_equal(look.added, -PCV_EBUSY);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_PRESENT);
    hosted_end(&h);
}

/* ---- a slot that was used again ------------------------------------------ */

/*
 * A table is read without locks, so a place may show the object of another
 * address, whose slot was used again in the meantime. Here it stays so.
 */
static _Atomic(struct pcv_device *) *make_stale(struct hosted *h, pcv_sbdf sbdf,
                                                pcv_sbdf shown)
{
    struct pcv__segment *segment =
        pcv__segment_find(h->host, pcv_sbdf_segment(sbdf));
    _Atomic(struct pcv_device *) *place;

    assert_int_equal(pcv_device_remove(h->host, sbdf, NULL, NULL), 0);
    place = pcv__table_find_place(segment, sbdf);
    assert_non_null(place);
    assert_null(atomic_load(place));
    atomic_store(place, pcv__table_peek(h->host, shown));
    return place;
}

#define ELSEWHERE pcv_test_at(1, 0, 7, 0) /* on another segment */

static void two_segments_start(struct hosted *h)
{
    struct pcv_test_function f;

    tree_build(h);
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_add(h->model, &f, ELSEWHERE);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), TREE_FUNCTIONS + 1);
}

/* LIFE-3, LIFE-5, LIFE-9 */
static void a_slot_used_again_is_not_the_device_that_stood_there(void **state)
{
    _Atomic(struct pcv_device *) *place;
    struct hosted h;
    uint32_t busy;

    (void)state;
    two_segments_start(&h);
    place = make_stale(&h, TREE_LEAF, ELSEWHERE);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_ENODEV);
    assert_int_equal(hosted_state(&h, ELSEWHERE), PCV_STATE_PRESENT);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), -PCV_ENODEV);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    /* Nor is it behind a bridge that covers that place. */
    assert_int_equal(pcv_device_vanished(h.host, TREE_PORT_3), 0);
    assert_false(hosted_status(&h, ELSEWHERE).vanished);
    assert_int_equal(take_out(&h, TREE_PORT_3, NULL, &busy), 0);
    assert_int_equal(hosted_state(&h, ELSEWHERE), PCV_STATE_PRESENT);
    atomic_store(place, NULL);
    hosted_end(&h);
}

/* LIFE-1, LIFE-3 */
static void next_leaves_nobody_out_behind_a_slot_used_again(void **state)
{
    const pcv_sbdf shown[] = {TREE_LEAF, ELSEWHERE, pcv_test_at(0, 0, 0, 0)};

    (void)state;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        _Atomic(struct pcv_device *) *place;
        struct pcv_device *next;
        struct hosted h;

        two_segments_start(&h);
        place = make_stale(&h, TREE_ENDPOINT, shown[i]);
        next = pcv_device_next(h.host, TREE_ENDPOINT);
        assert_non_null(next);
        assert_int_equal(pcv_device_sbdf(next).v, TREE_ROOT_PORT.v);
        pcv_device_put(next);
        atomic_store(place, NULL);
        hosted_end(&h);
    }
}

/* ---- what has vanished can be removed ------------------------------------ */

/* LIFE-5, LIFE-9, TOPO-7 */
static void a_vanished_pf_goes_with_its_vfs_as_holders_let_go(void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct pcv_device *pf, *vf;
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pf = hosted_hold(&h, TREE_PF);
    vf = hosted_hold(&h, TREE_VF_1);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
    assert_int_equal(pcv_model_pull(h.model, TREE_PF), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_PF), 0);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_LEAVING);
    assert_int_equal(hosted_state(&h, TREE_VF_0), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&h, TREE_VF_1), PCV_STATE_LEAVING);
    pcv_device_put(pf);
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.sbdf.v, TREE_PF.v);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_ABSENT);
    pcv_device_put(vf);
    assert_int_equal(hosted_state(&h, TREE_VF_1), PCV_STATE_ABSENT);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS - 3);
    hosted_end(&h);
}

/* LIFE-5, LIFE-9, TOPO-3 */
static void a_vanished_bridge_goes_though_something_behind_it_is_held(
    void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct pcv_device *leaf;
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), -PCV_EBUSY);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    assert_int_equal(pcv_model_pull(h.model, TREE_ROOT_PORT), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_ROOT_PORT), 0);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
    assert_int_equal(c.calls, 1);
    assert_int_equal(hosted_stats(&h).devices, 3);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), -PCV_ENODEV);
    pcv_device_put(leaf);
    assert_int_equal(hosted_stats(&h).devices, 2);
    hosted_end(&h);
}

/* LIFE-9, TOPO-3: one that was leaving already is not in the way either. */
static void a_vanished_bridge_does_not_wait_for_what_is_leaving(void **state)
{
    struct pcv_device *leaf;
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(take_out(&h, TREE_PORT_3, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(hosted_state(&h, TREE_PORT_3), PCV_STATE_PRESENT);
    assert_int_equal(pcv_device_vanished(h.host, TREE_PORT_3), 0);
    assert_int_equal(take_out(&h, TREE_PORT_3, NULL, &busy), 0);
    assert_int_equal(hosted_state(&h, TREE_PORT_3), PCV_STATE_ABSENT);
    pcv_device_put(leaf);
    hosted_end(&h);
}

/* LIFE-7, TOPO-7 */
static void another_card_takes_the_place_of_a_pf_that_has_vfs(void **state)
{
    struct pcv_device *vf;
    struct hosted h;

    (void)state;
    tree_start(&h);
    vf = hosted_hold(&h, TREE_VF_0);
    pcv_model_poke(h.model, TREE_PF, PCV_REG_DEVICE, 2, 0x1521);
    assert_int_equal(add(&h, TREE_PF), -PCV_EBUSY);
    assert_true(hosted_status(&h, TREE_VF_0).vanished);
    assert_int_equal(hosted_state(&h, TREE_VF_0), PCV_STATE_LEAVING);
    assert_int_equal(hosted_state(&h, TREE_VF_1), PCV_STATE_ABSENT);
    assert_int_equal(add(&h, TREE_PF), 0);
    assert_int_equal(hosted_info(&h, TREE_PF).device, 0x1521);
    assert_false(hosted_status(&h, TREE_PF).vanished);
    pcv_device_put(vf);
    assert_int_equal(hosted_scan(&h), 2);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    hosted_end(&h);
}

/* LIFE-6 */
static void a_removal_tells_whether_it_took_the_completion(void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct pcv_device *leaf;
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    assert_int_equal(take_out(&h, TREE_NOTHING, &c, &busy), -PCV_ENODEV);
    assert_false(c.completion.taken);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_false(c.completion.taken);
    leaf = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    assert_false(c.completion.taken); /* it leaves, but not by this call */
    pcv_device_put(leaf);
    assert_int_equal(c.calls, 0);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    leaf = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    assert_true(c.completion.taken);
    assert_int_equal(c.calls, 0);
    pcv_device_put(leaf);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* ---- the same PF, with other VFs ----------------------------------------- */

/* LIFE-7, TOPO-7 */
static void a_pf_added_again_takes_over_its_number_of_vfs(void **state)
{
    const pcv_sbdf pf = pcv_test_at(0, 0, 3, 0);
    struct pcv_test_function f;
    struct hosted h;
    uint16_t cap;

    (void)state;
    hosted_build(&h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    cap = pcv_test_sriov(&f, 4, 0, 4, 1);
    pcv_test_add(h.model, &f, pf);
    pcv_test_vf(&f, pf);
    pcv_test_add(h.model, &f, (pcv_sbdf){pf.v + 8});
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    assert_int_equal(hosted_info(&h, pf).num_vfs, 0);
    pcv_model_poke(h.model, pf, (uint16_t)(cap + PCV_SRIOV_NUM_VFS), 2, 1);
    pcv_model_poke(h.model, pf, (uint16_t)(cap + PCV_SRIOV_OFFSET), 2, 8);
    pcv_model_poke(h.model, pf, (uint16_t)(cap + PCV_SRIOV_CTRL), 2,
                   PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    assert_int_equal(add(&h, pf), 0);
    assert_int_equal(hosted_info(&h, pf).num_vfs, 1);
    /* While it sleeps it tells nothing new. */
    assert_int_equal(pcv_model_set_dead(h.model, pf, true), 0);
    assert_int_equal(add(&h, pf), 0);
    assert_int_equal(hosted_info(&h, pf).num_vfs, 1);
    assert_int_equal(pcv_model_set_dead(h.model, pf, false), 0);
    assert_int_equal(hosted_scan(&h), 1);
    assert_true(hosted_found(&h, (pcv_sbdf){pf.v + 8}));
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            of_two_adds_that_meet_another_card_only_the_old_one_goes),
        cmocka_unit_test(while_a_device_is_added_its_status_says_so),
        cmocka_unit_test(a_slot_used_again_is_not_the_device_that_stood_there),
        cmocka_unit_test(next_leaves_nobody_out_behind_a_slot_used_again),
        cmocka_unit_test(a_vanished_pf_goes_with_its_vfs_as_holders_let_go),
        cmocka_unit_test(
            a_vanished_bridge_goes_though_something_behind_it_is_held),
        cmocka_unit_test(a_vanished_bridge_does_not_wait_for_what_is_leaving),
        cmocka_unit_test(another_card_takes_the_place_of_a_pf_that_has_vfs),
        cmocka_unit_test(a_removal_tells_whether_it_took_the_completion),
        cmocka_unit_test(a_pf_added_again_takes_over_its_number_of_vfs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
