/* SPDX-License-Identifier: MIT */
/*
 * The physical interrupt controller. Everything is in group 1 and of one
 * priority: EL2 runs with interrupts off, so that none could overtake another
 * anyway, and what a guest wants first is decided in its virtual controller.
 *
 * CPUs are called by MPIDR here, and by index elsewhere; each CPU enters its
 * own in the table below as it comes up. Registers that set or clear by bits
 * may be written by several CPUs at once; the lock is for the others.
 */
#include "gic.h"
#include "domain.h"
#include "lib.h"

/* Distributor (IHI 0069, 12.9). Banks hold one bit an interrupt, except for
 * priorities (8), configuration (2) and routes (64). */
#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GIC_IGROUPR 0x0080u
#define GIC_ISENABLER 0x0100u
#define GIC_ICENABLER 0x0180u
#define GIC_ICPENDR 0x0280u
#define GIC_ICACTIVER 0x0380u
#define GIC_IPRIORITYR 0x0400u
#define GIC_ICFGR 0x0c00u
#define GICD_IROUTER 0x6000u

/* Both groups' enable bits: which one is group 1 depends on whether the
 * controller knows security states, and group 0 is empty. */
#define CTLR_ENABLE 0x3u
#define CTLR_ARE (1u << 4)
#define GICD_CTLR_RWP (1u << 31)

/* Redistributor (12.11): a control frame, then one for SGIs and PPIs, which is
 * laid out as the distributor is. */
#define GICR_CTLR 0x0000u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_SGI_FRAME 0x10000u
#define GICR_STRIDE 0x20000u
#define GICR_STRIDE_VLPIS 0x40000u /* GICv4 has two frames more */

#define GICR_CTLR_RWP (1u << 3)
#define TYPER_VLPIS ((uint64_t)1 << 1)
#define TYPER_LAST ((uint64_t)1 << 4)
#define WAKER_PROCESSOR_SLEEP (1u << 1)
#define WAKER_CHILDREN_ASLEEP (1u << 2)

#define CTLR_EOIMODE ((uint64_t)1 << 1)
#define SRE_ALL 0x7u /* registers instead of memory; no bypass */
#define SRE_ENABLE_LOWER 0x8u

#define PRIORITY_ALL 0xa0a0a0a0u
#define SPI_FIRST 32u

/* A controller that does not answer for so long is broken. */
#define PATIENCE_SECONDS 1u

static struct {
    struct gic_regions regions;
    unsigned spi_end;
    struct spinlock lock; /* configuration registers; taken last of all */
    struct {
        uint64_t mpidr;
        _Atomic uint64_t redist; /* 0: not up yet. Makes mpidr valid. */
    } cpu[CPUS_MAX];
} gic;

/* Affinity as MPIDR_EL1 and GICD_IROUTER have it: Aff3 apart from the rest. */
static uint64_t mpidr_affinity(uint64_t mpidr)
{
    return mpidr & 0xff00ffffffu;
}

static uint64_t this_redist(void)
{
    return atomic_load_explicit(&gic.cpu[this_cpu()->index].redist,
                                memory_order_relaxed);
}

/* Wait until bits of a register are 0. */
static void await_clear(uint64_t address, uint32_t bits, const char *what)
{
    uint64_t begin = READ_SYSREG(cntpct_el0);
    uint64_t patience = READ_SYSREG(cntfrq_el0) * PATIENCE_SECONDS;

    while ((mmio_read32(address) & bits) != 0) {
        if (READ_SYSREG(cntpct_el0) - begin > patience) {
            panic("gic: %s does not end\n", what);
        }
        relax();
    }
}

static void await_dist(void)
{
    await_clear(gic.regions.dist + GICD_CTLR, GICD_CTLR_RWP, "a GICD write");
}

/* The address of the 32-bit register with this number in a block of them. */
static uint64_t reg_at(uint64_t bank, uint32_t block, uint32_t number)
{
    return bank + block + (uint64_t)number * 4u;
}

/* Off, group 1, not pending, not active, one priority: 32 interrupts. */
static void quiet(uint64_t bank, unsigned row)
{
    mmio_write32(reg_at(bank, GIC_ICENABLER, row), ~0u);
    mmio_write32(reg_at(bank, GIC_ICPENDR, row), ~0u);
    mmio_write32(reg_at(bank, GIC_ICACTIVER, row), ~0u);
    mmio_write32(reg_at(bank, GIC_IGROUPR, row), ~0u);
    for (unsigned i = 0; i < 8; i++) {
        mmio_write32(reg_at(bank, GIC_IPRIORITYR, 8u * row + i), PRIORITY_ALL);
    }
}

