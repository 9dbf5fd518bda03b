/* SPDX-License-Identifier: MIT */
/*
 * The one place that reads and writes hardware's configuration space (DESIGN
 * decision 6): nothing reaches a device that is known to be gone.
 */
#include "registry/internal.h"

uint32_t pcv__hw_probe(struct pcv_host *host, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size)
{
    uint32_t value = 0;

    if (host->mem.ops.cfg_read(host->mem.ctx, sbdf, reg, size, &value) != 0) {
        return pcv__ones(size);
    }
    return value & pcv__ones(size);
}

static bool reachable(const struct pcv_device *device, uint16_t reg)
{
    return !atomic_load_explicit(&device->vanished, memory_order_acquire) &&
           (reg < PCV_CFG_SIZE ||
            atomic_load_explicit(&device->extended, memory_order_relaxed));
}

uint32_t pcv__hw_read(struct pcv_device *device, uint16_t reg, uint8_t size)
{
    if (!reachable(device, reg)) {
        return pcv__ones(size);
    }
    return pcv__hw_probe(device->host, pcv__device_sbdf(device), reg, size);
}

void pcv__hw_write(struct pcv_device *device, uint16_t reg, uint8_t size,
                   uint32_t value)
{
    struct pcv__mem *mem = &device->host->mem;

    if (reachable(device, reg)) {
        /* A write that the host cannot perform is lost, as on a bus. */
        (void)mem->ops.cfg_write(mem->ctx, pcv__device_sbdf(device), reg, size,
                                 value & pcv__ones(size));
    }
}
