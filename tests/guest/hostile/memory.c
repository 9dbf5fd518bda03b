/* SPDX-License-Identifier: MIT */
/* Loads and stores of every kind, everywhere but in our own memory. */
#include "hostile.h"

#define ROUNDS 4000u
#define ECAM_SIZE 0x10000000ul
#define BUS 0x100000ul
#define FUNCTIONS 0x40000ul /* eight devices */

struct window {
    uint64_t base, size;
};

/* One access of a kind. @p may be written back, which is no matter. */
static void access(uint64_t p, unsigned kind, uint64_t v)
{
/* An asm statement takes its text without parentheses.
 * NOLINTBEGIN(bugprone-macro-parentheses) */
#define KIND(number, text)                                                     \
    case (number):                                                             \
        __asm__ volatile(text : "+r"(p), "+r"(v)::"x9", "x10", "memory");      \
        break;
    /* NOLINTEND(bugprone-macro-parentheses) */
    switch (kind) {
        KIND(0, "ldrb %w1, [%0]")
        KIND(1, "ldrh %w1, [%0]")
        KIND(2, "ldr %w1, [%0]")
        KIND(3, "ldr %1, [%0]")
        KIND(4, "strb %w1, [%0]")
        KIND(5, "strh %w1, [%0]")
        KIND(6, "str %w1, [%0]")
        KIND(7, "str %1, [%0]")
        KIND(8, "ldrsb %1, [%0]")
        KIND(9, "ldrsh %w1, [%0]")
        KIND(10, "ldrsw %1, [%0]")
        KIND(11, "str wzr, [%0]")
        KIND(12, "ldr wzr, [%0]")
        KIND(13, "ldp x9, x10, [%0]")
        KIND(14, "stp %1, %1, [%0]")
        KIND(15, "ldr %1, [%0], #8")
        KIND(16, "str %w1, [%0, #4]!")
        KIND(17, "ldxr %1, [%0]\n\tstxr w9, %1, [%0]")
        KIND(18, "ldar %w1, [%0]")
        KIND(19, "stlr %w1, [%0]")
        KIND(20, "ldtr %1, [%0]")
        KIND(21, "dc civac, %0")
        KIND(22, "dc zva, %0")
        KIND(23, "at s1e1r, %0")
        KIND(24, "prfm pldl1keep, [%0]")
    default:
        break;
    }
#undef KIND
}

#define KINDS 25u

/* Mostly aligned. */
static void access_in(const struct window *window)
{
    uint64_t random = random64();
    uint64_t address = window->base + random % window->size;

    if ((random >> 60) != 0) {
        address &= ~(uint64_t)7;
        address += (random >> 59 & 1u) * 4u;
    }
    access(address, (unsigned)(random64() % KINDS), random64());
}

static void spray(const struct window *windows, size_t count, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        access_in(&windows[i % count]);
    }
}

static const struct window gic[] = {
    {GICD, 0x10000},         /* the distributor, */
    {GICD, 0x1000},          /* what it has there, */
    {GICD + 0x6000, 0x2000}, /* routes, */
    {GICD + 0x20000, 0x1000},
    {GICR, 0x60000}, /* and one redistributor more than there is */
};

bool attack_gic(void)
{
    spray(gic, sizeof(gic) / sizeof(*gic), ROUNDS / 2);
    return true;
}

/* The hypervisor's memory, its devices, and where nothing is. */
static const struct window others[] = {
    {HYPERVISOR, 0x4000000},  {GICD + 0x80000, 0x20000}, /* the ITS */
    {0x09050000, 0x20000},                               /* the SMMU */
    {0x09020000, 0x1000},     {0x0a000000, 0x4000},      /* fw_cfg, virtio */
    {0, 0x8000000},           {0x80000000, 0x1000000},
    {0x100000000000, 0x1000}, {0x10000000000, 0x2000},
};

bool attack_others(void)
{
    uint64_t before = this_cpu()->faults;
    bool kept = true;

    /* Without what an interrupt's handler may count. */
    __asm__ volatile("msr daifset, #2" ::: "memory");
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        uint64_t faults = this_cpu()->faults;

        (void)read32(others[i].base + 0x100);
        kept = kept && this_cpu()->faults == faults + 1;
    }
    __asm__ volatile("msr daifclr, #2" ::: "memory");
    spray(others, sizeof(others) / sizeof(*others), ROUNDS);
    return kept && this_cpu()->faults - before > ROUNDS / 2;
}

static const struct window config[] = {
    {ECAM, FUNCTIONS},        {ECAM, ECAM_SIZE},
    {ECAM + BUS, FUNCTIONS},  {ECAM + 2 * BUS, FUNCTIONS},
    {ECAM + 0x8000, 0x1000},  {ECAM + 0x10000, 0x1000},
    {ECAM + 0xf8000, 0x1000}, /* the control device */
};

bool attack_config(void)
{
    spray(config, sizeof(config) / sizeof(*config), ROUNDS);
    /* The first device's ID is nobody's to change. */
    return read32(ECAM) == 0x00081b36;
}

/* Where the next BAR goes: often in our memory, often in each other's way. */
static uint32_t place(void)
{
    static const uint32_t places[] = {
        0x10000000, 0x10004000, 0x3efe0000, 0x08000000,
        0x40000000, 0x09000000, 0xfffff000, 0x00000000,
    };

    return places[random64() % (sizeof(places) / sizeof(*places))] +
           (uint32_t)(random64() & 0x3000);
}

/* Give a function's BARs and bus numbers new values, and let it decode. */
static void place_function(uint64_t function)
{
    for (unsigned reg = 0x10; reg < 0x28; reg += 4) {
        write32(function + reg, place());
    }
    write32(function + 4, (uint32_t)(random64() & 7u));
}

static const struct window pci[] = {
    {MEMORY32, 0x20000},     {MEMORY32, 0x2eff0000},
    {0x3efe0000, 0x10000},   {PORTS, 0x10000},
    {0x8000000000, 0x40000}, {0x8000000000, 0x7fffffffff},
    {ECAM + 0xf8000, 0x40},  {ECAM, FUNCTIONS},
};

bool attack_pci(void)
{
    for (unsigned i = 0; i < ROUNDS / 500; i++) {
        place_function(ECAM + (random64() % 8) * 0x8000);
        place_function(ECAM + 0xf8000);
        write32(ECAM + 0xf8004, 2);
        spray(pci, sizeof(pci) / sizeof(*pci), 100);
    }
    return true;
}

/* To where there is nothing, and where a device is. */
bool attack_fetch(void)
{
    static const uint64_t targets[] = {
        0, GICD, UART, HYPERVISOR + 0x80000, 0x80000000, MEMORY32, ECAM, PORTS,
    };
    uint64_t before = this_cpu()->faults;

    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        __asm__ volatile("blr %0" ::"r"(targets[i]) : "x30", "memory");
    }
    return this_cpu()->faults == before + sizeof(targets) / sizeof(*targets);
}

void storm(void)
{
    static const uint64_t others_sgi = (uint64_t)1 << 40;

    for (unsigned i = 0; !second_is_short; i++) {
        spray(gic, sizeof(gic) / sizeof(*gic), 2);
        spray(config, sizeof(config) / sizeof(*config), 20);
        spray(pci, sizeof(pci) / sizeof(*pci), 20);
        WRITE_SYSREG(S3_0_C12_C11_5, others_sgi | (i & 15u) << 24);
    }
    second_stop();
}
