/* SPDX-License-Identifier: MIT */
/* A machine for drivers (driven.h). */
#include "driven.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machines.h"
#include "nic.h"
#include "nvme.h"

#define PATIENCE                                                               \
    1000u /* times that an operation may ask to be called again                \
           */

#define NVME_BAR UINT64_C(0x90000000)
#define NIC_LOW 0x80000000u
#define NIC_HIGH UINT64_C(0x4000000000)

/* Where the guest has its windows. */
#define GUEST_NARROW UINT64_C(0xc0000000)
#define GUEST_WIDE UINT64_C(0x8000000000)
#define GUEST_WINDOW UINT64_C(0x8000000)

static _Noreturn void misuse(const char *what)
{
    (void)fprintf(stderr, "driven: %s\n", what);
    abort();
}

/* ---- devices ------------------------------------------------------------- */

static void add_nvme(struct pcv_model *model)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, NVME_VENDOR, NVME_DEVICE);
    pcv_test_set(&f, PCV_REG_CLASS, 1, NVME_CLASS & 0xffu);
    pcv_test_set(&f, PCV_REG_CLASS + 1u, 2, NVME_CLASS >> 8);
    pcv_test_bar64(&f, 0, NVME_BAR, 0x4000);
    (void)pcv_test_pm(&f, true);
    (void)pcv_test_msix(&f, 32, 0, 0x2000, 0x3000);
    (void)pcv_test_aer(&f);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(model, &f, DRIVEN_NVME);
}

void driven_add_nic(struct pcv_model *model, pcv_sbdf sbdf, uint32_t low,
                    uint64_t high)
{
    struct pcv_test_function f;
    uint16_t cap;

    pcv_test_pcie_endpoint(&f, NIC_VENDOR, NIC_DEVICE);
    pcv_test_bar32(&f, 0, low, 0x20000);
    pcv_test_bar_io(&f, 2, 0x1000, 32);
    pcv_test_bar32(&f, 3, low + 0x40000u, 0x4000);
    pcv_test_bar64(&f, 4, high | PCV_BAR_PREFETCH, 0x100000);
    pcv_test_rom(&f, low + 0x80000u, 0x10000);
    (void)pcv_test_pm(&f, false);
    (void)pcv_test_msi(&f, 0x0186); /* 8 vectors, 64-bit, with masks */
    (void)pcv_test_msix(&f, 16, 3, 0x1000, 0x2000);
    (void)pcv_test_cap(&f, PCV_CAP_ID_VPD, 8);
    (void)pcv_test_aer(&f);
    cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(&f, cap + 4u, 4, (uint32_t)NIC_SERIAL);
    pcv_test_set(&f, cap + 8u, 4, (uint32_t)(NIC_SERIAL >> 32));
    (void)pcv_test_rebar(&f, 4, 7, 0); /* 1, 2 or 4 MiB */
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_IO);
    pcv_test_add(model, &f, sbdf);
}

static struct pcv_model *build(void)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;

    pcv_test_host_bridge(&f);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0x902f9000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 2, 0));
    add_nvme(model);
    driven_add_nic(model, DRIVEN_NIC, NIC_LOW, NIC_HIGH);
    pcv_test_ready(model);
    return model;
}

/* ---- what a machine has beside the bus ----------------------------------- */

static int reach_memory(void *ctx, uint32_t domain_id, uint64_t address,
                        uint8_t size, bool write, uint64_t *inout_value)
{
    const struct driven_side *side = ctx;

    return pcv_model_mmio_access(side->machine->model, domain_id,
                                 (pcv_gpa){address}, size, write, inout_value);
}

static void sleep_us(void *ctx, uint64_t us)
{
    const struct driven_side *side = ctx;

    pcv_model_advance_us(side->machine->model, us);
}

static void raise_vector(void *ctx, pcv_sbdf sbdf, bool msix, uint16_t vector)
{
    struct driven_side *side = ctx;
    struct pcv_device *device = pcv_domain_device(side->bus.domain, sbdf);

    if (device) {
        (void)pcv_model_raise(side->machine->model, pcv_device_sbdf(device),
                              msix, vector, NULL);
        pcv_device_put(device);
    }
}

static void on_message(void *arg, const struct pcv_model_message *message)
{
    struct driven *machine = arg;

    if (message->domain_id == PCV_DOMAIN_ID_HARDWARE) {
        bus_message(&machine->hardware.bus, message->address, message->data);
    } else if (machine->guest && message->domain_id == DRIVEN_GUEST) {
        bus_message(&machine->side.bus, message->address, message->data);
    } else {
        machine->stray++;
    }
}

static void on_event(void *arg, const struct pcv_event *event)
{
    struct driven *machine = arg;

    machine->told[event->kind]++;
}

