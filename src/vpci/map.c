/* SPDX-License-Identifier: MIT */
/*
 * Mapping BARs for their owner: plan, apply, commit or undo (DESIGN decision
 * 5, HDR-6, HDR-9 to HDR-12).
 *
 * A plan is a struct pcv__work: what decoding and which BAR register are to be
 * in the end. Applying it goes through phases and can stop after any page:
 *
 *   UNMAP   what is mapped and must not stay
 *   RESET   the function, if that was asked for
 *   WRITE   the BAR's register; addresses are read again from hardware
 *   MAP     what is to be mapped and is not
 *   COMMIT  the command register
 *
 * A map that fails undoes all of the device's mappings and leaves decoding
 * off, in the device and so in what its owner reads.
 *
 * The hardware domain's command and BAR registers are hardware's; a guest's are
 * in its assignment, and hardware follows. A VF's memory is its PF's to switch,
 * so the plan of one is never about its command register.
 */
#include "vpci/map.h"
#include "registry/faults.h"
#include "vpci/hidden.h"
#include "vpci/reserved.h"

static bool decodes(uint32_t command)
{
    /* All ones: the device does not answer, so it decodes nothing. */
    return command != 0xffffu && (command & PCV_CMD_MEMORY) != 0;
}

static bool anything_placed(const struct pcv__vpci *vpci)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (vpci->mapped[i].placed || vpci->mapped[i].waits) {
            return true;
        }
    }
    return false;
}

static void enter_phase(struct pcv__work *work, enum pcv__work_phase phase)
{
    work->phase = (uint8_t)phase;
    work->at = 0;
}

/* Memory decoding goes off for the owner, and bus mastering and the rest are as
 * `command` says: a write that is tried again if the host fails. */
static void silence(struct pcv_device *device, uint32_t command)
    PCV__REQUIRES(device->lock)
{
    const uint16_t off = (uint16_t)(command & ~(uint32_t)PCV_CMD_MEMORY);
    int before =
        atomic_exchange_explicit(&device->hw_error, 0, memory_order_relaxed);

    pcv__command_write(device, off);
    if (atomic_exchange_explicit(&device->hw_error, 0, memory_order_relaxed) !=
        0) {
        pcv__command_write(device, off);
    }
    if (before != 0) {
        atomic_store_explicit(&device->hw_error, before, memory_order_relaxed);
    }
}

/* The command register as the owner wants it, but for memory decoding. */
static uint32_t command_of(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    const struct pcv__work *work = &pcv__vpci(device)->work;
    uint32_t command;

    if (device->assignment) {
        return device->assignment->command;
    }
    if (work->write_cmd) {
        return work->command;
    }
    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command)) {
        command = 0; /* not known: everything off */
    }
    return command;
}

/* A guest cannot go on without what it switched on. */
static void crash(struct pcv_device *device, int error)
{
    const struct pcv__mem *mem = &device->host->mem;

    if (device->assignment && mem->ops.crash) {
        mem->ops.crash(mem->ctx, pcv__map_domain(device)->id,
                       pcv__device_sbdf(device), error);
    }
}

/* HDR-10: nothing of the device stays mapped, and decoding is off. */
static void give_up(struct pcv_device *device, uint32_t number, int error)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;

    vpci->decoding = false;
    if (!device->is_vf || device->assignment) {
        silence(device, command_of(device));
    }
    pcv__event(device, PCV_EVENT_MAP_FAILED, PCV_EVENT_HOST, number,
               (uint64_t)-error);
    crash(device, error);
    work->decode = false;
    work->write_cmd = false;
    work->write_bar = false;
    work->moving = PCV_BARS;
    enter_phase(work, PCV__WORK_UNMAP);
}

static bool unmap_phase(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;

    for (; work->at < PCV_BARS; work->at++) {
        bool keep = work->decode && work->moving != PCV__MOVING_ALL &&
                    work->at != work->moving &&
                    pcv__bar_stays(device, work->at);

        if (!keep && !pcv__bar_unmap(device, work->at)) {
            return false;
        }
    }
    work->moving = PCV_BARS; /* a plan that takes this one's place moves what
                                it wants itself */
    enter_phase(work, PCV__WORK_RESET);
    return true;
}

