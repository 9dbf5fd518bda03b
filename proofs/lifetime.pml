/* SPDX-License-Identifier: MIT */
/*
 * Find, get, put, remove and add again, with slots that are recycled (LIFE-3
 * to LIFE-7). What is proved, within which bounds, and what is not, stands in
 * docs/proofs.md.
 *
 * Each statement that touches what others see is one atomic step of the code:
 * a load, a store, a compare-and-swap. Where a step here is several of the code
 * it says why nobody can look in between. At each stands the function that it
 * is; all are in src/registry/ref.c unless a file is named.
 *
 * Every address is a segment of its own here, with a lock of its own: what one
 * lock for several of them would forbid may happen, so that less is believed
 * than is true.
 */

/* ---- bounds: proofs/check.py sets them ---------------------------------- */

#ifndef FINDERS
#define FINDERS 2
#endif
#ifndef REMOVERS
#define REMOVERS 1
#endif
#ifndef ADDERS
#define ADDERS 1
#endif
#ifndef ADDRESSES
#define ADDRESSES 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#define PROCESSES (FINDERS + REMOVERS + ADDERS)

/* ---- properties ---------------------------------------------------------
 *
 * Each check names the property that it belongs to, which pan prints when it is
 * violated.
 *
 *   no_use_after_release   Whoever holds a device sees it with its memory and
 *                          at the address where it was found, and nobody
 *                          releases it meanwhile.
 *   no_revival             A reference is only taken while there is one.
 *   no_lost_release        It is released once, by the one whose reference was
 *                          the last; and when everybody has let go, each slot
 *                          is in the table, held by nobody but the registry and
 *                          its owner, or in the pool.
 *   no_early_find          What is still being built is not found.
 *   completion_once        A removal's completion is called once.
 *   true_answer            A removal answers 0 only when the object is gone.
 *   one_hand               A slot that the pool gave is nobody else's.
 *
 * Deadlock: a process that cannot go on and is not at its end is an error by
 * itself ("invalid end state"). That a removal ends is the formula at the end
 * of this file.
 */
hidden byte no_use_after_release, no_revival, no_lost_release, no_early_find,
    completion_once, true_answer, one_hand, deadlock;
#define MUST(property, condition) assert((condition) || property)
#ifdef ONLY /* the others count as met */
#define FOCUS                                                                  \
    no_use_after_release = 1;                                                  \
    no_revival = 1;                                                            \
    no_lost_release = 1;                                                       \
    no_early_find = 1;                                                         \
    completion_once = 1;                                                       \
    true_answer = 1;                                                           \
    one_hand = 1;                                                              \
    ONLY = 0
#else
#define FOCUS skip
#endif

/* ---- what all see ------------------------------------------------------- */

#define CALLER 1 /* a count of seven at most */
#define OWNER 8
#define REGISTRY 16
#define COUNTS 31
#define NEW 32
#define LEAVING 64

byte place[ADDRESSES];  /* the table: a slot, or 0 */
byte word[SLOTS + 1];   /* pcv_device.word */
byte sbdf[SLOTS + 1];   /* pcv_device.sbdf */
byte done[SLOTS + 1];   /* pcv_device.done: a remover's completion, or 0 */
bit view[SLOTS + 1];    /* its memory */
bit segment_lock[ADDRESSES];

#define DEAD(s) ((word[s] & COUNTS) == 0)

/* What only the proof sees. */
byte holders[SLOTS + 1];  /* a bit for each process that has a reference */
byte releasing[SLOTS + 1]; /* who is inside pcv__ref_last(), process + 1 */
bit pooled[SLOTS + 1];
bit waits[PROCESSES];     /* a completion that was not called yet */
byte watched[PROCESSES];  /* the device that this one's removal marked, while it
                             is there */
byte finished;

#define LOCK(lock) atomic { !lock; lock = 1 }
#define UNLOCK(lock) lock = 0

/* ---- references --------------------------------------------------------- */

/* pcv__ref_try(): a load, then compare-and-swap until it is decided. One that
 * fails has loaded anew. */
#ifdef MISTAKE_REVIVE
#define HELD_BY_NOBODY(w) false
#else
#define HELD_BY_NOBODY(w) ((w & COUNTS) == 0)
#endif

inline ref_try(s, forbidden)
{
    w = word[s];
    do
    :: HELD_BY_NOBODY(w) || (w & (forbidden)) != 0 ->
        ok = 0;
        break
    :: else ->
        d_step {
            if
            :: word[s] == w ->
                MUST(no_revival, !DEAD(s));
                word[s] = w + CALLER;
                holders[s] = holders[s] | (1 << me);
                ok = 1
            :: else ->
                w = word[s];
                ok = 0
            fi
        }
        if
        :: ok -> break
        :: else
        fi
    od
}

/* pcv__pool_give() and pcv__pool_take(), src/base/pool.c, are one step here, and
 * which slot comes next is anybody's guess: pool.pml shows that a slot goes from
 * one hand to another, step by step. The flags of a word without counts say
 * nothing to anybody, and are dropped with it, so that states are the same. */
