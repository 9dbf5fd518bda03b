/* SPDX-License-Identifier: MIT */
/*
 * The control interface (CTL-1): everything that an administrator can ask of a
 * host, as one set of typed operations. The command line, the mailbox
 * (pcivisor/mailbox.h) and any port use these and nothing else.
 *
 * docs/control.md has the table: each operation's arguments, records and
 * errors.
 */
#ifndef PCIVISOR_CTL_H
#define PCIVISOR_CTL_H

#include "pcivisor/assign.h"
#include "pcivisor/device.h"
#include "pcivisor/domain.h"
#include "pcivisor/faults.h"
#include "pcivisor/group.h"
#include "pcivisor/hidden.h"
#include "pcivisor/host.h"
#include "pcivisor/requester.h"
#include "pcivisor/reset.h"

/*
 * The operations. X(NAME, name, number, ARGUMENTS, RECORDS, FLAGS)
 *   number     is part of the wire form: never changed, never used again
 *   ARGUMENTS  which member of pcv_ctl_request.u it reads
 *   RECORDS    which member of union pcv_ctl_record it answers with
 *   FLAGS      what it takes in pcv_ctl_request.flags
 */
#define PCV_CTL_OPS(X)                                                         \
    X(STATS, stats, 1, NOTHING, STATS, 0)                                      \
    X(LIST, list, 2, NOTHING, DEVICE, PCV_CTL_OF_DOMAIN)                       \
    X(DEVICE, device, 3, NOTHING, DEVICE, 0)                                   \
    X(STATUS, status, 4, NOTHING, STATUS, 0)                                   \
    X(HOLDERS, holders, 40, NOTHING, STATUS, 0)                                \
    X(NODES, nodes, 5, NODES, NODE, 0)                                         \
    X(PATH, path, 6, NOTHING, SBDF, 0)                                         \
    X(BARS, bars, 7, NOTHING, BAR, 0)                                          \
    X(CONFIG, config, 8, CONFIG, ROW, 0)                                       \
    X(ADD, add, 9, ADD, NOTHING, 0)                                            \
    X(REMOVE, remove, 10, REMOVE, NOTHING, 0)                                  \
    X(VANISHED, vanished, 11, NOTHING, NOTHING, 0)                             \
    X(SCAN, scan, 12, NOTHING, SCAN, 0)                                        \
    X(ECAM, ecam, 13, ECAM, NOTHING, 0)                                        \
    X(DOMAINS, domains, 14, NOTHING, DOMAIN, 0)                                \
    X(MAPPINGS, mappings, 15, NOTHING, MAPPING, 0)                             \
    X(ASSIGN, assign, 16, ASSIGN, NOTHING, 0)                                  \
    X(DEASSIGN, deassign, 17, NOTHING, NOTHING, 0)                             \
    X(RESTORE, restore, 18, NOTHING, NOTHING, 0)                               \
    X(EVENTS, events, 19, EVENTS, EVENT, 0)                                    \
    X(READ_ONLY, read_only, 20, NOTHING, NOTHING, 0)                           \
    X(UNREACHABLE, unreachable, 21, NOTHING, DEVICE, PCV_CTL_OF_DOMAIN)        \
    X(BUSES, buses, 22, BUSES, NOTHING, 0)                                     \
    X(RESET, reset, 29, NOTHING, RESET, PCV_CTL_ONLY_ASK)                      \
    X(PREPARE_MSIX, prepare_msix, 30, NOTHING, NOTHING, 0)                     \
    X(RELEASE_MSIX, release_msix, 31, NOTHING, NOTHING, 0)                     \
    X(TEST_ASSIGN, test_assign, 26, ASSIGN, SBDF, 0)                           \
    X(CANCEL_REMOVE, cancel_remove, 27, NOTHING, NOTHING, 0)                   \
    X(BROKEN, broken, 28, BROKEN, NOTHING, 0)                                  \
    X(FAULTS, faults, 37, FAULTS, FAULTS, PCV_CTL_CLEAR | PCV_CTL_LIMIT)       \
    X(GROUP, group, 23, NOTHING, MEMBER, 0)                                    \
    X(ISOLATE, isolate, 24, ISOLATE, NOTHING, 0)                               \
    X(REQUESTERS, requesters, 25, REQUESTERS, REQUESTER, 0)                    \
    X(OVERRIDE, override, 36, OVERRIDE, NOTHING, 0)                            \
    X(HIDE, hide, 32, HIDE, NOTHING, PCV_CTL_SUBTREE)                          \
    X(CONCEAL, conceal, 33, NOTHING, NOTHING, PCV_CTL_SUBTREE | PCV_CTL_SLOT)  \
    X(REVEAL, reveal, 34, NOTHING, NOTHING, PCV_CTL_SUBTREE | PCV_CTL_SLOT)    \
    X(QUARANTINE, quarantine, 35, NOTHING, NOTHING, PCV_CTL_SUBTREE)

