/* SPDX-License-Identifier: MIT */
/* A guest's side of the bus (bus.h). */
#include "bus.h"

#define PATIENCE 100000u /* times that an access may ask to be called again */

static uint64_t ones(uint8_t size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* ---- accesses ------------------------------------------------------------ */

static enum pcv_verdict enter(struct bus *bus, struct pcv_access *access,
                              pcv_sbdf sbdf, uint16_t reg)
{
    pcv_gpa address = {bus->ecam + ((uint64_t)(sbdf.v & 0xffffu) << 12) + reg};

    if (bus->ecam == 0) {
        return pcv_access(bus->domain, access);
    }
    return pcv_ecam_access(bus->domain, address, access->size, access->write,
                           access->data, access);
}

/* What a vCPU does until its access is behind it. */
static uint32_t perform(struct bus *bus, struct pcv_access *access)
{
    pcv_sbdf sbdf = access->sbdf;
    uint16_t reg = access->reg;
    enum pcv_verdict verdict = enter(bus, access, sbdf, reg);

    for (uint32_t i = 0; verdict == PCV_RETRY || verdict == PCV_PENDING; i++) {
        if (i == PATIENCE) {
            bus->stuck = true;
            break;
        }
        if (access->pending) {
            bus->resumed++;
            verdict = pcv_access_resume(bus->domain, access);
        } else {
            verdict = enter(bus, access, sbdf, reg);
        }
    }
    bus->verdict = verdict;
    return (uint32_t)access->data;
}

uint32_t bus_read(struct bus *bus, pcv_sbdf sbdf, uint16_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(sbdf, reg, size);

    return perform(bus, &access);
}

void bus_write(struct bus *bus, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
               uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);

    (void)perform(bus, &access);
}

static uint64_t memory(struct bus *bus, uint64_t address, uint8_t size,
                       bool write, uint64_t value)
{
    struct pcv_mmio trap = {
        .address = {address}, .size = size, .write = write, .data = value};
    enum pcv_verdict verdict = PCV_RETRY;

    if (bus->machine.memory(bus->machine.ctx, pcv_domain_id(bus->domain),
                            address, size, write, &value) == 0) {
        bus->verdict = PCV_DONE;
        return value;
    }
    bus->trapped++;
    for (uint32_t i = 0; i < PATIENCE && verdict == PCV_RETRY; i++) {
        verdict = pcv_mmio_access(bus->domain, &trap);
    }
    bus->stuck = bus->stuck || verdict == PCV_RETRY;
    bus->verdict = verdict;
    return verdict == PCV_FORWARD ? ones(size) : trap.data;
}

uint64_t bus_load(struct bus *bus, uint64_t address, uint8_t size)
{
    return memory(bus, address, size, false, 0);
}

void bus_store(struct bus *bus, uint64_t address, uint8_t size, uint64_t value)
{
    (void)memory(bus, address, size, true, value);
}

uint32_t bus_get(const struct bus_function *fn, uint16_t reg, uint8_t size)
{
    return bus_read(fn->bus, fn->sbdf, reg, size);
}

void bus_set(const struct bus_function *fn, uint16_t reg, uint8_t size,
             uint32_t value)
{
    bus_write(fn->bus, fn->sbdf, reg, size, value);
}

void bus_change(const struct bus_function *fn, uint16_t reg, uint8_t size,
                uint32_t mask, uint32_t value)
{
    bus_set(fn, reg, size, (bus_get(fn, reg, size) & ~mask) | (value & mask));
}

/* ---- enumeration --------------------------------------------------------- */

struct scan {
    struct bus *bus;
    struct bus_function *out;
    size_t max, count;
    bool seen[PCV_BUSES];
    uint8_t queue[PCV_BUSES]; /* buses to look at */
    uint32_t queued;
};

/* A bridge's secondary bus, once. */
static void queue_bus(struct scan *scan, uint8_t bus)
{
    if (!scan->seen[bus]) {
        scan->seen[bus] = true;
        scan->queue[scan->queued++] = bus;
    }
}

