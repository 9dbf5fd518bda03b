/* SPDX-License-Identifier: MIT */
/*
 * The kinds of functions that made-up machines have. Identities are those of
 * common hardware, so that lspci has names for them.
 */
#include "generate.h"

#define IO(log2)                                                               \
    {                                                                          \
        PCV__GEN_IO, false, log2, 0                                            \
    }
#define MEM(log2, spread)                                                      \
    {                                                                          \
        PCV__GEN_MEM, false, log2, spread                                      \
    }
#define MEM64(log2, spread)                                                    \
    {                                                                          \
        PCV__GEN_MEM, true, log2, spread                                       \
    }
#define PREF(log2, spread)                                                     \
    {                                                                          \
        PCV__GEN_PREF, true, log2, spread                                      \
    }

/* Rows of one role are neighbours, in the order of enum pcv__gen_role.
 * role, vendor, device, VF's device, revision, class, PM, MSI, MSI-X, ROM */
const struct pcv__gen_kind pcv__gen_kinds[] = {
    {PCV__GEN_HOST, 0x8086, 0x29c0, 0, 2, 0x060000, 0, 0, 0, 0, {{0}}},
    {PCV__GEN_ROOT_PORT, 0x8086, 0x2f08, 0, 2, 0x060400, 3, 2, 0, 0, {{0}}},
    {PCV__GEN_UPSTREAM, 0x10b5, 0x8747, 0, 0xca, 0x060400, 3, 4, 0, 0, {{0}}},
    {PCV__GEN_DOWNSTREAM, 0x10b5, 0x8747, 0, 0xca, 0x060400, 3, 4, 0, 0, {{0}}},
    {PCV__GEN_TO_PCI, 0x10b5, 0x8112, 0, 0xaa, 0x060400, 2, 1, 0, 0, {{0}}},
    /* DMA engine, performance monitor, xHCI and AHCI of a chipset. */
    {PCV__GEN_INTEGRATED,
     0x8086,
     0x2f20,
     0,
     2,
     0x088000,
     3,
     0,
     4,
     0,
     {PREF(14, 0)}},
    {PCV__GEN_INTEGRATED, 0x8086, 0x2f34, 0, 2, 0x110100, 0, 0, 0, 0, {{0}}},
    {PCV__GEN_INTEGRATED,
     0x8086,
     0x8d31,
     0,
     5,
     0x0c0330,
     2,
     4,
     0,
     0,
     {PREF(16, 0)}},
    {PCV__GEN_INTEGRATED,
     0x8086,
     0x8d02,
     0,
     5,
     0x010601,
     3,
     5,
     0,
     0,
     {IO(5), MEM(11, 1)}},
    /* NVMe, network cards, xHCI, AHCI and a display controller. */
    {PCV__GEN_ENDPOINT,
     0x144d,
     0xa824,
     0xa824,
     0,
     0x010802,
     3,
     0,
     65,
     0,
     {MEM64(14, 1)}},
    {PCV__GEN_ENDPOINT,
     0x8086,
     0x1572,
     0x154c,
     1,
     0x020000,
     3,
     1,
     129,
     19,
     {PREF(20, 3), PREF(15, 0)}},
    {PCV__GEN_ENDPOINT,
     0x8086,
     0x10fb,
     0x10ed,
     1,
     0x020000,
     3,
     1,
     64,
     0,
     {PREF(17, 2), IO(5), PREF(14, 0)}},
    {PCV__GEN_ENDPOINT,
     0x1912,
     0x0014,
     0,
     3,
     0x0c0330,
     3,
     4,
     8,
     0,
     {MEM64(13, 0)}},
    {PCV__GEN_ENDPOINT,
     0x1b4b,
     0x9230,
     0,
     0x11,
     0x010601,
     3,
     1,
     0,
     16,
     {IO(5), MEM(11, 0)}},
    {PCV__GEN_ENDPOINT,
     0x1002,
     0x6995,
     0,
     0,
     0x030000,
     3,
     1,
     0,
     17,
     {PREF(26, 2), PREF(21, 0), MEM(18, 0)}},
    /* Network card, serial card, sound, EHCI, SCSI. */
    {PCV__GEN_CONVENTIONAL,
     0x8086,
     0x100e,
     0,
     2,
     0x020000,
     2,
     1,
     0,
     18,
     {MEM(17, 0), IO(6)}},
    {PCV__GEN_CONVENTIONAL,
     0x1415,
     0x950a,
     0,
     0,
     0x070006,
     2,
     0,
     0,
     0,
     {IO(5), MEM(12, 0)}},
    {PCV__GEN_CONVENTIONAL,
     0x1274,
     0x1371,
     0,
     8,
     0x040100,
     1,
     0,
     0,
     0,
     {IO(6)}},
    {PCV__GEN_CONVENTIONAL,
     0x1033,
     0x00e0,
     0,
     4,
     0x0c0320,
     2,
     0,
     0,
     0,
     {MEM(8, 4)}},
    {PCV__GEN_CONVENTIONAL,
     0x1000,
     0x0030,
     0,
     7,
     0x010000,
     2,
     1,
     0,
     0,
     {IO(8), MEM64(17, 0)}},
};

#define KINDS (sizeof(pcv__gen_kinds) / sizeof(pcv__gen_kinds[0]))

static bool suits(uint32_t kind, enum pcv__gen_role role, bool sriov)
{
    return pcv__gen_kinds[kind].role == role &&
           (!sriov || pcv__gen_kinds[kind].vf_device != 0);
}

uint8_t pcv__gen_choose(enum pcv__gen_role role, bool sriov, uint64_t chance)
{
    uint64_t matches = 0;
    uint64_t wanted;

    for (uint32_t i = 0; i < KINDS; i++) {
        matches += suits(i, role, sriov);
    }
    wanted = matches == 0 ? 0 : chance % matches;
    for (uint32_t i = 0; i < KINDS; i++) {
        if (suits(i, role, sriov) && wanted-- == 0) {
            return (uint8_t)i;
        }
    }
    return 0; /* no role is without a kind */
}

/* SplitMix64: any state is a good one. */
uint64_t pcv__gen_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
