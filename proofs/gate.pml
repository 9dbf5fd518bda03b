/* SPDX-License-Identifier: MIT */
/*
 * The gate: accesses that enter and leave, and those who pause or close it - a
 * change of owner that goes on where an earlier call stopped, on whatever CPU,
 * a removal, a rebuild of the view, bus numbers that lead elsewhere (LIFE-11,
 * OWN-5, HDR-9, TOPO-4). What is proved, within which bounds, and what is not,
 * stands in docs/proofs.md.
 *
 * Each statement that touches what others see is one atomic step of the code.
 * At each stands the function that it is; those of the gate are in
 * src/registry/ref.c and src/vbus/gate.h, other files are named.
 *
 * There is one device, the hardware domain and a guest.
 */

/* ---- bounds: proofs/check.py sets them ---------------------------------- */

#ifndef VCPUS
#define VCPUS 1 /* of the hardware domain */
#endif
#ifndef GUEST_VCPUS
#define GUEST_VCPUS 0
#endif
#ifndef ADMINS
#define ADMINS 0 /* CPUs that assign and deassign */
#endif
#ifndef REMOVERS
#define REMOVERS 0
#endif
#ifndef REBUILDERS
#define REBUILDERS 0
#endif
#ifndef HELD
#define HELD 0 /* CPUs that enter by a reference, paused or not */
#endif
#ifndef CUTTERS
#define CUTTERS 0
#endif
#ifndef FAILURES
#define FAILURES 1 /* whether steps of a change may fail */
#endif
#ifdef ONCE /* rebuilders and HELD do what they do once, or not at all */
#define ONCE_ONLY ; break
#else
#define ONCE_ONLY
#endif

/* ---- properties ---------------------------------------------------------
 *
 *   none_after_removal   No access is performed after a removal answered 0.
 *   none_for_old_owner   An access is performed for who owns the device, on the
 *                        view that was built for him. (What has vanished may be
 *                        taken from a guest that is inside: it is not there to
 *                        be accessed.)
 *   none_while_closed    No access is performed while the gate is closed and
 *                        those who were inside are out, until it is reopened.
 *   none_while_rebuilt   Nor while it is paused, nobody is inside, and whoever
 *                        paused it works on the view.
 *   none_elsewhere       Nor after nobody was inside for bus numbers to change:
 *                        the address leads to another card.
 *   released_once        The last who leaves releases it, once, and nobody is
 *                        inside then.
 *
 * Deadlock is an error by itself ("invalid end state"). That a change of owner
 * ends is the formula at the end of this file.
 */
hidden byte none_after_removal, none_for_old_owner, none_while_closed,
    none_while_rebuilt, none_elsewhere, released_once, deadlock;
#define MUST(property, condition) assert((condition) || property)
#ifdef ONLY /* the others count as met */
#define FOCUS                                                                  \
    none_after_removal = 1;                                                    \
    none_for_old_owner = 1;                                                    \
    none_while_closed = 1;                                                     \
    none_while_rebuilt = 1;                                                    \
    none_elsewhere = 1;                                                        \
    released_once = 1;                                                         \
    ONLY = 0
#else
#define FOCUS skip
#endif

/* ---- what all see ------------------------------------------------------- */

#define ACCESS 1 /* two counts of seven at most */
#define CALLER 8
#define OWNER 64
#define REGISTRY 128
#define COUNTS 255
#define PAUSED 256
#define CLOSED 512
#define LEAVING 1024
#define SHUT (CLOSED | LEAVING)
#define INSIDE(w) ((w) & 7)

#define NOBODY 0 /* domains, and whose view it is */
#define HARDWARE 1
#define GUEST 2
#define QUARANTINE 3

short word = REGISTRY | OWNER; /* pcv_device.word */
byte owner = HARDWARE;         /* pcv_device.owner */
byte view = HARDWARE;          /* pcv_device.view, and for whom it was built */
bit table = 1;                 /* the place at the device's address */
bit slot;                      /* the place on the guest's bus */
bit unreachable;               /* PCV__BARRED_UNREACHABLE */
bit vanished;                  /* PCV__BARRED_VANISHED */
#ifndef LIVENESS
bit segment_lock, device_lock;
#endif
/* Under the segment's lock. */
bit changing;    /* pcv_device.changing */
bit kept_paused; /* pcv_device.kept.paused */
/* Of a change of owner: theirs who set `changing`. */
bit change_for;   /* pcv_device.change_for: the guest, or nobody */
bit change_reset; /* pcv_device.change_reset */

