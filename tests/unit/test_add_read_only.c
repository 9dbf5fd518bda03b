/* SPDX-License-Identifier: MIT */
/* New functions whose vPCI state cannot be built (OWN-2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"

#define CARD OWNED_CARD
#define BAR 0x90000000u

/* The host fails where asked. */
static struct {
    bool list;   /* its capability list, but for the first look at it */
    bool writes; /* all writes of BARs */
    unsigned looks;
} broken;

static int cfg_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                    uint32_t *out_value)
{
    if (sbdf.v == CARD.v && reg == PCV_REG_CAPS && broken.list &&
        broken.looks++ > 0) {
        return -PCV_EIO;
    }
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);
}

static int cfg_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                     uint32_t value)
{
    return broken.writes && reg >= PCV_REG_BAR0 && reg < 0x28 &&
                   sbdf.v == CARD.v
               ? -PCV_EIO
               : pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

static void breaks(bool list, bool writes)
{
    broken.list = list;
    broken.writes = writes;
    broken.looks = 0;
}

static void machine(struct owned *o)
{
    struct pcv_scan scan = {0};

    owned_build(o);
    o->h.ops.cfg_read = cfg_read;
    o->h.ops.cfg_write = cfg_write;
    hosted_start(&o->h);
    assert_int_equal(pcv_host_scan(o->h.host, &scan, 0), 0);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(scan.found, OWNED_FUNCTIONS);
    o->guest = owned_domain(o, OWNED_GUEST);
}

static unsigned told(const struct owned *o, enum pcv_event_kind kind)
{
    unsigned count = 0;

    for (size_t i = 0; i < o->events && i < OWNED_EVENTS; i++) {
        count += o->event[i].kind == kind && o->event[i].sbdf.v == CARD.v;
    }
    return count;
}

static void write_all(struct owned *o)
{
    struct pcv_domain *dom0 = pcv_host_hardware_domain(o->h.host);
    uint32_t before[PCV_CFG_EXT_SIZE / 4u];

    for (uint16_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg += 4) {
        before[reg / 4u] = pcv_model_peek(o->h.model, CARD, reg, 4);
    }
    for (uint16_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg += 4) {
        struct pcv_access access = PCV_WRITE(CARD, reg, 4, 0xffffffffu);

        (void)pcv_access(dom0, &access);
    }
    for (uint16_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg += 4) {
        assert_int_equal(pcv_model_peek(o->h.model, CARD, reg, 4),
                         before[reg / 4u]);
    }
}

/* OWN-2, OWN-8 */
static void its_own_msi_is_out_of_reach(void **state)
{
    struct owned o;

    (void)state;
    for (int way = 0; way < 2; way++) {
        breaks(way == 0, way == 1);
        machine(&o);
        assert_true(hosted_info(&o.h, CARD).read_only);
        assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(told(&o, PCV_EVENT_READ_ONLY), 1);
        assert_int_equal(told(&o, PCV_EVENT_ADDED), 1);
        /* Nothing of it is mapped, and no write reaches it. */
        assert_false(
            pcv_model_is_mapped(o.h.model, PCV_DOMAIN_ID_HARDWARE, BAR >> 12));
        breaks(false, false);
        write_all(&o);
        assert_int_equal(hosted_read(&o.h, CARD, 0, 4), 0x56781234);
        /* Where its BARs could be sized they answer that, else are none. */
        assert_int_equal(hosted_read(&o.h, CARD, PCV_REG_BAR0, 4),
                         way == 0 ? 0xffffc000u : 0);
        /* Other functions are as ever. */
        assert_false(hosted_info(&o.h, OWNED_DEEP).read_only);
        owned_end(&o);
    }
}

/* OWN-2, MSI-2: what firmware left on would go where it said. */
static void what_firmware_left_on_is_switched_off(void **state)
{
    struct owned o;

    (void)state;
    breaks(false, false);
    machine(&o);
    assert_int_equal(pcv_device_remove(o.h.host, CARD, NULL, NULL), 0);
    pcv_model_poke(o.h.model, CARD, (uint16_t)(o.msi + 2u), 2, 1);
    breaks(false, true); /* its BARs cannot be sized */
    assert_int_equal(pcv_device_add(o.h.host, CARD, NULL), 0);
    breaks(false, false);
    assert_true(hosted_info(&o.h, CARD).read_only);
    assert_int_equal(
        pcv_model_peek(o.h.model, CARD, (uint16_t)(o.msi + 2u), 2) & 1u, 0);
    owned_end(&o);
}

/* OWN-2: and another attempt makes it a function as any. */
static void added_again_after_a_removal_it_is_as_any(void **state)
{
    uint64_t bytes;
    struct owned o;

    (void)state;
    breaks(false, false);
    machine(&o);
    bytes = pcv_model_bytes(o.h.model);
    assert_int_equal(pcv_device_remove(o.h.host, CARD, NULL, NULL), 0);
    breaks(true, false);
    assert_int_equal(pcv_device_add(o.h.host, CARD, NULL), 0);
    breaks(false, false);
    assert_true(hosted_info(&o.h, CARD).read_only);
    /* Reported again it stays what it is. */
    assert_int_equal(pcv_device_add(o.h.host, CARD, NULL), 0);
    assert_true(hosted_info(&o.h, CARD).read_only);
    assert_int_equal(pcv_device_remove(o.h.host, CARD, NULL, NULL), 0);
    assert_int_equal(pcv_device_add(o.h.host, CARD, NULL), 0);
    assert_false(hosted_info(&o.h, CARD).read_only);
    assert_true(
        pcv_model_is_mapped(o.h.model, PCV_DOMAIN_ID_HARDWARE, BAR >> 12));
    assert_int_equal(pcv_model_bytes(o.h.model), bytes);
    owned_end(&o);
}

/* OWN-2, OWN-5: a guest's view is built anew, and so is the next one here. */
static void a_guest_may_have_it_once_the_host_can(void **state)
{
    struct owned o;

    (void)state;
    breaks(true, false);
    machine(&o);
    breaks(false, false);
    assert_int_equal(owned_give(&o, CARD), 0);
    owned_use(&o, o.guest, CARD);
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_false(hosted_info(&o.h, CARD).read_only);
    owned_use(&o, pcv_host_hardware_domain(o.h.host), CARD);
    owned_end(&o);
}

/* OWN-2, LIFE-7: what is not added is out of reach, too. */
static void without_memory_the_add_fails(void **state)
{
    struct owned o;
    unsigned added = 0;

    (void)state;
    breaks(false, false);
    machine(&o);
    assert_int_equal(pcv_device_remove(o.h.host, CARD, NULL, NULL), 0);
    breaks(true, false);
    for (uint64_t n = 1; n < 100 && added < 2; n++) {
        uint64_t bytes = pcv_model_bytes(o.h.model);
        int error;

        breaks(true, false);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, n);
        error = pcv_device_add(o.h.host, CARD, NULL);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, 0);
        if (error == 0) {
            /* At the latest without virtual BARs. */
            assert_true(hosted_info(&o.h, CARD).read_only);
            assert_int_equal(pcv_device_remove(o.h.host, CARD, NULL, NULL), 0);
            added++;
        } else {
            assert_int_equal(error, -PCV_ENOMEM);
            assert_int_equal(hosted_state(&o.h, CARD), PCV_STATE_ABSENT);
            assert_int_equal(pcv_model_bytes(o.h.model), bytes);
        }
    }
    assert_int_equal(added, 2);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_msi_is_out_of_reach),
        cmocka_unit_test(what_firmware_left_on_is_switched_off),
        cmocka_unit_test(added_again_after_a_removal_it_is_as_any),
        cmocka_unit_test(a_guest_may_have_it_once_the_host_can),
        cmocka_unit_test(without_memory_the_add_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
