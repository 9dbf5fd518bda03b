/* SPDX-License-Identifier: MIT */
/*
 * Cells against a simple model: registers with random sizes, policies and
 * handlers, random accesses, and after each the question whether every bit is
 * what going through the rules bit by bit makes of it (CFG-3 to CFG-5).
 */
#include "cells_fixture.h"

#include <string.h>

#define ROUNDS 150u
#define ACCESSES 400u
#define WORDS 8u /* dwords that are played with */
#define BYTES (4u * WORDS)

/* What one bit of the space is. */
enum kind { HARDWARE, CONSTANT, VIRT, W1C, VIRT_W1C, PRESERVE, ZERO };

struct model_register {
    struct pcv_register reg;
    uint32_t answer; /* of the read handler */
    bool reads, writes;
};

struct world {
    struct cells cells;
    uint64_t seed;
    struct model_register reg[BYTES];
    struct model_register *owner[BYTES]; /* of each byte, or NULL */
    unsigned count;
    /* The simple model's state, one entry a bit. */
    uint8_t kind[BYTES * 8];
    uint8_t hw[BYTES * 8];
    uint8_t value[BYTES * 8];
};

static struct world world;

static uint32_t draw(uint32_t below)
{
    world.seed ^= world.seed << 13;
    world.seed ^= world.seed >> 7;
    world.seed ^= world.seed << 17;
    return (uint32_t)(world.seed >> 32) % below;
}

static uint32_t draw32(void)
{
    return draw(0x10000) << 16 | draw(0x10000);
}

/* ---- the simple model ---------------------------------------------------- */

/* A bit of a register's value. */
static uint32_t bit_of(uint32_t value, const struct model_register *m,
                       uint32_t byte, uint32_t bit)
{
    return value >> (8 * (byte - (m->reg.offset - CELLS_AT)) + bit) & 1u;
}

static uint32_t read_bit(uint32_t byte, uint32_t bit)
{
    const struct model_register *m = world.owner[byte];
    uint32_t at = 8 * byte + bit;

    if (m && m->reads) {
        return bit_of(m->answer, m, byte, bit);
    }
    switch ((enum kind)world.kind[at]) {
    case HARDWARE:
    case W1C:
        return world.hw[at];
    case CONSTANT:
    case VIRT:
    case VIRT_W1C:
        return world.value[at];
    case PRESERVE:
    case ZERO:
        break;
    }
    return 0;
}

/* What reaches a bit of hardware when a whole byte is written to it. */
static void write_hardware(uint32_t byte, uint32_t bit, uint32_t value)
{
    uint32_t at = 8 * byte + bit;

    if (world.kind[at] == W1C) {
        world.hw[at] = (uint8_t)(world.hw[at] & ~value & 1u);
    } else {
        world.hw[at] = (uint8_t)value;
    }
}

static void store(uint32_t byte, uint32_t bit, uint32_t value)
{
    uint32_t at = 8 * byte + bit;

    if (world.kind[at] == VIRT) {
        world.value[at] = (uint8_t)value;
    } else if (world.kind[at] == VIRT_W1C && value != 0) {
        world.value[at] = 0;
    }
}

static bool reaches_hardware(uint32_t byte)
{
    for (uint32_t bit = 0; bit < 8; bit++) {
        if (world.kind[8 * byte + bit] == HARDWARE ||
            world.kind[8 * byte + bit] == W1C) {
            return true;
        }
    }
    return false;
}

/* A byte whose register has no write handler. */
static void write_byte(uint32_t byte, uint32_t value)
{
    bool out = reaches_hardware(byte);

    for (uint32_t bit = 0; bit < 8; bit++) {
        uint32_t one = value >> bit & 1u;

        store(byte, bit, one);
        if (!out) {
            continue;
        }
        switch ((enum kind)world.kind[8 * byte + bit]) {
        case HARDWARE:
        case W1C:
            write_hardware(byte, bit, one);
            break;
        case ZERO:
            write_hardware(byte, bit, 0);
            break;
        case CONSTANT:
        case VIRT:
        case VIRT_W1C:
        case PRESERVE:
            break;
        }
    }
}

/* A bit of what a write handler is given, and with it writes to hardware. */
static uint32_t merged_bit(uint32_t byte, uint32_t bit, bool written,
                           uint32_t value)
{
    switch ((enum kind)world.kind[8 * byte + bit]) {
    case HARDWARE:
    case VIRT:
        return written ? value : read_bit(byte, bit);
    case W1C:
    case VIRT_W1C:
        return written ? value : 0;
    case CONSTANT:
        return read_bit(byte, bit);
    case PRESERVE:
        return world.hw[8 * byte + bit];
    case ZERO:
        break;
    }
    return 0;
}

