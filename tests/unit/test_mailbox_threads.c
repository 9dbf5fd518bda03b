/* SPDX-License-Identifier: MIT */
/*
 * Clients of one mailbox on several CPUs at once, one of which keeps to no
 * rule (CTL-2). Also run under the thread sanitizer.
 *
 * PCV_THREADS_STEPS sets the number of requests of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "ctl/wire.h"
#include "hosted.h"
#include "pcivisor/mailbox.h"

#define STEPS 2000u
#define CLIENTS 3u

struct shared {
    struct hosted h;
    struct pcv_mailbox *mailbox;
    uint32_t steps;
    bool vandal; /* nobody may count on anything */
    _Atomic uint32_t number;
    _Atomic uint32_t served, wrong, finished;
};

static uint32_t get(struct shared *s, uint32_t at)
{
    uint64_t value;

    pcv_mailbox_read(s->mailbox, at, 4, &value);
    return (uint32_t)value;
}

static void put(struct shared *s, uint32_t at, uint32_t value)
{
    pcv_mailbox_write(s->mailbox, at, 4, value);
}

/* Whose claim it is asks where a function is, and hears of that one. */
static void serve(struct shared *s, uint32_t claim, uint32_t tag)
{
    uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE];
    struct pcv_ctl_request request;

    memset(&request, 0, sizeof(request));
    request.op = PCV_CTL_DEVICE;
    request.sbdf = tag % 2 ? TREE_LEAF : TREE_ENDPOINT;
    assert_true(pcv_request_encode(&request, tag, 1, bytes) != 0);
    for (uint32_t i = 0; i < sizeof(bytes); i += 4) {
        put(s, PCV_MAILBOX_REQUEST + i, (uint32_t)pcv__wire_get(bytes + i, 4));
    }
    put(s, PCV_MAILBOX_DOORBELL, claim);
    atomic_fetch_add(&s->served, 1);
    if (get(s, PCV_MAILBOX_STATE) != PCV_MAILBOX_DONE ||
        get(s, PCV_MAILBOX_REPLY + PCV_REPLY_TAG) != tag ||
        get(s, PCV_MAILBOX_REPLY + PCV_REPLY_RESULT) != 0 ||
        get(s, PCV_MAILBOX_REPLY + PCV_REPLY_RECORDS) != request.sbdf.v) {
        atomic_fetch_add(&s->wrong, 1);
    }
}

static void *client(void *arg)
{
    struct shared *s = arg;
    uint32_t claim = atomic_fetch_add(&s->number, 1) + 1;

    for (uint32_t i = 0; i < s->steps; i++) {
        put(s, PCV_MAILBOX_CLAIM, claim);
        if (get(s, PCV_MAILBOX_CLAIM) == claim) {
            serve(s, claim, claim << 24 | i);
            put(s, PCV_MAILBOX_RELEASE, claim);
        } else {
            (void)sched_yield();
        }
    }
    atomic_fetch_add(&s->finished, 1);
    return NULL;
}

/* Writes anywhere, rings in everybody's name. */
static void *vandal(void *arg)
{
    struct shared *s = arg;
    uint32_t seed = 88172645u;

    while (s->vandal && atomic_load(&s->finished) < CLIENTS) {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        put(s, PCV_MAILBOX_REQUEST + seed % 64 * 4, seed >> 24);
        put(s, PCV_MAILBOX_DOORBELL, seed % (CLIENTS + 1));
        put(s, PCV_MAILBOX_RELEASE, seed % (CLIENTS + 1));
        (void)get(s, PCV_MAILBOX_REPLY + seed % 0x3000u / 4 * 4);
    }
    return NULL;
}

static uint32_t steps(void)
{
    const char *text = getenv("PCV_THREADS_STEPS");
    unsigned long count = text ? strtoul(text, NULL, 10) : 0;

    return count != 0 && count < 0xffffffu ? (uint32_t)count : STEPS;
}

static void play(struct shared *s)
{
    pthread_t thread[CLIENTS + 1];

    tree_start(&s->h);
    assert_int_equal(pcv_mailbox_create(s->h.host, 8, &s->mailbox), 0);
    s->steps = steps();
    for (uint32_t i = 0; i < CLIENTS + 1; i++) {
        assert_int_equal(
            pthread_create(&thread[i], NULL, i < CLIENTS ? client : vandal, s),
            0);
    }
    for (uint32_t i = 0; i < CLIENTS + 1; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_true(atomic_load(&s->served) > 0);
    pcv_mailbox_destroy(s->mailbox);
}

/* CTL-2 */
static void clients_with_the_claim_get_their_own_replies(void **state)
{
    static struct shared s;

    (void)state;
    play(&s);
    assert_int_equal(atomic_load(&s.wrong), 0);
    hosted_end(&s.h);
}

/* CTL-2 */
static void a_client_without_rules_harms_no_one_but_clients(void **state)
{
    static struct shared s;

    (void)state;
    s.vandal = true;
    play(&s);
    hosted_end(&s.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_with_the_claim_get_their_own_replies),
        cmocka_unit_test(a_client_without_rules_harms_no_one_but_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
