/* SPDX-License-Identifier: MIT */
/* The mailbox: its registers, its wire form, and clients that mean no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl/wire.h"
#include "hosted.h"
#include "pcivisor/mailbox.h"

#define CLAIM 1234u
#define EVENTS 16u

struct box {
    struct hosted h;
    struct pcv_mailbox *mailbox;
    uint8_t request[PCV_MAILBOX_REQUEST_SIZE];
};

static void box_start(struct box *b)
{
    memset(b, 0, sizeof(*b));
    tree_start(&b->h);
    assert_int_equal(pcv_mailbox_create(b->h.host, EVENTS, &b->mailbox), 0);
}

static void box_end(struct box *b)
{
    pcv_mailbox_destroy(b->mailbox);
    hosted_end(&b->h);
}

static uint64_t get(struct box *b, uint64_t at, uint8_t size)
{
    uint64_t value = 0;

    pcv_mailbox_read(b->mailbox, at, size, &value);
    return value;
}

static void put(struct box *b, uint64_t at, uint8_t size, uint64_t value)
{
    pcv_mailbox_write(b->mailbox, at, size, value);
}

static uint32_t reply(struct box *b, uint32_t at)
{
    return (uint32_t)get(b, PCV_MAILBOX_REPLY + at, 4);
}

/* b->request goes in and is rung for. Returns the result. */
static int32_t ring(struct box *b)
{
    for (uint32_t i = 0; i < sizeof(b->request); i += 4) {
        put(b, PCV_MAILBOX_REQUEST + i, 4, pcv__wire_get(b->request + i, 4));
    }
    put(b, PCV_MAILBOX_DOORBELL, 4, CLAIM);
    assert_int_equal(get(b, PCV_MAILBOX_STATE, 4), PCV_MAILBOX_DONE);
    return (int32_t)reply(b, PCV_REPLY_RESULT);
}

static void fill(struct box *b, enum pcv_ctl_op op, pcv_sbdf sbdf, uint32_t tag)
{
    struct pcv_ctl_request request;

    memset(&request, 0, sizeof(request));
    request.op = op;
    request.sbdf = sbdf;
    assert_true(pcv_request_encode(&request, tag, 0, b->request) >=
                PCV_REQUEST_ARGS);
}

static void set(struct box *b, uint32_t at, uint32_t value)
{
    pcv__wire_put(b->request + at, 4, value);
}

/* CTL-1 */
static void its_first_registers_say_what_it_is(void **state)
{
    struct box b;

    (void)state;
    box_start(&b);
    assert_int_equal(get(&b, 0x00, 4), 0x4d564350);
    assert_int_equal(get(&b, 0x04, 4), 0x00010000);
    assert_int_equal(get(&b, 0x00, 8), UINT64_C(0x000100004d564350));
    assert_int_equal(get(&b, 0x08, 4), PCV_MAILBOX_BAR_SIZE);
    assert_int_equal(get(&b, 0x0c, 4), PCV_MAILBOX_REQUEST);
    assert_int_equal(get(&b, 0x10, 4), PCV_MAILBOX_REQUEST_SIZE);
    assert_int_equal(get(&b, 0x14, 4), PCV_MAILBOX_REPLY);
    assert_int_equal(get(&b, 0x18, 4), PCV_MAILBOX_REPLY_SIZE);
    assert_int_equal(get(&b, 0x1c, 4), PCV_MAILBOX_IDLE);
    box_end(&b);
}

