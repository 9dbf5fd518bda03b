/* SPDX-License-Identifier: MIT */
/*
 * The mailbox: the control interface (pcivisor/ctl.h) through memory, for a
 * program in the hardware domain. A host shows it as a BAR of an emulated
 * function; the program writes a request, rings, and reads the reply.
 *
 * The wire form is little-endian, has fixed places for everything and a
 * version, and is the same for any host and any processor. docs/control.md
 * describes it; both sides use the functions at the end of this file.
 */
#ifndef PCIVISOR_MAILBOX_H
#define PCIVISOR_MAILBOX_H

#include "pcivisor/ctl.h"

/* What the function that carries the mailbox looks like: class code 0x088000,
 * BAR 0 of this size, and a subsystem that a program can tell it by before it
 * touches the BAR. Vendor and device are the host's, and so is the subsystem if
 * it needs another: these two are suggestions. */
#define PCV_MAILBOX_CLASS 0x088000u
#define PCV_MAILBOX_SUBSYSTEM_VENDOR 0x5043u /* "CP" */
#define PCV_MAILBOX_SUBSYSTEM 0x564du        /* "MV" */
#define PCV_MAILBOX_BAR_SIZE 0x4000u         /* bytes */

/* Registers: 4 bytes each, also two at once as 8 bytes. Any other access reads
 * all ones and changes nothing; so do reads of places where nothing stands. */
#define PCV_MAILBOX_MAGIC 0x00u   /* PCV_MAILBOX_MAGIC_VALUE */
#define PCV_MAILBOX_VERSION 0x04u /* major << 16 | minor */
#define PCV_MAILBOX_SIZE 0x08u    /* of all this, bytes */
#define PCV_MAILBOX_REQUEST_AT 0x0cu
#define PCV_MAILBOX_REQUEST_ROOM 0x10u
#define PCV_MAILBOX_REPLY_AT 0x14u
#define PCV_MAILBOX_REPLY_ROOM 0x18u
#define PCV_MAILBOX_STATE 0x1cu   /* PCV_MAILBOX_IDLE ... */
#define PCV_MAILBOX_CLAIM 0x20u   /* who uses it: 0 nobody; write: claim it */
#define PCV_MAILBOX_RELEASE 0x24u /* write the claim to give it back */
#define PCV_MAILBOX_DOORBELL                                                   \
    0x28u /* write the claim to have the request done */

#define PCV_MAILBOX_MAGIC_VALUE 0x4d564350u /* "PCVM" */
/* A minor version adds at the end of things and uses what was zero; a major
 * version may change everything. */
#define PCV_MAILBOX_MAJOR 1u
#define PCV_MAILBOX_MINOR 0u
#define PCV_MAILBOX_VERSION_VALUE (PCV_MAILBOX_MAJOR << 16 | PCV_MAILBOX_MINOR)

/* Values of PCV_MAILBOX_STATE. */
#define PCV_MAILBOX_IDLE 0u
#define PCV_MAILBOX_RUNNING 1u /* a doorbell is ignored meanwhile */
#define PCV_MAILBOX_DONE 2u    /* the reply is there */

/* Where the request and the reply stand in this version. */
#define PCV_MAILBOX_REQUEST 0x100u
#define PCV_MAILBOX_REQUEST_SIZE 0x100u
#define PCV_MAILBOX_REPLY 0x1000u
#define PCV_MAILBOX_REPLY_SIZE 0x3000u

/* The request: a head, then the operation's arguments. */
#define PCV_REQUEST_VERSION 0x00u /* 4: that the client speaks */
#define PCV_REQUEST_SIZE 0x04u    /* 4: of the request, all that follows is 0 */
#define PCV_REQUEST_TAG 0x08u     /* 4: the client's, comes back */
#define PCV_REQUEST_OP 0x0cu      /* 4: enum pcv_ctl_op */
#define PCV_REQUEST_FLAGS 0x10u   /* 4 */
#define PCV_REQUEST_SBDF 0x14u    /* 4 */
#define PCV_REQUEST_DOMAIN 0x18u  /* 4 */
#define PCV_REQUEST_RECORDS 0x1cu /* 4: at most so many; 0: as many as fit */
#define PCV_REQUEST_CURSOR 0x20u  /* 8 */
#define PCV_REQUEST_ARGS 0x28u

