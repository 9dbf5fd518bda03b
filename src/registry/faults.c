/* SPDX-License-Identifier: MIT */
/* IOMMU faults: whose they are, how many, and who is due (OWN-10). */
#include "registry/faults.h"
#include "registry/requester.h"
#include "registry/route.h"

/* ---- counting --------------------------------------------------------------
 */

/* The window that the clock is in; always the same one without a clock. */
static uint32_t window_of(const struct pcv_host *host, uint32_t limits)
{
    const struct pcv__mem *mem = &host->mem;

    if (!mem->ops.now_us) {
        return 0;
    }
    return (uint32_t)(mem->ops.now_us(mem->ctx) >> pcv__fault_order(limits)) &
           PCV__FAULTS_WINDOW_MAX;
}

/* What was counted is halved with each window since. */
static uint32_t faded(uint32_t marks, uint32_t window)
{
    uint32_t count = marks >> PCV__FAULTS_SHIFT & PCV__FAULTS_MAX;
    uint32_t passed =
        (window - (marks >> PCV__FAULTS_WINDOW_SHIFT)) & PCV__FAULTS_WINDOW_MAX;

    return passed < 32u ? count >> passed : 0;
}

static uint32_t limits_of(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->fault_limits, memory_order_relaxed);
}

uint32_t pcv__faults_now(const struct pcv_device *device)
{
    uint32_t marks = atomic_load_explicit(&device->marks, memory_order_relaxed);

    if ((marks & PCV__MARK_FAULTY) != 0) {
        return marks >> PCV__FAULTS_SHIFT & PCV__FAULTS_MAX;
    }
    return faded(marks, window_of(device->host, limits_of(device->host)));
}

/* One more. True if that is too many, and nobody has said so yet. In a storm
 * that is over the threshold it is one load. */
static bool count(struct pcv_device *device)
{
    uint32_t marks = atomic_load_explicit(&device->marks, memory_order_relaxed);
    uint32_t limits = limits_of(device->host);
    uint32_t window, faults;

    if ((marks & PCV__MARK_FAULTY) != 0 || pcv__fault_threshold(limits) == 0 ||
        pcv__hw_quiet_us(device) != 0) {
        return false;
    }
    window = window_of(device->host, limits);
    do {
        faults = faded(marks, window);
        faults += faults < pcv__fault_threshold(limits) ? 1u : 0u;
        /* Bounded: others that get in first are counted, up to the limit. */
    } while (!atomic_compare_exchange_weak_explicit(
        &device->marks, &marks,
        (marks & ((1u << PCV__FAULTS_SHIFT) - 1u)) |
            faults << PCV__FAULTS_SHIFT | window << PCV__FAULTS_WINDOW_SHIFT,
        memory_order_relaxed, memory_order_relaxed));
    return faults >= pcv__fault_threshold(limits);
}

/* ---- whose they are --------------------------------------------------------
 */

static bool is_alias_of(const struct pcv_device *bridge, pcv_sbdf requester)
{
    return bridge->type == PCV_TYPE_PCIE_TO_PCI_BRIDGE &&
           pcv_sbdf_devfn(requester) == 0;
}

/* Who is charged, with a reference, or NULL. A PCIe-to-PCI bridge speaks for
 * what is behind it as device 0, function 0 of its other side (PCI Express to
 * PCI Bridge 1.0, 2.3), whoever stands there. */
static struct pcv_device *charged(struct pcv_host *host, pcv_sbdf requester)
{
    struct pcv_device *bridge = pcv__bridge_above(
        host, pcv_sbdf_segment(requester), pcv_sbdf_bus(requester));

    if (bridge && is_alias_of(bridge, requester)) {
        return bridge;
    }
    pcv_device_put(bridge);
    return pcv_device_find_real(host, requester);
}

bool pcv__may_be_cut(const struct pcv_device *device)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    return !device->is_bridge && device->type != PCV_TYPE_HOST_BRIDGE &&
           owner != &device->host->hypervisor &&
           !atomic_load_explicit(&device->read_only, memory_order_relaxed);
}

