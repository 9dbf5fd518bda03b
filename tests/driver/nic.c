/* SPDX-License-Identifier: MIT */
/* A minimal driver of something like a network card (nic.h). */
#include "nic.h"

#define CONTROL_SIZE 0x20000u /* BAR 0 */
#define VECTORS_SIZE 0x4000u  /* BAR 3 */
#define MEMORY_BAR 4u         /* 64-bit, resizable from 1 MiB */
#define MEMORY_MIN 0x100000u

static const char *put(const struct nic *nic, uint32_t bar, uint64_t offset,
                       uint8_t size, uint64_t value)
{
    struct bus *bus = nic->fn->bus;
    uint64_t at = nic->fn->bar[bar].address + offset;

    bus_store(bus, at, size, value);
    BUS_NEED(bus_load(bus, at, size) == value,
             "a register of the card reads differently");
    return NULL;
}

static const char *check_bars(const struct nic *nic)
{
    const struct bus_bar *bar = nic->fn->bar;
    bool guest = !nic->fn->bus->placed;

    BUS_NEED(bar[0].size == CONTROL_SIZE && !bar[0].wide && !bar[0].io,
             "BAR 0 is not 128 KiB of 32-bit memory");
    BUS_NEED(bar[3].size == VECTORS_SIZE, "BAR 3 is not 16 KiB");
    BUS_NEED(bar[MEMORY_BAR].size >= MEMORY_MIN && bar[MEMORY_BAR].wide &&
                 bar[MEMORY_BAR].prefetch,
             "BAR 4 is not prefetchable 64-bit memory");
    /* No ports are mapped for guests, and they get no ROM unless given one. */
    BUS_NEED((bar[2].size == 0) == guest, "BAR 2 (I/O) is not as expected");
    BUS_NEED((bar[6].size == 0) == guest, "the ROM is not as expected");
    return NULL;
}

static const char *vectors_up(struct nic *nic, bool msix)
{
    nic->msix_on = msix;
    BUS_TRY(irq_msix_find(&nic->msix, nic->fn));
    BUS_TRY(irq_msi_find(&nic->msi, nic->fn));
    BUS_NEED(nic->msi.vectors == 8 && nic->msi.mask != 0,
             "MSI has not eight vectors with masks");
    return msix ? irq_msix_up(&nic->msix) : irq_msi_up(&nic->msi, 8);
}

const char *nic_up(struct nic *nic, struct bus_function *fn, bool msix)
{
    nic->fn = fn;
    BUS_TRY(bus_size(fn));
    BUS_TRY(check_bars(nic));
    BUS_TRY(bus_place(fn));
    BUS_TRY(function_on(fn));
    BUS_TRY(put(nic, 0, 0x100, 4, 0xcafe0001));
    BUS_TRY(put(nic, 0, CONTROL_SIZE - 8u, 8, UINT64_C(0x1122334455667788)));
    BUS_TRY(put(nic, 3, 0x3ff8, 4, 0xcafe0002));
    BUS_TRY(put(nic, MEMORY_BAR, fn->bar[MEMORY_BAR].size - 4u, 4, 0xcafe0003));
    return vectors_up(nic, msix);
}

const char *nic_interrupts(const struct nic *nic)
{
    if (nic->msix_on) {
        return irq_msix_try_all(&nic->msix);
    }
    for (uint32_t i = 0; i < nic->msi.vectors; i++) {
        BUS_TRY(irq_msi_try(&nic->msi, i));
    }
    return NULL;
}

/* ---- resizable BAR (PCI Express Base 6.0, 7.8.6) ------------------------- */

#define REBAR_SIZES 4u   /* bit n + 4: 1 MiB << n */
#define REBAR_CONTROL 8u /* bits 2:0 BAR, 13:8 size */
#define REBAR_SIZE 0x3f00u

/* The next size up, where there is one, else the smallest. */
static uint32_t other_size(uint32_t sizes, uint32_t now)
{
    for (uint32_t n = now + 1; n < 28; n++) {
        if ((sizes >> (n + 4u) & 1u) != 0) {
            return n;
        }
    }
    for (uint32_t n = 0; n < now; n++) {
        if ((sizes >> (n + 4u) & 1u) != 0) {
            return n;
        }
    }
    return now;
}

const char *nic_resize(struct nic *nic, bool msix)
{
    struct bus_function *fn = nic->fn;
    uint16_t cap = bus_ext_cap(fn, PCV_EXT_CAP_ID_REBAR);
    uint16_t reg = (uint16_t)(cap + REBAR_CONTROL);
    uint32_t control, sizes, want;

    BUS_NEED(cap != 0, "there is no resizable BAR");
    control = bus_get(fn, reg, 4);
    sizes = bus_get(fn, (uint16_t)(cap + REBAR_SIZES), 4);
    BUS_NEED((control & 7u) == MEMORY_BAR, "it is not BAR 4 that is resizable");
    want = other_size(sizes, control >> 8 & 0x3fu);
    bus_change(fn, reg, 4, REBAR_SIZE, want << 8);
    BUS_NEED(bus_get(fn, reg, 4) == control,
             "it was resized while it was decoded");
    BUS_TRY(nic_down(nic));
    bus_change(fn, reg, 4, REBAR_SIZE, want << 8);
    BUS_NEED((bus_get(fn, reg, 4) & REBAR_SIZE) == want << 8,
             "the BAR is not resized");
    BUS_TRY(nic_up(nic, fn, msix));
    BUS_NEED(fn->bar[MEMORY_BAR].size == (uint64_t)MEMORY_MIN << want,
             "the BAR has not the size that was asked for");
    return NULL;
}