/* CTL-2 */
static void accesses_of_other_widths_read_ones_and_change_nothing(void **state)
{
    static const struct {
        uint64_t at;
        uint8_t size;
    } odd[] = {
        {0x00, 1},
        {0x00, 2},
        {0x02, 4},
        {0x04, 8},
        {0x00, 3},
        {0x00, 16},
        {0x00, 0},
        {PCV_MAILBOX_BAR_SIZE, 4},
        {PCV_MAILBOX_BAR_SIZE - 4, 8},
        {UINT64_MAX, 4},
        {UINT64_MAX - 3, 4},
        {UINT64_MAX - 7, 8},
        {UINT64_C(1) << 32, 4},
    };
    struct box b;

    (void)state;
    box_start(&b);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        uint64_t ones =
            odd[i].size < 8 ? (UINT64_C(1) << odd[i].size * 8) - 1 : UINT64_MAX;

        put(&b, odd[i].at, odd[i].size, 0x5a5a5a5a);
        assert_int_equal(get(&b, odd[i].at, odd[i].size), ones);
    }
    /* What nobody can write stays, and where nothing stands there are ones. */
    for (uint32_t at = 0; at < PCV_MAILBOX_BAR_SIZE; at += 4) {
        bool request = at >= PCV_MAILBOX_REQUEST &&
                       at < PCV_MAILBOX_REQUEST + PCV_MAILBOX_REQUEST_SIZE;
        uint64_t before = get(&b, at, 4);

        if (at == PCV_MAILBOX_CLAIM) {
            continue;
        }
        put(&b, at, 4, 0x5a5a5a5a);
        assert_int_equal(get(&b, at, 4), request ? 0x5a5a5a5a : before);
    }
    box_end(&b);
}

/* CTL-2 */
static void only_who_has_the_claim_is_heard(void **state)
{
    struct box b;

    (void)state;
    box_start(&b);
    fill(&b, PCV_CTL_STATS, TREE_LEAF, 1);
    put(&b, PCV_MAILBOX_DOORBELL, 4, 0);
    put(&b, PCV_MAILBOX_DOORBELL, 4, CLAIM);
    assert_int_equal(get(&b, PCV_MAILBOX_STATE, 4), PCV_MAILBOX_IDLE);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM + 1); /* too late */
    put(&b, PCV_MAILBOX_CLAIM, 4, 0);
    assert_int_equal(get(&b, PCV_MAILBOX_CLAIM, 4), CLAIM);
    put(&b, PCV_MAILBOX_DOORBELL, 4, CLAIM + 1);
    assert_int_equal(get(&b, PCV_MAILBOX_STATE, 4), PCV_MAILBOX_IDLE);
    assert_int_equal(ring(&b), 0);
    put(&b, PCV_MAILBOX_RELEASE, 4, CLAIM + 1);
    assert_int_equal(get(&b, PCV_MAILBOX_CLAIM, 4), CLAIM);
    put(&b, PCV_MAILBOX_RELEASE, 4, CLAIM);
    assert_int_equal(get(&b, PCV_MAILBOX_CLAIM, 4), 0);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM + 1);
    assert_int_equal(get(&b, PCV_MAILBOX_CLAIM, 4), CLAIM + 1);
    box_end(&b);
}

/* CTL-1 */
static void a_reply_says_what_it_answers_and_brings_records(void **state)
{
    struct box b;

    (void)state;
    box_start(&b);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM);
    fill(&b, PCV_CTL_LIST, TREE_LEAF, 77);
    assert_int_equal(ring(&b), 0);
    assert_int_equal(reply(&b, PCV_REPLY_VERSION), 0x00010000);
    assert_int_equal(reply(&b, PCV_REPLY_TAG), 77);
    assert_int_equal(reply(&b, PCV_REPLY_OP), PCV_CTL_LIST);
    assert_int_equal(reply(&b, PCV_REPLY_COUNT), TREE_FUNCTIONS);
    assert_int_equal(reply(&b, PCV_REPLY_RECORD_SIZE), 0xf0);
    assert_int_equal(reply(&b, PCV_REPLY_SIZE), 0x40 + TREE_FUNCTIONS * 0xf0);
    assert_int_equal(reply(&b, PCV_REPLY_FLAGS), 0);
    /* The second function is 00:01.0, 8086:100e. */
    assert_int_equal(reply(&b, 0x40 + 0xf0), TREE_ENDPOINT.v);
    assert_int_equal(reply(&b, 0x40 + 0xf0 + 0x14), 0x100e8086);
    /* As many as are wanted, and the rest later. */
    set(&b, PCV_REQUEST_RECORDS, 2);
    assert_int_equal(ring(&b), 0);
    assert_int_equal(reply(&b, PCV_REPLY_COUNT), 2);
    assert_int_equal(reply(&b, PCV_REPLY_FLAGS), PCV_REPLY_MORE);
    assert_int_equal(reply(&b, PCV_REPLY_NEXT), TREE_ENDPOINT.v + 1);
    /* A restart is told. */
    fill(&b, PCV_CTL_SCAN, TREE_LEAF, 78);
    assert_int_equal(ring(&b), -PCV_ERESTART);
    assert_int_equal(reply(&b, PCV_REPLY_NEXT), PCV_CTL_SCAN_BUSES);
    assert_int_equal(reply(&b, PCV_REPLY_COUNT), 1);
    box_end(&b);
}