/* ---- who is due ------------------------------------------------------------
 */

/* From now on its owner sees it cut. False: it was so before, or fewer than
 * `least` faults count, since they were forgotten meanwhile. */
static bool mark(struct pcv_device *device, uint32_t least)
{
    uint32_t marks = atomic_load_explicit(&device->marks, memory_order_relaxed);
    uint32_t more = PCV__MARK_FAULTY | PCV__MARK_CUT_DUE |
                    (pcv__may_be_cut(device) ? PCV__MARK_CUT : 0u);

    do {
        if ((marks & PCV__MARK_FAULTY) != 0 ||
            (marks >> PCV__FAULTS_SHIFT & PCV__FAULTS_MAX) < least) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &device->marks, &marks, marks | more, memory_order_acq_rel,
        memory_order_relaxed));
    return true;
}

bool pcv__faults_condemn(struct pcv_device *device)
{
    return pcv__may_be_cut(device) && mark(device, 0);
}

static void put_locked(struct pcv_host *host, const struct pcv_device *device,
                       uint64_t address, uint32_t flags)
    PCV__REQUIRES(host->work_lock)
{
    uint32_t place =
        atomic_load_explicit(&host->fault_count, memory_order_relaxed);

    host->fault_due[place] = (struct pcv__fault_due){
        .sbdf = pcv__device_sbdf(device).v,
        .flags = flags,
        .address = address,
    };
    atomic_store_explicit(&host->fault_count, place + 1, memory_order_release);
}

static bool is_full(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->fault_count, memory_order_relaxed) ==
           PCV__FAULTS_DUE;
}

/* The list and the mark change together: who is due is in it, wherever it can
 * be found. Where there is no room nothing is marked, and the next fault tries
 * again. */
