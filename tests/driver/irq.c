/* SPDX-License-Identifier: MIT */
/* MSI and MSI-X as a driver uses them (irq.h). */
#include "irq.h"

/* ---- MSI-X (PCI Local Bus 3.0, 6.8.2) ------------------------------------ */

#define MSIX_CONTROL 2u
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSIX_SIZE 0x07ffu
#define MSIX_TABLE 4u
#define MSIX_PENDING 8u
#define ENTRY_SIZE 16u
#define ENTRY_DATA 8u
#define ENTRY_CONTROL 12u

/* An offset with its BAR, as an address. */
static const char *locate(const struct bus_function *fn, uint16_t reg,
                          uint32_t size, uint64_t *out_address)
{
    uint32_t value = bus_get(fn, reg, 4);
    uint32_t bar = value & 7u;
    uint32_t offset = value & ~7u;

    BUS_NEED(bar < 6 && fn->bar[bar].size != 0 && !fn->bar[bar].io,
             "MSI-X names a BAR that is not there");
    BUS_NEED(size <= fn->bar[bar].size && offset <= fn->bar[bar].size - size,
             "MSI-X is outside of its BAR");
    *out_address = fn->bar[bar].address + offset;
    return NULL;
}

static void control(const struct irq_msix *msix, uint32_t mask, uint32_t value)
{
    bus_change(msix->fn, (uint16_t)(msix->cap + MSIX_CONTROL), 2, mask, value);
}

static uint64_t place_of(const struct irq_msix *msix, uint32_t entry)
{
    return msix->table + (uint64_t)entry * ENTRY_SIZE;
}

const char *irq_msix_find(struct irq_msix *msix, struct bus_function *fn)
{
    uint32_t value;

    *msix = (struct irq_msix){.fn = fn, .cap = bus_cap(fn, PCV_CAP_ID_MSIX)};
    BUS_NEED(msix->cap != 0, "there is no MSI-X");
    value = bus_get(fn, (uint16_t)(msix->cap + MSIX_CONTROL), 2);
    BUS_NEED((value & MSIX_ENABLE) == 0, "MSI-X is on from the start");
    msix->entries = (value & MSIX_SIZE) + 1u;
    BUS_TRY(locate(fn, (uint16_t)(msix->cap + MSIX_TABLE),
                   msix->entries * ENTRY_SIZE, &msix->table));
    return locate(fn, (uint16_t)(msix->cap + MSIX_PENDING),
                  (msix->entries + 63u) / 64u * 8u, &msix->pending);
}

void irq_msix_entry(const struct irq_msix *msix, uint32_t entry,
                    uint64_t address, uint32_t data)
{
    struct bus *bus = msix->fn->bus;
    uint64_t at = place_of(msix, entry);

    bus_store(bus, at, 4, (uint32_t)address);
    bus_store(bus, at + 4, 4, address >> 32);
    bus_store(bus, at + ENTRY_DATA, 4, data);
}

void irq_msix_mask(const struct irq_msix *msix, uint32_t entry, bool on)
{
    bus_store(msix->fn->bus, place_of(msix, entry) + ENTRY_CONTROL, 4,
              on ? 1u : 0u);
}

bool irq_msix_is_pending(const struct irq_msix *msix, uint32_t entry)
{
    uint64_t at = msix->pending + (uint64_t)(entry / 32u) * 4u;

    return (bus_load(msix->fn->bus, at, 4) >> (entry % 32u) & 1u) != 0;
}

/* What was written is what is read. */
static const char *check_entry(const struct irq_msix *msix, uint32_t entry,
                               uint64_t address, uint32_t data)
{
    struct bus *bus = msix->fn->bus;
    uint64_t at = place_of(msix, entry);

    BUS_NEED(bus_load(bus, at, 8) == address,
             "an entry's address reads differently");
    BUS_NEED(bus_load(bus, at + ENTRY_DATA, 4) == data,
             "an entry's data reads differently");
    return NULL;
}