/* CTL-1 */
static void events_are_kept_for_those_who_ask(void **state)
{
    struct pcv_event event = {.kind = PCV_EVENT_VANISHED,
                              .sbdf = {0x12345},
                              .domain_id = 9,
                              .arg = {5, 6}};
    struct pcv_mailbox *deaf = NULL;
    struct box b;

    (void)state;
    box_start(&b);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM);
    for (uint32_t i = 0; i < EVENTS + 3; i++) {
        pcv_mailbox_event(b.mailbox, &event);
    }
    fill(&b, PCV_CTL_EVENTS, TREE_LEAF, 1);
    assert_int_equal(ring(&b), 0);
    assert_int_equal(reply(&b, PCV_REPLY_COUNT), EVENTS);
    assert_int_equal(reply(&b, 0x40), 3);
    assert_int_equal(reply(&b, 0x40 + 0x08), PCV_EVENT_VANISHED);
    assert_int_equal(reply(&b, 0x40 + 0x10), 0x12345);
    assert_int_equal(reply(&b, 0x40 + 0x20), 6);
    assert_int_equal(pcv_mailbox_create(b.h.host, 0, &deaf), 0);
    pcv_mailbox_event(deaf, &event);
    pcv_mailbox_destroy(deaf);
    pcv_mailbox_destroy(NULL);
    box_end(&b);
}

/* CTL-2 */
static void requests_of_other_versions_and_sizes_are_refused(void **state)
{
    static const struct {
        uint32_t at, value;
        int32_t error;
    } bad[] = {
        {PCV_REQUEST_VERSION, 0, -PCV_EOPNOTSUPP},
        {PCV_REQUEST_VERSION, 0x00020000, -PCV_EOPNOTSUPP},
        {PCV_REQUEST_VERSION, 0x0001ffff, 0}, /* a later minor one */
        {PCV_REQUEST_SIZE, 0, -PCV_EINVAL},
        {PCV_REQUEST_SIZE, PCV_REQUEST_ARGS - 1, -PCV_EINVAL},
        {PCV_REQUEST_SIZE, PCV_MAILBOX_REQUEST_SIZE + 1, -PCV_EINVAL},
        {PCV_REQUEST_SIZE, UINT32_MAX, -PCV_EINVAL},
        {PCV_REQUEST_SIZE, PCV_MAILBOX_REQUEST_SIZE, 0},
        {PCV_REQUEST_OP, 0, -PCV_ENOSYS},
        {PCV_REQUEST_OP, PCV_CTL_OP_LIMIT, -PCV_ENOSYS},
        {PCV_REQUEST_OP, UINT32_MAX, -PCV_ENOSYS},
        {PCV_REQUEST_FLAGS, 2, -PCV_EINVAL},
        {PCV_REQUEST_CURSOR + 4, 1, -PCV_EINVAL},
    };
    struct box b;

    (void)state;
    box_start(&b);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fill(&b, PCV_CTL_LIST, TREE_LEAF, 100 + (uint32_t)i);
        set(&b, bad[i].at, bad[i].value);
        assert_int_equal(ring(&b), bad[i].error);
        assert_int_equal(reply(&b, PCV_REPLY_TAG), 100 + i);
        assert_int_equal(reply(&b, PCV_REPLY_COUNT) != 0, bad[i].error == 0);
    }
    /* What a later version may use is not ignored, unless it is said not to be
     * there. */
    fill(&b, PCV_CTL_LIST, TREE_LEAF, 1);
    set(&b, PCV_REQUEST_ARGS, 1);
    assert_int_equal(ring(&b), 0);
    set(&b, PCV_REQUEST_SIZE, PCV_REQUEST_ARGS + 4);
    assert_int_equal(ring(&b), -PCV_EINVAL);
    /* Nor is a pointer made of what stands there. */
    fill(&b, PCV_CTL_REMOVE, TREE_LEAF, 1);
    set(&b, PCV_REQUEST_SIZE, PCV_REQUEST_ARGS + 8);
    set(&b, PCV_REQUEST_ARGS, 0x1000);
    assert_int_equal(ring(&b), -PCV_EINVAL);
    assert_true(hosted_found(&b.h, TREE_LEAF));
    box_end(&b);
}

