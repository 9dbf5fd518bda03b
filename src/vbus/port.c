/* SPDX-License-Identifier: MIT */
/*
 * The entrance through I/O ports: configuration mechanism 1 (PCI Local Bus
 * 3.0, 3.2.2.3.2).
 */
#include "vpci/internal.h"

#define LATCH_ENABLE 0x80000000u
/* Enable, bus, device and function, register; the other bits read zero. */
#define LATCH_KEEPS 0x80fffffcu
#define LATCH_AMD 0x0f000000u
#define LATCH_REG 0xfcu
#define LATCH_AMD_SHIFT 16u
#define LATCH_AMD_REG 0xf00u
#define PORT_LAST 0xcffu

void pcv_domain_set_amd_port_bits(struct pcv_domain *domain, bool on)
{
    atomic_store_explicit(&domain->amd_port_bits, on, memory_order_relaxed);
}

static enum pcv_verdict latch(struct pcv_domain *domain, bool write,
                              uint32_t data, struct pcv_access *access)
{
    uint32_t keeps = LATCH_KEEPS;

    if (atomic_load_explicit(&domain->amd_port_bits, memory_order_relaxed)) {
        keeps |= LATCH_AMD;
    }
    if (write) {
        atomic_store_explicit(&domain->port_latch, data & keeps,
                              memory_order_relaxed);
    } else {
        access->data =
            atomic_load_explicit(&domain->port_latch, memory_order_relaxed);
    }
    return PCV_DONE;
}

enum pcv_verdict pcv_port_access(struct pcv_domain *domain, uint16_t port,
                                 uint8_t size, bool write, uint32_t data,
                                 struct pcv_access *access)
{
    uint32_t address;
    uint32_t reg;

    if (port == PCV_PORT_ADDRESS && size == 4) {
        return latch(domain, write, data, access);
    }
    if (port < PCV_PORT_DATA || port > PORT_LAST ||
        (size != 1 && size != 2 && size != 4)) {
        return PCV_FORWARD;
    }
    address = atomic_load_explicit(&domain->port_latch, memory_order_relaxed);
    if ((address & LATCH_ENABLE) == 0) {
        return PCV_FORWARD;
    }
    reg = (address & LATCH_REG) + (port - PCV_PORT_DATA);
    if (atomic_load_explicit(&domain->amd_port_bits, memory_order_relaxed)) {
        reg |= address >> LATCH_AMD_SHIFT & LATCH_AMD_REG;
    }
    *access = (struct pcv_access){
        .sbdf =
            pcv_sbdf_make(0, (uint8_t)(address >> 16), (uint8_t)(address >> 8)),
        .reg = (uint16_t)reg,
        .size = size,
        .write = write,
        .data = data,
    };
    return pcv_access(domain, access);
}
