/* SPDX-License-Identifier: MIT */
/* A machine with a host on it (engine_fixture.h). */
#include "engine_fixture.h"

#include <string.h>

static void on_cfg(void *arg, const struct pcv_model_cfg *access)
{
    struct rig *rig = arg;

    if (rig->logged < RIG_LOG) {
        rig->log[rig->logged] = *access;
    }
    rig->logged++;
    if (rig->hook) {
        rig->hook(rig, access);
    }
}

static void on_event(void *arg, const struct pcv_event *event)
{
    struct rig *rig = arg;

    if (rig->events < RIG_EVENTS) {
        rig->event[rig->events] = *event;
    }
    rig->events++;
}

void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->model = pcv_test_model();
    rig->ops = *pcv_model_ops();
}

void rig_create(struct rig *rig)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 64};

    pcv_test_ready(rig->model);
    pcv_model_watch(rig->model, on_cfg, rig);
    pcv_model_on_event(rig->model, on_event, rig);
    assert_int_equal(
        pcv_host_create(&rig->ops, rig->model, &config, &rig->host), 0);
    rig->dom0 = pcv_host_hardware_domain(rig->host);
}

void rig_boot(struct rig *rig)
{
    struct pcv_scan scan;

    rig_create(rig);
    memset(&scan, 0, sizeof(scan));
    assert_int_equal(pcv_host_scan(rig->host, &scan, 0), 0);
    assert_int_equal(scan.failed, 0);
    rig_forget(rig);
}

void rig_close(struct rig *rig)
{
    rig->hook = NULL;
    pcv_model_set_map_chunk(rig->model, 0);
    assert_int_equal(pcv_host_destroy(rig->host), 0);
    assert_int_equal(pcv_model_bytes(rig->model), 0);
    assert_int_equal(pcv_model_mapped_pages(rig->model), 0);
    assert_int_equal(pcv_model_map_errors(rig->model), 0);
    pcv_model_destroy(rig->model);
}

void rig_forget(struct rig *rig)
{
    rig->logged = 0;
    rig->events = 0;
}

static size_t kept(const struct rig *rig)
{
    return rig->logged < RIG_LOG ? rig->logged : RIG_LOG;
}

size_t rig_writes(const struct rig *rig)
{
    size_t count = 0;

    for (size_t i = 0; i < kept(rig); i++) {
        count += rig->log[i].write ? 1 : 0;
    }
    return count;
}

size_t rig_touched(const struct rig *rig, uint16_t reg, bool write)
{
    size_t count = 0;

    for (size_t i = 0; i < kept(rig); i++) {
        count += rig->log[i].write == write && rig->log[i].reg == reg ? 1 : 0;
    }
    return count;
}

bool rig_saw(const struct rig *rig, size_t nth, bool write, uint16_t reg,
             uint8_t size)
{
    return nth < kept(rig) && rig->log[nth].write == write &&
           rig->log[nth].reg == reg && rig->log[nth].size == size;
}

size_t rig_events(const struct rig *rig, enum pcv_event_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < rig->events && i < RIG_EVENTS; i++) {
        count += rig->event[i].kind == kind ? 1 : 0;
    }
    return count;
}

enum pcv_verdict rig_try_read(struct rig *rig, pcv_sbdf sbdf, uint16_t reg,
                              uint8_t size, uint64_t *out)
{
    struct pcv_access access = PCV_READ(sbdf, reg, size);
    enum pcv_verdict verdict = pcv_access(rig->dom0, &access);

    *out = access.data;
    return verdict;
}

enum pcv_verdict rig_try_write(struct rig *rig, pcv_sbdf sbdf, uint16_t reg,
                               uint8_t size, uint64_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);

    return pcv_access(rig->dom0, &access);
}

unsigned rig_settle(struct rig *rig, struct pcv_access *access)
{
    unsigned rounds = 1;

    /* Far more than any test's mapping has pages. */
    while (pcv_access_resume(rig->dom0, access) != PCV_DONE) {
        assert_true(++rounds < 100000);
    }
    return rounds;
}

uint32_t rig_read(struct rig *rig, pcv_sbdf sbdf, uint16_t reg, uint8_t size)
{
    uint64_t data = 0;

    assert_int_equal(rig_try_read(rig, sbdf, reg, size, &data), PCV_DONE);
    return (uint32_t)data;
}

void rig_write(struct rig *rig, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
               uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);
    enum pcv_verdict verdict = pcv_access(rig->dom0, &access);

    assert_true(verdict == PCV_DONE || verdict == PCV_PENDING);
    if (verdict == PCV_PENDING) {
        (void)rig_settle(rig, &access);
    }
}

void rig_info(struct rig *rig, pcv_sbdf sbdf, struct pcv_device_info *out)
{
    struct pcv_device *device = pcv_device_find(rig->host, sbdf);

    assert_non_null(device);
    pcv_device_get_info(device, out);
    pcv_device_put(device);
}

struct pcv_device_status rig_status(struct rig *rig, pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    assert_int_equal(pcv_device_status(rig->host, sbdf, &status), 0);
    return status;
}

bool rig_mapped(const struct rig *rig, uint64_t address, uint64_t size)
{
    uint64_t first = address >> 12;
    uint64_t last = (address + (size - 1)) >> 12;
    bool mapped =
        pcv_model_is_mapped(rig->model, PCV_DOMAIN_ID_HARDWARE, first);

    for (uint64_t page = first; page <= last; page++) {
        assert_int_equal(
            pcv_model_is_mapped(rig->model, PCV_DOMAIN_ID_HARDWARE, page),
            mapped);
    }
    return mapped;
}
