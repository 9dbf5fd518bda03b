/* SPDX-License-Identifier: MIT */
/* Writes of the hardware domain that would take a function away from its guest
 * (OWN-15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protected_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum base { HEADER, PCIE, PM, DPC, PF_PCIE, PF_PM, SRIOV };

struct row {
    const char *what;
    enum base base;
    uint16_t reg;
    uint8_t size;
    uint32_t value;  /* written over what is there ... */
    uint32_t mask;   /* ... in these bits */
    uint32_t guards; /* of those, the ones that are kept */
};

static uint16_t reg_of(const struct row *row)
{
    const uint16_t base[] = {
        [HEADER] = 0,       [PCIE] = port_pcie,  [PM] = port_pm,
        [DPC] = port_dpc,   [PF_PCIE] = pf_pcie, [PF_PM] = pf_pm,
        [SRIOV] = pf_sriov,
    };

    return (uint16_t)(base[row->base] + row->reg);
}

/* A row's write; returns what hardware has then. */
static uint32_t perform(struct guarded *g, pcv_sbdf at, const struct row *row)
{
    uint16_t reg = reg_of(row);
    uint32_t old = guarded_peek(g, at, reg, row->size);

    guarded_write(g, at, reg, row->size,
                  (old & ~row->mask) | (row->value & row->mask));
    return guarded_peek(g, at, reg, row->size);
}

/* Every register of a bridge that leads to what is behind it, and beside the
 * bits that are kept some that do no harm. */
static const struct row bridge_rows[] = {
    {"secondary bus reset", HEADER, PCV_REG_BRIDGE_CONTROL, 2,
     PCV_BRIDGE_RESET | 0x2u, PCV_BRIDGE_RESET | 0x2u, PCV_BRIDGE_RESET},
    {"a dword with it", HEADER, PCV_REG_INT_LINE, 4,
     PCV_BRIDGE_RESET << 16 | 0x2au, PCV_BRIDGE_RESET << 16 | 0xffu,
     PCV_BRIDGE_RESET << 16},
    {"its byte", HEADER, PCV_REG_BRIDGE_CONTROL, 1, PCV_BRIDGE_RESET, 0xff,
     PCV_BRIDGE_RESET},
    {"memory enable", HEADER, PCV_REG_COMMAND, 2, PCV_CMD_PARITY,
     PORT_ENABLES | PCV_CMD_PARITY, PORT_ENABLES},
    {"bus master", HEADER, PCV_REG_COMMAND, 2, PCV_CMD_IO | PCV_CMD_MEMORY,
     PORT_ENABLES, PCV_CMD_MASTER},
    {"I/O window", HEADER, PCV_REG_IO_BASE, 2, 0x6050, 0xf0f0, 0xf0f0},
    {"half of it", HEADER, PCV_REG_IO_LIMIT, 1, 0x60, 0xf0, 0xf0},
    {"memory window", HEADER, PCV_REG_MEM_BASE, 4, 0x0000fff0, 0xfff0fff0,
     0xfff0fff0},
    {"prefetchable window", HEADER, PCV_REG_PREF_BASE, 4, 0x0000fff0,
     0xfff0fff0, 0xfff0fff0},
    {"its upper base", HEADER, PCV_REG_PREF_BASE_HI, 4, 0x12, 0xff, 0xff},
    {"its upper limit", HEADER, PCV_REG_PREF_LIMIT_HI, 4, 0x12, 0xff, 0xff},
    {"upper I/O", HEADER, PCV_REG_IO_BASE_HI, 4, 0x00120012, 0xffffffff,
     0xffffffff},
    {"bus numbers", HEADER, PCV_REG_PRIMARY, 4, 0x00090900, 0x00ffff00,
     0x00ffff00},
    {"secondary", HEADER, PCV_REG_SECONDARY, 1, 9, 0xff, 0xff},
    {"subordinate", HEADER, PCV_REG_SUBORDINATE, 1, 9, 0xff, 0xff},
    {"power state", PM, PCV_PM_CONTROL, 2, PCV_PM_D3HOT, PCV_PM_STATE,
     PCV_PM_STATE},
};

