/* SPDX-License-Identifier: MIT */
/*
 * Finding what is trapped at an address: many BARs in one page and in many,
 * bytes that are nobody's, devices that pause or go.
 */
#include "guest_fixture.h"

#include <string.h>

#include "vpci/internal.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Devices with six BARs smaller than a page each, all in pages of their own on
 * the host; the guest puts them where it likes. */
#define DEVICES 20u
#define SMALL_BARS 6u
#define SMALL 256u
#define HOST 0xe0000000u

static pcv_sbdf small_at(unsigned device)
{
    return pcv_test_at(0, 0, (uint8_t)(device + 1), 0);
}

static uint32_t host_address(unsigned device, unsigned bar)
{
    return HOST + (device * SMALL_BARS + bar) * 0x1000u;
}

/* What the first register of a BAR holds. */
static uint32_t mark(unsigned device, unsigned bar)
{
    return 0xc0de0000u | device << 8 | bar;
}

static void add_device(struct guest *g, unsigned device)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    for (unsigned bar = 0; bar < SMALL_BARS; bar++) {
        pcv_test_bar32(&f, (uint8_t)bar, host_address(device, bar), SMALL);
    }
    pcv_test_add(g->rig.model, &f, small_at(device));
    for (unsigned bar = 0; bar < SMALL_BARS; bar++) {
        pcv_model_mmio_poke(g->rig.model, small_at(device), (uint8_t)bar, 0, 4,
                            mark(device, bar));
    }
}

/* Resets clear what BARs hold. */
static void poke_marks(struct guest *g, unsigned device)
{
    for (unsigned bar = 0; bar < SMALL_BARS; bar++) {
        pcv_model_mmio_poke(g->rig.model, small_at(device), (uint8_t)bar, 0, 4,
                            mark(device, bar));
    }
}

struct many {
    struct guest g;
    pcv_sbdf at[DEVICES];
};

static void many_open(struct many *m, unsigned devices)
{
    memset(m, 0, sizeof(*m));
    guest_open(&m->g);
    for (unsigned i = 0; i < devices; i++) {
        add_device(&m->g, i);
    }
    guest_boot(&m->g);
    for (unsigned i = 0; i < devices; i++) {
        m->at[i] = guest_give(&m->g, small_at(i), NULL);
        poke_marks(&m->g, i);
    }
}

static void place(struct many *m, unsigned device, unsigned bar,
                  uint64_t address)
{
    guest_write(&m->g, m->at[device], REG_BAR(bar), 4, (uint32_t)address);
}

static void decode(struct many *m, unsigned device, bool on)
{
    guest_write(&m->g, m->at[device], PCV_REG_COMMAND, 2,
                on ? PCV_CMD_MEMORY : 0);
}

static void expect_mark(struct many *m, uint64_t address, unsigned device,
                        unsigned bar)
{
    uint64_t data;

    assert_int_equal(guest_load(&m->g, address, 4, &data), PCV_DONE);
    assert_int_equal(data, mark(device, bar));
}

static void expect_nothing(struct many *m, uint64_t address)
{
    uint64_t data;

    assert_int_equal(guest_load(&m->g, address, 4, &data), PCV_FORWARD);
}

/* ---- the table ----------------------------------------------------------- */

/* Where BAR `bar` of a device is: `apart` bytes from the one before. */
static uint64_t spread(unsigned device, unsigned bar, uint64_t apart)
{
    return WIN + (device * SMALL_BARS + bar) * apart;
}

