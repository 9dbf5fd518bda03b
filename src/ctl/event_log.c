/* SPDX-License-Identifier: MIT */
/*
 * The last events, for who asks later. They come while any lock of the library
 * is held, so the log's own is the last of all.
 */
#include "ctl/internal.h"

#define LOG_MAX 65536u

struct pcv_event_log {
    struct pcv__mem *mem;
    struct pcv__lock lock;
    uint64_t next; /* number of the next event */
    uint32_t size;
    struct pcv_event event[]; /* number n at n % size */
};

static size_t log_bytes(uint32_t count)
{
    return sizeof(struct pcv_event_log) + count * sizeof(struct pcv_event);
}

int pcv_event_log_create(struct pcv_host *host, uint32_t count,
                         struct pcv_event_log **out_log)
{
    struct pcv_event_log *log;

    if (!host || count == 0 || count > LOG_MAX || !out_log) {
        return -PCV_EINVAL;
    }
    log = pcv__alloc(&host->mem, log_bytes(count));
    if (!log) {
        return -PCV_ENOMEM;
    }
    log->mem = &host->mem;
    log->size = count;
    pcv__lock_init(&log->lock, PCV__RANK_LOG);
    *out_log = log;
    return 0;
}

void pcv_event_log_destroy(struct pcv_event_log *log)
{
    if (log) {
        pcv__free(log->mem, log, log_bytes(log->size));
    }
}

void pcv_event_log_add(struct pcv_event_log *log, const struct pcv_event *event)
{
    pcv__lock_take(log->mem, &log->lock);
    log->event[log->next % log->size] = *event;
    log->next++;
    pcv__lock_drop(log->mem, &log->lock);
}

bool pcv__event_log_next(struct pcv_event_log *log, uint64_t number,
                         struct pcv_ctl_event *out_event)
{
    bool found;

    pcv__lock_take(log->mem, &log->lock);
    if (log->next > log->size && number < log->next - log->size) {
        number = log->next - log->size;
    }
    found = number < log->next;
    if (found) {
        out_event->number = number;
        out_event->event = log->event[number % log->size];
    }
    pcv__lock_drop(log->mem, &log->lock);
    return found;
}
