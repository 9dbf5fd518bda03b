/* SPDX-License-Identifier: MIT */
/*
 * Collected functions on their way into a modelled host: which of them are
 * VFs, and how they are added.
 */
#include "source.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pcivisor/regs.h"

#define ROUTING_IDS 65536u

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

int pcv__source_fail(struct pcv_model_error *error, int rc, unsigned line,
                     const char *format, ...)
{
    va_list args;

    if (error != NULL) {
        error->line = line;
        va_start(args, format);
        (void)vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
    }
    return rc;
}

void pcv__source_label(char out[PCV__SOURCE_LABEL], uint32_t domain,
                       uint16_t rid)
{
    char prefix[10] = "";

    if (domain != 0) {
        (void)snprintf(prefix, sizeof(prefix), "%04" PRIx32 ":", domain);
    }
    (void)snprintf(out, PCV__SOURCE_LABEL, "%s%02x:%02x.%x", prefix,
                   (unsigned)rid >> 8, (unsigned)rid >> 3 & 0x1fu, rid & 7u);
}

/* ---- storage ------------------------------------------------------------ */

void pcv__source_fini(struct pcv__source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        free(source->fns[i].config);
        free(source->fns[i].name);
    }
    free(source->fns);
    memset(source, 0, sizeof(*source));
}

static int source_grow(struct pcv__source *source)
{
    size_t room = source->room == 0 ? 64 : source->room * 2;
    struct pcv__source_fn *fns;

    if (source->room > SIZE_MAX / 2 / sizeof(*fns)) {
        return -PCV_ENOMEM;
    }
    fns = realloc(source->fns, room * sizeof(*fns));
    if (fns == NULL) {
        return -PCV_ENOMEM;
    }
    source->fns = fns;
    source->room = room;
    return 0;
}

int pcv__source_append(struct pcv__source *source,
                       const struct pcv__source_fn *fn)
{
    if (source->count == source->room && source_grow(source) != 0) {
        free(fn->config);
        free(fn->name);
        return -PCV_ENOMEM;
    }
    source->fns[source->count++] = *fn;
    return 0;
}

/* ---- registers ---------------------------------------------------------- */

uint64_t pcv__source_bar_size(unsigned bar, bool io, uint64_t size)
{
    uint64_t least = bar == 6 ? 2048 : io ? 4 : 16;

    if (size < least || (size & (size - 1)) != 0) {
        return 0;
    }
    return size;
}

unsigned pcv__source_cap(const uint8_t *config, uint8_t id)
{
    unsigned at;

    if ((get16(config + PCV_REG_STATUS) & PCV_STATUS_CAPS) == 0) {
        return 0;
    }
    at = config[PCV_REG_CAPS] & 0xfcu;
    /* At most 48 capabilities of one dword fit between 0x40 and 0xff. */
    for (unsigned n = 0; n < 48 && at >= 0x40; n++) {
        if (config[at] == id) {
            return at;
        }
        at = config[at + 1] & 0xfcu;
    }
    return 0;
}

unsigned pcv__source_ext_cap(const uint8_t *config, uint16_t id)
{
    unsigned at = PCV_EXT_CAP_START;

    /* At most 960 headers fit between 0x100 and 0xfff. */
    for (unsigned n = 0; n < 960 && at >= PCV_EXT_CAP_START; n++) {
        uint32_t header = get32(config + at);

        if (header == 0 || header == UINT32_MAX) {
            return 0;
        }
        if ((header & 0xffffu) == id) {
            return at;
        }
        at = header >> 20 & 0xffcu;
    }
    return 0;
}

/* ---- virtual functions --------------------------------------------------- */

/* The routing IDs that a PF's registers give to its VFs. */
struct vf_range {
    uint32_t first;
    uint32_t stride;
    uint32_t count;
};

