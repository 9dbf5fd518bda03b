/* SPDX-License-Identifier: MIT */
/*
 * The engine: one access to one dword's cell (CFG-3 to CFG-5, CFG-7).
 *
 * "Bytes" below are masks of the dword's bytes: bit 0 is the one at the
 * lowest address.
 */
#include "vpci/plain.h"

static uint8_t bytes_of(uint16_t reg, uint8_t size)
{
    return (uint8_t)(((1u << size) - 1u) << (reg % 4u));
}

static uint16_t dword_of(uint16_t reg)
{
    return (uint16_t)(reg & ~3u);
}

/* The bits of those bytes. */
static uint32_t bits_of(uint8_t bytes)
{
    uint32_t bits = bytes;

    /* Each bit to its byte, then all over it. */
    bits =
        (bits & 1u) | (bits & 2u) << 7 | (bits & 4u) << 14 | (bits & 8u) << 21;
    return bits * 0xffu;
}

/* The bytes that hold any of those bits. */
static uint8_t bytes_with(uint32_t bits)
{
    return (uint8_t)(((bits & 0xffu) != 0) | ((bits & 0xff00u) != 0) << 1 |
                     ((bits & 0xff0000u) != 0) << 2 |
                     ((bits & 0xff000000u) != 0) << 3);
}

/*
 * The next access that hardware sees for `bytes`: aligned, without a byte that
 * is not asked for, and no wider than the domain's own (CFG-5).
 */
static uint8_t next_piece(uint8_t bytes, uint8_t widest, uint8_t *out_first)
{
    uint8_t first = 0;

    while (((uint32_t)bytes >> first & 1u) == 0) {
        first++;
    }
    *out_first = first;
    for (uint8_t size = widest; size > 1; size /= 2) {
        uint8_t want = (uint8_t)(((1u << size) - 1u) << first);

        if (first % size == 0 && (bytes & want) == want) {
            return size;
        }
    }
    return 1;
}

/* Hardware's dword in the given bytes, zero elsewhere. */
static uint32_t hw_read_bytes(struct pcv_device *device, uint16_t dword,
                              uint8_t bytes, uint8_t widest)
{
    uint32_t value = 0;

    while (bytes != 0) {
        uint8_t first;
        uint8_t size = next_piece(bytes, widest, &first);

        value |= pcv__hw_read(device, (uint16_t)(dword + first), size)
                 << (first * 8u);
        bytes &= (uint8_t)~bytes_of(first, size);
    }
    return value;
}

static struct pcv__reg *reg_of_byte(const struct pcv__vpci *vpci,
                                    const struct pcv__cell *cell, uint32_t byte)
{
    return cell->reg[byte] ? &vpci->regs[cell->reg[byte] - 1] : NULL;
}

static uint8_t reg_bytes(const struct pcv__reg *reg)
{
    return bytes_of(reg->offset, reg->desc->size);
}

/* What the policy answers for some bytes of a dword. */
static uint32_t policy_read(struct pcv_device *device,
                            const struct pcv__cell *cell, uint16_t dword,
                            uint8_t bytes, uint8_t widest)
{
    const struct pcv_policy *p = &cell->policy;
    uint32_t bits = bits_of(bytes);
    uint32_t hardware = (p->hardware | p->w1c | p->read_only) & bits;
    uint32_t stored = (p->constant | p->virt | p->virt_w1c) & bits;
    uint32_t value =
        atomic_load_explicit(&cell->value, memory_order_relaxed) & stored;

    if (hardware != 0) {
        value |= hw_read_bytes(device, dword, bytes_with(hardware), widest) &
                 hardware;
    }
    return value;
}

/* What a register reads as a whole, in its own bits. */
static uint32_t register_read(struct pcv_device *device,
                              const struct pcv__cell *cell,
                              const struct pcv__reg *reg)
{
    const struct pcv_register *desc = reg->desc;
    uint32_t shift = reg->offset % 4u * 8u;

    if (desc->ops && desc->ops->read) {
        return desc->ops->read(device, desc, reg->data) & pcv__ones(desc->size);
    }
    return policy_read(device, cell, dword_of(reg->offset), reg_bytes(reg),
                       desc->size) >>
           shift;
}