/* ---- reset and power ----------------------------------------------------- */

const char *nic_reset(struct nic *nic, bool msix)
{
    struct bus *bus = nic->fn->bus;
    struct function_state before_reset;
    uint64_t before = bus->arrived;

    function_state(nic->fn, &before_reset);
    BUS_TRY(function_reset(nic->fn));
    bus->machine.raise(bus->machine.ctx, nic->fn->sbdf, nic->msix_on, 1);
    BUS_NEED(bus->arrived == before, "a vector arrived after a reset");
    if (bus->placed) {
        function_put_back(nic->fn, &before_reset); /* as Linux does */
    }
    return nic_up(nic, nic->fn, msix);
}

const char *nic_suspend(struct nic *nic)
{
    struct bus *bus = nic->fn->bus;
    struct function_state before;

    function_state(nic->fn, &before);
    BUS_TRY(function_sleep(nic->fn));
    BUS_NEED(bus_load(bus, nic->fn->bar[0].address + 0x100, 4) == 0xffffffffu,
             "a sleeping card answers");
    BUS_TRY(function_wake(nic->fn));
    if (bus->placed) { /* it lost its state, which is the driver's to restore */
        function_put_back(nic->fn, &before);
        BUS_TRY(vectors_up(nic, nic->msix_on));
    }
    BUS_NEED(function_is(nic->fn, &before),
             "a register is not as before the sleep");
    BUS_TRY(put(nic, 0, 0x100, 4, 0xcafe0004));
    return nic->msix_on ? irq_msix_try(&nic->msix, 2)
                        : irq_msi_try(&nic->msi, 5);
}

/* ---- the rest ------------------------------------------------------------ */

#define AER_MASK 8u      /* PCI Express Base 6.0, 7.8.4.3 */
#define AER_SEVERITY 12u /* 7.8.4.4 */
#define DEVCTL_PAYLOAD 0x00e0u
#define VPD_ADDRESS 2u
#define VPD_DATA 4u
#define VPD_FLAG 0x8000u

/* PCI Local Bus 3.0, Appendix I: the flag goes on when the data is there. */
static const char *read_product(const struct bus_function *fn)
{
    uint16_t cap = bus_cap(fn, PCV_CAP_ID_VPD);
    uint16_t address = (uint16_t)(cap + VPD_ADDRESS);
    uint16_t data = (uint16_t)(cap + VPD_DATA);
    uint32_t before;

    BUS_NEED(cap != 0, "there are no product data");
    bus_set(fn, address, 2, 4);
    BUS_NEED(bus_get(fn, address, 2) == (VPD_FLAG | 4u),
             "product data do not come");
    before = bus_get(fn, data, 4);
    if (!fn->bus->placed) { /* a guest cannot write them */
        bus_set(fn, data, 4, ~before);
        bus_set(fn, address, 2, VPD_FLAG | 8u);
        BUS_NEED(bus_get(fn, address, 2) == (VPD_FLAG | 4u),
                 "a write of product data was begun");
        BUS_NEED(bus_get(fn, data, 4) == before, "product data were written");
    }
    return NULL;
}

const char *nic_extras(const struct nic *nic)
{
    const struct bus_function *fn = nic->fn;
    uint16_t aer = bus_ext_cap(fn, PCV_EXT_CAP_ID_AER);
    uint16_t serial = bus_ext_cap(fn, PCV_EXT_CAP_ID_DSN);
    uint16_t pcie = bus_cap(fn, PCV_CAP_ID_PCIE);
    uint16_t control = (uint16_t)(pcie + PCV_PCIE_DEVCTL);
    uint64_t number;
    uint32_t payload;

    BUS_NEED(aer != 0, "there is no error reporting");
    bus_set(fn, (uint16_t)(aer + AER_MASK), 4, 0x00100000u);
    BUS_NEED(bus_get(fn, (uint16_t)(aer + AER_MASK), 4) == 0x00100000u,
             "an error's mask reads differently");
    BUS_NEED(serial != 0, "there is no serial number");
    number = bus_get(fn, (uint16_t)(serial + 4u), 4);
    number |= (uint64_t)bus_get(fn, (uint16_t)(serial + 8u), 4) << 32;
    BUS_NEED(number == NIC_SERIAL, "the serial number reads differently");
    BUS_TRY(read_product(fn));
    payload = (bus_get(fn, control, 2) & DEVCTL_PAYLOAD) ^ 0x0020u;
    bus_change(fn, control, 2, DEVCTL_PAYLOAD, payload);
    BUS_NEED((bus_get(fn, control, 2) & DEVCTL_PAYLOAD) == payload,
             "the payload size reads differently");
    bus_change(fn, control, 2, DEVCTL_PAYLOAD, payload ^ 0x0020u);
    return NULL;
}

const char *nic_down(struct nic *nic)
{
    if (nic->msix_on) {
        irq_msix_down(&nic->msix);
    } else {
        irq_msi_down(&nic->msi);
    }
    return function_off(nic->fn);
}