/* What only the proof sees. */
bit drained;    /* the gate is closed, and nobody is inside */
bit rebuilt;    /* somebody works on the view */
bit elsewhere;  /* the address may lead to another card */
bit removed;    /* a removal answered 0 */
bit released;

#ifndef LIVENESS
#define TICKET
#define LOCK(lock) atomic { !lock; lock = 1 }
#define UNLOCK(lock) lock = 0
#else
/* pcv__lock_take(), pcv__lock_drop(), src/base/lock.h: first come, first
 * served. As many tickets as processes are enough. */
#define TICKETS 4
#define TICKET byte ticket;
byte segment_lock_next, segment_lock_serving;
byte device_lock_next, device_lock_serving;
#define LOCK(lock)                                                             \
    d_step {                                                                   \
        ticket = lock##_next;                                                  \
        lock##_next = (lock##_next + 1) % TICKETS                              \
    }                                                                          \
    atomic { lock##_serving == ticket; ticket = 0 }
#define UNLOCK(lock) lock##_serving = (lock##_serving + 1) % TICKETS
#endif

/* ---- the gate ----------------------------------------------------------- */

/* pcv__ref_try() */
inline ref_try(unit, forbidden)
{
    w = word;
    do
    :: (w & COUNTS) == 0 || (w & (forbidden)) != 0 ->
        ok = 0;
        break
    :: else ->
        d_step {
            if
            :: word == w ->
                word = w + unit;
                ok = 1
            :: else ->
                w = word;
                ok = 0
            fi
        }
        if
        :: ok -> break
        :: else
        fi
    od
}

/* pcv__ref_put(), and pcv__ref_last(): only we can touch the device then. */
inline ref_put(unit)
{
    d_step {
        MUST(released_once, (word & COUNTS) >= unit);
        word = word - unit;
        last = (word & COUNTS) == 0;
        if
        :: last ->
            MUST(released_once, !released);
            released = 1;
            view = NOBODY
        :: else
        fi
    }
    if
    :: last ->
        table = 0;
        last = 0
    :: else
    fi
}

/* An access inside the gate reads the view and then, if it can be reached,
 * hardware. */
inline touch(domain)
{
    MUST(none_after_removal, !removed);
    MUST(none_for_old_owner, view == domain && (owner == domain || vanished));
    MUST(none_while_closed, !drained);
    MUST(none_while_rebuilt, !rebuilt)
}

inline perform(domain)
{
    d_step { touch(domain) }        /* its view */
    ok = !unreachable && !vanished; /* pcv__is_barred() */
    if
    :: ok -> /* hardware */
        d_step {
            touch(domain);
            MUST(none_elsewhere, !elsewhere)
        }
    :: else
    fi
}

/* is_seen(), src/vbus/access.c; pcv__owns() */
#ifdef MISTAKE_OWNER_NOT_CHECKED
#define OWNS(domain) true
#else
#define OWNS(domain) (owner == domain)
#endif

#ifdef MISTAKE_PASS_CLOSED
#define OPEN(w) (((w) & REGISTRY) != 0 && ((w) & (PAUSED | LEAVING)) == 0)
#else
#ifdef MISTAKE_PASS_PAUSED
#define OPEN(w) (((w) & REGISTRY) != 0 && ((w) & SHUT) == 0)
#else
#define OPEN(w) (((w) & REGISTRY) != 0 && ((w) & (PAUSED | SHUT)) == 0)
#endif
#endif

#define HINT(domain) ((domain) == HARDWARE -> table : slot)

/* A vCPU that accesses the device again and again: pcv_access(),
 * src/vbus/access.c. */
proctype vcpu(byte domain)
{
    short w;
    TICKET
    bit ok, last;

    do
    :: HINT(domain) -> /* pcv__domain_peek() */
        /* pcv__gate_pass() */
        w = word;
        do
        :: !OPEN(w) ->
            ok = 0;
            break
        :: else ->
#ifdef MISTAKE_LOOK_THEN_COUNT
            d_step {
                word = word + ACCESS;
                ok = 1
            }
#else
            d_step {
                if
                :: word == w ->
                    word = w + ACCESS;
                    ok = 1
                :: else ->
                    w = word;
                    ok = 0
                fi
            }
#endif
            if
            :: ok -> break
            :: else
            fi
        od;
        if
        :: !ok ->
            /* pcv__gate_enter(), and if that does not enter either, refusal():
             * it is absent, or the vCPU tries again. */
            if
            :: HINT(domain) -> ref_try(ACCESS, SHUT | PAUSED)
            :: else
            fi
        :: else
        fi;
        w = 0;
        if
        :: ok ->
            if
            :: OWNS(domain) -> perform(domain)
            :: else
            fi;
            ok = 0;
            ref_put(ACCESS) /* pcv__gate_leave(), or done() */
        :: else
        fi
    :: break
    od
}

/* ---- a change of owner: src/owner/assign.c, change.c -------------------- */

/* pcv__gate_close(): `result` is 0, or what it answers. */
#define RESTART 1
#define FAILED 2
inline gate_close()
{
    d_step {
        w = word;
        word = word | CLOSED;
        if
        :: (w & LEAVING) != 0 -> result = FAILED
        :: (w & LEAVING) == 0 && INSIDE(w) != 0 -> result = RESTART
        :: else ->
            result = 0;
            drained = 1
        fi;
#ifdef MISTAKE_NO_DRAIN
        if
        :: result == RESTART ->
            result = 0;
            drained = 1
        :: else
        fi;
#endif
        w = 0
    }
}

/* pcv__gate_reopen() */
inline gate_reopen()
{
    d_step {
        word = word & ~(CLOSED | PAUSED);
        drained = 0
    }
}

inline may_fail()
{
    if
    :: true
#if FAILURES
    :: result = FAILED
#endif
    fi
}

/* pcv__slot_leave(), pcv__change_forget() */
inline forget()
{
    if
    :: change_for ->
        slot = 0;
        change_for = 0
    :: else
    fi
}

/* abandon() */
inline abandon()
{
    forget();
#ifndef MISTAKE_REOPEN_WITHOUT_LOCK
    LOCK(device_lock);
#endif
    gate_reopen();
#ifndef MISTAKE_REOPEN_WITHOUT_LOCK
    UNLOCK(device_lock)
#endif
}

/* pcv__change_take(), from the closing on */
inline change_take()
{
    gate_close();
    if
    :: result == 0 ->
        /* block(): hardware is silenced, under the lock */
        LOCK(device_lock);
        UNLOCK(device_lock);
        may_fail()
    :: else
    fi;
    if
    :: result == 0 ->
        /* pcv__vpci_teardown() */
        LOCK(device_lock);
        UNLOCK(device_lock);
        if
        :: owner == GUEST ->
            owner = QUARANTINE;
            slot = 0 /* pcv__slot_leave() */
        :: else ->
            owner = QUARANTINE
        fi;
        change_reset = 0
    :: else
    fi
}

/* pcv__change_reset(): its time is not over at the first call */
inline change_do_reset()
{
    LOCK(device_lock);
    if
    :: !change_reset ->
        change_reset = 1;
        result = RESTART
    :: else -> may_fail()
    fi;
    UNLOCK(device_lock)
}

/* pcv__change_give(), pcv__change_publish() */
inline change_give(domain)
{
    LOCK(device_lock);
    view = NOBODY; /* drop_view() */
    may_fail();
    if
    :: result == 0 -> view = domain
    :: else
    fi;
#ifndef MISTAKE_LOCKS_CROSSED
    UNLOCK(device_lock);
#endif
    if
    :: result == 0 ->
        LOCK(segment_lock);
        if
        :: (word & LEAVING) != 0 -> result = FAILED
        :: else ->
            owner = domain;
#ifndef MISTAKE_LOCKS_CROSSED
            LOCK(device_lock);
#endif
            gate_reopen();
#ifndef MISTAKE_LOCKS_CROSSED
            UNLOCK(device_lock);
#endif
            change_for = 0;
            change_reset = 0
        fi;
#ifdef MISTAKE_LOCKS_CROSSED
        UNLOCK(device_lock);
#endif
        UNLOCK(segment_lock)
    :: else
#ifdef MISTAKE_LOCKS_CROSSED
        -> UNLOCK(device_lock)
#endif
    fi
}

/* pcv__change_failed() */
inline change_failed()
{
    LOCK(device_lock);
    view = NOBODY;
    UNLOCK(device_lock);
    forget();
    change_reset = 0
}

/* pcv__change_begin(): `ok` */
inline change_begin()
{
    LOCK(segment_lock);
    if
    :: !table || unreachable || changing -> ok = 0
    :: else ->
        ref_try(CALLER, LEAVING);
        w = 0
    fi;
#ifdef MISTAKE_TWO_AT_ONCE
    if
    :: table && changing -> ref_try(CALLER, LEAVING)
    :: else
    fi;
#endif
    if
    :: ok -> changing = 1
    :: else
    fi;
    UNLOCK(segment_lock)
}

/* pcv__change_end() */
inline change_end()
{
    LOCK(segment_lock);
    changing = 0;
    UNLOCK(segment_lock);
    ok = 0;
    ref_put(CALLER)
}

/* One call of pcv_device_assign(). */
inline assign()
{
    if
    :: owner != GUEST && result == 0 ->
        /* prepare(): pcv__slot_take() */
        if
        :: !change_for ->
            slot = 1;
            change_for = 1
        :: else
        fi;
        if
        :: owner != QUARANTINE ->
            /* take(): is_used(), under the lock, with the gate closed */
            gate_close();
            if
            :: result == 0 ->
                LOCK(device_lock);
                UNLOCK(device_lock);
                may_fail()
            :: else
            fi;
            if
            :: result == 0 -> change_take()
            :: else
            fi;
            if
            :: result == FAILED -> abandon()
            :: else
            fi
        :: else
        fi;
        if
        :: result == 0 ->
            change_do_reset();
            if
            :: result == 0 -> change_give(GUEST)
            :: else
            fi;
            if
            :: result == FAILED -> change_failed()
            :: else
            fi
        :: else
        fi
    :: owner != GUEST && result != 0 ->
        /* check() refuses what an earlier call began */
        if
        :: change_for && owner != QUARANTINE -> abandon()
        :: else
        fi
    :: else /* -PCV_EBUSY */
    fi
}

/* One call of pcv_device_deassign(). */
inline deassign()
{
    if
    :: owner == GUEST || owner == QUARANTINE ->
        result = 0;
        if
        :: owner == GUEST -> change_take()
        :: else
        fi;
        if
        :: result == 0 ->
            change_do_reset();
            if
            :: result == 0 ->
                forget();
                change_give(HARDWARE)
            :: else
            fi;
            if
            :: result == FAILED -> change_failed()
            :: else
            fi
        :: else
        fi
    :: owner == HARDWARE && (word & CLOSED) != 0 -> abandon()
    :: else /* -PCV_EINVAL */
    fi
}

/* A CPU on which an administrator assigns and deassigns, in any order: so it
 * also goes on with what another one began, or takes it back. */
proctype admin()
{
    short w;
    TICKET
    byte result;
    bit ok, last;

    do
    :: change_begin();
       if
       :: ok ->
            if
#ifndef LIVENESS
            :: may_fail();
               assign()
            :: deassign()
#else
            /* what was begun is gone on with */
            :: owner == HARDWARE || change_for -> assign()
            :: else -> deassign()
#endif
            fi;
            result = 0;
            change_end()
       :: else
       fi
#ifndef LIVENESS
    :: break
#endif
    od
}

/* ---- others ------------------------------------------------------------- */

/* pcv_device_remove(), src/owner/remove.c. What a guest has is removed only if
 * it has vanished. */
proctype remover()
{
    short w;
    TICKET
    bit ok, last;

    if
    :: true
    :: vanished = 1
    fi;
    LOCK(segment_lock);
    /* pcv__known_at(), pcv__is_kept() */
    if
    :: table && (word & LEAVING) == 0 && !changing &&
       (owner != GUEST || vanished) ->
        word = word | LEAVING;
        UNLOCK(segment_lock);
        /* let_go(): pcv__vpci_teardown() */
        LOCK(device_lock);
        UNLOCK(device_lock);
        /* pcv__guest_lost() */
        if
        :: owner == GUEST ->
            owner = QUARANTINE;
            slot = 0
        :: else
        fi;
        forget();
        ref_put(OWNER);
#ifdef MISTAKE_ANSWER_AT_ONCE
        removed = 1;
        ref_put(REGISTRY)
#else
        ref_put(REGISTRY);
#ifdef MISTAKE_DROP_TWICE
        ref_put(REGISTRY);
#endif
        if
        :: released -> removed = 1
        :: else
        fi
#endif
    :: else ->
        UNLOCK(segment_lock)
    fi
}

/* pcv__gate_pause(): `result` */
inline gate_pause()
{
    d_step {
        w = word;
        word = word | PAUSED;
        if
#ifndef MISTAKE_CLOSED_IS_EMPTY
        :: INSIDE(w) != 0 -> result = RESTART
        :: INSIDE(w) == 0 && (w & SHUT) != 0 -> result = FAILED
#else
        :: (w & SHUT) != 0 -> result = FAILED
        :: (w & SHUT) == 0 && INSIDE(w) != 0 -> result = RESTART
#endif
        :: else -> result = 0
        fi;
        w = 0
    }
}

/* pcv__gate_open(), under the device's lock. Bus numbers that change keep a
 * gate paused, whoever else paused it. */
inline gate_open()
{
#ifndef MISTAKE_OPEN_ANOTHERS
    if
    :: !kept_paused -> word = word & ~PAUSED
    :: else
    fi
#else
    word = word & ~PAUSED
#endif
}

/* pcv_register_add(), src/vpci/cells.c: by who holds a reference. It is made
 * again while those inside drain. So does change_locked(),
 * src/owner/ecam_change.c. */
proctype rebuilder()
{
    short w;
    TICKET
    byte result;
    bit ok, last;

    do
    :: ref_try(CALLER, LEAVING); /* find() */
       w = 0;
       if
       :: ok ->
            ok = 0;
            LOCK(device_lock);
            gate_pause();
            if
            :: result == 0 ->
                d_step {
                    MUST(none_for_old_owner, view != NOBODY);
                    rebuilt = 1
                }
                rebuilt = 0;
                gate_open()
            :: else
            fi;
            result = 0;
            UNLOCK(device_lock);
            ref_put(CALLER)
       :: else
       fi
       ONCE_ONLY
    :: break
    od
}

/* pcv__add_finish(), src/owner/add.c: by who holds a reference, also where the
 * gate is paused, since it works under the lock as who paused it does. */
proctype held()
{
    short w;
    TICKET
    bit ok, last;

    do
    :: ref_try(CALLER, LEAVING); /* find() */
       w = 0;
       if
       :: ok ->
            ref_try(ACCESS, SHUT); /* pcv__gate_enter_held() */
            w = 0;
            if
            :: ok ->
                LOCK(device_lock);
                d_step {
                    MUST(none_for_old_owner, view != NOBODY);
                    MUST(none_while_closed, !drained);
                    MUST(none_while_rebuilt, !rebuilt)
                }
                UNLOCK(device_lock);
                ref_put(ACCESS)
            :: else
            fi;
            ok = 0;
            ref_put(CALLER)
       :: else
       fi
       ONCE_ONLY
    :: break
    od
}

/* pcv__cut_for(), src/owner/cut.c: nobody is inside, then hardware has the new
 * numbers. pcv__cut_given_up() gives up what an earlier call began. */
proctype cutter()
{
    short w;
    TICKET
    byte result;
    bit ok, last;

    do
    :: LOCK(segment_lock);
       /* check() */
       if
       :: table && (word & LEAVING) == 0 && !changing ->
            /* drain() */
#ifndef MISTAKE_DRAIN_WITHOUT_LOCK
            LOCK(device_lock);
#endif
            kept_paused = 1;
            gate_pause();
#ifndef MISTAKE_DRAIN_WITHOUT_LOCK
            UNLOCK(device_lock);
#endif
            if
            :: result != RESTART ->
                /* take_away(), close_off() */
                LOCK(device_lock);
                unreachable = 1;
                kept_paused = 0;
                gate_open();
                UNLOCK(device_lock);
                table = 0;
                elsewhere = 1 /* hardware has the new numbers */
            :: else
            fi;
            result = 0
       :: else
       fi;
       UNLOCK(segment_lock)
    :: LOCK(segment_lock);
       /* end_drain() */
       if
       :: kept_paused && table && (word & LEAVING) == 0 ->
#ifndef MISTAKE_END_WITHOUT_LOCK
            LOCK(device_lock);
#endif
            kept_paused = 0;
            gate_open();
#ifndef MISTAKE_END_WITHOUT_LOCK
            UNLOCK(device_lock)
#endif
       :: else
       fi;
       UNLOCK(segment_lock)
    :: break
    od
}

#define START(count, process)                                                  \
    do                                                                         \
    :: i < count ->                                                            \
        run process;                                                           \
        i++                                                                    \
    :: else ->                                                                 \
        i = 0;                                                                 \
        break                                                                  \
    od

init {
    byte i;

    atomic {
        FOCUS;
        START(VCPUS, vcpu(HARDWARE));
        START(GUEST_VCPUS, vcpu(GUEST));
        START(ADMINS, admin());
        START(REMOVERS, remover());
        START(REBUILDERS, rebuilder());
        START(HELD, held());
        START(CUTTERS, cutter())
    }
}

/*
 * A change of owner ends: a gate that was closed is reopened some time, if
 * every process that can go on does (weak fairness), whoever accesses the
 * device meanwhile and however often - as long as some administrator calls
 * again.
 */
#ifdef LIVENESS
ltl change_ends { [] ((word & CLOSED) != 0 -> <> ((word & CLOSED) == 0)) }
#endif