/* HDR-5, HDR-8 */
static void each_of_many_small_bars_is_found_wherever_it_is(void **state)
{
    static const uint64_t apart[] = {SMALL, 0x1000, 0x1100, 0x100000};
    struct many m;

    (void)state;
    many_open(&m, DEVICES);
    for (size_t a = 0; a < COUNT(apart); a++) {
        for (unsigned i = 0; i < DEVICES * SMALL_BARS; i++) {
            place(&m, i / SMALL_BARS, i % SMALL_BARS,
                  spread(i / SMALL_BARS, i % SMALL_BARS, apart[a]));
        }
        for (unsigned i = 0; i < DEVICES; i++) {
            decode(&m, i, true);
        }
        assert_int_equal(guest_pages(&m.g), 0); /* never mapped */
        for (unsigned i = 0; i < DEVICES * SMALL_BARS; i++) {
            expect_mark(&m, spread(i / SMALL_BARS, i % SMALL_BARS, apart[a]),
                        i / SMALL_BARS, i % SMALL_BARS);
        }
        /* Half of them go; the others are found as before. */
        for (unsigned i = 0; i < DEVICES; i += 2) {
            decode(&m, i, false);
        }
        for (unsigned i = 0; i < DEVICES * SMALL_BARS; i++) {
            uint64_t at = spread(i / SMALL_BARS, i % SMALL_BARS, apart[a]);

            if (i / SMALL_BARS % 2 == 0) {
                expect_nothing(&m, at);
            } else {
                expect_mark(&m, at, i / SMALL_BARS, i % SMALL_BARS);
            }
        }
        for (unsigned i = 1; i < DEVICES; i += 2) {
            decode(&m, i, false);
        }
    }
    guest_close(&m.g);
}

/* HDR-5 */
static void only_the_bytes_of_a_bar_are_its_own(void **state)
{
    struct many m;
    uint64_t data;

    (void)state;
    many_open(&m, 1);
    place(&m, 0, 0, WIN + 0x300);
    decode(&m, 0, true);
    expect_mark(&m, WIN + 0x300, 0, 0);
    expect_nothing(&m, WIN + 0x2fc);
    expect_nothing(&m, WIN + 0x300 + SMALL);
    expect_nothing(&m, WIN + 0x1300);
    assert_int_equal(guest_load(&m.g, WIN + 0x300 + SMALL - 1, 1, &data),
                     PCV_DONE);
    /* The others of its BARs are at 0, which is in no window. */
    expect_nothing(&m, 0);
    assert_int_equal(guest_bar(&m.g, small_at(0), 0).state, PCV_BAR_TRAPPED);
    assert_int_equal(guest_bar(&m.g, small_at(0), 0).trapped_pages, 1);
    assert_int_equal(guest_bar(&m.g, small_at(0), 1).state, PCV_BAR_OUTSIDE);
    guest_close(&m.g);
}

/* HDR-17 */
static void of_bars_at_one_address_the_first_answers(void **state)
{
    struct many m;

    (void)state;
    many_open(&m, 3);
    for (unsigned i = 0; i < 3; i++) {
        place(&m, i, 2, WIN);
    }
    decode(&m, 1, true);
    decode(&m, 0, true);
    decode(&m, 2, true);
    expect_mark(&m, WIN, 1, 2);
    decode(&m, 1, false);
    expect_mark(&m, WIN, 0, 2);
    place(&m, 0, 2, WIN + 0x100);
    expect_mark(&m, WIN, 2, 2);
    expect_mark(&m, WIN + 0x100, 0, 2);
    guest_close(&m.g);
}

/* The first table of buckets, or the nth. False: there were not so many. */
static bool grow_with_failing(uint64_t nth)
{
    struct many m;
    uint64_t before, crashes;

    many_open(&m, DEVICES);
    for (unsigned i = 0; i < DEVICES * SMALL_BARS; i++) {
        place(&m, i / SMALL_BARS, i % SMALL_BARS,
              spread(i / SMALL_BARS, i % SMALL_BARS, SMALL));
    }
    before = pcv_model_calls(m.g.rig.model, PCV_MODEL_OP_alloc);
    pcv_model_fail(m.g.rig.model, PCV_MODEL_OP_alloc, nth);
    for (unsigned i = 0; i < DEVICES; i++) {
        decode(&m, i, true);
    }
    before = pcv_model_calls(m.g.rig.model, PCV_MODEL_OP_alloc) - before;
    pcv_model_fail(m.g.rig.model, PCV_MODEL_OP_alloc, 0);
    /* A guest whose BAR got no memory crashed; a table that did not grow is
     * only slower. Either way everybody is found. */
    crashes = pcv_model_crashes(m.g.rig.model, NULL);
    assert_true(crashes <= 1);
    for (unsigned i = 0; i < DEVICES; i++) {
        decode(&m, i, true);
    }
    for (unsigned i = 0; i < DEVICES * SMALL_BARS; i++) {
        expect_mark(&m, spread(i / SMALL_BARS, i % SMALL_BARS, SMALL),
                    i / SMALL_BARS, i % SMALL_BARS);
    }
    guest_close(&m.g);
    return nth <= before;
}