/* The bytes whose registers have a read handler. */
static uint32_t handlers_read(struct pcv_device *device,
                              const struct pcv__vpci *vpci,
                              const struct pcv__cell *cell, uint8_t bytes)
{
    struct pcv__mem *mem = &device->host->mem;
    uint32_t value = 0;

    pcv__lock_take(mem, &device->lock);
    while (bytes != 0) {
        uint8_t first;
        const struct pcv__reg *reg;

        (void)next_piece(bytes, 1, &first);
        reg = reg_of_byte(vpci, cell, first);
        value |= (register_read(device, cell, reg) << (reg->offset % 4u * 8u)) &
                 bits_of(bytes & reg_bytes(reg));
        bytes &= (uint8_t)~reg_bytes(reg);
    }
    pcv__lock_drop(mem, &device->lock);
    return value;
}

uint32_t pcv__vpci_read(struct pcv_device *device, uint16_t reg, uint8_t size)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__cell *cell = pcv__cell_at(vpci, reg);
    uint8_t bytes = bytes_of(reg % 4u, size);
    uint32_t value;

    if (!cell) {
        return vpci->pass_through ? pcv__hw_read(device, reg, size) : 0;
    }
    value = policy_read(device, cell, dword_of(reg),
                        bytes & (uint8_t)~cell->read_by, size);
    if ((bytes & cell->read_by) != 0) {
        value |= handlers_read(device, vpci, cell, bytes & cell->read_by);
    }
    return value >> (reg % 4u * 8u) & pcv__ones(size);
}

/*
 * Whether the host failed since the write began. What was to be merged is then
 * unknown, and the write is dropped, as one that the host cannot perform. (A
 * read on another CPU that fails just now has the same effect: the host fails.)
 */
static bool host_failed(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0;
}

/*
 * One aligned write of bytes that have bits of hardware. Bits that are not the
 * domain's to write keep hardware's value, reserved-zero bits go out as zero,
 * and a write-1-to-clear bit goes out as one only if the domain wrote a one.
 */
static void write_piece(struct pcv_device *device, const struct pcv_policy *p,
                        uint16_t dword, uint8_t first, uint8_t size,
                        uint32_t value)
{
    uint32_t bits = bits_of(bytes_of(first, size));
    uint32_t written = (p->hardware | p->w1c) & bits;
    uint32_t kept =
        (p->preserve | p->constant | p->virt | p->virt_w1c | p->read_only) &
        bits;
    uint16_t reg = (uint16_t)(dword + first);
    uint32_t out = value & written;

    if (kept != 0) {
        out |= pcv__hw_read(device, reg, size) << (first * 8u) & kept;
        if (host_failed(device)) {
            return;
        }
    }
    pcv__hw_write(device, reg, size, out >> (first * 8u));
}

static void policy_write(struct pcv_device *device, struct pcv__cell *cell,
                         uint16_t dword, uint8_t bytes, uint8_t widest,
                         uint32_t value)
{
    const struct pcv_policy *p = &cell->policy;
    uint8_t to_hardware = bytes & bytes_with(p->hardware | p->w1c);

    pcv__cell_store(cell, bits_of(bytes), value);
    while (to_hardware != 0) {
        uint8_t first;
        uint8_t size = next_piece(to_hardware, widest, &first);

        write_piece(device, p, dword, first, size, value);
        to_hardware &= (uint8_t)~bytes_of(first, size);
    }
}

/* Hand a write to a register's handler, merged to the whole register (CFG-4).
 */
static enum pcv_verdict handler_write(struct pcv_device *device,
                                      struct pcv__cell *cell,
                                      const struct pcv__reg *reg, uint8_t bytes,
                                      uint32_t value)
{
    const struct pcv_register *desc = reg->desc;
    const struct pcv_policy *p = &desc->policy;
    uint32_t shift = reg->offset % 4u * 8u;
    uint32_t old = register_read(device, cell, reg);
    uint32_t mine = bits_of(bytes & reg_bytes(reg));
    uint32_t wrote = mine >> shift;
    uint32_t merged =
        (old & ~wrote & ~(p->w1c | p->virt_w1c)) | (value >> shift & wrote);

    merged = (merged & (p->hardware | p->virt | p->w1c | p->virt_w1c)) |
             (old & (p->constant | p->read_only));
    if (p->preserve != 0) {
        merged |= pcv__hw_read(device, reg->offset, desc->size) & p->preserve;
    }
    if (host_failed(device)) {
        return PCV_DONE;
    }
    pcv__cell_store(cell, mine, value);
    return desc->ops->write(&(struct pcv_register_write){
        .device = device,
        .reg = desc,
        .offset = reg->offset,
        .data = reg->data,
        .value = merged,
        .old = old,
        .bytes = (uint8_t)((bytes & reg_bytes(reg)) >> (reg->offset % 4u)),
    });
}

