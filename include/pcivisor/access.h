/* SPDX-License-Identifier: MIT */
/*
 * Entrances: how a domain's configuration accesses come in (CFG-1), and the
 * verdict that each of them gets (CFG-10).
 */
#ifndef PCIVISOR_ACCESS_H
#define PCIVISOR_ACCESS_H

#include "pcivisor/domain.h"
#include "pcivisor/types.h"

enum pcv_verdict {
    PCV_DONE,    /* performed; a read's data is valid */
    PCV_PENDING, /* performed, but this vCPU must not run before
                    pcv_access_resume() says done */
    PCV_RETRY,   /* nothing happened: run the access again, with the same
                    struct pcv_access, so that a split access goes on */
    PCV_ABSENT, /* there is no such device: data is all ones, a write is gone */
    PCV_FORWARD, /* not an access to configuration space: it is the host's */
};

/**
 * A constant string: "done", "pending", "retry", "absent", "forward". Context:
 * any. Locking: none.
 */
const char *pcv_verdict_name(enum pcv_verdict verdict);

/*
 * One access, in storage of the caller (a vCPU's state). Fill it with
 * PCV_READ() or PCV_WRITE(), or zero it and set the first five fields; keep it
 * untouched between retry or pending and the next call.
 */
struct pcv_access {
    pcv_sbdf sbdf;
    uint16_t reg; /* bytes from the start of configuration space */
    uint8_t size; /* 1, 2 or 4; through ECAM also 8 */
    bool write;
    uint64_t data; /* to be written, or what was read */
    /* the library's */
    uint8_t progress; /* bytes of a split access that are behind us */
    bool again;       /* resume performs it: it came too early */
    bool added;       /* resume added the device that it is about */
    bool split;       /* came through ECAM: 8 bytes are allowed */
    bool pending;
    bool overrules; /* resume takes away what is in its way, then performs it */
};

#define PCV_READ(address, offset, bytes)                                       \
    ((struct pcv_access){.sbdf = (address), .reg = (offset), .size = (bytes)})
#define PCV_WRITE(address, offset, bytes, value)                               \
    ((struct pcv_access){.sbdf = (address),                                    \
                         .reg = (offset),                                      \
                         .size = (bytes),                                      \
                         .write = true,                                        \
                         .data = (value)})

/**
 * Access configuration space by the address that the domain sees.
 *
 * Anything but 1, 2 or 4 bytes, naturally aligned, below 4096, reads all ones
 * and is dropped on write, and is counted (CFG-2).
 *
 * Where the hardware domain reads the vendor ID and nothing is registered,
 * hardware is asked, if it leads there; what answers makes the access pending,
 * and is added by pcv_access_resume() before that answers it (LIFE-12).
 *
 * Returns the verdict; after a read access->data is set (all ones where absent
 * or refused). Context: any. Locking: reads of plain registers take none,
 * others the device's lock. It never blocks.
 */
enum pcv_verdict pcv_access(struct pcv_domain *domain,
                            struct pcv_access *access);

/**
 * Go on with what a pending access began. Also called when the vCPU is told
 * to wait no longer: the access itself is never run twice. After a read that
 * was pending, access->data is set once this returns done.
 *
 * Returns PCV_DONE when the vCPU may run, PCV_PENDING or PCV_RETRY to be
 * called again.
 * Context: any; may add and remove devices. Locking: the device's lock, and the
 * domain's map lock.
 */
enum pcv_verdict pcv_access_resume(struct pcv_domain *domain,
                                   struct pcv_access *access);

/*
 * One access to memory of a BAR that is not mapped page for page, in storage of
 * the caller. Fill it with PCV_MMIO_READ() or PCV_MMIO_WRITE(), or zero it and
 * set the first four fields.
 */
struct pcv_mmio {
    pcv_gpa address;
    uint8_t size; /* 1, 2, 4 or 8 */
    bool write;
    uint64_t data;
    pcv_sbdf sbdf; /* set: the device, as the domain sees it */
};

