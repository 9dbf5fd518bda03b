/* SPDX-License-Identifier: MIT */
/*
 * A host: one machine's PCI subsystem. All state of the library hangs off it;
 * a program may have several.
 */
#ifndef PCIVISOR_HOST_H
#define PCIVISOR_HOST_H

#include "pcivisor/port.h"
#include "pcivisor/types.h"

struct pcv_host;

struct pcv_host_config {
    uint32_t page_shift; /* log2 of the page size in bytes: 12, 14 or 16 */
    uint32_t cpus;       /* CPUs that this_cpu() can name; 0: one */
};

/**
 * Create a host.
 *
 * @ops      the port; borrowed for the host's life, with all it points to
 * @ctx      first argument of every operation
 * @config   page size and CPUs; copied
 *
 * Returns 0 and *out_host (owned by the caller, pcv_host_destroy() ends it);
 * -PCV_EINVAL if a required operation is missing or the page size is not 4, 16
 * or 64 KiB; -PCV_ENOMEM. No device is known yet: scan or add.
 * Context: may not run beside another call for the same host.
 */
int PCV_MUST_CHECK pcv_host_create(const struct pcv_host_ops *ops, void *ctx,
                                   const struct pcv_host_config *config,
                                   struct pcv_host **out_host);

/**
 * End a host: every mapping is undone and every byte given back. Every device
 * reference and vector that a caller held must have been given back before.
 *
 * Returns 0, or -PCV_EBUSY while a caller still holds a device or a vector;
 * then nothing has changed.
 * Context: may not run beside another call for the same host.
 */
int pcv_host_destroy(struct pcv_host *host);

/* Where a scan stands. Zero it before the first call; owned by the caller. */
struct pcv_scan {
    uint32_t segment_index;
    uint32_t bus; /* next bus of that run, as an offset from its first */
    uint32_t found;
    uint32_t failed; /* functions that answered but could not be added */
    int first_error; /* of those, as a negative error number */
    pcv_sbdf first_failed;
};

/**
 * Find and add every function of every segment (TOPO-8): the multi-function
 * bit is honoured, below a PCIe downstream port only device 0 is asked, with
 * ARI the next-function numbers are followed as long as they grow, and VFs are
 * taken from their PF's capability. Functions already known are left alone.
 *
 * @scan    progress; zeroed by the caller before the first call
 * @budget  how many buses to look at before answering restart; 0: no bound
 *
 * Returns 0 when everything was looked at; scan->failed and scan->first_error
 * then say whether every function that answered could be added. -PCV_ERESTART:
 * call again with the same scan. Another negative result is the host's, from
 * its list of segments; calling again goes on where it failed.
 * Context: control. Locking: takes segment locks, one function at a time.
 */
int PCV_MUST_CHECK pcv_host_scan(struct pcv_host *host, struct pcv_scan *scan,
                                 uint32_t budget);

/**
 * Extended configuration space of a run of buses can be reached from now on, or
 * not (EXT-2). Each device on them is probed again; where the answer changes,
 * the extended capabilities that the hardware domain sees are built or torn
 * down, and nothing else is touched (EXT-3). VFs follow their PF, and what is
 * behind a bridge of a conventional bus that bridge, on whatever bus they are.
 * A device that does not answer keeps what it has. What was declared holds for
 * later adds, and goes before pcv_host_ops.ecam_usable.
 *
 * @out_busy  who is in the way, or NULL; written only with -PCV_EBUSY and
 *            -PCV_ERESTART
 *
 * Returns 0, also if nothing changes by it; -PCV_EINVAL (last before first).
 * -PCV_EBUSY: a guest's device would change; nothing has.
 * -PCV_ERESTART: call again, not before pcv_device_wait_us(). Accesses are
 * inside a device, it is being added, it changes its owner or is being reset,
 * also between two calls of that, or was just reset. What is done stays done;
 * accesses to the device named may get retry until the call is made again, or
 * one that takes it back. -PCV_ENOMEM, -PCV_EIO: nothing has changed, or all
 * has but for the devices that a hidden capability 0 of extended space was told
 * of: they stay without until a later call. A capability that cannot be built
 * is hidden, with an event. Context: control, one such call at a time for a
 * segment.
 */
int PCV_MUST_CHECK pcv_host_set_ecam(struct pcv_host *host, uint16_t segment,
                                     uint8_t bus_first, uint8_t bus_last,
                                     bool usable, pcv_sbdf *out_busy);

/**
 * Do what became due: VFs that may be asked now, functions whose IOMMU faults
 * are too many (pcv_dma_fault()), resets of a bus, and bus numbers that a vCPU
 * wrote which does not go on with that. Hosts that have timers call this from
 * one; others need not, the next access that needs it does it.
 *
 * @out_wait_us  when to call again, in microseconds; 0: nothing is left
 *
 * Returns 0 or -PCV_ERESTART: more is due now. Context: control.
 */
int PCV_MUST_CHECK pcv_host_work(struct pcv_host *host, uint64_t *out_wait_us);

/* Counts of the whole host; exact when nothing else runs. */
struct pcv_host_stats {
    uint64_t devices;          /* registered, leaving ones included */
    uint64_t leaving;          /* removed, but still held */
    uint64_t segments;         /* with a device or a declaration, ever */
    uint64_t bytes;            /* memory taken from the host now */
    uint64_t absent_accesses;  /* accesses that found no device */
    uint64_t refused_accesses; /* wrong width or alignment, or to memory that a
                                  read-only function has; all domains */
    uint64_t dropped_events;   /* a guest caused too many: 64 a second are told,
                                  where the host has a clock (now_us) */
    uint64_t stray_faults;     /* of the IOMMU, that no function is known for */
    uint64_t protected_writes; /* of the hardware domain, that would have taken
                                  a function away from its guest (OWN-15) */
};

