/* SPDX-License-Identifier: MIT */
/*
 * Eyes on the library, for tests that give guests a free hand: stands between
 * the library and the modelled host, keeps books of its own of who owns what,
 * and fails the test at once where something happens that must never happen:
 *
 *   - a page mapped for a guest that is not wholly its own device's, or not in
 *     its windows, or holds an MSI-X table, pending bits, or registers of
 *     somebody else's device;
 *   - a vector bound for a device of another, or beyond what the device has; a
 *     message for another than the owner;
 *   - a physical register written by a guest that is not its device's, or a bit
 *     that it may not change (allowed.h); MSI-X entries in hardware that hold
 *     anything but what was bound;
 *   - a reference that nobody accounts for.
 *
 * One at a time. To be included after cmocka.h.
 */
#ifndef PCV_TESTS_DRIVER_GUARD_H
#define PCV_TESTS_DRIVER_GUARD_H

#include "allowed.h"

#define GUARD_GUESTS 4u
#define GUARD_FIRST_ID 10u /* guest n is domain GUARD_FIRST_ID + n */
#define GUARD_NARROW UINT64_C(0x50000000)
#define GUARD_NARROW_SIZE UINT64_C(0x1000000)
#define GUARD_WIDE UINT64_C(0x600000000000)
#define GUARD_WIDE_SIZE UINT64_C(0x4000000)
#define GUARD_PAGE UINT64_C(0x1000)
#define GUARD_PLACES 8u
#define GUARD_ACTIVE 64u /* devices in guests' hands at a time, at most */
#define GUARD_ECAM UINT64_C(0xb0000000) /* four buses */

enum guard_state {
    GUARD_FREE,   /* the hardware domain's */
    GUARD_COMING, /* an assignment is under way */
    GUARD_OWNED,
    GUARD_GOING, /* it is being taken back, or to be */
};

struct guard_range {
    uint64_t start, end;
};

struct guard_device {
    pcv_sbdf sbdf;
    bool bridge, vf;
    pcv_sbdf physfn;
    enum guard_state state;
    uint32_t owner;          /* domain, unless free */
    pcv_sbdf there;          /* where the guest has it */
    struct allowed *allowed; /* unless free */
    struct guard_range bar[PCV_MODEL_BARS];
    struct guard_range place[GUARD_PLACES]; /* the host's word for resizing */
    uint32_t places;
    struct guard_range table, pending; /* in bytes of its BAR */
    uint8_t table_bar, pending_bar;    /* 7: none */
    uint32_t entries;
    uint64_t pages; /* mapped for guests */
    uint64_t bound; /* messages */
    struct pcv_msi_message msi;
    bool msi_bound;
    struct pcv_msi_message *msix; /* by entry; address 0: none was bound */
};

/* A BAR of the machine. */
struct guard_foreign {
    struct guard_range range;
    const struct guard_device *device;
};

/* Who is at work. */
enum guard_actor { GUARD_CONTROL, GUARD_GUEST, GUARD_HARDWARE };

struct guard {
    struct pcv_model *model;
    struct pcv_host *host;
    struct pcv_host_ops ops;
    struct pcv_domain *guest[GUARD_GUESTS];
    struct guard_device *device;
    size_t devices;
    struct guard_device *active[GUARD_ACTIVE]; /* not free */
    uint32_t actives;
    struct guard_foreign *foreign; /* every BAR of the machine, by address */
    size_t foreigns;
    enum guard_actor actor;
    uint32_t actor_id;             /* domain */
    struct guard_device *changing; /* by control */
    uint64_t guest_pages, other_pages;
    uint64_t mapped, bound, written, delivered, placed,
        forwarded;     /* how often */
    uint64_t told[64]; /* events, by kind: more than there are */
};

/* A machine of the generator's, with what `add` adds (NULL: nothing), with a
 * host, guests and windows. */
void guard_begin(struct guard *guard, const char *spec,
                 void (*add)(struct pcv_model *model));
/* Nothing is left. */
void guard_end(struct guard *guard);

struct guard_device *guard_find(struct guard *guard, pcv_sbdf sbdf);

/* Change of owner, one call: the library's answer. */
int guard_assign(struct guard *guard, struct guard_device *device,
                 uint32_t guest);
int guard_deassign(struct guard *guard, struct guard_device *device);

/* What holds for a device at every moment; cheap. */
void guard_check(struct guard *guard, struct guard_device *device);
/* Everything, page by page. */
void guard_check_all(struct guard *guard);

#endif
