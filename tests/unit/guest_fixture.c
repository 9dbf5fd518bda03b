/* SPDX-License-Identifier: MIT */
/* A rig with a guest (guest_fixture.h). */
#include "guest_fixture.h"

#include <string.h>

#define ROUNDS 100000u /* far more than any test's mapping has pages */

void guest_open(struct guest *g)
{
    memset(g, 0, sizeof(*g));
    rig_open(&g->rig);
}

void guest_boot(struct guest *g)
{
    rig_boot(&g->rig);
    assert_int_equal(pcv_domain_create(g->rig.host, GUEST_ID, &g->domain), 0);
    assert_int_equal(pcv_domain_add_window(g->domain, (pcv_gpa){WIN}, WIN_SIZE),
                     0);
}

void guest_close(struct guest *g)
{
    rig_close(&g->rig);
}

pcv_sbdf guest_give(struct guest *g, pcv_sbdf sbdf,
                    const struct pcv_assign_policy *policy)
{
    pcv_sbdf at = {0};
    unsigned rounds = 0;
    int error;

    /* There is no ACS above; a conventional bus has no such thing. */
    (void)!pcv_device_declare_isolated(g->rig.host, sbdf, true);
    do {
        error = pcv_device_assign(g->rig.host, sbdf, g->domain, policy, &at);
        assert_true(++rounds < ROUNDS);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    return at;
}

void guest_take(struct guest *g, pcv_sbdf sbdf)
{
    unsigned rounds = 0;
    int error;

    do {
        error = pcv_device_deassign(g->rig.host, sbdf);
        assert_true(++rounds < ROUNDS);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
}

unsigned guest_settle(struct guest *g, struct pcv_access *access)
{
    unsigned rounds = 1;

    while (pcv_access_resume(g->domain, access) != PCV_DONE) {
        assert_true(++rounds < ROUNDS);
    }
    return rounds;
}

void guest_write(struct guest *g, pcv_sbdf at, uint16_t reg, uint8_t size,
                 uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);
    enum pcv_verdict verdict = pcv_access(g->domain, &access);

    assert_true(verdict == PCV_DONE || verdict == PCV_PENDING);
    if (verdict == PCV_PENDING) {
        (void)guest_settle(g, &access);
    }
}

uint32_t guest_read(struct guest *g, pcv_sbdf at, uint16_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(at, reg, size);

    assert_int_equal(pcv_access(g->domain, &access), PCV_DONE);
    return (uint32_t)access.data;
}

enum pcv_verdict guest_load(struct guest *g, uint64_t address, uint8_t size,
                            uint64_t *out)
{
    struct pcv_mmio access = PCV_MMIO_READ(address, size);
    enum pcv_verdict verdict = pcv_mmio_access(g->domain, &access);

    *out = access.data;
    return verdict;
}

enum pcv_verdict guest_store(struct guest *g, uint64_t address, uint8_t size,
                             uint64_t value)
{
    struct pcv_mmio access = PCV_MMIO_WRITE(address, size, value);

    return pcv_mmio_access(g->domain, &access);
}

bool guest_mapped(const struct guest *g, uint64_t address, uint64_t size)
{
    uint64_t first = address >> 12;
    uint64_t last = (address + (size - 1)) >> 12;
    bool mapped = pcv_model_is_mapped(g->rig.model, GUEST_ID, first);

    for (uint64_t page = first; page <= last; page++) {
        assert_int_equal(pcv_model_is_mapped(g->rig.model, GUEST_ID, page),
                         mapped);
    }
    return mapped;
}

uint64_t guest_pages(const struct guest *g)
{
    return pcv_model_mapped_pages(g->rig.model);
}

struct pcv_bar_view guest_bar(struct guest *g, pcv_sbdf sbdf, unsigned bar)
{
    struct pcv_bar_view views[PCV_BARS];
    struct pcv_device *device = pcv_device_find(g->rig.host, sbdf);

    assert_non_null(device);
    pcv_device_bars(device, views);
    pcv_device_put(device);
    return views[bar];
}

/* ---- two devices -------------------------------------------------------- */

void two_add(struct guest *g)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    pcv_test_bar32(&f, 1, HOST_A_SMALL, 16);
    pcv_test_bar64(&f, 2, HOST_A_HIGH, 0x2000);
    pcv_test_add(g->rig.model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pcv_test_bar32(&f, 0, HOST_B, 0x2000);
    pcv_test_bar32(&f, 1, HOST_B_SMALL, 256);
    pcv_test_add(g->rig.model, &f, DEV2);
}

void two_open(struct two *t)
{
    guest_open(&t->g);
    two_add(&t->g);
    guest_boot(&t->g);
    t->a = guest_give(&t->g, DEV, NULL);
    t->b = guest_give(&t->g, DEV2, NULL);
    rig_forget(&t->g.rig);
}

void two_set_bar(struct two *t, pcv_sbdf at, unsigned bar, uint64_t address)
{
    guest_write(&t->g, at, REG_BAR(bar), 4, (uint32_t)address);
    if (bar == 2) {
        guest_write(&t->g, at, REG_BAR(3), 4, (uint32_t)(address >> 32));
    }
}

void two_decode(struct two *t, pcv_sbdf at, bool on)
{
    guest_write(&t->g, at, PCV_REG_COMMAND, 2, on ? PCV_CMD_MEMORY : 0);
}
