/* SPDX-License-Identifier: MIT */
/*
 * Removing devices: what is in the way, order, completion, vectors, bridges,
 * surprise removal, and the end of a host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NOBODY 0xdeadbeefu

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

/* Remove, and who was in the way. */
static int take_out(struct hosted *h, pcv_sbdf sbdf, struct completion *c,
                    uint32_t *out_busy)
{
    pcv_sbdf busy = {NOBODY};
    int error = pcv_device_remove(h->host, sbdf, c ? &c->completion : NULL,
                                  &busy);

    *out_busy = busy.v;
    return error;
}

/* ---- one device -----------------------------------------------------------
 */

/* LIFE-5 */
static void an_unknown_device_cannot_be_removed(void **state)
{
    const pcv_sbdf unknown[] = {TREE_NOTHING, pcv_test_at(0, 0, 1, 1),
                                pcv_test_at(0, 77, 0, 0),
                                pcv_test_at(5, 0, 0, 0)};
    struct completion c = {.completion = {done}};
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_int_equal(take_out(&h, unknown[i], &c, &busy), -PCV_ENODEV);
        assert_int_equal(busy, NOBODY);
        assert_int_equal(pcv_device_vanished(h.host, unknown[i]), -PCV_ENODEV);
    }
    assert_int_equal(c.calls, 0);
    assert_int_equal(pcv_device_remove(NULL, TREE_LEAF, NULL, NULL),
                     -PCV_EINVAL);
    hosted_end(&h);
}

/* LIFE-5 */
static void a_device_that_nobody_holds_goes_at_once(void **state)
{
    struct completion c = {.completion = {done}};
    struct hosted h;
    uint64_t pages;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), 0);
    assert_int_equal(busy, NOBODY);
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.sbdf.v, TREE_LEAF.v);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4);
    assert_int_equal(hosted_read(&h, TREE_LEAF, 0, 4), 0xffffffffu);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_ENODEV);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* LIFE-5 */
static void a_device_that_leaves_is_not_found_entered_or_mapped(void **state)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_INT_LINE, 1, 0x5a);
    struct hosted h;
    struct pcv_device *device;
    uint64_t pages, calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    assert_null(pcv_device_find(h.host, TREE_LEAF));
    assert_null(pcv_device_find_owned(pcv_host_hardware_domain(h.host),
                                      TREE_LEAF));
    assert_null(pcv_device_find_real(h.host, TREE_LEAF));
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4);
    calls = hosted_calls(&h);
    assert_int_equal(hosted_read(&h, TREE_LEAF, 0, 4), 0xffffffffu);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_ABSENT);
    assert_int_equal(hosted_calls(&h), calls);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), -PCV_ENODEV);
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-6 */
static void a_remove_may_be_repeated_and_drops_nothing_twice(void **state)
{
    struct completion first = {.completion = {done}};
    struct completion second = {.completion = {done}};
    struct pcv_device_status status;
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_non_null(pcv_device_get(device));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(
            take_out(&h, TREE_LEAF, i == 0 ? &first : &second, &busy),
            -PCV_EBUSY);
        assert_int_equal(busy, TREE_LEAF.v);
        status = hosted_status(&h, TREE_LEAF);
        assert_int_equal(status.state, PCV_STATE_LEAVING);
        assert_int_equal(status.held[PCV_HOLDER_REGISTRY], 0);
        assert_int_equal(status.held[PCV_HOLDER_OWNER], 0);
        assert_int_equal(status.held[PCV_HOLDER_CALLER], 2);
        assert_int_equal(hosted_stats(&h).leaving, 1);
    }
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &second, &busy), -PCV_EBUSY);
    assert_int_equal(first.calls, 0);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &second, &busy), -PCV_ENODEV);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
    hosted_end(&h);
}

