/* SPDX-License-Identifier: MIT */
/*
 * One function on a machine of its own, for tests of what its owner does to it:
 * built, found, given to a guest or left to the hardware domain, and asked in
 * the owner's name with a clock that only the test moves.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_OWNED_H
#define PCV_TESTS_UNIT_OWNED_H

#include "hosted.h"

#define OWNED_GUEST 7u
#define OWNED_WINDOW 0x80000000ull
#define OWNED_AT PCV_TEST_ALONE /* where the machine has it */
#define OWNED_BAR 0xfe000000u   /* where the host put BAR 0, if it has one */
#define OWNED_PAGES 4u
#define OWNED_DOORBELL 0xfee00000u
#define OWNED_LOG 512u

struct owned {
    struct hosted h;
    struct pcv_domain *guest;
    struct pcv_domain *owner; /* in whose name it is asked */
    pcv_sbdf at;              /* where that one sees it */
    struct pcv_model_cfg log[OWNED_LOG];
    size_t logged;
    uint32_t events[64];
    uint64_t args[64]; /* the last one's first */
};

static inline void owned_saw(void *arg, const struct pcv_model_cfg *access)
{
    struct owned *o = arg;

    if (o->logged < OWNED_LOG) {
        o->log[o->logged++] = *access;
    }
}

static inline void owned_told(void *arg, const struct pcv_event *event)
{
    struct owned *o = arg;

    if (event->kind < sizeof(o->events) / sizeof(o->events[0])) {
        o->events[event->kind]++;
        o->args[event->kind] = event->arg[0];
    }
}

/* What was logged so far of one register. */
static inline size_t owned_touched(const struct owned *o, uint16_t reg,
                                   bool write)
{
    size_t count = 0;

    for (size_t i = 0; i < o->logged; i++) {
        count += o->log[i].reg == reg && o->log[i].write == write;
    }
    return count;
}

static inline void owned_forget(struct owned *o)
{
    o->logged = 0;
    memset(o->events, 0, sizeof(o->events));
}

/* A 32-bit BAR of four pages at OWNED_BAR, and everything on. */
static inline void owned_bar(struct pcv_test_function *f)
{
    pcv_test_bar32(f, 0, OWNED_BAR, (uint64_t)OWNED_PAGES * 4096u);
    pcv_test_set(f, PCV_REG_COMMAND, 2,
                 PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY);
}

/* The machine runs; the hardware domain has the function. */
static inline void owned_start(struct owned *o, struct pcv_test_function *f)
{
    memset(o, 0, sizeof(*o));
    hosted_build(&o->h);
    pcv_test_add(o->h.model, f, OWNED_AT);
    pcv_model_watch(o->h.model, owned_saw, o);
    pcv_model_on_event(o->h.model, owned_told, o);
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), 1);
    pcv_model_set_clock(o->h.model, true);
    o->owner = pcv_host_hardware_domain(o->h.host);
    o->at = OWNED_AT;
    assert_int_equal(pcv_domain_create(o->h.host, OWNED_GUEST, &o->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(o->guest, (pcv_gpa){OWNED_WINDOW}, 0x10000000),
        0);
}

static inline uint64_t owned_wait_us(struct owned *o)
{
    struct pcv_device *device = hosted_hold(&o->h, OWNED_AT);
    uint64_t us = pcv_device_wait_us(device);

    pcv_device_put(device);
    return us;
}

/* A change of owner to its end, the clock going on while it asks for time. */
static inline int owned_change(struct owned *o, bool to_guest,
                               const struct pcv_assign_policy *policy)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(o->h.model, owned_wait_us(o));
        error = to_guest ? pcv_device_assign(o->h.host, OWNED_AT, o->guest,
                                             policy, &o->at)
                         : pcv_device_deassign(o->h.host, OWNED_AT);
    }
    if (error == 0) {
        o->owner = to_guest ? o->guest : pcv_host_hardware_domain(o->h.host);
        o->at = to_guest ? o->at : OWNED_AT;
    }
    return error;
}