/* What only a port with a link and a slot has beside. */
static const struct row port_rows[] = {
    {"link disable", PCIE, PCV_PCIE_LNKCTL, 2, PCV_PCIE_LNKCTL_DISABLE | 0x40u,
     PCV_PCIE_LNKCTL_DISABLE | 0x40u, PCV_PCIE_LNKCTL_DISABLE},
    {"slot power", PCIE, PCV_PCIE_SLTCTL, 2, PCV_PCIE_SLTCTL_POWER_OFF | 0x8u,
     PCV_PCIE_SLTCTL_POWER_OFF | 0x8u, PCV_PCIE_SLTCTL_POWER_OFF},
    {"ARI forwarding", PCIE, PCV_PCIE_DEVCTL2, 2, PCV_PCIE_DEVCTL2_ARI,
     PCV_PCIE_DEVCTL2_ARI, PCV_PCIE_DEVCTL2_ARI},
};

static const struct row pf_rows[] = {
    {"VF enable", SRIOV, PCV_SRIOV_CTRL, 2, 0, PCV_SRIOV_CTRL_VFE,
     PCV_SRIOV_CTRL_VFE},
    {"VF memory enable", SRIOV, PCV_SRIOV_CTRL, 2, 0, PCV_SRIOV_CTRL_MSE,
     PCV_SRIOV_CTRL_MSE},
    {"ARI capable hierarchy", SRIOV, PCV_SRIOV_CTRL, 2, PCV_SRIOV_CTRL_ARI,
     PCV_SRIOV_CTRL_ARI, PCV_SRIOV_CTRL_ARI},
    {"NumVFs", SRIOV, PCV_SRIOV_NUM_VFS, 2, 1, 0xffff, 0xffff},
    {"page size", SRIOV, PCV_SRIOV_PAGE_SIZE, 4, 2, 0xffffffff, 0xffffffff},
    {"VF BAR", SRIOV, PCV_SRIOV_BAR, 4, 0xa0000000, 0xfff00000, 0xfff00000},
    {"power state", PF_PM, PCV_PM_CONTROL, 2, PCV_PM_D3HOT, PCV_PM_STATE,
     PCV_PM_STATE},
};

/* One write while a guest has a function: what is guarded stays, the rest has
 * its effect, and it is counted and told, once. */
static void is_dropped(struct guarded *g, pcv_sbdf at, const struct row *row)
{
    uint16_t reg = reg_of(row);
    uint32_t old = guarded_peek(g, at, reg, row->size);
    uint64_t dropped = guarded_dropped(g);
    uint64_t refused = hosted_status(&g->h, at).counters.refused;
    uint32_t told = g->events[PCV_EVENT_PROTECTED];
    uint32_t now = perform(g, at, row);
    uint32_t free = row->mask & ~row->guards;

    if (((now ^ old) & row->guards) != 0 || ((now ^ row->value) & free) != 0) {
        fail_msg("%s: %x became %x", row->what, old, now);
    }
    if (guarded_dropped(g) != dropped + 1u ||
        hosted_status(&g->h, at).counters.refused != refused + 1u ||
        g->events[PCV_EVENT_PROTECTED] != told + 1u) {
        fail_msg("%s: not counted and told once", row->what);
    }
    assert_int_equal(g->last[PCV_EVENT_PROTECTED].sbdf.v, at.v);
    assert_int_equal(g->last[PCV_EVENT_PROTECTED].domain_id,
                     PCV_DOMAIN_ID_HARDWARE);
}

static void all_are_dropped(pcv_sbdf owned, pcv_sbdf at, const struct row *rows,
                            size_t count)
{
    struct guarded g;
    uint32_t ids;

    guarded_start(&g);
    assert_int_equal(guarded_give(&g, owned), 0);
    ids = guarded_ids(&g);
    assert_int_not_equal(ids, 0xffffffff);
    for (size_t i = 0; i < count; i++) {
        is_dropped(&g, at, &rows[i]);
        assert_int_equal(guarded_ids(&g), ids);
    }
    assert_int_equal(hosted_status(&g.h, owned).owner_id, GUEST);
    guarded_end(&g);
}

