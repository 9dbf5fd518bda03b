/* SPDX-License-Identifier: MIT */
/* The client's side of a mailbox. What comes from it is checked as well: it may
 * be of another version, or gone. */
#include "ctl/mailbox.h"

#include <inttypes.h>
#include <string.h>

/* How many milliseconds to wait for somebody else to be done. */
#define WAIT_MAX 5000u
#define WORD 4u

static uint32_t get4(const uint8_t *bytes, uint32_t at)
{
    return (uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8 |
           (uint32_t)bytes[at + 2] << 16 | (uint32_t)bytes[at + 3] << 24;
}

static uint64_t get8(const uint8_t *bytes, uint32_t at)
{
    return get4(bytes, at) | (uint64_t)get4(bytes, at + WORD) << 32;
}

static uint32_t reg(const struct mailbox *mailbox, uint32_t at)
{
    return mailbox->read(mailbox->ctx, at);
}

/* Whether `room` bytes at `at` can be reached. */
static bool is_inside(const struct mailbox *mailbox, uint32_t at, uint32_t room)
{
    return at % WORD == 0 && room <= mailbox->size &&
           at <= mailbox->size - room;
}

static bool layout_take(struct mailbox *mailbox, struct text *why)
{
    uint32_t version = reg(mailbox, PCV_MAILBOX_VERSION);

    if (reg(mailbox, PCV_MAILBOX_MAGIC) != PCV_MAILBOX_MAGIC_VALUE) {
        text_add(why, "it is no mailbox of pcivisor");
        return false;
    }
    if (version >> 16 != PCV_MAILBOX_MAJOR) {
        text_add(why, "it speaks version %" PRIu32 ".%" PRIu32 ", not %u.%u",
                 version >> 16, version & 0xffffu, PCV_MAILBOX_MAJOR,
                 PCV_MAILBOX_MINOR);
        return false;
    }
    mailbox->request_at = reg(mailbox, PCV_MAILBOX_REQUEST_AT);
    mailbox->reply_at = reg(mailbox, PCV_MAILBOX_REPLY_AT);
    mailbox->reply_room = reg(mailbox, PCV_MAILBOX_REPLY_ROOM);
    if (reg(mailbox, PCV_MAILBOX_REQUEST_ROOM) < PCV_MAILBOX_REQUEST_SIZE ||
        mailbox->reply_room < PCV_REPLY_RECORDS + PCV_RECORD_SIZE_MAX ||
        !is_inside(mailbox, mailbox->request_at, PCV_MAILBOX_REQUEST_SIZE) ||
        !is_inside(mailbox, mailbox->reply_at, mailbox->reply_room)) {
        text_add(why, "its layout makes no sense");
        return false;
    }
    return true;
}

bool mailbox_open(struct mailbox *mailbox, uint32_t claim, bool alone,
                  struct text *why)
{
    uint32_t has = 0;

    if (mailbox->size < PCV_MAILBOX_BAR_SIZE) {
        text_add(why, "it is too small for a mailbox");
        return false;
    }
    if (!layout_take(mailbox, why)) {
        return false;
    }
    for (uint32_t i = 0; i < WAIT_MAX; i++) {
        mailbox->write(mailbox->ctx, PCV_MAILBOX_CLAIM, claim);
        has = reg(mailbox, PCV_MAILBOX_CLAIM);
        if (has == claim) {
            mailbox->claim = claim;
            return true;
        }
        if (alone) {
            mailbox->write(mailbox->ctx, PCV_MAILBOX_RELEASE, has);
        }
        mailbox->pause(mailbox->ctx);
    }
    text_add(why, "somebody else has it (claim %" PRIu32 ")", has);
    return false;
}

void mailbox_close(struct mailbox *mailbox)
{
    mailbox->write(mailbox->ctx, PCV_MAILBOX_RELEASE, mailbox->claim);
}

/* ---- a request ------------------------------------------------------------
 */

static bool request_put(const struct mailbox *mailbox,
                        const struct pcv_ctl_request *request, uint32_t room)
{
    uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE];

    if (pcv_request_encode(request, mailbox->tag, room, bytes) == 0) {
        return false;
    }
    for (uint32_t at = 0; at < PCV_MAILBOX_REQUEST_SIZE; at += WORD) {
        mailbox->write(mailbox->ctx, mailbox->request_at + at, get4(bytes, at));
    }
    return true;
}