inline pool_give(s)
{
    d_step {
        MUST(one_hand, !pooled[s]);
        pooled[s] = 1;
        releasing[s] = 0;
        word[s] = word[s] & COUNTS
    }
}

/* What we know no more, so that states are the same. */
inline forget()
{
    d_step {
        w = 0;
        ok = 0;
        at = 0
    }
}

#define MINE(s) MUST(no_lost_release, releasing[s] == me + 1)

/* pcv__ref_last(): only we can touch the device, so what it has to say is read,
 * and its view freed, in one step. */
inline ref_last(s)
{
    d_step {
        MINE(s);
        c = done[s];
        at = sbdf[s];
        view[s] = 0
    }
#ifdef MISTAKE_EARLY_GIVE
    pool_give(s);
#endif
    d_step {
#ifndef MISTAKE_EARLY_GIVE
        MINE(s);
#endif
        if
        :: place[at] == s -> place[at] = 0
        :: else
        fi;
        at = 0
    }
    pool_give(s);
    if
    :: c != 0 ->
        d_step {
            MUST(completion_once, waits[c - 1]);
            waits[c - 1] = 0;
            c = 0
        }
    :: else
    fi
}

/* What the step that drops a reference means to the proof. */
inline dropped(s)
{
    last = (word[s] & COUNTS) == 0;
    if
    :: last ->
        MUST(no_lost_release, releasing[s] == 0);
        MUST(no_use_after_release, holders[s] == 0);
        releasing[s] = me + 1;
        i = 0;
        do
        :: i < PROCESSES ->
            if
            :: watched[i] == s -> watched[i] = 0
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0
    :: else
    fi
}

