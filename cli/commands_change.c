/* SPDX-License-Identifier: MIT */
/* Commands that make functions come, go, and be held by vectors. */
#include <stdlib.h>

#include "command.h"

enum command_result command_add(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct pcv_add_info info = {0};
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!ctl_add_words(&ctl, call->args.word + 1, call->args.count - 1, &info,
                       &why)) {
        call_misused(call, "%s", text_str(&why));
        text_fini(&why);
        return COMMAND_MISUSED;
    }
    return call_done(ctl_add(&ctl, sbdf, &info));
}

enum command_result command_remove(struct call *call)
{
    struct session *session = call->session;
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    struct removal *removal = session_removal(session, sbdf);
    session_removal_tell(session, sbdf);
    bool done =
        ctl_remove(&ctl, sbdf, removal != NULL ? &removal->completion : NULL);
    session_removal_told(session, done);
    if (removal != NULL && !removal->completion.taken) {
        session_removal_drop(session, removal);
    }
    return call_done(done);
}

enum command_result command_scan(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    return call_done(ctl_scan(&ctl));
}

enum command_result command_buses(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    uint8_t bus[3];
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    for (size_t i = 0; i < 3; i++) {
        uint64_t value;

        if (!parse_hex(call->args.word[i + 1], 0xff, &value)) {
            return call_misused(call, "expected a bus from 00 to ff, got '%s'",
                                call->args.word[i + 1]);
        }
        bus[i] = (uint8_t)value;
    }
    return call_done(ctl_buses(&ctl, sbdf, bus));
}

enum command_result command_vanish(struct call *call)
{
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    struct ctl ctl = call_ctl(call);
    int result = pcv_model_pull(call->session->machine.model, sbdf);
    if (result != 0) {
        return call_refused(call, ABOUT_HARDWARE, result,
                            call_show(call, sbdf).s);
    }
    return call_done(ctl_vanished(&ctl, sbdf));
}

enum command_result command_vanished(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    return call_sbdf(call, 0, &sbdf) ? call_done(ctl_vanished(&ctl, sbdf))
                                     : COMMAND_MISUSED;
}

enum command_result command_pull(struct call *call)
{
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    int result = pcv_model_pull(call->session->machine.model, sbdf);
    if (result != 0) {
        return call_refused(call, ABOUT_HARDWARE, result,
                            call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: pulled\n", call_show(call, sbdf).s);
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
        return call_refused(call, ABOUT_HARDWARE, result,
                            call_show(call, sbdf).s);
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
        return call_refused(call, ABOUT_HARDWARE, result,
                            call_show(call, sbdf).s);
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
    if (!parse_number(call->args.word[1], UINT16_MAX, &index)) {
        call_misused(call, "expected a vector's number, got '%s'",
                     call->args.word[1]);
        return false;
    }
    *out_index = (uint16_t)index;
    return true;
}

static enum command_result vector_refused(struct call *call, int error,
                                          pcv_sbdf sbdf, bool msix,
                                          uint16_t index)
{
    struct text name = {0};

    text_add(&name, "%s %s vector %u", call_show(call, sbdf).s,
             msix ? "MSI-X" : "MSI", index);
    enum command_result result =
        call_refused(call, ABOUT_VECTOR, error, text_str(&name));
    text_fini(&name);
    return result;
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
        return call_refused(call, ABOUT_FIND, PCV_ENODEV,
                            call_show(call, sbdf).s);
    }
    struct held_vector *held = memory_zero(1, sizeof(*held));
    held->sbdf = sbdf;
    int result = pcv_vector_attach(device, &held->vector, msix, index);
    pcv_device_put(device);
    if (result != 0) {
        free(held);
        return vector_refused(call, result, sbdf, msix, index);
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
