/* SPDX-License-Identifier: MIT */
/*
 * Resets of the modelled host, and functions that come and go: pulled, plugged
 * in again, dead, or VFs that their PF switches.
 */
#include "machine.h"

/* ---- VFs ---------------------------------------------------------------- */

static bool vf_answers(const struct pcv__model_fn *vf,
                       const struct pcv__model_fn *pf)
{
    if ((atomic_load(&pf->state) &
         (PCV__MODEL_PULLED | PCV__MODEL_DEAD | PCV__MODEL_OFF)) != 0) {
        return false;
    }
    if (vf->vf_index < 0) {
        return true;
    }
    return (pcv__model_get(pf, pf->sriov + PCV_SRIOV_CTRL, 2) &
            PCV_SRIOV_CTRL_VFE) != 0 &&
           (uint32_t)vf->vf_index <
               pcv__model_get(pf, pf->sriov + PCV_SRIOV_NUM_VFS, 2);
}

void pcv__model_vfs_update_locked(struct pcv_model *model,
                                  struct pcv__model_fn *pf)
{
    for (struct pcv__model_fn *vf = pf->vfs; vf != NULL; vf = vf->next_vf) {
        if (vf_answers(vf, pf)) {
            (void)atomic_fetch_and(&vf->state, ~PCV__MODEL_VF_OFF);
        } else if ((atomic_fetch_or(&vf->state, PCV__MODEL_VF_OFF) &
                    PCV__MODEL_VF_OFF) == 0) {
            pcv__model_reset_locked(model, vf, PCV__RESET_BUS);
        }
    }
}

/* ---- resizable BARs ----------------------------------------------------- */

void pcv__model_rebar_apply_locked(struct pcv__model_fn *fn, uint32_t reg,
                                   bool of_vfs)
{
    uint32_t control = pcv__model_get(fn, reg, 4);
    uint32_t index = control & 7u;
    uint64_t size = UINT64_C(1) << (20 + (control >> 8 & 0x3fu) % 44);

    if (of_vfs) {
        pcv__model_vf_bar_resize_locked(fn, index, size);
    } else {
        pcv__model_bar_resize_locked(fn, index, size);
    }
}

/* ---- resets ------------------------------------------------------------- */

static uint32_t kept_bits(const struct pcv__model_field *field,
                          enum pcv__model_reset how)
{
    switch (how) {
    case PCV__RESET_FUNCTION:
        return field->keep | field->sticky;
    case PCV__RESET_BUS:
        return field->sticky;
    case PCV__RESET_POWER:
        break;
    }
    return 0;
}

void pcv__model_reset_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             enum pcv__model_reset how)
{
    pcv__model_remember_locked(fn);
    for (uint32_t i = 0; i < fn->fields; i++) {
        const struct pcv__model_field *field = &fn->field[i];
        uint32_t change = (field->rw | field->w1c) & ~kept_bits(field, how);
        uint32_t value = pcv__model_dword(fn, field->reg);

        value = (value & ~change) | (field->reset & field->rw & change);
        (void)pcv__model_put(fn, field->reg, value);
    }
    pcv__model_msi_reset_locked(fn);
    pcv__model_vectors_reset_locked(fn);
    pcv__model_storage_reset_locked(fn);
    fn->pending = false;
    /* Sizes follow once every register has its value. */
    for (uint32_t i = 0; i < fn->fields; i++) {
        const struct pcv__model_field *field = &fn->field[i];

        if (field->effect == PCV__EFFECT_REBAR ||
            field->effect == PCV__EFFECT_VF_REBAR) {
            pcv__model_rebar_apply_locked(
                fn, field->reg, field->effect == PCV__EFFECT_VF_REBAR);
        } else if (field->effect == PCV__EFFECT_PAGE_SIZE) {
            pcv__model_vf_apertures_locked(fn);
        }
    }
    if (fn->bridge) {
        pcv__model_route_forget_locked(model, fn);
        if (how != PCV__RESET_FUNCTION) {
            pcv__model_reset_below_locked(model, fn, how);
        }
    }
    pcv__model_vfs_update_locked(model, fn);
    pcv__model_decode_forget_locked(model, fn);
}

/* Recursion: once a bridge on the way down, at most 255, since every bus
 * behind a bridge has a higher described number than the bridge's own. */
void pcv__model_reset_below_locked(struct pcv_model *model,
                                   struct pcv__model_fn *bridge,
                                   enum pcv__model_reset how)
{
    struct pcv__model_bus *bus =
        bridge->below == NULL ? NULL : bridge->below->buses;

    for (; bus != NULL; bus = bus->next) {
        for (uint32_t i = 0; i < PCV_DEVFNS; i++) {
            if (bus->fn[i] != NULL) {
                pcv__model_reset_locked(model, bus->fn[i], how);
            }
        }
    }
}

/* ---- presence ----------------------------------------------------------- */

/* Bits of Slot Control and Status as one dword, and of the link's. */
#define SLOT_POWER_OFF 0x00000400u
#define SLOT_PRESENT 0x00400000u
#define SLOT_PRESENCE_CHANGED 0x00080000u
#define SLOT_LINK_CHANGED 0x01000000u
#define LINK_ACTIVE 0x20000000u
#define SLOT_POWER_CONTROLLER 0x2u /* of Slot Capabilities */

/* The link of a port that reports it. True if that changed. */
static bool link_update_locked(struct pcv__model_fn *port, bool up)
{
    uint32_t link = pcv__model_get(port, port->pcie + PCV_PCIE_LNKCTL, 4);
    uint32_t now = (link & ~LINK_ACTIVE) | (up ? LINK_ACTIVE : 0);

    if ((pcv__model_get(port, port->pcie + PCV_PCIE_LNKCAP, 4) &
         PCV_PCIE_LNKCAP_REPORTS) == 0) {
        return false;
    }
    (void)pcv__model_put(port, port->pcie + PCV_PCIE_LNKCTL, now);
    return now != link;
}

