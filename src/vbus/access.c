/* SPDX-License-Identifier: MIT */
/*
 * The entrance by address: width and alignment, the gate, the view, the gate
 * again, and the verdict (CFG-1, CFG-2, CFG-8 to CFG-10).
 */
#include "vbus/early.h"
#include "vbus/gate.h"
#include "vbus/placeholder.h"
#include "vbus/stub.h"
#include "vpci/plain.h"

#define NO_OFFSET 0x10000u /* a bit that no offset has */

/* One access of 1, 2 or 4 bytes, aligned and in configuration space: nearly
 * all are that. */
static inline bool is_one_part(uint32_t reg, uint32_t size)
{
    /* Bits that must be clear, by width; one is set where that is none. */
    static const uint32_t never[] = {
        NO_OFFSET, 0xf000u, 0xf001u, NO_OFFSET, 0xf003u,
    };

    return size <= 4 && ((reg | NO_OFFSET) & never[size]) == 0;
}

/* Two of 4 bytes, which only ECAM has (CFG-2). */
static bool is_two_parts(const struct pcv_access *access)
{
    return access->split && access->size == 8 && access->reg % 8u == 0 &&
           access->reg <= PCV_CFG_EXT_SIZE - 8u;
}

/* A malformed access is counted at its device, if there is one. */
static enum pcv_verdict refuse(struct pcv_domain *domain,
                               struct pcv_access *access)
{
    struct pcv_device *device = pcv_domain_device(domain, access->sbdf);

    if (!access->write) {
        access->data = pcv__all_ones(access->size);
    }
    pcv__count(&domain->host->refused_accesses);
    if (device) {
        pcv__count(&device->refused);
        pcv_device_put(device);
    }
    return PCV_DONE;
}

static inline bool is_seen(const struct pcv_domain *domain,
                           const struct pcv_device *device, pcv_sbdf sbdf)
{
    return pcv__stands_at(domain, device, sbdf) && pcv__owns(domain, device);
}

/* One access of 1, 2 or 4 bytes to a device that we are inside of. It was
 * counted as a read when it entered. */
static enum pcv_verdict perform(struct pcv_device *device, bool write,
                                uint16_t reg, uint8_t size, uint32_t *data)
{
    bool nothing = !pcv__has_register(device, reg);
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
        pcv__count(&device->passes);
        return verdict;
    }
    verdict = pcv__vpci_write(device, reg, size, *data);
    if (verdict >= PCV_RETRY) { /* or forward: it was not performed */
        pcv__gate_uncount(device);
    }
    return verdict;
}

/* Enter where pcv__gate_pass() does not: mostly to learn why. */
static enum pcv_verdict enter(struct pcv_domain *domain, pcv_sbdf sbdf,
                              struct pcv_device **out_device)
{
    enum pcv_verdict verdict = pcv__gate_enter(domain, sbdf, out_device);

    if (verdict == PCV_DONE) {
        pcv__count(&(*out_device)->entered);
    }
    return verdict;
}

/* Inside the gate of another device: the table's hint was old. */
static void turn_back(struct pcv_device *device)
{
    pcv__gate_uncount(device);
    pcv__gate_leave(device);
}

/* Whether what was read of the vendor ID makes the owner floor look first. Then
 * it was not performed, and is not counted. */
static inline bool is_strange(const struct pcv_domain *domain,
                              const struct pcv_access *access,
                              struct pcv_device *device,
                              enum pcv_verdict verdict, uint32_t data)
{
    if (!pcv__asks_who(access) || verdict != PCV_DONE || access->again ||
        domain->kind != PCV_DOMAIN_HARDWARE ||
        !pcv__says_another(device, access, data)) {
        return false;
    }
    pcv__gate_uncount(device);
    return true;
}

/* It is performed again, by resume, when the owner floor has looked; a write
 * when that has taken away what was in its way (OWN-15). */
static enum pcv_verdict ask_owner(struct pcv_access *access)
{
    access->again = true;
    access->added = false;
    access->overrules = access->write;
    access->pending = true;
    return PCV_PENDING;
}

/* Find the device and pass its gate: PCV_DONE and *out_device. */
static enum pcv_verdict pass(struct pcv_domain *domain, pcv_sbdf sbdf,
                             struct pcv_device **out_device)
{
    struct pcv_device *device = pcv__domain_peek(domain, sbdf);

    if (!device || !pcv__gate_pass(device)) {
        return enter(domain, sbdf, out_device);
    }
    if (!is_seen(domain, device, sbdf)) {
        turn_back(device);
        return PCV_ABSENT;
    }
    *out_device = device;
    return PCV_DONE;
}

/* Whether something without a device may answer the domain. */
static inline bool stands_in(const struct pcv_domain *domain)
{
    return pcv__stub_any(domain) || pcv__stand_in_any(domain);
}

/* Where no device of the domain's is: an emulated function (VBUS-6), a
 * placeholder (OWN-14), a stub (OWN-9), or nobody. */
