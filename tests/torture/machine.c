/* SPDX-License-Identifier: MIT */
/* Actors that are the machine: what devices do, what fails, time. */
#include "torture.h"

enum turn play_work(struct player *p)
{
    uint64_t wait_us;
    int answer = pcv_host_work(p->w->host, &wait_us);

    EXPECT_ANSWER(p, answer, 0, -PCV_ERESTART);
    return answer == -PCV_ERESTART ? TURN_AGAIN : TURN_OVER;
}

/* Only to a domain that there is, and never to quarantine. */
static void expect_domain(struct player *p, uint32_t id)
{
    bool known = id == PCV_DOMAIN_ID_HARDWARE ||
                 id == PCV_DOMAIN_ID_HYPERVISOR ||
                 (id >= FIRST_GUEST_ID && id < FIRST_GUEST_ID + GUESTS &&
                  exists(&p->w->guest[id - FIRST_GUEST_ID]) != NULL);

    EXPECT(p, known, id);
}

/* Bus masters do not ask: what they reach is what the IOMMU says. */
enum turn play_dma(struct player *p)
{
    uint32_t id = PCV_DOMAIN_ID_HARDWARE;

    p->fn = any_function(p, NULL);
    if (pcv_model_dma(p->w->model, p->fn->sbdf, 0x1000, true, &id) == 0) {
        expect_domain(p, id);
    }
    return TURN_OVER;
}

enum turn play_message(struct player *p)
{
    struct pcv_model_message message;

    p->fn = any_function(p, NULL);
    for (uint32_t i = 0; i < 16; i++) {
        if (pcv_model_raise(p->w->model, p->fn->sbdf, i % 2u == 0,
                            (uint16_t)(i / 2u),
                            &message) == PCV_MODEL_DELIVERED) {
            expect_domain(p, message.domain_id);
        }
    }
    return TURN_OVER;
}

/* One call of some host operation fails, soon. Not twice in a row: the library
 * tries once more where a failure would be for good. */
enum turn play_fault(struct player *p)
{
    pcv_model_fail(p->w->model,
                   (enum pcv_model_op)chance(p, PCV_MODEL_OP_COUNT),
                   50u + chance(p, 500));
    return TURN_OVER;
}

/* How much is mapped in one go, whether anybody traces, whether interrupt pins
 * are routed. */
enum turn play_weather(struct player *p)
{
    static const uint32_t pages[] = {0, 1024, 64, 16};

    pcv_model_set_map_chunk(p->w->model, pages[chance(p, 4)]);
    pcv_host_set_trace(p->w->host, one_in(p, 2));
    pcv_model_set_intx(p->w->model, one_in(p, 2));
    return TURN_OVER;
}
