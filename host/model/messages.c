/* SPDX-License-Identifier: MIT */
/*
 * Messages that functions of the modelled machine send: built from what stands
 * in their MSI registers or MSI-X tables at that moment, held back while they
 * are masked, and sent when they are not any more (PCI Local Bus 3.0, 6.8; PCI
 * Express Base 6.0, 6.1.4).
 */
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

/* A delivered message that waits to be told. */
struct pcv__model_sent {
    struct pcv__model_sent *next;
    struct pcv_model_message message;
};

/* A vector as it stands now. */
struct vector {
    bool enabled;
    bool masked;
    uint64_t address;
    uint32_t data;
};

static const char *const raised_names[] = {
    [PCV_MODEL_DELIVERED] = "delivered", [PCV_MODEL_MASKED] = "masked",
    [PCV_MODEL_DISABLED] = "disabled",   [PCV_MODEL_NO_MASTER] = "no-master",
    [PCV_MODEL_UNKNOWN] = "unknown",     [PCV_MODEL_FOREIGN] = "foreign",
};

const char *pcv_model_raised_name(enum pcv_model_raised raised)
{
    return (unsigned)raised < sizeof(raised_names) / sizeof(raised_names[0])
               ? raised_names[raised]
               : "?";
}

/* ---- MSI ----------------------------------------------------------------- */

#define MSI_ENABLE 0x0001u
#define MSI_WIDE 0x0080u
#define MSI_MASKS 0x0100u
#define MSI_MORE_DATA 0x0200u
#define MSI_MORE_DATA_ENABLE 0x0400u

/* How the capability is laid out. Offsets are registers. */
struct msi {
    uint32_t control;
    uint32_t vectors; /* that software enabled and the function has */
    uint32_t data;
    uint32_t mask; /* 0: none; pending bits follow it */
};

static uint32_t count_of(uint32_t log)
{
    return log >= 5 ? 32 : 1u << log;
}

/* False if there is no MSI, or it does not fit where it stands. */
static bool msi_look(const struct pcv__model_fn *fn, struct msi *out)
{
    uint32_t able, enabled;

    if (fn->msi == 0) {
        return false;
    }
    out->control = pcv__model_get(fn, fn->msi + 2u, 2);
    able = count_of(out->control >> 1 & 7u);
    enabled = count_of(out->control >> 4 & 7u);
    out->vectors = able < enabled ? able : enabled;
    out->data = fn->msi + ((out->control & MSI_WIDE) != 0 ? 12u : 8u);
    out->mask = (out->control & MSI_MASKS) != 0 ? out->data + 4 : 0;
    return out->data + (out->mask != 0 ? 12u : 4u) <= PCV_CFG_SIZE;
}

static void msi_vector(const struct pcv__model_fn *fn, const struct msi *msi,
                       uint32_t vector, struct vector *out)
{
    uint32_t wanted = MSI_MORE_DATA | MSI_MORE_DATA_ENABLE;
    uint32_t data = pcv__model_get(fn, msi->data, 4);

    out->enabled = (msi->control & MSI_ENABLE) != 0 && vector < msi->vectors;
    out->masked = msi->mask != 0 && vector < 32 &&
                  (pcv__model_get(fn, msi->mask, 4) >> vector & 1u) != 0;
    out->address = pcv__model_get(fn, fn->msi + 4u, 4);
    if ((msi->control & MSI_WIDE) != 0) {
        out->address |= (uint64_t)pcv__model_get(fn, fn->msi + 8u, 4) << 32;
    }
    if ((msi->control & wanted) != wanted) {
        data &= 0xffffu;
    }
    /* The function replaces the low bits that its vectors need. */
    out->data = (data & ~(msi->vectors - 1)) | vector;
}

static void msi_pending_set(struct pcv__model_fn *fn, const struct msi *msi,
                            uint32_t vector, bool on)
{
    uint32_t bits = pcv__model_get(fn, msi->mask + 4, 4);

    bits = on ? bits | 1u << vector : bits & ~(1u << vector);
    (void)pcv__model_put(fn, msi->mask + 4, bits); /* it has its page */
}

void pcv__model_msi_reset_locked(struct pcv__model_fn *fn)
{
    struct msi msi;

    if (msi_look(fn, &msi) && msi.mask != 0) {
        (void)pcv__model_put(fn, msi.mask + 4, 0);
    }
}

/* ---- MSI-X --------------------------------------------------------------- */

#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u

static void msix_vector(const struct pcv__model_fn *fn, uint32_t vector,
                        struct vector *out)
{
    uint32_t control;

    out->enabled = false;
    if (vector >= pcv__model_msix_entries(fn)) {
        return;
    }
    control = pcv__model_get(fn, fn->msix + 2u, 2);
    out->enabled = (control & MSIX_ENABLE) != 0;
    out->masked = (control & MSIX_MASK_ALL) != 0 ||
                  (pcv__model_entry_get(fn, vector, 3) & 1u) != 0;
    out->address = pcv__model_entry_get(fn, vector, 0) |
                   (uint64_t)pcv__model_entry_get(fn, vector, 1) << 32;
    out->data = pcv__model_entry_get(fn, vector, 2);
}

/* ---- sending ------------------------------------------------------------- */

static _Noreturn void no_memory(void)
{
    (void)fprintf(stderr, "model: no memory for a message\n");
    abort(); /* a test cannot go on without it */
}

