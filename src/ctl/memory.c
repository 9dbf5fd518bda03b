/* SPDX-License-Identifier: MIT */
/* Operations that look at what a domain has: BARs, pages, registers. */
#include "ctl/internal.h"

#include "pcivisor/access.h"

/* How often a read is gone on with in one call. */
#define RESUMES_MAX 16u

static bool is_full(const struct pcv_ctl_reply *reply)
{
    return reply->count == reply->room;
}

int pcv__ctl_bars(struct pcv_host *host, const struct pcv_ctl_request *request,
                  struct pcv_ctl_reply *reply)
{
    struct pcv_bar_view view[PCV_BARS];
    struct pcv_device *device;

    if (request->cursor > PCV_BARS) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, request->sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    pcv_device_bars(device, view);
    pcv_device_put(device);
    for (; reply->next < PCV_BARS; reply->next++) {
        struct pcv_ctl_bar *record;

        if (view[reply->next].size == 0) {
            continue;
        }
        if (is_full(reply)) {
            reply->more = true;
            break;
        }
        record = &reply->record[reply->count++].bar;
        record->index = (uint32_t)reply->next;
        record->view = view[reply->next];
    }
    return 0;
}

int pcv__ctl_mappings(struct pcv_host *host,
                      const struct pcv_ctl_request *request,
                      struct pcv_ctl_reply *reply)
{
    struct pcv_domain *domain = pcv_domain_find(host, request->domain_id);
    struct pcv_mapping mapping;

    if (!domain) {
        return -PCV_ENOENT;
    }
    while (pcv_domain_next_mapping(domain, reply->next, &mapping) &&
           mapping.pages != 0) {
        struct pcv_ctl_mapping *record;

        if (is_full(reply)) {
            reply->more = true;
            break;
        }
        record = &reply->record[reply->count++].mapping;
        record->mapping = mapping;
        record->page_shift = host->page_shift;
        reply->next = mapping.first_page + mapping.pages;
    }
    return 0;
}

/* A read of the domain, seen through. All ones where nothing answers.
 * -PCV_ERESTART: not now. */
static int read_dword(struct pcv_domain *domain, pcv_sbdf sbdf, uint16_t reg,
                      uint8_t out_bytes[4])
{
    struct pcv_access access = PCV_READ(sbdf, reg, 4);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    for (uint32_t i = 0; verdict == PCV_PENDING && i < RESUMES_MAX; i++) {
        verdict = pcv_access_resume(domain, &access);
    }
    if (verdict == PCV_PENDING || verdict == PCV_RETRY) {
        return -PCV_ERESTART;
    }
    for (uint32_t i = 0; i < 4; i++) {
        out_bytes[i] = (uint8_t)(access.data >> (i * 8u));
    }
    return 0;
}

/* The row that begins at `reg` and ends at `end` or a multiple of 16. */
static int read_row(struct pcv_domain *domain, pcv_sbdf sbdf, uint32_t reg,
                    uint32_t end, struct pcv_ctl_row *out_row)
{
    struct pcv_ctl_row row;
    int error = 0;

    memset(&row, 0, sizeof(row));
    row.reg = (uint16_t)reg;
    do {
        error = read_dword(domain, sbdf, (uint16_t)reg, &row.bytes[row.size]);
        row.size = (uint8_t)(row.size + 4u);
        reg += 4;
    } while (error == 0 && reg < end && reg % PCV_CTL_ROW_BYTES != 0);
    if (error == 0) {
        *out_row = row;
    }
    return error;
}

/* How much configuration space a domain finds at an address; 0: none. */
static uint32_t space_of(struct pcv_domain *domain, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_domain_device(domain, sbdf);
    struct pcv_device_info info;

    if (!device) {
        return 0;
    }
    pcv_device_get_info(device, &info);
    pcv_device_put(device);
    return info.extended ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;
}

int pcv__ctl_config(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    struct pcv_domain *domain = pcv_domain_find(host, request->domain_id);
    uint32_t end = request->u.config.end;
    uint32_t space = domain ? space_of(domain, request->sbdf) : 0;
    uint32_t reg;

    if (!domain) {
        return -PCV_ENOENT;
    }
    if (space == 0) {
        return -PCV_ENODEV;
    }
    if (request->cursor >= space || request->cursor % 4 != 0 || end % 4 != 0) {
        return -PCV_EINVAL;
    }
    end = end == 0 || end > space ? space : end;
    reg = (uint32_t)request->cursor;
    while (reg < end && !is_full(reply)) {
        struct pcv_ctl_row *row = &reply->record[reply->count].row;
        int error = read_row(domain, request->sbdf, reg, end, row);

        if (error != 0) {
            return error;
        }
        reg += row->size;
        reply->count++;
        reply->next = reg;
    }
    reply->more = reg < end;
    return 0;
}