/* LIFE-6 */
static void a_status_query_has_no_side_effects(void **state)
{
    struct pcv_device_status status;
    struct hosted h;
    struct pcv_device *device;
    struct pcv_host_stats before, after;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    before = hosted_stats(&h);
    calls = hosted_calls(&h);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
        assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
        assert_int_equal(hosted_state(&h, TREE_NOTHING), PCV_STATE_ABSENT);
    }
    after = hosted_stats(&h);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(hosted_calls(&h), calls);
    assert_int_equal(pcv_device_status(NULL, TREE_LEAF, &status), -PCV_EINVAL);
    assert_int_equal(pcv_device_status(h.host, TREE_LEAF, NULL), -PCV_EINVAL);
    pcv_device_put(device);
    hosted_end(&h);
}

/* A completion may do anything that a put may: here it adds the device anew,
 * since its address is free again. */
struct re_add {
    struct pcv_completion completion; /* first */
    struct hosted *h;
    enum pcv_device_state state;
};

static void see_absent(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct re_add *r = (struct re_add *)self;

    r->state = hosted_state(r->h, sbdf);
}

/* LIFE-6 */
static void at_its_completion_the_address_is_free_again(void **state)
{
    struct re_add r = {.completion = {see_absent},
                       .state = PCV_STATE_PRESENT};
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    r.h = &h;
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(
        pcv_device_remove(h.host, TREE_LEAF, &r.completion, NULL), -PCV_EBUSY);
    pcv_device_put(device);
    assert_int_equal(r.state, PCV_STATE_ABSENT);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), 0);
    hosted_end(&h);
}

/* LIFE-5, TOPO-7 */
static void a_pf_waits_for_its_vfs(void **state)
{
    struct completion c = {.completion = {done}};
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_VF_0.v);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, TREE_VF_0, NULL, &busy), 0);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_VF_1.v);
    assert_int_equal(take_out(&h, TREE_VF_1, NULL, &busy), 0);
    assert_int_equal(c.calls, 0);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), 0);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* ---- vectors --------------------------------------------------------------
 */

/* LIFE-8 */
static void a_removal_waits_for_the_vectors_of_the_device(void **state)
{
    struct pcv_vector vectors[3] = {{0}};
    struct completion c = {.completion = {done}};
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (uint16_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(pcv_vector_attach(device, &vectors[i], true, i), 0);
    }
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(c.calls, 0);
        assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR],
                         COUNT(vectors) - i);
        pcv_vector_detach(&vectors[i]);
    }
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* The host frees some vectors at once: those with an even index. */
static int release_even(void *ctx, struct pcv_vector *vector)
{
    (void)ctx;
    return vector->index % 2 == 0 ? 0 : -PCV_EBUSY;
}

/* LIFE-8 */
static void vectors_that_the_host_frees_do_not_keep_the_device(void **state)
{
    struct pcv_vector vectors[4] = {{0}};
    struct completion c = {.completion = {done}};
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_build(&h);
    h.ops.vector_release = release_even;
    hosted_start(&h);
    (void)hosted_scan(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (uint16_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(pcv_vector_attach(device, &vectors[i], true, i), 0);
    }
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR], 2);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(vectors[i].device == NULL, i % 2 == 0);
        pcv_vector_detach(&vectors[i]); /* of a freed one: nothing happens */
    }
    assert_int_equal(c.calls, 1);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    hosted_end(&h);
}

