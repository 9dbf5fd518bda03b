/* SPDX-License-Identifier: MIT */
/*
 * The entrance by address: width and alignment, the gate, the view, the gate
 * again, and the verdict (CFG-1, CFG-2, CFG-8 to CFG-10).
 */
#include "vpci/internal.h"

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

/* CFG-2. An 8-byte access is one of ECAM's only. */
static bool well_formed(const struct pcv_access *access)
{
    uint8_t size = access->size;

    if (size != 1 && size != 2 && size != 4 && !(size == 8 && access->split)) {
        return false;
    }
    return access->reg % size == 0 && access->reg <= PCV_CFG_EXT_SIZE - size;
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* A malformed access is counted at its device, if there is one. */
static enum pcv_verdict refuse(struct pcv_domain *domain,
                               struct pcv_access *access)
{
    struct pcv_device *device = pcv_device_find_owned(domain, access->sbdf);

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

/* One access of 1, 2 or 4 bytes to a device that we are inside of. */
static enum pcv_verdict perform(struct pcv_device *device, bool write,
                                uint16_t reg, uint8_t size, uint32_t *data)
{
    bool nothing = nothing_there(device, reg);
    enum pcv_verdict verdict = PCV_DONE;

    if (!write) {
        count(&device->reads);
        *data = nothing ? pcv__ones(size) : pcv__vpci_read(device, reg, size);
        return verdict;
    }
    if (!nothing) {
        verdict = pcv__vpci_write(device, reg, size, *data);
    }
    if (verdict != PCV_RETRY) {
        count(&device->writes);
    }
    return verdict;
}

/* The part of an access that starts at `done` bytes and is `size` wide. */
static enum pcv_verdict part(struct pcv_domain *domain,
                             struct pcv_access *access, uint8_t size)
{
    uint32_t shift = access->progress * 8u;
    uint32_t data = (uint32_t)(access->data >> shift);
    struct pcv_device *device = NULL;
    enum pcv_verdict verdict =
        pcv__gate_enter(domain->host, domain, access->sbdf, &device);

    if (verdict == PCV_DONE) {
        verdict =
            perform(device, access->write,
                    (uint16_t)(access->reg + access->progress), size, &data);
        pcv__gate_leave(device);
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

/* From where the access stands to its end, or to the first part that does not
 * let us go on. */
static enum pcv_verdict go_on(struct pcv_domain *domain,
                              struct pcv_access *access)
{
    uint8_t size = access->size > 4 ? 4 : access->size;
    enum pcv_verdict verdict = PCV_DONE;

    /* Bounded: at most two parts. */
    while (access->progress < access->size) {
        verdict = part(domain, access, size);
        if (verdict == PCV_RETRY) {
            return verdict;
        }
        if (verdict == PCV_PENDING) {
            access->pending = true;
            return verdict;
        }
    }
    access->progress = 0;
    if (verdict == PCV_ABSENT) {
        count(&domain->host->absent_accesses);
    }
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

enum pcv_verdict pcv_access(struct pcv_domain *domain,
                            struct pcv_access *access)
{
    if (!well_formed(access)) {
        return told(domain, access, refuse(domain, access));
    }
    if (!access->split || access->progress >= access->size) {
        access->progress = 0; /* only a split access has a half behind it */
    }
    if (!access->write && access->progress == 0) {
        access->data = 0;
    }
    return told(domain, access, go_on(domain, access));
}

/* Apply what the device's mapping still lacks. A device that is gone has
 * nothing left to do: its removal cancelled it. */
static enum pcv_verdict step(struct pcv_domain *domain,
                             const struct pcv_access *access)
{
    struct pcv__mem *mem = &domain->host->mem;
    struct pcv_device *device;
    enum pcv_verdict verdict =
        pcv__gate_enter(domain->host, domain, access->sbdf, &device);

    if (verdict != PCV_DONE) {
        return verdict == PCV_ABSENT ? PCV_DONE : verdict;
    }
    pcv__lock_take(mem, &device->lock);
    verdict = pcv__map_step(device);
    pcv__lock_drop(mem, &device->lock);
    pcv__gate_leave(device);
    return verdict;
}

enum pcv_verdict pcv_access_resume(struct pcv_domain *domain,
                                   struct pcv_access *access)
{
    enum pcv_verdict verdict;

    if (access->pending) {
        verdict = step(domain, access);
        if (verdict != PCV_DONE) {
            return verdict;
        }
        access->pending = false;
    }
    if (access->progress == 0 || access->progress >= access->size) {
        access->progress = 0;
        return PCV_DONE;
    }
    return told(domain, access, go_on(domain, access));
}
