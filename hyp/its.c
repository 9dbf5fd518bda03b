/* SPDX-License-Identifier: MIT */
/*
 * The interrupt translation service: requester IDs, their events, and the LPIs
 * that these become.
 *
 * A vector's event is its number, if that is free. Functions behind a bridge of
 * conventional PCI send under one ID, so there another of them may have it; and
 * who comes second is given another.
 *
 * Which LPI belongs to whom is one word an LPI, which the interrupt handler
 * reads without a lock. An LPI that is given back is the last to be given out
 * again, so that one that was on its way when its event was unbound finds
 * nobody, rather than its successor.
 */
#include "its_impl.h"

#include "domain.h"
#include "driver.h"
#include "its_regs.h"
#include "lib.h"
#include "pcivisor/errno.h"

#define BUSES 256u
#define BUS_DEVICES 256u
#define WORD_BITS 64u

/* What is known of a requester ID that ever had an event bound. An event keeps
 * whose it was until another has it. */
struct device {
    uint16_t lpi[ITS_EVENTS]; /* 0: none */
    /* Whose it is then. */
    uint16_t function[ITS_EVENTS], vector[ITS_EVENTS];
    bool shared; /* an event was not that of its vector */
};

struct bus {
    struct device *device[BUS_DEVICES];
};

_Static_assert(LPI_FIRST + LPI_COUNT - 1 <= UINT16_MAX, "an LPI fits");

static struct {
    uint64_t base, typer;
    size_t itt_entry_size;
    /* All LPIs go to the CPU that called its_init(). */
    unsigned first_cpu;
    uint64_t first_target;
    bool ready;
    struct bus *bus[BUSES];
    uint64_t used[LPI_COUNT / WORD_BITS];
    uint32_t cursor; /* where to look for a free LPI */
} its;

/* By LPI: domain (high half) and virtual interrupt. Interrupt 0 belongs to the
 * CPUs and is no message's, so that 0 is nobody's. */
static _Atomic uint64_t lpi_owner[LPI_COUNT];

int its_init(uint64_t base)
{
    int error = its_unit_init(base);

    if (error != 0) {
        if (error == -PCV_ENOMEM) {
            print("its: there is no memory for it\n");
        }
        return error;
    }
    its.base = base;
    its.typer = mmio_read64(base + GITS_TYPER);
    its.itt_entry_size = GITS_TYPER_ENTRY_SIZE(its.typer);
    its.first_cpu = this_cpu()->index;
    return 0;
}

int its_init_cpu(void)
{
    unsigned cpu = this_cpu()->index;
    uint64_t target;
    int error = its_redistributor_init(its.typer, &target);

    if (error != 0) {
        return error;
    }
    spin_lock(&its_lock);
    its_put_mapc(cpu, target);
    its_put_invall(cpu);
    error = its_finish(target);
    if (error == 0 && cpu == its.first_cpu) {
        its.first_target = target;
        its.ready = true;
    }
    spin_unlock(&its_lock);
    return error;
}

uint64_t its_doorbell(void)
{
    return its.base + GITS_TRANSLATER;
}

static struct device *device_find_locked(uint32_t requester)
{
    const struct bus *bus = its.bus[requester / BUS_DEVICES];

    return bus != NULL ? bus->device[requester % BUS_DEVICES] : NULL;
}

/* A device's books, ours and the ITS's, from its first binding on and for
 * good. */
static struct device *device_create_locked(uint32_t requester)
{
    struct bus **bus = &its.bus[requester / BUS_DEVICES];
    unsigned device_order = pages_order(sizeof(struct device));
    unsigned itt_order = pages_order(its.itt_entry_size * ITS_EVENTS);
    struct device *device;
    void *itt;

    if (*bus == NULL) {
        *bus = pages_alloc(pages_order(sizeof(struct bus)));
        if (*bus == NULL) {
            return NULL;
        }
    }
    device = pages_alloc(device_order);
    itt = pages_alloc(itt_order);
    if (device == NULL || itt == NULL) {
        if (device != NULL) {
            pages_free(device, device_order);
        }
        if (itt != NULL) {
            pages_free(itt, itt_order);
        }
        return NULL;
    }
    its_put_mapd(requester, itt);
    (*bus)->device[requester % BUS_DEVICES] = device;
    return device;
}

/* 0: none is free. */
static uint32_t lpi_alloc_locked(void)
{
    for (uint32_t i = 0; i < LPI_COUNT; i++) {
        uint32_t index = (its.cursor + i) % LPI_COUNT;
        uint64_t *word = &its.used[index / WORD_BITS];
        uint64_t bit = (uint64_t)1 << index % WORD_BITS;

        if ((*word & bit) == 0) {
            *word |= bit;
            its.cursor = (index + 1) % LPI_COUNT;
            return LPI_FIRST + index;
        }
    }
    return 0;
}

static void lpi_free_locked(uint32_t lpi)
{
    uint32_t index = lpi - LPI_FIRST;

    its.used[index / WORD_BITS] &= ~((uint64_t)1 << index % WORD_BITS);
}

static void owner_set(uint32_t lpi, uint32_t domain_id, uint32_t virq)
{
    atomic_store_explicit(&lpi_owner[lpi - LPI_FIRST],
                          (uint64_t)domain_id << 32 | virq,
                          memory_order_release);
}

bool its_lookup(uint32_t lpi, uint32_t *out_domain_id, uint32_t *out_virq)
{
    uint64_t owner;

    if (lpi < LPI_FIRST || lpi - LPI_FIRST >= LPI_COUNT) {
        return false;
    }
    owner =
        atomic_load_explicit(&lpi_owner[lpi - LPI_FIRST], memory_order_acquire);
    if (owner == 0) {
        return false;
    }
    *out_domain_id = (uint32_t)(owner >> 32);
    *out_virq = (uint32_t)owner;
    return true;
}