/* Whether a port has switched off what is in its slot. */
static bool is_off(const struct pcv__model_fn *port)
{
    return pcv__model_when(port, PCV__WHEN_SLOT) &&
           (pcv__model_get(port, port->pcie + PCV_PCIE_SLTCAP, 4) &
            SLOT_POWER_CONTROLLER) != 0 &&
           (pcv__model_get(port, port->pcie + PCV_PCIE_SLTCTL, 4) &
            SLOT_POWER_OFF) != 0;
}

/* The port above a function, if a link leads from it, or NULL. */
static struct pcv__model_fn *port_above(const struct pcv__model_fn *fn)
{
    struct pcv__model_fn *port =
        fn->bus->link == NULL ? NULL : fn->bus->link->up;

    return port != NULL && port->pcie != 0 &&
                   pcv__model_when(port, PCV__WHEN_DOWNSTREAM)
               ? port
               : NULL;
}

/* Presence and link at the port that a function is behind (PCI Express Base
 * 6.0, 7.5.3.11 and 7.5.3.8), once its only device comes or goes. */
static void slot_update_locked(const struct pcv__model_fn *fn, bool there)
{
    struct pcv__model_fn *port = port_above(fn);
    uint32_t value;
    bool changed;

    if (port == NULL || pcv_sbdf_devfn(fn->sbdf) != 0) {
        return;
    }
    changed = link_update_locked(port, there && !is_off(port));
    if (!pcv__model_when(port, PCV__WHEN_SLOT)) {
        return;
    }
    value = pcv__model_get(port, port->pcie + PCV_PCIE_SLTCTL, 4);
    value = (value & ~SLOT_PRESENT) | (there ? SLOT_PRESENT : 0) |
            SLOT_PRESENCE_CHANGED | (changed ? SLOT_LINK_CHANGED : 0);
    (void)pcv__model_put(port, port->pcie + PCV_PCIE_SLTCTL, value);
}

static void set_state_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             uint32_t bit, bool on)
{
    if (on) {
        (void)atomic_fetch_or(&fn->state, bit);
    } else {
        (void)atomic_fetch_and(&fn->state, ~bit);
    }
    if (fn->bridge) {
        pcv__model_route_forget_locked(model, fn);
    }
    pcv__model_vfs_update_locked(model, fn);
    pcv__model_decode_forget_locked(model, fn);
}

void pcv__model_link_held_locked(struct pcv__model_fn *port, bool held)
{
    uint32_t value;

    if (port->pcie == 0 || !pcv__model_when(port, PCV__WHEN_DOWNSTREAM)) {
        return;
    }
    if (held) {
        port->link_was_up =
            (pcv__model_get(port, port->pcie + PCV_PCIE_LNKSTA, 2) &
             PCV_PCIE_LNKSTA_ACTIVE) != 0;
    }
    if (link_update_locked(port, !held && port->link_was_up) &&
        pcv__model_when(port, PCV__WHEN_SLOT)) {
        value = pcv__model_get(port, port->pcie + PCV_PCIE_SLTCTL, 4);
        (void)pcv__model_put(port, port->pcie + PCV_PCIE_SLTCTL,
                             value | SLOT_LINK_CHANGED);
    }
}

/* What is in a slot loses its power, or gets it and starts anew (6.7.1.8). */
void pcv__model_slot_power_locked(struct pcv_model *model,
                                  struct pcv__model_fn *port)
{
    struct pcv__model_bus *bus =
        port->below == NULL ? NULL : port->below->buses;
    bool off = is_off(port);
    uint32_t value;

    if (!off) {
        pcv__model_reset_below_locked(model, port, PCV__RESET_POWER);
    }
    for (uint32_t i = 0; bus != NULL && i < PCV_DEVFNS; i++) {
        if (bus->fn[i] != NULL) {
            set_state_locked(model, bus->fn[i], PCV__MODEL_OFF, off);
        }
    }
    value = pcv__model_get(port, port->pcie + PCV_PCIE_SLTCTL, 4);
    if (link_update_locked(port, !off && (value & SLOT_PRESENT) != 0)) {
        (void)pcv__model_put(port, port->pcie + PCV_PCIE_SLTCTL,
                             value | SLOT_LINK_CHANGED);
    }
}

/* Pull or plug, which is the same but for the direction. */
static int set_pulled(struct pcv_model *model, pcv_sbdf sbdf, bool pulled)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    (void)pthread_mutex_lock(model->lock);
    if (((atomic_load(&fn->state) & PCV__MODEL_PULLED) != 0) != pulled) {
        if (!pulled) {
            pcv__model_reset_locked(model, fn, PCV__RESET_POWER);
        }
        set_state_locked(model, fn, PCV__MODEL_PULLED, pulled);
        set_state_locked(model, fn, PCV__MODEL_OFF,
                         port_above(fn) != NULL && is_off(port_above(fn)));
        slot_update_locked(fn, !pulled);
    }
    (void)pthread_mutex_unlock(model->lock);
    return 0;
}

int pcv_model_pull(struct pcv_model *model, pcv_sbdf sbdf)
{
    return set_pulled(model, sbdf, true);
}

int pcv_model_plug(struct pcv_model *model, pcv_sbdf sbdf)
{
    return set_pulled(model, sbdf, false);
}

int pcv_model_set_dead(struct pcv_model *model, pcv_sbdf sbdf, bool dead)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    (void)pthread_mutex_lock(model->lock);
    set_state_locked(model, fn, PCV__MODEL_DEAD, dead);
    (void)pthread_mutex_unlock(model->lock);
    return 0;
}
