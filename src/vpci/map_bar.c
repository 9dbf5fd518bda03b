/* SPDX-License-Identifier: MIT */
/*
 * One BAR: placed, mapped run by run, unmapped run by run and taken off again,
 * as its owner's registers and the host want it.
 */
#include "vpci/map.h"

/* Whether what stands of it may stay: nothing of it is to go. */
static bool fits(const struct pcv__mapped *mapped, const struct pcv__want *want,
                 uint32_t page_shift)
{
    return mapped->placed && mapped->start == want->start &&
           mapped->total == want->pages && mapped->trapped == want->trapped &&
           mapped->first == mapped->start >> page_shift;
}

static bool fits_now(struct pcv_device *device, uint32_t number,
                     struct pcv__want *out_want)
{
    pcv__bar_want(device, number, out_want);
    return fits(&pcv__vpci(device)->mapped[number], out_want,
                device->host->page_shift);
}

bool pcv__bar_stays(struct pcv_device *device, uint32_t number)
{
    struct pcv__want want;

    return fits_now(device, number, &want);
}

bool pcv__bar_settled(struct pcv_device *device, uint32_t number)
{
    const struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    struct pcv__want want;

    if (fits_now(device, number, &want)) {
        return mapped->pages == mapped->total;
    }
    return want.pages == 0 && !mapped->placed && !mapped->waits;
}

int pcv__bar_prepare(struct pcv_device *device, uint32_t number)
{
    struct pcv__want want;

    pcv__bar_want(device, number, &want);
    return want.pages == 0 ? 0 : pcv__place_prepare(device, number, &want);
}

bool pcv__bar_unmap(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];

    while (mapped->pages != 0) {
        if (!pcv__run_unmap(device, number)) {
            return false;
        }
    }
    device->bar[number].flags &= (uint8_t)~PCV_BAR_MAPPED;
    pcv__unplace(device, number);
    return true;
}

/* It has an address that leads nowhere. What a guest writes is no event. */
static void tell_not_mapped(struct pcv_device *device, uint32_t number)
{
    const struct pcv__bar *bar = &device->bar[number];
    struct pcv__owned owned;

    if (!device->assignment && pcv__bar_is_memory(bar) &&
        number != PCV_BAR_IS_ROM) {
        pcv__bar_owned(device, number, &owned);
        if (owned.address != 0) {
            pcv__event(device, PCV_EVENT_NOT_MAPPED, PCV_EVENT_DEVICE, number,
                       owned.address);
        }
    }
}

int pcv__bar_map(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    struct pcv__want want;
    int error = 0;

    /* Hardware may have changed more than the register that was written. */
    if (!fits_now(device, number, &want) && mapped->placed &&
        !pcv__bar_unmap(device, number)) {
        return -PCV_ERESTART;
    }
    if (want.pages == 0) {
        tell_not_mapped(device, number);
        return 0;
    }
    if (!mapped->placed) {
        error = pcv__place(device, number, &want);
    }
    /* Bounded by its pages: each call of the host does at least one. */
    while (error == 0 && mapped->placed && mapped->pages < mapped->total) {
        error = pcv__run_map(device, number, want.host);
    }
    if (error == 0 && mapped->placed && !mapped->trapped) {
        device->bar[number].flags |= PCV_BAR_MAPPED;
    }
    return error;
}