/* Whether a register in these bytes waits for the mapping that is under way. */
static bool must_wait(const struct pcv__vpci *vpci,
                      const struct pcv__cell *cell, uint8_t bytes)
{
    if (vpci->work.phase == PCV__WORK_NONE && !pcv__vfs_change(vpci->device) &&
        !atomic_load_explicit(&vpci->device->renumbered,
                              memory_order_relaxed)) {
        return false;
    }
    for (uint32_t i = 0; i < 4; i++) {
        const struct pcv__reg *reg = ((uint32_t)bytes >> i & 1u) != 0
                                         ? reg_of_byte(vpci, cell, i)
                                         : NULL;

        if (reg && (reg->desc->flags & PCV_REGISTER_MAPS) != 0) {
            return true;
        }
    }
    return false;
}

static enum pcv_verdict cell_write(struct pcv_device *device,
                                   struct pcv__vpci *vpci,
                                   struct pcv__cell *cell, uint16_t dword,
                                   uint8_t bytes, uint8_t size, uint32_t value)
    PCV__REQUIRES(device->lock)
{
    uint8_t handled = bytes & cell->write_by;
    enum pcv_verdict verdict = PCV_DONE;

    if (must_wait(vpci, cell, bytes)) {
        /* Whoever began it may not come back: an add that failed later on, a
         * vCPU that is stopped. */
        (void)pcv__map_step(device);
        return PCV_RETRY;
    }
    if ((bytes & (uint8_t)~handled) != 0) {
        policy_write(device, cell, dword, bytes & (uint8_t)~handled, size,
                     value);
    }
    while (handled != 0) {
        uint8_t first;
        const struct pcv__reg *reg;
        enum pcv_verdict one;

        (void)next_piece(handled, 1, &first);
        reg = reg_of_byte(vpci, cell, first);
        one = handler_write(device, cell, reg, handled, value);
        if (one == PCV_FORWARD) {
            return one; /* it comes again, all of it */
        }
        verdict = one == PCV_PENDING ? one : verdict;
        handled &= (uint8_t)~reg_bytes(reg);
    }
    return verdict;
}

/* A write to a dword that has a cell. */
static enum pcv_verdict locked_write(struct pcv_device *device,
                                     struct pcv__vpci *vpci,
                                     struct pcv__cell *cell, uint16_t reg,
                                     uint8_t size, uint32_t value)
    PCV__REQUIRES(device->lock)
{
    uint8_t bytes = bytes_of(reg % 4u, size);
    uint32_t shifted = (value & pcv__ones(size)) << (reg % 4u * 8u);
    enum pcv_verdict verdict;

    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    verdict =
        cell_write(device, vpci, cell, dword_of(reg), bytes, size, shifted);
    if (verdict != PCV_RETRY && verdict != PCV_FORWARD) {
        pcv__count_store(device);
    }
    return verdict;
}

/* Of a read-only view only what its cells hold alone is written. */
static bool is_shut(const struct pcv__vpci *vpci, const struct pcv__cell *cell)
{
    return vpci->read_only && (cell->plain & PCV__PLAIN_WRITE) == 0;
}

enum pcv_verdict pcv__vpci_write(struct pcv_device *device, uint16_t reg,
                                 uint8_t size, uint32_t value)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__cell *cell = pcv__cell_at(vpci, reg);
    struct pcv__mem *mem = &device->host->mem;
    enum pcv_verdict verdict;

    if (!cell || is_shut(vpci, cell)) {
        atomic_fetch_add_explicit(&device->passes, 1, memory_order_relaxed);
        if (vpci->read_only) {
            atomic_fetch_add_explicit(&device->refused, 1,
                                      memory_order_relaxed);
        } else if (vpci->pass_through) {
            pcv__hw_write(device, reg, size, value);
        }
        return PCV_DONE;
    }
    pcv__lock_take(mem, &device->lock);
    verdict = locked_write(device, vpci, cell, reg, size, value);
    pcv__lock_drop(mem, &device->lock);
    return verdict;
}

uint32_t pcv_register_hw_read(struct pcv_device *device,
                              const struct pcv_register *reg)
{
    return pcv__hw_read(device, reg->offset, reg->size);
}

void pcv_register_hw_write(struct pcv_device *device,
                           const struct pcv_register *reg, uint32_t value)
{
    pcv__hw_write(device, reg->offset, reg->size, value);
}
