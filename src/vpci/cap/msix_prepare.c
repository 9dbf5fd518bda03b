/* SPDX-License-Identifier: MIT */
/* MSI-X is set aside for who gets a function next: pcivisor/msix.h. */
#include "vpci/cap/msix.h"

static bool has_descriptor(const struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    /* Bounded: 32 + 2048 vectors, each once. */
    for (const struct pcv_vector *v = device->vectors; v; v = v->next) {
        if (v->msix) {
            return true;
        }
    }
    return false;
}

/* The capability as hardware has it, where nobody has a view of it. */
static int find_bare(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error;

    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    if (pcv__reset_cap(device, PCV_CAP_ID_MSIX) != 0) {
        return 0;
    }
    error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
    return error != 0 ? error : -PCV_ENODEV;
}

/* Whether it is there, and nobody uses it; *out_cap: the owner's, or NULL. */
static int look(struct pcv_device *device, struct pcv__cap **out_cap)
    PCV__REQUIRES(device->lock)
{
    const struct pcv__msix *msix;

    *out_cap = NULL;
    if (!device->view || device->torn) {
        return find_bare(device);
    }
    *out_cap = pcv__cap_find(device, PCV_CAP_ID_MSIX, false);
    msix = *out_cap ? (*out_cap)->state : NULL;
    if (!msix) {
        return -PCV_ENODEV;
    }
    return (msix->control & MSIX_ENABLE) != 0 ||
                   pcv__vpci(device)->bound != 0 || has_descriptor(device)
               ? -PCV_EBUSY
               : 0;
}

int pcv__msix_set_aside(struct pcv_device *device, bool aside)
{
    struct pcv__cap *cap;
    int error;

    if (pcv__hw_quiet_us(device) != 0) {
        return -PCV_ERESTART;
    }
    error = look(device, &cap);
    if (error == 0 && pcv__is_noted(device, PCV__NOTE_MSIX) == aside) {
        error = -PCV_EBUSY;
    }
    if (error != 0) {
        return error;
    }
    if (!aside) {
        pcv__unbar(device, PCV__NOTE_MSIX);
        return 0;
    }
    if (cap) {
        /* It is off already, for all we know: what stands in hardware is not
         * what we know where somebody reset it behind our back. */
        atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
        pcv__msix_control_write(cap);
        error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
    }
    if (error == 0) {
        (void)pcv__bar(device, PCV__NOTE_MSIX);
    }
    return error;
}
