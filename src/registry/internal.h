/* SPDX-License-Identifier: MIT */
/*
 * The registry's own structures, shared inside src/: hosts, segments, devices
 * and domains, and the word that holds all references of a device.
 */
#ifndef PCV_REGISTRY_INTERNAL_H
#define PCV_REGISTRY_INTERNAL_H

#include <stdatomic.h>

#include "base/imap.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "pcivisor/pcivisor.h"

/* ---- a device's word ------------------------------------------------------
 *
 *   bits  0..19  references of callers        (LIFE-4)
 *   bits 20..31  vectors
 *   bits 32..47  accesses in flight
 *   bits 48..55  owner
 *   bit  56      registry
 *   bit  60      new: registered, not yet to be found
 *   bit  61      paused: the gate answers retry
 *   bit  62      closed: the gate answers absent
 *   bit  63      leaving: removed; neither found nor entered
 *
 * Nobody holds the device when bits 0..56 are zero. From then on nobody can
 * take a reference, and the one who made it so releases the device (LIFE-3).
 */
#define PCV__WORD_COUNTS 0x01ffffffffffffffull
#define PCV__WORD_NEW (1ull << 60)
#define PCV__WORD_PAUSED (1ull << 61)
#define PCV__WORD_CLOSED (1ull << 62)
#define PCV__WORD_LEAVING (1ull << 63)

/* One reference of a holder, as an addend to the word. */
uint64_t pcv__holder_unit(enum pcv_holder holder);
uint32_t pcv__holder_count(uint64_t word, enum pcv_holder holder);

struct pcv__segment;

/* What a device shows to its owner; the vpci floor's. */
struct pcv__view {
    void (*free)(struct pcv_device *device, struct pcv__view *view);
};

/* One BAR. */
struct pcv__bar {
    uint64_t address;
    uint64_t size;
    uint8_t kind;  /* enum pcv_bar_kind */
    uint8_t flags; /* PCV_BAR_* */
};

#define PCV__VF_BARS 6u

/* What a PF says of its VFs, read when it was added. */
struct pcv__vfs {
    uint16_t count, offset, stride;
    struct pcv__bar bar[PCV__VF_BARS]; /* one VF's size, the first's address */
};

/* What tells one card from another (LIFE-7). */
struct pcv__identity {
    uint64_t serial;
    uint32_t class_code;
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint8_t revision;
    uint8_t header_type;
};

struct pcv_device {
    struct pcv__pooled pooled;
    /* Read by finds that may look at a stale slot: atomic, checked after. */
    _Atomic uint64_t word;
    _Atomic uint32_t sbdf;
    _Atomic(struct pcv_domain *) owner;
    _Atomic bool vanished;
    _Atomic bool extended;
    _Atomic int hw_error; /* the host failed in an access; 0: not since it was
                             cleared */
    struct pcv_host *host;
    struct pcv__segment *segment;
    struct pcv__view *view; /* set before the device is published */
    _Atomic uint64_t reads, writes, refused;

    /* Set before publication, constant after. */
    struct pcv__identity id;
    enum pcv_device_type type;
    uint32_t cap_problems;
    uint8_t pcie_cap, phantom_bits;
    bool pcix; /* PCI-X 266 or 533 */
    bool is_vf;
    pcv_sbdf physfn;
    uint16_t sriov_cap, ari_cap;
    uint16_t vf_index; /* of a VF, from 0 */

    /* Under the segment's lock. */
    uint32_t vf_count; /* of a PF: VFs that are registered */
    bool is_bridge, bus_conflict, bound;
    uint8_t secondary, subordinate;
    uint8_t last_bus; /* of the host's run of buses that it stands on */
    struct pcv_device *next_leaving; /* while a removal works on it */
    struct pcv_completion *done;
    _Atomic uint32_t node;

    /* Under the device's lock. */
    struct pcv__lock lock;
    struct pcv_vector *vectors PCV__GUARDED_BY(lock);
    struct pcv__bar bar[PCV_BARS];
    struct pcv__vfs *vfs;            /* of a PF, or NULL; freed with the view */
    bool torn PCV__GUARDED_BY(lock); /* nothing may be mapped or bound more */
};

/* Tables of a segment: bus, then device number, then function. Once made they
 * stay until the host ends, so that finds need no lock. */
