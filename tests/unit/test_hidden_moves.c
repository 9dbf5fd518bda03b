/* SPDX-License-Identifier: MIT */
/* Hidden and concealed functions whose bus numbers change (TOPO-4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pcivisor/pcivisor.h"

#include "two_ports.h"

static const struct pcv_hide_info port = {
    .range_count = 1, .range = {{.bar = 0, .offset = 0x3000, .size = 16}}};

static struct pcv_device_info info_of(struct two *t, pcv_sbdf first)
{
    struct pcv_device_info info;

    pcv_device_get_info(object(t, first), &info);
    return info;
}

/* OWN-7, TOPO-4 */
static void a_hidden_function_moves_and_stays_hidden(void **state)
{
    struct pcv_host *host;
    struct two t;

    (void)state;
    two_start(&t);
    host = t.r.h.host;
    assert_int_equal(pcv_device_hide(host, CARD_A, &port, NULL), 0);
    numbers(&t, PORT_A, 0, 0);
    assert_true(info_of(&t, CARD_A).unreachable);
    assert_int_equal(pcv_device_reveal(host, CARD_A, 0, NULL), -PCV_ENODEV);
    /* What the hypervisor uses is its own still. */
    assert_true(
        pcv_model_is_read_only(t.r.h.model, PCV_DOMAIN_ID_HARDWARE, 0x90003));
    numbers(&t, PORT_A, 5, 5);
    assert_true(info_of(&t, CARD_A).hidden);
    assert_false(info_of(&t, CARD_A).unreachable);
    /* Its DMA is the hardware domain's at the new requester ID, too. */
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(5)),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(id_at(&t, BUS(5)), 0xaaaa);
    renumber_write(&t.r, BUS(5), PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_model_peek(t.r.h.model, CARD_A, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MEMORY,
                     PCV_CMD_MEMORY);
    assert_int_equal(pcv_device_reveal(host, BUS(5), 0, NULL), 0);
    two_end(&t);
}

/* OWN-9, TOPO-4 */
static void a_concealed_function_moves_and_stays_concealed(void **state)
{
    struct pcv_host *host;
    struct two t;

    (void)state;
    two_start(&t);
    host = t.r.h.host;
    assert_int_equal(pcv_device_conceal(host, CARD_A, 0, NULL), 0);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_reveal(host, CARD_A, 0, NULL), -PCV_ENODEV);
    assert_true(pcv_host_reserved(host, false, 0x90000000, 1));
    numbers(&t, PORT_A, 5, 5);
    assert_true(info_of(&t, CARD_A).concealed);
    assert_int_equal(id_at(&t, BUS(5)), 0xffff);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(5)),
                     PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(pcv_device_reveal(host, BUS(5), 0, NULL), 0);
    assert_int_equal(id_at(&t, BUS(5)), 0xaaaa);
    two_end(&t);
}

/* OWN-13, TOPO-4: what cannot be reached is in the way of all. */
static void nothing_behind_a_bridge_may_be_out_of_reach(void **state)
{
    const struct pcv_hide_info all = {.flags = PCV_SUBTREE};
    struct pcv_host *host;
    pcv_sbdf busy = {0};
    struct two t;

    (void)state;
    two_start(&t);
    host = t.r.h.host;
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_hide(host, CARD_A, NULL, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_device_conceal(host, CARD_A, 0, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_device_quarantine(host, CARD_A, 0, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_device_hide(host, PORT_A, &all, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_A.v);
    numbers(&t, PORT_A, 1, 1);
    assert_int_equal(pcv_device_hide(host, PORT_A, &all, &busy), 0);
    /* And then its numbers stay. */
    numbers(&t, PORT_A, 7, 7);
    assert_int_equal(id_at(&t, BUS(1)), 0xaaaa);
    assert_int_equal(pcv_device_reveal(host, PORT_A, PCV_SUBTREE, NULL), 0);
    two_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hidden_function_moves_and_stays_hidden),
        cmocka_unit_test(a_concealed_function_moves_and_stays_concealed),
        cmocka_unit_test(nothing_behind_a_bridge_may_be_out_of_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
