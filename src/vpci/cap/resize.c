/* SPDX-License-Identifier: MIT */
/* What Resizable BAR and VF Resizable BAR have in common (resize.h). */
#include "vpci/cap/resize.h"

uint32_t pcv__resize_count(const struct pcv__cap *cap)
{
    uint32_t control = pcv__cap_read(cap, pcv__resize_control_at(0), 4);
    uint32_t count = (control & PCV__RESIZE_COUNT) >> 5;
    uint32_t room = PCV_CFG_EXT_SIZE - cap->offset;

    return count <= PCV__RESIZE_MAX &&
                   pcv__resize_control_at(count) - 4u <= room
               ? count
               : 0;
}

bool pcv__resize_read(const struct pcv__cap *cap, uint32_t entry,
                      struct pcv__resize *out)
{
    uint16_t at = pcv__resize_control_at(entry);
    uint32_t able, control;

    if (!pcv__hw_fetch(cap->device,
                       (uint16_t)(cap->offset + pcv__resize_able_at(entry)), 4,
                       &able) ||
        !pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + at), 4,
                       &control) ||
        control == 0xffffffffu) {
        return false;
    }
    out->at = at;
    out->bar = (uint8_t)(control & PCV__RESIZE_BAR);
    out->code = (uint8_t)pcv__resize_code(control);
    out->sizes = pcv__resize_sizes(able, control);
    return true;
}

uint64_t pcv__resize_fitting(const struct pcv__bar *bar)
{
    switch ((enum pcv_bar_kind)bar->kind) {
    case PCV_BAR_MEM64:
        return (1ull << PCV__RESIZE_CODES) - 1u;
    case PCV_BAR_MEM32:
        return (1ull << 12) - 1u; /* up to 2 GiB */
    case PCV_BAR_NONE:
    case PCV_BAR_IO:
    case PCV_BAR_ROM:
        break;
    }
    return 0;
}

int pcv__resize_setup(struct pcv__cap *cap, const struct pcv_register *row)
{
    uint32_t count = pcv__resize_count(cap);

    for (uint32_t i = 0; i < count; i++) {
        int error = pcv__cap_add_at(cap, pcv__resize_control_at(i), row);

        if (error == -PCV_ENOMEM) {
            return error;
        }
    }
    return count != 0 ? 0 : -PCV_EINVAL;
}