void gic_init(const struct gic_regions *regions)
{
    uint64_t dist = regions->dist;
    unsigned rows = (mmio_read32(dist + GICD_TYPER) & 0x1fu) + 1u;

    gic.regions = *regions;
    /* 1020 to 1023 mean something else. */
    gic.spi_end = 32u * rows < GIC_SPURIOUS ? 32u * rows : GIC_SPURIOUS;

    mmio_write32(dist + GICD_CTLR, 0);
    await_dist();
    /* Affinity routing may change only while all groups are off. */
    mmio_write32(dist + GICD_CTLR, CTLR_ARE);
    await_dist();
    for (unsigned row = 1; row < rows; row++) {
        quiet(dist, row);
        mmio_write32(reg_at(dist, GIC_ICFGR, 2u * row), 0);
        mmio_write32(reg_at(dist, GIC_ICFGR, 2u * row + 1u), 0);
    }
    for (uint32_t spi = SPI_FIRST; spi < gic.spi_end; spi++) {
        mmio_write64(dist + GICD_IROUTER + 8u * (uint64_t)spi,
                     mpidr_affinity(READ_SYSREG(mpidr_el1)));
    }
    await_dist();
    mmio_write32(dist + GICD_CTLR, CTLR_ARE | CTLR_ENABLE);
    await_dist();
}

/* The redistributor of the CPU with this MPIDR; panics where there is none. */
static uint64_t find_redist(uint64_t mpidr)
{
    uint64_t affinity = (mpidr >> 32 & 0xffu) << 24 | (mpidr & 0xffffffu);
    uint64_t offset = 0, end = gic.regions.redist_size;

    while (offset < end && GICR_STRIDE <= end - offset) {
        uint64_t redist = gic.regions.redist + offset;
        uint64_t typer = mmio_read64(redist + GICR_TYPER);

        if (typer >> 32 == affinity) {
            return redist;
        }
        if ((typer & TYPER_LAST) != 0) {
            break;
        }
        offset += (typer & TYPER_VLPIS) != 0 ? GICR_STRIDE_VLPIS : GICR_STRIDE;
    }
    panic("gic: no redistributor for MPIDR 0x%lx\n", (unsigned long)mpidr);
}

static void init_interface(void)
{
    WRITE_SYSREG(icc_sre_el2,
                 READ_SYSREG(icc_sre_el2) | SRE_ALL | SRE_ENABLE_LOWER);
    isb();
    /* Not banked for guests: they find it on, and cannot do without. */
    WRITE_SYSREG(icc_sre_el1, SRE_ALL);
    isb();
    WRITE_SYSREG(icc_pmr_el1, 0xff);
    WRITE_SYSREG(icc_bpr1_el1, 0);
    WRITE_SYSREG(icc_ctlr_el1, CTLR_EOIMODE);
    WRITE_SYSREG(icc_igrpen1_el1, 1);
    isb();
}

void gic_init_cpu(void)
{
    unsigned index = this_cpu()->index;
    uint64_t mpidr = mpidr_affinity(READ_SYSREG(mpidr_el1));
    uint64_t redist = find_redist(mpidr);
    uint32_t waker = mmio_read32(redist + GICR_WAKER);

    mmio_write32(redist + GICR_WAKER, waker & ~WAKER_PROCESSOR_SLEEP);
    await_clear(redist + GICR_WAKER, WAKER_CHILDREN_ASLEEP, "a CPU's sleep");
    quiet(redist + GICR_SGI_FRAME, 0);
    await_clear(redist + GICR_CTLR, GICR_CTLR_RWP, "a GICR write");
    init_interface();

    gic.cpu[index].mpidr = mpidr;
    atomic_store_explicit(&gic.cpu[index].redist, redist, memory_order_release);
}

uint64_t gic_redistributor(void)
{
    return this_redist();
}

unsigned gic_spi_end(void)
{
    return gic.spi_end;
}

uint32_t gic_acknowledge(void)
{
    uint64_t intid = READ_SYSREG(icc_iar1_el1);

    /* It is active before anything is read that it announces. */
    dsb();
    return (uint32_t)(intid & 0xffffffu);
}

