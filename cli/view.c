/* SPDX-License-Identifier: MIT */
/* Configuration space as a domain sees it. */
#include "view.h"

#include <stdio.h>
#include <string.h>

/* More than any mapping of the model takes, page by page; a loop that gets
 * there is a bug, and shows as an access that stays pending. */
#define STEPS_MAX 100000000u

/* One access, with all that is needed to repeat it. */
struct attempt {
    enum view_via via;
    uint64_t address; /* guest address or port */
    struct pcv_access access;
};

static enum pcv_verdict attempt_once(struct pcv_domain *domain,
                                     struct attempt *attempt, uint8_t size,
                                     bool write, uint64_t data)
{
    if (attempt->via == VIEW_ADDRESS) {
        return pcv_access(domain, &attempt->access);
    }
    if (attempt->via == VIEW_ECAM) {
        return pcv_ecam_access(domain, (pcv_gpa){attempt->address}, size, write,
                               data, &attempt->access);
    }
    return pcv_port_access(domain, (uint16_t)attempt->address, size, write,
                           (uint32_t)data, &attempt->access);
}

/* What the vCPU does: again on retry, resume on pending. */
static struct view_result attempt_finish(const struct view *view,
                                         struct attempt *attempt, uint8_t size,
                                         bool write, uint64_t data)
{
    struct pcv_domain *domain = view->domain;
    const uint32_t max = view->steps != 0 ? view->steps : STEPS_MAX;
    struct view_result result = {0};
    enum pcv_verdict verdict = attempt_once(domain, attempt, size, write, data);

    while (verdict == PCV_RETRY && result.retries < max) {
        result.retries++;
        verdict = attempt_once(domain, attempt, size, write, data);
    }
    if (verdict == PCV_PENDING) {
        do {
            result.pendings++;
            verdict = pcv_access_resume(domain, &attempt->access);
        } while (verdict != PCV_DONE && result.pendings < max);
    }
    result.verdict = verdict;
    result.data = attempt->access.data;
    return result;
}

static bool is_guest(const struct view *view)
{
    return view->domain != NULL &&
           pcv_domain_kind(view->domain) == PCV_DOMAIN_GUEST;
}

struct view_text view_sbdf(const struct view *view, pcv_sbdf sbdf)
{
    struct view_text text;

    if (is_guest(view)) {
        struct domain_text name =
            machine_domain_name(view->machine, pcv_domain_id(view->domain));
        snprintf(text.s, sizeof(text.s), "%s %s", name.s,
                 format_sbdf(NULL, false, sbdf).s);
    } else {
        snprintf(text.s, sizeof(text.s), "%s",
                 machine_sbdf(view->machine, sbdf).s);
    }
    return text;
}

bool view_parse_sbdf(const struct view *view, const char *word,
                     pcv_sbdf *out_sbdf, struct text *why)
{
    return parse_sbdf(is_guest(view) ? NULL : view->machine->model, word,
                      out_sbdf, why);
}

struct pcv_device *view_device(const struct view *view, pcv_sbdf sbdf)
{
    return is_guest(view) ? pcv_domain_device(view->domain, sbdf)
                          : pcv_device_find(view->machine->host, sbdf);
}

bool view_via_named(const char *name, enum view_via *out_via)
{
    if (strcmp(name, "address") == 0) {
        *out_via = VIEW_ADDRESS;
    } else if (strcmp(name, "ecam") == 0) {
        *out_via = VIEW_ECAM;
    } else if (strcmp(name, "port") == 0) {
        *out_via = VIEW_PORT;
    } else if (strcmp(name, "port-amd") == 0) {
        *out_via = VIEW_PORT_AMD;
    } else {
        return false;
    }
    return true;
}

struct view_result view_memory(const struct view *view, uint64_t address,
                               uint8_t size, bool write, uint64_t data)
{
    struct attempt attempt = {.via = VIEW_ECAM, .address = address};
    return attempt_finish(view, &attempt, size, write, data);
}

struct view_result view_port(const struct view *view, uint16_t port,
                             uint8_t size, bool write, uint32_t data)
{
    struct attempt attempt = {.via = VIEW_PORT, .address = port};
    return attempt_finish(view, &attempt, size, write, data);
}

static bool access_ecam(const struct view *view, pcv_sbdf sbdf, uint16_t reg,
                        uint8_t size, bool write, uint64_t data,
                        struct view_result *out_result, struct text *why)
{
    size_t windows;
    const struct ecam_window *window =
        machine_windows(view->machine, view->domain, &windows);