/* LIFE-8 */
static void a_device_whose_vectors_are_all_freed_goes_at_once(void **state)
{
    struct pcv_vector vector = {0};
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_build(&h);
    h.ops.vector_release = release_even;
    hosted_start(&h);
    (void)hosted_scan(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    assert_null(vector.device);
    hosted_end(&h);
}

/* ---- bridges --------------------------------------------------------------
 */

/* Addresses of one kind of event, in the order in which they came. */
struct record {
    enum pcv_event_kind kind;
    uint32_t sbdf[16];
    size_t count;
};

static void keep(void *arg, const struct pcv_event *event)
{
    struct record *record = arg;

    if (event->kind == record->kind && record->count < COUNT(record->sbdf)) {
        record->sbdf[record->count++] = event->sbdf.v;
    }
}

/* TOPO-3 */
static void a_bridge_goes_with_all_behind_it_deepest_first(void **state)
{
    const pcv_sbdf order[] = {TREE_VF_1,   TREE_VF_0,     TREE_PF,
                              TREE_LEAF,   TREE_PORT_4,   TREE_PORT_3,
                              TREE_UPSTREAM, TREE_ROOT_PORT};
    struct record gone = {.kind = PCV_EVENT_GONE};
    struct completion c = {.completion = {done}};
    struct hosted h;
    uint32_t busy;
    pcv_sbdf up;

    (void)state;
    tree_start(&h);
    pcv_model_on_event(h.model, keep, &gone);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), 0);
    assert_int_equal(gone.count, COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_int_equal(gone.sbdf[i], order[i].v);
        assert_int_equal(hosted_state(&h, order[i]), PCV_STATE_ABSENT);
    }
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.sbdf.v, TREE_ROOT_PORT.v);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS - COUNT(order));
    for (uint8_t bus = 1; bus <= 4; bus++) {
        assert_int_equal(pcv_topology_upstream(h.host, 0, bus, &up),
                         -PCV_ENOENT);
    }
    pcv_model_on_event(h.model, NULL, NULL);
    assert_int_equal(hosted_scan(&h), COUNT(order)); /* and comes again */
    hosted_end(&h);
}

/* Everything that a refused removal must leave alone. */
static void expect_unchanged(struct hosted *h, uint64_t pages)
{
    const pcv_sbdf all[] = {TREE_ROOT_PORT, TREE_UPSTREAM, TREE_PORT_3,
                            TREE_LEAF,      TREE_PORT_4,   TREE_PF,
                            TREE_VF_0,      TREE_VF_1};
    pcv_sbdf path[8];

    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(hosted_state(h, all[i]), PCV_STATE_PRESENT);
    }
    assert_int_equal(hosted_stats(h).leaving, 0);
    assert_int_equal(hosted_stats(h).devices, TREE_FUNCTIONS);
    assert_int_equal(pcv_model_mapped_pages(h->model), pages);
    assert_int_equal(pcv_topology_path(h->host, TREE_LEAF, path, COUNT(path)),
                     3);
    assert_int_equal(hosted_read(h, TREE_LEAF, 0, 4), 0x10d38086);
}

/* TOPO-3 */
static void a_bridge_with_a_held_device_behind_it_stays_and_names_it(
    void **state)
{
    const pcv_sbdf held[] = {TREE_LEAF, TREE_VF_0, TREE_UPSTREAM, TREE_PF,
                             TREE_PORT_4};
    struct completion c = {.completion = {done}};
    struct hosted h;
    uint64_t pages;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    for (size_t i = 0; i < COUNT(held); i++) {
        struct pcv_device *device = hosted_hold(&h, held[i]);

        assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), -PCV_EBUSY);
        assert_int_equal(busy, held[i].v);
        expect_unchanged(&h, pages);
        pcv_device_put(device);
    }
    assert_int_equal(c.calls, 0);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), 0);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* TOPO-3, LIFE-8 */
static void a_bridge_with_a_vector_behind_it_stays_and_names_the_device(
    void **state)
{
    struct pcv_vector vector = {0};
    struct hosted h;
    struct pcv_device *device;
    uint64_t pages;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 0), 0);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    expect_unchanged(&h, pages);
    pcv_vector_detach(&vector);
    hosted_end(&h);
}

/* TOPO-3, LIFE-6 */
static void a_bridge_waits_for_a_device_behind_it_that_is_leaving(void **state)
{
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    assert_int_equal(hosted_state(&h, TREE_ROOT_PORT), PCV_STATE_PRESENT);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), 0);
    hosted_end(&h);
}

