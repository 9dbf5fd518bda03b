/* SPDX-License-Identifier: MIT */
/*
 * What the hardware domain sees of extended space, when it goes and comes again
 * (EXT-3), whatever fails meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ecam_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Who has extended space in the machine. */
static const uint32_t has[] = {0x000008, 0x000010, 0x000018, 0x000020,
                               0x000100, 0x000200, 0x000201, 0x000300,
                               0x000420, 0x000500};

/* ---- what it sees ----------------------------------------------------------
 */

#define ROWS 256u

/* The registers of a device that are not plain hardware, and its bytes. */
struct picture {
    struct pcv_register_info row[ROWS];
    size_t rows;
    uint32_t dword[PCV_CFG_EXT_SIZE / 4u];
};

static void take_picture(struct ecam *e, pcv_sbdf sbdf, struct picture *out)
{
    struct pcv_device *device = hosted_hold(&e->h, sbdf);
    struct pcv_register_info info;
    uint32_t offset = 0;

    memset(out, 0, sizeof(*out));
    while (offset < PCV_CFG_EXT_SIZE &&
           pcv_register_next(device, (uint16_t)offset, &info)) {
        if (info.name) {
            assert_in_range(out->rows, 0, ROWS - 1);
            out->row[out->rows++] = info;
        }
        offset = (uint32_t)info.offset + info.size;
    }
    pcv_device_put(device);
    for (uint32_t i = 0; i < COUNT(out->dword); i++) {
        out->dword[i] = hosted_read(&e->h, sbdf, (uint16_t)(4u * i), 4);
    }
}

static void expect_same(const struct picture *a, const struct picture *b)
{
    assert_int_equal(a->rows, b->rows);
    for (size_t i = 0; i < a->rows; i++) {
        assert_int_equal(a->row[i].offset, b->row[i].offset);
        assert_int_equal(a->row[i].size, b->row[i].size);
        assert_ptr_equal(a->row[i].name, b->row[i].name);
        assert_memory_equal(&a->row[i].policy, &b->row[i].policy,
                            sizeof(a->row[i].policy));
    }
    assert_memory_equal(a->dword, b->dword, sizeof(a->dword));
}

/* The rows below 0x100, where nothing may change. */
static void expect_same_header(const struct picture *a, const struct picture *b)
{
    size_t rows = 0;

    while (rows < a->rows && a->row[rows].offset < PCV_CFG_SIZE) {
        rows++;
    }
    assert_true(b->rows >= rows);
    assert_memory_equal(a->row, b->row, rows * sizeof(a->row[0]));
    assert_memory_equal(a->dword, b->dword, PCV_CFG_SIZE);
}

/* EXT-3, CFG-8 */
static void what_comes_again_is_what_was_there(void **state)
{
    static struct picture before[COUNT(has)];
    static struct picture without;
    static struct picture after;
    uint64_t bytes = 0;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    for (size_t i = 0; i < COUNT(has); i++) {
        take_picture(&e, (pcv_sbdf){has[i]}, &before[i]);
    }
    for (int round = 0; round < 3; round++) {
        assert_int_equal(ecam_say(&e, 0, 5, false, NULL), 0);
        for (size_t i = 0; i < COUNT(has); i++) {
            take_picture(&e, (pcv_sbdf){has[i]}, &without);
            expect_same_header(&before[i], &without);
            for (size_t at = PCV_CFG_SIZE / 4u; at < COUNT(without.dword);
                 at++) {
                assert_int_equal(without.dword[at], 0xffffffffu);
            }
        }
        assert_int_equal(ecam_say(&e, 0, 5, true, NULL), 0);
        for (size_t i = 0; i < COUNT(has); i++) {
            take_picture(&e, (pcv_sbdf){has[i]}, &after);
            expect_same(&before[i], &after);
        }
        /* It costs no more each time. */
        bytes = round == 0 ? pcv_model_bytes(e.h.model) : bytes;
        assert_int_equal(pcv_model_bytes(e.h.model), bytes);
    }
    hosted_end(&e.h);
}

