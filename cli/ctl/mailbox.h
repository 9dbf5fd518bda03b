/* SPDX-License-Identifier: MIT */
/*
 * The client's side of a mailbox (pcivisor/mailbox.h): requests go in, replies
 * come out. How its registers are reached is somebody else's.
 */
#ifndef PCIVISOR_CLI_CTL_MAILBOX_H
#define PCIVISOR_CLI_CTL_MAILBOX_H

#include "pcivisor/mailbox.h"
#include "text.h"

struct mailbox {
    void *ctx;
    /* Registers of 4 bytes, by their offset in the BAR. */
    uint32_t (*read)(void *ctx, uint32_t at);
    void (*write)(void *ctx, uint32_t at, uint32_t value);
    /* Let a millisecond pass. */
    void (*pause)(void *ctx);
    uint32_t size; /* of what can be reached, bytes */
    /* From mailbox_open() on. */
    uint32_t claim;
    uint32_t tag;
    uint32_t request_at, reply_at, reply_room;
    bool silent; /* it did not answer once, and is not asked again */
};

/*
 * See that it is a mailbox that we understand, and claim it.
 *
 * @claim  a number of ours, not 0
 * @alone  nobody else can be using it: a claim that stands there was left
 *         behind
 *
 * False, and why: it is none, its version is another, or somebody has it.
 */
bool mailbox_open(struct mailbox *mailbox, uint32_t claim, bool alone,
                  struct text *why);
void mailbox_close(struct mailbox *mailbox);

/* As pcv_ctl(), of the mailbox that is `ctx`; -PCV_EIO if the reply makes no
 * sense or none comes. */
int mailbox_call(void *ctx, const struct pcv_ctl_request *request,
                 struct pcv_ctl_reply *reply);

#endif
