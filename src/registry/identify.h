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

/* Whether vendor and device ID are those of a function that is ready. */
bool pcv__ids_answer(uint32_t ids);
bool pcv__is_host_bridge(const struct pcv__identity *id);

/* ---- extended space (extended.c) --------------------------------------------
 */

/* What a host says of a run of buses, before it is recorded (EXT-2). */
struct pcv__ecam {
    uint8_t first, last;
    bool usable;
};

/* Whether extended space of an address can be reached (EXT-2). */
bool pcv__ecam_reaches(struct pcv_host *host, pcv_sbdf sbdf);
/* Whether it said anything of a bus; record it. */
bool pcv__ecam_declared(const struct pcv__segment *segment, uint8_t bus);
void pcv__ecam_declare(struct pcv__segment *segment,
                       const struct pcv__ecam *ecam)
    PCV__REQUIRES(segment->lock);

/*
 * Whether a device's extended space is, or is to be, there: with what was
 * declared, and with `planned` on top of it unless that is NULL. Without locks.
 */
bool pcv__ext_expected(struct pcv_device *device,
                       const struct pcv__ecam *planned);
/* Whether a declaration changes, or has yet to change, that of this device; or
 * that of a bridge above an address which decides for what is behind it. */
bool pcv__ext_moves(const struct pcv_device *device);
bool pcv__ext_path_moves(struct pcv_host *host, pcv_sbdf sbdf);

/*
 * Whether a function can have extended space, before hardware is asked: what it
 * is, its bus, and the bridges above it; of a VF what its PF has, `pf`. The
 * capabilities of the first 256 bytes were read. Without locks.
 */
bool pcv__ext_possible(struct pcv_device *device, struct pcv_device *pf,
                       const struct pcv__ecam *planned);

/* What hardware says, where it is possible. */
enum pcv__ext_answer {
    PCV__EXT_ABSENT, /* all ones, or the first 256 bytes again */
    PCV__EXT_PRESENT,
    PCV__EXT_SILENT, /* the function does not answer at all (LIFE-9) */
};
enum pcv__ext_answer pcv__ext_probe(struct pcv__reader *reader);

/* Read what the registry needs of the extended capabilities. Nothing changes if
 * the host fails, reader->error. Before the device is published, or with its
 * lock held. */
void pcv__ext_learn(struct pcv_device *device, struct pcv__reader *reader);
/* The device serial number, 0 if there is none. */
uint64_t pcv__ext_serial(struct pcv__reader *reader);

#endif
