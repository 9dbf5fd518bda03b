/* SPDX-License-Identifier: MIT */
/*
 * Emulated functions come and go (VBUS-6), and what physical functions that
 * appear where one stands become: nobody's.
 *
 * A device number where nobody answers is taken under the segment's lock, as
 * every address of a device is, so that nothing can be registered there from
 * then on; the function can be found when it is in the lists.
 */
#include "owner/emulated.h"
#include "registry/route.h"

/* ---- what a host may ask for -----------------------------------------------
 */

static bool ids_valid(const struct pcv_emulated_info *info)
{
    /* 1 is what a function says that is not ready yet. */
    return info->vendor != 0xffffu && info->vendor > 1 &&
           info->class_code <= 0xffffffu;
}

static bool bar_valid(const struct pcv_emulated_info *info)
{
    return info->bar_size >= PCV_EMULATED_BAR_MIN &&
           info->bar_size <= PCV_EMULATED_BAR_MAX &&
           (info->bar_size & (info->bar_size - 1u)) == 0 &&
           info->window_size != 0 &&
           info->window_size - 1u <= UINT64_MAX - info->window.v;
}

static bool is_valid(const struct pcv_domain *hardware,
                     const struct pcv_emulated_info *info,
                     const struct pcv_emulated_ops *ops,
                     struct pcv_emulated **out_emulated)
{
    return hardware && hardware->kind == PCV_DOMAIN_HARDWARE && info && ops &&
           ops->read && ops->write && out_emulated &&
           pcv_sbdf_function(info->sbdf) == 0 && ids_valid(info) &&
           bar_valid(info);
}

/* Whether the BAR can stand anywhere in its window, all of it below the last
 * byte that its register can name. */
static bool has_place(const struct pcv_emulated_info *info)
{
    const uint64_t below = info->bar_size - 1u;
    const uint64_t limit = info->bar_64 ? UINT64_MAX : UINT32_MAX;
    const uint64_t last = info->window.v + (info->window_size - 1u);
    uint64_t first;

    if (info->window.v > UINT64_MAX - below) {
        return false;
    }
    first = (info->window.v + below) & ~below;
    return first <= last && below <= last - first && first < limit &&
           below < limit - first;
}

/* ---- taking a device number ------------------------------------------------
 */

static uint32_t slot_bit(pcv_sbdf sbdf)
{
    return 1u << pcv_sbdf_device(sbdf);
}

/* Whether somebody is registered in a device number, or on his way in or out.
 */
static bool has_devices(struct pcv__segment *segment, pcv_sbdf function0)
    PCV__REQUIRES(segment->lock)
{
    for (uint32_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        if (pcv__segment_peek(segment, (pcv_sbdf){function0.v | fn})) {
            return true;
        }
    }
    return false;
}

static int take_locked(struct pcv_emulated *emulated,
                       struct pcv__segment *segment)
    PCV__REQUIRES(segment->lock)
{
    const pcv_sbdf sbdf = emulated->info.sbdf;
    struct pcv__bus *bus;

    if (pcv__emulated_is_below(emulated)) {
        return -PCV_EPERM;
    }
    if (!pcv__table_place(emulated->host, segment, sbdf)) {
        return -PCV_ENOMEM;
    }
    bus = atomic_load_explicit(&segment->bus[pcv_sbdf_bus(sbdf)],
                               memory_order_relaxed);
    if ((atomic_load_explicit(&bus->emulated_slots, memory_order_relaxed) &
         slot_bit(sbdf)) != 0 ||
        has_devices(segment, sbdf)) {
        return -PCV_EEXIST;
    }
    emulated->bus = bus;
    atomic_fetch_or_explicit(&bus->emulated_slots, slot_bit(sbdf),
                             memory_order_acq_rel);
    return 0;
}

static int take(struct pcv_emulated *emulated)
{
    struct pcv__segment *segment = emulated->segment;
    struct pcv__mem *mem = &emulated->host->mem;
    int error;

    pcv__lock_take(mem, &segment->lock);
    error = take_locked(emulated, segment);
    pcv__lock_drop(mem, &segment->lock);
    return error;
}

static void release(struct pcv_emulated *emulated)
{
    struct pcv__segment *segment = emulated->segment;
    struct pcv__mem *mem = &emulated->host->mem;

    pcv__lock_take(mem, &segment->lock);
    atomic_fetch_and_explicit(&emulated->bus->emulated_slots,
                              ~slot_bit(emulated->info.sbdf),
                              memory_order_acq_rel);
    pcv__lock_drop(mem, &segment->lock);
}

/* Whether nothing answers in a device number: 0; -PCV_EEXIST; -PCV_EIO. */
static int probe_slot(struct pcv_host *host, pcv_sbdf function0)
{
    int error = -PCV_ENODEV;

    for (uint32_t fn = 0; fn < PCV_FUNCTIONS && error == -PCV_ENODEV; fn++) {
        error = pcv__probe(host, (pcv_sbdf){function0.v | fn});
    }
    if (error == -PCV_ENODEV) {
        return 0;
    }
    return error == 0 || error == -PCV_EAGAIN ? -PCV_EEXIST : error;
}

/* What appears there later does no DMA, whoever notices it, and when. Who is
 * registered there once we are gone gets its own back. 0 or -PCV_EIO. */
