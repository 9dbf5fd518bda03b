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
#include "base/pool.h"
#include "registry/numbers.h"
#include "registry/word.h"

struct pcv__segment;
struct pcv_emulated;
struct pcv__assignment;
struct pcv__saved;
struct pcv__shadow;
struct pcv__trap;
struct pcv__vpci;

/* What a device shows to its owner; the vpci floor's. It is freed under the
 * device's lock. */
struct pcv__view {
    void (*free)(struct pcv_device *device, struct pcv__view *view);
};

/* What upper floors keep with a device begins with its size in bytes, so that
 * the last reference can free it. */
struct pcv__part {
    size_t bytes;
};

/* How long something is still waited for: a time, or without a clock so many
 * calls. */
struct pcv__patience {
    uint64_t until_us;
    uint32_t calls;
};

/* A bridge that resets what is behind it (owner/bus_reset.c): under the
 * segment's lock beside the device's. */
struct pcv__bus_reset {
    uint8_t phase;
    bool slot; /* of a hot-plug port: what stood in its registers */
    uint16_t slot_control, slot_status;
    _Atomic uint64_t until_us; /* when its next step is due; also looked at
                                  under the work lock */
    struct pcv_device *next;   /* of the host's: under the work lock */
};

/* What few devices have, made when the first of it is needed and kept until the
 * device is released. Under the device's lock. */
struct pcv__extras {
    /* Further requester IDs that the host named (TOPO-5), and the next device
     * that has some: under the segment's lock. */
    uint16_t requesters;
    uint16_t requester[4];
    struct pcv_device *next_named;
    /* Of a change of owner, and of a reset (vpci/pending.c). */
    struct pcv__patience patience;
    uint16_t command; /* what stood there before it was silenced */
    bool silenced;
    bool restores; /* once its reset is over its owner has all that it had */
    uint8_t reset_stage; /* of an administrator's reset: owner/reset_op.c */
    struct pcv__bus_reset bus_reset;
    /* What the hardware domain sees while it is not its own (vpci/shadow.h); a
     * struct pcv__part. */
    struct pcv__shadow *shadow;
    struct pcv__part *hidden; /* of a hidden function: vpci/hidden.h; or NULL */
    /* Of a bridge: the operation on all behind it that is under way, and why it
     * is taken back (OWN-13); owner/subtree.c. */
    uint8_t subtree;
    int32_t subtree_error;
    uint32_t subtree_busy;
};

/* Bits of pcv_device.marks. */
#define PCV__MARK_BROKEN 1u    /* it is given to no guest */
#define PCV__MARK_HIDDEN 2u    /* owner and hardware domain use it (OWN-7) */
#define PCV__MARK_CONCEALED 4u /* not there for the hardware domain (OWN-9) */
#define PCV__MARK_SLOT 8u      /* of function 0: so is all of its device */
#define PCV__MARK_ISOLATED 16u /* declared by the host (TOPO-6) */
#define PCV__MARK_PHANTOM 32u  /* so are its phantom functions (TOPO-5) */
/* It is to be removed when its guest, or the last guest behind it, gives it
 * back; `done` is who wants to know. Under the segment's lock. */
#define PCV__MARK_REMOVE 0x40u
#define PCV__MARK_READ_ONLY 0x80u /* its vPCI setup failed (OWN-2) */
/* Of a function: a guest has it, or is to have it; of a bridge or PF: such a
 * function is behind it, or a VF of it; the administrator lets writes through
 * that take it away (OWN-15). The first two under the segment's lock, the
 * second under the device's as well. */
#define PCV__MARK_GUARDED 0x100u
#define PCV__MARK_GUARDS 0x200u
#define PCV__MARK_OVERRIDE 0x400u
#define PCV__MARK_STUB 0x800u /* of function 0: others answered beside it */
/* What an operation on all behind a bridge did so far. */
#define PCV__MARK_SUBTREE 0x1000u
/* IOMMU faults, whose count stands in the upper half: registry/faults.h. */
#define PCV__MARK_FAULTY 0x2000u  /* too many came; no more are counted */
#define PCV__MARK_CUT 0x4000u     /* so its bus mastering is off */
#define PCV__MARK_CUT_DUE 0x8000u /* the owner floor has not looked yet */

