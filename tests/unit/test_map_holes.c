/* SPDX-License-Identifier: MIT */
/*
 * Pages of BARs that are never mapped, for the hardware domain: around them
 * everything is, also what other BARs have there, which is served access by
 * access until the hole goes.
 */
#include "map_fixture.h"

#include <string.h>

#include "vpci/cap.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- a capability with registers in a BAR -------------------------------- */

static struct {
    unsigned calls;
    uint64_t offset, value;
    uint8_t bar, size;
    bool write;
} seen;

/* Its registers are 16 bytes at the start of each page; the rest of the page is
 * the device's. */
static bool serve(struct pcv__cap *cap, uint8_t bar, uint64_t offset,
                  uint8_t size, bool write, uint64_t *data)
{
    assert_non_null(cap);
    if ((offset & 0xff0u) != 0) {
        return false;
    }
    seen.calls++;
    seen.bar = bar;
    seen.offset = offset;
    seen.size = size;
    seen.write = write;
    if (write) {
        seen.value = *data;
    } else {
        *data = 0x1122334455667788u;
    }
    return true;
}

static const struct pcv__cap_desc desc = {.name = "Test", .mmio = serve};
static struct pcv__cap cap = {.desc = &desc};

/* A hole of a device that is not decoding: bytes of a BAR. */
static void set_hole(struct rig *rig, pcv_sbdf sbdf, uint32_t which,
                     uint8_t bar, uint32_t offset, uint32_t size)
{
    struct pcv_device *device = pcv_device_find(rig->host, sbdf);

    assert_non_null(device);
    pcv__lock_take(&device->host->mem, &device->lock);
    assert_int_equal(pcv__hole_set(device, which, &cap, bar, offset, size), 0);
    assert_int_equal(pcv__traps_prepare(device), 0);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv_device_put(device);
    memset(&seen, 0, sizeof(seen));
}

static void clear_hole(struct rig *rig, pcv_sbdf sbdf, uint32_t which)
{
    struct pcv_device *device = pcv_device_find(rig->host, sbdf);

    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__hole_clear(device, which);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv_device_put(device);
}

static void decode(struct rig *rig, pcv_sbdf sbdf, bool on)
{
    rig_write(rig, sbdf, PCV_REG_COMMAND, 2, on ? PCV_CMD_MEMORY : 0);
}

static uint64_t pages(const struct rig *rig)
{
    return pcv_model_mapped_pages(rig->model);
}

static enum pcv_verdict load(struct rig *rig, uint64_t address, uint8_t size,
                             uint64_t *out)
{
    struct pcv_mmio access = PCV_MMIO_READ(address, size);
    enum pcv_verdict verdict = pcv_mmio_access(rig->dom0, &access);

    *out = access.data;
    return verdict;
}

/* The domain's maps have all that they promise. */
static void check_maps(struct rig *rig)
{
    pcv__lock_take(&rig->dom0->host->mem, &rig->dom0->map_lock);
    assert_int_equal(pcv__imap_check(&rig->dom0->map), 0);
    assert_int_equal(pcv__imap_check(&rig->dom0->holes), 0);
    pcv__lock_drop(&rig->dom0->host->mem, &rig->dom0->map_lock);
}

static struct pcv_bar_view bar_view(struct rig *rig, pcv_sbdf sbdf,
                                    unsigned bar)
{
    struct pcv_bar_view views[PCV_BARS];
    struct pcv_device *device = pcv_device_find(rig->host, sbdf);

    pcv_device_bars(device, views);
    pcv_device_put(device);
    return views[bar];
}

/* ---- one BAR ------------------------------------------------------------- */