/* The reply: a head, then records of one size. */
#define PCV_REPLY_VERSION 0x00u /* 4 */
#define PCV_REPLY_SIZE 0x04u    /* 4: of the reply, records included */
#define PCV_REPLY_TAG 0x08u     /* 4: as in the request */
#define PCV_REPLY_OP 0x0cu      /* 4: as in the request */
#define PCV_REPLY_RESULT 0x10u  /* 4: 0, or an errno value, negated */
#define PCV_REPLY_COUNT 0x14u   /* 4: records */
#define PCV_REPLY_RECORD_SIZE                                                  \
    0x18u                       /* 4: of one; what a client does not know of   \
                                   it, it leaves alone */
#define PCV_REPLY_FLAGS 0x1cu   /* 4: PCV_REPLY_MORE */
#define PCV_REPLY_NEXT 0x20u    /* 8: cursor */
#define PCV_REPLY_WAIT_US 0x28u /* 8 */
#define PCV_REPLY_SBDF 0x30u    /* 4 */
#define PCV_REPLY_RECORDS 0x40u

#define PCV_REPLY_MORE 1u

/* A record of any kind fits. */
#define PCV_RECORD_SIZE_MAX 0x100u

/* ---- the device's side ----------------------------------------------------
 */

struct pcv_mailbox;

/**
 * Create a mailbox.
 *
 * @host    that its requests are about
 * @events  how many of the last events it keeps, 1 to 65536; 0: none
 *
 * Returns 0 and *out_mailbox, to be ended with pcv_mailbox_destroy() before the
 * host is; -PCV_EINVAL; -PCV_ENOMEM. Context: control.
 */
int PCV_MUST_CHECK pcv_mailbox_create(struct pcv_host *host, uint32_t events,
                                      struct pcv_mailbox **out_mailbox);

/** NULL is allowed. Context: not beside another call for it. */
void pcv_mailbox_destroy(struct pcv_mailbox *mailbox);

/**
 * The hardware domain reads or writes the BAR.
 *
 * @offset  from the BAR's start, bytes
 * @size    of the access
 *
 * A write to the doorbell performs the request before it returns, one bounded
 * step of it (CTL-2). Nothing that is written is trusted, and may change while
 * it is looked at: the request is copied once.
 * Context: control, as pcv_ctl(); several CPUs at once.
 */
void pcv_mailbox_read(struct pcv_mailbox *mailbox, uint64_t offset,
                      uint8_t size, uint64_t *out_value);
void pcv_mailbox_write(struct pcv_mailbox *mailbox, uint64_t offset,
                       uint8_t size, uint64_t value);

/** Keep an event for those who ask. As pcv_event_log_add(). Context: any. */
void pcv_mailbox_event(struct pcv_mailbox *mailbox,
                       const struct pcv_event *event);

/* ---- the wire form: both sides --------------------------------------------
 */

/**
 * Write a request as the wire has it; pointers in it are left out.
 *
 * @tag      comes back in the reply
 * @records  how many there is room for; 0: any number
 *
 * Returns its size in bytes; 0 if there is no such operation.
 * Context: any. Locking: none.
 */
uint32_t pcv_request_encode(const struct pcv_ctl_request *request, uint32_t tag,
                            uint32_t records,
                            uint8_t out_bytes[PCV_MAILBOX_REQUEST_SIZE]);

/**
 * Read a request. Its pointers are NULL.
 *
 * Returns 0; -PCV_EOPNOTSUPP for another major version; -PCV_EINVAL if the size
 * makes no sense, or what must be zero is not; -PCV_ENOSYS. On failure
 * *out_request and *out_records are as they were.
 * Context: any. Locking: none.
 */
int PCV_MUST_CHECK
pcv_request_decode(const uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE],
                   struct pcv_ctl_request *out_request, uint32_t *out_records);

/**
 * The size of an operation's records on the wire; 0: it has none. Context:
 * any. Locking: none.
 */
uint32_t pcv_record_size(uint32_t op);

/**
 * Write a record of an operation, pcv_record_size() bytes. Context: any.
 * Locking: none.
 */
void pcv_record_encode(uint32_t op, const union pcv_ctl_record *record,
                       uint8_t out_bytes[PCV_RECORD_SIZE_MAX]);

/**
 * Read a record.
 *
 * @size  of the record, as the reply says it: what is beyond is taken as zero
 *
 * Context: any. Locking: none.
 */
void pcv_record_decode(uint32_t op, const uint8_t *bytes, uint32_t size,
                       union pcv_ctl_record *out_record);

#endif