/* EXT-3: as if it had been there from the start. */
static void what_comes_late_is_what_would_have_been_there(void **state)
{
    static struct picture at_once;
    static struct picture later;
    struct ecam e;
    struct ecam late;

    (void)state;
    ecam_up(&e);
    ecam_build(&late);
    ecam_start(&late);
    assert_int_equal(ecam_say(&late, 0, 5, false, NULL), 0);
    assert_int_equal(hosted_scan(&late.h), ECAM_FUNCTIONS - 2);
    assert_int_equal(ecam_say(&late, 0, 5, true, NULL), 0);
    assert_int_equal(hosted_scan(&late.h), 2);
    for (size_t i = 0; i < COUNT(has); i++) {
        struct pcv_device_info a = hosted_info(&e.h, (pcv_sbdf){has[i]});
        struct pcv_device_info b = hosted_info(&late.h, (pcv_sbdf){has[i]});

        take_picture(&e, (pcv_sbdf){has[i]}, &at_once);
        take_picture(&late, (pcv_sbdf){has[i]}, &later);
        expect_same(&at_once, &later);
        assert_memory_equal(&a, &b, sizeof(a));
    }
    hosted_end(&e.h);
    hosted_end(&late.h);
}

/* ---- failures at any call --------------------------------------------------
 */

/* Each device that changed was told of once, and none changed without. */
static void expect_told(struct ecam *e, bool on)
{
    for (size_t i = 0; i < COUNT(has); i++) {
        pcv_sbdf sbdf = {has[i]};

        if (!hosted_found(&e->h, sbdf)) {
            continue;
        }
        assert_int_equal(ecam_told(e, PCV_EVENT_EXTENDED, sbdf, on),
                         ecam_has(e, sbdf) == on);
        assert_int_equal(ecam_told(e, PCV_EVENT_EXTENDED, sbdf, !on), 0);
    }
}

/* What the hardware domain may not reach unmediated: where there is extended
 * space, each register of a capability that has a description has a row. */
static void expect_mediated(struct ecam *e, const struct picture *reference)
{
    static struct picture now;

    take_picture(e, ECAM_PF, &now);
    if (!ecam_has(e, ECAM_PF)) {
        return;
    }
    for (size_t i = 0; i < reference->rows; i++) {
        const struct pcv_register_info *row = &reference->row[i];
        bool covered = false;

        for (size_t j = 0; j < now.rows && !covered; j++) {
            covered = now.row[j].offset <= row->offset &&
                      row->offset < now.row[j].offset + now.row[j].size;
        }
        assert_true(covered);
    }
}

/* The devices that are told to have been left without extended space. */
static unsigned left_without(const struct ecam *e)
{
    unsigned count = 0;

    for (size_t i = 0; i < e->events; i++) {
        count += e->event[i].kind == PCV_EVENT_CAP_HIDDEN &&
                 e->event[i].arg[0] == 0x10000u;
    }
    return count;
}

/* Whether a capability was hidden and the rest of its device works. */
static bool hidden(const struct ecam *e)
{
    for (size_t i = 0; i < e->events; i++) {
        if (e->event[i].kind == PCV_EVENT_CAP_HIDDEN &&
            e->event[i].arg[0] != 0x10000u) {
            return true;
        }
    }
    return false;
}

/* Where a declaration is to be made. */
enum start {
    WITH, /* extended space is there, and goes */
    LOST, /* it was, and comes again */
    LATE, /* it was not: the VFs are not known either */
};

static void start(struct ecam *e, enum start how)
{
    if (how == LATE) {
        ecam_build(e);
        ecam_start(e);
        assert_int_equal(ecam_say(e, 0, 5, false, NULL), 0);
        assert_int_equal(hosted_scan(&e->h), ECAM_FUNCTIONS - 2);
    } else {
        ecam_up(e);
        if (how == LOST) {
            assert_int_equal(ecam_say(e, 0, 5, false, NULL), 0);
        }
    }
    e->events = 0;
}

static bool is_there(struct ecam *e, uint32_t at)
{
    return hosted_found(&e->h, (pcv_sbdf){at});
}

/* A declaration in which each call of a kind fails in turn, until one meets no
 * failure; each is followed by one that does not fail. *out_hidden counts those
 * that hid a capability and went on. */