/* False if the function is no PF with VFs, or its registers are nonsense. */
static bool vf_range_of(const struct pcv__source_fn *fn, struct vf_range *out)
{
    const uint8_t *cap;
    unsigned at;
    uint32_t count;
    uint32_t offset;
    uint32_t stride;

    if (fn->fn.config_size < PCV_CFG_EXT_SIZE) {
        return false;
    }
    at = pcv__source_ext_cap(fn->config, PCV_EXT_CAP_ID_SRIOV);
    if (at == 0 || at > PCV_CFG_EXT_SIZE - 0x40u) {
        return false;
    }
    cap = fn->config + at;
    count = get16(cap + PCV_SRIOV_NUM_VFS);
    offset = get16(cap + PCV_SRIOV_OFFSET);
    stride = get16(cap + PCV_SRIOV_STRIDE);
    if ((get16(cap + PCV_SRIOV_CTRL) & PCV_SRIOV_CTRL_VFE) == 0 || count == 0 ||
        count > get16(cap + PCV_SRIOV_TOTAL_VFS) || offset == 0 ||
        (stride == 0 && count > 1)) {
        return false;
    }
    out->first = fn->rid + offset;
    out->stride = stride;
    out->count = count;
    return out->first < ROUTING_IDS &&
           (uint64_t)stride * (count - 1) < ROUTING_IDS - out->first;
}

/* Binary search from a known lower bound: functions are in order. */
static struct pcv__source_fn *source_find(const struct pcv__source *source,
                                          size_t from, uint32_t domain,
                                          uint32_t rid)
{
    size_t low = from;
    size_t high = source->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct pcv__source_fn *fn = &source->fns[mid];

        if (fn->domain == domain && fn->rid == rid) {
            return fn;
        }
        if (fn->domain < domain || (fn->domain == domain && fn->rid < rid)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/*
 * A domain has 65,536 routing IDs and each VF has one of its own, so PFs that
 * claim more are damaged; this also bounds the search.
 */
static int source_mark_vfs(struct pcv__source *source,
                           struct pcv_model_error *error)
{
    uint32_t claimed = 0;

    for (size_t i = 0; i < source->count; i++) {
        const struct pcv__source_fn *pf = &source->fns[i];
        struct vf_range range;

        if (i > 0 && pf->domain != source->fns[i - 1].domain) {
            claimed = 0;
        }
        if (pf->fn.vf || !vf_range_of(pf, &range)) {
            continue;
        }
        if (range.count > ROUTING_IDS - claimed) {
            return pcv__source_fail(error, -PCV_EINVAL, pf->line,
                                    "expected at most 65536 VFs in a domain, "
                                    "found PFs that claim more");
        }
        claimed += range.count;
        for (uint32_t n = 0; n < range.count; n++) {
            struct pcv__source_fn *vf = source_find(
                source, i + 1, pf->domain, range.first + n * range.stride);

            if (vf != NULL && !vf->fn.vf) {
                vf->fn.vf = true;
                vf->physfn = i;
            }
        }
    }
    return 0;
}

/* ---- delivery ------------------------------------------------------------ */

static int source_add(const struct pcv__source *source, size_t index,
                      uint16_t segment, struct pcv_model *model)
{
    const struct pcv__source_fn *from = &source->fns[index];
    struct pcv_model_function fn = from->fn;

    fn.sbdf.v = (uint32_t)segment << 16 | from->rid;
    fn.config = from->config;
    fn.name = from->name;
    if (fn.vf) {
        fn.physfn.v = (uint32_t)segment << 16 | source->fns[from->physfn].rid;
    }
    return pcv_model_add(model, &fn);
}

int pcv__source_deliver(struct pcv__source *source, struct pcv_model *model,
                        struct pcv_model_error *error)
{
    uint16_t segment = 0;
    int rc = source_mark_vfs(source, error);

    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < source->count; i++) {
        const struct pcv__source_fn *fn = &source->fns[i];
        char label[PCV__SOURCE_LABEL];

        if (i == 0 || fn->domain != source->fns[i - 1].domain) {
            rc = pcv_model_intern_domain(model, fn->domain, &segment);
        }
        if (rc == 0) {
            rc = source_add(source, i, segment, model);
        }
        if (rc != 0) {
            pcv__source_label(label, fn->domain, fn->rid);
            return pcv__source_fail(error, rc, fn->line,
                                    "%s cannot be added: %s", label,
                                    pcv_errno_meaning(rc));
        }
    }
    return 0;
}
