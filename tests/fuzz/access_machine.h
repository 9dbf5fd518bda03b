/* SPDX-License-Identifier: MIT */
/*
 * The machine that fuzz_access.c plays with, and its books: what the library
 * says of devices, references and mappings must be what is the case.
 */
#ifndef PCV_TESTS_FUZZ_ACCESS_MACHINE_H
#define PCV_TESTS_FUZZ_ACCESS_MACHINE_H

#include <stdio.h>
#include <stdlib.h>

#include "../unit/machines.h"
#include "pcivisor/pcivisor.h"

#define DEVICES 8u
#define VCPUS 2u
#define HOLDS 4u
#define REGISTERS 64u
#define WINDOW 0xb0000000u /* ECAM, buses 0 to 3 */

/* Addresses of these devices. */
extern const pcv_sbdf where[DEVICES];
enum { HOST_BRIDGE, PORT, BEHIND, SMALL, PF, VF, OLD, GARBAGE };

/* An access that a vCPU is at: done, to be run again, or pending. */
struct vcpu {
    struct pcv_access access;
    enum pcv_verdict verdict;
    unsigned entrance; /* 0: by address, 1: ECAM, 2: ports */
    uint64_t address;
    uint64_t data;
    uint8_t size;
    bool write;
};

struct machine {
    const uint8_t *in;
    size_t left;
    struct pcv_model *model;
    struct pcv_host *host;
    struct pcv_domain *dom0;
    struct vcpu vcpu[VCPUS];
    struct pcv_device *hold[HOLDS];
    struct pcv_register reg[REGISTERS];
    unsigned regs;
    unsigned adding;           /* the device that is being added; or DEVICES */
    const struct vcpu *asking; /* the vCPU that is being served, or NULL */
    bool unfinished[DEVICES];  /* its add said restart */
    bool dirty[DEVICES]; /* its command register was changed by somebody else,
                            or something may have been lost on the way */
    bool vanished[DEVICES];
    bool halfway;    /* BEHIND was cut off in the middle of a mapping: what is
                        mapped of it stays until numbers lead to it again */
    bool patchy;     /* pages may not have come back: the host failed */
    pcv_sbdf behind; /* where BEHIND is now, or was last: bus numbers change */
};

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);      \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* Build the machine with a host on it and add every device; the input is the
 * caller's. */
void machine_begin(struct machine *m);
/* Where a device is as far as the registry knows. */
pcv_sbdf machine_place(const struct machine *m, unsigned i);
/* See where it went; to be called after each operation. */
void machine_track(struct machine *m);
/* Look through the books; to be called between two operations. */
void machine_check(const struct machine *m);
/* Give everything back, which must work. */
void machine_end(struct machine *m);

struct pcv_device_status machine_status(const struct machine *m, unsigned i);

#endif
