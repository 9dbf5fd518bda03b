/* SPDX-License-Identifier: MIT */
/*
 * The pool of slots (src/base/pool.c): giving back is lock-free and may happen
 * anywhere, taking is under the pool's lock. lifetime.pml builds on what is
 * proved here, and takes each of the two for one step. What is proved, within
 * which bounds, and what is not, stands in docs/proofs.md.
 *
 *   one_hand      A slot that was taken is nobody else's until it is given back,
 *                 and is not on the list meanwhile.
 *   none_lost     When everybody has given back, all are on the list.
 *
 * Deadlock is an error by itself ("invalid end state").
 */
#ifndef TAKERS
#define TAKERS 3
#endif
#ifndef SLOTS
#define SLOTS 3
#endif
#define HOLDS 2 /* so many a process has at once */

hidden byte one_hand, none_lost, deadlock;
#define MUST(property, condition) assert((condition) || property)
#ifdef ONLY /* the others count as met */
#define FOCUS                                                                  \
    one_hand = 1;                                                              \
    none_lost = 1;                                                             \
    ONLY = 0
#else
#define FOCUS skip
#endif

byte head; /* pcv__pool.free */
byte next_free[SLOTS + 1];
bit pool_lock;

/* What only the proof sees. */
byte hand[SLOTS + 1]; /* whose it is: a process + 1; 0: on the list */
byte finished;

/* pcv__pool_take() and pop_locked(): a load, then the next one of what was
 * loaded and a compare-and-swap, until that succeeds. */
inline take(s)
{
#ifndef MISTAKE_WITHOUT_LOCK
    atomic { !pool_lock; pool_lock = 1 }
#endif
    s = head;
    do
    :: s == 0 -> break
    :: else ->
        h = next_free[s];
        d_step {
            if
            :: head == s ->
                head = h;
                MUST(one_hand, hand[s] == 0);
                hand[s] = me + 1;
                ok = 1
            :: else ->
                s = head;
                ok = 0
            fi
        }
        if
        :: ok -> break
        :: else
        fi
    od;
#if !defined(MISTAKE_WITHOUT_LOCK) && !defined(MISTAKE_KEEP_LOCK)
    pool_lock = 0;
#endif
#ifdef MISTAKE_KEEP_LOCK
    if
    :: s != 0 -> pool_lock = 0
    :: else
    fi;
#endif
    h = 0;
    ok = 0
}

/* pcv__pool_give(): a load, then the store and a compare-and-swap, until that
 * succeeds. */
inline give(s)
{
    h = head;
    do
    :: true ->
        MUST(one_hand, hand[s] == me + 1);
        next_free[s] = h;
        d_step {
            if
#ifdef MISTAKE_PLAIN_STORE
            :: true ->
#else
            :: head == h ->
#endif
                head = s;
                hand[s] = 0;
                ok = 1
            :: else ->
                h = head;
                ok = 0
            fi
        }
        if
        :: ok -> break
        :: else
        fi
    od;
    h = 0;
    ok = 0;
    s = 0
}

/* How many the list has; a list that lost its end has more than there are. */
inline count()
{
    s = head;
    h = 0;
    do
    :: s != 0 && h <= SLOTS ->
        h++;
        s = next_free[s]
    :: else -> break
    od
}

proctype taker(byte me)
{
    byte mine[HOLDS], s, h;
    bit ok;

    do
    :: mine[0] == 0 -> take(mine[0])
    :: mine[0] != 0 && mine[1] == 0 -> take(mine[1])
    :: mine[0] != 0 -> give(mine[0])
    :: mine[1] != 0 -> give(mine[1])
    :: mine[0] == 0 && mine[1] == 0 ->
        d_step {
            finished++;
            if
            :: finished == TAKERS ->
                count();
                MUST(none_lost, h == SLOTS && s == 0)
            :: else
            fi;
            s = 0;
            h = 0
        }
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
            next_free[i] = i - 1;
            i++
        :: else -> break
        od;
        head = SLOTS;
        i = 0;
        do
        :: i < TAKERS -> run taker(i); i++
        :: else -> break
        od
    }
}
