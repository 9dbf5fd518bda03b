/* SPDX-License-Identifier: MIT */
/*
 * What is behind the BAR of an emulated function (VBUS-6): pages that are
 * withheld from all other BARs, and served by the host's callbacks.
 */
#include "vbus/emulated.h"
#include "vpci/withheld.h"

/* ---- where it is reached ---------------------------------------------------
 */

static bool decodes(const struct pcv_emulated *emulated)
{
    return !emulated->withdrawn && (emulated->command & PCV_CMD_MEMORY) != 0 &&
           !pcv__emulated_is_below(emulated);
}

/* All ones, as they stand there while it is sized, are no address. */
static bool in_window(const struct pcv_emulated *emulated)
{
    const struct pcv_emulated_info *info = &emulated->info;
    const uint64_t limit = info->bar_64 ? UINT64_MAX : UINT32_MAX;
    const uint64_t bar = emulated->bar;

    return bar >= info->window.v &&
           bar - info->window.v <= info->window_size - info->bar_size &&
           bar + (info->bar_size - 1u) < limit;
}

static bool has_byte(const struct pcv_emulated *emulated, uint64_t address)
{
    return address >= emulated->bar &&
           address - emulated->bar < emulated->info.bar_size;
}

/* Whether another that is reached has bytes of it: both are powers of two and
 * aligned to their size, so one has the other's first byte. */
static bool is_taken(const struct pcv_emulated *emulated,
                     struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    const struct pcv_emulated *other = hardware->host->emulated;

    while (other && (other == emulated || other->pages == 0 ||
                     (!has_byte(other, emulated->bar) &&
                      !has_byte(emulated, other->bar)))) {
        other = other->next;
    }
    return other != NULL;
}

bool pcv__emulated_reach(struct pcv_emulated *emulated,
                         struct pcv_domain *hardware)
{
    const uint32_t shift = hardware->host->page_shift;
    const uint64_t first = emulated->bar >> shift;
    const uint64_t last =
        (emulated->bar + emulated->info.bar_size - 1u) >> shift;
    const bool whole = emulated->info.bar_size >> shift != 0;

    if (!decodes(emulated)) {
        return false;
    }
    if (emulated->pages != 0) {
        return true;
    }
    if (!in_window(emulated) || is_taken(emulated, hardware)) {
        return false;
    }
    emulated->set_aside =
        emulated->set_aside || pcv__imap_register(&hardware->holes) == 0;
    if (!emulated->set_aside ||
        !pcv__withhold(hardware, first, last - first + 1u, whole)) {
        return false;
    }
    emulated->first = first;
    emulated->pages = last - first + 1u;
    return true;
}

void pcv__emulated_shut(struct pcv_emulated *emulated,
                        struct pcv_domain *hardware)
{
    if (emulated->pages != 0) {
        emulated->set_aside = pcv__give_back(
            hardware, emulated->first, emulated->pages, emulated->info.sbdf);
        emulated->pages = 0;
    }
}

/* ---- accesses --------------------------------------------------------------
 */

static void count(struct pcv_emulated *emulated, const struct pcv_mmio *access,
                  struct pcv_domain *hardware) PCV__REQUIRES(hardware->map_lock)
{
    if (!pcv__mmio_is_sound(access)) {
        emulated->refused++;
        atomic_fetch_add_explicit(&hardware->host->refused_accesses, 1,
                                  memory_order_relaxed);
    } else if (access->write) {
        emulated->writes++;
    } else {
        emulated->reads++;
    }
}

/* Who is reached at an address, and where in its BAR, counted in; NULL. One
 * whose pages were not free when it was switched on gets them now, if they
 * are. Linear in the emulated functions, which are few, and only where nothing
 * is mapped and nothing trapped. */