/* TOPO-3 */
static void a_bridge_that_is_held_itself_leaves_and_what_is_behind_goes(
    void **state)
{
    struct completion c = {.completion = {done}};
    struct hosted h;
    struct pcv_device *port;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    port = hosted_hold(&h, TREE_PORT_3);
    assert_int_equal(take_out(&h, TREE_PORT_3, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_PORT_3.v);
    assert_int_equal(hosted_state(&h, TREE_PORT_3), PCV_STATE_LEAVING);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
    assert_int_equal(c.calls, 0);
    pcv_device_put(port);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/*
 * Two root ports; behind the first a PF whose VF is behind the second (which
 * no hardware would do, but its registers may say it).
 */
#define FAR_PORT pcv_test_at(0, 0, 2, 0)
#define FAR_PF pcv_test_at(0, 1, 0, 0)
#define FAR_VF pcv_test_at(0, 2, 0, 0)

static void far_vf_start(struct hosted *h)
{
    struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = FAR_PF};
    struct pcv_test_function f;

    hosted_build(h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_add(h->model, &f, FAR_PORT);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 2, 2);
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 3, 0));
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 1, 0, 256, 1);
    pcv_test_add(h->model, &f, FAR_PF);
    pcv_test_vf(&f, FAR_PF);
    pcv_test_add(h->model, &f, FAR_VF);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 3);
    assert_int_equal(pcv_device_add(h->host, FAR_VF, &info), 0);
}

/* LIFE-5, TOPO-3, TOPO-7 */
static void a_bridge_before_a_pf_waits_for_vfs_that_are_elsewhere(void **state)
{
    struct hosted h;
    uint32_t busy;

    (void)state;
    far_vf_start(&h);
    assert_int_equal(take_out(&h, FAR_PORT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, FAR_VF.v);
    assert_int_equal(hosted_state(&h, FAR_PF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, FAR_VF, NULL, &busy), 0);
    assert_int_equal(take_out(&h, FAR_PORT, NULL, &busy), 0);
    hosted_end(&h);
}

/* LIFE-9 */
static void a_bridge_that_vanishes_takes_vfs_of_pfs_behind_it_along(
    void **state)
{
    struct hosted h;

    (void)state;
    far_vf_start(&h);
    assert_int_equal(pcv_device_vanished(h.host, FAR_PORT), 0);
    assert_true(hosted_status(&h, FAR_PF).vanished);
    assert_true(hosted_status(&h, FAR_VF).vanished);
    hosted_end(&h);
}

/* ---- surprise removal -----------------------------------------------------
 */

/* LIFE-9 */
static void a_vanished_device_reads_all_ones_and_takes_no_write(void **state)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_INT_LINE, 1, 0x5a);
    struct record vanished = {.kind = PCV_EVENT_VANISHED};
    struct hosted h;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pcv_model_on_event(h.model, keep, &vanished);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    assert_int_equal(vanished.count, 1);
    assert_true(hosted_status(&h, TREE_LEAF).vanished);
    assert_true(hosted_info(&h, TREE_LEAF).vanished);
    calls = hosted_calls(&h);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_VENDOR, 2), 0xffff);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_BAR0, 4), 0xffffffffu);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_DONE);
    assert_int_equal(hosted_calls(&h), calls); /* hardware is left alone */
    assert_int_equal(pcv_model_peek(h.model, TREE_LEAF, PCV_REG_INT_LINE, 1),
                     0);
    /* It stays until it is removed. */
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    pcv_model_on_event(h.model, NULL, NULL);
    hosted_end(&h);
}

static uint32_t vanished_set(struct hosted *h)
{
    const pcv_sbdf all[] = {TREE_ENDPOINT, TREE_ROOT_PORT, TREE_UPSTREAM,
                            TREE_PORT_3,   TREE_LEAF,      TREE_PORT_4,
                            TREE_PF,       TREE_VF_0,      TREE_VF_1};
    uint32_t set = 0;

    for (size_t i = 0; i < COUNT(all); i++) {
        set |= (uint32_t)hosted_status(h, all[i]).vanished << i;
    }
    return set;
}

