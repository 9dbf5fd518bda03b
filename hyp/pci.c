/* SPDX-License-Identifier: MIT */
/*
 * Where a domain's accesses to configuration space, to PCI ports and to PCI
 * memory enter the library, and what its verdicts mean for the vCPU.
 */
#include "pci.h"

#include "console.h"
#include "control.h"
#include "lib.h"
#include "mmu.h"
#include "modelled.h"

/* How long a vCPU waits in here: longer than any device may take to come out
 * of a reset. */
#define PATIENCE_SECONDS 2u

static struct {
    const struct machine *machine;
    struct pcv_host *host;
    /* An access that is repeated goes on where it stood. */
    struct pcv_access access[CPUS_MAX];
    /* When the library has work, in ticks of the counter; 0: none. */
    _Atomic uint64_t work_at;
} pci;

static uint64_t ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : ((uint64_t)1 << (size * 8)) - 1;
}

/*
 * The vCPU may not run before what it began is finished. What others hold up
 * is theirs to finish; but what a program of the hardware domain holds up by
 * the control device is finished only when it comes to that. So there is an
 * end: the library is told no more that it waits, and what is left to do is
 * done with the next access to the device.
 */
static void finish(struct domain *domain, struct pcv_access *access)
{
    static struct print_limit limit = {.burst = 1};
    uint64_t end =
        READ_SYSREG(cntpct_el0) + READ_SYSREG(cntfrq_el0) * PATIENCE_SECONDS;
    enum pcv_verdict verdict;

    do {
        relax();
        verdict = pcv_access_resume(domain->pcv, access);
    } while ((verdict == PCV_PENDING || verdict == PCV_RETRY) &&
             READ_SYSREG(cntpct_el0) < end);
    if (verdict == PCV_PENDING || verdict == PCV_RETRY) {
        print_limited(&limit, "%s: an access to %x did not come to its end\n",
                      domain->name, access->sbdf.v);
    }
}

static enum pci_access config_access(struct vcpu *vcpu, uint64_t address,
                                     unsigned size, bool write, uint64_t *data)
{
    struct pcv_access *access = &pci.access[this_cpu()->index];
    enum pcv_verdict verdict =
        pcv_ecam_access(vcpu->domain->pcv, (pcv_gpa){address}, (uint8_t)size,
                        write, *data, access);

    if (verdict == PCV_FORWARD) {
        return PCI_NOT_OURS;
    }
    if (verdict == PCV_RETRY) {
        return PCI_AGAIN;
    }
    if (verdict == PCV_PENDING) {
        finish(vcpu->domain, access);
    }
    if (!write) {
        *data = access->data;
    }
    return PCI_DONE;
}

/* Ports are forwarded one by one, for the hardware domain, except those that
 * the hypervisor's own card has. */
static enum pci_access port_access(struct vcpu *vcpu, uint64_t address,
                                   unsigned size, bool write, uint64_t *data)
{
    uint64_t port = address - pci.machine->pci.io.base;
    bool allowed = vcpu->domain->id == PCV_DOMAIN_ID_HARDWARE && size <= 4 &&
                   address % size == 0 &&
                   !pcv_host_reserved(pci.host, true, port, size);

    if (!write) {
        *data = ones(size);
    }
    if (allowed && write) {
        (void)mmio_write(address, size, *data);
    } else if (allowed) {
        (void)mmio_read(address, size, data);
    }
    return PCI_DONE;
}

static enum pci_access memory_access(struct vcpu *vcpu, uint64_t address,
                                     unsigned size, bool write, uint64_t *data)
{
    struct pcv_mmio access = {
        .address = {address},
        .size = (uint8_t)size,
        .write = write,
        .data = *data,
    };
    enum pcv_verdict verdict = pcv_mmio_access(vcpu->domain->pcv, &access);

    if (verdict == PCV_RETRY) {
        return PCI_AGAIN;
    }
    if (verdict == PCV_FORWARD && modelled()) {
        modelled_access(vcpu->domain->id, address, size, write, data);
    } else if (!write) {
        /* No BAR is there: a host bridge ends such a read with all ones. */
        *data = verdict == PCV_FORWARD ? ones(size) : access.data;
    }
    return PCI_DONE;
}