static enum pcv_model_raised send_locked(struct pcv_model *model,
                                         const struct pcv__model_fn *fn,
                                         const struct vector *vector,
                                         struct pcv_model_message *out)
{
    enum pcv_model_raised raised =
        pcv__model_message_locked(model, pcv__model_forwarded_locked(model, fn),
                                  vector->address, vector->data, out);
    struct pcv__model_sent *sent;

    if (raised != PCV_MODEL_DELIVERED || model->on_message == NULL) {
        return raised;
    }
    sent = malloc(sizeof(*sent));
    if (sent == NULL) {
        no_memory();
    }
    sent->next = NULL;
    sent->message = *out;
    if (model->outbox == NULL) {
        model->outbox_end = &model->outbox;
    }
    *model->outbox_end = sent;
    model->outbox_end = &sent->next;
    return raised;
}

/* What is in the outbox was put there since the lock was taken. */
void pcv__model_unlock_tell(struct pcv_model *model)
{
    struct pcv__model_sent *sent = model->outbox;

    model->outbox = NULL;
    (void)pthread_mutex_unlock(model->lock);
    while (sent != NULL) {
        struct pcv__model_sent *next = sent->next;

        model->on_message(model->on_message_arg, &sent->message);
        free(sent);
        sent = next;
    }
}

static bool msi_flush(struct pcv_model *model, struct pcv__model_fn *fn)
{
    struct pcv_model_message message;
    struct vector vector;
    struct msi msi;

    if (!msi_look(fn, &msi) || msi.mask == 0) {
        return false;
    }
    for (uint32_t i = 0; i < 32; i++) {
        msi_vector(fn, &msi, i, &vector);
        if (vector.enabled && !vector.masked &&
            (pcv__model_get(fn, msi.mask + 4, 4) >> i & 1u) != 0) {
            msi_pending_set(fn, &msi, i, false);
            (void)send_locked(model, fn, &vector, &message);
        }
    }
    return pcv__model_get(fn, msi.mask + 4, 4) != 0;
}

static bool msix_flush(struct pcv_model *model, struct pcv__model_fn *fn)
{
    uint32_t entries = pcv__model_msix_entries(fn);
    struct pcv_model_message message;
    struct vector vector;
    bool left = false;

    for (uint32_t i = 0; i < entries; i++) {
        if (!pcv__model_msix_pending_get(fn, i)) {
            continue;
        }
        msix_vector(fn, i, &vector);
        if (vector.enabled && !vector.masked) {
            (void)pcv__model_msix_pending_set(fn, i, false);
            (void)send_locked(model, fn, &vector, &message);
        } else {
            left = true;
        }
    }
    return left;
}

static void flush(struct pcv_model *model, struct pcv__model_fn *fn)
{
    if (fn->pending && pcv__model_can_send(fn)) {
        bool msi = msi_flush(model, fn);
        bool msix = msix_flush(model, fn);

        fn->pending = msi || msix;
    }
}

/* VFs wake with their PF. */
void pcv__model_flush_locked(struct pcv_model *model, struct pcv__model_fn *fn)
{
    flush(model, fn);
    for (struct pcv__model_fn *vf = fn->vfs; vf != NULL; vf = vf->next_vf) {
        flush(model, vf);
    }
}

/* ---- a function raises a vector ------------------------------------------ */

/* Its pending bit; it goes when software lets it. */
static void hold_back(struct pcv__model_fn *fn, bool msix, uint32_t vector)
{
    struct msi msi;

    fn->pending = true;
    if (msix) {
        if (!pcv__model_msix_pending_set(fn, vector, true)) {
            no_memory();
        }
    } else if (msi_look(fn, &msi)) {
        msi_pending_set(fn, &msi, vector, true);
    }
}

/* A function that sleeps raises nothing; one that may not send notes what is
 * masked all the same. */
static enum pcv_model_raised raise_locked(struct pcv_model *model,
                                          struct pcv__model_fn *fn, bool msix,
                                          uint32_t index,
                                          struct pcv_model_message *out)
{
    struct vector vector = {false, false, 0, 0};
    struct msi msi;

    if (!pcv__model_is_there(fn)) {
        return PCV_MODEL_DISABLED;
    }
    if (msix) {
        msix_vector(fn, index, &vector);
    } else if (msi_look(fn, &msi)) {
        msi_vector(fn, &msi, index, &vector);
    }
    if (!vector.enabled) {
        return PCV_MODEL_DISABLED;
    }
    if (pcv__model_is_asleep(fn)) {
        return PCV_MODEL_NO_MASTER;
    }
    if (vector.masked) {
        hold_back(fn, msix, index);
        return PCV_MODEL_MASKED;
    }
    return pcv__model_can_send(fn) ? send_locked(model, fn, &vector, out)
                                   : PCV_MODEL_NO_MASTER;
}

enum pcv_model_raised pcv_model_raise(struct pcv_model *model, pcv_sbdf sbdf,
                                      bool msix, uint16_t vector,
                                      struct pcv_model_message *out_message)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    struct pcv_model_message message;
    enum pcv_model_raised raised = PCV_MODEL_DISABLED;

    (void)pthread_mutex_lock(model->lock);
    if (fn != NULL) {
        raised = raise_locked(model, fn, msix, vector, &message);
    }
    pcv__model_unlock_tell(model);
    if (raised == PCV_MODEL_DELIVERED && out_message != NULL) {
        *out_message = message;
    }
    return raised;
}

void pcv_model_on_message(struct pcv_model *model,
                          void (*fn)(void *arg,
                                     const struct pcv_model_message *message),
                          void *arg)
{
    model->on_message = fn;
    model->on_message_arg = arg;
}
