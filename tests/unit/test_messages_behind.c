/* SPDX-License-Identifier: MIT */
/*
 * Messages of functions behind bridges of conventional PCI: they arrive under
 * the bridge's requester ID, and that is what they are bound for (TOPO-5,
 * MSI-2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared.h"

#define MSI 0x40
#define MSIX 0x54 /* control at 2 */
#define DOORBELL 0xfee01000u
/* With MSI of four messages, and MSI-X of four, beside what joined.h has. */
#define BEHIND_ALIAS pcv_test_at(0, 2, 3, 0)
#define BEHIND_DEEP pcv_test_at(0, 3, 5, 0)
#define BEHIND_OLD pcv_test_at(0, 7, 2, 0)
#define BEHIND_NONE pcv_test_at(0, 0, 4, 0)

static struct {
    struct pcv_msi_request bound; /* the last that was */
    unsigned binds, unbinds;
} seen;

static int see_bind(void *ctx, const struct pcv_msi_request *request,
                    struct pcv_msi_message *out_message)
{
    seen.bound = *request;
    seen.binds++;
    return pcv_model_ops()->msi_bind(ctx, request, out_message);
}

static void see_unbind(void *ctx, const struct pcv_msi_request *request)
{
    seen.unbinds++;
    pcv_model_ops()->msi_unbind(ctx, request);
}

static void add_card(struct joined *j, pcv_sbdf at)
{
    const uint32_t bar = 0xe0000000u + ((at.v & 0xffffu) << 12);
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 0x1533);
    (void)pcv_test_msi(&f, 0x0004); /* at MSI */
    (void)pcv_test_af(&f);
    (void)pcv_test_msix(&f, 4, 0, 0, 0x800);
    pcv_test_bar32(&f, 0, bar, 0x1000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(j->h.model, &f, at);
}

static void build(struct joined *j)
{
    memset(&seen, 0, sizeof(seen));
    joined_build(j);
    j->h.ops.msi_bind = see_bind;
    j->h.ops.msi_unbind = see_unbind;
    add_card(j, BEHIND_ALIAS);
    add_card(j, BEHIND_DEEP);
    add_card(j, BEHIND_OLD);
    add_card(j, BEHIND_NONE);
}

static void start(struct joined *j)
{
    build(j);
    joined_boot(j);
}

/* Every unbind was of what was bound, to the bit. */
static void end(struct joined *j)
{
    assert_int_equal(pcv_model_bind_errors(j->h.model), 0);
    hosted_end(&j->h);
}

