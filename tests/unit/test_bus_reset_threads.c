/* SPDX-License-Identifier: MIT */
/* Functions of one card that change their owners on several CPUs at once, while
 * others reset, remove and add them (OWN-16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "bus_reset_fixture.h"

#define ROUNDS 400

struct player {
    struct bus *b;
    pcv_sbdf card;
    uint32_t seed;
    bool removes; /* what is removed in between forgets its addresses */
};

static uint32_t dice(struct player *player, uint32_t sides)
{
    player->seed = player->seed * 1664525u + 1013904223u;
    return (player->seed >> 16) % sides;
}

/* One administrator, who sometimes does not call again. */
static void *play(void *arg)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    struct player *player = arg;
    struct pcv_host *host = player->b->h.host;
    pcv_sbdf at;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        const uint32_t what = dice(player, 5);
        uint32_t calls = dice(player, 8);
        int error = -PCV_ERESTART;

        for (; error == -PCV_ERESTART && calls != 0; calls--) {
            error = what == 0 ? pcv_device_reset(host, player->card, NULL)
                    : what == 1
                        ? pcv_device_assign(host, player->card,
                                            player->b->guest, &policy, &at)
                    : what == 2 ? pcv_device_assign(host, player->card,
                                                    player->b->guest, NULL, &at)
                                : pcv_device_deassign(host, player->card);
        }
    }
    return NULL;
}

/* Somebody who looks, removes and adds, and the host's timer. */
static void *meddle(void *arg)
{
    struct player *player = arg;
    struct pcv_host *host = player->b->h.host;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct pcv_scan scan = {0};
        uint64_t wait;
        int error = 0;

        switch (dice(player, 4)) {
        case 0:
            error = player->removes
                        ? pcv_device_remove(host, player->card, NULL, NULL)
                        : 0;
            break;
        case 1:
            error = pcv_device_add(host, player->card, NULL);
            break;
        case 2:
            error = pcv_host_scan(host, &scan, 0);
            break;
        default:
            error = pcv_host_work(host, &wait);
            break;
        }
        (void)error;
    }
    return NULL;
}

/* OWN-16, LIFE-10: however they meet, the bus is let go, nobody asks too early,
 * and both come home. */
static void functions_of_one_card_change_hands_at_once(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++) {
        struct player players[3];
        pthread_t thread[3];
        uint64_t wait = 0;
        struct bus b;

        bus_start(&b);
        pcv_model_on_event(b.h.model, NULL, NULL);
        pcv_model_set_clock(b.h.model, false);
        for (uint32_t i = 0; i < 3; i++) {
            players[i] = (struct player){
                &b, {CARD_0.v + i % 2}, seed * 977u + i, seed % 2 == 0};
            assert_int_equal(pthread_create(&thread[i], NULL,
                                            i < 2 ? play : meddle, &players[i]),
                             0);
        }
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(pthread_join(thread[i], NULL), 0);
        }
        for (int i = 0; i < 10; i++) {
            (void)(pcv_host_work(b.h.host, &wait) == 0);
        }
        assert_false(bus_is_held(&b));
        assert_int_equal(wait, 0);
        for (int i = 0; i < 4; i++) {
            (void)bus_change(&b, (pcv_sbdf){CARD_0.v + (uint32_t)i % 2}, false,
                             NULL);
        }
        for (uint32_t i = 0; i < 2; i++) {
            const pcv_sbdf card = {CARD_0.v + i};

            if (hosted_state(&b.h, card) == PCV_STATE_PRESENT) {
                assert_int_equal(bus_owner(&b, card), PCV_DOMAIN_ID_HARDWARE);
            }
            /* A reset that was given up is put in order by who looks next. */
            (void)hosted_read(&b.h, card, PCV_REG_VENDOR, 4);
            if (seed % 2 != 0) {
                assert_int_equal(bus_peek(&b, card, PCV_REG_BAR0, 4),
                                 CARD_BAR + i * 0x10000u);
            }
        }
        bus_end(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_card_change_hands_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
