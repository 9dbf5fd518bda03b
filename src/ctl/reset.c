/* SPDX-License-Identifier: MIT */
/* Operations about resets and MSI-X. */
#include "pcivisor/reset.h"
#include "ctl/internal.h"
#include "pcivisor/msix.h"

int pcv__ctl_reset(struct pcv_host *host, const struct pcv_ctl_request *request,
                   struct pcv_ctl_reply *reply)
{
    enum pcv_reset way = PCV_RESET_NONE;
    int error;

    if ((request->flags & PCV_CTL_ONLY_ASK) == 0) {
        return pcv_device_reset(host, request->sbdf, &reply->sbdf);
    }
    error = pcv_device_reset_method(host, request->sbdf, &way, &reply->sbdf);
    if (error == 0) {
        reply->record[0].reset.way = way;
        reply->count = 1;
    }
    return error;
}

int pcv__ctl_prepare_msix(struct pcv_host *host,
                          const struct pcv_ctl_request *request,
                          struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_msix_prepare(host, request->sbdf);
}

int pcv__ctl_release_msix(struct pcv_host *host,
                          const struct pcv_ctl_request *request,
                          struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_msix_release(host, request->sbdf);
}
