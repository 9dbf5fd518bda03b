/* SPDX-License-Identifier: MIT */
/*
 * Bus numbers change while a group is on its way to a guest (OWN-4, TOPO-4):
 *
 *   00:05.0 conventional bridge, bus 1
 *     01:00.0 and 01:01.0 two cards that send as one
 *   00:06.0 another, bus 2
 *     02:01.0 a card
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"

#define BRIDGE pcv_test_at(0, 0, 5, 0)
#define OTHER_BRIDGE pcv_test_at(0, 0, 6, 0)
#define LEAD pcv_test_at(0, 1, 0, 0)
#define MATE pcv_test_at(0, 1, 1, 0)
#define OTHER pcv_test_at(0, 2, 1, 0)
#define FUNCTIONS 5u

static const struct pcv_assign_policy whole = {.flags = PCV_ASSIGN_GROUP};

static void card(struct owned *o, pcv_sbdf at)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x1111, 0x2222);
    (void)pcv_test_af(&f);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(o->h.model, &f, at);
}

static void bridge(struct owned *o, pcv_sbdf at, uint8_t bus)
{
    struct pcv_test_function f;

    pcv_test_bridge(&f, 0, bus, bus);
    pcv_test_add(o->h.model, &f, at);
}

static void start(struct owned *o)
{
    memset(o, 0, sizeof(*o));
    hosted_build(&o->h);
    bridge(o, BRIDGE, 1);
    card(o, LEAD);
    card(o, MATE);
    bridge(o, OTHER_BRIDGE, 2);
    card(o, OTHER);
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), FUNCTIONS);
    pcv_model_set_clock(o->h.model, true);
    o->guest = owned_domain(o, OWNED_GUEST);
}

/* A bridge has another number, behind everybody's back. */
static void lead_to(struct owned *o, pcv_sbdf at, uint8_t bus)
{
    pcv_model_poke(o->h.model, at, PCV_REG_SECONDARY, 1, bus);
    pcv_model_poke(o->h.model, at, PCV_REG_SECONDARY + 1u, 1, bus);
    assert_int_equal(pcv_bridge_report_buses(o->h.host, at, 0, bus, bus), 0);
}

/* OWN-4, TOPO-4 */
static void who_stands_where_a_mate_stood_does_not_go_along(void **state)
{
    struct owned o;

    (void)state;
    start(&o);
    assert_int_equal(pcv_device_assign(o.h.host, LEAD, o.guest, &whole, NULL),
                     -PCV_ERESTART);
    lead_to(&o, BRIDGE, 3);
    lead_to(&o, OTHER_BRIDGE, 1);
    assert_int_equal(owned_owner(&o, MATE), PCV_DOMAIN_ID_HARDWARE);
    pcv_model_advance_us(o.h.model, 1000000);
    assert_int_equal(pcv_device_assign(o.h.host, pcv_test_at(0, 3, 0, 0),
                                       o.guest, &whole, NULL),
                     -PCV_ENODEV);
    assert_int_equal(owned_owner(&o, MATE), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(o.h.model, MATE),
                     PCV_DOMAIN_ID_HARDWARE);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stands_where_a_mate_stood_does_not_go_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