static inline void owned_give(struct owned *o,
                              const struct pcv_assign_policy *policy)
{
    assert_int_equal(owned_change(o, true, policy), 0);
    owned_forget(o);
}

static inline void owned_take(struct owned *o)
{
    assert_int_equal(owned_change(o, false, NULL), 0);
}

static inline void owned_end(struct owned *o)
{
    assert_int_equal(pcv_model_early_accesses(o->h.model), 0);
    assert_int_equal(pcv_model_bind_errors(o->h.model), 0);
    hosted_end(&o->h);
}

/* ---- accesses of the owner ----------------------------------------------- */

static inline enum pcv_verdict owned_try(struct owned *o,
                                         struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(o->owner, access);

    for (int i = 0; i < 100 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(o->owner, access);
    }
    return verdict;
}

static inline uint32_t owned_read(struct owned *o, uint16_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(o->at, reg, size);

    assert_int_equal(owned_try(o, &access), PCV_DONE);
    return (uint32_t)access.data;
}

static inline void owned_write(struct owned *o, uint16_t reg, uint8_t size,
                               uint32_t value)
{
    struct pcv_access access = PCV_WRITE(o->at, reg, size, value);

    assert_int_equal(owned_try(o, &access), PCV_DONE);
}

static inline bool owned_absent(struct owned *o)
{
    struct pcv_access access = PCV_READ(o->at, 0, 4);
    enum pcv_verdict verdict = pcv_access(o->owner, &access);

    if (verdict == PCV_ABSENT) {
        assert_int_equal(access.data, 0xffffffff);
    }
    return verdict == PCV_ABSENT;
}

/* It answers absent until so much time went by, and then again. */
static inline void owned_settles(struct owned *o, uint64_t us)
{
    assert_true(owned_absent(o));
    assert_int_equal(owned_wait_us(o), us);
    pcv_model_advance_us(o->h.model, us - 1);
    assert_true(owned_absent(o));
    assert_int_equal(owned_wait_us(o), 1);
    pcv_model_advance_us(o->h.model, 1);
    assert_false(owned_absent(o));
    assert_int_equal(owned_wait_us(o), 0);
}

/* Hardware's side, without anybody noticing. */
static inline uint32_t owned_peek(const struct owned *o, uint16_t reg,
                                  uint8_t size)
{
    return pcv_model_peek(o->h.model, OWNED_AT, reg, size);
}

/* Pages of the owner's BAR 0, all of them or none, that are mapped. */
static inline bool owned_mapped(struct owned *o)
{
    uint64_t address = o->owner == o->guest ? OWNED_WINDOW : OWNED_BAR;
    uint32_t pages = 0;

    for (uint64_t i = 0; i < OWNED_PAGES; i++) {
        pages += pcv_model_is_mapped(o->h.model, pcv_domain_id(o->owner),
                                     address / 4096u + i);
    }
    assert_true(pages == 0 || pages == OWNED_PAGES);
    return pages != 0;
}

/* As a driver does: addresses, then memory decoding and bus mastering. */
static inline void owned_switch_on(struct owned *o)
{
    owned_write(o, PCV_REG_BAR0, 4,
                o->owner == o->guest ? (uint32_t)OWNED_WINDOW : OWNED_BAR);
    owned_write(o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_true(owned_mapped(o));
}

/* MSI on, one vector, with the capability at `msi` (32-bit, no masks). */
static inline void owned_msi_on(struct owned *o, uint16_t msi)
{
    owned_write(o, (uint16_t)(msi + 4u), 4, OWNED_DOORBELL);
    owned_write(o, (uint16_t)(msi + 8u), 2, 0x41);
    owned_write(o, (uint16_t)(msi + 2u), 2, 0x0001);
}

/* Whether vector 0 reaches the owner as it programmed it. */
static inline bool owned_msi_works(struct owned *o)
{
    struct pcv_model_message message;

    return pcv_model_raise(o->h.model, OWNED_AT, false, 0, &message) ==
               PCV_MODEL_DELIVERED &&
           message.domain_id == pcv_domain_id(o->owner) &&
           message.address == OWNED_DOORBELL && message.data == 0x41;
}

#endif
