/* SPDX-License-Identifier: MIT */
/* The enumerator: accesses, which are all that it has to do with the library.
 */
#include "enumerate_internal.h"

/* How often one access is repeated or resumed: more than its mapping has
 * pages. What gets there is lost. */
#define STEPS_MAX 100000000u

/* An access that one of the entrances is to take. */
struct entry {
    bool port;
    uint64_t address;
    uint8_t size;
    bool write;
    uint32_t value;
};

static enum pcv_verdict entry_once(struct pcv_domain *domain,
                                   const struct entry *entry,
                                   struct pcv_access *access)
{
    if (entry->port) {
        return pcv_port_access(domain, (uint16_t)entry->address, entry->size,
                               entry->write, entry->value, access);
    }
    return pcv_ecam_access(domain, (pcv_gpa){entry->address}, entry->size,
                           entry->write, entry->value, access);
}

/* As a vCPU: again on retry, resumed while pending. All ones if no entrance
 * took it. */
static uint32_t entry_finish(struct enumerate_walk *walk,
                             const struct entry *entry)
{
    struct pcv_domain *domain = walk->plan->domain;
    struct pcv_access access = {0};
    enum pcv_verdict verdict = entry_once(domain, entry, &access);
    uint32_t steps = 0;

    while (verdict == PCV_RETRY && steps++ < STEPS_MAX) {
        verdict = entry_once(domain, entry, &access);
    }
    walk->result->resumed += verdict == PCV_PENDING;
    while ((verdict == PCV_PENDING || verdict == PCV_RETRY) &&
           steps++ < STEPS_MAX) {
        verdict = pcv_access_resume(domain, &access);
    }
    walk->result->accesses++;
    if (verdict != PCV_DONE && verdict != PCV_ABSENT) {
        walk->result->lost++;
        return UINT32_MAX;
    }
    return (uint32_t)access.data;
}

static uint32_t access_register(struct enumerate_walk *walk, pcv_sbdf sbdf,
                                uint16_t reg, uint8_t size, bool write,
                                uint32_t value)
{
    struct entry entry = {.size = size, .write = write, .value = value};

    if (walk->plan->ports) {
        struct entry latch = {
            .port = true,
            .address = PCV_PORT_ADDRESS,
            .size = 4,
            .write = true,
            .value = 0x80000000u | (sbdf.v & 0xffffu) << 8 | (reg & 0xfcu) |
                     (uint32_t)(reg & 0xf00u) << 16,
        };
        (void)entry_finish(walk, &latch);
        entry.port = true;
        entry.address = PCV_PORT_DATA + (reg & 3u);
    } else {
        entry.address = walk->bus[pcv_sbdf_bus(sbdf)].base +
                        ((uint64_t)pcv_sbdf_devfn(sbdf) << 12) + reg;
    }
    return entry_finish(walk, &entry);
}

uint32_t enumerate_read(struct enumerate_walk *walk, pcv_sbdf sbdf,
                        uint16_t reg, uint8_t size)
{
    uint32_t mask = size < 4 ? (UINT32_C(1) << (8 * size)) - 1 : UINT32_MAX;
    return access_register(walk, sbdf, reg, size, false, 0) & mask;
}

void enumerate_write(struct enumerate_walk *walk, pcv_sbdf sbdf, uint16_t reg,
                     uint8_t size, uint32_t value)
{
    (void)access_register(walk, sbdf, reg, size, true, value);
}
