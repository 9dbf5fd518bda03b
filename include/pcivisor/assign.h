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

/**
 * Give a function of the hardware domain, or of quarantine, to a guest.
 *
 * Its gate is closed, bus mastering and decoding go off, transactions that are
 * pending end, vectors and mappings are dropped, it is reset
 * (pcivisor/reset.h), what the host programmed is put back, and the guest's
 * view is built and published.
 *
 * @policy          what the guest is to see; copied; NULL: everything that
 *                  pcivisor virtualises, in the first free slot
 * @out_guest_sbdf  where the guest finds it
 *
 * Returns 0; -PCV_EINVAL (not a guest, a policy that makes no sense, or a
 * device number of another function's header); -PCV_ENODEV; -PCV_EPERM for
 * bridges and unknown types, and where the host gives no guest its DMA;
 * -PCV_EOPNOTSUPP for a header that is not type 0, and where it cannot be reset
 * and the policy does not accept that; -PCV_EBUSY while a guest owns it, it is
 * hidden, it is a PF with VFs enabled, or somebody holds a vector of it;
 * -PCV_EEXIST if the slot is taken; -PCV_ENOSPC if all are; -PCV_EAGAIN until
 * its extended-space verdict is final (OWN-12); -PCV_ENOMEM; -PCV_EIO;
 * -PCV_ERESTART: call again, not before pcv_device_wait_us() (accesses still
 * inside, transactions pending, or the time that the device has after a reset).
 * From the first step on that is not undone, a failure leaves the device in
 * quarantine. Context: control, one change of owner at a time for each device.
 */
int PCV_MUST_CHECK pcv_device_assign(struct pcv_host *host, pcv_sbdf sbdf,
                                     struct pcv_domain *domain,
                                     const struct pcv_assign_policy *policy,
                                     pcv_sbdf *out_guest_sbdf);

/**
 * Take a function back from a guest, or out of quarantine, for the hardware
 * domain, in the same steps.
 *
 * One that no bus number leads to for the moment (TOPO-4) is taken from its
 * guest by the last address that it had.
 *
 * Returns 0; -PCV_ENODEV; -PCV_EINVAL (the hardware domain or the
 * hypervisor owns it);
 * -PCV_ENOMEM; -PCV_EIO; -PCV_ERESTART: call again. -PCV_EAGAIN: its guest has
 * it no more, but it cannot be reached, so it is in quarantine: call again when
 * it can. -PCV_EBUSY: somebody else changes its owner; or it is in quarantine,
 * since it can be reset only with its bus, where another function is a guest's:
 * call again when that one is not (docs/reset.md). A failure leaves it in
 * quarantine.
 * Context: as pcv_device_assign().
 */
int PCV_MUST_CHECK pcv_device_deassign(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * The function was reset behind the owner's back, or the machine woke up:
 * write again what the owner programmed and the library knows: addresses,
 * command, MSI and MSI-X with their masks (MSI-3).
 *
 * Returns 0; -PCV_ENODEV, also if it cannot be reached (TOPO-4); -PCV_EIO;
 * -PCV_ERESTART: call again.
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

/** A constant string: "off", "mapped", "trapped", "outside", "waiting",
 * "reserved". */
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
