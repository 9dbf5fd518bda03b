/* SPDX-License-Identifier: MIT */
/*
 * The interrupt translation service: devices, their events, and the LPIs that
 * these become.
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

/* What is known of a requester ID that ever had an event bound. */
struct device {
    uint16_t lpi[ITS_EVENTS]; /* 0: none */
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

/* Some events of a device that can exist. */
static bool events_are_valid(uint32_t requester, uint32_t event, uint32_t count)
{
    return requester < BUSES * BUS_DEVICES && count != 0 &&
           count <= ITS_EVENTS && event <= ITS_EVENTS - count;
}

int its_bind(uint32_t requester, uint32_t event, uint32_t count,
             uint32_t domain_id, uint32_t virq)
{
    struct device *device;
    int error = -PCV_ENOMEM;

    if (!events_are_valid(requester, event, count) || virq == 0 ||
        virq > UINT32_MAX - count || !its.ready) {
        return -PCV_EINVAL;
    }
    spin_lock(&its_lock);
    device = device_find_locked(requester);
    if (device == NULL) {
        device = device_create_locked(requester);
    }
    if (device != NULL) {
        error = bind_locked(requester, device, event, count, domain_id, virq);
        if (error != 0) {
            unbind_locked(requester, device, event, count);
        }
    }
    spin_unlock(&its_lock);
    return error;
}

void its_unbind(uint32_t requester, uint32_t event, uint32_t count)
{
    struct device *device;

    if (!events_are_valid(requester, event, count)) {
        return;
    }
    spin_lock(&its_lock);
    device = device_find_locked(requester);
    if (device != NULL) {
        unbind_locked(requester, device, event, count);
    }
    spin_unlock(&its_lock);
}
