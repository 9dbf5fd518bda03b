/* SPDX-License-Identifier: MIT */
/*
 * The whole life of devices in a guest's hands, with every kind of host
 * operation failing at every call in turn (PORT-3). Whatever fails: nothing is
 * lost, nothing is half done, somebody says so, the devices can be taken back,
 * and everything works when it is tried again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "driven.h"
#include "nic.h"
#include "nvme.h"

static const pcv_sbdf devices[2] = {{0x0100}, {0x0028}};

/* ---- one life ------------------------------------------------------------ */

/* What went wrong; NULL: nothing. Every function here stops at the first. */
static const char *live_nvme(struct bus_function *fn, bool brief)
{
    struct nvme nvme;

    BUS_TRY(nvme_up(&nvme, fn));
    BUS_TRY(irq_msix_try(&nvme.msix, 0));
    if (brief) {
        return nvme_down(&nvme);
    }
    BUS_TRY(irq_msix_try(&nvme.msix, 31));
    BUS_TRY(nvme_suspend(&nvme));
    BUS_TRY(nvme_reset(&nvme));
    BUS_TRY(irq_msix_try(&nvme.msix, 7));
    return nvme_down(&nvme);
}

static const char *live_nic(struct bus_function *fn, bool brief)
{
    struct nic nic;

    BUS_TRY(nic_up(&nic, fn, false));
    BUS_TRY(irq_msi_try(&nic.msi, 0));
    if (brief) {
        return nic_down(&nic);
    }
    BUS_TRY(irq_msi_try(&nic.msi, 7));
    BUS_TRY(nic_extras(&nic));
    BUS_TRY(nic_suspend(&nic));
    BUS_TRY(nic_reset(&nic, false));
    BUS_TRY(irq_msi_try(&nic.msi, 3));
    BUS_TRY(nic_resize(&nic, true));
    BUS_TRY(irq_msix_try(&nic.msix, 15));
    return nic_down(&nic);
}

static const char *drive(struct bus *bus, bool brief)
{
    struct bus_function fn[4];
    struct bus_function *nvme, *nic;
    const char *said;
    size_t count = bus_scan(bus, fn, 4);

    BUS_NEED(count == 2, "there are not two functions");
    nvme = bus_find(fn, count, NVME_VENDOR, NVME_DEVICE);
    nic = bus_find(fn, count, NIC_VENDOR, NIC_DEVICE);
    BUS_NEED(nvme && nic, "the functions are not those that were given");
    said = live_nvme(nvme, brief);
    BUS_TRY(live_nic(nic, brief)); /* one device's failure is not the other's */
    BUS_TRY(said);
    BUS_NEED(!bus->stuck, "an access did not end");
    return NULL;
}

static const char *failed(int error)
{
    return error == 0 ? NULL : pcv_errno_name(error);
}

/* `brief`: no sleep, no reset, no other size. */
static const char *live(struct driven *machine, bool brief)
{
    const char *said;

    BUS_TRY(failed(driven_guest_create(machine)));
    BUS_TRY(failed(driven_assign(machine, devices[0], NULL)));
    BUS_TRY(failed(driven_assign(machine, devices[1], NULL)));
    said = drive(&machine->side.bus, brief);
    BUS_TRY(failed(driven_deassign(machine, devices[0])));
    BUS_TRY(failed(driven_deassign(machine, devices[1])));
    BUS_TRY(failed(driven_guest_destroy(machine)));
    return said;
}

/* ---- what must hold in between ------------------------------------------- */

static uint32_t owner_of(const struct driven *machine, pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    assert_int_equal(pcv_device_status(machine->host, sbdf, &status), 0);
    assert_int_equal(status.state, PCV_STATE_PRESENT);
    assert_int_equal(status.held[PCV_HOLDER_REGISTRY], 1);
    assert_int_equal(status.held[PCV_HOLDER_OWNER], 1);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 0);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
    assert_int_equal(status.held[PCV_HOLDER_VECTOR],
                     pcv_model_bound(machine->model, &sbdf));
    return status.owner_id;
}

/* Whoever does not own a device has nothing of it. */
static void expect_whole(const struct driven *machine)
{
    uint32_t with_guest = 0;

    for (size_t i = 0; i < 2; i++) {
        if (owner_of(machine, devices[i]) == DRIVEN_GUEST) {
            with_guest++;
            assert_int_equal(pcv_model_dma_domain(machine->model, devices[i]),
                             DRIVEN_GUEST);
        } else {
            assert_int_equal(pcv_model_bound(machine->model, &devices[i]), 0);
            assert_int_not_equal(
                pcv_model_dma_domain(machine->model, devices[i]), DRIVEN_GUEST);
        }
    }
    if (with_guest == 0) {
        assert_int_equal(pcv_model_mapped_pages(machine->model), 0);
    }
    assert_int_equal(pcv_model_map_errors(machine->model), 0);
    assert_int_equal(pcv_model_bind_errors(machine->model), 0);
    assert_int_equal(machine->stray, 0);
}

