/* SPDX-License-Identifier: MIT */
/*
 * Physical functions where an emulated one stands (VBUS-6): they are concealed.
 * Nothing is registered there; the DMA of those addresses was blocked before
 * the emulated function came, and is blocked again when one is seen.
 */
#include "owner/emulated.h"

bool pcv__emulated_takes(struct pcv__segment *segment, pcv_sbdf sbdf)
{
    struct pcv__bus *bus = atomic_load_explicit(
        &segment->bus[pcv_sbdf_bus(sbdf)], memory_order_relaxed);

    return bus &&
           (atomic_load_explicit(&bus->emulated_slots, memory_order_relaxed) &
            1u << pcv_sbdf_device(sbdf)) != 0 &&
           (atomic_load_explicit(&segment->up[pcv_sbdf_bus(sbdf)],
                                 memory_order_relaxed) &
            PCV__UP_VALID) == 0;
}

int pcv__emulated_block(struct pcv_host *host, pcv_sbdf sbdf)
{
    const struct pcv__mem *mem = &host->mem;

    if (mem->ops.dma_attach &&
        mem->ops.dma_attach(mem->ctx, sbdf, PCV_DOMAIN_ID_QUARANTINE) != 0) {
        return -PCV_EIO;
    }
    return 0;
}

/* The bit of a function in pcv_emulated.concealed. */
static uint8_t bit_of(pcv_sbdf sbdf)
{
    return (uint8_t)(1u << pcv_sbdf_function(sbdf));
}

/* Whether an emulated function stands there now, and whether a physical one is
 * known to. *out_by is the former's address. */
static bool known(struct pcv_domain *hardware, pcv_sbdf sbdf, bool *out_was,
                  pcv_sbdf *out_by)
{
    struct pcv__mem *mem = &hardware->host->mem;
    struct pcv_emulated *emulated;

    pcv__lock_take(mem, &hardware->map_lock);
    emulated = pcv__emulated_at(hardware, sbdf);
    if (emulated) {
        *out_was = (emulated->concealed & bit_of(sbdf)) != 0;
        *out_by = emulated->info.sbdf;
    }
    pcv__lock_drop(mem, &hardware->map_lock);
    return emulated != NULL;
}

/* From now on it is known to be there, or not to be. Whether that is news. */
static bool note(struct pcv_domain *hardware, pcv_sbdf sbdf, bool is)
{
    const uint8_t bit = bit_of(sbdf);
    struct pcv__mem *mem = &hardware->host->mem;
    struct pcv_emulated *emulated;
    bool news = false;

    pcv__lock_take(mem, &hardware->map_lock);
    emulated = pcv__emulated_at(hardware, sbdf);
    if (emulated) {
        news = ((emulated->concealed & bit) != 0) != is;
        emulated->concealed = (uint8_t)(is ? emulated->concealed | bit
                                           : emulated->concealed & ~bit);
    }
    pcv__lock_drop(mem, &hardware->map_lock);
    return news;
}

/* One that answers is told of once, until it is seen to be gone. */
int pcv__emulated_conceals(struct pcv_host *host, pcv_sbdf sbdf, bool is_vf)
{
    struct pcv_domain *hardware = &host->hardware;
    pcv_sbdf by;
    bool was;
    int error;

    if (!pcv__emulated_any(hardware) || !known(hardware, sbdf, &was, &by)) {
        return 0;
    }
    error = is_vf ? 0 : pcv__probe(host, sbdf);
    if (error == -PCV_ENODEV) {
        (void)note(hardware, sbdf, false);
        return error;
    }
    if (error == 0 || error == -PCV_EAGAIN) {
        error = was ? 0 : pcv__emulated_block(host, sbdf);
    }
    if (error != 0) {
        return error;
    }
    if (note(hardware, sbdf, true)) {
        pcv__event_at(host, sbdf, PCV_EVENT_CONCEALED, by.v, 0);
    }
    return -PCV_EEXIST;
}
