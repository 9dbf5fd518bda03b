/* SPDX-License-Identifier: MIT */
/*
 * What tests of removals share: a removal and who was in its way, completions,
 * and the record of one kind of event.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_REMOVALS_H
#define PCV_TESTS_UNIT_REMOVALS_H

#include "hosted.h"

#define NOBODY 0xdeadbeefu

struct completion {
    struct pcv_completion completion; /* first */
    unsigned calls;
    pcv_sbdf sbdf;
};

static inline void done(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct completion *c = (struct completion *)self;

    c->calls++;
    c->sbdf = sbdf;
}

/* Remove, and who was in the way. */
static inline int take_out(struct hosted *h, pcv_sbdf sbdf,
                           struct completion *c, uint32_t *out_busy)
{
    pcv_sbdf busy = {NOBODY};
    int error =
        pcv_device_remove(h->host, sbdf, c ? &c->completion : NULL, &busy);

    *out_busy = busy.v;
    return error;
}

/* Addresses of one kind of event, in the order in which they came. */
struct record {
    enum pcv_event_kind kind;
    uint32_t sbdf[16];
    size_t count;
};

static inline void keep(void *arg, const struct pcv_event *event)
{
    struct record *record = arg;

    if (event->kind == record->kind &&
        record->count < sizeof(record->sbdf) / sizeof(record->sbdf[0])) {
        record->sbdf[record->count++] = event->sbdf.v;
    }
}

/*
 * Two root ports; behind the first a PF whose VF is behind the second (which
 * no hardware would do, but its registers may say it).
 */
#define FAR_PORT pcv_test_at(0, 0, 2, 0)
#define FAR_PF pcv_test_at(0, 1, 0, 0)
#define FAR_VF pcv_test_at(0, 2, 0, 0)

static inline void far_vf_start(struct hosted *h)
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

#endif
