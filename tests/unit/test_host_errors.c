/* SPDX-License-Identifier: MIT */
/*
 * A host whose operations fail with whatever number, or answer what the port
 * contract does not foresee: it is an error of the host's, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Nobody asks that often, except who would ask for ever. */
#define MANY 100000u

/* What each operation answers instead of doing its work; 0: it does it. */
static struct {
    int read, write, segment;
    int64_t map, unmap;
    bool maps, unmaps; /* map and unmap answer that, even 0 */
    uint16_t reg;      /* reads of this register only; 0xffff: of all */
    uint64_t nth;      /* from 1: only that one of them; 0: each */
    uint64_t met;      /* reads that were such, so far */
    uint64_t calls;    /* answers so given */
} wrong;

/* What is answered: after so many calls somebody loops, and is let out. */
static int given(int answer)
{
    return ++wrong.calls < MANY ? answer : -PCV_EIO;
}

static int read_wrong(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                      uint32_t *out_value)
{
    if (wrong.read != 0 && (wrong.reg == 0xffffu || wrong.reg == reg)) {
        wrong.met++;
        if (wrong.nth == 0 || wrong.nth == wrong.met) {
            return given(wrong.read);
        }
    }
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);
}

static int write_wrong(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t value)
{
    return wrong.write != 0
               ? given(wrong.write)
               : pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

static int segment_wrong(void *ctx, uint32_t index,
                         struct pcv_segment_info *out_info)
{
    return wrong.segment != 0 ? given(wrong.segment)
                              : pcv_model_ops()->segment(ctx, index, out_info);
}

static int64_t map_wrong(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                         pcv_hpa hpa, uint64_t pages)
{
    if (wrong.maps) {
        return ++wrong.calls < MANY ? wrong.map : -PCV_EIO;
    }
    return pcv_model_ops()->map(ctx, domain_id, gpa, hpa, pages);
}

/* What it says is wrong; its work it does nevertheless. */
static int64_t unmap_wrong(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                           uint64_t pages)
{
    int64_t done = pcv_model_ops()->unmap(ctx, domain_id, gpa, pages);

    return wrong.unmaps ? wrong.unmap : done;
}

static void right(void)
{
    memset(&wrong, 0, sizeof(wrong));
    wrong.reg = 0xffffu;
}

/* An endpoint with two BARs of 4 pages each, and a ROM of one. */
#define CARD pcv_test_at(0, 0, 1, 0)
#define BAR_0 0x80000000u
#define BAR_1 0x80100000u
#define ROM 0x80200000u
#define ELSEWHERE 0x80300000u
#define PAGE(address) ((address) >> 12)

static void build(struct hosted *h)
{
    struct pcv_test_function f;

    right();
    hosted_build(h);
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_bar32(&f, 0, BAR_0, 16384);
    pcv_test_bar32(&f, 1, BAR_1, 16384);
    pcv_test_rom(&f, ROM | PCV_ROM_ENABLE, 4096);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(h->model, &f, CARD);
    h->ops.cfg_read = read_wrong;
    h->ops.cfg_write = write_wrong;
    h->ops.segment = segment_wrong;
    h->ops.map = map_wrong;
    h->ops.unmap = unmap_wrong;
    hosted_start(h);
}

#define ALL_PAGES 9u

static void start(struct hosted *h)
{
    build(h);
    assert_int_equal(hosted_scan(h), 1);
    assert_int_equal(pcv_model_mapped_pages(h->model), ALL_PAGES);
}

static uint32_t command_of(struct hosted *h)
{
    return pcv_model_peek(h->model, CARD, PCV_REG_COMMAND, 2);
}

/* A write of the hardware domain, to its end. */
static void put(struct hosted *h, uint16_t reg, uint8_t size, uint32_t value)
{
    struct pcv_domain *domain = pcv_host_hardware_domain(h->host);
    struct pcv_access access = PCV_WRITE(CARD, reg, size, value);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    for (unsigned i = 0; verdict == PCV_PENDING; i++) {
        assert_true(i < MANY);
        verdict = pcv_access_resume(domain, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* ---- any number ---------------------------------------------------------- */

/* Errors that have a meaning inside the library, and what is no error number
 * at all. */
static const int numbers[] = {
    -PCV_EIO,    -PCV_ENOENT, -PCV_ENODEV, -PCV_EAGAIN,   -PCV_EBUSY,
    -PCV_EEXIST, -PCV_EINVAL, -PCV_ENOMEM, -PCV_ERESTART, 1,
    5,           -100000,     INT32_MAX,   INT32_MIN,
};

/* LIFE-7, PORT-3 */
static void a_read_that_fails_with_any_number_disturbs_no_device(void **state)
{
    struct pcv_device *device;
    struct hosted h;

    (void)state;
    start(&h);
    device = hosted_hold(&h, CARD);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        /* All reads fail; the first, the second, ... */
        for (uint64_t nth = 0; nth < 1000; nth++) {
            int error;

            right();
            wrong.read = numbers[i];
            wrong.nth = nth;
            error = pcv_device_add(h.host, CARD, NULL);
            assert_int_equal(hosted_state(&h, CARD), PCV_STATE_PRESENT);
            assert_false(hosted_status(&h, CARD).vanished);
            assert_int_equal(pcv_model_mapped_pages(h.model), ALL_PAGES);
            if (wrong.calls == 0) {
                assert_int_equal(error, 0);
                break;
            }
            assert_int_equal(error, -PCV_EIO);
        }
        assert_int_equal(wrong.calls, 0);
    }
    right();
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-7, OWN-2, PORT-3 */
static void an_add_or_scan_that_fails_with_any_number_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * COUNT(numbers); i++) {
        int number = numbers[i / 3];
        struct pcv_scan scan = {0};
        struct hosted h;
        int error;

        build(&h);
        wrong.read = i % 3 == 0 ? number : 0;
        wrong.write = i % 3 == 1 ? number : 0;
        wrong.segment = i % 3 == 2 ? number : 0;
        error = pcv_device_add(h.host, CARD, NULL);
        if (wrong.segment == -PCV_ENOENT) {
            /* That is an answer: there are no more buses. */
            assert_int_equal(error, -PCV_EINVAL);
            assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        } else if (wrong.write != 0) {
            /* Who is there could be read. */
            assert_int_equal(error, 0);
            assert_true(hosted_info(&h, CARD).read_only);
            assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
            assert_int_equal(scan.first_error, 0);
            assert_int_equal(pcv_device_remove(h.host, CARD, NULL, NULL), 0);
        } else {
            assert_int_equal(error, -PCV_EIO);
            assert_int_equal(pcv_host_scan(h.host, &scan, 0),
                             wrong.segment != 0 ? -PCV_EIO : 0);
            assert_int_equal(scan.first_error,
                             wrong.segment != 0 ? 0 : -PCV_EIO);
        }
        assert_int_equal(scan.found, 0);
        assert_true(wrong.calls < MANY);
        assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
        assert_int_equal(hosted_stats(&h).devices, 0);
        right();
        assert_int_equal(hosted_scan(&h), 1);
        hosted_end(&h);
    }
}

/* ---- map and unmap ------------------------------------------------------- */

static const int64_t no_pages[] = {
    0,
    -PCV_ERESTART,
    -PCV_EIO,
    -4095,
    -4096,
    INT32_MIN,
    -(INT64_C(1) << 32) - PCV_ERESTART,
    INT64_MIN,
};

struct kept_event {
    enum pcv_event_kind kind;
    unsigned count;
    uint64_t data;
};

static void keep_event(void *arg, const struct pcv_event *event)
{
    struct kept_event *kept = arg;

    if (event->kind == kept->kind) {
        kept->count++;
        kept->data = event->arg[1];
    }
}

/* HDR-10, PORT-3 */
static void a_map_that_did_nothing_has_failed_whatever_it_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_pages); i++) {
        struct kept_event failed = {.kind = PCV_EVENT_MAP_FAILED};
        struct hosted h;

        build(&h);
        pcv_model_on_event(h.model, keep_event, &failed);
        wrong.maps = true;
        wrong.map = no_pages[i];
        assert_int_equal(hosted_scan(&h), 1);
        assert_int_equal(wrong.calls, 1);
        assert_int_equal(failed.count, 1);
        assert_true(failed.data > 0 && failed.data < 4096);
        assert_int_equal(command_of(&h), 0);
        /* And again, for the hardware domain. */
        put(&h, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        assert_int_equal(wrong.calls, 2);
        assert_int_equal(failed.count, 2);
        assert_int_equal(command_of(&h), PCV_CMD_MASTER);
        assert_int_equal(pcv_model_mapped_pages(h.model), 0);
        right();
        put(&h, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_int_equal(pcv_model_mapped_pages(h.model), ALL_PAGES);
        pcv_model_on_event(h.model, NULL, NULL);
        hosted_end(&h);
    }
}

/* LIFE-5, PORT-3 */
static void an_unmap_that_answers_nonsense_is_reported_and_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_pages); i++) {
        struct kept_event failed = {.kind = PCV_EVENT_UNMAP_FAILED};
        struct hosted h;

        start(&h);
        pcv_model_on_event(h.model, keep_event, &failed);
        wrong.unmaps = true;
        wrong.unmap = no_pages[i];
        assert_int_equal(pcv_device_remove(h.host, CARD, NULL, NULL), 0);
        assert_int_equal(failed.count, 3);
        assert_true(failed.data == 0u - (uint64_t)no_pages[i]);
        assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
        pcv_model_on_event(h.model, NULL, NULL);
        hosted_end(&h);
    }
}