void gic_drop_priority(uint32_t intid)
{
    WRITE_SYSREG(icc_eoir1_el1, intid);
    isb();
}

void gic_deactivate(uint32_t intid)
{
    if (intid < GIC_SPURIOUS) {
        WRITE_SYSREG(icc_dir_el1, intid);
        isb();
    }
}

/* Where the registers of an interrupt are: the distributor, or the second frame
 * of a CPU's redistributor. 0: there is no such interrupt. */
static uint64_t bank_of(unsigned cpu, uint32_t intid)
{
    uint64_t redist;

    if (intid >= SPI_FIRST) {
        return intid < gic.spi_end ? gic.regions.dist : 0;
    }
    if (cpu >= CPUS_MAX) {
        return 0;
    }
    redist = atomic_load_explicit(&gic.cpu[cpu].redist, memory_order_acquire);
    return redist == 0 ? 0 : redist + GICR_SGI_FRAME;
}

void gic_set_state(unsigned cpu, uint32_t intid, enum gic_state state, bool on)
{
    uint64_t bank = bank_of(cpu, intid);
    uint32_t block = (uint32_t)state + (on ? 0 : GIC_ICENABLER - GIC_ISENABLER);

    if (bank != 0) {
        mmio_write32(reg_at(bank, block, intid / 32u), 1u << intid % 32u);
    }
}

bool gic_get_state(unsigned cpu, uint32_t intid, enum gic_state state)
{
    uint64_t bank = bank_of(cpu, intid);
    uint64_t address = reg_at(bank, (uint32_t)state, intid / 32u);

    return bank != 0 && (mmio_read32(address) >> intid % 32u & 1u) != 0;
}

void gic_enable(uint32_t intid)
{
    gic_set_state(this_cpu()->index, intid, GIC_ENABLED, true);
}

void gic_disable(uint32_t intid)
{
    unsigned cpu = this_cpu()->index;
    uint64_t bank = bank_of(cpu, intid);

    if (bank == 0) {
        return;
    }
    gic_set_state(cpu, intid, GIC_ENABLED, false);
    if (bank == gic.regions.dist) {
        await_clear(bank + GICD_CTLR, GICD_CTLR_RWP, "a GICD write");
    } else {
        await_clear(this_redist() + GICR_CTLR, GICR_CTLR_RWP, "a GICR write");
    }
}

void gic_set_edge(uint32_t intid, bool edge)
{
    uint64_t bank = bank_of(this_cpu()->index, intid);
    uint64_t address = reg_at(bank, GIC_ICFGR, intid / 16u);
    uint32_t bit = 2u << 2u * (intid % 16u);
    uint32_t value;

    if (bank == 0) {
        return;
    }
    spin_lock(&gic.lock);
    value = mmio_read32(address);
    mmio_write32(address, edge ? value | bit : value & ~bit);
    spin_unlock(&gic.lock);
}

/* A CPU that is not up is not routed to: where the interrupt arrives matters
 * for speed only, the virtual controller sends it on. */
void gic_route(uint32_t intid, unsigned cpu)
{
    if (intid < SPI_FIRST || intid >= gic.spi_end || cpu >= CPUS_MAX ||
        atomic_load_explicit(&gic.cpu[cpu].redist, memory_order_acquire) == 0) {
        return;
    }
    mmio_write64(gic.regions.dist + GICD_IROUTER + 8u * (uint64_t)intid,
                 gic.cpu[cpu].mpidr);
}

void gic_send(unsigned cpu, uint32_t sgi)
{
    uint64_t mpidr, aff0;

    if (cpu >= CPUS_MAX ||
        atomic_load_explicit(&gic.cpu[cpu].redist, memory_order_acquire) == 0) {
        return;
    }
    mpidr = gic.cpu[cpu].mpidr;
    aff0 = mpidr & 0xffu;
    /* What was written for the other CPU to see is there before the SGI. */
    dsb();
    WRITE_SYSREG(icc_sgi1r_el1,
                 (mpidr >> 32 & 0xffu) << 48 | (aff0 >> 4) << 44 |
                     (mpidr >> 16 & 0xffu) << 32 |
                     (uint64_t)(sgi & 0xfu) << 24 | (mpidr >> 8 & 0xffu) << 16 |
                     (uint64_t)1 << (aff0 & 0xfu));
    isb();
}