/*
 * From here on these events are nobody's. If the ITS fails, its mapping may
 * still be there: then the LPI is never given out again, and who looks it up
 * finds nobody.
 */
static void unbind_locked(uint32_t requester, struct device *device,
                          uint32_t event, uint32_t count)
{
    int error;

    for (uint32_t i = event; i < event + count; i++) {
        if (device->lpi[i] != 0) {
            owner_set(device->lpi[i], 0, 0);
            its_put_discard(requester, i);
        }
    }
    error = its_finish(its.first_target);
    for (uint32_t i = event; i < event + count; i++) {
        if (device->lpi[i] != 0) {
            if (error == 0) {
                lpi_free_locked(device->lpi[i]);
            }
            device->lpi[i] = 0;
        }
    }
}

/* An event that this domain has already keeps its LPI, so that a change of the
 * virtual interrupt loses no message. */
static int bind_locked(uint32_t requester, struct device *device,
                       uint32_t event, uint32_t count, uint32_t domain_id,
                       uint32_t virq)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lpi = device->lpi[event + i];
        uint32_t old_domain = 0, old_virq = 0;

        if (lpi != 0 && its_lookup(lpi, &old_domain, &old_virq) &&
            old_domain == domain_id) {
            owner_set(lpi, domain_id, virq + i);
            continue;
        }
        if (lpi != 0) {
            unbind_locked(requester, device, event + i, 1);
        }
        lpi = lpi_alloc_locked();
        if (lpi == 0) {
            return -PCV_ENOSPC;
        }
        device->lpi[event + i] = (uint16_t)lpi;
        owner_set(lpi, domain_id, virq + i);
        its_put_mapti(requester, event + i, lpi, its.first_cpu);
    }
    return its_finish(its.first_target);
}

/* ---- which event a vector has ---- */

static bool has_locked(const struct device *device,
                       const struct its_source *source, uint32_t event)
{
    return device->lpi[event] != 0 &&
           device->function[event] == source->function &&
           device->vector[event] == source->vector;
}

/* ITS_EVENTS: none. */
static uint32_t event_find_locked(const struct device *device,
                                  const struct its_source *source)
{
    if (has_locked(device, source, source->vector)) {
        return source->vector;
    }
    for (uint32_t i = 0; device->shared && i < ITS_EVENTS; i++) {
        if (has_locked(device, source, i)) {
            return i;
        }
    }
    return ITS_EVENTS;
}

static bool are_free_locked(const struct device *device, uint32_t event,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (device->lpi[event + i] != 0) {
            return false;
        }
    }
    return true;
}

/* Those of its vectors, or else the last that are free: where the vectors of
 * others are the least likely to be. ITS_EVENTS: there are none. */
static uint32_t event_choose_locked(struct device *device,
                                    const struct its_source *source)
{
    if (are_free_locked(device, source->vector, source->count)) {
        return source->vector;
    }
    device->shared = true;
    for (uint32_t end = ITS_EVENTS; end >= source->count;
         end -= source->count) {
        if (are_free_locked(device, end - source->count, source->count)) {
            return end - source->count;
        }
    }
    return ITS_EVENTS;
}

/* ---- for the port ---- */

static bool source_is_valid(const struct its_source *source)
{
    return source->requester < BUSES * BUS_DEVICES &&
           source->function < BUSES * BUS_DEVICES && source->count != 0 &&
           (source->count & (source->count - 1)) == 0 &&
           source->count <= ITS_VECTORS &&
           source->vector <= ITS_VECTORS - source->count;
}

static int bind_source_locked(const struct its_source *source,
                              struct device *device, uint32_t domain_id,
                              uint32_t virq, uint32_t *out_event)
{
    uint32_t event = event_find_locked(device, source);
    int error;

    if (event == ITS_EVENTS) {
        event = event_choose_locked(device, source);
    }
    if (event == ITS_EVENTS) {
        return -PCV_ENOSPC;
    }
    error = bind_locked(source->requester, device, event, source->count,
                        domain_id, virq);
    if (error != 0) {
        unbind_locked(source->requester, device, event, source->count);
        return error;
    }
    for (uint32_t i = 0; i < source->count; i++) {
        device->function[event + i] = (uint16_t)source->function;
        device->vector[event + i] = (uint16_t)(source->vector + i);
    }
    *out_event = event;
    return 0;
}

int its_bind(const struct its_source *source, uint32_t domain_id, uint32_t virq,
             uint32_t *out_event)
{
    struct device *device;
    int error = -PCV_ENOMEM;

    if (!source_is_valid(source) || virq == 0 ||
        virq > UINT32_MAX - source->count || !its.ready) {
        return -PCV_EINVAL;
    }
    spin_lock(&its_lock);
    device = device_find_locked(source->requester);
    if (device == NULL) {
        device = device_create_locked(source->requester);
    }
    if (device != NULL) {
        error = bind_source_locked(source, device, domain_id, virq, out_event);
    }
    spin_unlock(&its_lock);
    return error;
}

void its_unbind(const struct its_source *source)
{
    struct device *device;
    uint32_t event = ITS_EVENTS;

    if (!source_is_valid(source)) {
        return;
    }
    spin_lock(&its_lock);
    device = device_find_locked(source->requester);
    if (device != NULL) {
        event = event_find_locked(device, source);
    }
    if (event != ITS_EVENTS) {
        unbind_locked(source->requester, device, event, source->count);
    }
    spin_unlock(&its_lock);
}
