/* SPDX-License-Identifier: MIT */
/*
 * Torture: everything that the library offers at once, on a machine that is
 * made up, while host operations fail.
 *
 * A *player* is a CPU that somebody plays: it does one operation after the
 * other, each a step at a time, as the library answers restart, retry and
 * pending. An *actor* is a kind of operation (actors.c has the table). Each
 * thread plays several players, in an order that the seed chooses, so that
 * operations also meet half done. With one thread the seed decides everything.
 *
 * Each actor checks what it may: that an answer is one of those that the header
 * names, that a guest reads only what it was given, that nothing reaches
 * hardware after a removal said 0. Between rounds everybody stands still, and
 * the books are checked (books.c): references, vectors, mappings, DMA, bytes.
 */
#ifndef PCV_TESTS_TORTURE_H
#define PCV_TESTS_TORTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "pcivisor/pcivisor.h"
#include "pcivisor/regs.h"

#define GUESTS 4u
#define FIRST_GUEST_ID 100u
#define GUEST_SLOTS 32u
#define GUEST_WINDOW UINT64_C(0x80000000)
#define GUEST_WINDOW_SIZE UINT64_C(0x10000000)
#define GUEST_ECAM UINT64_C(0x40000000)
#define HARDWARE_ECAM UINT64_C(0x10000000000)
#define DOORBELL 0xfee00000u

#define THREADS_MAX 32u
#define PLAYERS_MAX 64u /* of all threads */
#define HELD 3u
#define VECTORS 4u
#define NOTES 4u
#define OTHERS 16u /* of a group that go along */
/* Turns that an administrator waits for one function: it may never answer any
 * more after its reset. */
#define PATIENCE 4000u
#define TURNS_MAX 200000u /* of one operation: it does not end */

/* The segment where only one actor adds and removes, and nobody reads vendor
 * IDs, so that whatever reaches hardware at a function that is gone is a bug
 * (LIFE-11). */
#define ARENA 1u

/* ---- the machine ----------------------------------------------------------
 */

#define FN_BARS 6u

struct function {
    pcv_sbdf sbdf; /* the model's name for it, for life */
    bool bridge, vf;
    bool subject; /* of the arena: it is removed and added by one actor only */
    uint8_t pm, msi, msix, pcie; /* capabilities, or 0 */
    uint16_t sriov;
    /* As firmware set it up. */
    uint32_t bar[FN_BARS];
    uint32_t command, numbers;
    /* The books. */
    _Atomic bool changing; /* a player changes its owner, or removes it */
    _Atomic uint64_t may;  /* which guests may read it, a bit each; from bit 8
                              on: world.changes when that was written */
    _Atomic bool gone;     /* its removal said 0, and nobody adds it yet */
};

struct guest {
    struct pcv_domain *domain;          /* NULL: it does not exist */
    struct pcv_domain *ending;          /* it does, but nobody uses it */
    uint32_t generation;                /* counts its lives */
    _Atomic uint32_t slot[GUEST_SLOTS]; /* what it was given there: index of a
                                           function + 1 */
};

/* Also one that is ending. */
static inline struct pcv_domain *exists(const struct guest *guest)
{
    return guest->domain ? guest->domain : guest->ending;
}

/* ---- who plays ------------------------------------------------------------
 */

enum turn {
    TURN_OVER,  /* the operation has ended */
    TURN_AGAIN, /* it goes on when this player's turn comes again */
};

struct player;