static void put(struct pcv_domain *owner, pcv_sbdf at, uint16_t reg,
                uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);
    enum pcv_verdict verdict = pcv_access(owner, &access);

    for (int i = 0; i < 1000 && verdict != PCV_DONE; i++) {
        verdict = verdict == PCV_PENDING ? pcv_access_resume(owner, &access)
                                         : pcv_access(owner, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* The owner switches MSI on, with as many messages as there are. */
static void msi_on(struct pcv_domain *owner, pcv_sbdf at)
{
    put(owner, at, MSI + 4, 4, DOORBELL);
    put(owner, at, MSI + 8, 2, 0x4040);
    put(owner, at, MSI + 2, 2, 0x0021);
}

static void msi_off(struct pcv_domain *owner, pcv_sbdf at)
{
    put(owner, at, MSI + 2, 2, 0);
}

/* A message arrives, from whom and for whom it is. The card is known by where
 * it was plugged in. */
static void assert_comes(struct joined *j, pcv_sbdf card, pcv_sbdf at,
                         bool msix, uint32_t domain_id)
{
    struct pcv_model_message message;

    assert_int_equal(pcv_model_raise(j->h.model, card, msix, 1, &message),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(message.sbdf.v, at.v);
    assert_int_equal(message.domain_id, domain_id);
}

static void assert_arrives(struct joined *j, pcv_sbdf at, bool msix,
                           uint32_t domain_id)
{
    assert_comes(j, at, at, msix, domain_id);
}

static struct pcv_domain *dom0(struct joined *j)
{
    return pcv_host_hardware_domain(j->h.host);
}

/* TOPO-5 MSI-2 */
static void a_message_is_bound_for_the_id_that_it_arrives_under(void **state)
{
    const struct {
        pcv_sbdf at, requester;
    } rows[] = {
        {BEHIND_NONE, BEHIND_NONE},
        {BEHIND_OLD, JOINED_OLD_BRIDGE}, /* a conventional bridge's own */
        {BEHIND_ALIAS, JOINED_AT_ALIAS}, /* an alias, that of another's, too */
        {BEHIND_DEEP, JOINED_AT_ALIAS},  /* of two bridges the upper one */
    };
    struct joined j;

    (void)state;
    start(&j);
    for (size_t i = 0; i < JOINED_COUNT(rows); i++) {
        msi_on(dom0(&j), rows[i].at);
        assert_int_equal(seen.bound.sbdf.v, rows[i].at.v);
        assert_int_equal(seen.bound.requester.v, rows[i].requester.v);
    }
    /* Though several have one ID, each has its own. */
    for (size_t i = 0; i < JOINED_COUNT(rows); i++) {
        assert_arrives(&j, rows[i].at, false, DOM0);
        msi_off(dom0(&j), rows[i].at);
    }
    assert_int_equal(pcv_model_bound(j.h.model, NULL), 0);
    end(&j);
}

/* The hardware domain's entry 1, as it writes it. */
static void msix_on(struct joined *j, pcv_sbdf at)
{
    const uint64_t table = 0xe0000000u + ((at.v & 0xffffu) << 12);
    const uint32_t entry[4] = {DOORBELL, 0, 0x4041, 0};

    put(dom0(j), at, MSIX + 2, 2, 0x8000);
    for (uint32_t i = 0; i < 4; i++) {
        struct pcv_mmio access = {
            .address = {table + 16u + UINT64_C(4) * i},
            .size = 4,
            .write = true,
            .data = entry[i],
        };

        assert_int_equal(pcv_mmio_access(dom0(j), &access), PCV_DONE);
    }
}

/* TOPO-5 MSIX-1 */
static void entries_of_msix_are_bound_for_it_as_well(void **state)
{
    struct joined j;

    (void)state;
    start(&j);
    msix_on(&j, BEHIND_DEEP);
    assert_int_equal(seen.binds, 1);
    assert_int_equal(seen.bound.requester.v, JOINED_AT_ALIAS.v);
    assert_arrives(&j, BEHIND_DEEP, true, DOM0);
    put(dom0(&j), BEHIND_DEEP, MSIX + 2, 2, 0);
    assert_int_equal(pcv_model_bound(j.h.model, NULL), 0);
    end(&j);
}

/* TOPO-5 OWN-4 */
static void a_guests_messages_are_bound_for_it_as_well(void **state)
{
    const struct pcv_assign_policy group = {.flags = PCV_ASSIGN_GROUP};
    struct joined j;
    pcv_sbdf there;
    int error = -PCV_ERESTART;

    (void)state;
    start(&j);
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error =
            pcv_device_assign(j.h.host, BEHIND_OLD, j.guest[0], &group, &there);
    }
    assert_int_equal(error, 0);
    put(j.guest[0], there, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    msi_on(j.guest[0], there);
    assert_int_equal(seen.bound.requester.v, JOINED_OLD_BRIDGE.v);
    assert_arrives(&j, BEHIND_OLD, false, 7);
    end(&j);
}

/* TOPO-4 TOPO-5: the bridge moves, with what is behind it. */
static void with_bus_numbers_it_is_bound_for_the_new_one(void **state)
{
    const pcv_sbdf there = pcv_test_at(0, 5, 3, 0);
    struct joined j;

    (void)state;
    start(&j);
    msi_on(dom0(&j), BEHIND_ALIAS);
    msix_on(&j, BEHIND_DEEP);
    write_buses(&j, JOINED_BRIDGE, 0);
    write_buses(&j, JOINED_TO_PCI, 0);
    write_buses(&j, JOINED_ROOT_PORT, 0x00060100);
    write_buses(&j, JOINED_TO_PCI, 0x00060501);
    write_buses(&j, pcv_test_at(0, 5, 2, 0), 0x00060605);
    assert_int_equal(seen.bound.requester.v, pcv_test_at(0, 5, 0, 0).v);
    assert_comes(&j, BEHIND_ALIAS, there, false, DOM0);
    assert_comes(&j, BEHIND_DEEP, pcv_test_at(0, 6, 5, 0), true, DOM0);
    msi_off(dom0(&j), there);
    assert_int_equal(pcv_model_bound(j.h.model, &there), 0);
    assert_int_equal(seen.bound.requester.v, pcv_test_at(0, 5, 0, 0).v);
    end(&j);
}

/* TOPO-5: what is behind a bridge is registered before it. */
static void a_bridge_that_comes_above_changes_what_it_is_bound_for(void **state)
{
    struct joined j;

    (void)state;
    build(&j);
    hosted_start(&j.h);
    joined_block_all(&j);
    assert_int_equal(pcv_device_add(j.h.host, BEHIND_OLD, NULL), 0);
    msi_on(dom0(&j), BEHIND_OLD);
    msix_on(&j, BEHIND_OLD);
    assert_int_equal(seen.bound.requester.v, BEHIND_OLD.v);
    assert_int_equal(pcv_model_raise(j.h.model, BEHIND_OLD, false, 1, NULL),
                     PCV_MODEL_FOREIGN);
    assert_int_equal(pcv_device_add(j.h.host, JOINED_OLD_BRIDGE, NULL), 0);
    assert_int_equal(seen.bound.requester.v, JOINED_OLD_BRIDGE.v);
    assert_int_equal(seen.unbinds, 2);
    assert_arrives(&j, BEHIND_OLD, false, DOM0);
    assert_arrives(&j, BEHIND_OLD, true, DOM0);
    end(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_bound_for_the_id_that_it_arrives_under),
        cmocka_unit_test(entries_of_msix_are_bound_for_it_as_well),
        cmocka_unit_test(a_guests_messages_are_bound_for_it_as_well),
        cmocka_unit_test(with_bus_numbers_it_is_bound_for_the_new_one),
        cmocka_unit_test(
            a_bridge_that_comes_above_changes_what_it_is_bound_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