/* After a reset nothing stands in the registers until they are put back, and
 * they must not be asked before that is due. */
static void reset_phase(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__work *work = &pcv__vpci(device)->work;
    enum pcv__reset how = (enum pcv__reset)work->reset;

    if (how == PCV__RESET_NONE) {
        enter_phase(work, PCV__WORK_WRITE);
        return;
    }
    work->reset = PCV__RESET_NONE;
    pcv__reset_now(device, how);
    enter_phase(work, PCV__WORK_MAP);
}

/* A guest's addresses are not hardware's, which stay where the host put them.
 */
static void write_phase(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__work *work = &pcv__vpci(device)->work;

    if (work->write_bar) {
        pcv__hw_write(device, work->bar_reg, 4, work->bar_value);
        work->write_bar = false;
    }
    if (!device->assignment && pcv__may_be_asked(device)) {
        pcv__bars_read(device);
    }
    enter_phase(work, PCV__WORK_MAP);
}

static bool map_phase(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__work *work = &pcv__vpci(device)->work;

    for (; work->decode && work->at < PCV_BARS; work->at++) {
        int error = pcv__bar_map(device, work->at);

        if (error == -PCV_ERESTART) {
            return false;
        }
        if (error != 0) {
            give_up(device, work->at, error);
            return true;
        }
    }
    enter_phase(work, PCV__WORK_COMMIT);
    return true;
}

/* What the record is to say once decoding was switched on. Where nothing is
 * mapped it says what hardware does, which may not answer at all: then the
 * next write of the command register maps what there is. */
static bool now_decoding(struct pcv_device *device)
{
    return device->is_vf || anything_placed(pcv__vpci(device)) ||
           decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2));
}

static void commit_phase(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;

    if (device->assignment) {
        vpci->decoding = work->decode;
        if (pcv__may_be_asked(device)) {
            pcv__command_update(device);
        }
    } else {
        if (work->write_cmd) {
            pcv__command_write(device, work->command);
        }
        vpci->decoding = work->decode && now_decoding(device);
    }
    memset(work, 0, sizeof(*work));
}

enum pcv_verdict pcv__map_step(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    bool go_on = true;

    /* Bounded: phases go forward; a failing map goes back to the first one
     * once, with decoding off, after which nothing is mapped. */
    while (go_on && work->phase != PCV__WORK_NONE) {
        switch ((enum pcv__work_phase)work->phase) {
        case PCV__WORK_UNMAP:
            go_on = unmap_phase(device);
            break;
        case PCV__WORK_RESET:
            reset_phase(device);
            break;
        case PCV__WORK_WRITE:
            write_phase(device);
            break;
        case PCV__WORK_MAP:
            go_on = map_phase(device);
            break;
        case PCV__WORK_COMMIT:
            commit_phase(device);
            break;
        case PCV__WORK_NONE:
            break;
        }
    }
    return work->phase == PCV__WORK_NONE ? PCV_DONE : PCV_PENDING;
}

/* ---- plans -----------------------------------------------------------------
 */

/* HDR-16: the record says that hardware decodes, for mappings or for vectors,
 * and it does not. What it knew of vectors is gone as well. */
static bool was_reset(struct pcv_device *device, bool hardware_decodes)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    bool reset = (vpci->decoding || vpci->memory_held) && !hardware_decodes;

    if (reset) {
        pcv__event(device, PCV_EVENT_RESET_SEEN, PCV_EVENT_DEVICE, 0, 0);
        pcv__caps_reset(device);
        pcv__faults_clear(device); /* OWN-10 */
        vpci->memory_held = false;
    }
    return reset;
}