/* OWN-15: every bridge on the path up to the root. */
static void what_leads_to_a_guests_function_is_not_changed(void **state)
{
    static const struct {
        uint8_t owned, bus, device;
    } paths[] = {{0, 0, 1}, {0, 1, 0}, {0, 2, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        pcv_sbdf at = pcv_test_at(0, paths[i].bus, paths[i].device, 0);

        all_are_dropped(VF_1, at, bridge_rows, COUNT(bridge_rows));
        if (at.v != UP.v) {
            all_are_dropped(VF_1, at, port_rows, COUNT(port_rows));
        }
    }
    all_are_dropped(CARD, ASIDE, bridge_rows, COUNT(bridge_rows));
    all_are_dropped(CARD, ASIDE, port_rows, COUNT(port_rows));
}

static uint32_t triggers;

static void saw(void *arg, const struct pcv_model_cfg *access)
{
    (void)arg;
    triggers += access->write && access->sbdf.v == DOWN.v &&
                access->reg == port_dpc + PCV_DPC_CTRL &&
                (access->value & PCV_DPC_CTRL_TRIGGER) != 0;
}

/* OWN-15: containment that software triggers takes the link down. The bit reads
 * zero, so what counts is what hardware was written. */
static void a_port_is_not_contained_by_software(void **state)
{
    const uint32_t value = PCV_DPC_CTRL_TRIGGER | 0x8u;
    const uint16_t reg = (uint16_t)(port_dpc + PCV_DPC_CTRL);
    struct guarded g;

    (void)state;
    guarded_start(&g);
    pcv_model_watch(g.h.model, saw, NULL);
    triggers = 0;
    assert_int_equal(guarded_give(&g, VF_1), 0);
    guarded_write(&g, DOWN, reg, 2, value);
    assert_int_equal(triggers, 0);
    assert_int_equal(guarded_peek(&g, DOWN, reg, 2), 0x8);
    assert_int_equal(guarded_dropped(&g), 1);
    assert_int_equal(guarded_take(&g, VF_1), 0);
    guarded_write(&g, DOWN, reg, 2, value);
    assert_int_equal(triggers, 1);
    guarded_end(&g);
}

/* OWN-15, SRIOV-1 */
static void what_a_guests_vf_stands_on_is_not_changed(void **state)
{
    (void)state;
    all_are_dropped(VF_1, PF, pf_rows, COUNT(pf_rows));
}

/* OWN-15: a reset of the PF takes its VFs. */
static void a_pf_with_a_guests_vf_is_not_reset(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, VF_1), 0);
    guarded_write(&g, PF, pf_pcie + PCV_PCIE_DEVCTL, 2,
                  PCV_PCIE_DEVCTL_FLR | 0x1u);
    assert_int_equal(guarded_peek(&g, PF, pf_pcie + PCV_PCIE_DEVCTL, 2), 0x1);
    assert_int_equal(guarded_dropped(&g), 1);
    assert_int_equal(g.events[PCV_EVENT_RESET], 0);
    assert_true(guarded_peek(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2) &
                PCV_SRIOV_CTRL_VFE);
    assert_int_equal(guarded_take(&g, VF_1), 0);
    guarded_write(&g, PF, pf_pcie + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(g.events[PCV_EVENT_RESET], 1);
    assert_int_equal(guarded_dropped(&g), 1);
    guarded_end(&g);
}