static struct pcv_emulated *enter(struct pcv_domain *hardware,
                                  const struct pcv_mmio *access,
                                  uint64_t *out_offset)
{
    struct pcv__mem *mem = &hardware->host->mem;
    struct pcv_emulated *emulated;

    pcv__lock_take(mem, &hardware->map_lock);
    emulated = hardware->host->emulated;
    while (emulated &&
           (!has_byte(emulated, access->address.v) || !decodes(emulated) ||
            !pcv__emulated_reach(emulated, hardware))) {
        emulated = emulated->next;
    }
    if (emulated) {
        count(emulated, access, hardware);
        *out_offset = access->address.v - emulated->bar;
        atomic_fetch_add_explicit(&emulated->inside, 1, memory_order_relaxed);
    }
    pcv__lock_drop(mem, &hardware->map_lock);
    return emulated;
}

/* After this it may be gone. */
static void leave(struct pcv_emulated *emulated)
{
    atomic_fetch_sub_explicit(&emulated->inside, 1, memory_order_release);
}

static enum pcv_verdict perform(struct pcv_emulated *emulated, uint64_t offset,
                                struct pcv_mmio *access)
{
    const uint64_t ones = UINT64_MAX >> (64u - access->size * 8u);
    uint64_t value = 0;
    int error;

    if (access->write) {
        error = emulated->ops.write(emulated->ctx, 0, offset, access->size,
                                    access->data & ones);
    } else {
        error =
            emulated->ops.read(emulated->ctx, 0, offset, access->size, &value);
    }
    if (error == -PCV_ERESTART) {
        return PCV_RETRY;
    }
    if (!access->write) {
        access->data = error == 0 ? value & ones : ones;
    }
    return PCV_DONE;
}

/* What is refused reads all ones, of as many bytes as there may be. */
static void refuse(struct pcv_mmio *access)
{
    if (!access->write) {
        access->data =
            access->size >= 8 ? UINT64_MAX : (1ull << (access->size * 8u)) - 1u;
    }
}

enum pcv_verdict pcv__emulated_mmio(struct pcv_domain *hardware,
                                    struct pcv_mmio *access)
{
    enum pcv_verdict verdict = PCV_DONE;
    uint64_t offset = 0;
    struct pcv_emulated *emulated = enter(hardware, access, &offset);

    if (!emulated) {
        return PCV_FORWARD;
    }
    access->sbdf = emulated->info.sbdf;
    if (pcv__mmio_is_sound(access)) {
        verdict = perform(emulated, offset, access);
    } else {
        refuse(access);
    }
    leave(emulated);
    return verdict;
}

/* ---- looking ---------------------------------------------------------------
 */

static enum pcv_bar_state state_of(struct pcv_emulated *emulated,
                                   struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    if (pcv__emulated_reach(emulated, hardware)) {
        return PCV_BAR_TRAPPED;
    }
    if (!decodes(emulated)) {
        return PCV_BAR_OFF;
    }
    return in_window(emulated) ? PCV_BAR_WAITING : PCV_BAR_OUTSIDE;
}

void pcv_emulated_get_status(struct pcv_emulated *emulated,
                             struct pcv_emulated_status *out_status)
{
    struct pcv_domain *hardware = &emulated->host->hardware;
    struct pcv__mem *mem = &emulated->host->mem;

    memset(out_status, 0, sizeof(*out_status));
    pcv__lock_take(mem, &hardware->map_lock);
    out_status->info = emulated->info;
    out_status->command = emulated->command;
    out_status->bar.address.v = emulated->bar;
    out_status->bar.size = emulated->info.bar_size;
    out_status->bar.kind =
        emulated->info.bar_64 ? PCV_BAR_MEM64 : PCV_BAR_MEM32;
    out_status->bar.state = (uint8_t)state_of(emulated, hardware);
    out_status->bar.trapped_pages = emulated->pages;
    out_status->reads = emulated->reads;
    out_status->writes = emulated->writes;
    out_status->refused = emulated->refused;
    out_status->inside =
        atomic_load_explicit(&emulated->inside, memory_order_relaxed);
    out_status->concealed = emulated->concealed;
    pcv__lock_drop(mem, &hardware->map_lock);
}
