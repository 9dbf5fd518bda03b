/* SPDX-License-Identifier: MIT */
/*
 * What the files of the vPCI floor share with each other and with the floors
 * above.
 */
#ifndef PCV_VPCI_INTERNAL_H
#define PCV_VPCI_INTERNAL_H

#include "vpci/cells.h"

/* ---- cells.c ---------------------------------------------------------------
 */

static inline struct pcv__cell *pcv__cell_at(const struct pcv__vpci *vpci,
                                             uint16_t reg)
{
    uint32_t dword = reg / 4u;
    uint32_t page = vpci->page[dword / PCV__PAGE_CELLS];
    uint32_t cell;

    if (page == 0) {
        return NULL;
    }
    cell = vpci->index[page - 1][dword % PCV__PAGE_CELLS];
    return cell == 0 ? NULL : &vpci->cells[cell - 1];
}

/* An empty view for a device's owner; NULL: out of memory. */
struct pcv__vpci *pcv__vpci_create(struct pcv_device *device);

/* Add or remove registers of a view that nobody reads meanwhile: before the
 * device is published, or with its gate paused. Errors as
 * pcv_register_add() and pcv_register_remove(). */
int pcv__cells_add(struct pcv__vpci *vpci, const struct pcv_register *reg,
                   void *data);
/* As above, the row's offset counting from `base`. */
int pcv__cells_add_at(struct pcv__vpci *vpci, uint16_t base,
                      const struct pcv_register *reg, void *data);
/* Set the value of constant and virtual bits of `size` (1, 2, 4) bytes,
 * aligned; read it. Locked, or before the view is published. */
void pcv__cells_store(struct pcv__vpci *vpci, uint16_t offset, uint8_t size,
                      uint32_t value);
uint32_t pcv__cells_load(const struct pcv__vpci *vpci, uint16_t offset,
                         uint8_t size);
int pcv__cells_remove(struct pcv__vpci *vpci, uint16_t offset, uint16_t size);
/* Let a register be described by another row of the same place, `data` staying:
 * cannot fail. Virtual bits have the row's initial value. Returns the row that
 * was, or NULL and nothing happened: no register, or none of that size. */
const struct pcv_register *pcv__cells_exchange(struct pcv__vpci *vpci,
                                               uint16_t offset,
                                               const struct pcv_register *reg);
/* Remove the register in a place, from 1. */
void pcv__cells_drop(struct pcv__vpci *vpci, uint16_t place);

/* ---- engine.c ---------------------------------------------------------------
 */

/* An access that passed the gate and the checks of width and alignment. A write
 * that the owner floor is to see first answers PCV_FORWARD: it was not
 * performed, or is harmless to perform again (protect.h). */
uint32_t pcv__vpci_read(struct pcv_device *device, uint16_t reg, uint8_t size);
enum pcv_verdict pcv__vpci_write(struct pcv_device *device, uint16_t reg,
                                 uint8_t size, uint32_t value);

/* ---- view.c, header.c, header_guest.c
 * ----------------------------------------------
 */

/* Build what the hardware domain sees of a device that nobody can find yet:
 * BARs are sized, registers get their policies. 0 or -PCV_ENOMEM. */
int pcv__vpci_build(struct pcv_device *device, const struct pcv_device *pf);
/* The same for a domain that takes it over: what is known of its BARs stays.
 * The view is made, and replaces none; the gate is closed. 0 or -PCV_ENOMEM. */
int pcv__vpci_rebuild(struct pcv_device *device, const struct pcv_domain *owner)
    PCV__REQUIRES(device->lock);
/* The device goes, or changes its owner: vectors and mappings go, and none
 * come any more. Accesses may still be inside. */
