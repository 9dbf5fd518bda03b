/* SPDX-License-Identifier: MIT */
/* Eyes on the library (guard.h): what it does to its host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "guard_books.h"

#define UNMAP_AT_ONCE 64u /* pages */

static struct guard *guard_now; /* the host operations know only the model */

struct guard_device *guard_find(struct guard *guard, pcv_sbdf sbdf)
{
    size_t low = 0, high = guard->devices;

    while (low < high) {
        size_t middle = low + (high - low) / 2u;

        if (guard->device[middle].sbdf.v < sbdf.v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < guard->devices && guard->device[low].sbdf.v == sbdf.v
               ? &guard->device[low]
               : NULL;
}

/* ---- mapping ------------------------------------------------------------- */

static int64_t on_map(void *ctx, uint32_t domain_id, pcv_gpa gpa, pcv_hpa hpa,
                      uint64_t pages)
{
    struct guard *guard = guard_now;
    int64_t done = pcv_model_ops()->map(ctx, domain_id, gpa, hpa, pages);

    if (!guard_is_guest(domain_id)) {
        guard->other_pages += done > 0 ? (uint64_t)done : 0;
        return done;
    }
    for (int64_t i = 0; i < done; i++) {
        uint64_t at = (uint64_t)i * GUARD_PAGE;

        guard_check_page(guard, domain_id, gpa.v + at, hpa.v + at);
        guard_books_owner(guard, domain_id, hpa.v + at)->pages++;
        guard->guest_pages++;
        guard->mapped++;
    }
    return done;
}

/* A guest's pages go a few at a time: the books want to know which they are. */
static int64_t unmap_guest(struct guard *guard, void *ctx, uint32_t domain_id,
                           pcv_gpa gpa, uint64_t pages)
{
    uint64_t host[UNMAP_AT_ONCE] = {0};
    int64_t done;

    pages = pages > UNMAP_AT_ONCE ? UNMAP_AT_ONCE : pages;
    for (uint64_t i = 0; i < pages; i++) {
        assert_true(pcv_model_translate(guard->model, domain_id,
                                        gpa.v / GUARD_PAGE + i, &host[i]));
    }
    done = pcv_model_ops()->unmap(ctx, domain_id, gpa, pages);
    for (int64_t i = 0; i < done; i++) {
        guard_books_device(guard, domain_id, host[i] * GUARD_PAGE)->pages--;
        guard->guest_pages--;
    }
    return done;
}

static int64_t on_unmap(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                        uint64_t pages)
{
    struct guard *guard = guard_now;
    int64_t done;

    if (guard_is_guest(domain_id)) {
        return unmap_guest(guard, ctx, domain_id, gpa, pages);
    }
    done = pcv_model_ops()->unmap(ctx, domain_id, gpa, pages);
    guard->other_pages -= done > 0 ? (uint64_t)done : 0;
    return done;
}

/* ---- vectors ------------------------------------------------------------- */

static void check_request(struct guard *guard,
                          const struct pcv_msi_request *request)
{
    const struct guard_device *device = guard_find(guard, request->sbdf);

    assert_non_null(device);
    if (!guard_is_guest(request->domain_id)) {
        assert_int_equal(device->state, GUARD_FREE);
        return;
    }
    assert_int_equal(device->state, GUARD_OWNED);
    assert_int_equal(device->owner, request->domain_id);
    if (request->msix) {
        assert_true(request->index < device->entries);
        assert_int_equal(request->count, 1);
    } else {
        uint32_t control =
            pcv_model_peek(guard->model, request->sbdf,
                           (uint16_t)(device->allowed->msi + 2u), 2);

        assert_int_not_equal(device->allowed->msi, 0);
        assert_true(request->count <= 1u << (control >> 1 & 7u));
    }
}

static int on_bind(void *ctx, const struct pcv_msi_request *request,
                   struct pcv_msi_message *out_message)
{
    struct guard *guard = guard_now;
    struct guard_device *device = guard_find(guard, request->sbdf);
    uint64_t before = pcv_model_bound(guard->model, &request->sbdf);
    int error;

    check_request(guard, request);
    error = pcv_model_ops()->msi_bind(ctx, request, out_message);
    device->bound += pcv_model_bound(guard->model, &request->sbdf) - before;
    if (error != 0) {
        return error;
    }
    guard->bound++;
    if (request->msix && device->msix) {
        device->msix[request->index] = *out_message;
    } else if (!request->msix) {
        device->msi = *out_message;
        device->msi_bound = true;
    }
    return 0;
}

static void on_unbind(void *ctx, const struct pcv_msi_request *request)
{
    struct guard *guard = guard_now;
    struct guard_device *device = guard_find(guard, request->sbdf);

    assert_non_null(device);
    assert_true(device->bound >= request->count);
    device->bound -= request->count;
    pcv_model_ops()->msi_unbind(ctx, request);
}

static void on_message(void *arg, const struct pcv_model_message *message)
{
    struct guard *guard = arg;
    const struct guard_device *device = guard_find(guard, message->sbdf);

    assert_non_null(device);
    guard->delivered++;
    if (device->state == GUARD_OWNED) {
        assert_int_equal(message->domain_id, device->owner);
    } else {
        assert_false(guard_is_guest(message->domain_id));
    }
}

/* ---- physical registers -------------------------------------------------- */

static void on_cfg(void *arg, const struct pcv_model_cfg *access)
{
    struct guard *guard = arg;
    const struct guard_device *device = guard_find(guard, access->sbdf);
    const char *said;

    if (guard->actor == GUARD_GUEST &&
        !guard_books_may_touch(guard, guard->actor_id, access)) {
        fail_msg("guest %u's access reaches %08x", guard->actor_id,
                 access->sbdf.v);
    }
    if (!access->write || !device || device->state == GUARD_FREE ||
        (guard->actor == GUARD_CONTROL && guard->changing == device)) {
        return;
    }
    if (guard->actor == GUARD_HARDWARE) {
        fail_msg("the hardware domain writes %03x of %08x, which a guest has",
                 access->reg, access->sbdf.v);
    }
    guard->written++;
    said = allowed_write(device->allowed, guard->model, access,
                         device->msi_bound ? &device->msi : NULL);
    if (said) {
        fail_msg("%08x, register %03x, %u bytes, %08x: %s", access->sbdf.v,
                 access->reg, access->size, access->value, said);
    }
}

/* An entry of the table holds what was bound for it, or is masked by it. */
static void check_entry(const struct guard_device *device, uint64_t offset,
                        uint8_t size, uint64_t value)
{
    const struct pcv_msi_message *bound = &device->msix[offset / 16u];
    uint32_t dword = (uint32_t)(offset % 16u) / 4u;

    if (dword == 3) {
        return;
    }
    assert_true(size == 4 || size == 8);
    if (dword == 0) {
        assert_int_equal(value,
                         size == 8 ? bound->address : (uint32_t)bound->address);
    } else if (dword == 1) {
        assert_int_equal((uint32_t)value, bound->address >> 32);
    } else {
        assert_int_equal((uint32_t)value, bound->data);
    }
}

static void check_mmio(uint64_t address, uint8_t size, bool write,
                       uint64_t value)
{
    struct guard *guard = guard_now;
    const struct guard_device *device =
        guard_books_memory(guard, guard->actor_id, address, size);
    const struct guard_range *table;
    uint64_t at;

    if (guard->actor != GUARD_GUEST) {
        return;
    }
    if (!device) {
        fail_msg("guest %u reaches memory at %llx", guard->actor_id,
                 (unsigned long long)address);
        return;
    }
    guard->forwarded += device->table_bar == 7 ? 1u : 0u;
    table = &device->table;
    at = guard_books_offset(device, device->table_bar, address);
    if (write && at >= table->start && at < table->end) {
        check_entry(device, at - table->start, size, value);
    }
    if (write) {
        at = guard_books_offset(device, device->pending_bar, address);
        assert_false(at >= device->pending.start && at < device->pending.end);
    }
}

static int on_mmio_read(void *ctx, pcv_hpa address, uint8_t size,
                        uint64_t *out_value)
{
    check_mmio(address.v, size, false, 0);
    return pcv_model_ops()->mmio_read(ctx, address, size, out_value);
}

static int on_mmio_write(void *ctx, pcv_hpa address, uint8_t size,
                         uint64_t value)
{
    check_mmio(address.v, size, true, value);
    return pcv_model_ops()->mmio_write(ctx, address, size, value);
}

static int on_bar_place(void *ctx, pcv_sbdf sbdf, uint8_t bar, uint64_t size,
                        pcv_hpa *out_address)
{
    struct guard_device *device = guard_find(guard_now, sbdf);
    int error = pcv_model_ops()->bar_place(ctx, sbdf, bar, size, out_address);

    if (error == 0 && device) {
        guard_now->placed++;
        guard_books_place(device, out_address->v, size);
    }
    return error;
}

static void on_event(void *arg, const struct pcv_event *event)
{
    struct guard *guard = arg;

    guard->told[event->kind]++;
}

void guard_watch(struct guard *guard)
{
    guard_now = guard;
    guard->ops = *pcv_model_ops();
    guard->ops.map = on_map;
    guard->ops.unmap = on_unmap;
    guard->ops.msi_bind = on_bind;
    guard->ops.msi_unbind = on_unbind;
    guard->ops.mmio_read = on_mmio_read;
    guard->ops.mmio_write = on_mmio_write;
    guard->ops.bar_place = on_bar_place;
    pcv_model_on_message(guard->model, on_message, guard);
    pcv_model_on_event(guard->model, on_event, guard);
    pcv_model_watch(guard->model, on_cfg, guard);
}
