/* SPDX-License-Identifier: MIT */
/*
 * The physical interrupt controller: GICv3, which the hypervisor drives
 * (distributor, redistributors, CPU interface; Arm IHI 0069). Priority drop and
 * deactivation are apart (EOImode 1), so that a guest can end an interrupt of
 * its device by itself.
 */
#ifndef HYP_GIC_H
#define HYP_GIC_H

#include "arch.h"

#define GIC_SGI_KICK 0u         /* look again at what is pending */
#define GIC_PPI_MAINTENANCE 25u /* a list register wants attention */
#define GIC_PPI_VTIMER 27u
#define GIC_LPI_FIRST 8192u
#define GIC_SPURIOUS 1020u /* 1020 to 1023: nothing, or not for us */

struct gic_regions {
    uint64_t dist;
    uint64_t redist, redist_size; /* one run, 128 KiB a CPU */
};

/* Once, on the first CPU; every SPI is off, level, and routed to it. */
void gic_init(const struct gic_regions *regions);
/* On each CPU, before it takes interrupts: its redistributor and interface. */
void gic_init_cpu(void);
/* This CPU's redistributor, for who sets up LPIs. */
uint64_t gic_redistributor(void);
unsigned gic_spi_end(void); /* one more than the last SPI */

uint32_t gic_acknowledge(void);
void gic_drop_priority(uint32_t intid); /* after acknowledge, always */
void gic_deactivate(uint32_t intid);    /* SPI, PPI, SGI; LPIs have no state */

/* PPIs and SGIs: this CPU's. Any CPU, any time. */
void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid);
void gic_set_edge(uint32_t intid, bool edge);
void gic_route(uint32_t intid, unsigned cpu); /* an SPI */
void gic_send(unsigned cpu, uint32_t sgi);

/* For the virtual controller, which mirrors a guest's: one bit of one
 * interrupt, of `cpu` where it is a PPI. The values are register offsets. */
enum gic_state {
    GIC_ENABLED = 0x100,
    GIC_PENDING = 0x200,
    GIC_ACTIVE = 0x300,
};
void gic_set_state(unsigned cpu, uint32_t intid, enum gic_state state, bool on);
bool gic_get_state(unsigned cpu, uint32_t intid, enum gic_state state);

#endif