/* PORT-3 */
static void without_memory_to_grow_everything_is_still_found(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (grow_with_failing(nth)) {
        nth += 7;
    }
    assert_true(nth > 100);
}

/* ---- devices that pause or go -------------------------------------------- */

/* CFG-10, LIFE-11 */
static void a_paused_device_lets_its_accesses_try_again(void **state)
{
    struct pcv_device *device;
    struct many m;
    uint64_t data;

    (void)state;
    many_open(&m, 1);
    place(&m, 0, 0, WIN);
    decode(&m, 0, true);
    device = pcv_device_find(m.g.rig.host, small_at(0));
    pcv__lock_take(&device->host->mem, &device->lock);
    assert_int_equal(pcv__gate_pause(device), 0);
    pcv__lock_drop(&device->host->mem, &device->lock);
    assert_int_equal(guest_load(&m.g, WIN, 4, &data), PCV_RETRY);
    assert_int_equal(guest_store(&m.g, WIN, 4, 1), PCV_RETRY);
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__gate_open(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    expect_mark(&m, WIN, 0, 0);
    pcv_device_put(device);
    guest_close(&m.g);
}

/* LIFE-4, LIFE-11 */
static void who_is_inside_is_counted_and_keeps_the_device(void **state)
{
    struct pcv_device *device = NULL;
    struct pcv_device_status status;
    struct many m;
    uint8_t bar = 99;
    uint64_t data;

    (void)state;
    many_open(&m, 1);
    place(&m, 0, 3, WIN);
    decode(&m, 0, true);
    assert_int_equal(pcv__trap_enter(m.g.domain, WIN + 4, &device, &bar),
                     PCV_DONE);
    assert_int_equal(bar, 3);
    status = rig_status(&m.g.rig, small_at(0));
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 1);
    /* As while a removal on another CPU is between its steps. */
    pcv__lock_take(&device->host->mem, &device->lock);
    device->torn = true;
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv__trap_access(device, bar, WIN, 4, false, &data);
    assert_int_equal(data, 0xffffffffu);
    device->torn = false;
    /* It drains: nobody new comes in. */
    assert_int_equal(pcv_device_deassign(m.g.rig.host, small_at(0)),
                     -PCV_ERESTART);
    assert_int_equal(guest_load(&m.g, WIN, 4, &data), PCV_ABSENT);
    assert_int_equal(data, 0xffffffffu);
    pcv__gate_leave(device);
    guest_take(&m.g, small_at(0));
    expect_nothing(&m, WIN);
    guest_close(&m.g);
}

/* LIFE-9, LIFE-11 */
static void a_vanished_device_reads_all_ones_and_then_is_nobody(void **state)
{
    struct pcv_device *device = NULL;
    struct many m;
    uint8_t bar;
    uint64_t data = 0;

    (void)state;
    many_open(&m, 1);
    place(&m, 0, 0, WIN);
    decode(&m, 0, true);
    assert_int_equal(pcv_device_vanished(m.g.rig.host, small_at(0)), 0);
    assert_int_equal(guest_load(&m.g, WIN, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_int_equal(pcv__trap_enter(m.g.domain, WIN, &device, &bar), PCV_DONE);
    assert_int_equal(pcv_device_remove(m.g.rig.host, small_at(0), NULL, NULL),
                     -PCV_EBUSY);
    /* Inside still, after it was torn down. */
    data = 0;
    pcv__trap_access(device, bar, WIN, 4, false, &data);
    assert_int_equal(data, 0xffffffffu);
    expect_nothing(&m, WIN);
    pcv__gate_leave(device);
    guest_close(&m.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_many_small_bars_is_found_wherever_it_is),
        cmocka_unit_test(only_the_bytes_of_a_bar_are_its_own),
        cmocka_unit_test(of_bars_at_one_address_the_first_answers),
        cmocka_unit_test(without_memory_to_grow_everything_is_still_found),
        cmocka_unit_test(a_paused_device_lets_its_accesses_try_again),
        cmocka_unit_test(who_is_inside_is_counted_and_keeps_the_device),
        cmocka_unit_test(a_vanished_device_reads_all_ones_and_then_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
