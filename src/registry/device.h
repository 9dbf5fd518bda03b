/* SPDX-License-Identifier: MIT */
/*
 * A device's structure, shared inside src/: what every function has in 448
 * bytes, what few have beside it, and the bits that say one thing each.
 */
#ifndef PCV_REGISTRY_DEVICE_H
#define PCV_REGISTRY_DEVICE_H

#include <stdatomic.h>

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
enum pcv__bus_phase { PCV__BUS_NONE, PCV__BUS_HELD, PCV__BUS_RECOVERS };

struct pcv__bus_reset {
    uint8_t phase; /* enum pcv__bus_phase */
    bool slot;     /* of a hot-plug port: what stood in its registers */
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
    bool awaited;     /* that is how long it is waited for after a reset ... */
    bool silent;      /* ... and it did not answer when it was asked last */
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
    bool rests; /* of one of those: it was in quarantine, and is to be again */
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
/* Of a function: a guest has it, or is to have it, or it is the hypervisor's;
 * of a bridge or PF: such a function is behind it, or a VF of it; the
 * administrator lets writes through that take it away (OWN-15). The first two
 * under the segment's lock, the second under the device's as well. */
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
/* An operation on all behind it, or on its slot, is under way (OWN-13). Under
 * the segment's lock. */
#define PCV__NOTE_SET 32u
/* A bridge behind which the hypervisor uses something (OWN-7). As
 * PCV__MARK_GUARDS. */
#define PCV__NOTE_KEEPS 64u
#define PCV__NOTE_ARI 128u /* who added it says that its device knows of ARI   \
                            */

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

/* pcv_device.ext_plan: a declaration's way through the devices (owner/ecam.c,
 * which alone writes it once the device can be found). */
#define PCV__EXT_PROBED 1u  /* this call looked at the device ... */
#define PCV__EXT_VERDICT 2u /* ... and it is to have extended space */
#define PCV__EXT_PENDING 4u /* declared: `extended` is to change */
#define PCV__EXT_PAUSED 8u  /* its gate is paused until accesses drained */

/* What a PF's SR-IOV control asks of the owner floor (SRIOV-1). */
enum pcv__vf_work {
    PCV__VFS_NOTHING,
    PCV__VFS_APPEAR, /* enabled: add them when their time has come */
    PCV__VFS_GO,     /* disabled: remove them, then write hardware */
    PCV__VFS_MOVE,   /* memory enable or addresses changed: map them anew */
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
    struct pcv_device *next_leaving; /* while a removal works on it; then of
                                        those that rest (resting.h) */
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

/* Whether it belongs to a device whose functions have 8 bits of number, as far
 * as is known: its capability may be out of reach. */
static inline bool pcv__knows_ari(const struct pcv_device *device)
{
    return device->ari_cap != 0 || pcv__is_noted(device, PCV__NOTE_ARI);
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

#endif
