/* SPDX-License-Identifier: MIT */
/* Reading a function that is not registered yet, or not any more. */
#ifndef PCV_REGISTRY_IDENTIFY_H
#define PCV_REGISTRY_IDENTIFY_H

#include "registry/internal.h"

struct pcv__reader {
    struct pcv_host *host;
    pcv_sbdf sbdf;
    int error; /* of the host, in any read so far */
};

/* A register, as a source of capability walks; `ctx` is a reader. */
uint32_t pcv__reader_read(void *ctx, uint16_t reg, uint8_t size);

bool pcv__is_host_bridge(const struct pcv__identity *id);

/* Where the extended capabilities stand that the registry needs; 0: nowhere.
 * The first of a kind counts, and only if it has room for its registers. */
struct pcv__ext_caps {
    uint16_t serial, sriov, ari;
};

/* Returns PCV_CAP_*. */
uint32_t pcv__ext_caps_find(struct pcv__reader *reader,
                            struct pcv__ext_caps *out_found);
/* The device serial number, 0 if there is none. */
uint64_t pcv__ext_serial(struct pcv__reader *reader,
                         const struct pcv__ext_caps *caps);
/* Whether extended space is there and is not the first 256 bytes again. The
 * device's capabilities were read. */
bool pcv__ext_probe(struct pcv_device *device, struct pcv__reader *reader);

#endif