static enum pcv_verdict without_device(struct pcv_domain *domain,
                                       const struct pcv_access *access,
                                       uint16_t reg, uint8_t size,
                                       uint32_t *data)
{
    enum pcv_verdict verdict = PCV_ABSENT;

    if (pcv__stand_in_any(domain)) {
        verdict = pcv__stand_in_access(domain, access->sbdf, reg, size,
                                       access->write, data);
    } else if (!access->write) {
        *data = pcv__ones(size);
    }
    return verdict == PCV_ABSENT ? pcv__stub_access(domain, access->sbdf, reg,
                                                    size, access->write, data)
                                 : verdict;
}

/* The part of an access that starts at `progress`. */
static enum pcv_verdict part(struct pcv_domain *domain,
                             struct pcv_access *access)
{
    uint32_t shift = access->progress * 8u;
    uint8_t size = pcv__part_size(access);
    uint16_t reg = (uint16_t)(access->reg + access->progress);
    uint32_t data = (uint32_t)(access->data >> shift);
    struct pcv_device *device = NULL;
    enum pcv_verdict verdict = pass(domain, access->sbdf, &device);
    bool strange = false;

    if (device) {
        verdict = perform(device, access->write, reg, size, &data);
        strange = verdict == PCV_FORWARD ||
                  is_strange(domain, access, device, verdict, data);
        pcv__gate_leave(device);
        if (strange) {
            return ask_owner(access);
        }
    } else if (verdict == PCV_ABSENT && stands_in(domain)) {
        verdict = without_device(domain, access, reg, size, &data);
    } else {
        data = pcv__ones(size);
    }
    if (verdict == PCV_RETRY) {
        return verdict;
    }
    if (verdict == PCV_PENDING) {
        access->again = false; /* it was performed, by resume: never twice */
    }
    if (!access->write) {
        uint64_t mask = (uint64_t)pcv__ones(size) << shift;

        access->data = (access->data & ~mask) | ((uint64_t)data << shift);
    }
    access->progress = (uint8_t)(access->progress + size);
    return verdict;
}

/* A part that found nothing is to be performed again, by resume. */
static bool put_off(struct pcv_domain *domain, struct pcv_access *access)
{
    uint8_t size = pcv__part_size(access);

    access->progress = (uint8_t)(access->progress - size);
    if (pcv__came_early(domain, access)) {
        access->again = true;
        access->added = false;
        access->overrules = false;
        return true;
    }
    access->progress = (uint8_t)(access->progress + size);
    return false;
}

/* A part is behind us, or not: what that makes of the access. */
static enum pcv_verdict rest(struct pcv_domain *domain,
                             struct pcv_access *access,
                             enum pcv_verdict verdict)
{
    if (verdict == PCV_RETRY) {
        return verdict;
    }
    if (verdict == PCV_PENDING && access->overrules) {
        access->again = false; /* it was performed */
        access->overrules = false;
    }
    if (verdict == PCV_ABSENT && put_off(domain, access)) {
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
            pcv__count(&domain->host->absent_accesses);
        }
    }
    return verdict;
}