/* LIFE-9 */
static void what_belongs_to_a_vanished_device_vanishes_with_it(void **state)
{
    const struct {
        pcv_sbdf sbdf;
        uint32_t set; /* bits as in vanished_set() */
    } rows[] = {
        {TREE_LEAF, 0x010},      {TREE_VF_0, 0x080},   {TREE_PF, 0x1c0},
        {TREE_PORT_3, 0x018},    {TREE_PORT_4, 0x1e0}, {TREE_UPSTREAM, 0x1fc},
        {TREE_ROOT_PORT, 0x1fe}, {TREE_ENDPOINT, 0x001},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;
        uint32_t busy;

        tree_start(&h);
        assert_int_equal(pcv_model_pull(h.model, rows[i].sbdf), 0);
        assert_int_equal(pcv_device_vanished(h.host, rows[i].sbdf), 0);
        assert_int_equal(vanished_set(&h), rows[i].set);
        /* A bridge's removal still works: what it covered is remembered. */
        if (rows[i].sbdf.v == TREE_PF.v) {
            assert_int_equal(take_out(&h, TREE_PORT_4, NULL, &busy), 0);
        } else {
            assert_int_equal(take_out(&h, rows[i].sbdf, NULL, &busy), 0);
        }
        hosted_end(&h);
    }
}

/* LIFE-9 */
static void a_vanished_device_that_is_held_goes_with_its_last_holder(
    void **state)
{
    struct pcv_vector vector = {0};
    struct completion c = {.completion = {done}};
    struct hosted h;
    struct pcv_device *device;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 0), 0);
    assert_int_equal(pcv_model_pull(h.model, TREE_LEAF), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    calls = pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) +
            pcv_model_calls(h.model, PCV_MODEL_OP_cfg_write);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    pcv_device_put(device);
    assert_int_equal(c.calls, 0);
    pcv_vector_detach(&vector);
    assert_int_equal(c.calls, 1);
    /* Nothing was asked of what is gone. */
    assert_int_equal(pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) +
                         pcv_model_calls(h.model, PCV_MODEL_OP_cfg_write),
                     calls);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_model_plug(h.model, TREE_LEAF), 0);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), 0);
    assert_false(hosted_status(&h, TREE_LEAF).vanished);
    hosted_end(&h);
}

struct puller {
    struct hosted *h;
    pcv_sbdf adding, gone;
};

/* Called while an add asks hardware. */
static void report_gone(void *arg, const struct pcv_model_cfg *access)
{
    struct puller *p = arg;

    if (access->sbdf.v == p->adding.v) {
        assert_int_equal(pcv_device_vanished(p->h->host, p->gone), 0);
    }
}

/* LIFE-9, LIFE-7 */
static void what_is_added_while_its_bridge_or_pf_vanishes_is_not_there(
    void **state)
{
    const struct {
        pcv_sbdf adding, gone;
        bool vf;
    } rows[] = {{TREE_LEAF, TREE_ROOT_PORT, false},
                {TREE_LEAF, TREE_PORT_3, false},
                {TREE_VF_1, TREE_PF, true}};
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = TREE_PF};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;
        struct puller p = {&h, rows[i].adding, rows[i].gone};
        uint32_t busy;

        tree_start(&h);
        assert_int_equal(take_out(&h, rows[i].adding, NULL, &busy), 0);
        pcv_model_watch(h.model, report_gone, &p);
        assert_int_equal(pcv_device_add(h.host, rows[i].adding,
                                        rows[i].vf ? &info : NULL),
                         -PCV_ENODEV);
        pcv_model_watch(h.model, NULL, NULL);
        assert_int_equal(hosted_state(&h, rows[i].adding), PCV_STATE_ABSENT);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS - 1);
        assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), 0);
        hosted_end(&h);
    }
}

/* ---- an access that is inside ---------------------------------------------
 */

