/* SPDX-License-Identifier: MIT */
/* A minimal driver of something like NVMe (nvme.h). */
#include "nvme.h"

/* NVM Express Base 2.0, 3.1.3 and 3.1.4. */
#define REG_CC 0x14u
#define CC_ENABLE 0x00460001u
#define REG_AQA 0x24u
#define REG_ASQ 0x28u
#define REG_ACQ 0x30u
#define REG_DOORBELL 0x1000u

#define BAR_SIZE 0x4000u
#define ADMIN_QUEUE UINT64_C(0x123456000)
#define COMPLETIONS UINT64_C(0x123457000)

/* A register takes what it is given. */
static const char *put(const struct nvme *nvme, uint32_t reg, uint8_t size,
                       uint64_t value)
{
    struct bus *bus = nvme->fn->bus;

    bus_store(bus, nvme->regs + reg, size, value);
    BUS_NEED(bus_load(bus, nvme->regs + reg, size) == value,
             "a register of the controller reads differently");
    return NULL;
}

static const char *controller_on(const struct nvme *nvme)
{
    struct bus *bus = nvme->fn->bus;

    BUS_NEED((bus_load(bus, nvme->regs + REG_CC, 4) & 1u) == 0,
             "the controller runs before it was started");
    BUS_TRY(put(nvme, REG_AQA, 4, 0x001f001f));
    BUS_TRY(put(nvme, REG_ASQ, 8, ADMIN_QUEUE));
    BUS_TRY(put(nvme, REG_ACQ, 8, COMPLETIONS));
    BUS_TRY(put(nvme, REG_CC, 4, CC_ENABLE));
    return put(nvme, REG_DOORBELL, 4, 1);
}

const char *nvme_up(struct nvme *nvme, struct bus_function *fn)
{
    nvme->fn = fn;
    BUS_NEED(fn->class_code == NVME_CLASS, "it is no NVMe controller");
    BUS_TRY(bus_size(fn));
    BUS_NEED(fn->bar[0].size == BAR_SIZE && fn->bar[0].wide,
             "BAR 0 is not 16 KiB of 64-bit memory");
    for (uint32_t i = 1; i < BUS_BARS; i++) {
        BUS_NEED(fn->bar[i].size == 0, "there is a BAR too many");
    }
    BUS_TRY(bus_place(fn));
    BUS_TRY(function_on(fn));
    nvme->regs = fn->bar[0].address;
    BUS_TRY(irq_msix_find(&nvme->msix, fn));
    BUS_NEED(nvme->msix.entries == 32, "there are not 32 vectors");
    BUS_TRY(irq_msix_up(&nvme->msix));
    return controller_on(nvme);
}

const char *nvme_interrupts(const struct nvme *nvme)
{
    return irq_msix_try_all(&nvme->msix);
}

const char *nvme_reset(struct nvme *nvme)
{
    struct bus *bus = nvme->fn->bus;
    struct function_state old;
    uint64_t before = bus->arrived;

    function_state(nvme->fn, &old);
    BUS_TRY(function_reset(nvme->fn));
    bus->machine.raise(bus->machine.ctx, nvme->fn->sbdf, true, 0);
    BUS_NEED(bus->arrived == before, "a vector arrived after a reset");
    if (bus->placed) {
        function_put_back(nvme->fn, &old); /* as Linux does */
    }
    return nvme_up(nvme, nvme->fn);
}

const char *nvme_suspend(const struct nvme *nvme)
{
    struct bus *bus = nvme->fn->bus;
    struct function_state before;

    function_state(nvme->fn, &before);
    BUS_TRY(function_sleep(nvme->fn));
    BUS_NEED(bus_load(bus, nvme->regs + REG_AQA, 4) == 0xffffffffu,
             "a sleeping controller answers");
    BUS_TRY(function_wake(nvme->fn));
    BUS_NEED(function_is(nvme->fn, &before),
             "a register is not as before the sleep");
    /* The controller's own registers are the driver's to restore. */
    BUS_TRY(put(nvme, REG_AQA, 4, 0x001f001f));
    return irq_msix_try(&nvme->msix, 1);
}

const char *nvme_down(const struct nvme *nvme)
{
    struct bus *bus = nvme->fn->bus;
    uint64_t before = bus->arrived;

    BUS_TRY(put(nvme, REG_CC, 4, 0));
    irq_msix_down(&nvme->msix);
    bus->machine.raise(bus->machine.ctx, nvme->fn->sbdf, true, 0);
    BUS_NEED(bus->arrived == before, "a vector arrived after MSI-X went off");
    return function_off(nvme->fn);
}