/* A register with a write handler; bytes [first, first + size) are written. */
static void write_register(const struct model_register *m, uint32_t first,
                           uint32_t size, uint32_t value)
{
    uint32_t from = m->reg.offset - CELLS_AT;
    uint8_t merged[32];

    for (uint32_t i = 0; i < 8u * m->reg.size; i++) {
        uint32_t byte = from + i / 8;
        bool written = byte >= first && byte < first + size;
        uint32_t one = written ? value >> (8 * (byte - first) + i % 8) & 1u : 0;

        merged[i] = (uint8_t)merged_bit(byte, i % 8, written, one);
    }
    for (uint32_t i = 0; i < 8u * m->reg.size; i++) {
        uint32_t byte = from + i / 8;

        if (byte >= first && byte < first + size) {
            store(byte, i % 8, value >> (8 * (byte - first) + i % 8) & 1u);
        }
        write_hardware(byte, i % 8, merged[i]);
    }
}

static void model_write(uint32_t first, uint32_t size, uint32_t value)
{
    const struct model_register *last = NULL;

    for (uint32_t byte = first; byte < first + size; byte++) {
        const struct model_register *m = world.owner[byte];

        if (!m || !m->writes) {
            write_byte(byte, value >> (8 * (byte - first)) & 0xffu);
        } else if (m != last) {
            write_register(m, first, size, value);
            last = m;
        }
    }
}

static uint32_t model_read(uint32_t first, uint32_t size)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < 8 * size; i++) {
        value |= read_bit(first + i / 8, i % 8) << i;
    }
    return value;
}

/* ---- the same for the library -------------------------------------------- */

static uint32_t on_read(struct pcv_device *device,
                        const struct pcv_register *reg, void *data)
{
    (void)device;
    (void)reg;
    return ((struct model_register *)data)->answer;
}

static enum pcv_verdict on_write(const struct pcv_register_write *write)
{
    pcv_register_hw_write(write->device, write->reg, write->value);
    return PCV_DONE;
}

static const struct pcv_register_ops handlers[4] = {
    {NULL, NULL}, {on_read, NULL}, {NULL, on_write}, {on_read, on_write}};

static void put_bit(struct pcv_policy *policy, enum kind kind, uint32_t bit)
{
    uint32_t *masks[] = {&policy->hardware, &policy->constant,
                         &policy->virt,     &policy->w1c,
                         &policy->virt_w1c, &policy->preserve};

    if (kind != ZERO) {
        *masks[kind] |= 1u << bit;
    }
}

/* A register of `size` bytes, whose bits are all of one kind or of any. */
static void make_register(uint32_t byte, uint8_t size)
{
    struct model_register *m = &world.reg[world.count++];
    uint32_t which = draw(4);
    uint32_t all = draw(14);

    memset(m, 0, sizeof(*m));
    m->reg.name = "random";
    m->reg.offset = (uint16_t)(CELLS_AT + byte);
    m->reg.size = size;
    m->reg.initial = draw32();
    m->reg.ops = which == 0 && draw(2) == 0 ? NULL : &handlers[which];
    m->answer = draw32();
    m->reads = (which & 1u) != 0;
    m->writes = (which & 2u) != 0;
    for (uint32_t i = 0; i < 8u * size; i++) {
        enum kind kind = (enum kind)(all <= ZERO ? all : draw(7));
        uint32_t at = 8 * byte + i;

        put_bit(&m->reg.policy, kind, i);
        world.kind[at] = (uint8_t)kind;
        world.value[at] = (uint8_t)(m->reg.initial >> i & 1u);
        world.owner[byte + i / 8] = m;
        if (kind == W1C) {
            world.cells.w1c[at / 32] |= 1u << (at % 32);
        }
    }
    cells_add(&world.cells, &m->reg, m);
}

/* Cut a dword into registers and gaps. */
static void make_dword(uint32_t byte, uint32_t size)
{
    if (size > 1 && draw(2) == 0) {
        make_dword(byte, size / 2);
        make_dword(byte + size / 2, size / 2);
    } else if (draw(4) != 0) {
        make_register(byte, (uint8_t)size);
    }
}

static void make_world(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.seed = seed * 0x9e3779b97f4a7c15u + 1u;
    cells_open(&world.cells);
    for (uint32_t i = 0; i < BYTES * 8; i++) {
        world.kind[i] = HARDWARE;
    }
    for (uint32_t i = 0; i < WORDS; i++) {
        make_dword(4 * i, 4);
        world.cells.hw[i] = draw32();
        for (uint32_t bit = 0; bit < 32; bit++) {
            world.hw[32 * i + bit] = (uint8_t)(world.cells.hw[i] >> bit & 1u);
        }
    }
}

/* ---- the comparison ------------------------------------------------------ */

static void compare_hardware(void)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        uint32_t value = 0;

        for (uint32_t bit = 0; bit < 32; bit++) {
            value |= (uint32_t)world.hw[32 * i + bit] << bit;
        }
        assert_int_equal(world.cells.hw[i], value);
    }
}