/* ---- reads that fail while BARs move ------------------------------------- */

/* Which BARs are mapped where they were: bits 0, 1; 6: the ROM. */
static uint32_t mapped(struct hosted *h)
{
    return (uint32_t)pcv_model_is_mapped(h->model, 0, PAGE(BAR_0)) |
           (uint32_t)pcv_model_is_mapped(h->model, 0, PAGE(BAR_1)) << 1 |
           (uint32_t)pcv_model_is_mapped(h->model, 0, PAGE(ROM)) << 6;
}

static void fail_read(uint16_t reg, uint64_t nth)
{
    right();
    wrong.read = -PCV_EIO;
    wrong.reg = reg;
    wrong.nth = nth;
}

/* HDR-6, PORT-3 */
static void a_read_that_fails_while_a_bar_moves_leaves_the_others_mapped(
    void **state)
{
    static const uint16_t regs[] = {PCV_REG_COMMAND, PCV_REG_BAR0,
                                    PCV_REG_BAR0 + 4, PCV_REG_ROM0};

    (void)state;
    for (size_t i = 0; i < COUNT(regs); i++) {
        unsigned failures = 0;

        for (uint64_t nth = 1; nth < 100; nth++) {
            struct hosted h;
            bool moved;

            start(&h);
            fail_read(regs[i], nth);
            put(&h, PCV_REG_BAR0, 4, ELSEWHERE);
            assert_int_equal(mapped(&h) & ~1u, 0x42);
            assert_int_equal(command_of(&h), PCV_CMD_MEMORY);
            /* It moved, or the write was dropped: hardware says the same. */
            moved = pcv_model_peek(h.model, CARD, PCV_REG_BAR0, 4) == ELSEWHERE;
            failures += wrong.calls != 0;
            if (wrong.calls == 0) {
                assert_true(moved);
                assert_true(pcv_model_is_mapped(h.model, 0, PAGE(ELSEWHERE)));
                nth = 100;
            }
            right();
            /* Nothing is lost: the next write finds all in order. */
            put(&h, PCV_REG_BAR0, 4, BAR_0);
            assert_int_equal(mapped(&h), 0x43);
            assert_int_equal(pcv_model_mapped_pages(h.model), ALL_PAGES);
            hosted_end(&h);
        }
        assert_true(failures > 0);
    }
}

