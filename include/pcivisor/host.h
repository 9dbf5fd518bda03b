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

/* Counts of the whole host; exact when nothing else runs. */
struct pcv_host_stats {
    uint64_t devices;          /* registered, leaving ones included */
    uint64_t leaving;          /* removed, but still held */
    uint64_t segments;         /* with at least one device, ever */
    uint64_t bytes;            /* memory taken from the host now */
    uint64_t absent_accesses;  /* accesses that found no device */
    uint64_t refused_accesses; /* wrong width or alignment, all domains */
};

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
};

struct pcv_event {
    enum pcv_event_kind kind;
    enum pcv_event_class of;
    pcv_sbdf sbdf;
    uint32_t domain_id;
    uint64_t arg[2];
};

/** A constant string for a kind: "added", "map failed". */
const char *pcv_event_name(enum pcv_event_kind kind);

#endif