#define PCV_MMIO_READ(gpa, bytes)                                              \
    ((struct pcv_mmio){.address = {(gpa)}, .size = (bytes)})
#define PCV_MMIO_WRITE(gpa, bytes, value)                                      \
    ((struct pcv_mmio){                                                        \
        .address = {(gpa)}, .size = (bytes), .write = true, .data = (value)})

/**
 * An access of a domain to guest-physical memory that nothing is mapped at
 * (HDR-5, HDR-8, MSIX-1). MSI-X tables are emulated; the rest of such pages is
 * the device's own registers, which the access reaches through the host's
 * mmio_read and mmio_write, inside the BAR's bounds.
 *
 * Where the hypervisor drives a function (OWN-8), the hardware domain reads all
 * ones, its writes are dropped, and access->sbdf is left alone.
 *
 * Returns PCV_DONE (after a read access->data is set; all ones where the access
 * is refused or nothing answers); PCV_RETRY; PCV_ABSENT: the device is going,
 * data is all ones; PCV_FORWARD: no BAR of the domain is trapped there.
 * Context: any. Locking: the domain's map lock, then the device's.
 */
enum pcv_verdict pcv_mmio_access(struct pcv_domain *domain,
                                 struct pcv_mmio *access);

/**
 * Give a domain an ECAM window: 1 MiB a bus from `base` (PCI Firmware 3.3,
 * 4.1).
 *
 * Returns 0; -PCV_EINVAL (base not aligned to 1 MiB, last before first, or the
 * window wraps); -PCV_EEXIST if it overlaps another; -PCV_ENOSPC if the domain
 * has 64 of them; -PCV_ENOMEM.
 * Context: control, not beside accesses of the domain.
 */
int PCV_MUST_CHECK pcv_domain_add_ecam(struct pcv_domain *domain, pcv_gpa base,
                                       uint16_t segment, uint8_t bus_first,
                                       uint8_t bus_last);

/**
 * An access to guest memory that may be in an ECAM window. Fills in `access`
 * from address, size and direction; the rest is pcv_access(). An aligned
 * 8-byte access is two of 4. On retry call it again with the same arguments.
 *
 * Returns the verdict; PCV_FORWARD if the first byte is in no window.
 * Context and locking: as pcv_access().
 */
enum pcv_verdict pcv_ecam_access(struct pcv_domain *domain, pcv_gpa address,
                                 uint8_t size, bool write, uint64_t data,
                                 struct pcv_access *access);

#define PCV_PORT_ADDRESS 0xcf8u
#define PCV_PORT_DATA 0xcfcu

/**
 * Let bits 27:24 of the address port select registers 0x100 to 0xfff, as AMD's
 * processors do. Off until said. Context: control.
 */
void pcv_domain_set_amd_port_bits(struct pcv_domain *domain, bool on);

/**
 * An access to an I/O port. A 4-byte access to 0xCF8 reads or sets the latched
 * address; 1, 2 and 4 bytes at 0xCFC to 0xCFF are configuration accesses while
 * the latch has its enable bit. Configuration mechanism 1 reaches segment 0
 * (PCI Local Bus 3.0, 3.2.2.3.2).
 *
 * Returns the verdict; PCV_FORWARD for every other port or width.
 * Context and locking: as pcv_access(). CPUs of a domain share the latch, so
 * who writes it and uses it is not beside another that does.
 */
enum pcv_verdict pcv_port_access(struct pcv_domain *domain, uint16_t port,
                                 uint8_t size, bool write, uint32_t data,
                                 struct pcv_access *access);

/* One record of the trace (CFG-9). */
struct pcv_trace {
    pcv_sbdf sbdf;
    uint32_t domain_id;
    uint16_t reg;
    uint8_t size;
    bool write;
    uint8_t verdict; /* enum pcv_verdict */
    uint64_t data;
};

#endif