static void fail_each(enum pcv_model_op op, int error_expected, enum start how,
                      unsigned *out_hidden)
{
    const bool on = how != WITH;
    static struct picture reference;
    unsigned partly = 0;
    bool met = true;
    struct ecam e;

    ecam_up(&e);
    take_picture(&e, ECAM_PF, &reference);
    hosted_end(&e.h);
    for (uint64_t n = 1; met; n++) {
        uint64_t calls;
        int error;

        start(&e, how);
        calls = pcv_model_calls(e.h.model, op);
        pcv_model_fail(e.h.model, op, n);
        error = ecam_say(&e, 0, 5, on, NULL);
        pcv_model_fail(e.h.model, op, 0);
        met = pcv_model_calls(e.h.model, op) - calls >= n;
        expect_told(&e, on);
        expect_mediated(&e, &reference);
        assert_true(error == 0 || error == error_expected);
        /* Nothing changed, or all but the one that is named (and what hangs on
         * it). */
        assert_int_equal(left_without(&e), error != 0 && e.events != 0);
        partly += left_without(&e);
        *out_hidden += error == 0 && hidden(&e);
        assert_int_equal(ecam_say(&e, 0, 5, on, NULL), 0);
        for (size_t i = 0; i < COUNT(has); i++) {
            assert_true(!is_there(&e, has[i]) ||
                        ecam_has(&e, (pcv_sbdf){has[i]}) == on);
        }
        expect_told(&e, on);
        hosted_end(&e.h);
    }
    assert_true(!on || partly > 0);
}

/* EXT-2, EXT-3, PORT-3 */
static void a_register_that_cannot_be_read_leaves_no_half_state(void **state)
{
    unsigned hidden_caps = 0;

    (void)state;
    fail_each(PCV_MODEL_OP_cfg_read, -PCV_EIO, WITH, &hidden_caps);
    fail_each(PCV_MODEL_OP_cfg_read, -PCV_EIO, LOST, &hidden_caps);
    fail_each(PCV_MODEL_OP_cfg_read, -PCV_EIO, LATE, &hidden_caps);
}

/* EXT-3, CAP-3, PORT-3 */
static void no_memory_hides_a_capability_or_leaves_a_device_as_it_was(
    void **state)
{
    unsigned hidden_caps = 0;

    (void)state;
    fail_each(PCV_MODEL_OP_alloc, 0, WITH, &hidden_caps); /* it needs none */
    fail_each(PCV_MODEL_OP_alloc, -PCV_ENOMEM, LOST, &hidden_caps);
    fail_each(PCV_MODEL_OP_alloc, -PCV_ENOMEM, LATE, &hidden_caps);
    assert_true(hidden_caps > 0);
}

/* EXT-3, PORT-3 */
static void a_write_that_fails_leaves_no_half_state(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 16; n++) {
        struct ecam e;

        ecam_build(&e);
        ecam_start(&e);
        assert_int_equal(ecam_say(&e, 0, 5, false, NULL), 0);
        assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS - 2);
        pcv_model_fail(e.h.model, PCV_MODEL_OP_cfg_write, n);
        (void)ecam_say(&e, 0, 5, true, NULL);
        pcv_model_fail(e.h.model, PCV_MODEL_OP_cfg_write, 0);
        assert_int_equal(ecam_say(&e, 0, 5, true, NULL), 0);
        assert_int_equal(hosted_scan(&e.h), 2);
        for (size_t i = 0; i < COUNT(has); i++) {
            assert_true(ecam_has(&e, (pcv_sbdf){has[i]}));
        }
        hosted_end(&e.h);
    }
}

/* EXT-3: the VFs of a PF that stays without stay without as well. */
static void a_vf_has_nothing_that_its_pf_could_not_get(void **state)
{
    struct ecam e;
    uint64_t calls;
    uint64_t n;

    (void)state;
    for (n = 1;; n++) {
        ecam_up(&e);
        assert_int_equal(ecam_say(&e, 1, 2, false, NULL), 0);
        e.events = 0;
        calls = pcv_model_calls(e.h.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(e.h.model, PCV_MODEL_OP_cfg_read, n);
        assert_true(ecam_say(&e, 1, 2, true, NULL) <= 0);
        pcv_model_fail(e.h.model, PCV_MODEL_OP_cfg_read, 0);
        if (!ecam_has(&e, ECAM_PF)) {
            assert_false(ecam_has(&e, ECAM_VF_0));
            assert_false(ecam_has(&e, ECAM_VF_1));
        }
        calls = pcv_model_calls(e.h.model, PCV_MODEL_OP_cfg_read) - calls;
        hosted_end(&e.h);
        if (calls < n) {
            break;
        }
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_again_is_what_was_there),
        cmocka_unit_test(what_comes_late_is_what_would_have_been_there),
        cmocka_unit_test(a_register_that_cannot_be_read_leaves_no_half_state),
        cmocka_unit_test(
            no_memory_hides_a_capability_or_leaves_a_device_as_it_was),
        cmocka_unit_test(a_write_that_fails_leaves_no_half_state),
        cmocka_unit_test(a_vf_has_nothing_that_its_pf_could_not_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