static int block_slot(struct pcv_host *host, pcv_sbdf function0)
{
    int error = 0;

    for (uint32_t fn = 0; fn < PCV_FUNCTIONS && error == 0; fn++) {
        error = pcv__emulated_block(host, (pcv_sbdf){function0.v | fn});
    }
    return error;
}

/* ---- coming ----------------------------------------------------------------
 */

/* Into the lists: it can be found. -PCV_ENOMEM. */
static int publish(struct pcv_emulated *emulated, struct pcv_domain *hardware)
{
    struct pcv_host *host = hardware->host;
    int error;

    pcv__lock_take(&host->mem, &hardware->map_lock);
    error = pcv__imap_register(&hardware->holes);
    if (error == 0) {
        emulated->set_aside = true;
        emulated->next = host->emulated;
        host->emulated = emulated;
        emulated->next_on_bus = emulated->bus->emulated;
        emulated->bus->emulated = emulated;
        atomic_fetch_add_explicit(&host->emulated_count, 1,
                                  memory_order_release);
    }
    pcv__lock_drop(&host->mem, &hardware->map_lock);
    return error;
}

/* Where nothing answers its device number is taken; what is plugged in after
 * that is concealed. */
static int come(struct pcv_emulated *emulated, struct pcv_domain *hardware)
{
    int error = pcv__emulated_is_below(emulated)
                    ? -PCV_EPERM
                    : probe_slot(emulated->host, emulated->info.sbdf);

    if (error == 0) {
        error = take(emulated);
    }
    if (error != 0) {
        return error;
    }
    error = block_slot(emulated->host, emulated->info.sbdf);
    if (error == 0) {
        error = publish(emulated, hardware);
    }
    if (error != 0) {
        release(emulated);
    }
    return error;
}

int pcv_emulated_create(struct pcv_domain *hardware,
                        const struct pcv_emulated_info *info,
                        const struct pcv_emulated_ops *ops, void *ctx,
                        struct pcv_emulated **out_emulated)
{
    struct pcv_emulated *emulated;
    struct pcv_host *host;
    struct pcv_segment_info run;
    int error;

    if (!is_valid(hardware, info, ops, out_emulated)) {
        return -PCV_EINVAL;
    }
    if (!has_place(info)) {
        return -PCV_ENOSPC;
    }
    host = hardware->host;
    error = pcv__bus_run(host, info->sbdf, &run);
    if (error != 0) {
        return error;
    }
    emulated = pcv__alloc(&host->mem, sizeof(*emulated));
    if (!emulated) {
        return -PCV_ENOMEM;
    }
    emulated->host = host;
    emulated->info = *info;
    emulated->ops = *ops;
    emulated->ctx = ctx;
    emulated->segment = pcv__segment_get(host, pcv_sbdf_segment(info->sbdf));
    error = emulated->segment ? come(emulated, hardware) : -PCV_ENOMEM;
    if (error != 0) {
        pcv__free(&host->mem, emulated, sizeof(*emulated));
        return error;
    }
    *out_emulated = emulated;
    return 0;
}

/* ---- going -----------------------------------------------------------------
 */

static void unlist_on_bus(struct pcv_emulated *emulated,
                          struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    struct pcv_emulated **at = &emulated->bus->emulated;

    (void)hardware;
    while (*at != emulated) {
        at = &(*at)->next_on_bus;
    }
    *at = emulated->next_on_bus;
}

/* Nobody finds it any more; what is inside goes on. False: it was so already.
 */
static bool withdraw(struct pcv_emulated *emulated, struct pcv_domain *hardware)
{
    struct pcv_host *host = hardware->host;
    bool first;

    pcv__lock_take(&host->mem, &hardware->map_lock);
    first = !emulated->withdrawn;
    if (first) {
        pcv__emulated_shut(emulated, hardware);
        if (emulated->set_aside) {
            pcv__imap_unregister(&hardware->holes);
        }
        unlist_on_bus(emulated, hardware);
        emulated->withdrawn = true;
        atomic_fetch_sub_explicit(&host->emulated_count, 1,
                                  memory_order_release);
    }
    pcv__lock_drop(&host->mem, &hardware->map_lock);
    return first;
}

static void unlist(struct pcv_emulated *emulated, struct pcv_domain *hardware)
{
    struct pcv_host *host = hardware->host;
    struct pcv_emulated **at = &host->emulated;

    pcv__lock_take(&host->mem, &hardware->map_lock);
    while (*at != emulated) {
        at = &(*at)->next;
    }
    *at = emulated->next;
    pcv__lock_drop(&host->mem, &hardware->map_lock);
}

int pcv_emulated_destroy(struct pcv_emulated *emulated)
{
    struct pcv_host *host;

    if (!emulated) {
        return 0;
    }
    host = emulated->host;
    if (withdraw(emulated, &host->hardware)) {
        release(emulated);
    }
    if (atomic_load_explicit(&emulated->inside, memory_order_acquire) != 0) {
        return -PCV_ERESTART;
    }
    unlist(emulated, &host->hardware);
    pcv__free(&host->mem, emulated, sizeof(*emulated));
    return 0;
}

void pcv__emulated_drop(struct pcv_host *host)
{
    int error = 0;

    while (host->emulated && error == 0) {
        error = pcv_emulated_destroy(host->emulated);
    }
    PCV__ASSERT(&host->mem, error == 0); /* nobody is inside */
}
