/* SPDX-License-Identifier: MIT */
/*
 * The device behind the mailbox. What a client writes may be hostile and comes
 * from several CPUs at once, so all of it is kept in atomic words, whose values
 * mean nothing before the request was copied.
 */
#include "pcivisor/mailbox.h"

#include "ctl/internal.h"
#include "ctl/wire.h"

#define WORD 4u
#define REQUEST_WORDS (PCV_MAILBOX_REQUEST_SIZE / WORD)
#define REPLY_WORDS (PCV_MAILBOX_REPLY_SIZE / WORD)
#define RECORDS_MAX 48u /* of one reply */

struct pcv_mailbox {
    struct pcv_host *host;
    struct pcv_event_log *log; /* or NULL */
    _Atomic uint32_t state, claim;
    _Atomic uint32_t request[REQUEST_WORDS];
    _Atomic uint32_t reply[REPLY_WORDS];
    union pcv_ctl_record record[RECORDS_MAX]; /* whose state is running */
};

int pcv_mailbox_create(struct pcv_host *host, uint32_t events,
                       struct pcv_mailbox **out_mailbox)
{
    struct pcv_mailbox *mailbox;
    int error = 0;

    if (!host || !out_mailbox) {
        return -PCV_EINVAL;
    }
    mailbox = pcv__alloc(&host->mem, sizeof(*mailbox));
    if (!mailbox) {
        return -PCV_ENOMEM;
    }
    mailbox->host = host;
    if (events != 0) {
        error = pcv_event_log_create(host, events, &mailbox->log);
    }
    if (error != 0) {
        pcv__free(&host->mem, mailbox, sizeof(*mailbox));
        return error;
    }
    *out_mailbox = mailbox;
    return 0;
}

void pcv_mailbox_destroy(struct pcv_mailbox *mailbox)
{
    if (mailbox) {
        pcv_event_log_destroy(mailbox->log);
        pcv__free(&mailbox->host->mem, mailbox, sizeof(*mailbox));
    }
}

void pcv_mailbox_event(struct pcv_mailbox *mailbox,
                       const struct pcv_event *event)
{
    if (mailbox->log) {
        pcv_event_log_add(mailbox->log, event);
    }
}

/* ---- a request ------------------------------------------------------------
 */

