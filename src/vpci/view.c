/* SPDX-License-Identifier: MIT */
/* Building what an owner sees of a device: header, capabilities, traps. */
#include "vpci/internal.h"

static struct pcv__vpci *create(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci_create(device);

    if (vpci) {
        device->view = &vpci->view;
        vpci->pass_through = !device->assignment;
    }
    return vpci;
}

static bool is_read_only(const struct pcv_device *device)
{
    return (device->id.header_type & PCV_HEADER_TYPE_MASK) > 1; /* HDR-1 */
}

/* How it can be reset, which its capabilities show. Not 0: the host could not
 * read something since the view was begun. */
static int find_reset(struct pcv_device *device)
{
    pcv__vpci(device)->reset_method = (uint8_t)pcv__reset_find(device);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* Registers and what they need, of a view that is empty. */
static int fill(struct pcv_device *device, const struct pcv_domain *owner)
    PCV__REQUIRES(device->lock)
{
    int error = device->assignment ? pcv__header_guest(device, owner)
                                   : pcv__header_hardware(device);

    if (error == 0) {
        error = find_reset(device);
    }
    if (error == 0) {
        error = device->assignment ? pcv__reset_tame(device) : 0;
    }
    if (error == 0) {
        error = pcv__caps_build(device, PCV__LIST_FIRST | PCV__LIST_EXTENDED);
    }
    if (error == 0 && device->assignment) {
        error = pcv__header_guest_end(device);
    }
    return error != 0 ? error : pcv__traps_prepare(device);
}

int pcv__vpci_build(struct pcv_device *device,
                    const struct pcv_device *pf) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__vpci *vpci = create(device);
    int error = 0;

    if (!vpci) {
        return -PCV_ENOMEM;
    }
    if (is_read_only(device)) {
        vpci->read_only = true;
        return 0;
    }
    if (pf) {
        pcv__bars_of_vf(device, pf);
    } else {
        pcv__bars_size(device);
        pcv__bars_read(device);
    }
    if (device->sriov_cap && !pf) {
        error = pcv__vfs_read(device);
    }
    if (error == 0) {
        pcv__lock_take(mem, &device->lock);
        error = fill(device, &device->host->hardware);
        pcv__lock_drop(mem, &device->lock);
    }
    return error;
}

int pcv__vpci_rebuild(struct pcv_device *device, const struct pcv_domain *owner)
{
    struct pcv__vpci *vpci = create(device);

    pcv__lock_check_held(&device->host->mem, &device->lock);
    if (!vpci) {
        return -PCV_ENOMEM;
    }
    vpci->read_only = is_read_only(device);
    return vpci->read_only ? 0 : fill(device, owner);
}

void pcv__vpci_teardown(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    if (!device->view) {
        return; /* it is in quarantine */
    }
    pcv__lock_take(mem, &device->lock);
    device->torn = true;
    pcv__caps_teardown(device, PCV__LIST_FIRST | PCV__LIST_EXTENDED);
    pcv__lock_drop(mem, &device->lock);
    pcv__map_teardown(device);
}

void pcv__vpci_free(struct pcv_device *device)
{
    if (device->view) {
        device->view->free(device, device->view);
        device->view = NULL;
    }
}
