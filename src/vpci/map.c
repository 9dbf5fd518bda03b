/* SPDX-License-Identifier: MIT */
/*
 * Mapping BARs for their owner: plan, apply, commit or undo (DESIGN decision
 * 5, HDR-6, HDR-9 to HDR-12).
 *
 * A plan is a struct pcv__work: what decoding and which BAR register are to be
 * in the end. Applying it goes through phases and can stop after any page:
 *
 *   UNMAP   what is mapped and must not stay
 *   WRITE   the BAR's register; addresses are read again from hardware
 *   MAP     what is to be mapped and is not
 *   COMMIT  the command register
 *
 * A map that fails undoes all of the device's mappings and leaves decoding
 * off, in the device and so in what its owner reads.
 */
#include "vpci/map.h"

static bool decodes(uint32_t command)
{
    /* All ones: the device does not answer, so it decodes nothing. */
    return command != 0xffffu && (command & PCV_CMD_MEMORY) != 0;
}

static bool anything_mapped(const struct pcv__vpci *vpci)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (vpci->mapped[i].pages != 0) {
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

/* HDR-10: nothing of the device stays mapped, and decoding is off. */
static void give_up(struct pcv_device *device, uint32_t number, int error)
{
    struct pcv__work *work = &pcv__vpci(device)->work;
    uint32_t command = 0;

    if (work->write_cmd) {
        command = work->command;
    } else if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command)) {
        command = 0; /* not known: everything off */
    }
    pcv__hw_restore(device, PCV_REG_COMMAND, 2,
                    command & ~(uint32_t)PCV_CMD_MEMORY);
    pcv__event(device, PCV_EVENT_MAP_FAILED, PCV_EVENT_HOST, number,
               (uint64_t)-error);
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
    enter_phase(work, PCV__WORK_WRITE);
    return true;
}

static bool map_phase(struct pcv_device *device)
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
    return anything_mapped(pcv__vpci(device)) ||
           decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2));
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
        case PCV__WORK_WRITE:
            if (work->write_bar) {
                pcv__hw_write(device, work->bar_reg, 4, work->bar_value);
            }
            pcv__bars_read(device);
            enter_phase(work, PCV__WORK_MAP);
            break;
        case PCV__WORK_MAP:
            go_on = map_phase(device);
            break;
        case PCV__WORK_COMMIT:
            if (work->write_cmd) {
                pcv__hw_write(device, PCV_REG_COMMAND, 2, work->command);
            }
            vpci->decoding = work->decode && now_decoding(device);
            memset(work, 0, sizeof(*work));
            break;
        case PCV__WORK_NONE:
            break;
        }
    }
    return work->phase == PCV__WORK_NONE ? PCV_DONE : PCV_PENDING;
}

/* HDR-16: the record says mapped, hardware does not decode. */
static bool was_reset(struct pcv_device *device, bool hardware_decodes)
{
    bool reset = pcv__vpci(device)->decoding && !hardware_decodes;

    if (reset) {
        pcv__event(device, PCV_EVENT_RESET_SEEN, PCV_EVENT_DEVICE, 0, 0);
    }
    return reset;
}

enum pcv_verdict pcv__map_command(struct pcv_device *device, uint16_t command)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    /* All ones is what a domain may write; a VF has no bit for it. */
    bool want = (command & PCV_CMD_MEMORY) != 0 && !device->is_vf;
    uint32_t now;
    bool stale;

    if (device->torn || !pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now)) {
        return PCV_DONE; /* without knowing, the write is dropped */
    }
    stale = was_reset(device, decodes(now));
    if (want == vpci->decoding && !stale) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2, command);
        return PCV_DONE;
    }
    work->decode = want;
    work->command = command;
    work->write_cmd = want;
    work->write_bar = false;
    work->moving = stale ? PCV__MOVING_ALL : PCV_BARS;
    if (!want) {
        /* Hardware goes silent first, then the pages go. */
        pcv__hw_write(device, PCV_REG_COMMAND, 2, command);
        vpci->decoding = false;
        if (!anything_mapped(vpci)) {
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
    work->decode = decodes(now);
    work->write_cmd = false;
    work->write_bar = true;
    work->bar_reg = reg;
    work->bar_value = value;
    work->moving = (uint8_t)(stale ? PCV__MOVING_ALL : bar);
    enter_phase(work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

int pcv__map_begin(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    int error = 0;

    if (device->is_vf || vpci->read_only ||
        !decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2))) {
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
    pcv__lock_drop(mem, &device->lock);
}