/** The counts, each read once. Context: any. Locking: none. */
void pcv_host_get_stats(struct pcv_host *host, struct pcv_host_stats *out);

/**
 * Turn the trace of accesses on or off (CFG-9). Off costs one branch an access.
 * Context: any. Locking: none.
 */
void pcv_host_set_trace(struct pcv_host *host, bool on);

/* Who a record is about, for those who filter logs. */
enum pcv_event_class {
    PCV_EVENT_HOST,   /* the hypervisor or its host operations */
    PCV_EVENT_DEVICE, /* what a device did or is */
    PCV_EVENT_GUEST,  /* what a domain did */
};

enum pcv_event_kind {
    PCV_EVENT_ADDED,    /* a device was registered */
    PCV_EVENT_LEAVING,  /* it was removed; somebody still holds it */
    PCV_EVENT_GONE,     /* its last reference went */
    PCV_EVENT_VANISHED, /* it was pulled, or replaced by another card */
    PCV_EVENT_CAP_LIST, /* its capability list is damaged: arg is PCV_CAP_* */
    PCV_EVENT_BAR_SIZE, /* BAR arg0 answered sizing with arg1: no size */
    PCV_EVENT_BUS_NUMBERS,  /* a bridge's bus numbers arg0..arg1 cannot be used
                             */
    PCV_EVENT_MAP_FAILED,   /* BAR arg0: error arg1; decoding was left off */
    PCV_EVENT_UNMAP_FAILED, /* BAR arg0: error arg1 */
    PCV_EVENT_NOT_MAPPED,   /* BAR arg0 at address arg1 may not be mapped */
    PCV_EVENT_RESET_SEEN,   /* decoding was off behind our back (HDR-16) */
    PCV_EVENT_HOST_FAILED,  /* it could not do an access: register arg0, or with
                               bit 16 set BAR; arg1 is 1 for a write. 64 a second
                               are told for a domain, where there is a clock */
    PCV_EVENT_ASSIGNED,     /* it is domain_id's now */
    PCV_EVENT_QUARANTINED,  /* a change of owner failed with arg0 at step arg1
                               (enum pcv_change_step) */
    PCV_EVENT_NO_RESET,    /* it changed its owner, and cannot be reset; arg0 is
                              1: but with its bus, where arg1 is in the way */
    PCV_EVENT_CAP_HIDDEN,  /* capability arg0 (bit 16: extended) was hidden:
                              error arg1 */
    PCV_EVENT_BIND_FAILED, /* vector arg0 (bit 16: MSI-X): error arg1 */
    PCV_EVENT_RESET,       /* its owner reset it, or an administrator for it:
                              arg0 is how (enum pcv_reset) */
    PCV_EVENT_VFS_BUSY,    /* VFs were not disabled: arg0 is in use */
    PCV_EVENT_VF_FAILED,   /* VF arg0 could not be added: error arg1 */
    PCV_EVENT_EXTENDED,    /* extended space came (arg0 1) or went (0) */
    PCV_EVENT_ADD_FAILED, /* it answers a read of its vendor ID and could not be
                             added: error arg0. It stays absent (LIFE-12) */
    PCV_EVENT_EXTENDED_BUSY, /* it would have, but a guest owns the device */
    PCV_EVENT_CONCEALED, /* a function answers where an emulated one stands, or
                            (arg1 1) all is concealed (OWN-9): arg0 is by whom
                            */
    PCV_EVENT_UNREACHABLE, /* no bus number leads to it for the moment */
    PCV_EVENT_MOVED,       /* it is bound at this address; it was at arg0 */
    PCV_EVENT_MOVE_FAILED, /* it could not be bound at arg0, or its DMA be
                              blocked there: error arg1 */
    PCV_EVENT_PENDING,   /* its transactions did not end before it was reset */
    PCV_EVENT_BUS_RESET, /* a bridge resets what is behind it, for the sake of
                            the function at arg0 */
    PCV_EVENT_CHANGE_FAILED, /* a change of owner failed with arg0 at step
                                arg1, and its owner has it still */
    PCV_EVENT_READ_ONLY, /* its vPCI setup failed with arg0: the hardware domain
                            may look and change nothing (OWN-2) */
    PCV_EVENT_FAULTS, /* its IOMMU faults are too many, the last at address arg0
                         with PCV_FAULT_* arg1: bus mastering is off now, or
                         PCV_FAULT_LEFT_ON */
    PCV_EVENT_PROTECTED,  /* a write to bits arg1 of register arg0 was dropped:
                             a guest has something behind this bridge, or a VF
                             of this PF. 64 a second are told, where there is a
                             clock */
    PCV_EVENT_OVERRIDDEN, /* its guest lost it to such a write at arg0 */
    PCV_EVENT_CHANGE_RESET, /* it is reset between two owners (OWN-5): arg0 is
                               how (enum pcv_reset) */
    PCV_EVENT_BROKEN,      /* it does not come back after its reset: it is given
                              to no guest, until an administrator says so
                              (pcv_device_set_broken()) */
    PCV_EVENT_GROUP_WAITS, /* it is back from its guest and waits in quarantine,
                              since guests have arg1 others of its isolation
                              group, the first at arg0 */
};

struct pcv_event {
    enum pcv_event_kind kind;
    enum pcv_event_class of;
    pcv_sbdf sbdf;
    uint32_t domain_id;
    uint64_t arg[2];
};

/**
 * A constant string for a kind: "added", "map failed". Context: any. Locking:
 * none.
 */
const char *pcv_event_name(enum pcv_event_kind kind);

#endif
