/* SPDX-License-Identifier: MIT */
/* The actors, and what they share. */
#include "torture.h"

#define ACTOR_ROW(name, weight, alone) {#name, weight, alone, play_##name},
const struct actor actors[ACTOR_COUNT] = {ACTORS(ACTOR_ROW)};
#undef ACTOR_ROW

uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

struct function *any_function(struct player *p,
                              bool (*fits)(const struct function *fn))
{
    const struct world *w = p->w;
    uint32_t at = chance(p, w->functions);

    for (uint32_t i = 0; i < w->functions; i++) {
        struct function *fn = &w->fn[(at + i) % w->functions];

        if (!fits || fits(fn)) {
            return fn;
        }
    }
    return NULL;
}

struct function *function_at(struct world *w, pcv_sbdf sbdf)
{
    for (uint32_t i = 0; i < w->functions; i++) {
        if (w->fn[i].sbdf.v == sbdf.v) {
            return &w->fn[i];
        }
    }
    return NULL;
}

void may_read(struct player *p, struct function *fn, uint32_t mask)
{
    uint64_t change = atomic_fetch_add(&p->w->changes, 1) + 1;

    atomic_store(&fn->may, change << 8 | mask);
}

bool be_hardware(struct player *p)
{
    p->guest = GUESTS;
    p->domain = p->w->hardware;
    return true;
}

bool be_guest(struct player *p)
{
    p->guest = chance(p, GUESTS);
    p->domain = p->w->guest[p->guest].domain;
    p->generation = p->w->guest[p->guest].generation;
    return p->domain != NULL;
}

bool still_is(struct player *p)
{
    return p->guest == GUESTS ||
           p->w->guest[p->guest].generation == p->generation;
}

bool claim(struct player *p, struct function *fn)
{
    bool free = false;

    if (!fn || !atomic_compare_exchange_strong(&fn->changing, &free, true)) {
        return false;
    }
    p->fn = fn;
    return true;
}

void unclaim(struct player *p)
{
    atomic_store(&p->fn->changing, false);
}
