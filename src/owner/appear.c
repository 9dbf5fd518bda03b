/* SPDX-License-Identifier: MIT */
/*
 * Functions that nobody reported (LIFE-12): the hardware domain finds its
 * devices by reading vendor IDs, and what answers there is added before the
 * read is answered; so is what took the place of another.
 */
#include "owner/internal.h"
#include "registry/identify.h"
#include "registry/kept.h"
#include "registry/route.h"

/* Tell why what answers cannot be had, once for each address and reason: it is
 * read again and again. */
static void tell_failed(struct pcv_host *host, pcv_sbdf sbdf, int error)
{
    uint64_t what = (uint64_t)(uint32_t)-error << 32 | sbdf.v;

    if (atomic_exchange_explicit(&host->appear_failed, what,
                                 memory_order_relaxed) != what) {
        pcv__event_at(host, sbdf, PCV_EVENT_ADD_FAILED, (uint64_t)-error, 0);
    }
}

uint32_t pcv__moves_at(struct pcv_host *host, pcv_sbdf sbdf)
{
    const struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));

    return segment ? pcv__moves(segment) : 0;
}

bool pcv__add_may_follow(struct pcv_host *host, pcv_sbdf sbdf, uint32_t moves)
{
    struct pcv_device_status status;

    if (moves % 2u != 0 || moves != pcv__moves_at(host, sbdf)) {
        return true;
    }
    return pcv_device_status(host, sbdf, &status) == 0 &&
           status.state == PCV_STATE_ADDING;
}

static enum pcv_verdict add(struct pcv_host *host, pcv_sbdf sbdf, bool *added)
{
    uint32_t moves = pcv__moves_at(host, sbdf);
    int error = pcv_device_add(host, sbdf, NULL);

    switch (error) {
    case 0:
    case -PCV_ERESTART:
        *added = true;
        return error == 0 ? PCV_DONE : PCV_PENDING;
    case -PCV_EBUSY:
        return pcv__add_may_follow(host, sbdf, moves) ? PCV_PENDING : PCV_DONE;
    case -PCV_ENODEV:
    case -PCV_EAGAIN:
        return PCV_DONE; /* it does not answer after all, or not yet */
    default:
        tell_failed(host, sbdf, error);
        return PCV_DONE;
    }
}

/* What hardware says at the address of a registered function. */
enum said {
    SAID_NOTHING, /* that it is the one we know, or is not ready */
    SAID_ANOTHER, /* that it may be another card; an add tells (LIFE-7) */
    SAID_ONES,    /* it may be gone */
};

static enum said ask(struct pcv_device *device)
{
    uint32_t known = device->id.vendor | (uint32_t)device->id.device << 16;
    bool suspect = atomic_load_explicit(&device->suspect, memory_order_acquire);
    int error = 0;
    uint32_t ids;

    /* One that was just reset is not asked (SRIOV-3); nor is one that has
     * vanished, unless its slot had something to tell since. */
    if ((pcv__has_vanished(device) && !suspect) || device->is_vf ||
        !pcv__owns(&device->host->hardware, device) ||
        pcv__hw_quiet_us(device) != 0) {
        return SAID_NOTHING;
    }
    ids = pcv__hw_probe(device->host, pcv__device_sbdf(device), PCV_REG_VENDOR,
                        4, &error);
    if (error != 0 || !pcv__ids_answer(ids)) {
        return error == 0 && ids == UINT32_MAX ? SAID_ONES : SAID_NOTHING;
    }
    return suspect || ids != known ? SAID_ANOTHER : SAID_NOTHING;
}

/* Something is registered there, and a reference to it held, which is ours to
 * give back. */
static enum pcv_verdict meet(struct pcv_device *device, bool *added)
{
    struct pcv_host *host = device->host;
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    enum said said = *added ? SAID_NOTHING : ask(device);
    int error = said == SAID_NOTHING ? pcv__add_finish(device) : 0;

    pcv_device_put(device);
    switch (said) {
    case SAID_ANOTHER:
        return add(host, sbdf, added);
    case SAID_ONES:
        pcv__look_above(host, sbdf);
        return PCV_DONE;
    case SAID_NOTHING:
        break;
    }
    return error == 0 ? PCV_DONE : PCV_PENDING;
}

enum pcv_verdict pcv__appear(struct pcv_host *host, pcv_sbdf sbdf, bool *added)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    int error;

    if (device) {
        return meet(device, added);
    }
    if (*added) {
        return PCV_DONE;
    }
    if (pcv__table_peek(host, sbdf)) {
        /* It leaves, and is absent until it is gone; or another CPU adds or
         * moves it. */
        return pcv__add_may_follow(host, sbdf, pcv__moves_at(host, sbdf))
                   ? PCV_PENDING
                   : PCV_DONE;
    }
    error = pcv__route(host, sbdf);
    if (error < 0) {
        tell_failed(host, sbdf, error);
    }
    return error == 1 ? add(host, sbdf, added) : PCV_DONE;
}