const char *irq_msix_up(struct irq_msix *msix)
{
    struct bus *bus = msix->fn->bus;

    control(msix, MSIX_ENABLE | MSIX_MASK_ALL, MSIX_ENABLE | MSIX_MASK_ALL);
    BUS_NEED((bus_get(msix->fn, (uint16_t)(msix->cap + MSIX_CONTROL), 2) &
              (MSIX_ENABLE | MSIX_MASK_ALL)) == (MSIX_ENABLE | MSIX_MASK_ALL),
             "MSI-X does not go on");
    for (uint32_t i = 0; i < msix->entries; i++) {
        BUS_NEED((bus_load(bus, place_of(msix, i) + ENTRY_CONTROL, 4) & 1u) !=
                     0,
                 "an entry is not masked from the start");
        irq_msix_entry(msix, i, IRQ_ADDRESS, IRQ_DATA + i);
        BUS_TRY(check_entry(msix, i, IRQ_ADDRESS, IRQ_DATA + i));
        irq_msix_mask(msix, i, false);
    }
    control(msix, MSIX_MASK_ALL, 0);
    return NULL;
}

void irq_msix_down(const struct irq_msix *msix)
{
    for (uint32_t i = 0; i < msix->entries; i++) {
        irq_msix_mask(msix, i, true);
    }
    control(msix, MSIX_ENABLE | MSIX_MASK_ALL, 0);
}

static void raise(const struct irq_msix *msix, uint32_t entry)
{
    struct bus *bus = msix->fn->bus;

    bus->machine.raise(bus->machine.ctx, msix->fn->sbdf, true, (uint16_t)entry);
}

/* Raised while it may not go, it waits; `unmask` lets it. */
static const char *waits(const struct irq_msix *msix, uint32_t entry)
{
    uint64_t before = msix->fn->bus->arrived;

    raise(msix, entry);
    BUS_NEED(msix->fn->bus->arrived == before, "a masked vector arrived");
    BUS_NEED(irq_msix_is_pending(msix, entry), "no pending bit");
    return NULL;
}

static const char *moves(const struct irq_msix *msix, uint32_t entry)
{
    const uint64_t elsewhere = IRQ_ADDRESS + 0x1000;
    uint64_t before;

    irq_msix_mask(msix, entry, true);
    irq_msix_entry(msix, entry, elsewhere, 0xabcd0000u + entry);
    irq_msix_mask(msix, entry, false);
    before = msix->fn->bus->arrived;
    raise(msix, entry);
    BUS_TRY(bus_expect(msix->fn->bus, before, elsewhere, 0xabcd0000u + entry));
    irq_msix_mask(msix, entry, true);
    irq_msix_entry(msix, entry, IRQ_ADDRESS, IRQ_DATA + entry);
    irq_msix_mask(msix, entry, false);
    return NULL;
}

const char *irq_msix_try(const struct irq_msix *msix, uint32_t entry)
{
    struct bus *bus = msix->fn->bus;
    uint64_t before = bus->arrived;

    raise(msix, entry);
    BUS_TRY(bus_expect(bus, before, IRQ_ADDRESS, IRQ_DATA + entry));
    irq_msix_mask(msix, entry, true);
    before = bus->arrived;
    BUS_TRY(waits(msix, entry));
    irq_msix_mask(msix, entry, false);
    BUS_TRY(bus_expect(bus, before, IRQ_ADDRESS, IRQ_DATA + entry));
    BUS_NEED(!irq_msix_is_pending(msix, entry), "a pending bit stays");
    return moves(msix, entry);
}

const char *irq_msix_try_all(const struct irq_msix *msix)
{
    struct bus *bus = msix->fn->bus;
    uint64_t before;

    for (uint32_t i = 0; i < msix->entries; i++) {
        BUS_TRY(irq_msix_try(msix, i));
    }
    control(msix, MSIX_MASK_ALL, MSIX_MASK_ALL);
    before = bus->arrived;
    BUS_TRY(waits(msix, msix->entries - 1u));
    control(msix, MSIX_MASK_ALL, 0);
    return bus_expect(bus, before, IRQ_ADDRESS, IRQ_DATA + msix->entries - 1u);
}

/* ---- MSI (PCI Local Bus 3.0, 6.8.1) -------------------------------------- */

#define MSI_CONTROL 2u
#define MSI_ENABLE 0x0001u
#define MSI_ENABLED_SHIFT 4u
#define MSI_ENABLED 0x0070u
#define MSI_WIDE 0x0080u
#define MSI_MASKS 0x0100u