uint64_t driven_complaints(const struct driven *machine)
{
    static const enum pcv_event_kind kinds[] = {
        PCV_EVENT_MAP_FAILED,  PCV_EVENT_UNMAP_FAILED, PCV_EVENT_CAP_HIDDEN,
        PCV_EVENT_BIND_FAILED, PCV_EVENT_QUARANTINED,  PCV_EVENT_NOT_MAPPED,
    };
    uint64_t count = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        count += machine->told[kinds[i]];
    }
    return count;
}

static void side_open(struct driven *machine, struct driven_side *side,
                      struct pcv_domain *domain)
{
    memset(side, 0, sizeof(*side));
    side->machine = machine;
    side->bus.domain = domain;
    side->bus.machine = (struct bus_machine){.ctx = side,
                                             .memory = reach_memory,
                                             .sleep_us = sleep_us,
                                             .raise = raise_vector};
}

/* ---- begin and end ------------------------------------------------------- */

void driven_start(struct driven *machine)
{
    struct pcv_scan scan;

    memset(machine, 0, sizeof(*machine));
    machine->model = build();
    pcv_model_on_message(machine->model, on_message, machine);
    pcv_model_on_event(machine->model, on_event, machine);
    if (pcv_model_boot(machine->model, &machine->host, &scan, NULL) != 0 ||
        scan.found != DRIVEN_FUNCTIONS || scan.failed != 0) {
        misuse("the machine does not come up");
    }
    side_open(machine, &machine->hardware,
              pcv_host_hardware_domain(machine->host));
    machine->hardware.bus.placed = true;
    if (pcv_domain_add_ecam(machine->hardware.bus.domain,
                            (pcv_gpa){DRIVEN_HARDWARE_ECAM}, 0, 0, 255) != 0) {
        misuse("the hardware domain gets no ECAM window");
    }
    pcv_model_set_clock(machine->model, true);
}

void driven_end(struct driven *machine)
{
    if (pcv_host_destroy(machine->host) != 0 ||
        pcv_model_bytes(machine->model) != 0 ||
        pcv_model_mapped_pages(machine->model) != 0 ||
        pcv_model_bound(machine->model, NULL) != 0) {
        misuse("something is left of the host");
    }
    if (pcv_model_map_errors(machine->model) != 0 ||
        pcv_model_bind_errors(machine->model) != 0 || machine->stray != 0) {
        misuse("the library used its host wrongly");
    }
    pcv_model_destroy(machine->model);
}

/* ---- the guest ----------------------------------------------------------- */

static int add_windows(struct pcv_domain *guest)
{
    int error =
        pcv_domain_add_ecam(guest, (pcv_gpa){DRIVEN_GUEST_ECAM}, 0, 0, 0);

    if (error == 0) {
        error =
            pcv_domain_add_window(guest, (pcv_gpa){GUEST_NARROW}, GUEST_WINDOW);
    }
    if (error == 0) {
        error =
            pcv_domain_add_window(guest, (pcv_gpa){GUEST_WIDE}, GUEST_WINDOW);
    }
    return error;
}

int driven_guest_create(struct driven *machine)
{
    struct pcv_domain *guest;
    struct bus *bus = &machine->side.bus;
    int error = pcv_domain_create(machine->host, DRIVEN_GUEST, &guest);

    if (error != 0) {
        return error;
    }
    error = add_windows(guest);
    if (error != 0) {
        if (pcv_domain_destroy(guest) != 0) {
            misuse("a domain without devices cannot be destroyed");
        }
        return error;
    }
    machine->guest = guest;
    side_open(machine, &machine->side, guest);
    bus->narrow = (struct bus_room){GUEST_NARROW, GUEST_NARROW + GUEST_WINDOW};
    bus->wide = (struct bus_room){GUEST_WIDE, GUEST_WIDE + GUEST_WINDOW};
    return 0;
}

int driven_guest_destroy(struct driven *machine)
{
    int error = machine->guest != NULL ? pcv_domain_destroy(machine->guest) : 0;

    if (error == 0) {
        machine->guest = NULL;
    }
    return error;
}

/* Time goes on, as far as the device wants. */
static void wait(struct driven *machine, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(machine->host, sbdf);
    uint64_t us = device != NULL ? pcv_device_wait_us(device) : 0;

    pcv_device_put(device);
    pcv_model_advance_us(machine->model, us != 0 ? us : 1);
}

int driven_assign(struct driven *machine, pcv_sbdf sbdf,
                  const struct pcv_assign_policy *policy)
{
    int error = -PCV_ERESTART;

    for (uint32_t i = 0; i < PATIENCE && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(machine->host, sbdf, machine->guest, policy,
                                  NULL);
        if (error == -PCV_ERESTART) {
            wait(machine, sbdf);
        }
    }
    return error;
}

int driven_deassign(struct driven *machine, pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    for (uint32_t i = 0; i < PATIENCE && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(machine->host, sbdf);
        if (error == -PCV_ERESTART) {
            wait(machine, sbdf);
        }
    }
    return error;
}