/* HDR-7 */
static void around_its_holes_a_bar_is_mapped(void **state)
{
    static const struct {
        uint32_t offset[2], size[2];
        uint32_t mapped; /* pages of BAR 2, of 16 */
    } rows[] = {
        {{0, 0}, {16, 0}, 0xfffe},
        {{0xf000, 0}, {0x1000, 0}, 0x7fff},
        {{0x2ff8, 0}, {16, 0}, 0xfff3},
        {{0x1000, 0x8000}, {0x2000, 8}, 0xfef9},
        {{0x8000, 0x1000}, {8, 0x2000}, 0xfef9},
        {{0x3000, 0x3800}, {0x800, 0x800}, 0xfff7}, /* both in one page */
        {{0x3000, 0x4000}, {0x1000, 0x1000}, 0xffe7},
        {{0x3000, 0x3000}, {0x3000, 0x1000}, 0xffc7}, /* one in the other */
        {{0x3000, 0x4000}, {0x2000, 0x2000}, 0xffc7},
        {{0, 0}, {0x10000, 0}, 0},
    };
    static const uint64_t chunks[] = {0, 1, 2};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * COUNT(chunks); i++) {
        uint32_t mapped = rows[i / COUNT(chunks)].mapped;
        uint64_t count = 0;
        struct pcv_bar_view view;
        struct rig rig;

        map_boot(&rig, 0);
        pcv_model_set_map_chunk(rig.model, chunks[i % COUNT(chunks)]);
        for (uint32_t n = 0; n < 2; n++) {
            if (rows[i / COUNT(chunks)].size[n] != 0) {
                set_hole(&rig, DEV, n, 2, rows[i / COUNT(chunks)].offset[n],
                         rows[i / COUNT(chunks)].size[n]);
            }
        }
        for (unsigned again = 0; again < 2; again++) {
            decode(&rig, DEV, true);
            count = 0;
            for (uint64_t page = 0; page < 16; page++) {
                bool is = pcv_model_is_mapped(rig.model, PCV_DOMAIN_ID_HARDWARE,
                                              (BAR2 >> 12) + page);

                assert_int_equal(is, mapped >> page & 1u);
                count += is ? 1 : 0;
            }
            assert_int_equal(pages(&rig), ALL_PAGES - 16 + count);
            view = bar_view(&rig, DEV, 2);
            assert_int_equal(view.mapped_pages, count);
            assert_int_equal(view.trapped_pages, 16 - count);
            assert_int_equal(view.state,
                             count == 0 ? PCV_BAR_TRAPPED : PCV_BAR_ON);
            decode(&rig, DEV, false);
            assert_int_equal(pages(&rig), 0);
        }
        rig_close(&rig);
    }
}

