/* SPDX-License-Identifier: MIT */
/*
 * Giving a function to a guest and taking it back, and what of it the guest is
 * to see (CAP-6).
 */
#ifndef PCIVISOR_ASSIGN_H
#define PCIVISOR_ASSIGN_H

#include "pcivisor/device.h"
#include "pcivisor/domain.h"

/* A capability to hide, or to show: only what pcivisor virtualises can be
 * shown. */
struct pcv_cap_choice {
    uint16_t id;
    bool extended;
    bool show;
};

/* Bytes of configuration space that reach hardware as they are: an explicit
 * exception, which the register table shows as "passed through". */
struct pcv_passed_range {
    uint16_t offset, size; /* bytes, both multiples of 4 */
    bool write;            /* read-only otherwise */
};

#define PCV_POLICY_CAPS 16u
#define PCV_POLICY_PASSED 8u

/* Flags of pcv_assign_policy. */
#define PCV_ASSIGN_SLOT 1u     /* `slot` is valid */
#define PCV_ASSIGN_NO_RESET 2u /* go on though the function cannot be reset */
/* Give the guest also those of its isolation group that the hardware domain
 * uses, all or none: with everything that pcivisor virtualises, and the flags
 * below and above; all else is for the function named. What is in quarantine
 * stays there. */
#define PCV_ASSIGN_GROUP 4u
/* When the guest gives it back, or ends, it goes to quarantine and not to the
 * hardware domain (OWN-6): for a function that is to be looked at first. */
#define PCV_ASSIGN_TO_QUARANTINE 8u

/* Functions that one assignment of a group can give, the one named included: a
 * guest's bus has no more slots that are free. */
#define PCV_ASSIGN_GROUP_MAX 32u

/* Zero means: choose everything. */
struct pcv_assign_policy {
    uint32_t flags;    /* PCV_ASSIGN_* */
    uint8_t slot;      /* device and function number on the guest's bus 0 */
    uint8_t bars_out;  /* bit n: BAR n is left out */
    uint8_t cap_count; /* of caps */
    uint8_t passed_count;
    struct pcv_cap_choice caps[PCV_POLICY_CAPS];
    struct pcv_passed_range passed[PCV_POLICY_PASSED];
    const void *rom;   /* image, or NULL; borrowed while assigned */
    uint32_t rom_size; /* bytes; the BAR is the next power of two, >= 2 KiB */
};

/* Steps of a change of owner, in their order (OWN-5). */
enum pcv_change_step {
    PCV_STEP_NONE,    /* no change is under way, and the last one did not fail
                       */
    PCV_STEP_CLOSE,   /* accesses answer absent */
    PCV_STEP_DRAIN,   /* those inside leave */
    PCV_STEP_SAVE,    /* what the host programmed is remembered */
    PCV_STEP_SILENCE, /* bus mastering and decoding go off */
    PCV_STEP_PENDING, /* transactions under way end */
    PCV_STEP_BLOCK,   /* every requester ID goes to the blocking context; from
                         here on the owner is quarantine */
    PCV_STEP_DROP,    /* vectors, mappings and vPCI state */
    PCV_STEP_RESET,
    PCV_STEP_RESTORE, /* what the host programmed is put back */
    PCV_STEP_ATTACH,  /* every requester ID goes to the next owner's context */
    PCV_STEP_BUILD,   /* the next owner's vPCI state */
    PCV_STEP_PUBLISH, /* the next owner finds it */
    PCV_STEPS
};

/**
 * A constant string: "none", "close", "drain", "save", "silence", "pending",
 * "block", "drop", "reset", "restore", "attach", "build", "publish". Context:
 * any. Locking: none.
 */
const char *pcv_change_step_name(enum pcv_change_step step);