/* Nothing fails any more: everything can be taken back. */
static void take_back(struct driven *machine)
{
    for (size_t i = 0; i < 2; i++) {
        if (owner_of(machine, devices[i]) != PCV_DOMAIN_ID_HARDWARE) {
            assert_int_equal(driven_deassign(machine, devices[i]), 0);
        }
        assert_int_equal(owner_of(machine, devices[i]), PCV_DOMAIN_ID_HARDWARE);
    }
    assert_int_equal(driven_guest_destroy(machine), 0);
}

static void expect_life(struct driven *machine, bool brief)
{
    const char *said = live(machine, brief);

    if (said) {
        fail_msg("it does not work when tried again: %s", said);
    }
    expect_whole(machine);
}

/* What devices are like between two lives. */
struct rest {
    uint64_t bytes; /* that the library holds */
    uint32_t reg[2][PCV_CFG_EXT_SIZE / 4u];
};

static void rest_look(const struct driven *machine, struct rest *out)
{
    out->bytes = pcv_model_bytes(machine->model);
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg += 4) {
            out->reg[i][reg / 4u] =
                pcv_model_peek(machine->model, devices[i], (uint16_t)reg, 4);
        }
    }
}

/* As before: no byte lost, and every register as the last life left it. Where
 * a capability had to be hidden from the hardware domain, what it sees takes
 * another number of bytes, until the next life. */
static void expect_rest(const struct driven *machine, const struct rest *before)
{
    struct rest now;

    rest_look(machine, &now);
    if (machine->told[PCV_EVENT_CAP_HIDDEN] == 0) {
        assert_int_equal(now.bytes, before->bytes);
    }
    assert_memory_equal(now.reg, before->reg, sizeof(now.reg));
}

/* ---- failing ------------------------------------------------------------- */

static uint64_t calls_of(const struct driven *machine, enum pcv_model_op op)
{
    return pcv_model_calls(machine->model, op);
}

/* One life whose nth call fails. False: there are not so many calls. */
static bool fail_at(struct driven *machine, enum pcv_model_op op, uint64_t nth,
                    const struct rest *rest, uint64_t *inout_silent)
{
    uint64_t before = calls_of(machine, op);
    const char *said;

    memset(machine->told, 0, sizeof(machine->told));
    pcv_model_fail(machine->model, op, nth);
    said = live(machine, false);
    pcv_model_fail(machine->model, op, 0);
    if (calls_of(machine, op) - before < nth) {
        assert_null(said);
        return false;
    }
    if (!said && driven_complaints(machine) == 0) {
        ++*inout_silent;
    }
    expect_whole(machine);
    take_back(machine);
    expect_whole(machine);
    expect_rest(machine, rest);
    memset(machine->told, 0, sizeof(machine->told));
    expect_life(machine, true);
    expect_rest(machine, rest);
    return true;
}

/* `told`: each failure must be told by a result, an event, or to the driver. An
 * access to a device that the host cannot perform is lost, as on a bus; where
 * the driver notices nothing, nothing was lost that it needs, and it is enough
 * that everything is as it was in the end. */
static void fail_each(enum pcv_model_op op, bool told)
{
    static struct rest rest;
    struct driven machine;
    uint64_t silent = 0, n = 1;

    driven_start(&machine);
    expect_life(&machine, false);
    rest_look(&machine, &rest);
    while (fail_at(&machine, op, n, &rest, &silent)) {
        n++;
    }
    assert_true(n > 1); /* the operation is used at all */
    assert_true(!told || silent == 0);
    driven_end(&machine);
}

/* PORT-3 */
static void a_life_without_memory(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_alloc, true);
}

/* PORT-3, HDR-10 */
static void a_life_without_maps(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_map, true);
    fail_each(PCV_MODEL_OP_unmap, true);
}

/* PORT-3, MSI-1, MSIX-2 */
static void a_life_without_vectors(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_msi_bind, true);
}

/* PORT-3, OWN-5 */
static void a_life_without_dma(void **state)
{
    (void)state;
    /* Blocking is tried twice: once is nothing to tell of. */
    fail_each(PCV_MODEL_OP_dma_attach, false);
    fail_each(PCV_MODEL_OP_bar_place, false);
}

/* PORT-3 */
static void a_life_without_memory_accesses(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_mmio_read, false);
    fail_each(PCV_MODEL_OP_mmio_write, false);
}

/* PORT-3 */
static void a_life_without_reads(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_cfg_read, false);
}

/* PORT-3 */
static void a_life_without_writes(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_cfg_write, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_without_memory),
        cmocka_unit_test(a_life_without_maps),
        cmocka_unit_test(a_life_without_vectors),
        cmocka_unit_test(a_life_without_dma),
        cmocka_unit_test(a_life_without_memory_accesses),
        cmocka_unit_test(a_life_without_reads),
        cmocka_unit_test(a_life_without_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