/* X(name, weight, alone): `alone` is for what may not run beside anything. */
#define ACTORS(X)                                                              \
    X(hardware_access, 60, false)                                              \
    X(guest_access, 60, false)                                                 \
    X(vectors_program, 12, false)                                              \
    X(memory_access, 20, false)                                                \
    X(size_bar, 8, false)                                                      \
    X(guest_sets_up, 12, false)                                                \
    X(firmware, 10, false)                                                     \
    X(hold, 14, false)                                                         \
    X(let_go, 16, false)                                                       \
    X(vector_attach, 8, false)                                                 \
    X(vector_detach, 10, false)                                                \
    X(look, 16, false)                                                         \
    X(control, 8, false)                                                       \
    X(mailbox, 4, false)                                                       \
    X(assign, 14, false)                                                       \
    X(test_assign, 4, false)                                                   \
    X(mark_broken, 1, false)                                                   \
    X(override, 1, false)                                                      \
    X(hide, 2, false)                                                          \
    X(conceal, 2, false)                                                       \
    X(quarantine, 2, false)                                                    \
    X(reveal, 8, false)                                                        \
    X(reset, 4, false)                                                         \
    X(set_msix_aside, 3, false)                                                \
    X(deassign, 10, false)                                                     \
    X(restore, 3, false)                                                       \
    X(domains, 2, true)                                                        \
    X(evict, 1, false)                                                         \
    X(add, 12, false)                                                          \
    X(remove, 6, false)                                                        \
    X(cancel_remove, 2, true)                                                  \
    X(scan, 3, false)                                                          \
    X(arena, 10, false)                                                        \
    X(vanish, 2, false)                                                        \
    X(pull, 2, false)                                                          \
    X(plug, 6, false)                                                          \
    X(sleep, 1, false)                                                         \
    X(renumber, 3, false)                                                      \
    X(report_buses, 1, false)                                                  \
    X(virtual_functions, 3, false)                                             \
    X(declare_ecam, 2, false)                                                  \
    X(read_only, 1, false)                                                     \
    X(emulated, 4, false)                                                      \
    X(faults, 6, false)                                                        \
    X(clear_faults, 2, false)                                                  \
    X(group, 4, false)                                                         \
    X(isolate, 1, false)                                                       \
    X(requesters, 4, false)                                                    \
    X(name_requester, 1, false)                                                \
    X(work, 4, false)                                                          \
    X(dma, 6, false)                                                           \
    X(message, 6, false)                                                       \
    X(fault, 2, false)                                                         \
    X(weather, 2, false)

#define ACTOR_ENUM(name, weight, alone) ACTOR_##name,
enum actor_index { ACTORS(ACTOR_ENUM) ACTOR_COUNT };
#undef ACTOR_ENUM

#define ACTOR_PLAY(name, weight, alone) enum turn play_##name(struct player *p);
ACTORS(ACTOR_PLAY)
#undef ACTOR_PLAY

struct actor {
    const char *name;
    uint32_t weight;
    bool alone;
    enum turn (*play)(struct player *p);
};

extern const struct actor actors[ACTOR_COUNT];

/* A completion, which must fire once if it was taken. */
struct note {
    struct pcv_completion completion;
    _Atomic uint32_t fired;
    bool lent;
};

/* How an access comes in. */
enum entrance { BY_ADDRESS, BY_ECAM, BY_PORT };

struct player {
    struct world *w;
    uint32_t index;
    uint64_t random;
    uint64_t counts[ACTOR_COUNT]; /* operations that ended */
    uint64_t turns;

    /* The operation that it is at. */
    const struct actor *actor; /* NULL: none */
    uint32_t stage;            /* 0 at first, then the actor's */
    uint32_t tries;            /* turns so far */
    struct function *fn;
    uint32_t guest; /* index; GUESTS: the hardware domain */
    uint32_t generation;
    struct pcv_domain *domain;
    uint64_t value;
    uint64_t since; /* world.changes when it began */

    struct pcv_access access;
    struct pcv_mmio memory;
    int answer; /* the last that an operation gave, or its verdict */
    enum entrance entrance;
    enum pcv_verdict verdict;
    bool begun;
    bool pending; /* it was performed, and is to be resumed */

    struct pcv_assign_policy policy;
    struct pcv_hide_info hide;
    struct function *other[OTHERS];
    uint32_t others;
    struct pcv_scan scan;

    /* What it keeps from one operation to the next. */
    struct pcv_device *held[HELD];
    struct pcv_device_info known[HELD]; /* of those held */
    struct pcv_vector vector[VECTORS];
    struct note note[NOTES];
};

