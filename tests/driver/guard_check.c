/* SPDX-License-Identifier: MIT */
/* Eyes on the library (guard.h): what holds at every moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard_books.h"

bool guard_is_guest(uint32_t domain_id)
{
    return domain_id - GUARD_FIRST_ID < GUARD_GUESTS;
}

void guard_check_page(struct guard *guard, uint32_t domain_id, uint64_t gpa,
                      uint64_t hpa)
{
    const struct guard_device *device =
        guard_books_owner(guard, domain_id, hpa);

    if (!device) {
        fail_msg("guest page %llx: host page %llx is not domain %u's",
                 (unsigned long long)gpa, (unsigned long long)hpa, domain_id);
        return;
    }
    if (!((gpa >= GUARD_NARROW && gpa - GUARD_NARROW < GUARD_NARROW_SIZE) ||
          (gpa >= GUARD_WIDE && gpa - GUARD_WIDE < GUARD_WIDE_SIZE))) {
        fail_msg("guest page %llx is in no window", (unsigned long long)gpa);
    }
    if (guard_books_is_msix(device, hpa)) {
        fail_msg("guest page %llx: MSI-X of %08x", (unsigned long long)gpa,
                 device->sbdf.v);
    }
    if (guard_books_is_shared(guard, domain_id, hpa)) {
        fail_msg("guest page %llx: host page %llx holds somebody else's BAR",
                 (unsigned long long)gpa, (unsigned long long)hpa);
    }
}

/* Vectors that the library names as bound. */
static uint64_t count_vectors(struct guard *guard, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(guard->host, sbdf);
    struct pcv_bound_vector vector;
    uint64_t count = 0;
    uint32_t index = 0;
    bool msix = false;

    assert_non_null(device);
    while (index <= UINT16_MAX &&
           pcv_device_next_vector(device, msix, (uint16_t)index, &vector)) {
        count++;
        msix = vector.msix;
        index = vector.index + 1u;
    }
    pcv_device_put(device);
    return count;
}

void guard_check(struct guard *guard, struct guard_device *device)
{
    struct pcv_device_status status;
    uint64_t bound = pcv_model_bound(guard->model, &device->sbdf);

    assert_int_equal(pcv_device_status(guard->host, device->sbdf, &status), 0);
    assert_int_equal(status.held[PCV_HOLDER_REGISTRY], 1);
    assert_int_equal(status.held[PCV_HOLDER_OWNER], 1);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 0);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
    assert_int_equal(status.held[PCV_HOLDER_VECTOR], bound);
    assert_int_equal(device->bound, bound);
    assert_int_equal(count_vectors(guard, device->sbdf), bound);
    if (device->state == GUARD_OWNED) {
        assert_int_equal(status.owner_id, device->owner);
        assert_int_equal(pcv_model_dma_domain(guard->model, device->sbdf),
                         device->owner);
        return;
    }
    assert_int_equal(device->pages, 0);
    assert_false(guard_is_guest(status.owner_id));
    if (device->state != GUARD_FREE) {
        assert_false(
            guard_is_guest(pcv_model_dma_domain(guard->model, device->sbdf)));
    }
}

static uint64_t check_window(struct guard *guard, uint32_t domain_id,
                             uint64_t start, uint64_t size)
{
    uint64_t count = 0, host;

    for (uint64_t at = start; at - start < size; at += GUARD_PAGE) {
        if (pcv_model_translate(guard->model, domain_id, at / GUARD_PAGE,
                                &host)) {
            guard_check_page(guard, domain_id, at, host * GUARD_PAGE);
            count++;
        }
    }
    return count;
}

void guard_check_all(struct guard *guard)
{
    uint64_t pages = 0;

    for (uint32_t i = 0; i < GUARD_GUESTS; i++) {
        pages += check_window(guard, GUARD_FIRST_ID + i, GUARD_NARROW,
                              GUARD_NARROW_SIZE);
        pages += check_window(guard, GUARD_FIRST_ID + i, GUARD_WIDE,
                              GUARD_WIDE_SIZE);
    }
    assert_int_equal(pages, guard->guest_pages);
    assert_int_equal(pcv_model_mapped_pages(guard->model),
                     guard->guest_pages + guard->other_pages);
    assert_int_equal(pcv_model_map_errors(guard->model), 0);
    assert_int_equal(pcv_model_bind_errors(guard->model), 0);
    for (size_t i = 0; i < guard->devices; i++) {
        if (guard->device[i].state != GUARD_FREE) {
            guard_check(guard, &guard->device[i]);
        }
    }
}