/* PORT-3 */
static void without_memory_there_is_no_mailbox_and_nothing_leaks(void **state)
{
    struct pcv_mailbox *mailbox = NULL;
    struct box b;

    (void)state;
    box_start(&b);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        pcv_model_fail(b.h.model, PCV_MODEL_OP_alloc, nth);
        assert_int_equal(pcv_mailbox_create(b.h.host, EVENTS, &mailbox),
                         -PCV_ENOMEM);
        assert_null(mailbox);
    }
    assert_int_equal(pcv_mailbox_create(b.h.host, 65537, &mailbox),
                     -PCV_EINVAL);
    assert_int_equal(pcv_mailbox_create(NULL, EVENTS, &mailbox), -PCV_EINVAL);
    assert_int_equal(pcv_mailbox_create(b.h.host, EVENTS, NULL), -PCV_EINVAL);
    box_end(&b);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* CTL-2 */
static void anything_may_be_written_anywhere(void **state)
{
    uint32_t seed = 2463534242u;
    struct pcv_domain *guest;
    struct box b;

    (void)state;
    box_start(&b);
    assert_int_equal(pcv_domain_create(b.h.host, 1, &guest), 0);
    put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM);
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t op = next_random(&seed) % 22;
        pcv_sbdf sbdf = {next_random(&seed) & 0x40fu};

        /* Most of it sensible, so that it gets far. */
        if (pcv_ctl_op_name(op)) {
            fill(&b, (enum pcv_ctl_op)op, sbdf, round);
            set(&b, PCV_REQUEST_SIZE, PCV_MAILBOX_REQUEST_SIZE);
            set(&b, PCV_REQUEST_DOMAIN, next_random(&seed) & 1);
        }
        for (uint32_t i = next_random(&seed) % 4; i > 0; i--) {
            uint32_t at = next_random(&seed) % 48 * 4;

            set(&b, at, next_random(&seed) >> next_random(&seed) % 32);
        }
        put(&b, next_random(&seed) & 0x3ff8u, 8, next_random(&seed));
        put(&b, PCV_MAILBOX_CLAIM, 4, CLAIM);
        if (get(&b, PCV_MAILBOX_CLAIM, 4) == CLAIM) {
            (void)ring(&b);
        }
    }
    for (uint32_t rid = 0; rid < 0x500; rid++) {
        while (pcv_device_deassign(b.h.host, (pcv_sbdf){rid}) ==
               -PCV_ERESTART) {
        }
    }
    box_end(&b);
}

/* ---- the wire form --------------------------------------------------------
 */

/* Every byte of a shape belongs to at most one field, inside its size. */
static void check_shape(const struct pcv__wire_shape *shape)
{
    uint8_t taken[PCV_RECORD_SIZE_MAX];

    memset(taken, 0, sizeof(taken));
    assert_true(shape->size <= sizeof(taken));
    assert_int_equal(shape->size % 4, 0);
    for (uint32_t i = 0; i < shape->fields; i++) {
        const struct pcv__wire_field *field = &shape->field[i];

        for (uint32_t n = 0; n < field->count; n++) {
            uint32_t at = field->wire + n * field->wire_step;

            assert_int_equal(at % field->width, 0);
            for (uint32_t byte = 0; byte < field->width; byte++) {
                assert_true(at + byte < shape->size);
                assert_int_equal(taken[at + byte]++, 0);
            }
        }
    }
}

/* CTL-1 */
static void no_two_fields_share_a_place(void **state)
{
    (void)state;
    for (uint32_t op = 0; op < PCV_CTL_OP_LIMIT; op++) {
        const struct pcv__wire_op *wire = pcv__wire_op(op);

        assert_int_equal(wire != NULL, pcv_ctl_op_name(op) != NULL);
        if (wire) {
            check_shape(wire->args);
            check_shape(wire->record);
            assert_true(PCV_REQUEST_ARGS + wire->args->size <=
                        PCV_MAILBOX_REQUEST_SIZE);
        }
    }
    assert_null(pcv__wire_op(UINT32_MAX));
}

