/* SPDX-License-Identifier: MIT */
/*
 * What the registry's files share with each other and with the floors above:
 * hosts and domains, references and the gate, tables, hardware, identity.
 */
#ifndef PCV_REGISTRY_INTERNAL_H
#define PCV_REGISTRY_INTERNAL_H

#include "base/imap.h"
#include "registry/table.h"

/* A guest's share of events that it can repeat: so many in so long. */
#define PCV__EVENTS_MAX 64u
#define PCV__EVENTS_US 1000000u

struct pcv__ecam_window {
    uint64_t base, end; /* end is the last byte */
    uint16_t segment;
    uint8_t bus_first;
};

#define PCV__ECAM_WINDOWS 64u

/* A device whose IOMMU faults are too many (OWN-10): where it stands, and the
 * last one. */
struct pcv__fault_due {
    uint32_t sbdf;
    uint32_t flags;
    uint64_t address;
    uint32_t next; /* of a bridge: where the walk behind it is */
};

#define PCV__FAULTS_DUE 64u /* devices that can wait at once */

struct pcv__window {
    uint64_t first, pages;
};

struct pcv_domain {
    struct pcv_host *host;
    struct pcv_domain *next; /* guests, by identifier */
    uint32_t id;
    enum pcv_domain_kind kind;
    struct pcv__lock map_lock;
    struct pcv__imap map PCV__GUARDED_BY(map_lock);   /* pages that BARs want */
    struct pcv__imap holes PCV__GUARDED_BY(map_lock); /* never mapped */
    struct pcv__imap read_only
        PCV__GUARDED_BY(map_lock);                      /* nor to be written */
    struct pcv__trap **traps PCV__GUARDED_BY(map_lock); /* hash by page */
    struct pcv__trap *trap_few;        /* while the table has no buckets */
    uint32_t trap_buckets, trap_total; /* likewise */
    struct pcv__vpci *waiting PCV__GUARDED_BY(map_lock); /* HDR-17 */
    /* A guest's bus: a hint that is checked after a reference was taken; NULL
     * for the host's own domains. The owner's reference is this table's. */
    _Atomic(struct pcv_device *) *slot;
    struct pcv__window window[PCV_DOMAIN_WINDOWS];
    uint32_t windows;
    _Atomic uint32_t devices; /* of a guest */
    _Atomic bool ending;      /* it is given nothing more (OWN-11) */
    uint8_t end_at;           /* its slot that is looked at next */
    /* Functions 0 that a stub stands in for: of the hardware domain how many,
     * of a guest a bit for each device number (OWN-9, VBUS-2). */
    _Atomic uint32_t stubs;
    _Atomic uint32_t port_latch; /* what 0xCF8 holds */
    _Atomic uint64_t events_us;  /* when its share of events began ... */
    _Atomic uint32_t events;     /* ... and how many came since */
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
    /* Segment 0 once more: most machines have no other. */
    _Atomic(struct pcv__segment *) segment_zero;
    _Atomic bool trace;
    struct pcv__lock place_lock; /* rank place: bar_place() and its use */
    struct pcv_domain hardware, hypervisor, quarantine;
    /* Bytes of memory and of I/O that read-only functions use (OWN-8), and how
     * many BARs have bytes of memory there. */
    struct pcv__lock reserved_lock; /* rank map */
    struct pcv__imap reserved_memory PCV__GUARDED_BY(reserved_lock);
    struct pcv__imap reserved_io PCV__GUARDED_BY(reserved_lock);
    _Atomic uint32_t reserved_count;
    /* Bytes of memory that the hypervisor uses of hidden functions (OWN-7), and
     * how many ranges there are. */
    struct pcv__imap used_memory PCV__GUARDED_BY(reserved_lock);
    _Atomic uint32_t used_count;
    _Atomic uint32_t concealed_count; /* functions (OWN-9) */
    struct pcv_domain *guests;        /* by identifier */
    _Atomic uint32_t work_count;      /* PFs with vf_work */
    _Atomic uint32_t renumber_count;  /* bridges that are renumbered */
    _Atomic uint32_t slot_count;      /* ports with slot_event */
    _Atomic uint32_t shadow_count;    /* devices with a shadow (OWN-14) */
    struct pcv__lock work_lock;
    struct pcv_device *work PCV__GUARDED_BY(work_lock); /* with vf_work */
    _Atomic uint32_t bus_reset_count;
    struct pcv_device *bus_resets PCV__GUARDED_BY(work_lock); /* bridges */
    _Atomic uint32_t resting_count;
    struct pcv_device *resting PCV__GUARDED_BY(work_lock); /* resting.h */
    /* IOMMU faults: how many are too many, and who is due (registry/faults.h);
     * the count is a hint without the work lock. */
    _Atomic uint32_t fault_limits;
    _Atomic uint32_t fault_count;
    struct pcv__fault_due fault_due[PCV__FAULTS_DUE] PCV__GUARDED_BY(work_lock);
    _Atomic uint32_t emulated_count;
    struct pcv_emulated *emulated; /* under the hardware domain's map lock */
    /* The last add that a read asked for and that failed (LIFE-12): its error
     * and, in the lower half, the address. */
    _Atomic uint64_t appear_failed;
    _Atomic uint64_t device_count, leaving_count, segment_count;
    _Atomic uint32_t wanted_count; /* devices with PCV__MARK_REMOVE */
    _Atomic uint64_t absent_accesses, refused_accesses, events_dropped;
    _Atomic uint64_t stray_faults;
    _Atomic uint64_t protected_writes; /* OWN-15 */
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

/* The last reference went: see above. */
void pcv__ref_last(struct pcv_device *device);

/* Enter the gate of the device that a domain sees at an address, without
 * counting it as an access. PCV_DONE: *out_device holds an access, end it with
 * pcv__gate_leave(). PCV_RETRY: it is paused. PCV_ABSENT. */
enum pcv_verdict pcv__gate_enter(struct pcv_domain *domain, pcv_sbdf sbdf,
                                 struct pcv_device **out_device);
void pcv__gate_leave(struct pcv_device *device);
/* The same for a device to which a reference is held, whoever has it.
 * `forbidden` is PCV__WORD_PAUSED for who may be long, or 0 for who only works
 * under the device's lock, as who pauses a gate does. PCV_RETRY also: as many
 * as can be are inside. */
enum pcv_verdict pcv__gate_enter_held(struct pcv_device *device,
                                      uint64_t forbidden);

/*
 * Pause the gate: 0, and nobody is inside until pcv__gate_open();
 * -PCV_ERESTART while accesses that are inside drain: it stays paused, so that
 * nobody new comes in and the next call finds it empty; -PCV_ENODEV if it is
 * closed or the device is leaving, and nobody is inside.
 *
 * There is one bit for all who pause. Each works under the device's lock from
 * the pause on until it opens, so that nobody opens what another one relies on;
 * bus numbers that change need it for longer, and then it stays (kept.paused,
 * kept.joining).
 */
int pcv__gate_pause(struct pcv_device *device) PCV__REQUIRES(device->lock);
void pcv__gate_open(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Close it for a change of owner: accesses answer absent until it is reopened.
 * 0: nobody is inside; -PCV_ERESTART: they drain, call again; -PCV_ENODEV. */
int pcv__gate_close(struct pcv_device *device);
/* Also what was paused meanwhile is open: so not beside one who works behind a
 * paused gate, hence the lock. */
void pcv__gate_reopen(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* The extras of a device, made if there are none; NULL: out of memory. */
struct pcv__extras *pcv__extras_get(struct pcv_device *device)
    PCV__REQUIRES(device->lock);

/* ---- tables (table.c) -------------------------------------------------------
 */

static inline struct pcv__segment *pcv__segment_find(struct pcv_host *host,
                                                     uint16_t number)
{
    struct pcv__segments *high;

    if (PCV__LIKELY(number == 0)) {
        return atomic_load_explicit(&host->segment_zero, memory_order_acquire);
    }
    high = atomic_load_explicit(&host->segments[number >> 8],
                                memory_order_acquire);
    return high ? atomic_load_explicit(&high->low[number & 0xffu],
                                       memory_order_acquire)
                : NULL;
}

/* The place for an address if it was made already, or NULL. */
static inline _Atomic(struct pcv_device *) *pcv__table_find_place(
    struct pcv__segment *segment, pcv_sbdf sbdf)
{
    struct pcv__bus *bus = atomic_load_explicit(
        &segment->bus[pcv_sbdf_bus(sbdf)], memory_order_acquire);
    struct pcv__functions *functions;

    if (!bus) {
        return NULL;
    }
    functions = atomic_load_explicit(&bus->slot[pcv_sbdf_device(sbdf)],
                                     memory_order_acquire);
    return functions ? &functions->fn[pcv_sbdf_function(sbdf)] : NULL;
}

/* What that place holds: a hint that must be checked after a reference was
 * taken. */
static inline struct pcv_device *pcv__segment_peek(struct pcv__segment *segment,
                                                   pcv_sbdf sbdf)
{
    _Atomic(struct pcv_device *) *place = pcv__table_find_place(segment, sbdf);

    return place ? atomic_load_explicit(place, memory_order_acquire) : NULL;
}

/* What the table holds for an address: likewise a hint. */
static inline struct pcv_device *pcv__table_peek(struct pcv_host *host,
                                                 pcv_sbdf sbdf)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));