/* HDR-2, HDR-10, PORT-3 */
static void a_read_that_fails_switches_no_command_bit_on(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (uint64_t nth = 1; nth < 100; nth++) {
        struct hosted h;

        start(&h);
        fail_read(PCV_REG_COMMAND, nth);
        wrong.maps = true;
        wrong.map = -PCV_EIO;
        put(&h, PCV_REG_BAR0, 4, ELSEWHERE);
        /* Decoding goes off where the map failed; what else was off stays. */
        assert_int_equal(command_of(&h) & ~(uint32_t)PCV_CMD_MEMORY, 0);
        failures += wrong.met >= nth;
        nth = wrong.met >= nth ? nth : 100;
        right();
        put(&h, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        hosted_end(&h);
    }
    assert_true(failures > 1); /* before the map, and after it failed */
}

/* HDR-2, HDR-16, PORT-3 */
static void a_command_write_that_cannot_look_first_is_dropped(void **state)
{
    static const struct {
        uint16_t old, new;
    } rows[] = {
        {PCV_CMD_MEMORY, 0},
        {PCV_CMD_MEMORY, PCV_CMD_MEMORY | PCV_CMD_MASTER},
        {PCV_CMD_MASTER, PCV_CMD_MEMORY},
    };

    (void)state;
    /* Each look at the register fails in turn: two of them there are. */
    for (size_t i = 0; i < 3 * COUNT(rows); i++) {
        struct kept_event reset = {.kind = PCV_EVENT_RESET_SEEN};
        uint16_t old = rows[i / 3].old;
        uint16_t new = rows[i / 3].new;
        bool dropped = i % 3 < 2;
        struct hosted h;

        start(&h);
        put(&h, PCV_REG_COMMAND, 2, old);
        pcv_model_on_event(h.model, keep_event, &reset);
        fail_read(PCV_REG_COMMAND, i % 3 + 1);
        put(&h, PCV_REG_COMMAND, 2, new);
        assert_int_equal(wrong.calls, dropped ? 1 : 0);
        assert_int_equal(command_of(&h), dropped ? old : new);
        assert_int_equal(mapped(&h),
                         command_of(&h) & PCV_CMD_MEMORY ? 0x43 : 0);
        assert_int_equal(reset.count, 0);
        right();
        put(&h, PCV_REG_COMMAND, 2, new);
        assert_int_equal(command_of(&h), new);
        pcv_model_on_event(h.model, NULL, NULL);
        hosted_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_that_fails_with_any_number_disturbs_no_device),
        cmocka_unit_test(an_add_or_scan_that_fails_with_any_number_ends),
        cmocka_unit_test(a_map_that_did_nothing_has_failed_whatever_it_answers),
        cmocka_unit_test(an_unmap_that_answers_nonsense_is_reported_and_over),
        cmocka_unit_test(
            a_read_that_fails_while_a_bar_moves_leaves_the_others_mapped),
        cmocka_unit_test(a_read_that_fails_switches_no_command_bit_on),
        cmocka_unit_test(a_command_write_that_cannot_look_first_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