/* CTL-1 */
static void what_is_encoded_is_decoded(void **state)
{
    uint8_t bytes[PCV_RECORD_SIZE_MAX], again[PCV_RECORD_SIZE_MAX];
    union pcv_ctl_record record;
    uint32_t seed = 1;

    (void)state;
    for (uint32_t op = 0; op < PCV_CTL_OP_LIMIT; op++) {
        uint32_t size = pcv_record_size(op);

        for (uint32_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)next_random(&seed);
        }
        /* What it makes of noise, it keeps. */
        pcv_record_decode(op, bytes, size, &record);
        pcv_record_encode(op, &record, bytes);
        pcv_record_decode(op, bytes, size, &record);
        pcv_record_encode(op, &record, again);
        assert_memory_equal(bytes, again, sizeof(bytes));
    }
    /* A bool is one of two values, whatever was sent. */
    memset(bytes, 0, sizeof(bytes));
    bytes[0x38] = 2;
    pcv_record_decode(PCV_CTL_DEVICE, bytes, 0xf0, &record);
    memcpy(again, &record.device.info.extended, 1);
    assert_int_equal(again[0], true);
    /* A record of an earlier minor version is shorter. */
    memset(bytes, 0xff, sizeof(bytes));
    pcv_record_decode(PCV_CTL_STATS, bytes, 8, &record);
    assert_int_equal(record.stats.devices, UINT64_MAX);
    assert_int_equal(record.stats.leaving, 0);
}

/* CTL-1 */
static void an_assignment_travels_but_for_its_image(void **state)
{
    uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE];
    struct pcv_ctl_request request, other;
    uint32_t records = 0;

    (void)state;
    memset(&request, 0, sizeof(request));
    request.op = PCV_CTL_ASSIGN;
    request.sbdf.v = 0x10203;
    request.domain_id = 5;
    request.cursor = UINT64_C(0x1122334455667788);
    request.u.assign.flags = PCV_ASSIGN_SLOT | PCV_ASSIGN_NO_RESET;
    request.u.assign.slot = 0x18;
    request.u.assign.bars_out = 3;
    request.u.assign.cap_count = 16;
    request.u.assign.caps[15] = (struct pcv_cap_choice){0x1e, true, true};
    request.u.assign.passed_count = 8;
    request.u.assign.passed[7] = (struct pcv_passed_range){0x40, 0x10, true};
    request.u.assign.rom = bytes;
    request.u.assign.rom_size = 7;
    assert_int_equal(pcv_request_encode(&request, 9, 33, bytes), 0xb0);
    assert_int_equal(pcv_request_decode(bytes, &other, &records), 0);
    assert_int_equal(records, 33);
    request.u.assign.rom = NULL;
    request.u.assign.rom_size = 0;
    assert_int_equal(other.u.assign.caps[15].id, 0x1e);
    assert_true(other.u.assign.caps[15].extended);
    assert_true(other.u.assign.caps[15].show);
    assert_int_equal(other.u.assign.passed[7].size, 0x10);
    assert_true(other.u.assign.passed[7].write);
    assert_int_equal(other.cursor, request.cursor);
    assert_memory_equal(&other.u.assign, &request.u.assign,
                        offsetof(struct pcv_assign_policy, caps));
    request.op = 0;
    assert_int_equal(pcv_request_encode(&request, 9, 33, bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_first_registers_say_what_it_is),
        cmocka_unit_test(accesses_of_other_widths_read_ones_and_change_nothing),
        cmocka_unit_test(only_who_has_the_claim_is_heard),
        cmocka_unit_test(a_reply_says_what_it_answers_and_brings_records),
        cmocka_unit_test(events_are_kept_for_those_who_ask),
        cmocka_unit_test(requests_of_other_versions_and_sizes_are_refused),
        cmocka_unit_test(without_memory_there_is_no_mailbox_and_nothing_leaks),
        cmocka_unit_test(anything_may_be_written_anywhere),
        cmocka_unit_test(no_two_fields_share_a_place),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(an_assignment_travels_but_for_its_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
