/* SPDX-License-Identifier: MIT */
/*
 * What a guest can read of hardware. Every function of every machine that we
 * have is given to a guest; then each bit of its registers is turned over
 * behind everybody's back, and what the guest reads may only change where
 * docs/guest-view.md says so (shown.h).
 */
#define _POSIX_C_SOURCE 200809L /* scandir */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "function.h"
#include "irq.h"
#include "model.h"
#include "shown.h"

#define DWORDS (PCV_CFG_EXT_SIZE / 4u)
#define GUEST 9u
#define NARROW UINT64_C(0xc0000000)
#define WIDE UINT64_C(0x600000000000)
#define WIDE_SIZE UINT64_C(0x100000000000)

/* ---- the documentation's table ------------------------------------------- */

/* The text between the n-th and the next bar of a row. */
static bool cell(const char *line, uint32_t n, char *out, size_t room)
{
    size_t length;

    for (uint32_t i = 0; i <= n; i++) {
        line = strchr(line, '|');
        if (!line) {
            return false;
        }
        line++;
    }
    line += strspn(line, " `");
    length = strcspn(line, "|\n");
    while (length > 0 && strchr(" `", line[length - 1])) {
        length--;
    }
    if (length >= room) {
        return false;
    }
    memcpy(out, line, length);
    out[length] = '\0';
    return true;
}

/* A row of the documentation stands in the table here, at that place. */
static void expect_row(const char *line, size_t row)
{
    char text[4][64];

    for (uint32_t i = 0; i < 4; i++) {
        assert_true(cell(line, i, text[i], sizeof(text[i])));
    }
    if (row >= shown_count) {
        fail_msg("docs/guest-view.md has one more: %s", line);
    }
    assert_string_equal(text[0], shown_table[row].capability);
    assert_string_equal(text[1], shown_table[row].reg);
    assert_int_equal(strtoul(text[2], NULL, 16), shown_table[row].offset);
    assert_int_equal(strtoul(text[3], NULL, 16), shown_table[row].bits);
}

/* CFG-3 */
static void the_documentation_says_what_a_guest_can_read(void **state)
{
    FILE *file = fopen(PCV_SOURCE_ROOT "/docs/guest-view.md", "r");
    char line[512], offset[64];
    size_t rows = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (cell(line, 2, offset, sizeof(offset)) &&
            strncmp(offset, "0x", 2) == 0) {
            expect_row(line, rows++);
        }
    }
    (void)fclose(file);
    assert_int_equal(rows, shown_count);
}

/* ---- one function in a guest's hands ------------------------------------- */

struct leak {
    struct pcv_model *model;
    struct pcv_host *host;
    struct pcv_domain *guest;
    struct bus bus;
    struct bus_function fn;
    pcv_sbdf sbdf; /* physical */
    uint32_t base[DWORDS], allowed[DWORDS];
    uint32_t limit; /* dwords that the function has */
    uint64_t functions, visible;
};

static int reach_memory(void *ctx, uint32_t domain_id, uint64_t address,
                        uint8_t size, bool write, uint64_t *inout_value)
{
    const struct leak *leak = ctx;

    return pcv_model_mmio_access(leak->model, domain_id, (pcv_gpa){address},
                                 size, write, inout_value);
}

static void sleep_us(void *ctx, uint64_t us)
{
    (void)ctx; /* the model's clock is off: time is always over */
    (void)us;
}

static void no_raise(void *ctx, pcv_sbdf sbdf, bool msix, uint16_t vector)
{
    (void)ctx;
    (void)sbdf;
    (void)msix;
    (void)vector;
}

static void guest_begin(struct leak *leak)
{
    struct bus *bus = &leak->bus;

    assert_int_equal(pcv_domain_create(leak->host, GUEST, &leak->guest), 0);
    assert_int_equal(pcv_domain_add_window(leak->guest, (pcv_gpa){NARROW},
                                           UINT64_C(0x30000000)),
                     0);
    assert_int_equal(
        pcv_domain_add_window(leak->guest, (pcv_gpa){WIDE}, WIDE_SIZE), 0);
    memset(bus, 0, sizeof(*bus));
    bus->domain = leak->guest;
    bus->narrow = (struct bus_room){NARROW, NARROW + UINT64_C(0x30000000)};
    bus->wide = (struct bus_room){WIDE, WIDE + WIDE_SIZE};
    bus->machine = (struct bus_machine){.ctx = leak,
                                        .memory = reach_memory,
                                        .sleep_us = sleep_us,
                                        .raise = no_raise};
}

