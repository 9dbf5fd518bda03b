/* SPDX-License-Identifier: MIT */
/*
 * Times in which a function must be left alone (SRIOV-3). Nobody waits for
 * them: an access before answers absent, a control operation restart; the first
 * one after puts hardware in order for its owner and goes on (PM-1, MSI-3).
 */
#include "vpci/internal.h"

/* The specification allows a second (PCI Express Base 6.0, 6.6.1), and devices
 * are known that need many: some start their firmware anew. Without a clock: so
 * many calls. */
#define LONGEST_US 60000000u
#define LONGEST_CALLS 256u
/* How soon to ask a function again that does not answer after its time. */
#define AGAIN_US 10000u
/* The function asks for a retry (PCI Express Base 6.0, 2.3.2). */
#define RETRY_IDS 0xffff0001u

/* What holds for the view, and in short for whoever enters the gate. Which of
 * the two is seen first is all one: the time begins or is over just now. */
static void settle_as(struct pcv_device *device, enum pcv__settling kind)
    PCV__REQUIRES(device->lock)
{
    atomic_store_explicit(&pcv__vpci(device)->settling, (uint8_t)kind,
                          memory_order_release);
    if (kind == PCV__SETTLED) {
        pcv__unbar(device, PCV__BARRED_SETTLING);
    } else {
        pcv__bar(device, PCV__BARRED_SETTLING);
    }
}

void pcv__settle_begin(struct pcv_device *device, enum pcv__settling kind,
                       uint64_t us)
{
    pcv__hw_quiet(device, us);
    settle_as(device, kind);
    if (device->extras) {
        device->extras->awaited = false; /* whatever was waited for before */
    }
}

/* A VF has no IDs of its own. */
static bool answers(struct pcv_device *device)
{
    uint16_t reg = device->is_vf ? PCV_REG_REVISION : PCV_REG_VENDOR;
    uint32_t value;

    return pcv__hw_fetch(device, reg, 4, &value) && value != 0xffffffffu &&
           value != RETRY_IDS;
}

/* ---- putting in order ------------------------------------------------------
 */

static void map_again(struct pcv_device *device, bool decode)
    PCV__REQUIRES(device->lock)
{
    enum pcv_verdict verdict = pcv__map_again(device, decode, PCV__MOVING_ALL);

    settle_as(device, verdict == PCV_DONE ? PCV__SETTLED : PCV__SETTLING_MAP);
}

/* A guest knows nothing of what hardware forgot. False: the host failed, it is
 * all done again. */
static bool order_for_guest(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__reset_put_back(device);
    vpci->asleep = pcv__power_is_low(device);
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        return false; /* BARs that may be anywhere are not decoded */
    }
    pcv__command_update(device);
    if (!vpci->asleep) {
        pcv__caps_restore(device);
    }
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        return false;
    }
    map_again(device, !vpci->asleep &&
                          (device->assignment->command & PCV_CMD_MEMORY) != 0);
    return true;
}

/* The hardware domain programs anew what it needs; records follow hardware
 * (HDR-16). */
static void order_for_hardware(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    bool decode = device->is_vf && pcv__vf_decodes(device);
    uint32_t command;

    vpci->asleep = pcv__power_is_low(device);
    pcv__bars_read(device);
    if (!device->is_vf) {
        decode = pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) &&
                 command != 0xffffu && (command & PCV_CMD_MEMORY) != 0;
    }
    map_again(device, decode && !vpci->asleep);
}

/* It was reset at an administrator's word, and its owner is not to notice. What
 * is mapped stayed so. */
static bool order_restored(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint32_t command = pcv__reset_saved_command(device);
    bool decode;

    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__reset_put_back(device);
    vpci->asleep = pcv__power_is_low(device);
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        return false; /* BARs that may be anywhere are not decoded */
    }
    pcv__hw_restore(device, PCV_REG_COMMAND, 2,
                    pcv__command_allowed(device, command));
    pcv__caps_restore(device);
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        return false;
    }
    device->extras->restores = false;
    decode = device->is_vf
                 ? pcv__vf_decodes(device)
                 : !vpci->memory_held && (command & PCV_CMD_MEMORY) != 0;
    settle_as(device, pcv__map_again(device, decode && !vpci->asleep,
                                     PCV_BARS) == PCV_DONE
                          ? PCV__SETTLED
                          : PCV__SETTLING_MAP);
    return true;
}

/* For a change of owner: what the host programmed, and nothing else. */
static bool order_for_nobody(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__reset_put_back(device);
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        return false;
    }
    settle_as(device, PCV__SETTLED);
    return true;
}

/* False: the host failed, it is all done again. */
static bool put_in_order(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    if (device->torn) {
        return order_for_nobody(device);
    }
    if (device->assignment) {
        return order_for_guest(device);
    }
    if (device->extras && device->extras->restores) {
        return order_restored(device);
    }
    order_for_hardware(device);
    return true;
}

/* ---- the stages -------------------------------------------------------------
 */

/* The time of a stage is over: do what comes then. False: the host failed. */
static bool next_stage(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    switch ((enum pcv__settling)vpci->settling) {
    case PCV__SETTLING_RAISE:
        return pcv__reset_hardware(device,
                                   (enum pcv__reset)vpci->reset_method) == 0;
    case PCV__SETTLING_SLEEP:
        if (pcv__power_set(device, PCV_PM_D0) != 0) {
            return false;
        }
        pcv__settle_begin(device, PCV__SETTLING_WAKE, PCV__QUIET_POWER_US);
        return true;
    case PCV__SETTLING_RESET:
    case PCV__SETTLING_WAKE:
        return put_in_order(device);
    case PCV__SETTLING_MAP:
    case PCV__SETTLED:
        break;
    }
    return true;
}

