/* SPDX-License-Identifier: MIT */
/*
 * Placeholders (OWN-14): the hardware domain goes on seeing a function that it
 * gave away, so that it believes neither that it was pulled nor that its place
 * is free.
 *
 * Who looks takes no reference, which would be in the way of a removal, or of a
 * change of owner: under the segment's lock what is live stays (LIFE-3), and
 * under the device's what is remembered of it does. Hardware is not asked.
 */
#include "vbus/placeholder.h"
#include "registry/barred.h"
#include "vpci/shadow.h"

/* The live device at an address. */
static struct pcv_device *live_at(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *device = pcv__segment_peek(segment, sbdf);
    uint64_t word = device ? pcv__word(device) : 0;

    return device && pcv__device_sbdf(device).v == sbdf.v &&
                   (word & PCV__WORD_REGISTERED) != 0 &&
                   (word & (PCV__WORD_NEW | PCV__WORD_LEAVING)) == 0
               ? device
               : NULL;
}

/*
 * Whether a placeholder stands for a live device: a guest has it, or quarantine
 * does, or it is on its way between them and the hardware domain, its gate
 * closed. PCV_RETRY: it is the hardware domain's.
 */
static enum pcv_verdict stands_for(const struct pcv_device *device)
{
    const struct pcv_host *host = device->host;
    /* A pointer to compare: a guest may end at any time. */
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    if (owner == &host->hypervisor || pcv__has_vanished(device)) {
        return PCV_ABSENT;
    }
    return owner == &host->hardware &&
                   (pcv__word(device) & PCV__WORD_CLOSED) == 0
               ? PCV_RETRY
               : PCV_DONE;
}

static enum pcv_verdict perform(struct pcv_device *device, uint16_t reg,
                                uint8_t size, bool write, uint32_t *data)
    PCV__REQUIRES(device->lock)
{
    struct pcv__shadow *shadow = pcv__shadow_of(device);
    bool nothing = !pcv__has_register(device, reg); /* CFG-8 */

    if (!shadow) {
        return PCV_ABSENT;
    }
    if (!write) {
        *data = nothing ? pcv__ones(size) : pcv__shadow_read(shadow, reg, size);
    } else if (nothing || !pcv__shadow_write(shadow, reg, size, *data)) {
        pcv__count(&device->refused);
    }
    return PCV_DONE;
}

static enum pcv_verdict placeholder_access(struct pcv_host *host, pcv_sbdf sbdf,
                                           uint16_t reg, uint8_t size,
                                           bool write, uint32_t *data)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    enum pcv_verdict verdict = PCV_ABSENT;
    struct pcv_device *device;

    if (!segment || !pcv__segment_peek(segment, sbdf)) {
        return PCV_ABSENT;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    device = live_at(segment, sbdf);
    if (device) {
        verdict = stands_for(device);
    }
    if (verdict == PCV_DONE) {
        pcv__lock_take(&host->mem, &device->lock);
        verdict = perform(device, reg, size, write, data);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    return verdict;
}

enum pcv_verdict pcv__stand_in_access(struct pcv_domain *hardware,
                                      pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                                      bool write, uint32_t *data)
{
    enum pcv_verdict verdict =
        placeholder_access(hardware->host, sbdf, reg, size, write, data);

    if (verdict == PCV_ABSENT && pcv__emulated_any(hardware)) {
        return pcv__emulated_access(hardware, sbdf, reg, size, write, data);
    }
    if (verdict != PCV_DONE && !write) {
        *data = pcv__ones(size);
    }
    return verdict;
}
