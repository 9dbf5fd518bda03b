/* SPDX-License-Identifier: MIT */
/*
 * VF Resizable BAR (REBAR-1; PCI Express Base 6.0, 7.8.7): sizes of the VF BARs
 * of a PF, for the hardware domain. They change only while no VF is enabled.
 */
#include "vpci/cap/resize.h"
#include "vpci/protect.h"

static bool vfs_enabled(const struct pcv_device *pf)
{
    uint16_t reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_CTRL);

    return (pcv__hw_read((struct pcv_device *)pf, reg, 2) &
            PCV_SRIOV_CTRL_VFE) != 0;
}

static enum pcv_verdict write_control(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;
    struct pcv_device *pf = write->device;
    uint16_t at = (uint16_t)(write->offset - cap->offset);
    uint32_t code = pcv__resize_code(write->value);
    struct pcv__resize entry;

    if (pf->torn ||
        !pcv__resize_read(cap, (at - pcv__resize_control_at(0)) / 8u, &entry) ||
        code == entry.code) {
        return PCV_DONE;
    }
    if (entry.bar >= PCV__VF_BARS ||
        ((entry.sizes & pcv__resize_fitting(&pf->vfs->bar[entry.bar])) >> code &
         1u) == 0 ||
        vfs_enabled(pf)) {
        if (pcv__guards(pf)) {
            pcv__protect_tell(pf, write->offset, write->value ^ write->old);
            return PCV_DONE;
        }
        atomic_fetch_add_explicit(&pf->refused, 1, memory_order_relaxed);
        return PCV_DONE;
    }
    pcv__cap_write(cap, entry.at, 4, write->value);
    (void)pcv__vfs_size(pf); /* and again when they are enabled */
    return PCV_DONE;
}

static const struct pcv_register_ops control_ops = {.write = write_control};

static const struct pcv_register row = {
    .name = "VF Resizable BAR Control",
    .size = 4,
    .flags = PCV_REGISTER_MAPS,
    .policy = {.hardware = PCV__RESIZE_CONTROL,
               .read_only = ~PCV__RESIZE_CONTROL},
    .ops = &control_ops,
};

static int setup(struct pcv__cap *cap)
{
    /* Without VFs there is nothing to size. */
    return cap->device->vfs ? pcv__resize_setup(cap, &row) : -PCV_EINVAL;
}

const struct pcv__cap_desc pcv__cap_vf_rebar = {
    .name = "VF Resizable BAR",
    .id = PCV_EXT_CAP_ID_VF_REBAR,
    .extended = true,
    .flags = PCV__CAP_HARDWARE,
    .control_size = PCV__RESIZE_LENGTH,
    .setup = setup,
};
