/* SPDX-License-Identifier: MIT */
/*
 * The entrance by address: width and alignment, the gate, the view, the gate
 * again, and the verdict (CFG-1, CFG-2, CFG-8 to CFG-10).
 */
#include "vbus/gate.h"

const char *pcv_verdict_name(enum pcv_verdict verdict)
{
    switch (verdict) {
    case PCV_DONE:
        return "done";
    case PCV_PENDING:
        return "pending";
    case PCV_RETRY:
        return "retry";
    case PCV_ABSENT:
        return "absent";
    case PCV_FORWARD:
        return "forward";
    }
    return "unknown verdict";
}

static uint64_t all_ones(uint8_t size)
{
    return size >= 8 ? UINT64_MAX : (1ull << (size * 8u)) - 1u;
}

#define WIDTHS (1u << 1 | 1u << 2 | 1u << 4)
#define WIDTHS_SPLIT (WIDTHS | 1u << 8)

/* CFG-2. An 8-byte access is one of ECAM's only. */
static inline bool well_formed(const struct pcv_access *access)
{
    uint32_t size = access->size;
    uint32_t widths = access->split ? WIDTHS_SPLIT : WIDTHS;

    return size <= 8 && (widths >> size & 1u) != 0 &&
           (access->reg & (size - 1u)) == 0 &&
           access->reg <= PCV_CFG_EXT_SIZE - size;
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* A malformed access is counted at its device, if there is one. */
static enum pcv_verdict refuse(struct pcv_domain *domain,
                               struct pcv_access *access)
{
    struct pcv_device *device = pcv_domain_device(domain, access->sbdf);

    if (!access->write) {
        access->data = all_ones(access->size);
    }
    count(&domain->host->refused_accesses);
    if (device) {
        count(&device->refused);
        pcv_device_put(device);
    }
    return PCV_DONE;
}

/* Whether nothing can be reached: the device has vanished, or the register is
 * one of extended space that it does not have (CFG-8, LIFE-9). */
static bool nothing_there(const struct pcv_device *device, uint16_t reg)
{
    return atomic_load_explicit(&device->vanished, memory_order_acquire) ||
           (reg >= PCV_CFG_SIZE &&
            !atomic_load_explicit(&device->extended, memory_order_relaxed));
}

/* A read or write that something is special about. It was counted as a read
 * when it entered. */
static enum pcv_verdict perform_rest(struct pcv_device *device, bool write,
                                     uint16_t reg, uint8_t size, uint32_t *data)
{
    bool nothing = nothing_there(device, reg);
    enum pcv_verdict verdict = PCV_DONE;

    if (pcv__is_settling(device)) {
        verdict = pcv__settle_access(device); /* SRIOV-3 */
        if (verdict != PCV_DONE) {
            *data = write ? *data : pcv__settling_ids(device, reg, size);
            pcv__gate_uncount(device);
            return verdict;
        }
    }
    if (!write) {
        *data = nothing ? pcv__ones(size) : pcv__vpci_read(device, reg, size);
        return verdict;
    }
    if (nothing) {
        count(&device->passes);
        return verdict;
    }
    verdict = pcv__vpci_write(device, reg, size, *data);
    if (verdict == PCV_RETRY) {
        pcv__gate_uncount(device);
    }
    return verdict;
}

/* One access of 1, 2 or 4 bytes to a device that we are inside of. */
static inline enum pcv_verdict perform(struct pcv_device *device, bool write,
                                       uint16_t reg, uint8_t size,
                                       uint32_t *data)
{
    if (!write && !nothing_there(device, reg) && !pcv__is_settling(device) &&
        pcv__vpci_read_plain(pcv__vpci(device), reg, size, data)) {
        return PCV_DONE;
    }
    return perform_rest(device, write, reg, size, data);
}

/* The part of an access that starts at `done` bytes and is `size` wide. */
static enum pcv_verdict part(struct pcv_domain *domain,
                             struct pcv_access *access, uint8_t size)
{
    uint32_t shift = access->progress * 8u;
    uint32_t data = (uint32_t)(access->data >> shift);
    struct pcv_device *device = NULL;
    enum pcv_verdict verdict = pcv__gate_pass(domain, access->sbdf, &device);

    if (verdict == PCV_DONE) {
        verdict =
            perform(device, access->write,
                    (uint16_t)(access->reg + access->progress), size, &data);
        pcv__gate_exit(device);
    } else {
        data = pcv__ones(size);
    }
    if (verdict == PCV_RETRY) {
        return verdict;
    }
    if (!access->write) {
        uint64_t mask = (uint64_t)pcv__ones(size) << shift;

        access->data = (access->data & ~mask) | ((uint64_t)data << shift);
    }
    access->progress = (uint8_t)(access->progress + size);
    return verdict;
}

/* An access that is one part, which is nearly all of them. */
static inline enum pcv_verdict whole(struct pcv_domain *domain,
                                     struct pcv_access *access)
{
    uint32_t data = (uint32_t)access->data;
    struct pcv_device *device = NULL;
    enum pcv_verdict verdict = pcv__gate_pass(domain, access->sbdf, &device);

    if (verdict == PCV_DONE) {
        verdict =
            perform(device, access->write, access->reg, access->size, &data);
        pcv__gate_exit(device);
    } else {
        data = pcv__ones(access->size);
    }
    if (!access->write) {
        access->data = data;
    }
    return verdict;
}

/*
 * Whether nothing stands there only because a PF's VFs are still to be added,
 * which is not for us: resume does it and performs the access then.
 */
static bool came_early(const struct pcv_domain *domain,
                       const struct pcv_access *access)
{
    return domain->kind == PCV_DOMAIN_HARDWARE && !access->again &&
           atomic_load_explicit(&domain->host->work_count,
                                memory_order_relaxed) != 0;
}

/* A part is behind us, or not: what that makes of the access. */
static enum pcv_verdict rest(struct pcv_domain *domain,
                             struct pcv_access *access,
                             enum pcv_verdict verdict)
{
    uint8_t size = access->size > 4 ? 4 : access->size;

    if (verdict == PCV_RETRY) {
        return verdict;
    }
    if (verdict == PCV_ABSENT && came_early(domain, access)) {
        access->progress = (uint8_t)(access->progress - size);
        access->again = true;
        verdict = PCV_PENDING;
    }
    if (verdict == PCV_PENDING) {
        access->pending = true;
        return verdict;
    }
    if (access->progress >= access->size) {
        access->progress = 0;
        access->again = false;
        if (verdict == PCV_ABSENT) {
            count(&domain->host->absent_accesses);
        }
    }
    return verdict;
}

/* From where the access stands to its end, or to the first part that does not
 * let us go on. */
static enum pcv_verdict go_on(struct pcv_domain *domain,
                              struct pcv_access *access)
{
    uint8_t size = access->size > 4 ? 4 : access->size;
    enum pcv_verdict verdict;

    /* Bounded: at most two parts. */
    do {
        verdict = rest(domain, access, part(domain, access, size));
    } while (verdict != PCV_RETRY && verdict != PCV_PENDING &&
             access->progress != 0);
    return verdict;
}

static enum pcv_verdict traced(struct pcv_domain *domain,
                               const struct pcv_access *access,
                               enum pcv_verdict verdict)
{
    const struct pcv__mem *mem = &domain->host->mem;
    struct pcv_trace record = {
        .sbdf = access->sbdf,
        .domain_id = domain->id,
        .reg = access->reg,
        .size = access->size,
        .write = access->write,
        .verdict = (uint8_t)verdict,
        .data = access->data,
    };

    if (mem->ops.trace) {
        mem->ops.trace(mem->ctx, &record);
    }
    return verdict;
}

/* One record for each verdict, while tracing is on. */
static inline enum pcv_verdict told(struct pcv_domain *domain,
                                    const struct pcv_access *access,
                                    enum pcv_verdict verdict)
{
    if (atomic_load_explicit(&domain->host->trace, memory_order_relaxed)) {
        return traced(domain, access, verdict);
    }
    return verdict;
}

/* A split access, from where it stands. */
static enum pcv_verdict split(struct pcv_domain *domain,
                              struct pcv_access *access)
{
    if (access->progress >= access->size) {
        access->progress = 0;
    }
    if (!access->write && access->progress == 0) {
        access->data = 0;
    }
    return go_on(domain, access);
}

/* An access that was not simply done. */
static enum pcv_verdict not_done(struct pcv_domain *domain,
                                 struct pcv_access *access,
                                 enum pcv_verdict verdict)
{
    access->progress = access->size;
    verdict = rest(domain, access, verdict);
    if (verdict == PCV_RETRY) {
        access->progress = 0;
    }
    return verdict;
}

enum pcv_verdict pcv_access(struct pcv_domain *domain,
                            struct pcv_access *access)
{
    enum pcv_verdict verdict;

    access->again = false;
    if (!well_formed(access)) {
        return told(domain, access, refuse(domain, access));
    }
    if (access->split) {
        return told(domain, access, split(domain, access));
    }
    access->progress = 0; /* only a split access has a half behind it */
    verdict = whole(domain, access);
    if (verdict != PCV_DONE) {
        verdict = not_done(domain, access, verdict);
    }
    return told(domain, access, verdict);
}

enum pcv_verdict pcv__access_go_on(struct pcv_domain *domain,
                                   struct pcv_access *access)
{
    return told(domain, access, go_on(domain, access));
}
