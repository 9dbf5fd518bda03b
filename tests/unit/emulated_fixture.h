/* SPDX-License-Identifier: MIT */
/*
 * The tree machine (hosted.h) with an emulated function at 00:09.0: a mailbox
 * that keeps what is written to it, and counts.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_EMULATED_FIXTURE_H
#define PCV_TESTS_UNIT_EMULATED_FIXTURE_H

#include "hosted.h"

#define EMU TREE_NOTHING
#define EMU_WINDOW 0xa0000000u /* bytes; nothing of the machine is there */
#define EMU_WINDOW_SIZE 0x1000000u
#define EMU_BAR_SIZE 0x10000u
#define EMU_AT (EMU_WINDOW + 0x20000u)
#define EMU_REG_BAR(n) ((uint16_t)(PCV_REG_BAR0 + 4u * (n)))

struct mailbox {
    uint8_t byte[EMU_BAR_SIZE];
    uint32_t reads, writes;
    uint8_t bar, size; /* of the last access */
    uint64_t offset;
    uint64_t written; /* the last value, as it came */
    int error;        /* what it answers */
    uint64_t dirt;    /* or'ed to what is read: bits beyond the width */
};

struct emu {
    struct hosted h;
    struct pcv_domain *hardware;
    struct pcv_emulated_info info;
    struct pcv_emulated *emulated;
    struct mailbox mailbox;
    uint32_t events[64];
    struct pcv_event last;
};

static inline int mailbox_read(void *ctx, uint8_t bar, uint64_t offset,
                               uint8_t size, uint64_t *out_value)
{
    struct mailbox *mailbox = ctx;

    mailbox->reads++;
    mailbox->bar = bar;
    mailbox->size = size;
    mailbox->offset = offset;
    *out_value = mailbox->dirt;
    for (uint32_t i = 0; i < size; i++) {
        *out_value |= (uint64_t)mailbox->byte[offset + i] << (8 * i);
    }
    return mailbox->error;
}

static inline int mailbox_write(void *ctx, uint8_t bar, uint64_t offset,
                                uint8_t size, uint64_t value)
{
    struct mailbox *mailbox = ctx;

    mailbox->writes++;
    mailbox->bar = bar;
    mailbox->size = size;
    mailbox->offset = offset;
    mailbox->written = value;
    if (mailbox->error != 0) {
        return mailbox->error;
    }
    for (uint32_t i = 0; i < size; i++) {
        mailbox->byte[offset + i] = (uint8_t)(value >> (8 * i));
    }
    return 0;
}

static const struct pcv_emulated_ops mailbox_ops = {mailbox_read,
                                                    mailbox_write};

static inline struct pcv_emulated_info emu_info(void)
{
    return (struct pcv_emulated_info){
        .sbdf = EMU,
        .vendor = 0x1b36,
        .device = 0x00e1,
        .subsystem_vendor = 0x1af4,
        .subsystem = 0x1100,
        .class_code = 0x088000,
        .revision = 3,
        .bar_size = EMU_BAR_SIZE,
        .window = {EMU_WINDOW},
        .window_size = EMU_WINDOW_SIZE,
    };
}

static inline void emu_told(void *arg, const struct pcv_event *event)
{
    struct emu *e = arg;

    e->events[event->kind]++;
    e->last = *event;
}

/* The host runs; nothing is emulated. */
static inline void emu_start_bare(struct emu *e)
{
    memset(e, 0, sizeof(*e));
    tree_start(&e->h);
    pcv_model_on_event(e->h.model, emu_told, e);
    e->hardware = pcv_host_hardware_domain(e->h.host);
    e->info = emu_info();
}

static inline int emu_create(struct emu *e)
{
    return pcv_emulated_create(e->hardware, &e->info, &mailbox_ops, &e->mailbox,
                               &e->emulated);
}

static inline void emu_start(struct emu *e)
{
    emu_start_bare(e);
    assert_int_equal(emu_create(e), 0);
}

static inline void emu_end(struct emu *e)
{
    hosted_end(&e->h);
}

/* ---- the hardware domain's accesses ---------------------------------------
 */

static inline enum pcv_verdict emu_try(struct emu *e, struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(e->hardware, access);

    for (int i = 0; i < 1000 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(e->hardware, access);
    }
    return verdict;
}

static inline uint32_t emu_read_at(struct emu *e, pcv_sbdf sbdf, uint16_t reg,
                                   uint8_t size)
{
    struct pcv_access access = PCV_READ(sbdf, reg, size);

    assert_int_equal(emu_try(e, &access), PCV_DONE);
    return (uint32_t)access.data;
}

static inline void emu_write_at(struct emu *e, pcv_sbdf sbdf, uint16_t reg,
                                uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);

    assert_int_equal(emu_try(e, &access), PCV_DONE);
}

static inline uint32_t emu_read(struct emu *e, uint16_t reg, uint8_t size)
{
    return emu_read_at(e, e->info.sbdf, reg, size);
}

static inline void emu_write(struct emu *e, uint16_t reg, uint8_t size,
                             uint32_t value)
{
    emu_write_at(e, e->info.sbdf, reg, size, value);
}

static inline bool emu_absent(struct emu *e, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, 0, 4);

    return emu_try(e, &access) == PCV_ABSENT && access.data == 0xffffffffu;
}

/* As Linux does: an address, then decoding. */
static inline void emu_switch_on(struct emu *e, uint64_t address)
{
    emu_write(e, PCV_REG_COMMAND, 2, 0);
    emu_write(e, EMU_REG_BAR(0), 4, (uint32_t)address);
    emu_write(e, EMU_REG_BAR(1), 4, (uint32_t)(address >> 32));
    emu_write(e, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
}

static inline enum pcv_verdict emu_store(struct emu *e, uint64_t address,
                                         uint8_t size, uint64_t value)
{
    struct pcv_mmio access = PCV_MMIO_WRITE(address, size, value);

    return pcv_mmio_access(e->hardware, &access);
}

static inline enum pcv_verdict emu_load(struct emu *e, uint64_t address,
                                        uint8_t size, uint64_t *out_value)
{
    struct pcv_mmio access = PCV_MMIO_READ(address, size);
    enum pcv_verdict verdict = pcv_mmio_access(e->hardware, &access);

    *out_value = access.data;
    return verdict;
}

static inline struct pcv_emulated_status emu_status(struct emu *e)
{
    struct pcv_emulated_status status;

    pcv_emulated_get_status(e->emulated, &status);
    return status;
}

/* Whether a page is mapped for the hardware domain. */
static inline bool emu_mapped(struct emu *e, uint64_t address)
{
    return pcv_model_is_mapped(e->h.model, PCV_DOMAIN_ID_HARDWARE,
                               address >> 12);
}

#endif
