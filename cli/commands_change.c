/* SPDX-License-Identifier: MIT */
/* Commands that make functions come, go, and be held by vectors. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "report.h"

/* More than a machine of the model takes; beyond it there is a bug. */
#define RESTARTS_MAX 100000000u

/* How many VFs of a function are registered. They are in its segment. */
static uint64_t vfs_of(struct pcv_host *host, pcv_sbdf sbdf)
{
    uint64_t count = 0;
    pcv_sbdf from = {sbdf.v & 0xffff0000u};

    for (;;) {
        struct pcv_device_info info;
        struct pcv_device *device = pcv_device_next(host, from);
        if (device == NULL) {
            return count;
        }
        pcv_device_get_info(device, &info);
        pcv_device_put(device);
        if ((info.sbdf.v ^ sbdf.v) >> 16 != 0) {
            return count;
        }
        count += info.is_vf && info.physfn.v == sbdf.v;
        if (info.sbdf.v == UINT32_MAX) {
            return count;
        }
        from.v = info.sbdf.v + 1;
    }
}

/* What is in the way: a device that is held, or leaving and still held. */
static enum command_result busy_held(struct call *call, pcv_sbdf busy,
                                     const char *where)
{
    struct pcv_device_status status = {0};
    struct text held = {0};

    (void)pcv_device_status(call->session->machine.host, busy, &status);
    report_holders(&held, &status);
    enum command_result result = call_failed(
        call, PCV_EBUSY, "%s%s is %sheld by: %s", call_show(call, busy).s,
        where, status.state == PCV_STATE_LEAVING ? "leaving, still " : "",
        text_str(&held));
    text_fini(&held);
    return result;
}

/* Why a removal was refused, or is not over. */
static enum command_result remove_busy(struct call *call, pcv_sbdf sbdf,
                                       pcv_sbdf busy)
{
    struct text text = {0};
    uint64_t vfs = vfs_of(call->session->machine.host, sbdf);

    if (vfs == 0) {
        return busy_held(call, busy, busy.v != sbdf.v ? " behind it" : "");
    }
    text_add_count(&text, vfs, "VF");
    enum command_result result = call_failed(
        call, PCV_EBUSY, "%s has %s", call_show(call, sbdf).s, text_str(&text));
    text_fini(&text);
    return result;
}

/* "vf-of SBDF", "node N", in any order, behind the address. */
static bool add_info(struct call *call, struct pcv_add_info *out_info)
{
    uint64_t node;

    for (size_t i = 1; i < call->args.count; i += 2) {
        const char *word = call->args.word[i];
        bool vf = strcmp(word, "vf-of") == 0;
        if (!vf && strcmp(word, "node") != 0) {
            call_misused(call, "expected 'vf-of SBDF' or 'node N', got '%s'",
                         word);
            return false;
        }
        if (i + 1 == call->args.count) {
            call_misused(call, "'%s' needs a value", word);
            return false;
        }
        if (vf) {
            if (!call_sbdf(call, i + 1, &out_info->physfn)) {
                return false;
            }
            out_info->flags |= PCV_ADD_IS_VF;
            continue;
        }
        if (!parse_decimal(call->args.word[i + 1], UINT32_MAX, &node)) {
            call_misused(call, "expected a node's number, got '%s'",
                         call->args.word[i + 1]);
            return false;
        }
        out_info->node = (uint32_t)node;
        out_info->flags |= PCV_ADD_HAS_NODE;
    }
    return true;
}

enum command_result command_add(struct call *call)
{
    struct pcv_host *host = call->session->machine.host;
    struct pcv_add_info info = {0};
    struct pcv_device_status before;
    pcv_sbdf sbdf;
    uint32_t restarts = 0;
    int result;

    if (!call_sbdf(call, 0, &sbdf) || !add_info(call, &info)) {
        return COMMAND_MISUSED;
    }
    result = pcv_device_status(host, sbdf, &before);
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    do {
        result = pcv_device_add(host, sbdf, &info);
    } while (result == -PCV_ERESTART && ++restarts < RESTARTS_MAX);
    if (result == -PCV_EBUSY) {
        return busy_held(call, sbdf, "");
    }
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: %s", call_show(call, sbdf).s,
             before.state == PCV_STATE_PRESENT ? "known, updated" : "added");
    if (restarts != 0) {
        text_add(call->out, " after ");
        text_add_count(call->out, restarts, "restart");
    }
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

enum command_result command_remove(struct call *call)
{
    struct session *session = call->session;
    struct pcv_host *host = session->machine.host;
    struct pcv_device_status status = {0};
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    pcv_sbdf busy = sbdf;
    struct removal *removal = session_removal(session, sbdf);
    int result = pcv_device_remove(
        host, sbdf, removal != NULL ? &removal->completion : NULL, &busy);
    if (result == -PCV_EBUSY) {
        (void)pcv_device_status(host, busy, &status);
    }
    bool leaving = result == -PCV_EBUSY && busy.v == sbdf.v &&
                   status.state == PCV_STATE_LEAVING;
    if (removal != NULL && result != 0 && !leaving) {
        session_removal_drop(session, removal);
    }
    if (result == -PCV_EBUSY) {
        return remove_busy(call, sbdf, busy);
    }
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: removed\n", call_show(call, sbdf).s);
    return COMMAND_DONE;
}