/* Each row in a machine of its own: it has its full effect. */
static void all_are_performed(pcv_sbdf at, const struct row *rows, size_t count,
                              bool after)
{
    for (size_t i = 0; i < count; i++) {
        struct guarded g;
        uint32_t old, now;

        guarded_start(&g);
        if (after) {
            assert_int_equal(guarded_give(&g, VF_1), 0);
            assert_int_equal(guarded_take(&g, VF_1), 0);
        } else {
            assert_int_equal(guarded_give(&g, CARD), 0);
        }
        old = guarded_peek(&g, at, reg_of(&rows[i]), rows[i].size);
        now = perform(&g, at, &rows[i]);
        if (((now ^ old) & rows[i].guards) == 0) {
            fail_msg("%s: stayed %x", rows[i].what, now);
        }
        assert_int_equal(guarded_dropped(&g), 0);
        guarded_end(&g);
    }
}

/* OWN-15: the hardware domain's own, and what is behind another port, keep
 * nothing; nor does a guest that gave its function back. */
static void without_a_guest_behind_it_a_bridge_obeys(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        all_are_performed(DOWN, bridge_rows, COUNT(bridge_rows), after != 0);
        all_are_performed(DOWN, port_rows, COUNT(port_rows), after != 0);
    }
}

/* OWN-15: to switch on, to power up, or to write what is there already does no
 * harm, and is not counted. */
static void writes_that_do_no_harm_are_performed(void **state)
{
    struct guarded g;
    uint32_t link;

    (void)state;
    guarded_start(&g);
    guarded_write(&g, ASIDE, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(guarded_give(&g, CARD), 0);
    guarded_write(&g, ASIDE, PCV_REG_COMMAND, 2, PORT_ENABLES);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_COMMAND, 2), PORT_ENABLES);
    guarded_write(&g, ASIDE, PCV_REG_PRIMARY, 4,
                  guarded_peek(&g, ASIDE, PCV_REG_PRIMARY, 4));
    guarded_write(&g, ASIDE, port_pm + PCV_PM_CONTROL, 2, PCV_PM_D0);
    /* Training the link again resets nothing behind it. */
    link = guarded_peek(&g, ASIDE, port_pcie + PCV_PCIE_LNKCTL, 2);
    guarded_write(&g, ASIDE, port_pcie + PCV_PCIE_LNKCTL, 2, link | 0x20u);
    assert_int_equal(guarded_dropped(&g), 0);
    guarded_end(&g);
}

/* OWN-15, HDR-4: sizing reads back what was there. */
static void a_window_that_is_sized_keeps_its_value(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    guarded_write(&g, ASIDE, PCV_REG_IO_BASE, 2, 0xe0f0);
    assert_int_equal(hosted_read(&g.h, ASIDE, PCV_REG_IO_BASE, 2),
                     guarded_peek(&g, ASIDE, PCV_REG_IO_BASE, 2));
    guarded_write(&g, ASIDE, PCV_REG_PREF_LIMIT_HI, 4, 0xffffffff);
    assert_int_equal(hosted_read(&g.h, ASIDE, PCV_REG_PREF_LIMIT_HI, 4), 0);
    guarded_end(&g);
}

/* OWN-15: the last of several counts. */
static void the_last_function_that_a_guest_has_there_counts(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, VF_0), 0);
    assert_int_equal(guarded_give(&g, VF_1), 0);
    assert_int_equal(guarded_take(&g, VF_0), 0);
    for (size_t i = 0; i < COUNT(bridge_rows); i++) {
        is_dropped(&g, TOP, &bridge_rows[i]);
    }
    is_dropped(&g, PF, &pf_rows[0]);
    assert_int_equal(guarded_take(&g, VF_1), 0);
    guarded_write(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2, 0);
    assert_int_equal(guarded_peek(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2), 0);
    guarded_end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_leads_to_a_guests_function_is_not_changed),
        cmocka_unit_test(a_port_is_not_contained_by_software),
        cmocka_unit_test(what_a_guests_vf_stands_on_is_not_changed),
        cmocka_unit_test(a_pf_with_a_guests_vf_is_not_reset),
        cmocka_unit_test(without_a_guest_behind_it_a_bridge_obeys),
        cmocka_unit_test(the_last_function_that_a_guest_has_there_counts),
        cmocka_unit_test(writes_that_do_no_harm_are_performed),
        cmocka_unit_test(a_window_that_is_sized_keeps_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