enum pci_access pci_access(struct vcpu *vcpu, uint64_t address, unsigned size,
                           bool write, uint64_t *data)
{
    const struct pci_windows *windows = &pci.machine->pci;
    const struct region at = {address, size};
    uint64_t mapped;

    if (region_holds(&windows->ecam, &at)) {
        return config_access(vcpu, address, size, write, data);
    }
    if (region_holds(&windows->io, &at)) {
        return port_access(vcpu, address, size, write, data);
    }
    if (region_holds(&windows->memory32, &at) ||
        region_holds(&windows->memory64, &at) ||
        modelled_covers(address, size)) {
        /* Another CPU may have mapped it since the trap, or for writing. */
        bool reached = write ? stage2_can_write(vcpu->domain, address)
                             : stage2_lookup(vcpu->domain, address, &mapped);

        return reached ? PCI_AGAIN
                       : memory_access(vcpu, address, size, write, data);
    }
    return PCI_NOT_OURS;
}

void pci_add_domain(struct domain *domain)
{
    const struct pci_windows *windows = &pci.machine->pci;
    int error;

    domain->pcv = pcv_host_hardware_domain(pci.host);
    error = pcv_domain_add_ecam(domain->pcv, (pcv_gpa){windows->ecam.base},
                                windows->segment, windows->bus_first,
                                windows->bus_last);
    if (error != 0) {
        panic("the ECAM window of %s: error %d", domain->name, error);
    }
}

/* ---- faults ----------------------------------------------------------------
 */

#define WORK_STEPS 16u /* of a trap that was about something else */

static void work_due_in(uint64_t us)
{
    uint64_t at = READ_SYSREG(cntpct_el0) +
                  us * (READ_SYSREG(cntfrq_el0) / 1000u) / 1000u;

    atomic_store_explicit(&pci.work_at, at + 1, memory_order_relaxed);
}

void pci_dma_fault(uint32_t requester, uint64_t address, bool write)
{
    pcv_sbdf sbdf;

    if (!pci.host || modelled()) {
        return; /* before there is a host, or of devices that it has not */
    }
    sbdf.v = (uint32_t)pci.machine->pci.segment << 16 | (requester & 0xffffu);
    if (pcv_dma_fault(pci.host, sbdf, address, write ? PCV_FAULT_WRITE : 0)) {
        work_due_in(0);
    }
}

/* Whoever comes first takes it; what is left then is left to the next. */
void pci_work(void)
{
    uint64_t at = atomic_load_explicit(&pci.work_at, memory_order_relaxed);
    uint64_t wait_us = 0;
    int error = -PCV_ERESTART;

    if (at == 0 || READ_SYSREG(cntpct_el0) < at ||
        !atomic_compare_exchange_strong_explicit(
            &pci.work_at, &at, 0, memory_order_relaxed, memory_order_relaxed)) {
        return;
    }
    for (unsigned i = 0; i < WORK_STEPS && error == -PCV_ERESTART; i++) {
        error = pcv_host_work(pci.host, &wait_us);
    }
    if (error == -PCV_ERESTART || wait_us != 0) {
        work_due_in(error == 0 ? wait_us : 0);
    }
}

/* ---- setting up ------------------------------------------------------------
 */

/* What firmware left reachable; the rest appears when the hardware domain
 * numbers the bridges. */
static void scan(void)
{
    struct pcv_scan scan = {.found = 0};
    int error;

    do {
        error = pcv_host_scan(pci.host, &scan, 0);
    } while (error == -PCV_ERESTART);
    if (error != 0 || scan.failed != 0) {
        panic("scanning the buses: error %d, %u functions failed", error,
              scan.failed);
    }
    print("pcivisor: %u functions at boot\n", scan.found);
}

/* The hardware domain may look at our console, and no more (OWN-8). */
static void keep_console(void)
{
    pcv_sbdf sbdf = pcv_sbdf_make(pci.machine->pci.segment, 0, 0);
    int error;

    if (!console_is_card() || modelled()) {
        return;
    }
    sbdf.v |= console_function();
    do {
        error = pcv_device_set_read_only(pci.host, sbdf);
    } while (error == -PCV_ERESTART);
    if (error != 0) {
        panic("our console could not be kept to us: error %d", error);
    }
}

void pci_init(const struct machine *machine)
{
    struct pcv_host_config config = {
        .page_shift = PAGE_SHIFT,
        .cpus = CPUS_MAX,
    };
    int error;

    pci.machine = machine;
    port_init(machine);
    error = modelled() ? pcv_host_create(modelled_ops(), modelled_context(),
                                         &config, &pci.host)
                       : pcv_host_create(&port_ops, NULL, &config, &pci.host);
    if (error != 0) {
        panic("pcv_host_create: error %d", error);
    }
    scan();
    keep_console();
    control_init(machine, pci.host);
}