static void request(struct pcv_device *device, uint64_t address, uint32_t flags)
{
    struct pcv_host *host = device->host;
    uint32_t least = pcv__fault_threshold(limits_of(host));

    pcv__lock_take(&host->mem, &host->work_lock);
    if (!is_full(host) && mark(device, least)) {
        put_locked(host, device, address, flags);
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
}

void pcv__faults_queue(struct pcv_device *device)
{
    struct pcv_host *host = device->host;

    pcv__lock_take(&host->mem, &host->work_lock);
    if (!pcv__is_marked(device, PCV__MARK_CUT_DUE)) {
        /* Its faults were forgotten. */
    } else if (!is_full(host)) {
        put_locked(host, device, 0, 0);
    } else {
        atomic_fetch_and_explicit(
            &device->marks,
            ~(PCV__MARK_FAULTY | PCV__MARK_CUT | PCV__MARK_CUT_DUE),
            memory_order_acq_rel);
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
}

bool pcv__faults_at(struct pcv_host *host, uint32_t place,
                    struct pcv__fault_due *out_due)
{
    bool there;

    pcv__lock_take(&host->mem, &host->work_lock);
    there =
        place < atomic_load_explicit(&host->fault_count, memory_order_relaxed);
    if (there) {
        *out_due = host->fault_due[place];
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
    return there;
}

/* Every entry of an address goes, or goes on. */
static bool leave_locked(struct pcv_host *host,
                         const struct pcv__fault_due *due, bool stays)
    PCV__REQUIRES(host->work_lock)
{
    uint32_t left =
        atomic_load_explicit(&host->fault_count, memory_order_relaxed);
    bool gone = false;

    for (uint32_t i = 0; i < left;) {
        struct pcv__fault_due *entry = &host->fault_due[i];

        if (entry->sbdf == due->sbdf && !stays) {
            *entry = host->fault_due[--left];
            gone = true;
            continue;
        }
        if (entry->sbdf == due->sbdf && entry->next < due->next) {
            entry->next = due->next;
        }
        i++;
    }
    atomic_store_explicit(&host->fault_count, left, memory_order_release);
    return gone;
}

bool pcv__faults_looked_at(struct pcv_host *host,
                           const struct pcv__fault_due *due,
                           const struct pcv_device *device)
{
    bool gone;

    pcv__lock_take(&host->mem, &host->work_lock);
    gone = leave_locked(host, due,
                        device && pcv__is_marked(device, PCV__MARK_CUT_DUE));
    pcv__lock_drop(&host->mem, &host->work_lock);
    return gone;
}

/* ---- a fault ---------------------------------------------------------------
 */

struct fault {
    uint64_t address;
    uint32_t flags;
    const struct pcv_device *device; /* who is charged because of where it
                                        stands, or NULL */
    bool any;                        /* somebody is charged */
};

static void charge(struct pcv_device *device, struct fault *fault)
{
    fault->any = true;
    if (count(device)) {
        request(device, fault->address, fault->flags);
    }
}

static void charge_named(void *ctx, struct pcv_device *user,
                         enum pcv_requester_kind kind)
{
    struct fault *fault = ctx;

    (void)kind;
    if (user != fault->device) {
        charge(user, fault);
    }
}

/* All functions for which the ID was named, beside who stands there: nobody can
 * say which of them it was, and they are one group, so of one user. */
static void charge_all_named(struct pcv_host *host, pcv_sbdf requester,
                             struct fault *fault)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(requester));

    if (!segment || !pcv__requester_any_named(segment)) {
        return;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    pcv__requester_named_users(segment, requester, charge_named, fault);
    pcv__lock_drop(&host->mem, &segment->lock);
}

bool pcv_dma_fault(struct pcv_host *host, pcv_sbdf requester, uint64_t address,
                   uint32_t flags)
{
    struct pcv_device *device = charged(host, requester);
    struct fault fault = {address, flags, device, false};

    if (device) {
        charge(device, &fault);
    }
    charge_all_named(host, requester, &fault);
    if (!fault.any) {
        atomic_fetch_add_explicit(&host->stray_faults, 1, memory_order_relaxed);
    }
    pcv_device_put(device);
    return pcv__faults_are_due(host);
}

/* ---- another owner ---------------------------------------------------------
 */

/* A bridge that is due has been charged for others as well, and counts anew
 * when that was looked at. */
void pcv__faults_begin_anew(struct pcv_device *device)
{
    struct pcv_device *bridge = pcv__bridge_over(
        device->segment, pcv_sbdf_bus(pcv__device_sbdf(device)));

    pcv__faults_clear(device);
    /* Bounded: no path is longer than there are buses (TOPO-2). */
    for (uint32_t i = 0; bridge && i < PCV_BUSES; i++) {
        if (pcv__bridge_joins(bridge) &&
            !pcv__is_marked(bridge, PCV__MARK_CUT_DUE)) {
            pcv__faults_clear(bridge);
        }
        bridge = pcv__bridge_over(device->segment,
                                  pcv_sbdf_bus(pcv__device_sbdf(bridge)));
    }
}

/* ---- limits ----------------------------------------------------------------
 */

/* log2, rounded up. */
static uint32_t order_of(uint32_t window_us)
{
    uint32_t order = 0;

    while (order < 32u && (1ull << order) < window_us) {
        order++;
    }
    return order;
}

void pcv__faults_init(struct pcv_host *host)
{
    atomic_init(&host->fault_limits,
                PCV__FAULT_LIMITS(PCV_FAULTS_THRESHOLD,
                                  order_of(PCV_FAULTS_WINDOW_US)));
}

int pcv_host_set_faults(struct pcv_host *host, uint32_t threshold,
                        uint32_t window_us)
{
    if (!host || threshold > PCV_FAULTS_THRESHOLD_MAX || window_us == 0) {
        return -PCV_EINVAL;
    }
    atomic_store_explicit(&host->fault_limits,
                          PCV__FAULT_LIMITS(threshold, order_of(window_us)),
                          memory_order_relaxed);
    return 0;
}
