/* SPDX-License-Identifier: MIT */
/* The log of events behind PCV_CTL_EVENTS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "pcivisor/ctl.h"

#define KEPT 4u
#define ROOM 3u

/* Ask for those from a number on. */
static int ask(struct hosted *h, struct pcv_event_log *log, uint64_t from,
               union pcv_ctl_record *record, struct pcv_ctl_reply *reply)
{
    struct pcv_ctl_request request = {.op = PCV_CTL_EVENTS, .cursor = from};

    request.u.events.log = log;
    reply->record = record;
    reply->room = ROOM;
    return pcv_ctl(h->host, &request, reply);
}

/* CTL-1, PORT-3 */
static void a_log_needs_memory_and_a_size_that_makes_sense(void **state)
{
    struct pcv_event_log *log = NULL;
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_event_log_create(h.host, 0, &log), -PCV_EINVAL);
    assert_int_equal(pcv_event_log_create(h.host, 65537, &log), -PCV_EINVAL);
    assert_int_equal(pcv_event_log_create(NULL, KEPT, &log), -PCV_EINVAL);
    assert_int_equal(pcv_event_log_create(h.host, KEPT, NULL), -PCV_EINVAL);
    pcv_model_fail(h.model, PCV_MODEL_OP_alloc, 1);
    assert_int_equal(pcv_event_log_create(h.host, KEPT, &log), -PCV_ENOMEM);
    assert_null(log);
    pcv_event_log_destroy(NULL);
    hosted_end(&h);
}

/* CTL-1 */
static void the_log_keeps_the_last_events_and_counts_what_it_lost(void **state)
{
    struct pcv_event event = {.kind = PCV_EVENT_ADDED};
    union pcv_ctl_record record[ROOM];
    struct pcv_event_log *log = NULL;
    struct pcv_ctl_reply reply;
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(ask(&h, NULL, 0, record, &reply), -PCV_ENOSYS);
    assert_int_equal(pcv_event_log_create(h.host, KEPT, &log), 0);
    for (uint32_t i = 0; i < 10; i++) {
        event.sbdf.v = i;
        pcv_event_log_add(log, &event);
    }
    assert_int_equal(ask(&h, log, 0, record, &reply), 0);
    assert_int_equal(reply.count, ROOM);
    assert_true(reply.more);
    assert_int_equal(record[0].event.number, 6);
    assert_int_equal(record[2].event.event.sbdf.v, 8);
    assert_int_equal(ask(&h, log, reply.next, record, &reply), 0);
    assert_int_equal(reply.count, 1);
    assert_int_equal(record[0].event.number, 9);
    assert_false(reply.more);
    /* Nothing new, and a number that is none yet. */
    assert_int_equal(ask(&h, log, reply.next, record, &reply), 0);
    assert_int_equal(reply.count, 0);
    assert_int_equal(ask(&h, log, UINT64_MAX, record, &reply), 0);
    assert_int_equal(reply.count, 0);
    pcv_event_log_destroy(log);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_needs_memory_and_a_size_that_makes_sense),
        cmocka_unit_test(the_log_keeps_the_last_events_and_counts_what_it_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