/* Bits of pcv_device.notes. */
#define PCV__NOTE_NAMED 1u /* it has extras, with named requester IDs */
/* It was reset with its bus, and nobody had it since: what the host programmed
 * is to be put back (OWN-16). */
#define PCV__NOTE_CLEAN 2u
#define PCV__NOTE_HIT 4u       /* and it was not waited for yet */
#define PCV__NOTE_BUS_RESET 8u /* a bridge that resets what is behind it */
#define PCV__NOTE_MSIX 16u     /* MSI-X is set aside: cap/msix_prepare.c */

/* One BAR. */
struct pcv__bar {
    uint64_t address;
    uint8_t order; /* log2 of its size; 0: it has none */
    uint8_t kind;  /* enum pcv_bar_kind */
    uint8_t flags; /* PCV_BAR_* */
};

/* Bytes, a power of two, or 0. */
static inline uint64_t pcv__bar_size(const struct pcv__bar *bar)
{
    return bar->order != 0 ? 1ull << bar->order : 0;
}

/* A power of two above 1, or 0. */
static inline void pcv__bar_set_size(struct pcv__bar *bar, uint64_t size)
{
    bar->order = 0;
    while (size > 1) {
        size >>= 1;
        bar->order++;
    }
}

#define PCV__VF_BARS 6u

/* What a PF says of its VFs, and what its SR-IOV control asked for that is not
 * done yet (SRIOV-1). Under the PF's lock; as long as the PF. */
struct pcv__vfs {
    uint16_t count, offset, stride;
    bool memory; /* VF enable and VF memory enable, as last read */
    struct pcv__bar bar[PCV__VF_BARS]; /* one VF's size, the first's address */
    /* Of the owner floor, which does it: one at a time. */
    bool working;       /* somebody is at it */
    bool planned;       /* the mapping of the VF at `rid` was planned */
    bool parked;        /* APPEAR waits until the PF can be reached (TOPO-4) */
    uint8_t phase;      /* of PCV__VFS_MOVE; owner/vfs.c */
    uint8_t tries;      /* the next VF was not ready so often */
    uint16_t next;      /* PCV__VFS_APPEAR: index of the next VF */
    uint16_t silent;    /* VFs that did not answer */
    uint32_t rid;       /* PCV__VFS_MOVE: where the walk over VFs is */
    uint64_t appear_us; /* when they may be asked */
    /* The write that waits. */
    bool gone;          /* PCV__VFS_GO: a reset took them, nothing is written */
    uint8_t write_size; /* 2 or 4; 0: nothing */
    uint16_t write_reg; /* from the capability's start */
    uint32_t write_value;
    /* Of the host's list of work, under its work lock. */
    struct pcv_device *next_work, **work_at;
    uint64_t work_us; /* when vf_work is due */
};

/* What tells one card from another (LIFE-7). */
struct pcv__identity {
    uint64_t serial; /* 0: it has none; says nothing unless it is known */
    uint32_t class_code;
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint8_t revision;
    uint8_t header_type;
    bool serial_known; /* extended space could be read once (EXT-2) */
};

struct pcv_device {
    /* The first line of the cache is what every access reads. */
    struct pcv__pooled pooled;
    /* Read by finds that may look at a stale slot: atomic, checked after. */
    _Atomic uint64_t word;
    _Atomic(struct pcv_domain *) owner;
    _Atomic uint32_t sbdf;
    _Atomic uint32_t guest_sbdf; /* where a guest that owns it sees it */
    struct pcv__view *view;      /* set before the device is published */
    struct pcv_host *host;
    _Atomic uint32_t barred; /* PCV__BARRED_* */
    _Atomic int hw_error; /* the host failed in an access; 0: not since it was
                             cleared */
    _Atomic uint64_t entered; /* accesses by address, but for the tally */

    /* The second is what a write needs beside. */
    struct pcv__lock lock;
    _Atomic uint64_t stores;  /* of those entered: writes, under the lock */
    _Atomic uint64_t passes;  /* likewise: writes without it */
    _Atomic uint64_t no_read; /* likewise: not performed */
    _Atomic uint64_t refused;