#define PCV_CTL_ENUM(NAME, name, number, ARGUMENTS, RECORDS, FLAGS)            \
    PCV_CTL_##NAME = (number),
enum pcv_ctl_op { PCV_CTL_OPS(PCV_CTL_ENUM) };
#undef PCV_CTL_ENUM

/* Every number is below this. */
#define PCV_CTL_OP_LIMIT 64u

/**
 * The name of an operation: "assign"; NULL if there is none of that number.
 * Context: any. Locking: none.
 */
const char *pcv_ctl_op_name(uint32_t op);

/* pcv_ctl_request.flags */
#define PCV_CTL_OF_DOMAIN 1u /* only what domain_id owns */
/* Of faults: forget them first; set the host's limits, and answer nothing. */
#define PCV_CTL_CLEAR 0x100u
#define PCV_CTL_LIMIT 0x200u
#define PCV_CTL_SUBTREE 2u      /* the bridge and everything behind it */
#define PCV_CTL_SLOT 4u         /* all functions of the device number */
#define PCV_CTL_ONLY_ASK 0x400u /* say how it would be done, and do nothing */

#define PCV_CTL_NODES_MAX 32u  /* addresses in one request for nodes */
#define PCV_CTL_SCAN_BUSES 8u  /* a call of PCV_CTL_SCAN looks at so many */
#define PCV_CTL_LOOK_MAX 1024u /* devices that a call of LIST passes over */
#define PCV_CTL_ROW_BYTES 16u

/* pcv_ctl_args.requesters.what: what is to be done before they are listed. */
#define PCV_CTL_REQUESTERS_LIST 0u    /* nothing */
#define PCV_CTL_REQUESTERS_ADD 1u     /* the function has `requester`, too */
#define PCV_CTL_REQUESTERS_PHANTOM 2u /* phantom functions at `stride` */

struct pcv_event_log;

/* Arguments. What is not asked for is not looked at; a pointer is for callers
 * inside the hypervisor only, the mailbox has no way to set one. */
union pcv_ctl_args {
    struct pcv_add_info add;
    struct {
        struct pcv_completion *done; /* as of pcv_device_remove(), or NULL */
    } remove;
    struct pcv_assign_policy assign; /* its rom is such a pointer */
    struct {
        uint16_t segment;
        uint8_t bus_first, bus_last;
        uint8_t usable; /* 0 or 1 */
    } ecam;
    struct {
        uint8_t primary, secondary, subordinate;
    } buses;
    struct {
        uint8_t on; /* 0 or 1 */
    } broken;
    struct {
        uint8_t isolated; /* 0 or 1 */
    } isolate;
    struct {
        uint8_t what; /* PCV_CTL_REQUESTERS_* */
        uint8_t stride;
        pcv_sbdf requester;
    } requesters;
    struct {
        uint8_t on; /* 0 or 1 */
    } override;
    struct {
        uint32_t count; /* 1 to PCV_CTL_NODES_MAX */
        pcv_sbdf sbdf[PCV_CTL_NODES_MAX];
    } nodes;
    struct pcv_hide_info hide; /* its flags but PCV_SUBTREE */
    struct {
        uint32_t end; /* the register to stop before, a multiple of 4; 0: all
                         that there is from the cursor on */
    } config;
    struct {
        uint32_t threshold, window_us; /* with PCV_CTL_LIMIT */
    } faults;
    struct {
        struct pcv_event_log *log; /* of the caller; NULL: there is none */
    } events;
};

/* Zero it first: what an operation does not use must be zero in later
 * versions, too. */
struct pcv_ctl_request {
    uint32_t op;        /* enum pcv_ctl_op */
    uint32_t flags;     /* PCV_CTL_* that the operation takes */
    pcv_sbdf sbdf;      /* the function that it is about */
    uint32_t domain_id; /* the domain */
    uint64_t cursor;    /* 0 to begin, then pcv_ctl_reply.next */
    union pcv_ctl_args u;
};