/* False if nothing answers. */
static bool look(struct scan *scan, pcv_sbdf sbdf, bool *out_multi)
{
    struct bus *bus = scan->bus;
    uint32_t id = bus_read(bus, sbdf, PCV_REG_VENDOR, 4);
    struct bus_function fn = {.bus = bus, .sbdf = sbdf};

    /* As Linux: some boards answer all ones, some zero where nothing is. */
    if (id == 0xffffffffu || id == 0 || id == 0xffffu || id == 0xffff0000u) {
        return false;
    }
    fn.vendor = (uint16_t)id;
    fn.device = (uint16_t)(id >> 16);
    fn.class_code = bus_read(bus, sbdf, PCV_REG_REVISION, 4) >> 8;
    fn.header_type = (uint8_t)bus_read(bus, sbdf, PCV_REG_HEADER_TYPE, 1);
    *out_multi = (fn.header_type & PCV_HEADER_MULTI) != 0;
    if ((fn.header_type & PCV_HEADER_TYPE_MASK) == 1) {
        queue_bus(scan, (uint8_t)bus_read(bus, sbdf, PCV_REG_SECONDARY, 1));
    }
    if (scan->count < scan->max) {
        scan->out[scan->count] = fn;
    }
    scan->count++;
    return true;
}

static void scan_bus(struct scan *scan, uint8_t bus)
{
    for (uint32_t device = 0; device < PCV_SLOTS; device++) {
        bool multi = false, other;

        if (!look(scan, pcv_sbdf_make(0, bus, pcv_devfn((uint8_t)device, 0)),
                  &multi)) {
            continue;
        }
        for (uint8_t fn = 1; multi && fn < PCV_FUNCTIONS; fn++) {
            (void)look(scan,
                       pcv_sbdf_make(0, bus, pcv_devfn((uint8_t)device, fn)),
                       &other);
        }
    }
}

size_t bus_scan(struct bus *bus, struct bus_function *out, size_t max)
{
    struct scan scan = {.bus = bus, .out = out, .max = max};

    queue_bus(&scan, 0);
    for (uint32_t i = 0; i < scan.queued; i++) { /* each bus once: 256 */
        scan_bus(&scan, scan.queue[i]);
    }
    return scan.count;
}

struct bus_function *bus_find(struct bus_function *fns, size_t count,
                              uint16_t vendor, uint16_t device)
{
    for (size_t i = 0; i < count; i++) {
        if (fns[i].vendor == vendor && fns[i].device == device) {
            return &fns[i];
        }
    }
    return NULL;
}

/* ---- BARs ---------------------------------------------------------------- */

static uint16_t reg_of(uint32_t bar)
{
    return (uint16_t)(bar == BUS_BARS - 1u ? PCV_REG_ROM0
                                           : PCV_REG_BAR0 + 4u * bar);
}

/* All ones there and back; what it answers between. */
static uint32_t probe(const struct bus_function *fn, uint16_t reg,
                      uint32_t pattern, uint32_t *out_before)
{
    uint32_t answer;

    *out_before = bus_get(fn, reg, 4);
    bus_set(fn, reg, 4, pattern);
    answer = bus_get(fn, reg, 4);
    bus_set(fn, reg, 4, *out_before);
    return answer;
}

static const char *size_rom(struct bus_function *fn)
{
    struct bus_bar *bar = &fn->bar[BUS_BARS - 1u];
    uint32_t before;
    uint32_t mask = probe(fn, PCV_REG_ROM0, PCV_ROM_MASK, &before);

    BUS_NEED(mask != 0xffffffffu, "the ROM BAR reads all ones");
    *bar = (struct bus_bar){.address = before & PCV_ROM_MASK};
    mask &= PCV_ROM_MASK;
    bar->size = mask & (~mask + 1u);
    return NULL;
}

/* One BAR; *inout_bar stands on its last register afterwards. */
static const char *size_bar(struct bus_function *fn, uint32_t *inout_bar)
{
    struct bus_bar *bar = &fn->bar[*inout_bar];
    uint32_t low, high = 0, before, before_high = 0;

    *bar = (struct bus_bar){0};
    low = probe(fn, reg_of(*inout_bar), 0xffffffffu, &before);
    if (low == 0) {
        return NULL;
    }
    bar->io = (before & PCV_BAR_SPACE_IO) != 0;
    if (bar->io) {
        low &= PCV_BAR_IO_MASK;
        bar->address = before & PCV_BAR_IO_MASK;
        bar->size = low & (~low + 1u);
        return NULL;
    }
    bar->wide = (before & PCV_BAR_TYPE_MASK) == PCV_BAR_TYPE_64;
    bar->prefetch = (before & PCV_BAR_PREFETCH) != 0;
    if (bar->wide) {
        BUS_NEED(*inout_bar < 5, "the last BAR is 64-bit");
        high = probe(fn, reg_of(*inout_bar + 1u), 0xffffffffu, &before_high);
        ++*inout_bar;
    }
    bar->address = (before & PCV_BAR_MEM_MASK) | (uint64_t)before_high << 32;
    bar->size = (low & PCV_BAR_MEM_MASK) | (uint64_t)high << 32;
    bar->size &= ~bar->size + 1u;
    BUS_NEED(bar->size >= 16, "a BAR has no size");
    return NULL;
}