struct remover {
    struct hosted *h;
    struct completion *completion;
    int result;
    uint32_t busy;
};

/* Called while an access is inside the device's gate. */
static void remove_it(void *arg, const struct pcv_model_cfg *access)
{
    struct remover *r = arg;

    if (access->sbdf.v == TREE_LEAF.v && r->result == 1) {
        r->result = 2; /* once */
        r->result = take_out(r->h, TREE_LEAF, r->completion, &r->busy);
    }
}

/* LIFE-11 */
static void an_access_in_flight_ends_against_the_device_that_it_entered(
    void **state)
{
    struct completion c = {.completion = {done}};
    struct hosted h;
    struct remover r = {.h = &h, .completion = &c, .result = 1};

    (void)state;
    tree_start(&h);
    pcv_model_watch(h.model, remove_it, &r);
    /* A register without handler or lock: the removal runs inside it. */
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_VENDOR, 4), 0x10d38086);
    pcv_model_watch(h.model, NULL, NULL);
    /* The removal did not wait, and did not say that the object was gone. */
    assert_int_equal(r.result, -PCV_EBUSY);
    assert_int_equal(r.busy, TREE_LEAF.v);
    /* The access was the last holder. */
    assert_int_equal(c.calls, 1);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_VENDOR, 4),
                     0xffffffffu);
    hosted_end(&h);
}

/* LIFE-11 */
static void after_a_removal_returned_0_nothing_reaches_hardware(void **state)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_COMMAND, 2, 0);
    struct hosted h;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    calls = hosted_calls(&h);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_ABSENT);
    assert_int_equal(pcv_access_resume(pcv_host_hardware_domain(h.host),
                                       &access),
                     PCV_DONE);
    assert_int_equal(hosted_calls(&h), calls);
    hosted_end(&h);
}

/* ---- failing host, and the end --------------------------------------------
 */

/* LIFE-5, PORT-3 */
static void a_removal_is_not_stopped_by_an_unmap_that_fails(void **state)
{
    struct record failed = {.kind = PCV_EVENT_UNMAP_FAILED};
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pcv_model_on_event(h.model, keep, &failed);
    pcv_model_fail(h.model, PCV_MODEL_OP_unmap, 1);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    assert_int_equal(failed.count, 1);
    assert_int_equal(failed.sbdf[0], TREE_LEAF.v);
    pcv_model_on_event(h.model, NULL, NULL);
    hosted_end(&h);
}

/* LIFE-5, PORT-3 */
static void a_removal_needs_no_memory(void **state)
{
    struct hosted h;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc);
    pcv_model_set_map_chunk(h.model, 1);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), 0);
    assert_int_equal(pcv_model_calls(h.model, PCV_MODEL_OP_alloc), calls);
    hosted_end(&h);
}

/* PORT-3, LIFE-4 */
static void a_host_does_not_end_while_somebody_holds_a_device(void **state)
{
    struct pcv_vector vector = {0};
    struct hosted h;
    struct pcv_device *device;
    uint64_t bytes;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    bytes = pcv_model_bytes(h.model);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    assert_int_equal(hosted_stats(&h).leaving, 0);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 3), 0);
    pcv_device_put(device);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY); /* the vector */
    assert_int_equal(pcv_model_bytes(h.model), bytes);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY); /* leaving */
    pcv_vector_detach(&vector);
    assert_int_equal(pcv_host_destroy(NULL), 0);
    hosted_end(&h);
}

/* PORT-3 */
static void a_host_that_cannot_be_created_leaves_nothing_behind(void **state)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 4};
    struct pcv_model *model = pcv_test_model();
    struct pcv_host *host = NULL;
    uint64_t n;
    int error = -1;

    (void)state;
    pcv_test_ready(model);
    for (n = 1; error != 0; n++) {
        pcv_model_fail(model, PCV_MODEL_OP_alloc, n);
        error = pcv_host_create(pcv_model_ops(), model, &config, &host);
        pcv_model_fail(model, PCV_MODEL_OP_alloc, 0);
        if (error != 0) {
            assert_int_equal(error, -PCV_ENOMEM);
            assert_null(host);
            assert_int_equal(pcv_model_bytes(model), 0);
        }
    }
    assert_true(n > 2);
    assert_int_equal(pcv_host_destroy(host), 0);
    assert_int_equal(pcv_model_bytes(model), 0);
    pcv_model_destroy(model);
}

