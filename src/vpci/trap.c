/* SPDX-License-Identifier: MIT */
/*
 * Pages of BARs that are served access by access (HDR-5, HDR-7, HDR-8).
 *
 * A record says which bytes of a page are a BAR's. Each device has records
 * enough, so that placing a BAR cannot fail for want of one; those of placed
 * BARs stand in a hash table of their owner, by page, oldest first. The table
 * grows with what stands in it; where there is no memory for that, it only gets
 * slower.
 *
 * Whoever finds a record under the map lock takes an access's reference to its
 * device there: records are taken out before a device goes or changes hands.
 */
#include "vpci/hidden.h"
#include "vpci/map.h"
#include "vpci/reserved.h"

struct pcv__trap {
    uint64_t start; /* byte, the owner's */
    struct pcv_device *device;
    struct pcv__trap *next;
    uint32_t size; /* bytes, all in one page */
    uint8_t bar;
    bool used; /* it stands in a table */
};

#define FEW 8u /* that need no table */

/* ---- the table -------------------------------------------------------------
 */

/* Multiplicative hashing, by the golden ratio: the product's upper bits, which
 * spread evenly spaced pages best. */
static struct pcv__trap **chain(struct pcv__trap **table, uint32_t buckets,
                                uint64_t page)
{
    uint64_t hash = page * 0x9e3779b97f4a7c15ull;

    return &table[(hash >> 32) * buckets >> 32];
}

static struct pcv__trap **chain_of(struct pcv_domain *domain, uint64_t page)
    PCV__REQUIRES(domain->map_lock)
{
    return domain->trap_buckets != 0
               ? chain(domain->traps, domain->trap_buckets, page)
               : &domain->trap_few;
}

static void append(struct pcv__trap **at, struct pcv__trap *trap)
{
    while (*at) {
        at = &(*at)->next;
    }
    trap->next = NULL;
    *at = trap;
}

/* Records of one page keep their order: they stand in one chain before and
 * after. */
static void move_chain(struct pcv__trap *trap, struct pcv__trap **table,
                       uint32_t buckets, uint32_t shift)
{
    while (trap) {
        struct pcv__trap *next = trap->next;

        append(chain(table, buckets, trap->start >> shift), trap);
        trap = next;
    }
}

static void grow(struct pcv_domain *domain) PCV__REQUIRES(domain->map_lock)
{
    uint32_t shift = domain->host->page_shift;
    uint32_t old = domain->trap_buckets;
    uint32_t buckets = old != 0 ? old * 2u : FEW * 4u;
    struct pcv__trap **table;

    /* At most half as many as buckets: a chain is nearly always one long. */
    if (domain->trap_total < (old != 0 ? old / 2u : FEW) || buckets < old) {
        return;
    }
    table =
        pcv__alloc(&domain->host->mem, buckets * sizeof(struct pcv__trap *));
    if (!table) {
        return;
    }
    for (uint32_t i = 0; i < old; i++) {
        move_chain(domain->traps[i], table, buckets, shift);
    }
    move_chain(domain->trap_few, table, buckets, shift);
    pcv__free(&domain->host->mem, domain->traps,
              old * sizeof(struct pcv__trap *));
    domain->trap_few = NULL;
    domain->traps = table;
    domain->trap_buckets = buckets;
}

/* ---- records ---------------------------------------------------------------
 */

/* The most records that a BAR can need, wherever it is placed. */
static uint32_t count_pages(struct pcv_device *device, uint32_t number)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    uint32_t shift = device->host->page_shift;
    struct pcv__owned owned;
    uint64_t pages, at = 0;
    uint32_t count = 0;

    pcv__bar_owned(device, number, &owned);
    pages = owned.size >> shift;
    if (owned.size != 0 && pages == 0) {
        return 1;
    }
    if (pcv__bar_is_trapped(device, number, &owned)) {
        return pages <= PCV__TRAPPED_PAGES ? (uint32_t)pages : 0;
    }
    if (vpci->hidden && pages <= PCV__TRAPPED_PAGES) {
        return (uint32_t)pages; /* its owner may move it */
    }
    while (at < pages) {
        struct pcv__piece piece =
            pcv__piece_at(vpci, number, false, at, pages - at);

        count += piece.hole ? (uint32_t)piece.pages : 0;
        at += piece.pages;
    }
    return count + pcv__hidden_pages(device, number);
}

/* As many records as the device can need: each BAR and hole is bounded. */
static uint32_t count_records(struct pcv_device *device)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        count += count_pages(device, i);
    }
    return count;
}

int pcv__records_make(struct pcv_device *device, struct pcv__records *out)
{
    uint32_t count = count_records(device);
    struct pcv__trap *traps = NULL;

    if (count != 0) {
        traps = pcv__alloc(&device->host->mem, count * sizeof(*traps));
        if (!traps) {
            return -PCV_ENOMEM;
        }
    }
    out->traps = traps;
    out->count = (uint16_t)count;
    return 0;
}

int pcv__traps_prepare(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__records made;
    int error;

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        PCV__ASSERT(&device->host->mem, !vpci->mapped[i].placed);
    }
    if (count_records(device) == vpci->trap_count) {
        return 0;
    }
    error = pcv__records_make(device, &made);
    if (error != 0) {
        return error;
    }
    pcv__traps_free(device, vpci);
    vpci->traps = made.traps;
    vpci->trap_count = made.count;
    return 0;
}

void pcv__records_free(struct pcv_device *device, struct pcv__records *records)
{
    pcv__free(&device->host->mem, records->traps,
              records->count * sizeof(*records->traps));
    *records = (struct pcv__records){NULL, 0};
}