    return segment ? pcv__segment_peek(segment, sbdf) : NULL;
}

/* As above, by the address that a domain sees. */
static inline struct pcv_device *pcv__domain_peek(struct pcv_domain *domain,
                                                  pcv_sbdf sbdf)
{
    if (!domain->slot) {
        return pcv__table_peek(domain->host, sbdf);
    }
    if (sbdf.v >= PCV_DEVFNS) {
        return NULL; /* a guest has one bus */
    }
    return atomic_load_explicit(&domain->slot[sbdf.v], memory_order_acquire);
}

/* The segment, made if it is not there; NULL: out of memory. */
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

/* Whether an owner is a guest, and not one of the host's own: a pointer to
 * compare. A guest may have ended since it was read, unless we are inside the
 * gate of what it has, change the owner of that, or hold its segment's lock. */
static inline bool pcv__is_guest(const struct pcv_host *host,
                                 const struct pcv_domain *owner)
{
    return owner != &host->hardware && owner != &host->hypervisor &&
           owner != &host->quarantine;
}

/* The hardware domain also has the use of what the hypervisor hides, and does
 * not conceal. */
static inline bool pcv__owns(const struct pcv_domain *domain,
                             const struct pcv_device *device)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    return owner == domain || (domain->kind == PCV_DOMAIN_HARDWARE &&
                               owner == &domain->host->hypervisor &&
                               !pcv__is_marked(device, PCV__MARK_CONCEALED));
}