/**
 * Give a function of the hardware domain, or of quarantine, to a guest, in the
 * steps of enum pcv_change_step (OWN-5).
 *
 * What an assignment can be refused for is looked at in this order:
 *
 *   -PCV_EINVAL      `domain` is no guest (so the hardware domain cannot assign
 *                    to itself), or is being destroyed; it has the function
 *                    already; the policy makes no sense
 *   -PCV_ENODEV      nothing is registered there, it has vanished, or no bus
 *                    number leads to it (TOPO-4)
 *   -PCV_EBUSY       somebody else changes its owner right now
 *   -PCV_EOPNOTSUPP  its header is not type 0 (HDR-1)
 *   -PCV_EPERM       a bridge, an unknown type, or marked broken; the host
 *                    gives no guest its DMA
 *   -PCV_EBUSY       another guest has it, or is about to; it is hidden, or on
 *                    its way home; it is a PF with VFs; somebody holds a vector
 *                    of it; a removal of it, or of a bridge above it, waits for
 *                    its return (pcv_device_remove())
 *   -PCV_EXDEV       another user has a function of its isolation group:
 *                    pcv_device_test_assign() says which. A member in
 *                    quarantine splits nothing
 *   -PCV_EPERM       the host gives no guest its DMA (dma_permitted)
 *   -PCV_EAGAIN      its extended-space verdict is not final (OWN-12)
 *   -PCV_EOPNOTSUPP  it cannot be reset, and the policy does not accept that
 *   -PCV_EIO         the host cannot say how it can be reset, or could not
 *                    read who is in its group
 *   -PCV_ERESTART    bus numbers change
 *   -PCV_EEXIST, -PCV_ENOSPC  the slot is taken; all are
 *
 * All of that changes nothing. With PCV_ASSIGN_GROUP the first error of a
 * member is that of all; *out_guest_sbdf is the named function's.
 *
 * @policy          what the guest is to see; copied; NULL: everything that
 *                  pcivisor virtualises, in the first free slot
 * @out_guest_sbdf  where the guest finds it
 *
 * Returns 0; the above; -PCV_ENOMEM; -PCV_EIO; -PCV_ERESTART: call again, not
 * before pcv_device_wait_us() (accesses still inside, or the time that the
 * device has after a reset); the policy of the first call holds. A failure
 * before its DMA is blocked leaves it with the hardware domain as it was; a
 * later one leaves it, and members of its group that got as far, in quarantine
 * with nothing mapped and no vector bound. pcv_device_status() and an event say
 * at which step.
 * Context: control, one change of owner at a time for each device.
 */
int PCV_MUST_CHECK pcv_device_assign(struct pcv_host *host, pcv_sbdf sbdf,
                                     struct pcv_domain *domain,
                                     const struct pcv_assign_policy *policy,
                                     pcv_sbdf *out_guest_sbdf);

/**
 * What pcv_device_assign() would answer to the same arguments, without side
 * effects (OWN-3): the same checks in the same order. What an assignment finds
 * out on its way (no memory, a host or a device that fails) no test can tell.
 * While it looks, another change of owner of that function answers -PCV_EBUSY.
 *
 * @out_others  room for who else is in the isolation group with another user,
 *              or NULL; written with -PCV_EXDEV, and with PCV_ASSIGN_GROUP also
 *              with 0: who would go along. Of a group that is refused because
 *              of a member other than the one named: that one
 * @room        how many fit
 * @out_count   how many there are, perhaps more than fit; or NULL. Written
 *              likewise
 *
 * Returns 0 where an assignment would begin, or its error; -PCV_ERESTART: bus
 * numbers change, or requester IDs that it shares are being moved: call again.
 * Context: control. Locking: the segment's and the device's lock.
 */
int PCV_MUST_CHECK pcv_device_test_assign(
    struct pcv_host *host, pcv_sbdf sbdf, struct pcv_domain *domain,
    const struct pcv_assign_policy *policy, pcv_sbdf *out_others, uint32_t room,
    uint32_t *out_count);

/**
 * Take a function back from a guest, in the steps of enum pcv_change_step, or
 * out of quarantine.
 *
 * A guest's goes to the hardware domain, or to quarantine if its assignment
 * said so (PCV_ASSIGN_TO_QUARANTINE). What is in quarantine goes to the
 * hardware domain; what is on its way from there to a guest goes back.
 *
 * While a guest has another function of its isolation group (OWN-4), it waits
 * in quarantine: the result is 0, pcv_device_status.group_waits is set, and
 * PCV_EVENT_GROUP_WAITS says for whom. The call that takes the last of them
 * from the guest brings those home that wait, before its own function, and
 * answers restart until they are (then pcv_device_wait_us() of theirs counts,
 * too); if that one is lost in another way, an administrator does (this call,
 * or pcv_device_reveal()).
 *
 * Where a removal waits for it (pcv_device_remove()), it is handed on to
 * nobody: it is removed, or, behind a bridge that is to be removed, waits in
 * quarantine for the last one; the result is 0.
 *
 * One that cannot be reset is given back all the same, with an event (OWN-16).
 * One that no bus number leads to for the moment (TOPO-4) is taken from its
 * guest by the last address that it had.
 *
 * Returns 0; -PCV_ENODEV; -PCV_EINVAL (the hardware domain or the
 * hypervisor owns it; after -PCV_ERESTART: it came home meanwhile, with the
 * last of its group); -PCV_EXDEV: it is in quarantine, and stays there, since
 * a guest has another of its group (pcv_group_find() says which);
 * -PCV_ENOMEM; -PCV_EIO; -PCV_ERESTART: call again. -PCV_EAGAIN: its guest has
 * it no more, but it cannot be reached, so it is in quarantine: call again when
 * it can. -PCV_EBUSY: another call changes its owner just now; or it is in
 * quarantine, since it can be reset only with its bus, where another function
 * is a guest's: call again when that one is not (docs/reset.md). Any other
 * failure leaves it in quarantine with nothing mapped and no vector bound, but
 * for one: until the host could block its DMA it stays the guest's, silent,
 * unmapped and out of its reach, so that nobody believes the guest's memory to
 * be free of it. pcv_device_status() and an event say at which step. Context:
 * as pcv_device_assign().
 */
