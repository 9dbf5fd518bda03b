/* SPDX-License-Identifier: MIT */
/* The end of a host. */
#include "owner/emulated.h"
#include "owner/look.h"
#include "registry/domain.h"
#include "registry/resting.h"

static bool is_held(struct pcv_device *device)
{
    return pcv__is_held(device) ||
           pcv__holder_count(pcv__word(device), PCV_HOLDER_ACCESS) != 0;
}

/* Nothing else runs for this host, so nothing changes between two looks. */
static bool segment_is_held(struct pcv__segment *segment)
{
    uint32_t rid = 0;
    struct pcv_device *device;

    while ((device = pcv__segment_next(segment, &rid, 0xffffu)) != NULL) {
        if (is_held(device)) {
            return true;
        }
        rid++;
    }
    for (device = segment->kept; device; device = device->kept.next) {
        if (is_held(device)) {
            return true;
        }
    }
    return false;
}

/* What guests own goes as it is: their accesses and DMA ended before. */
static void take_from_guests(struct pcv__segment *segment)
{
    uint32_t rid = 0;
    struct pcv_device *device;

    while ((device = pcv__segment_next(segment, &rid, 0xffffu)) != NULL) {
        pcv__guest_drop(device);
        rid++;
    }
    for (device = segment->kept; device; device = device->kept.next) {
        pcv__guest_drop(device);
    }
}

/* From the highest address down, so that bridges and PFs go last; what cannot
 * be reached goes with the bridge that it is behind. A VF whose requester ID
 * wrapped below its PF's is taken in a second round. */
static void remove_devices(struct pcv_host *host, struct pcv__segment *segment)
{
    for (int round = 0; round < 2; round++) {
        uint32_t rid = 0xffffu;
        struct pcv_device *device;

        while ((device = pcv__segment_prev(segment, &rid, 0)) != NULL) {
            pcv_sbdf sbdf = pcv__device_sbdf(device);
            int error = pcv_device_remove(host, sbdf, NULL, NULL);

            pcv__resting_let_go(host, true); /* it may just have come to rest */
            PCV__ASSERT(&host->mem, error == 0 || round == 0);
            (void)error;
            if (rid-- == 0) {
                break;
            }
        }
    }
}

/* The first segment at or after a number, which becomes its own; NULL: none.
 * Numbers whose upper byte nobody has are passed over in one step. */
static struct pcv__segment *segment_from(struct pcv_host *host,
                                         uint32_t *number)
{
    while (*number <= 0xffffu) {
        struct pcv__segment *segment;

        if (!atomic_load_explicit(&host->segments[*number >> 8],
                                  memory_order_acquire)) {
            *number = (*number | 0xffu) + 1u;
            continue;
        }
        segment = pcv__segment_find(host, (uint16_t)*number);
        if (segment) {
            return segment;
        }
        *number += 1;
    }
    return NULL;
}

int pcv_host_destroy(struct pcv_host *host)
{
    struct pcv__segment *segment;

    if (!host) {
        return 0;
    }
    pcv__resting_let_go(host, true);
    for (uint32_t i = 0; (segment = segment_from(host, &i)) != NULL; i++) {
        if (segment_is_held(segment)) {
            return -PCV_EBUSY;
        }
    }
    for (uint32_t i = 0; (segment = segment_from(host, &i)) != NULL; i++) {
        take_from_guests(segment);
        remove_devices(host, segment);
    }
    pcv__emulated_drop(host);
    pcv__host_free(host);
    return 0;
}