/* Records. */
struct pcv_ctl_device {
    struct pcv_device_info info;
    pcv_sbdf own; /* where its owner finds it */
};

struct pcv_ctl_node {
    pcv_sbdf sbdf;
    uint32_t node; /* or PCV_NODE_* */
};

struct pcv_ctl_bar {
    uint32_t index; /* 0 to 5; PCV_BAR_IS_ROM */
    struct pcv_bar_view view;
};

/* A row of configuration space, from `reg` to the next multiple of 16. */
struct pcv_ctl_row {
    uint16_t reg;
    uint8_t size;
    uint8_t bytes[PCV_CTL_ROW_BYTES];
};

/* What one call of PCV_CTL_SCAN came to. */
struct pcv_ctl_scan {
    uint32_t found, failed;
    int32_t first_error; /* negative; meaningful if `failed` is not 0 */
    pcv_sbdf first_failed;
};

struct pcv_ctl_domain {
    uint32_t id;
    enum pcv_domain_kind kind;
};

struct pcv_ctl_mapping {
    struct pcv_mapping mapping;
    uint32_t page_shift; /* log2 of the page size in bytes */
};

struct pcv_ctl_event {
    uint64_t number; /* from 0, none is left out: a gap is what was lost */
    struct pcv_event event;
};

/* How a function would be reset. */
struct pcv_ctl_reset {
    enum pcv_reset way;
};

union pcv_ctl_record {
    struct pcv_host_stats stats;
    struct pcv_ctl_device device;
    struct pcv_device_status status;
    struct pcv_ctl_node node;
    pcv_sbdf sbdf;
    struct pcv_ctl_bar bar;
    struct pcv_ctl_row row;
    struct pcv_ctl_scan scan;
    struct pcv_ctl_domain domain;
    struct pcv_ctl_mapping mapping;
    struct pcv_ctl_event event;
    struct pcv_ctl_reset reset;
    struct pcv_device_faults faults;
    struct pcv_group_member member;
    struct pcv_requester requester;
};

struct pcv_ctl_reply {
    /* The caller's. */
    union pcv_ctl_record *record; /* room for records */
    uint32_t room;                /* how many fit */
    /* The answer, set by every call. */
    uint32_t count; /* records written */
    bool more;      /* call again with cursor = next: there are others */
    uint64_t next;
    uint64_t wait_us; /* with -PCV_ERESTART: not before so long */
    /* Of an assignment: where the guest finds it. With -PCV_EBUSY, and of
     * PCV_CTL_ECAM also with -PCV_ERESTART: who is in the way. Else the
     * request's. */
    pcv_sbdf sbdf;
};

/**
 * Perform an operation, or one step of it.
 *
 * @request  borrowed for the call; every field is checked
 * @reply    room for records, and the answer
 *
 * Returns 0; the errors of the function behind the operation, as
 * docs/control.md lists them; -PCV_ENOSYS for an operation that there is not;
 * -PCV_EINVAL for flags that it does not take, a cursor that no reply gave, no
 * room for a record, or arguments out of range; -PCV_ENOENT for a domain that
 * there is not. -PCV_ERESTART: it is not over (CTL-2). Make the same request
 * again with cursor = reply->next, not before reply->wait_us; what was answered
 * in `record` so far counts.
 * Bounded: a call does a bounded amount of work, whatever is asked.
 * Context: control, not beside a call that makes or ends a domain.
 * Locking: as the function behind the operation.
 */
int PCV_MUST_CHECK pcv_ctl(struct pcv_host *host,
                           const struct pcv_ctl_request *request,
                           struct pcv_ctl_reply *reply);

/**
 * Create a ring that keeps the last events for PCV_CTL_EVENTS. A host gives it
 * what its event operation was told.
 *
 * @count  how many it keeps, 1 to 65536
 *
 * Returns 0 and *out_log, to be ended with pcv_event_log_destroy() before the
 * host is; -PCV_EINVAL; -PCV_ENOMEM. Context: control.
 */
int PCV_MUST_CHECK pcv_event_log_create(struct pcv_host *host, uint32_t count,
                                        struct pcv_event_log **out_log);

/** NULL is allowed. Context: not beside another call for the log. */
void pcv_event_log_destroy(struct pcv_event_log *log);

/** Keep an event; the oldest goes. May be called from the host's event
 * operation. Context: any. Locking: takes the log's lock, the last of all. */
void pcv_event_log_add(struct pcv_event_log *log,
                       const struct pcv_event *event);

#endif
