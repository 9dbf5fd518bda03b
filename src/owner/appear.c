/* SPDX-License-Identifier: MIT */
/*
 * Functions that nobody reported (LIFE-12): the hardware domain finds its
 * devices by reading vendor IDs, and what answers there is added before the
 * read is answered.
 */
#include "owner/internal.h"

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

static bool is_adding(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    return pcv_device_status(host, sbdf, &status) == 0 &&
           status.state == PCV_STATE_ADDING;
}

static enum pcv_verdict add(struct pcv_host *host, pcv_sbdf sbdf, bool *added)
{
    int error = pcv_device_add(host, sbdf, NULL);

    switch (error) {
    case 0:
    case -PCV_ERESTART:
        *added = true;
        return error == 0 ? PCV_DONE : PCV_PENDING;
    case -PCV_EBUSY:
        return is_adding(host, sbdf) ? PCV_PENDING : PCV_DONE;
    case -PCV_ENODEV:
    case -PCV_EAGAIN:
        return PCV_DONE; /* it does not answer after all, or not yet */
    default:
        tell_failed(host, sbdf, error);
        return PCV_DONE;
    }
}

enum pcv_verdict pcv__appear(struct pcv_host *host, pcv_sbdf sbdf, bool *added)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    int error;

    if (device) {
        error = pcv__add_finish(device);
        pcv_device_put(device);
        return error == 0 ? PCV_DONE : PCV_PENDING;
    }
    if (*added) {
        return PCV_DONE;
    }
    if (pcv__table_peek(host, sbdf)) {
        /* It leaves, and is absent until it is gone; or another CPU adds it. */
        return is_adding(host, sbdf) ? PCV_PENDING : PCV_DONE;
    }
    error = pcv__route(host, sbdf);
    if (error < 0) {
        tell_failed(host, sbdf, error);
    }
    return error == 1 ? add(host, sbdf, added) : PCV_DONE;
}