/* CFG-5: a handler's access is its register, any other within the domain's. */
static void check_accesses(uint32_t first, uint32_t size)
{
    const struct cells *cells = &world.cells;

    assert_true(cells->logged <= CELLS_LOG);
    for (size_t i = 0; i < cells->logged; i++) {
        const struct pcv_model_cfg *hw = &cells->log[i];
        uint32_t byte = hw->reg - CELLS_AT;
        const struct model_register *m = world.owner[byte];
        bool within = byte >= first && byte + hw->size <= first + size;
        bool of_handler =
            m && m->writes && byte >= m->reg.offset - CELLS_AT &&
            byte + hw->size <= m->reg.offset - CELLS_AT + (uint32_t)m->reg.size;

        assert_true(within || of_handler);
        assert_true(!(hw->write && m && m->writes) || hw->size == m->reg.size);
    }
}

static void one_access(void)
{
    static const uint8_t sizes[] = {1, 2, 4};
    uint8_t size = sizes[draw(3)];
    uint32_t first = draw(BYTES / size) * size;
    uint16_t reg = (uint16_t)(CELLS_AT + first);

    world.cells.logged = 0;
    if (draw(2) == 0) {
        assert_int_equal(cells_read(&world.cells, reg, size),
                         model_read(first, size));
    } else {
        uint32_t value = draw32() & (size == 4 ? ~0u : (1u << 8 * size) - 1u);

        cells_write(&world.cells, reg, size, value);
        model_write(first, size, value);
    }
    check_accesses(first, size);
    compare_hardware();
}

/* CFG-3, CFG-4, CFG-5 */
static void random_registers_behave_as_the_rules_say_bit_by_bit(void **state)
{
    (void)state;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        make_world(round);
        for (uint32_t i = 0; i < ACCESSES; i++) {
            one_access();
        }
        cells_close(&world.cells);
    }
}

/* CFG-3, CFG-6 */
static void removed_registers_leave_plain_hardware_behind(void **state)
{
    (void)state;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        make_world(round + 1000);
        for (uint32_t i = 0; i < WORDS; i += 2) {
            int error = pcv_register_remove(world.cells.device,
                                            (uint16_t)(CELLS_AT + 4 * i), 4);

            assert_true(error == 0 || error == -PCV_ENOENT);
            world.cells.w1c[i] = 0;
            for (uint32_t bit = 32 * i; bit < 32 * (i + 1); bit++) {
                world.kind[bit] = HARDWARE;
                world.owner[bit / 8] = NULL;
            }
        }
        for (uint32_t i = 0; i < ACCESSES; i++) {
            one_access();
        }
        cells_close(&world.cells);
    }
}

/* Every access to one dword, of every value of its lowest bits, for each way
 * to give its bits a policy: nothing is left to chance. */
/* CFG-3, CFG-4 */
static void each_policy_meets_each_old_and_new_bit(void **state)
{
    (void)state;
    for (uint32_t kind = HARDWARE; kind <= ZERO; kind++) {
        for (uint32_t beside = HARDWARE; beside <= ZERO; beside++) {
            for (uint32_t bits = 0; bits < 32; bits++) {
                struct model_register *m = &world.reg[0];
                uint32_t old = bits & 3u;

                memset(&world, 0, sizeof(world));
                world.seed = 1;
                cells_open(&world.cells);
                m->reg = (struct pcv_register){.name = "two",
                                               .offset = CELLS_AT,
                                               .size = 1,
                                               .initial = bits >> 2 & 3u};
                put_bit(&m->reg.policy, (enum kind)kind, 0);
                put_bit(&m->reg.policy, (enum kind)beside, 1);
                world.kind[0] = (uint8_t)kind;
                world.kind[1] = (uint8_t)beside;
                for (uint32_t i = 2; i < 8; i++) {
                    world.kind[i] = ZERO;
                }
                for (uint32_t i = 0; i < 2; i++) {
                    world.hw[i] = (uint8_t)(old >> i & 1u);
                    world.value[i] = (uint8_t)(bits >> (2 + i) & 1u);
                    world.cells.w1c[0] |= world.kind[i] == W1C ? 1u << i : 0;
                }
                world.cells.hw[0] = old;
                world.owner[0] = m;
                m->writes = (bits & 16u) != 0;
                m->reg.ops = m->writes ? &handlers[2] : NULL;
                cells_add(&world.cells, &m->reg, m);
                for (uint32_t value = 0; value < 4; value++) {
                    cells_write(&world.cells, CELLS_AT, 1, value);
                    model_write(0, 1, value);
                    compare_hardware();
                    assert_int_equal(cells_read(&world.cells, CELLS_AT, 1),
                                     model_read(0, 1));
                }
                cells_close(&world.cells);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_registers_behave_as_the_rules_say_bit_by_bit),
        cmocka_unit_test(removed_registers_leave_plain_hardware_behind),
        cmocka_unit_test(each_policy_meets_each_old_and_new_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