static void reply_get(const struct mailbox *mailbox, uint32_t at,
                      uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += WORD) {
        uint32_t word = reg(mailbox, mailbox->reply_at + at + i);
        for (uint32_t byte = 0; byte < WORD; byte++) {
            bytes[i + byte] = (uint8_t)(word >> (byte * 8));
        }
    }
}

/* Ring, and wait for our own reply: somebody whose claim was taken away may be
 * inside still. */
static bool ring(struct mailbox *mailbox, uint8_t head[PCV_REPLY_RECORDS])
{
    for (uint32_t i = 0; i < WAIT_MAX && !mailbox->silent; i++) {
        mailbox->write(mailbox->ctx, PCV_MAILBOX_DOORBELL, mailbox->claim);
        if (reg(mailbox, PCV_MAILBOX_STATE) == PCV_MAILBOX_DONE) {
            reply_get(mailbox, 0, head, PCV_REPLY_RECORDS);
            if (get4(head, PCV_REPLY_TAG) == mailbox->tag) {
                return true;
            }
        }
        mailbox->pause(mailbox->ctx);
    }
    mailbox->silent = true;
    return false;
}

/* The records, none more than there is room for. */
static bool records_get(const struct mailbox *mailbox, const uint8_t *head,
                        uint32_t op, struct pcv_ctl_reply *reply)
{
    uint32_t count = get4(head, PCV_REPLY_COUNT);
    uint32_t size = get4(head, PCV_REPLY_RECORD_SIZE);
    uint32_t room = mailbox->reply_room - PCV_REPLY_RECORDS;
    uint8_t bytes[PCV_RECORD_SIZE_MAX];

    reply->count = 0;
    if (count == 0) {
        return true;
    }
    if (size == 0 || size % WORD != 0 || count > room / size ||
        count > reply->room) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t known = size < sizeof(bytes) ? size : sizeof(bytes);
        reply_get(mailbox, PCV_REPLY_RECORDS + i * size, bytes, known);
        pcv_record_decode(op, bytes, known, &reply->record[i]);
    }
    reply->count = count;
    return true;
}

int mailbox_call(void *ctx, const struct pcv_ctl_request *request,
                 struct pcv_ctl_reply *reply)
{
    struct mailbox *mailbox = ctx;
    uint8_t head[PCV_REPLY_RECORDS];

    reply->count = 0;
    reply->more = false;
    reply->next = request->cursor;
    reply->wait_us = 0;
    reply->sbdf = request->sbdf;
    mailbox->tag++;
    if (!request_put(mailbox, request, reply->room)) {
        return -PCV_ENOSYS;
    }
    if (!ring(mailbox, head) || get4(head, PCV_REPLY_OP) != request->op ||
        !records_get(mailbox, head, request->op, reply)) {
        return -PCV_EIO;
    }
    reply->more = (get4(head, PCV_REPLY_FLAGS) & PCV_REPLY_MORE) != 0;
    reply->next = get8(head, PCV_REPLY_NEXT);
    reply->wait_us = get8(head, PCV_REPLY_WAIT_US);
    reply->sbdf.v = get4(head, PCV_REPLY_SBDF);
    /* The number goes through as it is: an errno value of a later version is no
     * reason to think that all is well. */
    uint32_t result = get4(head, PCV_REPLY_RESULT);
    return result == 0 ? 0 : -(int)(-result & 0x7fffffffu);
}