struct pcv__functions {
    _Atomic(struct pcv_device *) fn[PCV_FUNCTIONS];
};

struct pcv__bus {
    _Atomic(struct pcv__functions *) slot[PCV_SLOTS];
};

struct pcv__segment {
    uint16_t number;
    struct pcv__lock lock;
    _Atomic(struct pcv__bus *) bus[PCV_BUSES];
    /* The bridge above each bus: PCV__UP_VALID | bus and devfn, or 0. */
    _Atomic uint32_t up[PCV_BUSES];
};

#define PCV__UP_VALID 0x80000000u
#define PCV__SEGMENT_FAN 256u

struct pcv__segments {
    _Atomic(struct pcv__segment *) low[PCV__SEGMENT_FAN];
};

struct pcv__ecam_window {
    uint64_t base, end; /* end is the last byte */
    uint16_t segment;
    uint8_t bus_first;
};

#define PCV__ECAM_WINDOWS 64u

struct pcv_domain {
    struct pcv_host *host;
    uint32_t id;
    enum pcv_domain_kind kind;
    struct pcv__lock map_lock;
    struct pcv__imap map PCV__GUARDED_BY(map_lock);
    _Atomic uint32_t port_latch; /* what 0xCF8 holds */
    _Atomic bool amd_port_bits;
    struct pcv__ecam_window *ecam; /* sorted; room for PCV__ECAM_WINDOWS */
    uint32_t ecam_count;
};

struct pcv_host {
    struct pcv__mem mem;
    uint32_t page_shift;
    struct pcv__pool devices;
    struct pcv__lock segments_lock; /* rank segment: making a segment */
    _Atomic(struct pcv__segments *) segments[PCV__SEGMENT_FAN];
    struct pcv_domain hardware, hypervisor, quarantine;
    _Atomic bool trace;
    _Atomic uint64_t device_count, leaving_count, segment_count;
    _Atomic uint64_t absent_accesses, refused_accesses;
};

/* ---- references and gate (ref.c) ------------------------------------------
 */

/*
 * Take a reference if somebody holds the device and none of the `forbidden`
 * bits is set. Returns false without one otherwise, or if that count is full.
 */
bool pcv__ref_try(struct pcv_device *device, enum pcv_holder holder,
                  uint64_t forbidden);
/* Give one back. Returns true if it was the last and the device is gone: then
 * it must not be touched again. */
bool pcv__ref_put(struct pcv_device *device, enum pcv_holder holder);

/* Enter the gate of the device at an address, owned by `domain` (NULL: by
 * anybody). PCV_DONE: *out_device holds an access, end it with
 * pcv__gate_leave(). PCV_RETRY: it is paused. PCV_ABSENT. */
enum pcv_verdict pcv__gate_enter(struct pcv_host *host,
                                 struct pcv_domain *domain, pcv_sbdf sbdf,
                                 struct pcv_device **out_device);
void pcv__gate_leave(struct pcv_device *device);

/*
 * Pause the gate, under the device's lock: 0, and nobody is inside until
 * pcv__gate_open(); -PCV_ERESTART while accesses that are inside drain: it
 * stays paused, so that nobody new comes in and the next call finds it empty;
 * -PCV_ENODEV if the device is leaving.
 */
int pcv__gate_pause(struct pcv_device *device);
void pcv__gate_open(struct pcv_device *device);

/* ---- tables (table.c) -------------------------------------------------------
 */

/* What the table holds for an address: a hint that must be checked after a
 * reference was taken. */
struct pcv_device *pcv__table_peek(struct pcv_host *host, pcv_sbdf sbdf);
struct pcv__segment *pcv__segment_find(struct pcv_host *host, uint16_t number);
/* The place for an address if it was made already, or NULL. */
_Atomic(struct pcv_device *) *pcv__table_find_place(
    struct pcv__segment *segment, pcv_sbdf sbdf);
/* What that place holds: a hint, as pcv__table_peek() gives. */
struct pcv_device *pcv__segment_peek(struct pcv__segment *segment,
                                     pcv_sbdf sbdf);
/* As above, made if it is not there; NULL: out of memory. */
struct pcv__segment *pcv__segment_get(struct pcv_host *host, uint16_t number);
/* The place for an address, made if it is not there; NULL: out of memory. */
_Atomic(struct pcv_device *) *pcv__table_place(struct pcv_host *host,
                                               struct pcv__segment *segment,
                                               pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock);
