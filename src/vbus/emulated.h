/* SPDX-License-Identifier: MIT */
/*
 * Emulated functions on the hardware domain's buses (VBUS-6), shared by the
 * floors that make and serve them.
 *
 * They stand in two lists, of their bus and of the host, both under the map
 * lock of the hardware domain, and so is what they remember. Whoever finds one
 * and goes on without the lock counts itself in before; one that was withdrawn
 * is freed when nobody is counted. Registers are answered under the lock;
 * callbacks of the BAR run without it.
 *
 * An address costs a look at the host's count where there is none at all, and
 * a bit of its bus where there are some elsewhere.
 */
#ifndef PCV_VBUS_EMULATED_H
#define PCV_VBUS_EMULATED_H

#include "pcivisor/emulated.h"
#include "vbus/internal.h"

struct pcv_emulated {
    struct pcv_host *host;
    struct pcv__segment *segment;
    struct pcv__bus *bus;
    struct pcv_emulated_info info;
    struct pcv_emulated_ops ops;
    void *ctx;
    _Atomic uint32_t inside; /* goes up under the map lock only */

    /* Under the map lock. */
    struct pcv_emulated *next, *next_on_bus;
    bool withdrawn;        /* it is in the host's list only, and not found */
    uint64_t bar;          /* address of BAR 0 */
    uint16_t command;      /* its bits that can be written */
    uint8_t line;          /* interrupt line */
    uint8_t concealed;     /* bit n: function n was seen to answer there */
    bool set_aside;        /* memory in the domain's map of holes */
    uint64_t first, pages; /* withheld from BARs, for it; 0: not reached */
    uint64_t reads, writes, refused;
};

/* Whether an address at which a domain has no device may be emulated. */
static inline bool pcv__emulated_any(const struct pcv_domain *domain)
{
    return domain->kind == PCV_DOMAIN_HARDWARE &&
           atomic_load_explicit(&domain->host->emulated_count,
                                memory_order_relaxed) != 0;
}

/*
 * An access of 1, 2 or 4 aligned bytes by the hardware domain where no device
 * stands. *data: what is written, or what was read. PCV_DONE, or PCV_ABSENT.
 */
enum pcv_verdict pcv__emulated_access(struct pcv_domain *hardware,
                                      pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                                      bool write, uint32_t *data);

/* The emulated function that has a device number, whatever function was asked
 * for; NULL. While a bridge leads to its bus there is none (TOPO-4). */
struct pcv_emulated *pcv__emulated_at(struct pcv_domain *hardware,
                                      pcv_sbdf sbdf)
    PCV__REQUIRES(hardware->map_lock);

/* ---- memory (emulated_memory.c) --------------------------------------------
 */

/* An access of the hardware domain to memory where nothing is trapped. As
 * pcv_mmio_access(). */
enum pcv_verdict pcv__emulated_mmio(struct pcv_domain *hardware,
                                    struct pcv_mmio *access);

/* Whether BAR 0 has its pages, which it gets if it may have them: decoding is
 * on, it lies in its window, and no other BAR wants them. */
bool pcv__emulated_reach(struct pcv_emulated *emulated,
                         struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock);
/* BAR 0 leads nowhere from now on, and BARs that want its pages get them. */
void pcv__emulated_shut(struct pcv_emulated *emulated,
                        struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock);

/* Whether a bridge leads to its bus for the moment. */
static inline bool pcv__emulated_is_below(const struct pcv_emulated *emulated)
{
    uint8_t bus = pcv_sbdf_bus(emulated->info.sbdf);

    return (atomic_load_explicit(&emulated->segment->up[bus],
                                 memory_order_acquire) &
            PCV__UP_VALID) != 0;
}

#endif