const char *irq_msi_find(struct irq_msi *msi, struct bus_function *fn)
{
    uint32_t value;

    *msi = (struct irq_msi){.fn = fn, .cap = bus_cap(fn, PCV_CAP_ID_MSI)};
    BUS_NEED(msi->cap != 0, "there is no MSI");
    value = bus_get(fn, (uint16_t)(msi->cap + MSI_CONTROL), 2);
    BUS_NEED((value & MSI_ENABLE) == 0, "MSI is on from the start");
    BUS_NEED((value >> 1 & 7u) <= 5, "MSI has a reserved number of vectors");
    msi->vectors = 1u << (value >> 1 & 7u);
    msi->wide = (value & MSI_WIDE) != 0;
    msi->data = msi->cap + (msi->wide ? 12u : 8u);
    msi->mask = (value & MSI_MASKS) != 0 ? msi->data + 4u : 0;
    return NULL;
}

const char *irq_msi_up(const struct irq_msi *msi, uint32_t vectors)
{
    uint32_t log = 0;
    uint16_t reg = (uint16_t)(msi->cap + MSI_CONTROL);

    BUS_NEED(msi->wide, "MSI cannot reach the interrupt controller");
    while (1u << log < vectors) {
        log++;
    }
    bus_set(msi->fn, (uint16_t)(msi->cap + 4u), 4, (uint32_t)IRQ_ADDRESS);
    bus_set(msi->fn, (uint16_t)(msi->cap + 8u), 4,
            (uint32_t)(IRQ_ADDRESS >> 32));
    bus_set(msi->fn, (uint16_t)msi->data, 2, IRQ_DATA);
    if (msi->mask != 0) {
        bus_set(msi->fn, (uint16_t)msi->mask, 4, 0);
    }
    bus_change(msi->fn, reg, 2, MSI_ENABLED, log << MSI_ENABLED_SHIFT);
    bus_change(msi->fn, reg, 2, MSI_ENABLE, MSI_ENABLE);
    BUS_NEED((bus_get(msi->fn, reg, 2) & (MSI_ENABLED | MSI_ENABLE)) ==
                 (log << MSI_ENABLED_SHIFT | MSI_ENABLE),
             "MSI does not go on");
    BUS_NEED(bus_get(msi->fn, (uint16_t)(msi->cap + 4u), 4) ==
                 (uint32_t)IRQ_ADDRESS,
             "MSI's address reads differently");
    BUS_NEED(bus_get(msi->fn, (uint16_t)msi->data, 2) == IRQ_DATA,
             "MSI's data reads differently");
    return NULL;
}

void irq_msi_down(const struct irq_msi *msi)
{
    bus_change(msi->fn, (uint16_t)(msi->cap + MSI_CONTROL), 2, MSI_ENABLE, 0);
}

const char *irq_msi_try(const struct irq_msi *msi, uint32_t vector)
{
    struct bus *bus = msi->fn->bus;
    uint64_t before = bus->arrived;
    pcv_sbdf sbdf = msi->fn->sbdf;

    bus->machine.raise(bus->machine.ctx, sbdf, false, (uint16_t)vector);
    BUS_TRY(bus_expect(bus, before, IRQ_ADDRESS, IRQ_DATA + vector));
    if (msi->mask == 0) {
        return NULL;
    }
    bus_change(msi->fn, (uint16_t)msi->mask, 4, 1u << vector, 1u << vector);
    before = bus->arrived;
    bus->machine.raise(bus->machine.ctx, sbdf, false, (uint16_t)vector);
    BUS_NEED(bus->arrived == before, "a masked vector arrived");
    BUS_NEED((bus_get(msi->fn, (uint16_t)(msi->mask + 4u), 4) >> vector & 1u) !=
                 0,
             "no pending bit");
    bus_change(msi->fn, (uint16_t)msi->mask, 4, 1u << vector, 0);
    BUS_TRY(bus_expect(bus, before, IRQ_ADDRESS, IRQ_DATA + vector));
    BUS_NEED(bus_get(msi->fn, (uint16_t)(msi->mask + 4u), 4) == 0,
             "a pending bit stays");
    return NULL;
}
