/* SPDX-License-Identifier: MIT */
/* Groups, declarations and requester IDs as control operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "joined.h"
#include "pcivisor/ctl.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct pcv_ctl_request request_for(uint32_t op, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request;

    memset(&request, 0, sizeof(request));
    request.op = op;
    request.sbdf = sbdf;
    return request;
}

static int call(struct joined *j, const struct pcv_ctl_request *request)
{
    union pcv_ctl_record record[8];
    struct pcv_ctl_reply reply = {.record = record, .room = COUNT(record)};

    return pcv_ctl(j->h.host, request, &reply);
}

/* CTL-1 CTL-2 TOPO-6 */
static void a_group_is_told_page_by_page(void **state)
{
    static const uint32_t members[] = {0x100, 0x200, 0x208, 0x210, 0x320};

    (void)state;
    for (uint32_t room = 1; room <= COUNT(members) + 1; room++) {
        union pcv_ctl_record record[8];
        struct pcv_ctl_reply reply = {.record = record, .room = room};
        struct pcv_ctl_request request;
        uint32_t seen = 0;
        struct joined j;

        joined_start(&j);
        request = request_for(PCV_CTL_GROUP, JOINED_DEEP);
        do {
            assert_int_equal(pcv_ctl(j.h.host, &request, &reply), 0);
            assert_true(reply.count <= room);
            for (uint32_t i = 0; i < reply.count; i++) {
                assert_true(seen < COUNT(members));
                assert_int_equal(record[i].member.sbdf.v, members[seen]);
                seen++;
            }
            request.cursor = reply.next;
        } while (reply.more);
        assert_int_equal(seen, COUNT(members));
        hosted_end(&j.h);
    }
}

/* CTL-1 CTL-2 TOPO-5 */
static void requester_ids_are_told_page_by_page_after_one_was_named(
    void **state)
{
    union pcv_ctl_record record[1];
    struct pcv_ctl_reply reply = {.record = record, .room = 1};
    struct pcv_ctl_request request;
    uint32_t seen = 0;
    struct joined j;

    (void)state;
    joined_start(&j);
    request = request_for(PCV_CTL_REQUESTERS, JOINED_OLD);
    request.u.requesters.what = PCV_CTL_REQUESTERS_ADD;
    request.u.requesters.requester = pcv_test_at(0, 7, 1, 1);
    do {
        static const uint32_t ids[] = {0x708, 0x010, 0x709};

        assert_int_equal(pcv_ctl(j.h.host, &request, &reply), 0);
        assert_int_equal(reply.count, 1);
        assert_int_equal(record[0].requester.id.v, ids[seen]);
        seen++;
        request.cursor = reply.next;
    } while (reply.more);
    assert_int_equal(seen, 3);
    request = request_for(PCV_CTL_REQUESTERS, JOINED_ALONE);
    request.u.requesters.what = PCV_CTL_REQUESTERS_PHANTOM;
    request.u.requesters.stride = 4;
    assert_int_equal(pcv_ctl(j.h.host, &request, &reply), 0);
    assert_true(reply.more);
    hosted_end(&j.h);
}

/* CTL-2 */
static void what_makes_no_sense_is_refused(void **state)
{
    struct pcv_ctl_request request;
    struct joined j;

    (void)state;
    joined_start(&j);
    request = request_for(PCV_CTL_GROUP, TREE_NOTHING);
    assert_int_equal(call(&j, &request), -PCV_ENODEV);
    request = request_for(PCV_CTL_GROUP, JOINED_OLD);
    request.cursor = (uint64_t)UINT32_MAX + 1;
    assert_int_equal(call(&j, &request), -PCV_EINVAL);
    request = request_for(PCV_CTL_REQUESTERS, JOINED_OLD);
    request.cursor = (uint64_t)UINT32_MAX + 1;
    assert_int_equal(call(&j, &request), -PCV_EINVAL);
    request = request_for(PCV_CTL_REQUESTERS, JOINED_OLD);
    request.u.requesters.what = 3;
    assert_int_equal(call(&j, &request), -PCV_EINVAL);
    request = request_for(PCV_CTL_REQUESTERS, TREE_NOTHING);
    assert_int_equal(call(&j, &request), -PCV_ENODEV);
    request = request_for(PCV_CTL_ISOLATE, JOINED_ALONE);
    request.u.isolate.isolated = 2;
    assert_int_equal(call(&j, &request), -PCV_EINVAL);
    request = request_for(PCV_CTL_ISOLATE, JOINED_OLD);
    request.u.isolate.isolated = 1;
    assert_int_equal(call(&j, &request), -PCV_EPERM);
    request.u.isolate.isolated = 0;
    assert_int_equal(call(&j, &request), 0);
    hosted_end(&j.h);
}

/* CTL-1 TOPO-6 */
static void a_declaration_shows_in_the_group(void **state)
{
    union pcv_ctl_record record[2];
    struct pcv_ctl_reply reply = {.record = record, .room = 2};
    struct pcv_ctl_request request;
    struct joined j;

    (void)state;
    joined_start(&j);
    request = request_for(PCV_CTL_ISOLATE, JOINED_ROOT_PORT);
    request.u.isolate.isolated = 1;
    assert_int_equal(call(&j, &request), 0);
    request = request_for(PCV_CTL_GROUP, JOINED_ROOT_PORT);
    assert_int_equal(pcv_ctl(j.h.host, &request, &reply), 0);
    assert_int_equal(reply.count, 1);
    assert_true(record[0].member.declared);
    assert_true(record[0].member.is_bridge);
    assert_int_equal(record[0].member.owner_id, PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&j.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_told_page_by_page),
        cmocka_unit_test(
            requester_ids_are_told_page_by_page_after_one_was_named),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_declaration_shows_in_the_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