/* Whether a device stands at an address, seen from a domain. */
static inline bool pcv__stands_at(const struct pcv_domain *domain,
                                  const struct pcv_device *device,
                                  pcv_sbdf sbdf)
{
    if (domain->slot) {
        return atomic_load_explicit(&device->guest_sbdf,
                                    memory_order_relaxed) == sbdf.v;
    }
    return pcv__device_sbdf(device).v == sbdf.v;
}

/* ---- hardware (hw.c): the one place that reads and writes it ---------------
 */

/* A function that is not registered yet. *error is set, and all ones are
 * returned, if the host could not perform the access; it is not cleared. */
uint32_t pcv__hw_probe(struct pcv_host *host, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size, int *error);
/* All ones if the device has vanished, or reg needs extended space that it
 * does not have, or it must be left alone after a reset. */
uint32_t pcv__hw_read(struct pcv_device *device, uint16_t reg, uint8_t size);
/* As above, and whether the host could perform it. */
bool pcv__hw_fetch(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t *out_value);
void pcv__hw_write(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t value);
/* The host could not do an access to a register (or BAR: PCV__IN_BAR | number)
 * of the device: it is told. */
#define PCV__IN_BAR 0x10000u
void pcv__hw_failed(struct pcv_device *device, uint32_t where, bool write);
/* A write that puts back what we changed: tried again if the host fails. */
void pcv__hw_restore(struct pcv_device *device, uint16_t reg, uint8_t size,
                     uint32_t value);
/* Leave a device alone from now on for so long, which is no time if the host
 * has no clock; how long it still is, in microseconds (SRIOV-3). */
void pcv__hw_quiet(struct pcv_device *device, uint64_t us);
uint64_t pcv__hw_quiet_us(const struct pcv_device *device);
/* The same of one that may have vanished: of what may be found at its address
 * again. */
uint64_t pcv__hw_rest_us(const struct pcv_device *device);
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
int pcv__identify(struct pcv_device *device, struct pcv_device *pf);
/* Read the identity of what answers now at a registered device's address. 0;
 * -PCV_ENODEV: nothing answers; an error of the host. */
int pcv__identify_again(struct pcv_device *device, struct pcv__identity *out);
/* As above, of what answers at another address in its place. */
int pcv__identify_at(struct pcv_device *device, pcv_sbdf sbdf,
                     struct pcv__identity *out);
/* Whether that is the card that is registered. A serial number tells only where
 * both are known. Takes the device's lock. */
bool pcv__identity_same(struct pcv_device *device,
                        const struct pcv__identity *now);

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
