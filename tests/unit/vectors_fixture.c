/* SPDX-License-Identifier: MIT */
/* One function with MSI or MSI-X (vectors_fixture.h). */
#include "vectors_fixture.h"

#include <string.h>

/* Host operations get the model as their context; one test runs at a time. */
static struct vec *current;

/* ---- the host --------------------------------------------------------------
 */

static bool is_nth(unsigned *left)
{
    return *left != 0 && --*left == 0;
}

static int host_bind(void *ctx, const struct pcv_msi_request *request,
                     struct pcv_msi_message *out_message)
{
    struct vec *vec = current;
    int error;

    vec->binds++;
    vec->request = *request;
    if (is_nth(&vec->fail_bind) || vec->refuse) {
        /* What was bound is gone: the contract. */
        struct pcv_msi_message unused;

        if (pcv_model_ops()->msi_bind(ctx, request, &unused) == 0) {
            pcv_model_ops()->msi_unbind(ctx, request);
        }
        return vec->refusal != 0 ? vec->refusal : -PCV_EIO;
    }
    error = pcv_model_ops()->msi_bind(ctx, request, out_message);
    out_message->address |= vec->or_address;
    out_message->data |= vec->or_data;
    vec->message = *out_message;
    return error;
}

static void host_unbind(void *ctx, const struct pcv_msi_request *request)
{
    current->unbinds++;
    pcv_model_ops()->msi_unbind(ctx, request);
}

static void note(uint64_t address, uint8_t size, bool write, uint64_t value)
{
    struct vec *vec = current;

    if (vec->logged < VEC_LOG) {
        vec->log[vec->logged] = (struct vec_mmio){address, size, write, value};
    }
    vec->logged++;
}

static int host_read(void *ctx, pcv_hpa address, uint8_t size,
                     uint64_t *out_value)
{
    int error = current->fail_reads
                    ? -PCV_EIO
                    : pcv_model_ops()->mmio_read(ctx, address, size, out_value);

    note(address.v, size, false, *out_value);
    return error;
}

static int host_write(void *ctx, pcv_hpa address, uint8_t size, uint64_t value)
{
    note(address.v, size, true, value);
    return is_nth(&current->fail_mmio)
               ? -PCV_EIO
               : pcv_model_ops()->mmio_write(ctx, address, size, value);
}

/* ---- from beginning to end -------------------------------------------------
 */

void vec_open(struct vec *vec)
{
    memset(vec, 0, sizeof(*vec));
    current = vec;
    rig_open(&vec->rig);
    vec->rig.ops.msi_bind = host_bind;
    vec->rig.ops.msi_unbind = host_unbind;
    vec->rig.ops.mmio_read = host_read;
    vec->rig.ops.mmio_write = host_write;
}

void vec_forget(struct vec *vec)
{
    rig_forget(&vec->rig);
    vec->binds = 0;
    vec->unbinds = 0;
    vec->logged = 0;
}

void vec_boot(struct vec *vec)
{
    pcv_test_add(vec->rig.model, &vec->f, VEC_AT);
    rig_create(&vec->rig);
    if (vec->before) {
        vec->before(vec);
    }
    assert_int_equal(pcv_device_add(vec->rig.host, VEC_AT, NULL), 0);
    vec->owner = vec->rig.dom0;
    vec->at = VEC_AT;
    vec->device = pcv_device_find(vec->rig.host, VEC_AT);
    assert_non_null(vec->device);
}

void vec_give(struct vec *vec)
{
    struct pcv_domain *guest = pcv_domain_find(vec->rig.host, VEC_GUEST);
    int error = -PCV_ERESTART;

    if (!guest) {
        assert_int_equal(pcv_domain_create(vec->rig.host, VEC_GUEST, &guest),
                         0);
        assert_int_equal(
            pcv_domain_add_window(guest, (pcv_gpa){0x80000000}, 0x10000000), 0);
    }
    for (int i = 0; error == -PCV_ERESTART && i < 100; i++) {
        error = pcv_device_assign(vec->rig.host, VEC_AT, guest, &vec->policy,
                                  &vec->at);
    }
    assert_int_equal(error, 0);
    vec->owner = guest;
    vec->guest = true;
}

void vec_take_back(struct vec *vec)
{
    int error = -PCV_ERESTART;

    for (int i = 0; error == -PCV_ERESTART && i < 100; i++) {
        error = pcv_device_deassign(vec->rig.host, VEC_AT);
    }
    assert_int_equal(error, 0);
    vec->owner = vec->rig.dom0;
    vec->at = VEC_AT;
    vec->guest = false;
}

void vec_start(struct vec *vec, bool guest)
{
    vec_boot(vec);
    if (guest) {
        vec_give(vec);
    }
    vec_forget(vec);
}