PCV__RARE static enum pcv_verdict traced(struct pcv_domain *domain,
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

/* From where the access stands to its end, or to the first part that does not
 * let us go on. */
static enum pcv_verdict go_on(struct pcv_domain *domain,
                              struct pcv_access *access)
{
    enum pcv_verdict verdict;

    if (!access->write && access->progress == 0) {
        access->data = 0;
    }
    /* Bounded: at most two parts. */
    do {
        verdict = rest(domain, access, part(domain, access));
    } while (verdict != PCV_RETRY && verdict != PCV_PENDING &&
             access->progress != 0);
    return told(domain, access, verdict);
}

/* One that is not one part. */
PCV__APART static enum pcv_verdict odd(struct pcv_domain *domain,
                                       struct pcv_access *access)
{
    access->again = false;
    if (!is_two_parts(access)) {
        return told(domain, access, refuse(domain, access));
    }
    if (access->progress >= access->size) {
        access->progress = 0;
    }
    return go_on(domain, access);
}

static inline enum pcv_verdict end_as(struct pcv_domain *domain,
                                      struct pcv_access *access,
                                      enum pcv_verdict verdict, uint32_t data)
{
    if (!access->write && verdict != PCV_RETRY) {
        access->data = data;
    }
    access->progress = access->size;
    verdict = rest(domain, access, verdict);
    if (verdict == PCV_RETRY) {
        access->progress = 0;
    }
    return told(domain, access, verdict);
}

/* One part at an address without a device of the domain's, where something may
 * stand in. */
PCV__RARE static enum pcv_verdict end_stood_in(struct pcv_domain *domain,
                                               struct pcv_access *access)
{
    uint32_t data = (uint32_t)access->data;
    enum pcv_verdict verdict =
        without_device(domain, access, access->reg, access->size, &data);

    return end_as(domain, access, verdict, data);
}

/* One part that came to another end than done. */
PCV__APART static enum pcv_verdict end(struct pcv_domain *domain,
                                       struct pcv_access *access,
                                       enum pcv_verdict verdict, uint32_t data)
{
    if (verdict == PCV_ABSENT && stands_in(domain)) {
        return end_stood_in(domain, access);
    }
    return end_as(domain, access, verdict, data);
}

/* The same at a device that is there. Where that is absent it must be left
 * alone (SRIOV-3), and nothing else stands there. */
PCV__APART static enum pcv_verdict end_inside(struct pcv_domain *domain,
                                              struct pcv_access *access,
                                              enum pcv_verdict verdict,
                                              uint32_t data)
{
    return verdict == PCV_FORWARD ? told(domain, access, ask_owner(access))
                                  : end_as(domain, access, verdict, data);
}

/* One part, inside the gate, that the cell's value does not answer alone. */
PCV__APART static enum pcv_verdict inside(struct pcv_domain *domain,
                                          struct pcv_access *access,
                                          struct pcv_device *device)
{
    uint32_t data = (uint32_t)access->data;
    enum pcv_verdict verdict =
        perform(device, access->write, access->reg, access->size, &data);
    bool strange = is_strange(domain, access, device, verdict, data);

    pcv__gate_leave(device);
    if (strange) {
        return told(domain, access, ask_owner(access));
    }
    if (verdict != PCV_DONE) {
        return end_inside(domain, access, verdict, data);
    }
    if (!access->write) {
        access->data = data;
    }
    return told(domain, access, verdict);
}

/* One part, whose device's gate was not simply open. */
PCV__RARE static enum pcv_verdict outside(struct pcv_domain *domain,
                                          struct pcv_access *access)
{
    struct pcv_device *device;
    enum pcv_verdict verdict = enter(domain, access->sbdf, &device);

    return verdict == PCV_DONE
               ? inside(domain, access, device)
               : end(domain, access, verdict, pcv__ones(access->size));
}

/* One part, inside another's gate. */
PCV__RARE static enum pcv_verdict elsewhere(struct pcv_domain *domain,
                                            struct pcv_access *access,
                                            struct pcv_device *device)
{
    turn_back(device);
    return end(domain, access, PCV_ABSENT, pcv__ones(access->size));
}

/* One part is done, and we left a device that is not registered any more:
 * perhaps nobody holds it now. */
PCV__RARE static enum pcv_verdict last_out(struct pcv_domain *domain,
                                           const struct pcv_access *access,
                                           struct pcv_device *device,
                                           uint64_t before)
{
    if (((before - PCV__WORD_ACCESS) & PCV__WORD_COUNTS) == 0) {
        pcv__ref_last(device);
    }
    return told(domain, access, PCV_DONE);
}

static inline enum pcv_verdict done(struct pcv_domain *domain,
                                    const struct pcv_access *access,
                                    struct pcv_device *device)
{
    uint64_t before = pcv__gate_exit(device);

    if ((before & PCV__WORD_REGISTERED) == 0) {
        return last_out(domain, access, device, before);
    }
    return told(domain, access, PCV_DONE);
}

PCV__APART static enum pcv_verdict write_inside(struct pcv_domain *domain,
                                                struct pcv_access *access,
                                                struct pcv_device *device)
{
    if (pcv__is_barred(device, access->reg) ||
        !pcv__plain_write(device, access->reg, access->size,
                          (uint32_t)access->data)) {
        return inside(domain, access, device);
    }
    return done(domain, access, device);
}

/*
 * What nearly all accesses are stands here and needs nobody else: one part that
 * neither hardware nor a handler has a share in.
 */
enum pcv_verdict pcv_access(struct pcv_domain *domain,
                            struct pcv_access *access)
{
    const uint32_t reg = access->reg;
    const uint32_t size = access->size;
    struct pcv_device *device;
    uint32_t data;

    if (!is_one_part(reg, size)) {
        return odd(domain, access);
    }
    access->progress = 0; /* only two parts have one behind them */
    access->again = false;
    device = pcv__domain_peek(domain, access->sbdf);
    if (!device) {
        return end(domain, access, PCV_ABSENT, pcv__ones(access->size));
    }
    if (!pcv__gate_pass(device)) {
        return outside(domain, access);
    }
    if (!is_seen(domain, device, access->sbdf)) {
        return elsewhere(domain, access, device);
    }
    if (access->write) {
        return write_inside(domain, access, device);
    }
    if (pcv__is_barred(device, reg) ||
        !pcv__plain_read(pcv__vpci(device), reg, size, &data)) {
        return inside(domain, access, device);
    }
    access->data = data;
    return done(domain, access, device);
}

enum pcv_verdict pcv__access_go_on(struct pcv_domain *domain,
                                   struct pcv_access *access)
{
    return go_on(domain, access);
}
