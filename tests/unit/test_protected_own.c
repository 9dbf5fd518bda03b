/* SPDX-License-Identifier: MIT */
/* Writes of the hardware domain that would reset what the hypervisor uses: a
 * hidden, a concealed or a read-only function (OWN-7 to OWN-9, OWN-15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protected_fixture.h"

/* The hypervisor takes a function; whether it can. */
enum use { HIDE, CONCEAL, READ_ONLY, USES };

static int use(struct guarded *g, pcv_sbdf at, enum use how)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = how == HIDE      ? pcv_device_hide(g->h.host, at, NULL, NULL)
                : how == CONCEAL ? pcv_device_conceal(g->h.host, at, 0, NULL)
                                 : pcv_device_set_read_only(g->h.host, at);
    }
    return error;
}

static int reveal(struct guarded *g, pcv_sbdf at)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_reveal(g->h.host, at, 0, NULL);
    }
    return error;
}

struct row {
    uint16_t base, reg;
    uint8_t size;
    uint32_t set; /* bits that are set by the write */
};

/* Bits of a bridge that take what is behind it its state. */
static size_t rows_of(struct row *rows)
{
    const struct row all[] = {
        {0, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET},
        {port_pm, PCV_PM_CONTROL, 2, PCV_PM_D3HOT},
        {port_pcie, PCV_PCIE_LNKCTL, 2, PCV_PCIE_LNKCTL_DISABLE},
        {port_pcie, PCV_PCIE_SLTCTL, 2, PCV_PCIE_SLTCTL_POWER_OFF},
    };

    memcpy(rows, all, sizeof(all));
    return sizeof(all) / sizeof(all[0]);
}

/* Each write is dropped, counted and told; or has its effect. */
static void are_dropped(struct guarded *g, pcv_sbdf at, bool dropped)
{
    struct row rows[8];
    size_t count = rows_of(rows);

    for (size_t i = 0; i < count; i++) {
        uint16_t reg = (uint16_t)(rows[i].base + rows[i].reg);
        uint32_t old = guarded_peek(g, at, reg, rows[i].size);
        uint64_t before = guarded_dropped(g);
        uint32_t told = g->events[PCV_EVENT_PROTECTED];

        guarded_write(g, at, reg, rows[i].size, old | rows[i].set);
        assert_int_equal(guarded_peek(g, at, reg, rows[i].size),
                         dropped ? old : old | rows[i].set);
        assert_int_equal(guarded_dropped(g) - before, dropped);
        assert_int_equal(g->events[PCV_EVENT_PROTECTED] - told, dropped);
        guarded_write(g, at, reg, rows[i].size, old);
    }
}

/* OWN-7, OWN-8, OWN-9 */
static void what_the_hypervisor_uses_is_not_reset_under_it(void **state)
{
    (void)state;
    for (unsigned how = 0; how < USES; how++) {
        struct guarded g;

        guarded_start(&g);
        assert_int_equal(use(&g, CARD, (enum use)how), 0);
        are_dropped(&g, ASIDE, true);
        guarded_end(&g);
    }
}

/* OWN-7: it can be found again, so the hardware domain's operating system may
 * assign buses and windows as ever (TOPO-4). */
static void windows_and_numbers_stay_the_domains(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(use(&g, CARD, HIDE), 0);
    guarded_write(&g, ASIDE, PCV_REG_MEM_BASE, 4, 0x0000fff0);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_MEM_BASE, 2), 0xfff0);
    guarded_write(&g, ASIDE, PCV_REG_PRIMARY, 4, 0x00090900);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_SECONDARY, 1), 9);
    assert_int_equal(guarded_dropped(&g), 0);
    /* It is guarded where it is now. */
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2), 0);
    assert_int_equal(guarded_dropped(&g), 1);
    guarded_end(&g);
}

/* OWN-7, OWN-15: every bridge above it; no other; and no longer than that. */
static void a_bridge_keeps_as_long_as_something_is_behind_it(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    are_dropped(&g, ASIDE, false);
    assert_int_equal(use(&g, CARD, HIDE), 0);
    are_dropped(&g, ASIDE, true);
    guarded_write(&g, TOP, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(guarded_dropped(&g), 4);
    assert_int_equal(reveal(&g, CARD), 0);
    are_dropped(&g, ASIDE, false);
    assert_int_equal(use(&g, CARD, CONCEAL), 0);
    are_dropped(&g, ASIDE, true);
    assert_int_equal(pcv_device_vanished(g.h.host, CARD), 0);
    are_dropped(&g, ASIDE, false);
    guarded_end(&g);
}

/* OWN-15: an administrator's word is for what guests have. */
static void an_override_takes_nothing_from_the_hypervisor(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(use(&g, CARD, HIDE), 0);
    assert_int_equal(pcv_device_override(g.h.host, ASIDE, true), 0);
    are_dropped(&g, ASIDE, true);
    assert_int_equal(g.events[PCV_EVENT_OVERRIDDEN], 0);
    assert_int_equal(hosted_status(&g.h, CARD).owner_id,
                     PCV_DOMAIN_ID_HYPERVISOR);
    guarded_end(&g);
}

/* OWN-15: the override stays, and takes no more. */
static void what_a_guest_lost_is_kept_for_the_hypervisor(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    are_dropped(&g, ASIDE, true);
    assert_int_equal(pcv_device_override(g.h.host, ASIDE, true), 0);
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(g.events[PCV_EVENT_OVERRIDDEN], 1);
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(hosted_read(&g.h, CARD, PCV_REG_VENDOR, 4), 0x56781234);
    assert_int_equal(use(&g, CARD, READ_ONLY), 0);
    are_dropped(&g, ASIDE, true);
    guarded_end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_hypervisor_uses_is_not_reset_under_it),
        cmocka_unit_test(windows_and_numbers_stay_the_domains),
        cmocka_unit_test(a_bridge_keeps_as_long_as_something_is_behind_it),
        cmocka_unit_test(an_override_takes_nothing_from_the_hypervisor),
        cmocka_unit_test(what_a_guest_lost_is_kept_for_the_hypervisor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