struct world {
    uint64_t seed;
    bool traced;
    struct pcv_model *model;
    struct pcv_host *host;
    struct pcv_host_ops ops;
    struct pcv_domain *hardware;
    struct function *fn;
    uint32_t functions;
    struct guest guest[GUESTS];
    _Atomic uint64_t changes; /* of any function's `may` */
    pthread_rwlock_t domains; /* read by all, written by who is alone */

    struct pcv_emulated *emulated;
    _Atomic bool emulated_busy;
    _Atomic bool declaring[2]; /* one at a time for a segment */
    struct pcv_event_log *log;
    struct pcv_mailbox *box;
    _Atomic uint64_t events, messages, callbacks;

    struct player player[PLAYERS_MAX];
    uint32_t players;
    uint32_t threads;
};

/* ---- world.c ---------------------------------------------------------------
 */

void world_make(struct world *w, uint64_t seed, uint32_t threads,
                uint32_t players);
/* Everything is given back, and nothing may be left. */
void world_end(struct world *w);

/* Something is wrong: say what, and end. */
_Noreturn void torture_fail(const struct player *p, const char *file, int line,
                            const char *what, int64_t detail);
#define EXPECT(p, condition, detail)                                           \
    do {                                                                       \
        if (!(condition)) {                                                    \
            torture_fail((p), __FILE__, __LINE__, #condition,                  \
                         (int64_t)(detail));                                   \
        }                                                                      \
    } while (0)

/* An answer is one of those that its header names. */
void expect_answer(struct player *p, const char *file, int line, int answer,
                   const int *allowed);
#define EXPECT_ANSWER(p, answer, ...)                                          \
    expect_answer((p), __FILE__, __LINE__, (answer),                           \
                  (const int[]){__VA_ARGS__, 1})

/* ---- books.c ---------------------------------------------------------------
 */

/* Everybody stands still. */
void books_check(struct world *w);

/* ---- close.c ---------------------------------------------------------------
 */

/* References, vectors, devices and domains are given back. */
void books_close(struct world *w);
/* When the host has ended. */
void books_notes(struct world *w);

/* ---- chance ----------------------------------------------------------------
 */

uint64_t next_random(uint64_t *state);

static inline uint32_t chance(struct player *p, uint32_t of)
{
    return (uint32_t)((next_random(&p->random) >> 11) % of);
}

static inline bool one_in(struct player *p, uint32_t n)
{
    return chance(p, n) == 0;
}

/* ---- what actors share (actors.c) ------------------------------------------
 */

/* A function for which `fits` says yes (NULL: any), or NULL. */
struct function *any_function(struct player *p,
                              bool (*fits)(const struct function *fn));
static inline bool in_arena(const struct function *fn)
{
    return pcv_sbdf_segment(fn->sbdf) == ARENA;
}
/* The one with that name, or NULL. */
struct function *function_at(struct world *w, pcv_sbdf sbdf);
/* Bit n of those who may read a function, as of now. */
void may_read(struct player *p, struct function *fn, uint32_t mask);
static inline uint32_t readers(const struct function *fn)
{
    return (uint32_t)(fn->may & 0xffu);
}

/* This player is the hardware domain, or a guest that exists: false if it does
 * not. Then whether it still is the one that it was. */
bool be_hardware(struct player *p);
bool be_guest(struct player *p);
bool still_is(struct player *p);

/* An access of the player's domain, which was put into p->access, from its
 * beginning to its end: TURN_AGAIN until it has one. */
enum turn carry_on(struct player *p);
/* To prepare it. */
void prepare(struct player *p, pcv_sbdf sbdf, uint32_t reg, uint8_t size,
             bool write, uint32_t value);
/* One that may be about anything. */
void prepare_any(struct player *p, pcv_sbdf sbdf, const struct function *fn);

/* A change of owner of p->fn, begun by choosing it: false if somebody else is
 * at it. */
bool claim(struct player *p, struct function *fn);
void unclaim(struct player *p);
/* A step of taking a function back, whose answer is checked. */
int deassign_once(struct player *p, pcv_sbdf sbdf);
/* Whatever must be left alone after a reset just now is said to be gone. */
void give_up_silent(struct player *p);

#endif
