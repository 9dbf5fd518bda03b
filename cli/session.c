/* SPDX-License-Identifier: MIT */
/* A session: a machine, and what the commands hold of it. */
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void session_init(struct session *session, const char *folder)
{
    memset(session, 0, sizeof(*session));
    session->folder = folder;
}

/* Messages are told when they arrive, whichever command lets them go. */
static void print_message(void *arg, const struct pcv_model_message *message)
{
    struct session *session = arg;
    text_add(&session->out, "message: %s to %s, %" PRIx64 " = %" PRIx32 "\n",
             machine_sbdf(&session->machine, message->sbdf).s,
             machine_domain_name(&session->machine, message->domain_id).s,
             message->address, message->data);
}

bool session_load(struct session *session, const char *spec,
                  enum machine_boot boot, struct text *why)
{
    if (!session_close(session, why)) {
        return false;
    }
    if (!machine_open(&session->machine, spec, session->folder, boot, why)) {
        return false;
    }
    pcv_model_on_message(session->machine.model, print_message, session);
    return true;
}

/* Vectors first: each may be what keeps a removed device. */
static void session_release(struct session *session)
{
    while (session->vectors != NULL) {
        struct held_vector *held = session->vectors;
        session->vectors = held->next;
        pcv_vector_detach(&held->vector);
        free(held);
    }
    for (size_t i = 0; i < session->held_count; i++) {
        pcv_device_put(session->held[i]);
    }
    session->held_count = 0;
}

bool session_close(struct session *session, struct text *why)
{
    session_release(session);
    bool clean = machine_close(&session->machine, why);
    /* The library may tell of a removal until its host is gone. */
    while (session->removals != NULL) {
        session_removal_drop(session, session->removals);
    }
    session->tracing = false;
    session->left_count = 0;
    session->via = VIEW_ADDRESS;
    return clean;
}

void session_fini(struct session *session)
{
    free(session->held);
    text_fini(&session->out);
    memset(session, 0, sizeof(*session));
}

size_t session_held(const struct session *session, pcv_sbdf sbdf)
{
    size_t count = 0;
    for (size_t i = 0; i < session->held_count; i++) {
        count += pcv_device_sbdf(session->held[i]).v == sbdf.v;
    }
    return count;
}

void session_hold(struct session *session, struct pcv_device *device)
{
    session->held =
        memory_grow(session->held, session->held_count, &session->held_room,
                    sizeof(struct pcv_device *));
    session->held[session->held_count++] = device;
}

struct pcv_device *session_unhold(struct session *session, pcv_sbdf sbdf)
{
    for (size_t i = session->held_count; i > 0; i--) {
        struct pcv_device *device = session->held[i - 1];
        if (pcv_device_sbdf(device).v != sbdf.v) {
            continue;
        }
        memmove(&session->held[i - 1], &session->held[i],
                (session->held_count - i) * sizeof(struct pcv_device *));
        session->held_count--;
        return device;
    }
    return NULL;
}

static void say_removed(struct session *session, pcv_sbdf sbdf)
{
    text_add(&session->out, "%s: removal complete\n",
             machine_sbdf(&session->machine, sbdf).s);
}

static void removal_done(struct pcv_completion *self, pcv_sbdf sbdf)
{
    /* The completion is its first member. */
    struct removal *removal = (struct removal *)self;
    struct session *session = removal->session;

    removal->done = true;
    if (session->tells && session->telling.v == sbdf.v) {
        session->untold = true;
        return;
    }
    say_removed(session, sbdf);
}

void session_removal_tell(struct session *session, pcv_sbdf sbdf)
{
    session->telling = sbdf;
    session->tells = true;
    session->untold = false;
}

void session_removal_told(struct session *session, bool good)
{
    if (session->untold && !good) {
        say_removed(session, session->telling);
    }
    session->tells = false;
}

struct removal *session_removal(struct session *session, pcv_sbdf sbdf)
{
    for (struct removal *removal = session->removals; removal != NULL;
         removal = removal->next) {
        if (removal->sbdf.v == sbdf.v && !removal->done) {
            return NULL;
        }
    }
    struct removal *removal = memory_zero(1, sizeof(*removal));
    removal->completion.done = removal_done;
    removal->session = session;
    removal->sbdf = sbdf;
    removal->next = session->removals;
    session->removals = removal;
    return removal;
}

void session_removals_tidy(struct session *session)
{
    struct removal *removal = session->removals;

    while (removal != NULL) {
        struct removal *next = removal->next;

        if (!removal->done && !removal->completion.taken) {
            session_removal_drop(session, removal);
        }
        removal = next;
    }
}

void session_removal_drop(struct session *session, struct removal *removal)
{
    struct removal **at = &session->removals;
    while (*at != NULL && *at != removal) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = removal->next;
        free(removal);
    }
}

static void print_trace(void *arg, const struct pcv_trace *record)
{
    struct session *session = arg;
    text_add(&session->out, "trace: %s %s %s %03x %0*" PRIx64 " %s\n",
             machine_domain_name(&session->machine, record->domain_id).s,
             record->write ? "writes" : "reads",
             machine_sbdf(&session->machine, record->sbdf).s, record->reg,
             record->size * 2, record->data,
             pcv_verdict_name((enum pcv_verdict)record->verdict));
}

void session_trace(struct session *session, bool on)
{
    pcv_model_on_trace(session->machine.model, on ? print_trace : NULL,
                       session);
    pcv_host_set_trace(session->machine.host, on);
    session->tracing = on;
}
