/* SPDX-License-Identifier: MIT */
/*
 * Bring-up of a host on the model, as a hypervisor's boot does it.
 */
#include <string.h>

#include "machine.h"

/* Report one function, to the end. */
static int report_as(struct pcv_host *host, const struct pcv__model_fn *fn,
                     bool vf)
{
    struct pcv_add_info info = {0, {0}, 0};
    int error;

    if (vf) {
        info.flags |= PCV_ADD_IS_VF;
        info.physfn = fn->physfn;
    }
    if (fn->has_node) {
        info.flags |= PCV_ADD_HAS_NODE;
        info.node = fn->node;
    }
    do {
        error = pcv_device_add(host, fn->sbdf, &info);
    } while (error == -PCV_ERESTART);
    return error;
}

/* A VF whose PF is asleep or shows no SR-IOV is nobody's; if it has IDs of its
 * own it answers all the same, and is a function like any other. */
static int report(struct pcv_host *host, const struct pcv__model_fn *fn)
{
    int error = report_as(host, fn, fn->vf);

    if (fn->vf && (error == -PCV_ENODEV || error == -PCV_EINVAL)) {
        int alone = report_as(host, fn, false);

        error = alone == -PCV_ENODEV ? error : alone;
    }
    return error;
}

/* Report what the scan did not find and what does answer, PFs before VFs. A
 * function that cannot be added counts in the scan as a failed one. */
static void report_rest(struct pcv_model *model, struct pcv_host *host,
                        struct pcv_scan *scan, bool vfs, uint32_t *count)
{
    for (size_t i = 0; i < model->fns; i++) {
        const struct pcv__model_fn *fn = model->fn[i];
        struct pcv_device_status status;
        int error;

        if (fn->vf != vfs || pcv__model_route(model, fn->sbdf) != fn ||
            (pcv_device_status(host, fn->sbdf, &status) == 0 &&
             status.state != PCV_STATE_ABSENT)) {
            continue;
        }
        error = report(host, fn);
        if (error == 0) {
            (*count)++;
        } else if (error != -PCV_ENODEV) {
            if (scan->failed++ == 0) {
                scan->first_error = error;
                scan->first_failed = fn->sbdf;
            }
        }
    }
}

void pcv_model_unnumber(struct pcv_model *model)
{
    (void)pthread_mutex_lock(model->lock);
    for (size_t i = 0; i < model->fns; i++) {
        struct pcv__model_fn *fn = model->fn[i];

        if (fn->bridge) {
            uint32_t timer = pcv__model_get(fn, PCV_REG_PRIMARY, 4) >> 24;

            (void)pcv__model_put(fn, PCV_REG_PRIMARY, timer << 24);
            pcv__model_route_forget_locked(model, fn);
            pcv__model_decode_forget_locked(model, fn);
        }
    }
    (void)pthread_mutex_unlock(model->lock);
}

void pcv_model_forget_ecam(struct pcv_model *model)
{
    model->no_ecam_usable = true;
}

int pcv_model_host(struct pcv_model *model, struct pcv_host **out_host)
{
    struct pcv_host_ops ops = *pcv_model_ops();
    const struct pcv_host_config config = {.page_shift = 12,
                                           .cpus = PCV__MODEL_CPUS};

    if (model->no_ecam_usable) {
        ops.ecam_usable = NULL;
    }
    return pcv_host_create(&ops, model, &config, out_host);
}

int pcv_model_boot(struct pcv_model *model, struct pcv_host **out_host,
                   struct pcv_scan *out_scan, uint32_t *out_reported)
{
    struct pcv_host *host = NULL;
    struct pcv_scan scan;
    uint32_t reported = 0;
    int error = pcv_model_host(model, &host);

    if (error != 0) {
        return error;
    }
    memset(&scan, 0, sizeof(scan));
    do {
        error = pcv_host_scan(host, &scan, 0);
    } while (error == -PCV_ERESTART);
    if (error != 0) {
        (void)pcv_host_destroy(host);
        return error;
    }
    report_rest(model, host, &scan, false, &reported);
    report_rest(model, host, &scan, true, &reported);
    *out_host = host;
    if (out_scan != NULL) {
        *out_scan = scan;
    }
    if (out_reported != NULL) {
        *out_reported = reported;
    }
    return 0;
}