enum command_result command_scan(struct call *call)
{
    struct pcv_scan scan = {0};
    int result = pcv_host_scan(call->session->machine.host, &scan, 0);

    if (result != 0) {
        return call_failed(call, result, "the scan stopped");
    }
    text_add_count(call->out, scan.found, "function");
    text_add(call->out, " found, %" PRIu32 " failed", scan.failed);
    if (scan.failed != 0) {
        text_add(call->out, ", the first at %s: %s",
                 call_show(call, scan.first_failed).s,
                 pcv_errno_name(scan.first_error));
    }
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

enum command_result command_buses(struct call *call)
{
    struct pcv_host *host = call->session->machine.host;
    uint64_t bus[3];
    uint32_t restarts = 0;
    pcv_sbdf sbdf;
    int result;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!parse_hex(call->args.word[i + 1], 0xff, &bus[i])) {
            return call_misused(call, "expected a bus from 00 to ff, got '%s'",
                                call->args.word[i + 1]);
        }
    }
    do {
        result = pcv_bridge_report_buses(host, sbdf, (uint8_t)bus[0],
                                         (uint8_t)bus[1], (uint8_t)bus[2]);
    } while (result == -PCV_ERESTART && ++restarts < RESTARTS_MAX);
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: reported\n", call_show(call, sbdf).s);
    return COMMAND_DONE;
}

enum command_result command_vanish(struct call *call)
{
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    int result = pcv_model_pull(call->session->machine.model, sbdf);
    if (result == 0) {
        result = pcv_device_vanished(call->session->machine.host, sbdf);
    }
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: vanished\n", call_show(call, sbdf).s);
    return COMMAND_DONE;
}

enum command_result command_plug(struct call *call)
{
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    int result = pcv_model_plug(call->session->machine.model, sbdf);
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: plugged in\n", call_show(call, sbdf).s);
    return COMMAND_DONE;
}

enum command_result command_dead(struct call *call)
{
    pcv_sbdf sbdf;
    bool on;

    if (!call_sbdf(call, 0, &sbdf) || !call_on_off(call, 1, &on)) {
        return COMMAND_MISUSED;
    }
    int result = pcv_model_set_dead(call->session->machine.model, sbdf, on);
    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: %s\n", call_show(call, sbdf).s,
             on ? "reads all ones" : "answers again");
    return COMMAND_DONE;
}

/* The address and the index that both vector commands take. */
static bool vector_words(struct call *call, pcv_sbdf *out_sbdf,
                         uint16_t *out_index)
{
    uint64_t index;

    if (!call_sbdf(call, 0, out_sbdf)) {
        return false;
    }
    if (!parse_decimal(call->args.word[1], UINT16_MAX, &index)) {
        call_misused(call, "expected a vector's number, got '%s'",
                     call->args.word[1]);
        return false;
    }
    *out_index = (uint16_t)index;
    return true;
}

enum command_result command_vector(struct call *call)
{
    struct session *session = call->session;
    bool msix = call->args.option[0] != NULL;
    pcv_sbdf sbdf;
    uint16_t index;

    if (!vector_words(call, &sbdf, &index)) {
        return COMMAND_MISUSED;
    }
    struct pcv_device *device = pcv_device_find(session->machine.host, sbdf);
    if (device == NULL) {
        return call_failed(call, PCV_ENODEV, "%s", call_show(call, sbdf).s);
    }
    struct held_vector *held = memory_zero(1, sizeof(*held));
    held->sbdf = sbdf;
    int result = pcv_vector_attach(device, &held->vector, msix, index);
    pcv_device_put(device);
    if (result != 0) {
        free(held);
        return call_failed(call, result, "%s %s vector %u",
                           call_show(call, sbdf).s, msix ? "MSI-X" : "MSI",
                           index);
    }
    held->next = session->vectors;
    session->vectors = held;
    text_add(call->out, "%s: %s vector %u attached\n", call_show(call, sbdf).s,
             msix ? "MSI-X" : "MSI", index);
    return COMMAND_DONE;
}

/* Where its device is now: addresses move with bus numbers. */
static pcv_sbdf vector_sbdf(const struct held_vector *held)
{
    struct pcv_device *device = atomic_load(&held->vector.device);

    return device != NULL ? pcv_device_sbdf(device) : held->sbdf;
}

enum command_result command_vector_free(struct call *call)
{
    struct held_vector **at = &call->session->vectors;
    bool msix = call->args.option[0] != NULL;
    pcv_sbdf sbdf;
    uint16_t index;

    if (!vector_words(call, &sbdf, &index)) {
        return COMMAND_MISUSED;
    }
    while (*at != NULL &&
           (vector_sbdf(*at).v != sbdf.v || (*at)->vector.index != index ||
            (*at)->vector.msix != msix)) {
        at = &(*at)->next;
    }
    struct held_vector *held = *at;
    if (held == NULL) {
        return call_failed(call, PCV_ENOENT, "no %s vector %u of %s is kept",
                           msix ? "MSI-X" : "MSI", index,
                           call_show(call, sbdf).s);
    }
    bool attached = held->vector.device != NULL;
    *at = held->next;
    pcv_vector_detach(&held->vector);
    free(held);
    text_add(call->out, "%s: %s vector %u %s\n", call_show(call, sbdf).s,
             msix ? "MSI-X" : "MSI", index,
             attached ? "detached" : "was detached already");
    return COMMAND_DONE;
}