    struct pcv__segment *segment;
    _Atomic uint64_t quiet_until_us; /* it was reset, and is left alone until
                                        then; 0: not any more (SRIOV-3) */
    _Atomic uint8_t ext_plan; /* PCV__EXT_*: is it to have extended space */
    _Atomic bool renumbered;  /* of a bridge: its bus numbers were written */
    _Atomic bool slot_event;  /* of a port: what is in its slot may have gone */
    _Atomic bool suspect;     /* another card may have taken its place */
    _Atomic uint32_t vf_work; /* enum pcv__vf_work, of a PF: owner's to do */

    /* Set before publication, constant after, but for what is read in extended
     * space: it changes under the lock, when that comes and goes (EXT-3). */
    struct pcv__identity id;
    enum pcv_device_type type;
    _Atomic uint32_t cap_problems;
    uint8_t pcie_cap;
    _Atomic uint8_t phantom_bits;
    bool pcix; /* PCI-X 266 or 533 */
    bool is_vf;
    _Atomic uint32_t marks;     /* PCV__MARK_* */
    struct pcv_device *pf;      /* of a VF that is live; it stays as long */
    _Atomic uint32_t physfn;    /* of a VF: its PF's address */
    _Atomic uint16_t sriov_cap; /* where it stands, or stood while it had
                                   extended space */
    _Atomic uint16_t ari_cap;   /* 0 while it has none */
    uint16_t vf_index;          /* of a VF, from 0 */
    uint16_t rebar_cap;         /* resizable BARs; 0: none was looked at yet */

    /* Under the segment's lock. */
    uint32_t vf_count; /* of a PF: VFs that are registered */
    bool is_bridge, bus_conflict, bound;
    bool changing;            /* somebody is inside a change of its owner */
    _Atomic bool read_only;   /* the hypervisor drives it (OWN-8) */
    _Atomic uint8_t notes;    /* PCV__NOTE_*: marks that found no room there */
    _Atomic uint16_t acs_cap; /* as ari_cap; it stands where there is room */

    /* Of a change of owner: theirs who set `changing`. */
    _Atomic(struct pcv_domain *) change_for; /* a guest that keeps a slot for
                                                it; others look at it, too */
    struct pcv__assignment *change_to;       /* what that guest is to see */
    bool change_reset;            /* it was reset since it was taken */
    _Atomic uint8_t change_step;  /* enum pcv_change_step, for who asks */
    _Atomic uint8_t change_error; /* it failed there: error number, or 0 */

    /* Under the segment's lock again. */
    uint8_t secondary, subordinate;
    uint8_t last_bus; /* of the host's run of buses that it stands on */
    /* These two under the device's lock; they stand where there is room. */
    bool vf_memory; /* of a VF: its PF enables VF memory, as last read */
    bool torn PCV__GUARDED_BY(lock); /* nothing may be mapped or bound more */
    struct pcv_device *next_leaving; /* while a removal works on it */
    struct pcv_completion *done;
    struct pcv__kept kept;
    _Atomic uint32_t node;
    _Atomic uint32_t dma; /* identifier of the domain that it sends to, if its
                             requester IDs are nobody else's (TOPO-5) */

    /* Under the device's lock. */
    struct pcv_vector *vectors PCV__GUARDED_BY(lock);
    struct pcv__bar bar[PCV_BARS];
    struct pcv__vfs *vfs;               /* of a PF, or NULL */
    struct pcv__assignment *assignment; /* while a guest owns it; the gate is
                                           closed when it changes */
    struct pcv__saved *saved; /* what the host programmed; reset.c, or NULL */
    struct pcv__bus_numbers numbers; /* while `renumbered` */
    struct pcv__extras *extras;      /* or NULL: see pcv__extras_get() */
};

/* Tables of a segment: bus, then device number, then function. Once made they
 * stay until the host ends, so that finds need no lock. */
struct pcv__functions {
    _Atomic(struct pcv_device *) fn[PCV_FUNCTIONS];
};

struct pcv__bus {
    _Atomic(struct pcv__functions *) slot[PCV_SLOTS];
    /* Device numbers that emulated functions have (VBUS-6), a bit each: written
     * under the segment's lock. */
    _Atomic uint32_t emulated_slots;
    _Atomic uint32_t away_slots;   /* likewise, those of away.h */
    struct pcv_emulated *emulated; /* under the hardware domain's map lock */
};