void pcv__vpci_teardown(struct pcv_device *device);
/* What the owner saw is nobody's any more: nothing of it is mapped. */
void pcv__vpci_free(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Registers of the header, for the hardware domain or a guest. */
int pcv__header_hardware(struct pcv_device *device);
/* What a bridge has beside. */
int pcv__header_bridge(struct pcv_device *device);
int pcv__header_guest(struct pcv_device *device,
                      const struct pcv_domain *owner);
/* The multi-function bit of its slot changed. */
void pcv__header_guest_multi(struct pcv_device *device, bool multi)
    PCV__REQUIRES(device->lock);
/* What of it depends on its capabilities, and the ranges passed through. */
int pcv__header_guest_end(struct pcv_device *device);
/* A guest's header as after a reset: BARs, command, interrupt line. */
void pcv__header_guest_reset(struct pcv_device *device)
    PCV__REQUIRES(device->lock);

/* Let hardware have the bus numbers that were written (`numbers`). */
void pcv__bus_numbers_write(struct pcv_device *bridge)
    PCV__REQUIRES(bridge->lock);

/* ---- command.c -------------------------------------------------------------
 */

/* Physical command register: what the owner asked for, with memory decoding
 * kept on while vectors are bound (MSIX-2), bus mastering and INTx as the owner
 * set them, INTx off while MSI or MSI-X is on (HDR-2). For the hardware domain
 * `command` is its whole register. */
void pcv__command_write(struct pcv_device *device, uint16_t command)
    PCV__REQUIRES(device->lock);
/* Whether the owner's memory decoding is on: what it reads. */
uint32_t pcv__command_read(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* A command register as the owner may have it: without bus mastering where too
 * many faults cut it off (OWN-10). All ones stays so. */
uint32_t pcv__command_allowed(const struct pcv_device *device,
                              uint32_t command);
/* Switch bus mastering off in hardware, whoever has the device. 0, also if it
 * does not answer; or -PCV_EIO. */
int pcv__command_cut(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* msi_on, msix_on or bound changed: INTx and memory decoding follow. */
void pcv__command_update(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* ---- bars.c
 * --------------------------------------------------------------------
 */

/* Find kind and size of every BAR (HDR-4). */
void pcv__bars_size(struct pcv_device *device);
/* What a PF says of its VFs. 0, -PCV_ENOMEM or -PCV_EIO. */
int pcv__vfs_read(struct pcv_device *pf) PCV__REQUIRES(pf->lock);
/* Sizes and addresses of the VF BARs again, while no VF is enabled. 0, or
 * -PCV_EIO and what is known stays. */
int pcv__vfs_size(struct pcv_device *pf) PCV__REQUIRES(pf->lock);
/* Their addresses alone. What the host cannot read stays as it was known. */
void pcv__vfs_addresses(struct pcv_device *pf) PCV__REQUIRES(pf->lock);
/* How many there are and where, again: what enabling them changes. 0, or
 * -PCV_EIO and what is known stays. */
int pcv__vfs_refresh(struct pcv_device *pf) PCV__REQUIRES(pf->lock);
/* Whether a device that nobody can find yet can be a VF of this PF, and its
 * index: 0; -PCV_ENODEV: nobody answers there; -PCV_EAGAIN: it is not ready, or
 * the PF stopped answering; -PCV_EINVAL: its address is none of them, or it has
 * IDs of its own; -PCV_EIO. */
int pcv__vf_check(struct pcv_device *vf, const struct pcv_device *pf);
/* Whether a VF's memory is decoded, which is for its PF to say: read when that
 * was last looked at. */
static inline bool pcv__vf_decodes(const struct pcv_device *vf)
{
    return vf->vf_memory;
}
/* A VF's BARs and whether they are decoded, from its PF's capability. Takes the
 * PF's lock, then the VF's. */
void pcv__bars_of_vf(struct pcv_device *device, const struct pcv_device *pf);
/* Read the addresses again, and the sizes of BARs that can be resized. */
void pcv__bars_read(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Offset of a BAR's register in this device's header. */
uint16_t pcv__bar_reg(const struct pcv_device *device, uint32_t bar);
bool pcv__bar_is_memory(const struct pcv__bar *bar);

/* ---- map.c
 * ---------------------------------------------------------------------
 */

/* Plan: decoding goes to `decode` with `command`. PCV_DONE if there was nothing
 * to map and the register is written; PCV_PENDING: pcv__map_step() goes on. */
enum pcv_verdict pcv__map_command(struct pcv_device *device, uint16_t command)
    PCV__REQUIRES(device->lock);
/* Plan: the register of a BAR changes (hardware domain). */
enum pcv_verdict pcv__map_bar(struct pcv_device *device, uint32_t bar,
                              uint16_t reg, uint32_t value)
    PCV__REQUIRES(device->lock);
/* Plan: map what the device decodes now (when it is added). 0 or -PCV_ENOMEM.
 */
int pcv__map_begin(struct pcv_device *device) PCV__REQUIRES(device->lock);
/*
 * Plan: let what is mapped be what the owner's registers say now: a guest's
 * command and BARs, a VF's PF (`decode`), power state. `moving` is a BAR that
 * is unmapped first, PCV_BARS for none, or PCV__MOVING_ALL. Nothing is mapped
 * with `decode` false. PCV_DONE if there is nothing to do, else PCV_PENDING.
 */
enum pcv_verdict pcv__map_again(struct pcv_device *device, bool decode,
                                uint8_t moving) PCV__REQUIRES(device->lock);
/* Plan: unmap everything, then reset the function: pcv__reset_now() is called
 * between. PCV_PENDING. */
enum pcv_verdict pcv__map_reset(struct pcv_device *device, enum pcv__reset how)
    PCV__REQUIRES(device->lock);
/* Apply: PCV_DONE when nothing is left to do, PCV_PENDING to be called again.
 */
enum pcv_verdict pcv__map_step(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* The device goes: cancel what is under way and unmap everything. Nothing of it
 * is mapped again. */
void pcv__map_teardown(struct pcv_device *device);
/* Find the BARs of a device on its way to a guest that lead to what another
 * guest has: a broken device may say that it stands anywhere. Without locks. */
void pcv__bars_contest(struct pcv_device *device,
                       const struct pcv_domain *owner);
/* Let the host map pages, for reading and writing or for reading only: how many
 * it did, or its error. */
static inline int64_t pcv__host_map(const struct pcv_domain *domain,
                                    uint64_t page, uint64_t host,
                                    uint64_t pages, bool read_only)
{
    const struct pcv__mem *mem = &domain->host->mem;
    const uint32_t shift = domain->host->page_shift;
    const pcv_gpa to = {page << shift};
    const pcv_hpa from = {host << shift};

    return read_only
               ? mem->ops.map_read_only(mem->ctx, domain->id, to, from, pages)
               : mem->ops.map(mem->ctx, domain->id, to, from, pages);
}
/* Memory for the traps of BARs and holes. 0 or -PCV_ENOMEM. Before anything is
 * mapped; capabilities have set their holes. */
int pcv__traps_prepare(struct pcv_device *device);
void pcv__traps_free(struct pcv_device *device, struct pcv__vpci *vpci);
/* Let a hole be: `size` bytes at `offset` of a BAR. -PCV_EINVAL: not inside a
 * memory BAR that the device has; -PCV_EBUSY: the BAR is mapped. */
int pcv__hole_set(struct pcv_device *device, uint32_t which,
                  struct pcv__cap *cap, uint8_t bar, uint32_t offset,
                  uint32_t size);
void pcv__hole_clear(struct pcv_device *device, uint32_t which);
/* The same, but its bytes stay out of reach for as long as the view is there:
 * what the rest of those pages is, the device serves. */
void pcv__hole_keep(struct pcv_device *device, uint32_t which);
/* Such a hole where none is, inside the BAR or not yet. Before anything is
 * mapped. */
void pcv__hole_shield(struct pcv_device *device, uint32_t which, uint8_t bar,
                      uint32_t offset, uint32_t size);
/* Guests whose BARs waited for pages that became free: plan them and step them
 * once. PCV_DONE: none is left; PCV_PENDING: call again. Without locks. */
enum pcv_verdict pcv__map_wake(struct pcv_domain *domain);
/* The same to the end, for control operations: nobody would go on with it. One
 * whose gate is paused is left for whoever goes on with an access. */
void pcv__map_wake_all(struct pcv_domain *domain);

/* ---- trap.c ----------------------------------------------------------------
 */

/* What is trapped at an address of a domain: the device, inside its gate, and
 * the BAR; end it with pcv__gate_leave(). PCV_FORWARD: nothing. */
enum pcv_verdict pcv__trap_enter(struct pcv_domain *domain, uint64_t address,
                                 struct pcv_device **out_device,
                                 uint8_t *out_bar);
/* One access inside a BAR, at a guest-physical address; we are inside the
 * device's gate. All ones, or dropped, where it is refused. */
void pcv__trap_access(struct pcv_device *device, uint8_t bar, uint64_t address,
                      uint8_t size, bool write, uint64_t *data);

/* ---- reset.c, settle.c, saved.c --------------------------------------------
 */

/* A guest, or the hardware domain, wrote an initiate-FLR bit: vectors go (their
 * capabilities' reset), then mappings, then the function is reset.
 * PCV_PENDING. */
enum pcv_verdict pcv__reset_begin(struct pcv_device *device,
                                  enum pcv__reset how)
    PCV__REQUIRES(device->lock);
/* Do it to hardware, and begin the time in which it must be left alone. Called
 * when nothing is mapped. */
void pcv__reset_now(struct pcv_device *device, enum pcv__reset how)
    PCV__REQUIRES(device->lock);
/* Hardware's part of it alone. 0; -PCV_EIO: nothing was written, and no time
 * began; -PCV_EOPNOTSUPP for no method. */
int pcv__reset_hardware(struct pcv_device *device, enum pcv__reset how)
    PCV__REQUIRES(device->lock);
/* How the function can be reset: found in its capabilities, or what was found
 * before while it must be left alone. */
enum pcv__reset pcv__reset_find(struct pcv_device *device);
/* For a change of owner: reset it by vpci->reset_method, here and now; nothing
 * is mapped, and nobody is inside. 0; -PCV_EOPNOTSUPP: there is no method;
 * -PCV_ERESTART: it settles from what its owner did to it; -PCV_EIO. */
int pcv__reset_start(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Its owner loses it here and now, and nobody waits for it: neither decoding
 * nor bus mastering, and a reset if one write does that. */
void pcv__reset_abandon(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* pcv_device_restore()'s part. 0, -PCV_EIO, or -PCV_ERESTART: it settles. */
int pcv__vpci_restore(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Whether a function is in a lower power state than D0, as hardware says;
 * write another state. -PCV_EIO: the host could not, or it has none. */
bool pcv__power_is_low(struct pcv_device *device) PCV__REQUIRES(device->lock);
int pcv__power_set(struct pcv_device *device, uint32_t state)
    PCV__REQUIRES(device->lock);

/* Times in which a function must be left alone after a reset and after a change
 * between D0 and D3hot, and D2 (PCI Express Base 6.0, 6.6.2; PCI Power
 * Management 1.2, 5.6.1), in microseconds. */
#define PCV__QUIET_RESET_US 100000u
#define PCV__QUIET_POWER_US 10000u
#define PCV__QUIET_D2_US 200u
/* Leave it alone from now on for so long. */
void pcv__settle_begin(struct pcv_device *device, enum pcv__settling kind,
                       uint64_t us) PCV__REQUIRES(device->lock);
/* What becomes of an access to a device whose `settling` is set. If its time is
 * over, hardware is put in order first. PCV_DONE: it may be asked; PCV_RETRY:
 * its BARs are being mapped again, some pages a call; PCV_ABSENT. Without
 * locks, inside the gate. */
enum pcv_verdict pcv__settle_access(struct pcv_device *device);
/* What reading such a device answers: all ones, or retry status where that is
 * made visible (PCI Express Base 6.0, 2.3.2). As above. */
uint32_t pcv__settling_ids(struct pcv_device *device, uint16_t reg,
                           uint8_t size);
static inline bool pcv__is_settling(const struct pcv_device *device)
{
    return atomic_load_explicit(&pcv__vpci(device)->settling,
                                memory_order_acquire) != PCV__SETTLED;
}
/* Whether it may be asked, with the lock held; *out_wait_us: how long it still
 * takes. */
bool pcv__settle_locked(struct pcv_device *device, uint64_t *out_wait_us)
    PCV__REQUIRES(device->lock);
/* The same for a control operation, which ends: 0; -PCV_ERESTART; -PCV_ENOMEM;
 * -PCV_EIO: for longer than anybody waits it has not answered, and is broken
 * from now on, or the host cannot put it in order. From this reset on, or from
 * the first who asks after it. */
int pcv__settle_patiently(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
void pcv__settle_await(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* The same of one that may have no view, or have been asked just now. */
int pcv__settle_rests(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* A capability of the first list, as hardware has it; 0: there is none. */
uint16_t pcv__reset_cap(struct pcv_device *device, uint16_t id);

/* ---- pending.c -------------------------------------------------------------
 */

/* Neither bus mastering nor decoding; -PCV_EIO if that is not known to be so.
 * *out_command: what there was; all ones: it did not answer. */
int pcv__silence(struct pcv_device *device, uint16_t *out_command)
    PCV__REQUIRES(device->lock);

/*
 * Bus mastering and decoding go off, and what the function has under way is let
 * end. Its gate is closed. 0: nothing is pending any more, or was waited for in
 * vain; -PCV_ERESTART: call again, not before pcv_device_wait_us();
 * -PCV_ENOMEM; -PCV_EIO.
 */
int pcv__quiesce(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Whether that began and was neither undone nor ended. */
bool pcv__is_silenced(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Its owner keeps it: what was on is on again. */
void pcv__quiesce_undo(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* It has no owner any more. */
void pcv__quiesce_end(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Wait no longer than that from now on, or so many calls where the host has no
 * clock; whether it is over. The device has extras. */
void pcv__patience_begin(struct pcv_device *device, uint64_t us, uint32_t calls)
    PCV__REQUIRES(device->lock);
bool pcv__patience_ends(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* Remember what the host programmed (BARs, cache line size, device control,
 * resizable BARs, ...), in device->saved, and put it back. 0; -PCV_ENOMEM;
 * -PCV_ERESTART: it must be left alone for a time; or -PCV_EIO if the host
 * could not read or the device does not answer. Putting
 * back goes by what is known of a guest's BARs, and for a change of owner by
 * what was saved; what cannot be written sets device->hw_error. */
int pcv__reset_save(struct pcv_device *device) PCV__REQUIRES(device->lock);
void pcv__reset_put_back(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* The whole command register as it was then. */
uint16_t pcv__reset_saved_command(const struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* Switch off in hardware what no guest may have on, whether it sees the
 * capability or not: phantom functions, No Snoop, ATS, PRI and PASID. 0 or
 * -PCV_EIO. */
int pcv__reset_tame(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* The first two of them, which a reset may have switched on. */
void pcv__tame(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* ---- vf_work.c -------------------------------------------------------------
 */

/* Let the owner floor do something about a PF's VFs from `due_us` on, in place
 * of what it was to do; PCV__VFS_NOTHING: no more. */
void pcv__vfs_ask(struct pcv_device *pf, enum pcv__vf_work work,
                  uint64_t due_us) PCV__REQUIRES(pf->lock);
/* A PF whose work is due, with a caller's reference; or NULL, and how long
 * until the next one's is, 0: none has any. */
struct pcv_device *pcv__vfs_due(struct pcv_host *host, uint64_t *out_wait_us);
/* Whether what a PF's registers say about VFs is being changed: further writes
 * wait. */
static inline bool pcv__vfs_change(const struct pcv_device *device)
{
    uint32_t work =
        atomic_load_explicit(&device->vf_work, memory_order_relaxed);

    return work == PCV__VFS_GO || work == PCV__VFS_MOVE;
}
/* The host's clock, or 0 if it has none: then every time is over. */
uint64_t pcv__now_us(const struct pcv_host *host);

/* ---- caps.c, cap/ ----------------------------------------------------------
 */

/* The sizes of resizable BARs as hardware has them now; true if one changed. */
bool pcv__resize_follow(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* Set up what the owner sees of the capabilities, the lists linked. Those that
 * cannot be set up are hidden. 0, -PCV_ENOMEM, or -PCV_EIO if the lists could
 * not be read. Before the view is published,
 * or with the gate paused. `which`: the lists to build. */
#define PCV__LIST_FIRST 1u
#define PCV__LIST_EXTENDED 2u
int pcv__caps_build(struct pcv_device *device, uint32_t lists)
    PCV__REQUIRES(device->lock);
/* Tear them down: vectors are unbound. Twice, or without setup, is no error. */
void pcv__caps_teardown(struct pcv_device *device, uint32_t lists)
    PCV__REQUIRES(device->lock);
/* What stands in extended space is no register of ours any more; nobody is
 * inside the gate. */
void pcv__caps_forget_extended(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
void pcv__caps_free(struct pcv_device *device, struct pcv__vpci *vpci);
/* Tell each that the function was reset at the owner's word, or behind its
 * back. */
void pcv__caps_reset(struct pcv_device *device) PCV__REQUIRES(device->lock);
void pcv__caps_restore(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Let the isolation that a function of the hardware domain has (ACS) be on,
 * which a reset may have switched off. */
void pcv__acs_switch_on(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* The capability of a description that is up, or NULL. */
struct pcv__cap *pcv__cap_find(const struct pcv_device *device, uint16_t id,
                               bool extended);

#endif
