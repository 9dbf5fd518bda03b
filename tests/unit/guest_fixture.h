/* SPDX-License-Identifier: MIT */
/*
 * A rig with a guest, for tests of what is mapped and trapped for it: devices
 * are added to the model, given to the guest, and driven through the entrances.
 *
 *     guest_open(&g);
 *     pcv_test_add(g.rig.model, &f, DEV);
 *     guest_boot(&g);
 *     at = guest_give(&g, DEV, NULL);
 *     guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
 *     guest_close(&g);
 */
#ifndef PCV_TESTS_UNIT_GUEST_FIXTURE_H
#define PCV_TESTS_UNIT_GUEST_FIXTURE_H

#include "map_fixture.h"

#define GUEST_ID 7u
/* Where its BARs may be. */
#define WIN 0x80000000u
#define WIN_SIZE 0x10000000u

struct guest {
    struct rig rig;
    struct pcv_domain *domain;
};

/* A model without functions; a host on it, and a guest with that window. */
void guest_open(struct guest *g);
void guest_boot(struct guest *g);
/* Everything must have been given back, by the guest's devices too. */
void guest_close(struct guest *g);

/* Give a device to the guest; take it back. To the end, whatever it takes. */
pcv_sbdf guest_give(struct guest *g, pcv_sbdf sbdf,
                    const struct pcv_assign_policy *policy);
void guest_take(struct guest *g, pcv_sbdf sbdf);

/* Accesses to configuration space: to the end, or only begun. */
void guest_write(struct guest *g, pcv_sbdf at, uint16_t reg, uint8_t size,
                 uint32_t value);
uint32_t guest_read(struct guest *g, pcv_sbdf at, uint16_t reg, uint8_t size);
unsigned guest_settle(struct guest *g, struct pcv_access *access);

/* Accesses to memory that nothing is mapped at. */
enum pcv_verdict guest_load(struct guest *g, uint64_t address, uint8_t size,
                            uint64_t *out);
enum pcv_verdict guest_store(struct guest *g, uint64_t address, uint8_t size,
                             uint64_t value);

/* Whether each page of a range is mapped for the guest, or none is. */
bool guest_mapped(const struct guest *g, uint64_t address, uint64_t size);
/* Pages mapped for anybody. */
uint64_t guest_pages(const struct guest *g);
/* A BAR as pcv_device_bars() tells it. */
struct pcv_bar_view guest_bar(struct guest *g, pcv_sbdf sbdf, unsigned bar);

/* ---- two devices --------------------------------------------------------- */

#define HOST_A 0xe0000000u /* DEV: 4 pages; 16 bytes; 64-bit, 2 pages */
#define HOST_A_SMALL 0xe0010100u
#define HOST_A_HIGH 0x4000000000u
#define HOST_B 0xe0100000u /* DEV2: 2 pages; 256 bytes */
#define HOST_B_SMALL 0xe0010200u

struct two {
    struct guest g;
    pcv_sbdf a, b; /* on the guest's bus */
};

/* Both on the model; all that, given to the guest. */
void two_add(struct guest *g);
void two_open(struct two *t);
/* Write a BAR, both halves of BAR 2; switch memory decoding. */
void two_set_bar(struct two *t, pcv_sbdf at, unsigned bar, uint64_t address);
void two_decode(struct two *t, pcv_sbdf at, bool on);

#endif