    if (reg >= PCV_CFG_EXT_SIZE) {
        text_add(why, "a function has 4096 bytes in an ECAM window");
        return false;
    }
    for (; windows > 0; windows--, window++) {
        if (window->segment != pcv_sbdf_segment(sbdf) ||
            pcv_sbdf_bus(sbdf) < window->bus_first ||
            pcv_sbdf_bus(sbdf) > window->bus_last) {
            continue;
        }
        uint64_t function =
            (sbdf.v & 0xffffu) - ((uint64_t)window->bus_first << 8);
        *out_result = view_memory(view, window->base + (function << 12) + reg,
                                  size, write, data);
        return true;
    }
    text_add(why, "no ECAM window covers that bus");
    return false;
}

static bool access_ports(const struct view *view, pcv_sbdf sbdf, uint16_t reg,
                         uint8_t size, bool write, uint64_t data,
                         struct view_result *out_result, struct text *why)
{
    bool amd = view->via == VIEW_PORT_AMD;

    if (pcv_sbdf_segment(sbdf) != 0) {
        text_add(why, "the I/O ports reach segment 0 only");
        return false;
    }
    if (reg >= (amd ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE)) {
        text_add(why, "the I/O ports reach registers below %s",
                 amd ? "1000" : "100, or below 1000 with port-amd");
        return false;
    }
    uint32_t latch = 0x80000000u | (sbdf.v & 0xffffu) << 8 | (reg & 0xfcu) |
                     (uint32_t)(reg & 0xf00u) << 16;
    pcv_domain_set_amd_port_bits(view->domain, amd);
    (void)view_port(view, PCV_PORT_ADDRESS, 4, true, latch);
    *out_result = view_port(view, (uint16_t)(PCV_PORT_DATA + (reg & 3u)), size,
                            write, (uint32_t)data);
    pcv_domain_set_amd_port_bits(view->domain, false);
    return true;
}

bool view_access(const struct view *view, pcv_sbdf sbdf, uint16_t reg,
                 uint8_t size, bool write, uint64_t data,
                 struct view_result *out_result, struct text *why)
{
    if (view->via == VIEW_ECAM) {
        return access_ecam(view, sbdf, reg, size, write, data, out_result, why);
    }
    if (view->via != VIEW_ADDRESS) {
        return access_ports(view, sbdf, reg, size, write, data, out_result,
                            why);
    }
    struct attempt attempt = {.via = VIEW_ADDRESS,
                              .access = {.sbdf = sbdf,
                                         .reg = reg,
                                         .size = size,
                                         .write = write,
                                         .data = data}};
    *out_result = attempt_finish(view, &attempt, size, write, data);
    return true;
}

uint32_t view_read(const struct view *view, pcv_sbdf sbdf, uint16_t reg,
                   uint8_t size)
{
    if (view->domain == NULL) {
        return pcv_model_peek(view->machine->model, sbdf, reg, size);
    }
    struct attempt attempt = {.via = VIEW_ADDRESS,
                              .access = PCV_READ(sbdf, reg, size)};
    return (uint32_t)attempt_finish(view, &attempt, size, false, 0).data;
}

void view_copy(const struct view *view, pcv_sbdf sbdf, uint16_t size,
               uint8_t *out_bytes)
{
    for (uint16_t reg = 0; reg < size; reg = (uint16_t)(reg + 4)) {
        uint32_t value = view_read(view, sbdf, reg, 4);
        for (unsigned i = 0; i < 4; i++) {
            out_bytes[reg + i] = (uint8_t)(value >> (8 * i));
        }
    }
}

/* Where the walk of a list reads. */
struct caps_source {
    const struct view *view;
    pcv_sbdf sbdf;
};

static uint32_t caps_source_read(void *ctx, uint16_t reg, uint8_t size)
{
    const struct caps_source *source = ctx;
    return view_read(source->view, source->sbdf, reg, size);
}

void view_caps_read(const struct view *view, pcv_sbdf sbdf, bool extended,
                    struct view_caps *out_caps)
{
    struct caps_source from = {view, sbdf};
    struct pcv_cap_source source = {caps_source_read, &from};

    memset(out_caps, 0, sizeof(*out_caps));
    out_caps->count = pcv_caps_walk(&source, out_caps->cap, PCV_CAPS_MAX,
                                    &out_caps->problems);
    if (extended) {
        out_caps->count +=
            pcv_ext_caps_walk(&source, out_caps->cap + out_caps->count,
                              PCV_EXT_CAPS_MAX, &out_caps->ext_problems);
    }
}