void vec_close(struct vec *vec)
{
    struct pcv_domain *guest = pcv_domain_find(vec->rig.host, VEC_GUEST);

    vec->fail_bind = 0;
    vec->fail_mmio = 0;
    if (vec->guest) {
        vec_take_back(vec);
    }
    if (guest) {
        assert_int_equal(pcv_domain_destroy(guest), 0);
    }
    pcv_device_put(vec->device);
    rig_close(&vec->rig);
}

/* ---- the owner -------------------------------------------------------------
 */

uint32_t vec_read(struct vec *vec, uint32_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(vec->at, (uint16_t)reg, size);

    assert_int_equal(pcv_access(vec->owner, &access), PCV_DONE);
    return (uint32_t)access.data;
}

void vec_write(struct vec *vec, uint32_t reg, uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(vec->at, (uint16_t)reg, size, value);
    enum pcv_verdict verdict = pcv_access(vec->owner, &access);

    for (int i = 0; verdict == PCV_PENDING && i < 10000; i++) {
        verdict = pcv_access_resume(vec->owner, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

uint32_t vec_hw(const struct vec *vec, uint32_t reg, uint8_t size)
{
    return pcv_model_peek(vec->rig.model, VEC_AT, (uint16_t)reg, size);
}

static bool mmio(struct vec *vec, uint8_t bar, uint64_t offset, uint8_t size,
                 bool write, uint64_t *data)
{
    struct pcv__cap *cap = vec_cap(vec, PCV_CAP_ID_MSIX);
    struct pcv__mem *mem = &vec->device->host->mem;
    bool ours;

    assert_non_null(cap);
    pcv__lock_take(mem, &vec->device->lock);
    ours = cap->desc->mmio(cap, bar, offset, size, write, data);
    pcv__lock_drop(mem, &vec->device->lock);
    return ours;
}

bool vec_mmio_read(struct vec *vec, uint8_t bar, uint64_t offset, uint8_t size,
                   uint64_t *out_value)
{
    bool ours = mmio(vec, bar, offset, size, false, out_value);

    if (ours && size < 8) {
        *out_value &=
            (UINT64_C(1) << (8u * size)) - 1u; /* as the caller does */
    }
    return ours;
}

bool vec_mmio_write(struct vec *vec, uint8_t bar, uint64_t offset, uint8_t size,
                    uint64_t value)
{
    return mmio(vec, bar, offset, size, true, &value);
}

/* ---- looking ---------------------------------------------------------------
 */

uint32_t vec_entry(const struct vec *vec, uint8_t bar, uint32_t table,
                   uint32_t index, uint32_t dword)
{
    return (uint32_t)pcv_model_mmio_peek(vec->rig.model, VEC_AT, bar,
                                         table + 16u * index + 4u * dword, 4);
}

uint32_t vec_held(struct vec *vec)
{
    return rig_status(&vec->rig, VEC_AT).held[PCV_HOLDER_VECTOR];
}

enum pcv_model_raised vec_raise(struct vec *vec, bool msix, uint16_t vector,
                                uint64_t *out_address, uint32_t *out_data)
{
    struct pcv_model_message message;
    enum pcv_model_raised raised =
        pcv_model_raise(vec->rig.model, VEC_AT, msix, vector, &message);

    if (raised == PCV_MODEL_DELIVERED) {
        assert_int_equal(message.domain_id, pcv_domain_id(vec->owner));
        *out_address = message.address;
        *out_data = message.data;
    }
    return raised;
}

struct pcv__cap *vec_cap(struct vec *vec, uint16_t id)
{
    struct pcv__vpci *vpci = pcv__vpci(vec->device);

    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        if (vpci->caps[i].desc && vpci->caps[i].desc->id == id &&
            !vpci->caps[i].desc->extended) {
            return &vpci->caps[i];
        }
    }
    return NULL;
}

uint16_t vec_listed(struct vec *vec, uint8_t id)
{
    uint32_t at = vec_read(vec, PCV_REG_CAPS, 1);

    for (int i = 0; i < 48 && at != 0; i++) {
        if (vec_read(vec, at, 1) == id) {
            return (uint16_t)at;
        }
        at = vec_read(vec, at + 1u, 1);
    }
    assert_int_equal(at, 0);
    return 0;
}

void vec_reset(struct vec *vec) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &vec->device->host->mem;

    pcv__lock_take(mem, &vec->device->lock);
    pcv__caps_reset(vec->device);
    pcv__lock_drop(mem, &vec->device->lock);
}

void vec_restore(struct vec *vec) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &vec->device->host->mem;

    pcv__lock_take(mem, &vec->device->lock);
    pcv__caps_restore(vec->device);
    pcv__lock_drop(mem, &vec->device->lock);
}

void vec_teardown(struct vec *vec) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &vec->device->host->mem;

    pcv__lock_take(mem, &vec->device->lock);
    pcv__caps_teardown(vec->device, PCV__LIST_FIRST);
    pcv__lock_drop(mem, &vec->device->lock);
}

uint32_t vec_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}