/* pcv__ref_put(). `ends` says that it is this process's last reference. */
inline ref_put(s, unit, ends)
{
#ifdef MISTAKE_TORN_PUT
    w = word[s];
    d_step {
        word[s] = w - unit;
#else
    d_step {
        MUST(no_lost_release, (word[s] & COUNTS) >= unit);
        word[s] = word[s] - unit;
#endif
        if
        :: ends -> holders[s] = holders[s] & ~(1 << me)
        :: else
        fi;
        dropped(s)
    }
    if
    :: last -> ref_last(s)
    :: else
    fi;
    last = 0
}

/* find(): `s` is the device, with a reference, or 0. */
#ifdef MISTAKE_FIND_LEAVING
#define NOT_FOUND NEW
#else
#ifdef MISTAKE_FIND_NEW
#define NOT_FOUND LEAVING
#else
#define NOT_FOUND (NEW | LEAVING)
#endif
#endif

inline find(a, s)
{
    s = place[a];
    if
    :: s != 0 ->
        ref_try(s, NOT_FOUND);
        if
        :: !ok -> s = 0
        :: else ->
#ifndef MISTAKE_NO_RECHECK
            if
            :: sbdf[s] != a ->
                ref_put(s, CALLER, true);
                s = 0
            :: else
            fi
#endif
        fi
    :: else
    fi;
    forget()
}

/* ---- processes ---------------------------------------------------------- */

inline choose(a)
{
    if
    :: a = 0
#if ADDRESSES > 1
    :: a = 1
#endif
    fi
}

/* Whoever stops last looks whether everything is where it belongs. */
inline stop()
{
    d_step {
        finished++;
        if
        :: finished == PROCESSES ->
            i = 1;
            do
            :: i <= SLOTS ->
                MUST(no_lost_release, releasing[i] == 0 && holders[i] == 0);
                if
                :: DEAD(i) ->
                    MUST(no_lost_release, pooled[i] && !view[i]);
                :: else ->
                    MUST(no_lost_release, word[i] == (REGISTRY | OWNER));
                    MUST(no_lost_release, place[sbdf[i]] == i && view[i]);
                fi;
                i++
            :: else -> break
            od;
            i = 0;
            do
            :: i < PROCESSES ->
                MUST(completion_once, !waits[i]);
                i++
            :: else -> break
            od;
            i = 0
        :: else
        fi
    }
}

/* Finds what stands at an address, uses it, perhaps takes a second reference
 * (pcv_device_get()), and lets go. */
#define LOOKED_FOR (me % ADDRESSES)

proctype finder(byte me)
{
    byte s, w, c, at, i;
    bit ok, last;

    do
    :: find(LOOKED_FOR, s);
       if
       :: s != 0 ->
            d_step {
                MUST(no_early_find, (word[s] & NEW) == 0);
                MUST(no_use_after_release, !DEAD(s) && view[s]);
                MUST(no_use_after_release, sbdf[s] == LOOKED_FOR);
            }
#if GETS
            if
            :: true
            :: ref_try(s, 0);
               MUST(no_lost_release, ok); /* who holds one gets another */
               forget();
               ref_put(s, CALLER, false);
            fi;
#endif
            d_step {
                MUST(no_use_after_release, !DEAD(s) && view[s]);
                MUST(no_use_after_release, sbdf[s] == LOOKED_FOR)
            }
            ref_put(s, CALLER, true);
            s = 0
       :: else
       fi
    :: stop();
       break
    od
}

/* pcv_device_remove(), src/owner/remove.c: claim_at() and claim() under the
 * lock, let_go() without it. */
proctype remover(byte me)
{
    byte a, s, w, c, at, i;
    bit ok, last;

    do
    :: choose(a);
       LOCK(segment_lock[a]);
       s = place[a];
       if
       :: s != 0 ->
            /* pcv__look(), src/owner/look.c: the word, then the address */
            w = word[s];
            if
            :: sbdf[s] != a || (w & COUNTS) == 0 || (w & NEW) != 0 -> s = 0
#ifndef MISTAKE_REMOVE_TWICE
            :: sbdf[s] == a && (w & LEAVING) != 0 -> s = 0
            :: else
#else
            :: sbdf[s] == a && (w & COUNTS) != 0 && (w & NEW) == 0
#endif
            fi
       :: else
       fi;
       if
       :: s != 0 ->
            if
            :: !waits[me] ->
                /* claim(): nobody else looks at it before the mark */
                d_step {
                    done[s] = me + 1;
                    waits[me] = 1
                }
            :: else /* it is removed without a completion */
            fi;
            /* mark() */
            d_step {
                word[s] = word[s] | LEAVING;
                watched[me] = s
            }
            UNLOCK(segment_lock[a]);
            /* let_go() */
#ifdef MISTAKE_FREE_AT_REMOVAL
            view[s] = 0;
#endif
            ref_put(s, OWNER, false);
            ref_put(s, REGISTRY, false);
            /* The answer is 0 if that was the last: `watched` forgets a device
             * in the step that does it. */
#ifdef MISTAKE_EARLY_ANSWER
            MUST(true_answer, watched[me] == 0);
#else
            if
            :: watched[me] == 0 -> skip /* 0 */
            :: else -> watched[me] = 0  /* -PCV_EBUSY */
            fi;
#endif
            s = 0
       :: else ->
            UNLOCK(segment_lock[a])
       fi;
       d_step {
           w = 0;
           a = 0
       }
    :: stop();
       break
    od
}

/* pcv_device_add(), src/owner/add.c */
proctype adder(byte me)
{
    byte a, s, w, c, at, i;
    bit ok, last;

    do
    :: choose(a);
       /* What it finds there it updates and lets go, as a finder does. */
       if
       :: place[a] != 0 -> goto none
       :: else
       fi;
       atomic {
           if
           :: pooled[1] -> s = 1
#if SLOTS > 1
           :: pooled[2] -> s = 2
#endif
           :: else
           fi;
           if
           :: s != 0 ->
               MUST(one_hand, releasing[s] == 0);
               pooled[s] = 0
           :: else
           fi
       }
       if
       :: s == 0 -> skip /* -PCV_ENOMEM */
       :: else ->
           /* pcv__reserve(), src/owner/reserve.c */
           LOCK(segment_lock[a]);
           if
           :: place[a] != 0 -> /* it leaves, or somebody else adds it */
#ifndef MISTAKE_KEEP_LOCK
               UNLOCK(segment_lock[a]);
#endif
               pool_give(s)
           :: else ->
               /* device_init(): the word is zero until everything else is
                * set. */
               MUST(no_lost_release, (word[s] & COUNTS) == 0);
#ifndef MISTAKE_KEEP_COMPLETION
               done[s] = 0;
#endif
               sbdf[s] = a;
               word[s] = NEW | REGISTRY | OWNER;
               place[a] = s;
               UNLOCK(segment_lock[a]);
               /* build(), and publish() if that did not fail */
               if
               :: true ->
                   view[s] = 1;
                   LOCK(segment_lock[a]);
                   ref_try(s, 0);
                   MUST(no_lost_release, ok);
                   forget();
                   word[s] = word[s] & ~NEW;
                   UNLOCK(segment_lock[a]);
                   ref_put(s, CALLER, true)
               :: true ->
                   ref_put(s, OWNER, false);
                   ref_put(s, REGISTRY, false)
               fi
           fi
       fi;
none:  s = 0;
       a = 0
    :: stop();
       break
    od
}

init {
    byte i;

    atomic {
        FOCUS;
        i = 1;
        do
        :: i <= SLOTS ->
            pooled[i] = 1;
            i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < FINDERS -> run finder(i); i++
        :: else -> break
        od;
        do
        :: i < FINDERS + REMOVERS -> run remover(i); i++
        :: else -> break
        od;
        do
        :: i < PROCESSES -> run adder(i); i++
        :: else -> break
        od
    }
}

/*
 * Removal ends: whatever is marked is gone some time, if every process that can
 * go on does (weak fairness) - so holders let go, and nobody has to help. The
 * first remover stands for all of them.
 */
#ifdef LIVENESS
ltl removal_ends { [] (waits[FINDERS] -> <> !waits[FINDERS]) }
#endif
