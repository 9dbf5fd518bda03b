/* SPDX-License-Identifier: MIT */
/* The end: everything is given back, and then nothing may be left. */
#include "torture.h"

#define BOOKS(w) (&(w)->player[0])

static void let_all_go(struct world *w)
{
    for (uint32_t i = 0; i < w->players; i++) {
        struct player *p = &w->player[i];

        for (uint32_t j = 0; j < HELD; j++) {
            pcv_device_put(p->held[j]);
            p->held[j] = NULL;
        }
        for (uint32_t j = 0; j < VECTORS; j++) {
            pcv_vector_detach(&p->vector[j]);
        }
    }
}

/* The hardware domain writes what firmware had written. */
static void write_numbers(struct world *w, const struct function *fn)
{
    struct pcv_access access =
        PCV_WRITE(fn->sbdf, PCV_REG_PRIMARY, 4, fn->numbers);
    enum pcv_verdict verdict = pcv_access(w->hardware, &access);

    for (uint32_t i = 0; verdict == PCV_PENDING; i++) {
        EXPECT(BOOKS(w), i < TURNS_MAX, fn->sbdf.v);
        pcv_model_advance_us(w->model, 1000);
        verdict = pcv_access_resume(w->hardware, &access);
    }
}

/* All cards are in their slots, and everything can be reached: else there are
 * functions that have no address to name them by (TOPO-4). */
static void repair(struct world *w)
{
    struct pcv_scan scan = {0};

    for (uint32_t i = 0; i < w->functions; i++) {
        const struct function *fn = &w->fn[i];

        (void)pcv_model_set_dead(w->model, fn->sbdf, false);
        (void)pcv_model_plug(w->model, fn->sbdf);
        if (fn->bridge) {
            write_numbers(w, fn);
        }
    }
    while (pcv_host_scan(w->host, &scan, 0) != 0) {
        memset(&scan, 0, sizeof(scan));
    }
}

/* From a guest or quarantine. What has vanished is removed, and what does not
 * answer any more after a reset is given up. */
static void take_back(struct world *w, pcv_sbdf sbdf)
{
    struct pcv_device_status status;
    int answer = -PCV_ERESTART;

    for (uint32_t i = 0; i < 10000 && answer == -PCV_ERESTART; i++) {
        answer = pcv_device_deassign(w->host, sbdf);
        pcv_model_advance_us(w->model, 10000);
    }
    if (answer == -PCV_ERESTART) {
        EXPECT(BOOKS(w), pcv_device_vanished(w->host, sbdf) == 0, sbdf.v);
    }
    EXPECT(BOOKS(w), pcv_device_status(w->host, sbdf, &status) == 0, 0);
    if (status.vanished) {
        EXPECT(BOOKS(w),
               pcv_device_remove(w->host, sbdf, NULL, NULL) != -PCV_EBUSY,
               sbdf.v);
    }
}

static void take_all_back(struct world *w)
{
    struct pcv_device *device;
    pcv_sbdf at = {0};

    while ((device = pcv_device_next(w->host, at)) != NULL) {
        at = pcv_device_sbdf(device);
        pcv_device_put(device);
        take_back(w, at);
        at.v++;
    }
    at.v = 0;
    while ((device = pcv_device_next_unreachable(w->host, at)) != NULL) {
        at = pcv_device_sbdf(device);
        pcv_device_put(device);
        take_back(w, at);
        at.v++;
    }
}

/* Each removal that took one has told it once. */
void books_notes(struct world *w)
{
    for (uint32_t i = 0; i < w->players; i++) {
        for (uint32_t j = 0; j < NOTES; j++) {
            struct note *note = &w->player[i].note[j];

            EXPECT(&w->player[i],
                   atomic_load(&note->fired) ==
                       (note->lent && note->completion.taken),
                   j);
        }
    }
}

static void end_guest(struct world *w, struct guest *guest)
{
    struct pcv_domain *domain = exists(guest);
    int answer = domain ? -PCV_ERESTART : 0;

    for (uint32_t i = 0; answer == -PCV_ERESTART; i++) {
        EXPECT(BOOKS(w), i < TURNS_MAX, pcv_domain_id(domain));
        pcv_model_advance_us(w->model, 10000);
        if (i % PATIENCE == PATIENCE - 1u) {
            give_up_silent(&w->player[0]);
        }
        answer = pcv_domain_destroy(domain);
    }
    EXPECT(BOOKS(w), answer == 0, answer);
    guest->domain = NULL;
    guest->ending = NULL;
}

void books_close(struct world *w)
{
    struct pcv_host_stats stats;

    let_all_go(w);
    for (uint32_t i = 0; i < 4; i++) {
        repair(w);
        pcv_model_advance_us(w->model, 1000000);
    }
    take_all_back(w);
    for (uint32_t i = 0; i < GUESTS; i++) {
        end_guest(w, &w->guest[i]);
    }
    if (w->emulated) {
        EXPECT(BOOKS(w), pcv_emulated_destroy(w->emulated) == 0, 0);
    }
    books_check(w);
    pcv_host_get_stats(w->host, &stats);
    EXPECT(BOOKS(w), stats.leaving == 0, stats.leaving);
}
