/* SPDX-License-Identifier: MIT */
/*
 * A host whose operations do next to nothing, so that the library's own time
 * is what is measured. Every device is the same but for its address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define PCIE 0x40u /* where the PCI Express capability is */
#define BAR_SIZE 0x1000u
#define BAR_STRIDE 0x2000u /* a page between two, so that they stay two */
#define BAR_FIRST 0x100000000ull

void bench_fail(const char *what, int error)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what,
                  error ? pcv_errno_name(error) : "failed");
    exit(2);
}

pcv_sbdf bench_sbdf(uint32_t index)
{
    return (pcv_sbdf){index};
}

uint64_t bench_bar(const struct bench_host *b, uint32_t index, uint32_t bar)
{
    return BAR_FIRST + ((uint64_t)index * b->bars + bar) * BAR_STRIDE;
}

static void *op_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void op_free(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

/* A 64-bit memory BAR takes two registers. */
static uint32_t bar_register(const struct bench_host *b, uint32_t index,
                             uint32_t number)
{
    uint64_t address;

    if (number / 2 >= b->bars) {
        return 0;
    }
    address = bench_bar(b, index, number / 2);
    return number % 2 ? (uint32_t)(address >> 32)
                      : (uint32_t)address | PCV_BAR_TYPE_64;
}

static uint32_t dword(const struct bench_host *b, uint32_t index, uint32_t reg)
{
    switch (reg) {
    case PCV_REG_VENDOR:
        return 0x56781234;
    case PCV_REG_COMMAND:
        return b->command[index] | (uint32_t)PCV_STATUS_CAPS << 16;
    case PCV_REG_REVISION:
        return 0x02000001; /* an Ethernet controller */
    case 0x0c:
        return (uint32_t)PCV_HEADER_MULTI << 16;
    case 0x2c:
        return 0x00011234;
    case PCV_REG_CAPS:
        return PCIE;
    case PCIE:
        return PCV_CAP_ID_PCIE | (b->msix ? BENCH_MSIX << 8 : 0) |
               (2u | PCV_PCIE_TYPE_RC_ENDPOINT << 4) << 16;
    case BENCH_MSIX:
        return PCV_CAP_ID_MSIX | (BENCH_MSIX_ENTRIES - 1u) << 16;
    case BENCH_MSIX + 8:
        return 0x800; /* pending bits, in the same page */
    default:
        return reg >= PCV_REG_BAR0 && reg < 0x28
                   ? bar_register(b, index, (reg - PCV_REG_BAR0) / 4)
                   : 0;
    }
}

static int op_cfg_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t *out_value)
{
    const struct bench_host *b = ctx;

    if (reg >= BENCH_EMPTY) { /* an empty operation: what is measured */
        *out_value = 0;
        return 0;
    }
    *out_value = sbdf.v < b->devices
                     ? dword(b, sbdf.v, reg & ~3u) >> (reg % 4u * 8u)
                     : 0xffffffffu;
    if (size < 4) {
        *out_value &= (1u << (size * 8u)) - 1u;
    }
    return 0;
}

static int op_cfg_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t value)
{
    struct bench_host *b = ctx;

    (void)size;
    if (reg == PCV_REG_COMMAND && sbdf.v < b->devices) {
        b->command[sbdf.v] = (uint16_t)value;
    }
    return 0;
}

static int op_segment(void *ctx, uint32_t index,
                      struct pcv_segment_info *out_info)
{
    (void)ctx;
    if (index != 0) {
        return -PCV_ENOENT;
    }
    *out_info = (struct pcv_segment_info){0, 0, 255};
    return 0;
}

static int op_ecam_usable(void *ctx, uint16_t segment, uint8_t bus)
{
    (void)ctx;
    (void)segment;
    (void)bus;
    return 1;
}

static int op_bar_hint(void *ctx, pcv_sbdf sbdf, uint8_t bar,
                       struct pcv_bar_hint *out_hint)
{
    const struct bench_host *b = ctx;

    (void)sbdf;
    out_hint->size =
        bar < 6 && bar % 2 == 0 && bar / 2 < b->bars ? BAR_SIZE : 0;
    return 0;
}

static int op_mmio_permitted(void *ctx, uint32_t domain_id, pcv_hpa start,
                             uint64_t size)
{
    (void)ctx;
    (void)domain_id;
    (void)start;
    (void)size;
    return 1;
}

static int64_t op_map(void *ctx, uint32_t domain_id, pcv_gpa gpa, pcv_hpa hpa,
                      uint64_t pages)
{
    (void)ctx;
    (void)domain_id;
    (void)gpa;
    (void)hpa;
    return (int64_t)pages;
}

static int64_t op_unmap(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                        uint64_t pages)
{
    (void)ctx;
    (void)domain_id;
    (void)gpa;
    return (int64_t)pages;
}

static int op_mmio_read(void *ctx, pcv_hpa address, uint8_t size,
                        uint64_t *out_value)
{
    (void)ctx;
    (void)address;
    (void)size;
    *out_value = 0;
    return 0;
}

static int op_mmio_write(void *ctx, pcv_hpa address, uint8_t size,
                         uint64_t value)
{
    (void)ctx;
    (void)address;
    (void)size;
    (void)value;
    return 0;
}

static int op_msi_bind(void *ctx, const struct pcv_msi_request *request,
                       struct pcv_msi_message *out_message)
{
    (void)ctx;
    (void)request;
    *out_message = (struct pcv_msi_message){0xfee00000, 0};
    return 0;
}

static void op_msi_unbind(void *ctx, const struct pcv_msi_request *request)
{
    (void)ctx;
    (void)request;
}

static uint32_t op_this_cpu(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct pcv_host_ops ops = {
    .size = sizeof(struct pcv_host_ops),
    .alloc = op_alloc,
    .free = op_free,
    .cfg_read = op_cfg_read,
    .cfg_write = op_cfg_write,
    .segment = op_segment,
    .ecam_usable = op_ecam_usable,
    .bar_hint = op_bar_hint,
    .mmio_permitted = op_mmio_permitted,
    .map = op_map,
    .unmap = op_unmap,
    .this_cpu = op_this_cpu,
    .mmio_read = op_mmio_read,
    .mmio_write = op_mmio_write,
    .msi_bind = op_msi_bind,
    .msi_unbind = op_msi_unbind,
};

const struct pcv_host_ops *bench_host_ops(void)
{
    return &ops;
}

void bench_host_make(struct bench_host *b, uint32_t devices, uint32_t bars,
                     bool msix)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 1};
    int error;

    memset(b, 0, sizeof(*b));
    b->devices = devices;
    b->bars = bars;
    b->msix = msix;
    b->command = calloc(devices, sizeof(*b->command));
    if (b->command == NULL) {
        bench_fail("memory", -PCV_ENOMEM);
    }
    for (uint32_t i = 0; i < devices; i++) {
        b->command[i] = PCV_CMD_MEMORY;
    }
    error = pcv_host_create(&ops, b, &config, &b->host);
    for (uint32_t i = 0; i < devices && error == 0; i++) {
        error = pcv_device_add(b->host, bench_sbdf(i), NULL);
    }
    if (error != 0) {
        bench_fail("a host", error);
    }
    b->domain = pcv_host_hardware_domain(b->host);
}

void bench_host_end(struct bench_host *b)
{
    int error = pcv_host_destroy(b->host);

    if (error != 0) {
        bench_fail("the end of a host", error);
    }
    free(b->command);
}
