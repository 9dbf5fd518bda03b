/* SPDX-License-Identifier: MIT */
/*
 * A session: a machine, and what the commands of a transcript hold of it.
 */
#ifndef PCIVISOR_CLI_SESSION_H
#define PCIVISOR_CLI_SESSION_H

#include "machine.h"
#include "view.h"

/* A vector that `vector` attached; the library links these, so each stays
 * where it is. */
struct held_vector {
    struct pcv_vector vector; /* vector.device is NULL once it is detached */
    pcv_sbdf sbdf;            /* when it was attached */
    struct held_vector *next;
};

/* What waits for a removed device's last reference. */
struct removal {
    struct pcv_completion completion; /* first: the library gives it back */
    struct session *session;
    pcv_sbdf sbdf;
    bool done;
    struct removal *next;
};

/* An access that is pending, and left so: its vCPU waits. */
struct left_access {
    uint32_t domain_id;
    struct pcv_access access;
};
#define SESSION_LEFT_MAX 8u

struct session {
    struct machine machine;
    const char *folder; /* HOSTs are relative to it; NULL: to where we are */
    struct text out;    /* what the running command prints */
    struct pcv_device **held; /* references that `find` took */
    size_t held_count;
    size_t held_room;
    struct held_vector *vectors;
    struct removal *removals;
    struct left_access left[SESSION_LEFT_MAX];
    size_t left_count;
    /* The running command says itself that this function was removed, and what
     * would have been said beside it. */
    pcv_sbdf telling;
    bool tells;
    bool untold;
    bool tracing;
    enum view_via via; /* the entrance of accesses that name none */
};

/* Zero it before. */
void session_init(struct session *session, const char *folder);

/* Load a machine in place of the one that is there. False, and why. */
bool session_load(struct session *session, const char *spec,
                  enum machine_boot boot, struct text *why);

/*
 * Give everything back and end the machine. Returns true, or false and what
 * leaked. The session can be used again.
 */
bool session_close(struct session *session, struct text *why);
void session_fini(struct session *session);

/* How many references the session keeps to a function. */
size_t session_held(const struct session *session, pcv_sbdf sbdf);
void session_hold(struct session *session, struct pcv_device *device);
/* Take one of them out of the list, the youngest; NULL if there is none. */
struct pcv_device *session_unhold(struct session *session, pcv_sbdf sbdf);

/*
 * A completion for the removal of a function, or NULL if one waits already.
 * session_removal_drop() takes back one that the library did not take.
 */
struct removal *session_removal(struct session *session, pcv_sbdf sbdf);
void session_removal_drop(struct session *session, struct removal *removal);
/*
 * Around a command that says itself whether a function was removed, so that it
 * is learnt once; `good`: it did, else it is said now.
 */
void session_removal_tell(struct session *session, pcv_sbdf sbdf);
void session_removal_told(struct session *session, bool good);
/* Removals were withdrawn: completions that the library gave back go. */
void session_removals_tidy(struct session *session);

/* Print trace records as they come, or stop. */
void session_trace(struct session *session, bool on);

#endif