/* HDR-7, MSIX-1 */
static void registers_in_a_hole_are_the_capabilitys_others_the_devices(
    void **state)
{
    struct pcv_mmio write = PCV_MMIO_WRITE(BAR2 + 0x3008, 4, 0xcafe1234u);
    struct rig rig;
    uint64_t data;

    (void)state;
    map_boot(&rig, 0);
    set_hole(&rig, DEV, 0, 2, 0x3000, 0x1000);
    assert_int_equal(load(&rig, BAR2 + 0x3000, 4, &data), PCV_FORWARD);
    decode(&rig, DEV, true);
    assert_int_equal(load(&rig, BAR2 + 0x3000, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x55667788u);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.bar, 2);
    assert_int_equal(seen.offset, 0x3000);
    assert_int_equal(seen.size, 4);
    assert_int_equal(pcv_mmio_access(rig.dom0, &write), PCV_DONE);
    assert_int_equal(write.sbdf.v, DEV.v);
    assert_true(seen.write);
    assert_int_equal(seen.value, 0xcafe1234u);
    assert_int_equal(seen.offset, 0x3008);
    /* Behind its 16 bytes it is the device. */
    pcv_model_mmio_poke(rig.model, DEV, 2, 0x3abc, 4, 0xfeedbeefu);
    assert_int_equal(load(&rig, BAR2 + 0x3abc, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xfeedbeefu);
    write = PCV_MMIO_WRITE(BAR2 + 0x3ff8, 8, 0x0123456789abcdefu);
    assert_int_equal(pcv_mmio_access(rig.dom0, &write), PCV_DONE);
    assert_true(pcv_model_mmio_peek(rig.model, DEV, 2, 0x3ff8, 8) ==
                0x0123456789abcdefu);
    assert_int_equal(seen.calls, 2);
    assert_int_equal(load(&rig, BAR2 + 0x4000, 4, &data), PCV_FORWARD);
    assert_int_equal(load(&rig, BAR2 + 0x2ffc, 4, &data), PCV_FORWARD);
    decode(&rig, DEV, false);
    assert_int_equal(load(&rig, BAR2 + 0x3000, 4, &data), PCV_FORWARD);
    rig_close(&rig);
}

/* HDR-6, HDR-7 */
static void a_hole_moves_with_its_bar(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    map_boot(&rig, 0);
    set_hole(&rig, DEV, 0, 0, 0x1000, 0x1000);
    decode(&rig, DEV, true);
    rig_write(&rig, DEV, REG_BAR(0), 4, 0xe0100000u);
    assert_true(rig_mapped(&rig, 0xe0100000u, 0x1000));
    assert_false(rig_mapped(&rig, 0xe0101000u, 0x1000));
    assert_true(rig_mapped(&rig, 0xe0102000u, 0x2000));
    assert_int_equal(pages(&rig), ALL_PAGES - 1);
    assert_int_equal(load(&rig, BAR0 + 0x1000, 4, &data), PCV_FORWARD);
    assert_int_equal(load(&rig, 0xe0101000u, 4, &data), PCV_DONE);
    assert_int_equal(seen.offset, 0x1000);
    rig_close(&rig);
}

/* HDR-7, CAP-5 */
static void a_hole_whose_capability_went_is_nobodys_until_it_is_unmapped(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    map_boot(&rig, 0);
    set_hole(&rig, DEV, 0, 2, 0x3000, 0x1000);
    decode(&rig, DEV, true);
    pcv_model_mmio_poke(rig.model, DEV, 2, 0x3abc, 4, 0xfeedbeefu);
    clear_hole(&rig, DEV, 0);
    assert_int_equal(load(&rig, BAR2 + 0x3000, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(load(&rig, BAR2 + 0x3abc, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(seen.calls, 0);
    decode(&rig, DEV, false);
    decode(&rig, DEV, true);
    assert_int_equal(pages(&rig), ALL_PAGES);
    rig_close(&rig);
}

/* HDR-7 */
static void holes_that_cannot_be_are_refused(void **state)
{
    static const struct {
        uint32_t which;
        uint8_t bar;
        uint32_t offset, size;
    } rows[] = {
        {0, 0, 0x4000, 1},         {0, 0, 0, 0x4001}, {0, 0, 0x3fff, 2},
        {0, 0, 0xffffffff, 2},     {0, 0, 0, 0},      {0, 3, 0, 1},
        {0, PCV_BAR_IS_ROM, 0, 1}, {0, 7, 0, 1},      {PCV__HOLES, 0, 0, 1},
    };
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    device = pcv_device_find(rig.host, DEV);
    pcv__lock_take(&device->host->mem, &device->lock);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(pcv__hole_set(device, rows[i].which, &cap, rows[i].bar,
                                       rows[i].offset, rows[i].size),
                         -PCV_EINVAL);
    }
    assert_int_equal(pcv__hole_set(device, 0, &cap, 0, 0, 16), -PCV_EBUSY);
    pcv__hole_clear(device, 0);
    pcv__hole_clear(device, PCV__HOLES);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv_device_put(device);
    assert_int_equal(map_which(&rig), 0x37);
    rig_close(&rig);
}

/* ---- other BARs at a hole ------------------------------------------------ */

/* BAR 4 and BAR 5 are in one page; a hole in BAR 4 takes it from BAR 5. */
static void shared_boot(struct rig *rig)
{
    struct pcv_test_function f;

    map_prepare(rig, 0);
    pcv_test_endpoint(&f, 0x10ec, 0x8139);
    pcv_test_bar32(&f, 0, BAR5 + 0x100, 16);
    pcv_test_bar32(&f, 1, BAR0 + 0x1000, 0x1000); /* inside BAR 0 */
    pcv_test_add(rig->model, &f, DEV2);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, NULL), 0);
    assert_int_equal(pcv_device_add(rig->host, DEV2, NULL), 0);
    set_hole(rig, DEV, 0, 4, 0, 16);
}

/* HDR-7 */
static void a_hole_takes_a_page_from_other_bars_until_it_goes(void **state)
{
    static const uint64_t chunks[] = {0, 1};

    (void)state;
    for (unsigned first = 0; first < 2 * COUNT(chunks); first++) {
        struct rig rig;
        uint64_t data;

        shared_boot(&rig);
        pcv_model_set_map_chunk(rig.model, chunks[first / 2]);
        pcv_model_mmio_poke(rig.model, DEV2, 0, 4, 4, 0xfeedbeefu);
        if (first % 2 == 0) {
            decode(&rig, DEV2, true);
            assert_true(rig_mapped(&rig, BAR5, 0x300));
        }
        decode(&rig, DEV, true);
        decode(&rig, DEV2, true);
        assert_false(rig_mapped(&rig, BAR5, 0x300));
        assert_int_equal(load(&rig, BAR5 + 0x104, 4, &data), PCV_DONE);
        assert_int_equal(data, 0xfeedbeefu);
        assert_int_equal(seen.calls, 0);
        assert_int_equal(bar_view(&rig, DEV2, 0).state, PCV_BAR_TRAPPED);
        assert_int_equal(load(&rig, BAR4, 4, &data), PCV_DONE);
        assert_int_equal(seen.calls, 1);
        /* What of the page is nobody's. */
        assert_int_equal(load(&rig, BAR4 + 0x20, 4, &data), PCV_FORWARD);
        decode(&rig, DEV, false);
        assert_true(rig_mapped(&rig, BAR5, 0x300));
        assert_int_equal(bar_view(&rig, DEV2, 0).state, PCV_BAR_ON);
        assert_int_equal(pages(&rig), 2);
        decode(&rig, DEV2, false);
        assert_int_equal(pages(&rig), 0);
        rig_close(&rig);
    }
}

/* HDR-7 */
static void a_page_with_two_holes_waits_for_the_last(void **state)
{
    struct rig rig;

    (void)state;
    shared_boot(&rig);
    set_hole(&rig, DEV, 1, 5, 0, 8);
    decode(&rig, DEV2, true);
    decode(&rig, DEV, true);
    rig_write(&rig, DEV, REG_BAR(4), 4, 0xe0040000u);
    assert_false(rig_mapped(&rig, BAR5, 0x300));
    rig_write(&rig, DEV, REG_BAR(5), 4, 0xe0041000u);
    assert_true(rig_mapped(&rig, BAR5, 0x300));
    rig_write(&rig, DEV, REG_BAR(5), 4, BAR5);
    assert_false(rig_mapped(&rig, BAR5, 0x300));
    decode(&rig, DEV2, false);
    decode(&rig, DEV, false);
    assert_int_equal(pages(&rig), 0);
    rig_close(&rig);
}

/* HDR-7, PORT-3 */
static void a_page_that_cannot_be_mapped_again_stays_trapped(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    shared_boot(&rig);
    pcv_model_mmio_poke(rig.model, DEV2, 0, 4, 4, 0xfeedbeefu);
    decode(&rig, DEV, true);
    decode(&rig, DEV2, true);
    rig_forget(&rig);
    pcv_model_fail(rig.model, PCV_MODEL_OP_map, 1);
    decode(&rig, DEV, false);
    assert_int_equal(rig_events(&rig, PCV_EVENT_MAP_FAILED), 1);
    assert_false(rig_mapped(&rig, BAR5, 0x300));
    assert_int_equal(load(&rig, BAR5 + 0x104, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xfeedbeefu);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), 0);
    /* The other device is not to blame. */
    assert_int_equal(rig_read(&rig, DEV2, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    decode(&rig, DEV, true);
    decode(&rig, DEV, false);
    assert_int_equal(load(&rig, BAR5 + 0x104, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xfeedbeefu);
    check_maps(&rig);
    assert_int_equal(rig.dom0->holes.ranges, 1); /* what holds it for good */
    rig_close(&rig);
}

/* HDR-7, HDR-9 */
static void a_removal_takes_holes_along_at_any_point(void **state)
{
    bool more = true;

    (void)state;
    for (unsigned steps = 0; more; steps++) {
        struct pcv_access on =
            PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        struct rig rig;
        uint64_t data;

        shared_boot(&rig);
        set_hole(&rig, DEV, 1, 0, 0x1000, 0x2000);
        decode(&rig, DEV2, true);
        assert_int_equal(pages(&rig), 2);
        pcv_model_set_map_chunk(rig.model, 1);
        assert_int_equal(pcv_access(rig.dom0, &on), PCV_PENDING);
        for (unsigned i = 0; i < steps && more; i++) {
            more = pcv_access_resume(rig.dom0, &on) == PCV_PENDING;
        }
        assert_int_equal(pcv_device_remove(rig.host, DEV, NULL, NULL), 0);
        assert_true(rig_mapped(&rig, BAR5, 0x300));
        assert_true(rig_mapped(&rig, BAR0 + 0x1000, 0x1000));
        assert_int_equal(pages(&rig), 2);
        assert_int_equal(load(&rig, BAR4, 4, &data), PCV_FORWARD);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(around_its_holes_a_bar_is_mapped),
        cmocka_unit_test(
            registers_in_a_hole_are_the_capabilitys_others_the_devices),
        cmocka_unit_test(a_hole_moves_with_its_bar),
        cmocka_unit_test(
            a_hole_whose_capability_went_is_nobodys_until_it_is_unmapped),
        cmocka_unit_test(holes_that_cannot_be_are_refused),
        cmocka_unit_test(a_hole_takes_a_page_from_other_bars_until_it_goes),
        cmocka_unit_test(a_page_with_two_holes_waits_for_the_last),
        cmocka_unit_test(a_page_that_cannot_be_mapped_again_stays_trapped),
        cmocka_unit_test(a_removal_takes_holes_along_at_any_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