void pcv__tables_free(struct pcv_host *host);
/* The device in the table of a segment at or after *rid, which becomes the
 * place where it was seen (its slot may be another device's by now). Without a
 * reference; whoever removes takes the segment's lock, so under it the pointer
 * stays valid unless the device is new or leaving. */
struct pcv_device *pcv__segment_next(struct pcv__segment *segment,
                                     uint32_t *rid, uint32_t last_rid);
/* As above, downwards from *rid to `first_rid`. */
struct pcv_device *pcv__segment_prev(struct pcv__segment *segment,
                                     uint32_t *rid, uint32_t first_rid);

/* Address in the segment: bus, device, function. */
static inline uint32_t pcv__rid(pcv_sbdf sbdf)
{
    return sbdf.v & 0xffffu;
}

static inline pcv_sbdf pcv__device_sbdf(const struct pcv_device *device)
{
    pcv_sbdf sbdf = {atomic_load_explicit(&device->sbdf, memory_order_relaxed)};
    return sbdf;
}

static inline uint64_t pcv__word(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->word, memory_order_acquire);
}

/* ---- hardware (hw.c): the one place that reads and writes it ---------------
 */

/* A function that is not registered yet. *error is set, and all ones are
 * returned, if the host could not perform the access; it is not cleared. */
uint32_t pcv__hw_probe(struct pcv_host *host, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size, int *error);
/* All ones if the device has vanished, or reg needs extended space that it
 * does not have. */
uint32_t pcv__hw_read(struct pcv_device *device, uint16_t reg, uint8_t size);
/* As above, and whether the host could perform it. */
bool pcv__hw_fetch(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t *out_value);
void pcv__hw_write(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t value);
/* A write that puts back what we changed: tried again if the host fails. */
void pcv__hw_restore(struct pcv_device *device, uint16_t reg, uint8_t size,
                     uint32_t value);
/* All ones of an access's width. */
static inline uint32_t pcv__ones(uint8_t size)
{
    return size >= 4 ? 0xffffffffu : (1u << (size * 8u)) - 1u;
}

/* ---- identity (identify.c) ------------------------------------------------
 */

/* Whether a function answers at an address: 0; -PCV_ENODEV; an error of the
 * host. A VF does not answer this question. */
int pcv__probe(struct pcv_host *host, pcv_sbdf sbdf);
/*
 * Read who answers at an address into a device that nobody can find yet.
 * `pf` is the device of its PF for a VF, else NULL.
 * 0; -PCV_ENODEV: nothing answers; an error of the host.
 */
int pcv__identify(struct pcv_device *device, const struct pcv_device *pf);
/* Read the identity of what answers now at a registered device's address. 0;
 * -PCV_ENODEV: nothing answers; an error of the host. */
int pcv__identify_again(struct pcv_device *device, struct pcv__identity *out);
bool pcv__identity_same(const struct pcv__identity *a,
                        const struct pcv__identity *b);

/* ---- capabilities (caps.c) --------------------------------------------------
 */

/* Walk the extended list, telling `see` of each capability until it returns
 * false. Returns PCV_CAP_*. */
uint32_t pcv__ext_caps_visit(const struct pcv_cap_source *source,
                             bool (*see)(void *ctx, const struct pcv_cap *cap),
                             void *ctx);

/* ---- topology (topology.c) -------------------------------------------------
 */

/* Let a bridge cover its buses, or mark its numbers as unusable. */
void pcv__bridge_bind(struct pcv__segment *segment, struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock);
void pcv__bridge_unbind(struct pcv__segment *segment, struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock);

/* ---- events (event.c) ------------------------------------------------------
 */

/* About a device whose object may be gone already. */
void pcv__event_at(struct pcv_host *host, pcv_sbdf sbdf,
                   enum pcv_event_kind kind, uint64_t arg0, uint64_t arg1);

void pcv__event(struct pcv_device *device, enum pcv_event_kind kind,
                enum pcv_event_class of, uint64_t arg0, uint64_t arg1);

/* ---- vectors (vector.c) -----------------------------------------------------
 */

/* The device goes: ask the host to free every vector. */
void pcv__vectors_release(struct pcv_device *device);

#endif
