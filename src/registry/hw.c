/* SPDX-License-Identifier: MIT */
/*
 * The one place that reads and writes hardware's configuration space (DESIGN
 * decision 6): nothing reaches a device that is known to be gone.
 */
#include "registry/barred.h"

uint32_t pcv__hw_probe(struct pcv_host *host, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size, int *error)
{
    uint32_t value = 0;
    int result = host->mem.ops.cfg_read(host->mem.ctx, sbdf, reg, size, &value);

    if (result != 0) {
        *error = -PCV_EIO; /* whatever the host calls it */
        return pcv__ones(size);
    }
    return value & pcv__ones(size);
}

void pcv__hw_failed(struct pcv_device *device, uint32_t where, bool write)
{
    pcv__event(device, PCV_EVENT_HOST_FAILED, PCV_EVENT_HOST, where,
               write ? 1 : 0);
}

/* The host could not perform an access: whoever builds on it must know. */
static void note(struct pcv_device *device, int error, uint16_t reg, bool write)
{
    if (error != 0) {
        atomic_store_explicit(&device->hw_error, error, memory_order_relaxed);
        pcv__hw_failed(device, reg, write);
    }
}

/* No time is longer; a clock that says so went back. */
#define QUIET_MAX_US 1000000u

void pcv__hw_quiet(struct pcv_device *device, uint64_t us)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint64_t until = 0;

    if (us != 0 && mem->ops.now_us) {
        until = mem->ops.now_us(mem->ctx) + us;
        until += until == 0 ? 1 : 0;
    }
    atomic_store_explicit(&device->quiet_until_us, until, memory_order_release);
}

uint64_t pcv__hw_rest_us(const struct pcv_device *device)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint64_t until =
        atomic_load_explicit(&device->quiet_until_us, memory_order_acquire);
    uint64_t left;

    if (until == 0) {
        return 0;
    }
    left = until - mem->ops.now_us(mem->ctx);
    return left <= QUIET_MAX_US ? left : 0; /* it wraps when it is past */
}

uint64_t pcv__hw_quiet_us(const struct pcv_device *device)
{
    /* Nobody waits for what is gone (LIFE-9). */
    return pcv__has_vanished(device) ? 0 : pcv__hw_rest_us(device);
}

static bool reachable(const struct pcv_device *device, uint16_t reg)
{
    return pcv__has_register(device, reg) && pcv__hw_quiet_us(device) == 0;
}

bool pcv__hw_fetch(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t *out_value)
{
    int error = 0;

    *out_value = pcv__ones(size);
    if (reachable(device, reg)) {
        *out_value = pcv__hw_probe(device->host, pcv__device_sbdf(device), reg,
                                   size, &error);
    }
    note(device, error, reg, false);
    return error == 0;
}

uint32_t pcv__hw_read(struct pcv_device *device, uint16_t reg, uint8_t size)
{
    uint32_t value;

    (void)pcv__hw_fetch(device, reg, size, &value);
    return value;
}

static int store(struct pcv_device *device, uint16_t reg, uint8_t size,
                 uint32_t value)
{
    struct pcv__mem *mem = &device->host->mem;

    if (!reachable(device, reg)) {
        return 0;
    }
    return mem->ops.cfg_write(mem->ctx, pcv__device_sbdf(device), reg, size,
                              value & pcv__ones(size)) == 0
               ? 0
               : -PCV_EIO;
}

void pcv__hw_write(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t value)
{
    /* A write that the host cannot perform is lost, as on a bus. */
    note(device, store(device, reg, size, value), reg, true);
}

void pcv__hw_restore(struct pcv_device *device, uint16_t reg, uint8_t size,
                     uint32_t value)
{
    if (store(device, reg, size, value) != 0) {
        note(device, store(device, reg, size, value), reg, true);
    }
}