/* LIFE-6 */
static void every_device_that_was_added_is_told_gone_once(void **state)
{
    struct record added = {.kind = PCV_EVENT_ADDED};
    struct record gone = {.kind = PCV_EVENT_GONE};
    struct hosted h;

    (void)state;
    tree_build(&h);
    hosted_start(&h);
    pcv_model_on_event(h.model, keep, &added);
    assert_int_equal(hosted_scan(&h), TREE_FUNCTIONS);
    pcv_model_on_event(h.model, keep, &gone);
    hosted_end(&h);
    assert_int_equal(added.count, TREE_FUNCTIONS);
    assert_int_equal(gone.count, TREE_FUNCTIONS);
    for (size_t i = 0; i < added.count; i++) {
        size_t seen = 0;

        for (size_t j = 0; j < gone.count; j++) {
            seen += gone.sbdf[j] == added.sbdf[i];
        }
        assert_int_equal(seen, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_device_cannot_be_removed),
        cmocka_unit_test(a_device_that_nobody_holds_goes_at_once),
        cmocka_unit_test(a_device_that_leaves_is_not_found_entered_or_mapped),
        cmocka_unit_test(a_remove_may_be_repeated_and_drops_nothing_twice),
        cmocka_unit_test(a_status_query_has_no_side_effects),
        cmocka_unit_test(at_its_completion_the_address_is_free_again),
        cmocka_unit_test(a_pf_waits_for_its_vfs),
        cmocka_unit_test(a_removal_waits_for_the_vectors_of_the_device),
        cmocka_unit_test(vectors_that_the_host_frees_do_not_keep_the_device),
        cmocka_unit_test(a_device_whose_vectors_are_all_freed_goes_at_once),
        cmocka_unit_test(a_bridge_goes_with_all_behind_it_deepest_first),
        cmocka_unit_test(a_bridge_with_a_held_device_behind_it_stays_and_names_it),
        cmocka_unit_test(
            a_bridge_with_a_vector_behind_it_stays_and_names_the_device),
        cmocka_unit_test(a_bridge_waits_for_a_device_behind_it_that_is_leaving),
        cmocka_unit_test(
            a_bridge_that_is_held_itself_leaves_and_what_is_behind_goes),
        cmocka_unit_test(a_bridge_before_a_pf_waits_for_vfs_that_are_elsewhere),
        cmocka_unit_test(
            a_bridge_that_vanishes_takes_vfs_of_pfs_behind_it_along),
        cmocka_unit_test(a_vanished_device_reads_all_ones_and_takes_no_write),
        cmocka_unit_test(what_belongs_to_a_vanished_device_vanishes_with_it),
        cmocka_unit_test(a_vanished_device_that_is_held_goes_with_its_last_holder),
        cmocka_unit_test(
            what_is_added_while_its_bridge_or_pf_vanishes_is_not_there),
        cmocka_unit_test(
            an_access_in_flight_ends_against_the_device_that_it_entered),
        cmocka_unit_test(after_a_removal_returned_0_nothing_reaches_hardware),
        cmocka_unit_test(a_removal_is_not_stopped_by_an_unmap_that_fails),
        cmocka_unit_test(a_removal_needs_no_memory),
        cmocka_unit_test(a_host_does_not_end_while_somebody_holds_a_device),
        cmocka_unit_test(a_host_that_cannot_be_created_leaves_nothing_behind),
        cmocka_unit_test(every_device_that_was_added_is_told_gone_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