/* BARs that the owner still has to get; a mapping that was under way before,
 * likewise. False: call again. */
static bool mapped(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (pcv__map_step(device) != PCV_DONE) {
        return false;
    }
    if (vpci->settling == PCV__SETTLING_MAP) {
        settle_as(device, PCV__SETTLED);
    }
    return true;
}

/* It answers, and what comes then is done. */
static bool goes_on(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    const bool there = answers(device);

    if (device->extras) {
        device->extras->silent = !there;
    }
    return there && next_stage(device);
}

static enum pcv_verdict settle(struct pcv_device *device, uint64_t *out_wait_us)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    *out_wait_us = 0;
    /* Bounded: RAISE, then RESET or SLEEP and WAKE, then MAP. */
    while (vpci->settling != PCV__SETTLED) {
        if (pcv__has_vanished(device)) {
            settle_as(device, PCV__SETTLED);
            break; /* nobody waits for what is gone (LIFE-9) */
        }
        if (vpci->settling != PCV__SETTLING_MAP) {
            *out_wait_us = pcv__hw_quiet_us(device);
            if (*out_wait_us != 0) {
                return PCV_ABSENT;
            }
            pcv__hw_quiet(device, 0);
        }
        if (!mapped(device)) {
            return PCV_RETRY;
        }
        if (vpci->settling != PCV__SETTLED && !goes_on(device)) {
            pcv__hw_quiet(device, AGAIN_US);
            *out_wait_us = AGAIN_US;
            return PCV_ABSENT;
        }
    }
    return PCV_DONE;
}

bool pcv__settle_locked(struct pcv_device *device, uint64_t *out_wait_us)
{
    return settle(device, out_wait_us) == PCV_DONE;
}

/* Nobody waits for it any more. That the host fails is no fault of its. */
static void give_up(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    uint32_t before;

    if (!device->extras->silent) {
        return;
    }
    before = atomic_fetch_or_explicit(&device->marks, PCV__MARK_BROKEN,
                                      memory_order_relaxed);
    if ((before & PCV__MARK_BROKEN) == 0) {
        pcv__event(device, PCV_EVENT_BROKEN, PCV_EVENT_DEVICE, 0, 0);
    }
}

void pcv__settle_await(struct pcv_device *device)
{
    pcv__patience_begin(device, LONGEST_US, LONGEST_CALLS);
    device->extras->awaited = true;
}

int pcv__settle_patiently(struct pcv_device *device)
{
    const bool asks = pcv__hw_quiet_us(device) == 0;
    uint64_t wait_us;
    enum pcv_verdict verdict = settle(device, &wait_us);

    if (verdict != PCV_ABSENT) {
        if (device->extras) {
            device->extras->awaited = false;
        }
        return verdict == PCV_DONE ? 0 : -PCV_ERESTART;
    }
    if (!pcv__extras_get(device)) {
        return -PCV_ENOMEM;
    }
    if (!device->extras->awaited) {
        pcv__settle_await(device);
        return -PCV_ERESTART;
    }
    if (!asks || !pcv__patience_ends(device)) {
        return -PCV_ERESTART;
    }
    give_up(device);
    return -PCV_EIO;
}

enum pcv_verdict pcv__settle_access(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    enum pcv_verdict verdict;
    uint64_t wait_us;

    pcv__lock_take(mem, &device->lock);
    verdict = settle(device, &wait_us);
    pcv__lock_drop(mem, &device->lock);
    return verdict;
}

uint64_t pcv_device_wait_us(struct pcv_device *device)
{
    return pcv__hw_quiet_us(device);
}

/* ---- retry status -----------------------------------------------------------
 */

/* The root port above a device, with a reference, or NULL. */
static struct pcv_device *root_port(const struct pcv_device *device)
{
    pcv_sbdf at = pcv__device_sbdf(device);
    bool found = false;

    /* Bounded: each step goes to a lower bus number. */
    while (pcv_topology_upstream(device->host, pcv_sbdf_segment(at),
                                 pcv_sbdf_bus(at), &at) == 0) {
        found = true;
    }
    return found ? pcv_device_find(device->host, at) : NULL;
}

uint32_t pcv__settling_ids(struct pcv_device *device, uint16_t reg,
                           uint8_t size)
{
    struct pcv_device *port;
    uint32_t control = 0;

    /* A guest's bus has no port that could make it visible. */
    if (reg != PCV_REG_VENDOR || size < 2 || device->assignment) {
        return pcv__ones(size);
    }
    port = root_port(device);
    if (port && port->type == PCV_TYPE_ROOT_PORT && port->pcie_cap != 0 &&
        !pcv__hw_fetch(port, (uint16_t)(port->pcie_cap + PCV_PCIE_RTCTL), 2,
                       &control)) {
        control = 0;
    }
    pcv_device_put(port);
    return (control != 0xffffu && (control & PCV_PCIE_RTCTL_RETRY_VISIBLE) != 0
                ? RETRY_IDS
                : 0xffffffffu) &
           pcv__ones(size);
}
