/* SPDX-License-Identifier: MIT */
/* The host operations: what pcivisor asks of this hypervisor, one by one. */
#include "console.h"
#include "control.h"
#include "its.h"
#include "lib.h"
#include "main.h"
#include "mmu.h"
#include "pci.h"
#include "smmu.h"
#include "vgic.h"

static const struct machine *machine;

void port_init(const struct machine *of)
{
    machine = of;
}

/* ---- memory and time ---- */

static void *port_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return heap_alloc(size);
}

static void port_free(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    heap_free(memory, size);
}

static uint64_t port_now_us(void *ctx)
{
    uint64_t hz = READ_SYSREG(cntfrq_el0);
    uint64_t ticks = READ_SYSREG(cntpct_el0);

    (void)ctx;
    return ticks / hz * 1000000u + ticks % hz * 1000000u / hz;
}

static uint32_t port_this_cpu(void *ctx)
{
    (void)ctx;
    return this_cpu()->index;
}

static void port_relax(void *ctx)
{
    (void)ctx;
    relax();
}

/* ---- physical configuration space and memory ---- */

static uint64_t ecam(pcv_sbdf sbdf, uint16_t reg)
{
    const struct pci_windows *pci = &machine->pci;
    uint64_t bus = (uint64_t)(pcv_sbdf_bus(sbdf) - pci->bus_first);

    return pci->ecam.base + (bus << 20) +
           ((uint64_t)pcv_sbdf_devfn(sbdf) << 12) + reg;
}

static bool has_ecam(pcv_sbdf sbdf)
{
    const struct pci_windows *pci = &machine->pci;

    return pcv_sbdf_segment(sbdf) == pci->segment &&
           pcv_sbdf_bus(sbdf) >= pci->bus_first &&
           pcv_sbdf_bus(sbdf) <= pci->bus_last;
}

static int port_cfg_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                         uint32_t *out_value)
{
    uint64_t value = UINT32_MAX;

    (void)ctx;
    if (has_ecam(sbdf) && !mmio_read(ecam(sbdf, reg), size, &value)) {
        return -PCV_EINVAL;
    }
    *out_value = (uint32_t)value;
    return 0;
}

static int port_cfg_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                          uint32_t value)
{
    (void)ctx;
    if (has_ecam(sbdf) && !mmio_write(ecam(sbdf, reg), size, value)) {
        return -PCV_EINVAL;
    }
    return 0;
}

static int port_segment(void *ctx, uint32_t index,
                        struct pcv_segment_info *out_info)
{
    (void)ctx;
    if (index != 0) {
        return -PCV_ENOENT;
    }
    *out_info = (struct pcv_segment_info){
        .segment = machine->pci.segment,
        .bus_first = machine->pci.bus_first,
        .bus_last = machine->pci.bus_last,
    };
    return 0;
}

static int port_ecam_usable(void *ctx, uint16_t segment, uint8_t bus)
{
    (void)ctx;
    return has_ecam(pcv_sbdf_make(segment, bus, 0));
}

static uint32_t port_function_flags(void *ctx, pcv_sbdf sbdf)
{
    (void)ctx;
    return console_is_card() && (sbdf.v & 0xffffu) == console_function()
               ? PCV_FUNCTION_IN_USE
               : 0;
}

static int port_mmio_read(void *ctx, pcv_hpa address, uint8_t size,
                          uint64_t *out_value)
{
    (void)ctx;
    return mmio_read(address.v, size, out_value) ? 0 : -PCV_EINVAL;
}

static int port_mmio_write(void *ctx, pcv_hpa address, uint8_t size,
                           uint64_t value)
{
    (void)ctx;
    return mmio_write(address.v, size, value) ? 0 : -PCV_EINVAL;
}

/* ---- what a domain may reach ---- */

static int port_mmio_permitted(void *ctx, uint32_t domain_id, pcv_hpa start,
                               uint64_t size)
{
    const struct region range = {start.v, size};

    (void)ctx;
    (void)domain_id;
    return region_holds(&machine->pci.memory32, &range) ||
           region_holds(&machine->pci.memory64, &range);
}

static int64_t map(uint32_t domain_id, pcv_gpa gpa, pcv_hpa hpa, uint64_t pages,
                   enum stage2_kind kind)
{
    struct domain *domain = domain_find(domain_id);
    int result =
        domain ? stage2_map(domain, gpa.v, hpa.v, pages, kind) : -PCV_EINVAL;