const char *bus_size(struct bus_function *fn)
{
    uint32_t command = bus_get(fn, PCV_REG_COMMAND, 2);
    const char *said = NULL;

    BUS_NEED(command != 0xffffu, "the command register reads all ones");
    bus_set(fn, PCV_REG_COMMAND, 2,
            command & ~(uint32_t)(PCV_CMD_IO | PCV_CMD_MEMORY));
    for (uint32_t bar = 0; bar < 6 && !said; bar++) {
        said = size_bar(fn, &bar);
    }
    if (!said) {
        said = size_rom(fn);
    }
    bus_set(fn, PCV_REG_COMMAND, 2, command);
    return said;
}

/* A BAR's register, both halves. */
static const char *set_address(struct bus_function *fn, uint32_t number)
{
    const struct bus_bar *bar = &fn->bar[number];
    uint16_t reg = reg_of(number);

    bus_set(fn, reg, 4, (uint32_t)bar->address);
    BUS_NEED((bus_get(fn, reg, 4) & PCV_BAR_MEM_MASK) == (uint32_t)bar->address,
             "a BAR does not take its address");
    if (bar->wide) {
        uint32_t high = (uint32_t)(bar->address >> 32);

        bus_set(fn, (uint16_t)(reg + 4u), 4, high);
        BUS_NEED(bus_get(fn, (uint16_t)(reg + 4u), 4) == high,
                 "a BAR does not take its upper half");
    }
    return NULL;
}

/* Natural alignment, so that small BARs may share a page. */
static bool take_room(struct bus_room *room, uint64_t size,
                      uint64_t *out_address)
{
    uint64_t at = (room->next + size - 1u) & ~(size - 1u);

    if (at >= room->end || size > room->end - at) {
        return false;
    }
    *out_address = at;
    room->next = at + size;
    return true;
}

const char *bus_place(struct bus_function *fn)
{
    struct bus *bus = fn->bus;

    for (uint32_t i = 0; i < BUS_BARS - 1u && !bus->placed; i++) {
        struct bus_bar *bar = &fn->bar[i];

        if (bar->size != 0 && !bar->io) {
            BUS_NEED(take_room(bar->wide ? &bus->wide : &bus->narrow, bar->size,
                               &bar->address),
                     "no room for a BAR");
            BUS_TRY(set_address(fn, i));
        }
    }
    return NULL;
}

/* ---- capabilities -------------------------------------------------------- */

uint16_t bus_cap(const struct bus_function *fn, uint8_t id)
{
    uint32_t at;

    if ((bus_get(fn, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS) == 0) {
        return 0;
    }
    at = bus_get(fn, PCV_REG_CAPS, 1) & ~3u;
    for (uint32_t i = 0; i < 48 && at >= 0x40; i++) { /* as many as fit */
        uint32_t header = bus_get(fn, (uint16_t)at, 2);

        if ((header & 0xffu) == id) {
            return (uint16_t)at;
        }
        at = header >> 8 & ~3u;
    }
    return 0;
}

uint16_t bus_ext_cap(const struct bus_function *fn, uint16_t id)
{
    uint32_t at = PCV_EXT_CAP_START;

    for (uint32_t i = 0; i < 960 && at >= PCV_EXT_CAP_START; i++) {
        uint32_t header = bus_get(fn, (uint16_t)at, 4);

        if (header == 0 || header == 0xffffffffu) {
            return 0;
        }
        if ((header & 0xffffu) == id) {
            return (uint16_t)at;
        }
        at = header >> 20 & ~3u;
    }
    return 0;
}

/* ---- the interrupt controller -------------------------------------------- */

void bus_message(struct bus *bus, uint64_t address, uint32_t data)
{
    bus->inbox[bus->arrived % BUS_INBOX] = (struct bus_message){address, data};
    bus->arrived++;
}

const char *bus_expect(const struct bus *bus, uint64_t before, uint64_t address,
                       uint32_t data)
{
    const struct bus_message *last = &bus->inbox[before % BUS_INBOX];

    BUS_NEED(bus->arrived != before, "no message arrived");
    BUS_NEED(bus->arrived == before + 1, "more than one message arrived");
    BUS_NEED(last->address == address, "a message has another address");
    BUS_NEED(last->data == data, "a message has other data");
    return NULL;
}