int PCV_MUST_CHECK pcv_device_deassign(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * The same of a guest's function and of all others of its isolation group that
 * this guest has: all are taken from it before the first goes home, so that
 * none waits for another. Functions of the group that come home already, or
 * wait, go along.
 *
 * @sbdf        one of them, to which bus numbers lead
 * @out_member  whom an error is about; or NULL. Otherwise not written
 *
 * Returns as pcv_device_deassign(): -PCV_ERESTART: call again, not before the
 * longest pcv_device_wait_us() of them is over; else the first error of a
 * member, which keeps none of the others from going home. What failed in a call
 * that answers restart is told by events and pcv_device_status(). -PCV_EINVAL:
 * no guest has it, and none of its group is on its way home; also of
 * pcv_group_find(). -PCV_ENODEV after -PCV_ERESTART: a removal has taken the
 * one that was named; name another one of the group to go on.
 * Context: as pcv_device_assign().
 */
int PCV_MUST_CHECK pcv_device_deassign_group(struct pcv_host *host,
                                             pcv_sbdf sbdf,
                                             pcv_sbdf *out_member);

/**
 * Mark a function as broken, or not any more: it is assigned to no guest
 * (OWN-4). Who has it keeps it. What does not come back from a reset is marked
 * by itself (PCV_EVENT_BROKEN).
 *
 * Returns 0, also if it was so before; -PCV_EINVAL; -PCV_ENODEV.
 * Context: any. Locking: none, or the segment's lock for one that no bus number
 * leads to.
 */
int PCV_MUST_CHECK pcv_device_set_broken(struct pcv_host *host, pcv_sbdf sbdf,
                                         bool broken);

/**
 * The function was reset behind the owner's back, or the machine woke up:
 * write again what the owner programmed and the library knows: addresses,
 * command, MSI and MSI-X with their masks (MSI-3).
 *
 * Returns 0; -PCV_ENODEV, also if it cannot be reached (TOPO-4); -PCV_EBUSY
 * while its owner is being changed; -PCV_EIO; -PCV_ERESTART: call again.
 * Context: control. Locking: the device's lock.
 */
int PCV_MUST_CHECK pcv_device_restore(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * How long until a device may be asked again after a reset, in microseconds; 0:
 * now. A reference is held by the caller. Context: any.
 */
uint64_t pcv_device_wait_us(struct pcv_device *device);

/* What a domain sees of one BAR, and what of it is reachable. */
enum pcv_bar_state {
    PCV_BAR_OFF,      /* decoding is off, or there is no such BAR */
    PCV_BAR_ON,       /* mapped, but for pages that are trapped */
    PCV_BAR_TRAPPED,  /* all of it is served access by access */
    PCV_BAR_OUTSIDE,  /* its address is in no window, or not permitted */
    PCV_BAR_WAITING,  /* another BAR has its pages (HDR-17) */
    PCV_BAR_RESERVED, /* the hypervisor uses it, nobody reaches it (OWN-8) */
};

struct pcv_bar_view {
    pcv_gpa address; /* as the owner programmed it */
    pcv_hpa host;    /* where hardware has it */
    uint64_t size;   /* bytes; 0: the owner sees none */
    uint8_t kind;    /* enum pcv_bar_kind */
    uint8_t state;   /* enum pcv_bar_state */
    uint64_t mapped_pages;
    uint64_t trapped_pages;
};

/**
 * A constant string: "off", "mapped", "trapped", "outside", "waiting",
 * "reserved". Context: any. Locking: none.
 */
const char *pcv_bar_state_name(enum pcv_bar_state state);

/**
 * What the owner sees of each BAR. A reference is held by the caller.
 * Context: any. Locking: the device's lock.
 */
void pcv_device_bars(struct pcv_device *device,
                     struct pcv_bar_view out_bars[PCV_BARS]);

/** Where its owner finds a device: on a guest's bus, or its own address. A
 * reference is held by the caller. Context: any. Locking: none. */
pcv_sbdf pcv_device_guest_sbdf(const struct pcv_device *device);

/* A vector that the library has bound for the owner. */
struct pcv_bound_vector {
    bool msix;
    uint16_t index;
    uint64_t address; /* as the owner programmed it */
    uint32_t data;
    struct pcv_msi_message message; /* what stands in hardware */
    bool masked;
};

/**
 * The first vector bound at or after an index (MSI first, then MSI-X).
 *
 * @msix, @index  where to begin
 *
 * Returns true and *out_vector, or false. A reference is held by the caller.
 * Context: any. Locking: the device's lock.
 */
bool pcv_device_next_vector(struct pcv_device *device, bool msix,
                            uint16_t index,
                            struct pcv_bound_vector *out_vector);

#endif