    return result != 0 ? result : (int64_t)pages;
}

static int64_t port_map(void *ctx, uint32_t domain_id, pcv_gpa gpa, pcv_hpa hpa,
                        uint64_t pages)
{
    (void)ctx;
    return map(domain_id, gpa, hpa, pages, STAGE2_DEVICE);
}

static int64_t port_map_read_only(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                                  pcv_hpa hpa, uint64_t pages)
{
    (void)ctx;
    return map(domain_id, gpa, hpa, pages, STAGE2_DEVICE_READ_ONLY);
}

static int64_t port_unmap(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                          uint64_t pages)
{
    struct domain *domain = domain_find(domain_id);
    int error = domain ? stage2_unmap(domain, gpa.v, pages) : -PCV_EINVAL;

    (void)ctx;
    return error != 0 ? error : (int64_t)pages;
}

static int port_dma_attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    struct domain *domain = domain_find(domain_id);

    (void)ctx;
    return smmu_attach(requester.v & 0xffffu, domain ? domain->dma : NULL);
}

/* ---- interrupts ---- */

static struct its_source source_of(const struct pcv_msi_request *request)
{
    return (struct its_source){
        .requester = request->requester.v & 0xffffu,
        .function = request->sbdf.v & 0xffffu,
        .vector = request->msix ? request->index : ITS_VECTOR_MSI,
        .count = request->count,
    };
}

/* A domain programs the doorbell and interrupt of the frame that it sees; the
 * device gets those of the ITS, and an event of its own among those of its
 * requester ID. */
static int port_msi_bind(void *ctx, const struct pcv_msi_request *request,
                         struct pcv_msi_message *out_message)
{
    const struct domain *domain = domain_find(request->domain_id);
    const struct its_source source = source_of(request);
    uint32_t last = VGIC_MSI_FIRST + VGIC_MSI_COUNT;
    uint32_t event;
    int error;

    (void)ctx;
    if (!domain || request->address != domain->frame + VGIC_FRAME_DOORBELL ||
        request->data < VGIC_MSI_FIRST || request->data >= last ||
        request->count > last - request->data) {
        return -PCV_EINVAL;
    }
    error = its_bind(&source, request->domain_id, request->data, &event);
    if (error != 0) {
        return error;
    }
    out_message->address = its_doorbell();
    out_message->data = event;
    return 0;
}

static void port_msi_unbind(void *ctx, const struct pcv_msi_request *request)
{
    const struct its_source source = source_of(request);

    (void)ctx;
    its_unbind(&source);
}

/* ---- what is told ---- */

static void port_event(void *ctx, const struct pcv_event *event)
{
    static struct print_limit limit = {.burst = 256};
    pcv_sbdf sbdf = event->sbdf;

    (void)ctx;
    print_limited(
        &limit, "pcivisor: %04x:%02x:%02x.%u: %s (domain %d, %lx, %lx)\n",
        pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf), pcv_sbdf_device(sbdf),
        pcv_sbdf_function(sbdf), pcv_event_name(event->kind),
        (int)event->domain_id, event->arg[0], event->arg[1]);
    control_event(event);
}

static void port_crash(void *ctx, uint32_t domain_id, pcv_sbdf sbdf, int error)
{
    (void)ctx;
    print("domain %u cannot go on: BARs of %x: error %d\n", domain_id, sbdf.v,
          error);
}

static void port_bug(void *ctx, const char *file, int line, const char *what)
{
    (void)ctx;
    panic("pcivisor: %s:%d: %s", file, line, what);
}

const struct pcv_host_ops port_ops = {
    .size = sizeof(struct pcv_host_ops),
    .alloc = port_alloc,
    .free = port_free,
    .cfg_read = port_cfg_read,
    .cfg_write = port_cfg_write,
    .segment = port_segment,
    .ecam_usable = port_ecam_usable,
    .function_flags = port_function_flags,
    .mmio_permitted = port_mmio_permitted,
    .map = port_map,
    .unmap = port_unmap,
    .map_read_only = port_map_read_only,
    .event = port_event,
    .relax = port_relax,
    .this_cpu = port_this_cpu,
    .bug = port_bug,
    .now_us = port_now_us,
    .mmio_read = port_mmio_read,
    .mmio_write = port_mmio_write,
    .msi_bind = port_msi_bind,
    .msi_unbind = port_msi_unbind,
    .dma_attach = port_dma_attach,
    .crash = port_crash,
};
