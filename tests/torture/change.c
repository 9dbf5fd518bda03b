/* SPDX-License-Identifier: MIT */
/* Actors that add and remove functions, and pull and plug cards. */
#include <stdlib.h>

#include "torture.h"

static bool outside(const struct function *fn)
{
    return !in_arena(fn);
}

static bool is_subject(const struct function *fn)
{
    return fn->subject;
}

/* ---- adding ----------------------------------------------------------------
 */

static int add(struct player *p)
{
    int answer = pcv_device_add(p->w->host, p->fn->sbdf, NULL);

    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV, -PCV_EEXIST, -PCV_EAGAIN,
                  -PCV_EBUSY, -PCV_ENOMEM, -PCV_EIO, -PCV_ERESTART);
    return answer;
}

enum turn play_add(struct player *p)
{
    if (p->stage == 0) {
        p->fn = any_function(p, outside);
        p->stage = 1;
    }
    return add(p) == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}

/* Not into the arena, which is the last segment. */
enum turn play_scan(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        memset(&p->scan, 0, sizeof(p->scan));
        p->stage = 1;
    }
    answer = pcv_host_scan(p->w->host, &p->scan, 1);
    EXPECT_ANSWER(p, answer, 0, -PCV_ERESTART, -PCV_EIO);
    return answer == -PCV_ERESTART && p->scan.segment_index < ARENA ? TURN_AGAIN
                                                                    : TURN_OVER;
}

/* ---- removing --------------------------------------------------------------
 */

static void fired(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct note *note = (struct note *)self;

    (void)sbdf;
    (void)atomic_fetch_add(&note->fired, 1);
}

/* One that no removal has; NULL: all are lent. */
static struct note *free_note(struct player *p)
{
    for (uint32_t i = 0; i < NOTES; i++) {
        struct note *note = &p->note[i];

        /* A removal that is withdrawn gives it back. */
        if (note->lent && note->completion.taken &&
            atomic_load(&note->fired) == 0) {
            continue;
        }
        EXPECT(p, atomic_load(&note->fired) <= 1u, note->fired);
        note->lent = false;
        atomic_store(&note->fired, 0);
        note->completion.done = fired;
        note->completion.taken = false;
        return note;
    }
    return NULL;
}

static int remove_one(struct player *p)
{
    struct note *note = free_note(p);
    pcv_sbdf busy = {0};
    int answer = pcv_device_remove(p->w->host, p->fn->sbdf,
                                   note ? &note->completion : NULL, &busy);

    EXPECT_ANSWER(p, answer, 0, -PCV_EBUSY, -PCV_ENODEV);
    if (note) {
        note->lent = note->completion.taken;
        EXPECT(p, note->lent || atomic_load(&note->fired) == 0, answer);
    }
    return answer;
}

/* LIFE-5, LIFE-11: what a removal said is so, where nobody else adds it and
 * nothing moves. */
static void check_removed(struct player *p, int answer)
{
    struct pcv_access access = PCV_READ(p->fn->sbdf, PCV_REG_REVISION, 4);
    struct pcv_device_status status;
    enum pcv_verdict verdict;

    EXPECT(p, pcv_device_status(p->w->host, p->fn->sbdf, &status) == 0, 0);
    if (answer != -PCV_EBUSY) {
        EXPECT(p, status.state == PCV_STATE_ABSENT, status.state);
    } else if (status.state == PCV_STATE_LEAVING) {
        verdict = pcv_access(p->w->hardware, &access);
        EXPECT(p, verdict != PCV_DONE, access.data);
    }
}

/* Alone, since the completion of another player's removal is given back. */
enum turn play_cancel_remove(struct player *p)
{
    int answer;

    p->fn = any_function(p, NULL);
    answer = pcv_device_cancel_remove(p->w->host, p->fn->sbdf);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENOENT, -PCV_EBUSY, -PCV_ENODEV);
    return TURN_OVER;
}

enum turn play_remove(struct player *p)
{
    int answer;

    if (p->stage == 0) {
        p->fn = any_function(p, outside);
        p->value = 1u + chance(p, 20);
    }
    answer = remove_one(p);
    return answer == -PCV_EBUSY && ++p->stage < p->value ? TURN_AGAIN
                                                         : TURN_OVER;
}

/* LIFE-11: once a removal said 0, nothing reaches hardware there until somebody
 * adds what is there again; world.c's watch sees it if it does. */
enum turn play_arena(struct player *p)
{
    enum { REMOVE = 1, WAIT, ADD };
    int answer;

    if (p->stage == 0) {
        if (!claim(p, any_function(p, is_subject))) {
            return TURN_OVER;
        }
        p->stage = REMOVE;
        p->value = 1u + chance(p, 100);
    }
    switch (p->stage) {
    case REMOVE:
        answer = remove_one(p);
        check_removed(p, answer);
        if (answer == 0 || answer == -PCV_ENODEV) {
            atomic_store(&p->fn->gone, true);
            p->stage = WAIT;
        } else if (--p->value == 0) {
            unclaim(p); /* it is a guest's, or somebody holds it */
            return TURN_OVER;
        }
        return TURN_AGAIN;
    case WAIT:
        if (p->value <= 1 || --p->value == 1) {
            p->stage = ADD;
        }
        return TURN_AGAIN;
    default:
        atomic_store(&p->fn->gone, false);
        if (add(p) == -PCV_ERESTART) {
            return TURN_AGAIN;
        }
        unclaim(p);
        return TURN_OVER;
    }
}

/* ---- surprises -------------------------------------------------------------
 */

static bool can_vanish(const struct function *fn)
{
    return outside(fn) || fn->subject; /* not what the arena stands on */
}

enum turn play_vanish(struct player *p)
{
    int answer;

    p->fn = any_function(p, can_vanish);
    if (!p->fn) {
        return TURN_OVER;
    }
    answer = pcv_device_vanished(p->w->host, p->fn->sbdf);
    EXPECT_ANSWER(p, answer, 0, -PCV_ENODEV);
    return TURN_OVER;
}

static bool can_be_pulled(const struct function *fn)
{
    return outside(fn) && pcv_sbdf_bus(fn->sbdf) != 0 && !fn->vf;
}

enum turn play_pull(struct player *p)
{
    p->fn = any_function(p, can_be_pulled);
    if (p->fn) {
        (void)pcv_model_pull(p->w->model, p->fn->sbdf);
    }
    return TURN_OVER;
}

enum turn play_plug(struct player *p)
{
    p->fn = any_function(p, can_be_pulled);
    if (p->fn) {
        (void)pcv_model_plug(p->w->model, p->fn->sbdf);
    }
    return TURN_OVER;
}

/* It answers all ones for a while, and is not gone. */
enum turn play_sleep(struct player *p)
{
    if (p->stage == 0) {
        p->fn = any_function(p, NULL);
        p->value = chance(p, 50);
        (void)pcv_model_set_dead(p->w->model, p->fn->sbdf, true);
    }
    if (p->stage++ < p->value) {
        return TURN_AGAIN;
    }
    (void)pcv_model_set_dead(p->w->model, p->fn->sbdf, false);
    return TURN_OVER;
}