enum pcv_verdict pcv__map_command(struct pcv_device *device, uint16_t command)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    uint32_t now;
    bool want, stale;

    if (device->torn || !pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now)) {
        return PCV_DONE; /* without knowing, the write is dropped */
    }
    if (device->is_vf) {
        pcv__command_write(device, command); /* it has no bit for memory */
        return PCV_DONE;
    }
    /* It may have come back by D3cold, without a word to us. */
    vpci->asleep = vpci->asleep && pcv__power_is_low(device);
    /* All ones is what a domain may write. */
    want = (command & PCV_CMD_MEMORY) != 0 && !vpci->asleep;
    stale = was_reset(device, decodes(now));
    if (want == vpci->decoding && !stale) {
        pcv__command_write(device, command);
        return PCV_DONE;
    }
    work->decode = want;
    work->command = command;
    work->write_cmd = want;
    work->write_bar = false;
    work->moving = stale ? PCV__MOVING_ALL : PCV_BARS;
    if (!want) {
        /* Hardware goes silent first, then the pages go. */
        pcv__command_write(device, command);
        vpci->decoding = false;
        if (!anything_placed(vpci)) {
            memset(work, 0, sizeof(*work));
            return PCV_DONE;
        }
    }
    enter_phase(work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

enum pcv_verdict pcv__map_bar(struct pcv_device *device, uint32_t bar,
                              uint16_t reg, uint32_t value)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    uint32_t now;
    bool stale;

    if (device->torn || !pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now)) {
        return PCV_DONE; /* without knowing, the write is dropped */
    }
    stale = was_reset(device, decodes(now));
    if (!stale && !vpci->decoding) {
        pcv__hw_write(device, reg, 4, value);
        pcv__bars_read(device);
        return PCV_DONE;
    }
    work->decode = !stale;
    work->write_cmd = false;
    work->write_bar = true;
    work->bar_reg = reg;
    work->bar_value = value;
    work->moving = (uint8_t)(stale ? PCV__MOVING_ALL : bar);
    enter_phase(work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

/* Whether what is mapped is what is to be. */
static bool is_settled(struct pcv_device *device, bool decode)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    if (decode != vpci->decoding) {
        return false;
    }
    if (!decode) {
        return !anything_placed(vpci);
    }
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (!pcv__bar_settled(device, i)) {
            return false;
        }
    }
    return true;
}

/* A plan takes the place of one that is under way; what that one still has to
 * write is written, and what both move, moves. */
enum pcv_verdict pcv__map_again(struct pcv_device *device, bool decode,
                                uint8_t moving)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;

    if (device->torn || vpci->read_only) {
        return PCV_DONE;
    }
    decode = decode && !vpci->asleep;
    if (work->phase == PCV__WORK_NONE) {
        if ((moving == PCV_BARS || !decode) && is_settled(device, decode)) {
            return PCV_DONE;
        }
        work->moving = moving;
    } else if (work->moving != moving && work->moving != PCV_BARS) {
        work->moving = moving == PCV_BARS ? work->moving : PCV__MOVING_ALL;
    } else {
        work->moving = moving;
    }
    work->decode = decode;
    work->write_cmd = work->write_cmd && decode;
    enter_phase(work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

enum pcv_verdict pcv__map_reset(struct pcv_device *device, enum pcv__reset how)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (device->torn) {
        return PCV_DONE;
    }
    memset(&vpci->work, 0, sizeof(vpci->work));
    vpci->work.reset = (uint8_t)how;
    vpci->work.moving = PCV__MOVING_ALL;
    vpci->memory_held = false;
    enter_phase(&vpci->work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

int pcv__map_begin(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    int error = 0;

    if (vpci->read_only || vpci->asleep ||
        !(device->is_vf ? pcv__vf_decodes(device)
                        : decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2)))) {
        return 0;
    }
    for (uint32_t i = 0; i < PCV_BARS && error == 0; i++) {
        error = pcv__bar_prepare(device, i);
    }
    if (error == 0) {
        vpci->work.decode = true;
        vpci->work.moving = PCV_BARS;
        enter_phase(&vpci->work, PCV__WORK_MAP);
    }
    return error;
}

void pcv__map_teardown(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__vpci *vpci = pcv__vpci(device);

    pcv__lock_take(mem, &device->lock);
    device->torn = true;
    memset(&vpci->work, 0, sizeof(vpci->work));
    vpci->decoding = false;
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        /* Bounded by the BAR's pages: each call of the host does at least one,
         * or it fails and they are taken as unmapped. */
        while (!pcv__bar_unmap(device, i)) {
        }
    }
    pcv__place_forget(device);
    pcv__reserved_end(device);
    pcv__hidden_end(device);
    pcv__lock_drop(mem, &device->lock);
}