struct pcv__segment {
    _Atomic(struct pcv__bus *) bus[PCV_BUSES];
    uint16_t number;
    struct pcv_host *host;
    struct pcv__lock lock;
    /* The bridge above each bus: PCV__UP_VALID | bus and devfn, or 0. */
    _Atomic uint32_t up[PCV_BUSES];
    /* What the host declared of extended space, a bit a bus (EXT-2): whether it
     * did, and what it said. Written under the lock. */
    _Atomic uint32_t ecam_declared[PCV_BUSES / 32u];
    _Atomic uint32_t ecam_usable[PCV_BUSES / 32u];
    _Atomic uint32_t away_buses[PCV_BUSES / 32u]; /* with a mark of away.h */
    /* Functions that cannot be reached for the moment (TOPO-4), the last first;
     * and whether somebody moves functions to other bus numbers, one at a time.
     * Under the lock; the count is a hint without. */
    struct pcv_device *kept;
    _Atomic uint32_t kept_count;
    bool moving;
    _Atomic uint32_t moves; /* moves that began or ended: odd while one is */
    bool draining;          /* there are gates that are paused: kept.paused */
    /* Requester IDs that several functions share (TOPO-5). Under the lock: who
     * moves some, one at a time; whether others changed meanwhile what they
     * belong to; and the devices that have named ones. */
    const struct pcv_device *dma_by;
    bool dma_dirty;
    struct pcv_device *named;
};

#define PCV__UP_VALID 0x80000000u

/* pcv_device.ext_plan: a declaration's way through the devices (owner/ecam.c,
 * which alone writes it once the device can be found). */
#define PCV__EXT_PROBED 1u  /* this call looked at the device ... */
#define PCV__EXT_VERDICT 2u /* ... and it is to have extended space */
#define PCV__EXT_PENDING 4u /* declared: `extended` is to change */
#define PCV__EXT_PAUSED 8u  /* its gate is paused until accesses drained */
#define PCV__SEGMENT_FAN 256u

/* A guest's share of events that it can repeat: so many in so long. */
#define PCV__EVENTS_MAX 64u
#define PCV__EVENTS_US 1000000u

/* What a PF's SR-IOV control asks of the owner floor (SRIOV-1). */
enum pcv__vf_work {
    PCV__VFS_NOTHING,
    PCV__VFS_APPEAR, /* enabled: add them when their time has come */
    PCV__VFS_GO,     /* disabled: remove them, then write hardware */
    PCV__VFS_MOVE,   /* memory enable or addresses changed: map them anew */
};

struct pcv__segments {
    _Atomic(struct pcv__segment *) low[PCV__SEGMENT_FAN];
};

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

static inline bool pcv__is_marked(const struct pcv_device *device,
                                  uint32_t mark)
{
    return (atomic_load_explicit(&device->marks, memory_order_relaxed) &
            mark) != 0;
}

static inline bool pcv__is_noted(const struct pcv_device *device, uint8_t note)
{
    return (atomic_load_explicit(&device->notes, memory_order_acquire) &
            note) != 0;
}

static inline void pcv__note(struct pcv_device *device, uint8_t note)
{
    atomic_fetch_or_explicit(&device->notes, note, memory_order_acq_rel);
}

static inline void pcv__unnote(struct pcv_device *device, uint8_t note)
{
    atomic_fetch_and_explicit(&device->notes, (uint8_t)~note,
                              memory_order_acq_rel);
}

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

static inline pcv_sbdf pcv__physfn(const struct pcv_device *vf)
{
    pcv_sbdf sbdf = {atomic_load_explicit(&vf->physfn, memory_order_relaxed)};
    return sbdf;
}

static inline uint64_t pcv__word(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->word, memory_order_acquire);
}

/* The hardware domain also has the use of what the hypervisor hides, and does
 * not conceal. */
static inline bool pcv__owns(const struct pcv_domain *domain,
                             const struct pcv_device *device)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    return owner == domain || (domain->kind == PCV_DOMAIN_HARDWARE &&
                               owner->kind == PCV_DOMAIN_HYPERVISOR &&
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