static int assign(struct leak *leak)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    int error;

    (void)!pcv_device_declare_isolated(leak->host, leak->sbdf, true);
    do {
        error = pcv_device_assign(leak->host, leak->sbdf, leak->guest, &policy,
                                  NULL);
    } while (error == -PCV_ERESTART);
    return error;
}

static void deassign(struct leak *leak)
{
    int error;

    do {
        error = pcv_device_deassign(leak->host, leak->sbdf);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
}

/* ---- turning bits over --------------------------------------------------- */

static void expect_word(const struct leak *leak, uint32_t dword,
                        uint32_t flipped_first, uint32_t flipped_count)
{
    uint32_t now = bus_get(&leak->fn, (uint16_t)(dword * 4u), 4);
    uint32_t changed = now ^ leak->base[dword];

    if (dword - flipped_first < flipped_count) {
        changed &= ~leak->allowed[dword];
    }
    if (changed != 0) {
        fail_msg("%04x:%02x:%02x.%x (%04x:%04x): bits %08x of register %03x "
                 "show hardware's registers from %03x on (%u dwords)",
                 pcv_sbdf_segment(leak->sbdf), pcv_sbdf_bus(leak->sbdf),
                 pcv_sbdf_device(leak->sbdf), pcv_sbdf_function(leak->sbdf),
                 leak->fn.vendor, leak->fn.device, changed, dword * 4u,
                 flipped_first * 4u, flipped_count);
    }
}

static void flip(struct leak *leak, uint32_t dword, uint32_t bits)
{
    uint16_t reg = (uint16_t)(dword * 4u);

    pcv_model_poke(leak->model, leak->sbdf, reg, 4,
                   pcv_model_peek(leak->model, leak->sbdf, reg, 4) ^ bits);
}

/* A run of registers, all of their bits at once. */
static void flip_run(struct leak *leak, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        flip(leak, first + i, 0xffffffffu);
    }
    for (uint32_t i = 0; i < leak->limit; i++) {
        expect_word(leak, i, first, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        flip(leak, first + i, 0xffffffffu);
    }
}

/* Where something may change: bit by bit, and only that one. */
static void flip_bits(struct leak *leak, uint32_t dword)
{
    for (uint32_t bit = 0; bit < 32; bit++) {
        uint32_t before = leak->base[dword], now;

        flip(leak, dword, 1u << bit);
        now = bus_get(&leak->fn, (uint16_t)(dword * 4u), 4);
        flip(leak, dword, 1u << bit);
        assert_int_equal((now ^ before) & ~(leak->allowed[dword] & 1u << bit),
                         0);
    }
}

static void flip_all(struct leak *leak)
{
    const uint32_t run = 32;

    for (uint32_t first = 0; first < leak->limit; first += run) {
        flip_run(leak, first, run);
    }
    /* One register at a time, where hardware has something. */
    for (uint32_t i = 0; i < leak->limit; i++) {
        if (i < 16 || pcv_model_peek(leak->model, leak->sbdf,
                                     (uint16_t)(i * 4u), 4) != 0) {
            flip_run(leak, i, 1);
        }
        if (leak->allowed[i] != 0) {
            flip_bits(leak, i);
        }
    }
}

/* ---- reading ------------------------------------------------------------- */

/* Every width gives the same bytes. */
static void read_all(struct leak *leak)
{
    const struct bus_function *fn = &leak->fn;

    for (uint32_t i = 0; i < DWORDS; i++) {
        uint16_t reg = (uint16_t)(i * 4u);
        uint32_t whole = bus_get(fn, reg, 4);

        leak->base[i] = whole;
        assert_int_equal(bus_get(fn, reg, 2), whole & 0xffffu);
        assert_int_equal(bus_get(fn, (uint16_t)(reg + 2u), 2), whole >> 16);
        for (uint16_t byte = 0; byte < 4; byte++) {
            assert_int_equal(bus_get(fn, (uint16_t)(reg + byte), 1),
                             whole >> 8u * byte & 0xffu);
        }
        if (i >= leak->limit) { /* CFG-8 */
            assert_int_equal(whole, 0xffffffffu);
        }
    }
}

/* An address of the machine stands nowhere; above 4 GiB it would be in two
 * registers. */
static void expect_absent(const struct leak *leak, uint64_t address)
{
    uint32_t low = (uint32_t)address & PCV_BAR_MEM_MASK;
    uint32_t high = (uint32_t)(address >> 32);

    if (address < 0x100000u) {
        return; /* not placed */
    }
    for (uint32_t i = 0; i + 1u < leak->limit; i++) {
        if ((leak->base[i] & PCV_BAR_MEM_MASK) == low &&
            (high == 0 || leak->base[i + 1] == high)) {
            fail_msg("%08x: register %03x shows the physical address %08x",
                     leak->sbdf.v, i * 4u, low);
        }
    }
}

static uint32_t hardware(const struct leak *leak, uint32_t reg, uint8_t size)
{
    return pcv_model_peek(leak->model, leak->sbdf, (uint16_t)reg, size);
}

static void expect_no_address(const struct leak *leak)
{
    struct pcv_bar_view bars[PCV_BARS];
    struct pcv_device *device = pcv_device_find(leak->host, leak->sbdf);
    uint16_t msi = bus_cap(&leak->fn, PCV_CAP_ID_MSI);

    assert_non_null(device);
    pcv_device_bars(device, bars);
    pcv_device_put(device);
    for (uint32_t bar = 0; bar < PCV_BARS; bar++) {
        if (bars[bar].kind != PCV_BAR_IO) {
            expect_absent(leak, bars[bar].host.v);
        }
    }
    if (msi != 0) {
        expect_absent(leak, hardware(leak, msi + 4u, 4));
    }
}

/* ---- vectors ------------------------------------------------------------- */

/* What the guest programmed into MSI-X and what stands in hardware's table have
 * nothing in common; pending bits show. */
static void flip_table(struct leak *leak, const struct irq_msix *msix)
{
    uint32_t table = hardware(leak, msix->cap + 4u, 4);
    uint32_t pending = hardware(leak, msix->cap + 8u, 4);
    uint8_t bar = table & 7u;

    irq_msix_entry(msix, 0, IRQ_ADDRESS, IRQ_DATA);
    irq_msix_mask(msix, 0, false);
    for (uint32_t at = 0; at < 16; at += 4) {
        uint64_t offset = (table & ~7u) + at;
        uint64_t seen = bus_load(&leak->bus, msix->table + at, 4);
        uint64_t real =
            pcv_model_mmio_peek(leak->model, leak->sbdf, bar, offset, 4);

        pcv_model_mmio_poke(leak->model, leak->sbdf, bar, offset, 4,
                            real ^ 0xfffffffcu);
        assert_int_equal(bus_load(&leak->bus, msix->table + at, 4), seen);
        pcv_model_mmio_poke(leak->model, leak->sbdf, bar, offset, 4, real);
    }
    pcv_model_mmio_poke(leak->model, leak->sbdf, pending & 7u, pending & ~7u, 4,
                        1);
    assert_true(irq_msix_is_pending(msix, 0));
    pcv_model_mmio_poke(leak->model, leak->sbdf, pending & 7u, pending & ~7u, 4,
                        0);
    assert_false(irq_msix_is_pending(msix, 0));
}

/* As a driver has it: decoding, MSI-X or MSI on. */
static void switch_on(struct leak *leak)
{
    struct bus_function *fn = &leak->fn;
    struct irq_msix msix;
    struct irq_msi msi;

    assert_null(bus_size(fn));
    assert_null(bus_place(fn));
    assert_null(function_on(fn));
    if (!irq_msix_find(&msix, fn)) {
        bus_change(fn, (uint16_t)(msix.cap + 2u), 2, 0x8000, 0x8000);
        flip_table(leak, &msix);
    } else if (!irq_msi_find(&msi, fn) && msi.wide) {
        assert_null(irq_msi_up(&msi, msi.vectors));
    }
}

/* ---- every function of a machine ----------------------------------------- */

static void look(struct leak *leak)
{
    struct bus_function found[8];

    assert_int_equal(bus_scan(&leak->bus, found, 8), 1);
    leak->fn = found[0];
    leak->limit = DWORDS;
    if (bus_get(&leak->fn, PCV_EXT_CAP_START, 4) == 0xffffffffu) {
        leak->limit = PCV_CFG_SIZE / 4u;
    }
    for (uint32_t round = 0; round < 2; round++) {
        read_all(leak);
        leak->visible +=
            shown_look(&leak->fn, leak->limit == DWORDS, leak->allowed);
        expect_no_address(leak);
        flip_all(leak);
        if (round == 0) {
            switch_on(leak);
        }
    }
    leak->functions++;
}

static void look_at_all(struct leak *leak)
{
    for (size_t i = 0; i < pcv_model_count(leak->model); i++) {
        struct pcv_model_facts facts;
        int error;

        assert_true(pcv_model_facts_at(leak->model, i, &facts));
        leak->sbdf = facts.sbdf;
        guest_begin(leak);
        error = assign(leak);
        if (error == 0) {
            look(leak);
            deassign(leak);
        } else if (error != -PCV_EPERM && error != -PCV_EOPNOTSUPP &&
                   error != -PCV_EBUSY && error != -PCV_ENODEV &&
                   error != -PCV_EXDEV) { /* conventional PCI */
            fail_msg("%08x: %s", leak->sbdf.v, pcv_errno_name(error));
        }
        assert_int_equal(pcv_domain_destroy(leak->guest), 0);
    }
}

/* At least so many functions a guest gets, and capabilities it sees. */
static void look_at_model(struct pcv_model *model, uint64_t functions,
                          uint64_t capabilities)
{
    struct leak leak = {.model = model};
    struct pcv_model_error problem;

    assert_int_equal(pcv_model_ready(model, &problem), 0);
    assert_int_equal(pcv_model_boot(model, &leak.host, NULL, NULL), 0);
    look_at_all(&leak);
    assert_true(leak.functions >= functions);
    assert_true(leak.visible >= capabilities);
    assert_int_equal(pcv_host_destroy(leak.host), 0);
    assert_int_equal(pcv_model_bytes(model), 0);
    pcv_model_destroy(model);
}

static int is_text(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && strcmp(entry->d_name + length - 4, ".txt") == 0;
}

static void look_at_folder(const char *folder, uint64_t capabilities)
{
    struct dirent **list;
    int count = scandir(folder, &list, is_text, alphasort);

    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        struct pcv_model *model = pcv_model_create(1);
        struct pcv_model_error problem;
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
        assert_non_null(model);
        if (pcv_model_load_file(model, path, &problem) != 0) {
            fail_msg("%s:%u: %s", path, problem.line, problem.text);
        }
        look_at_model(model, 1, capabilities);
        free(list[i]);
    }
    free(list);
}

/* CFG-3, HDR-3, HDR-5, HDR-15, CAP-2, CAP-7, MSI-2 */
static void captured_machines_show_nothing_else(void **state)
{
    (void)state;
    look_at_folder(PCV_SOURCE_ROOT "/examples/hosts", 10);
    look_at_folder(PCV_SOURCE_ROOT "/tests/scenario/hosts", 0);
}

/* CFG-3, HDR-3, HDR-5, HDR-15, CAP-2, CAP-7, MSI-2 */
static void a_made_up_machine_shows_nothing_else(void **state)
{
    struct pcv_model *model = pcv_model_create(1);
    struct pcv_model_error problem;

    (void)state;
    assert_non_null(model);
    assert_int_equal(
        pcv_model_generate(model, "functions=48,vfs=4,seed=3", &problem), 0);
    look_at_model(model, 20, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documentation_says_what_a_guest_can_read),
        cmocka_unit_test(captured_machines_show_nothing_else),
        cmocka_unit_test(a_made_up_machine_shows_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