static uint32_t load(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void store(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

/* The one time that the client's words are looked at. */
static void request_copy(const struct pcv_mailbox *mailbox,
                         uint8_t out_bytes[PCV_MAILBOX_REQUEST_SIZE])
{
    for (uint32_t i = 0; i < REQUEST_WORDS; i++) {
        pcv__wire_put(out_bytes + (size_t)i * WORD, WORD,
                      load(&mailbox->request[i]));
    }
}

/* `at` and `size` are multiples of 4, inside the reply. */
static void reply_put(struct pcv_mailbox *mailbox, uint32_t at,
                      const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += WORD) {
        store(&mailbox->reply[(at + i) / WORD],
              (uint32_t)pcv__wire_get(bytes + i, WORD));
    }
}

static void reply_head(struct pcv_mailbox *mailbox, const uint8_t *request,
                       int result, const struct pcv_ctl_reply *reply,
                       uint32_t record_size)
{
    uint8_t head[PCV_REPLY_RECORDS];

    memset(head, 0, sizeof(head));
    pcv__wire_put(head + PCV_REPLY_VERSION, 4, PCV_MAILBOX_VERSION_VALUE);
    pcv__wire_put(head + PCV_REPLY_SIZE, 4,
                  PCV_REPLY_RECORDS + reply->count * record_size);
    memcpy(head + PCV_REPLY_TAG, request + PCV_REQUEST_TAG, 4);
    memcpy(head + PCV_REPLY_OP, request + PCV_REQUEST_OP, 4);
    pcv__wire_put(head + PCV_REPLY_RESULT, 4, (uint32_t)result);
    pcv__wire_put(head + PCV_REPLY_COUNT, 4, reply->count);
    pcv__wire_put(head + PCV_REPLY_RECORD_SIZE, 4, record_size);
    pcv__wire_put(head + PCV_REPLY_FLAGS, 4, reply->more ? PCV_REPLY_MORE : 0);
    pcv__wire_put(head + PCV_REPLY_NEXT, 8, reply->next);
    pcv__wire_put(head + PCV_REPLY_WAIT_US, 8, reply->wait_us);
    pcv__wire_put(head + PCV_REPLY_SBDF, 4, reply->sbdf.v);
    reply_put(mailbox, 0, head, sizeof(head));
}

/* How many records fit behind the head, and are wanted. */
static uint32_t room_for(uint32_t record_size, uint32_t wanted)
{
    uint32_t room = PCV_MAILBOX_REPLY_SIZE - PCV_REPLY_RECORDS;

    room = record_size ? room / record_size : 0;
    room = room < RECORDS_MAX ? room : RECORDS_MAX;
    return wanted != 0 && wanted < room ? wanted : room;
}

/* Our state is running: nobody else is here. */
static void perform(struct pcv_mailbox *mailbox)
{
    uint8_t bytes[PCV_MAILBOX_REQUEST_SIZE];
    uint8_t record[PCV_RECORD_SIZE_MAX];
    struct pcv_ctl_request request;
    struct pcv_ctl_reply reply;
    uint32_t wanted = 0;
    uint32_t size;
    int result;

    memset(&request, 0, sizeof(request));
    memset(&reply, 0, sizeof(reply));
    request_copy(mailbox, bytes);
    result = pcv_request_decode(bytes, &request, &wanted);
    size = pcv_record_size(request.op);
    if (result == 0) {
        reply.record = mailbox->record;
        reply.room = room_for(size, wanted);
        if (request.op == PCV_CTL_EVENTS) {
            request.u.events.log = mailbox->log;
        }
        result = pcv_ctl(mailbox->host, &request, &reply);
    }
    for (uint32_t i = 0; i < reply.count; i++) {
        pcv_record_encode(request.op, &mailbox->record[i], record);
        reply_put(mailbox, PCV_REPLY_RECORDS + i * size, record, size);
    }
    reply_head(mailbox, bytes, result, &reply, size);
}

/* ---- registers ------------------------------------------------------------
 */

/* Only who has the claim is heard, and only one at a time. */
static void ring(struct pcv_mailbox *mailbox, uint32_t claim)
{
    uint32_t state = load(&mailbox->state);

    if (claim == 0 || claim != load(&mailbox->claim) ||
        state == PCV_MAILBOX_RUNNING ||
        !atomic_compare_exchange_strong(&mailbox->state, &state,
                                        PCV_MAILBOX_RUNNING)) {
        return;
    }
    perform(mailbox);
    store(&mailbox->state, PCV_MAILBOX_DONE);
}

static void claim_change(struct pcv_mailbox *mailbox, uint32_t from,
                         uint32_t to)
{
    (void)atomic_compare_exchange_strong(&mailbox->claim, &from, to);
}

static uint32_t register_read(const struct pcv_mailbox *mailbox, uint32_t at)
{
    static const uint32_t constant[] = {
        [PCV_MAILBOX_MAGIC / WORD] = PCV_MAILBOX_MAGIC_VALUE,
        [PCV_MAILBOX_VERSION / WORD] = PCV_MAILBOX_VERSION_VALUE,
        [PCV_MAILBOX_SIZE / WORD] = PCV_MAILBOX_BAR_SIZE,
        [PCV_MAILBOX_REQUEST_AT / WORD] = PCV_MAILBOX_REQUEST,
        [PCV_MAILBOX_REQUEST_ROOM / WORD] = PCV_MAILBOX_REQUEST_SIZE,
        [PCV_MAILBOX_REPLY_AT / WORD] = PCV_MAILBOX_REPLY,
        [PCV_MAILBOX_REPLY_ROOM / WORD] = PCV_MAILBOX_REPLY_SIZE,
    };

    if (at < sizeof(constant)) {
        return constant[at / WORD];
    }
    if (at == PCV_MAILBOX_STATE) {
        return load(&mailbox->state);
    }
    return at == PCV_MAILBOX_CLAIM ? load(&mailbox->claim) : UINT32_MAX;
}

static void register_write(struct pcv_mailbox *mailbox, uint32_t at,
                           uint32_t value)
{
    switch (at) {
    case PCV_MAILBOX_CLAIM:
        claim_change(mailbox, 0, value);
        break;
    case PCV_MAILBOX_RELEASE:
        claim_change(mailbox, value, 0);
        break;
    case PCV_MAILBOX_DOORBELL:
        ring(mailbox, value);
        break;
    default:
        break;
    }
}

/* `at` is a multiple of 4. */
static uint32_t word_read(const struct pcv_mailbox *mailbox, uint32_t at)
{
    if (at >= PCV_MAILBOX_REPLY &&
        at - PCV_MAILBOX_REPLY < PCV_MAILBOX_REPLY_SIZE) {
        return load(&mailbox->reply[(at - PCV_MAILBOX_REPLY) / WORD]);
    }
    if (at >= PCV_MAILBOX_REQUEST &&
        at - PCV_MAILBOX_REQUEST < PCV_MAILBOX_REQUEST_SIZE) {
        return load(&mailbox->request[(at - PCV_MAILBOX_REQUEST) / WORD]);
    }
    return register_read(mailbox, at);
}

static void word_write(struct pcv_mailbox *mailbox, uint32_t at, uint32_t value)
{
    if (at >= PCV_MAILBOX_REQUEST &&
        at - PCV_MAILBOX_REQUEST < PCV_MAILBOX_REQUEST_SIZE) {
        store(&mailbox->request[(at - PCV_MAILBOX_REQUEST) / WORD], value);
        return;
    }
    register_write(mailbox, at, value);
}

static bool is_good(uint64_t offset, uint8_t size)
{
    return (size == WORD || size == 2 * WORD) && offset % size == 0 &&
           offset <= PCV_MAILBOX_BAR_SIZE - size;
}

void pcv_mailbox_read(struct pcv_mailbox *mailbox, uint64_t offset,
                      uint8_t size, uint64_t *out_value)
{
    uint32_t at = (uint32_t)offset;

    *out_value = size < 8 ? (1ull << (size * 8u)) - 1 : UINT64_MAX;
    if (!is_good(offset, size)) {
        return;
    }
    *out_value = word_read(mailbox, at);
    if (size == 2 * WORD) {
        *out_value |= (uint64_t)word_read(mailbox, at + WORD) << 32;
    }
}

void pcv_mailbox_write(struct pcv_mailbox *mailbox, uint64_t offset,
                       uint8_t size, uint64_t value)
{
    uint32_t at = (uint32_t)offset;

    if (!is_good(offset, size)) {
        return;
    }
    word_write(mailbox, at, (uint32_t)value);
    if (size == 2 * WORD) {
        word_write(mailbox, at + WORD, (uint32_t)(value >> 32));
    }
}