void pcv__records_exchange(struct pcv_device *device,
                           struct pcv__records *records)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv_domain *domain = pcv__map_domain(device);
    const struct pcv__records before = {vpci->traps, vpci->trap_count};
    struct pcv__owned owned;

    pcv__lock_take(&device->host->mem, &domain->map_lock);
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        pcv__traps_remove(device, i, domain);
    }
    vpci->traps = records->traps;
    vpci->trap_count = records->count;
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (vpci->mapped[i].placed) {
            pcv__bar_owned(device, i, &owned);
            pcv__traps_insert(device, i, owned.size, domain);
        }
    }
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
    *records = before;
}

void pcv__traps_free(struct pcv_device *device, struct pcv__vpci *vpci)
{
    pcv__free(&device->host->mem, vpci->traps,
              vpci->trap_count * sizeof(*vpci->traps));
    vpci->traps = NULL;
    vpci->trap_count = 0;
}

/* The next record that stands nowhere, from the i-th on, or NULL. */
static struct pcv__trap *unused(struct pcv__vpci *vpci, uint32_t *i)
{
    while (*i < vpci->trap_count) {
        struct pcv__trap *trap = &vpci->traps[(*i)++];

        if (!trap->used) {
            return trap;
        }
    }
    return NULL;
}

/* The bytes that a BAR has of a page. */
static void insert(struct pcv_device *device, struct pcv__trap *trap,
                   uint32_t number, uint64_t page, uint64_t size,
                   struct pcv_domain *domain) PCV__REQUIRES(domain->map_lock)
{
    uint32_t shift = device->host->page_shift;
    uint64_t start = pcv__vpci(device)->mapped[number].start;
    uint64_t last = start + (size - 1u);
    uint64_t page_first = page << shift;
    uint64_t page_last = page_first + ((1ull << shift) - 1u);

    trap->start = start > page_first ? start : page_first;
    trap->size =
        (uint32_t)((last < page_last ? last : page_last) - trap->start + 1u);
    trap->device = device;
    trap->bar = (uint8_t)number;
    trap->used = true;
    append(chain_of(domain, page), trap);
    domain->trap_total++;
}

void pcv__traps_insert(struct pcv_device *device, uint32_t number,
                       uint64_t size, struct pcv_domain *domain)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__mapped *mapped = &vpci->mapped[number];
    /* Its page may be a hole of another's. */
    bool all = mapped->trapped || size < 1ull << device->host->page_shift;
    uint64_t page = mapped->start >> device->host->page_shift;
    uint64_t at = 0;
    uint32_t i = 0;

    grow(domain);
    while (at < mapped->total) {
        struct pcv__piece piece =
            pcv__piece_at(vpci, number, all, at, mapped->total - at);
        struct pcv__trap *trap;

        for (uint64_t n = 0; piece.hole && n < piece.pages; n++) {
            trap = unused(vpci, &i);
            if (!trap) {
                return; /* a BAR smaller than a page that crosses one */
            }
            insert(device, trap, number, page + at + n, size, domain);
        }
        at += piece.pages;
    }
    /* A write to what the hypervisor uses of it finds it by these. */
    for (at = 0; !all && at < mapped->total; at++) {
        struct pcv__trap *trap;

        if (!pcv__hidden_next_page(device, number, &at) ||
            at >= mapped->total) {
            return;
        }
        if (pcv__piece_at(vpci, number, false, at, 1).hole) {
            continue; /* it has a record already */
        }
        trap = unused(vpci, &i);
        if (trap) {
            insert(device, trap, number, page + at, size, domain);
        }
    }
}

static void take_out(struct pcv__trap *trap, struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock)
{
    uint32_t shift = domain->host->page_shift;
    struct pcv__trap **at = chain_of(domain, trap->start >> shift);

    while (*at != trap) {
        at = &(*at)->next;
    }
    *at = trap->next;
    trap->used = false;
    domain->trap_total--;
}

void pcv__traps_remove(struct pcv_device *device, uint32_t number,
                       struct pcv_domain *domain)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint32_t i = 0; i < vpci->trap_count; i++) {
        if (vpci->traps[i].used && vpci->traps[i].bar == number) {
            take_out(&vpci->traps[i], domain);
        }
    }
}

/* ---- finding ---------------------------------------------------------------
 */

static const struct pcv__trap *find(struct pcv_domain *domain, uint64_t address)
    PCV__REQUIRES(domain->map_lock)
{
    uint64_t page = address >> domain->host->page_shift;
    const struct pcv__trap *trap = *chain_of(domain, page);

    while (trap &&
           (address < trap->start || address - trap->start >= trap->size)) {
        trap = trap->next;
    }
    return trap;
}

enum pcv_verdict pcv__trap_enter(struct pcv_domain *domain, uint64_t address,
                                 struct pcv_device **out_device,
                                 uint8_t *out_bar)
{
    const uint64_t shut = PCV__WORD_NEW | PCV__WORD_CLOSED | PCV__WORD_LEAVING;
    struct pcv__mem *mem = &domain->host->mem;
    enum pcv_verdict verdict = PCV_FORWARD;
    const struct pcv__trap *trap;

    pcv__lock_take(mem, &domain->map_lock);
    trap = find(domain, address);
    if (trap) {
        *out_bar = trap->bar;
        *out_device = trap->device;
        verdict = PCV_DONE;
        if (!pcv__ref_try(trap->device, PCV_HOLDER_ACCESS,
                          shut | PCV__WORD_PAUSED)) {
            verdict =
                (pcv__word(trap->device) & shut) != 0 ? PCV_ABSENT : PCV_RETRY;
        }
    }
    pcv__lock_drop(mem, &domain->map_lock);
    return verdict == PCV_FORWARD
               ? pcv__reserved_enter(domain, address, out_device, out_bar)
               : verdict;
}
