/* SPDX-License-Identifier: MIT */
/* Eyes on the library (guard.h): machine, guests, and changes of owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard_books.h"
#include "pcivisor/regs.h"

/* ---- the machine --------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
    const struct guard_foreign *x = a, *y = b;

    return (x->range.start > y->range.start) -
           (x->range.start < y->range.start);
}

static void list_devices(struct guard *guard)
{
    guard->devices = pcv_model_count(guard->model);
    guard->device = calloc(guard->devices, sizeof(*guard->device));
    guard->foreign =
        calloc(guard->devices * PCV_MODEL_BARS, sizeof(*guard->foreign));
    assert_true(guard->device && guard->foreign);
    for (size_t i = 0; i < guard->devices; i++) {
        struct guard_device *device = &guard->device[i];
        struct pcv_model_facts facts;

        assert_true(pcv_model_facts_at(guard->model, i, &facts));
        device->sbdf = facts.sbdf;
        device->vf = facts.vf;
        device->physfn = facts.physfn;
        device->bridge =
            (pcv_model_peek(guard->model, facts.sbdf, PCV_REG_HEADER_TYPE, 1) &
             PCV_HEADER_TYPE_MASK) != 0;
    }
    for (size_t i = 0; i < guard->devices; i++) {
        struct guard_device *device = &guard->device[i];

        if (!device->bridge) {
            guard_books_bars(guard, device);
        }
        for (uint32_t bar = 0; bar < PCV_MODEL_BARS; bar++) {
            if (device->bar[bar].end != 0) {
                guard->foreign[guard->foreigns++] =
                    (struct guard_foreign){device->bar[bar], device};
            }
        }
    }
    qsort(guard->foreign, guard->foreigns, sizeof(*guard->foreign), by_start);
}

static void make_guests(struct guard *guard)
{
    for (uint32_t i = 0; i < GUARD_GUESTS; i++) {
        struct pcv_domain **guest = &guard->guest[i];

        assert_int_equal(
            pcv_domain_create(guard->host, GUARD_FIRST_ID + i, guest), 0);
        assert_int_equal(
            pcv_domain_add_ecam(*guest, (pcv_gpa){GUARD_ECAM}, 0, 0, 3), 0);
        assert_int_equal(pcv_domain_add_window(*guest, (pcv_gpa){GUARD_NARROW},
                                               GUARD_NARROW_SIZE),
                         0);
        assert_int_equal(pcv_domain_add_window(*guest, (pcv_gpa){GUARD_WIDE},
                                               GUARD_WIDE_SIZE),
                         0);
    }
}

void guard_begin(struct guard *guard, const char *spec,
                 void (*add)(struct pcv_model *model))
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 64};
    struct pcv_model_error problem = {0, ""};
    struct pcv_scan scan = {0};

    memset(guard, 0, sizeof(*guard));
    guard->model = pcv_model_create(1);
    assert_non_null(guard->model);
    if (pcv_model_generate(guard->model, spec, &problem) != 0) {
        fail_msg("%s: %s", spec, problem.text);
    }
    if (add) {
        add(guard->model);
    }
    assert_int_equal(pcv_model_ready(guard->model, &problem), 0);
    list_devices(guard);
    guard_watch(guard);
    assert_int_equal(
        pcv_host_create(&guard->ops, guard->model, &config, &guard->host), 0);
    assert_int_equal(pcv_host_scan(guard->host, &scan, 0), 0);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(scan.found, guard->devices);
    make_guests(guard);
    pcv_model_set_clock(guard->model, true);
}

void guard_end(struct guard *guard)
{
    guard->actor = GUARD_CONTROL;
    for (uint32_t i = 0; i < GUARD_GUESTS; i++) {
        assert_int_equal(pcv_domain_destroy(guard->guest[i]), 0);
    }
    guard_check_all(guard);
    assert_int_equal(guard->guest_pages, 0);
    assert_int_equal(pcv_host_destroy(guard->host), 0);
    assert_int_equal(pcv_model_bytes(guard->model), 0);
    assert_int_equal(pcv_model_mapped_pages(guard->model), 0);
    assert_int_equal(pcv_model_bound(guard->model, NULL), 0);
    pcv_model_destroy(guard->model);
    free(guard->device);
    free(guard->foreign);
}

/* ---- changes of owner ---------------------------------------------------- */

static uint32_t owner_of(const struct guard *guard, pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    assert_int_equal(pcv_device_status(guard->host, sbdf, &status), 0);
    return status.owner_id;
}

int guard_assign(struct guard *guard, struct guard_device *device,
                 uint32_t guest)
{
    static const struct pcv_assign_policy policy = {.flags =
                                                        PCV_ASSIGN_NO_RESET};
    int error;

    if (device->state == GUARD_FREE) {
        guard_books_open(guard, device);
        device->state = GUARD_COMING;
        device->owner = GUARD_FIRST_ID + guest;
    }
    guard->actor = GUARD_CONTROL;
    guard->changing = device;
    error = pcv_device_assign(guard->host, device->sbdf,
                              guard->guest[device->owner - GUARD_FIRST_ID],
                              &policy, &device->there);
    guard->changing = NULL;
    if (error == 0) {
        device->state = GUARD_OWNED;
    } else if (error != -PCV_ERESTART &&
               owner_of(guard, device->sbdf) == PCV_DOMAIN_ID_QUARANTINE) {
        device->state = GUARD_GOING;
    } else if (error != -PCV_ERESTART) {
        device->state = GUARD_FREE;
        guard_books_close(guard, device);
    }
    guard_check(guard, device);
    return error;
}

int guard_deassign(struct guard *guard, struct guard_device *device)
{
    int error;

    device->state = GUARD_GOING;
    guard->actor = GUARD_CONTROL;
    guard->changing = device;
    error = pcv_device_deassign(guard->host, device->sbdf);
    guard->changing = NULL;
    if (error == 0) {
        device->state = GUARD_FREE;
        guard_books_close(guard, device);
    }
    guard_check(guard, device);
    return error;
}
