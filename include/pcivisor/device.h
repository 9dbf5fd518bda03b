/* SPDX-License-Identifier: MIT */
/*
 * Devices (PCI functions): who is there, who holds them, how they come and go.
 *
 * A device lives as long as somebody counts a reference to it. All counts of a
 * device stand in one 64-bit word, so that "nobody" is one atomic observation
 * (LIFE-4). docs/lifetime.md tells the whole story.
 */
#ifndef PCIVISOR_DEVICE_H
#define PCIVISOR_DEVICE_H

#include <stdatomic.h>

#include "pcivisor/errno.h"
#include "pcivisor/host.h"
#include "pcivisor/types.h"

struct pcv_device;
struct pcv_domain;

/* Who can hold a reference (LIFE-4). */
enum pcv_holder {
    PCV_HOLDER_REGISTRY, /* from add until remove */
    PCV_HOLDER_OWNER,    /* the domain that owns it */
    PCV_HOLDER_VECTOR,   /* one for each MSI descriptor or MSI-X entry */
    PCV_HOLDER_ACCESS,   /* accesses that are inside its gate right now */
    PCV_HOLDER_CALLER,   /* finds and gets that were not put yet */
    PCV_HOLDERS
};

/**
 * A constant string: "registry", "owner", "vector", "access", "caller".
 * Context: any. Locking: none.
 */
const char *pcv_holder_name(enum pcv_holder holder);

enum pcv_device_state {
    PCV_STATE_ABSENT,      /* nothing is registered there */
    PCV_STATE_ADDING,      /* an add is under way; it cannot be found yet */
    PCV_STATE_PRESENT,     /* registered; it can be found */
    PCV_STATE_LEAVING,     /* removed; it cannot be found, somebody holds it */
    PCV_STATE_UNREACHABLE, /* registered, but no bus number leads to it for the
                              moment; it cannot be found (TOPO-4) */
};

/* What is counted for a device (CFG-9); exact when nothing else runs. */
struct pcv_device_counters {
    uint64_t reads;
    uint64_t writes;
    uint64_t refused;
};

struct pcv_device_status {
    enum pcv_device_state state;
    bool vanished;              /* pulled without warning (LIFE-9) */
    uint32_t held[PCV_HOLDERS]; /* references, by holder */
    uint32_t owner_id;          /* domain; meaningful unless absent */
    struct pcv_device_counters counters;
    bool broken; /* it is assigned to no guest (OWN-4) */
    /* A removal was refused while a guest has it, or something behind it, and
     * is remembered (LIFE-5). */
    bool remove_waits;
    /* Of a change of owner that is under way, or that failed: where it is, or
     * was (enum pcv_change_step), and with what error, negative; 0: it goes on
     * when it is called again. Of the last one until the next begins. */
    uint8_t change_step;
    int32_t change_error;
};

/* Nodes of pcv_device_nodes(). */
#define PCV_NODE_NONE 0xffffffffu           /* known device, no node known */
#define PCV_NODE_UNKNOWN_DEVICE 0xfffffffeu /* no such device */

/* What a caller knows when it reports a function; zero means "nothing". */
#define PCV_ADD_IS_VF 1u    /* physfn names its PF */
#define PCV_ADD_HAS_NODE 2u /* node is valid */
/* It is an extended function (PCI Express Base 6.0, 6.13): of a device whose
 * functions have all 8 bits of device and function number, and one above 7. For
 * where that cannot be read, since no extended space is reached: then it has no
 * phantom functions (TOPO-5), and others of its device may be found. */
#define PCV_ADD_EXTENDED_FUNCTION 4u
struct pcv_add_info {
    uint32_t flags; /* PCV_ADD_* */
    pcv_sbdf physfn;
    uint32_t node;
};

/* Called once when a removed device's last reference goes (LIFE-6). */
struct pcv_completion {
    /* Context: that of the last put: any, locked. It may free `self`. */
    void (*done)(struct pcv_completion *self, pcv_sbdf sbdf);
    /* Set by the remove that takes it: `done` will be called. */
    bool taken;
};

/**
 * Register the function at an address.
 *
 * Its identity is read, its BARs are sized, its vPCI state for the hardware
 * domain is built, and it becomes findable. Where the same card is already
 * there (vendor, device, revision, class, subsystem, header type and serial
 * number), its information is updated instead; where another card answers,
 * the old device has vanished and is removed first (LIFE-7). Where a function
 * belongs that could not be reached until now (TOPO-4), that one is bound.
 *
 * Where the function answers, but the host fails to read or write a register
 * while its vPCI state is built, it is added read-only, with an event: the
 * hardware domain may look at it, none of its BARs is mapped, and its own MSI
 * and MSI-X are out of reach (OWN-2). To try again, remove and add it.
 *
 * @info   what the caller knows, or NULL; copied
 *
 * Returns 0; -PCV_ENODEV if nothing answers there, or a VF's PF or an extended
 * function's function 0 is not registered; -PCV_EEXIST: an emulated function
 * has that device number, so this one is concealed, its DMA blocked
 * (pcv_emulated_create()); -PCV_EAGAIN if what is there is not ready after a
 * reset, or stopped answering meanwhile; -PCV_EBUSY while the address' earlier
 * device is still held, another add is under way, or bus numbers change: call
 * again once pcv_device_status() says absent or present; -PCV_EINVAL if the
 * address is on no bus of the host, the information contradicts itself, the
 * address can be none of the PF's VFs, or it cannot be an extended function:
 * its number is 7 or less, it is a VF, the port above forwards to no such
 * number, it or its function 0 has extended space without an ARI capability, or
 * it was added before with phantom functions; -PCV_ENOMEM; -PCV_EIO if the host
 * could not read who is there, or direct its DMA; -PCV_ERESTART: registered,
 * but its BARs are not all mapped yet, call again. A failed add leaves nothing
 * behind. Context: control. Locking: takes the segment's lock.
 */
int PCV_MUST_CHECK pcv_device_add(struct pcv_host *host, pcv_sbdf sbdf,
                                  const struct pcv_add_info *info);

/**
 * Remove a function and, for a bridge, everything behind it (LIFE-5, TOPO-3).
 * One that cannot be reached (TOPO-4) is removed by the last address that it
 * had, unless another stands there by now.
 *
 * A removal that is refused because a guest has the function, or one behind the
 * bridge, is remembered (pcv_device_status.remove_waits): when the guest gives
 * it back it is reset and then removed, not handed on. What comes back from
 * behind such a bridge waits in quarantine until the last one has, then all of
 * it goes; if somebody holds something there, when this is called again. Until
 * then nothing of it is assigned. Other refusals are not remembered: of a PF
 * with VFs, of what the hypervisor drives, of what is held.
 *
 * @done        called once when the last reference is gone, or NULL. Taken
 *              (done->taken) by the call that makes the device leave, or that
 *              is remembered, and lent to the library until it was called, or
 *              given back by pcv_device_cancel_remove(). Of several the first
 *              that was taken is called, the others are not.
 * @out_busy    who was in the way, or NULL; written only with -PCV_EBUSY.
 *
 * Returns 0 when the object is gone; -PCV_EBUSY with nothing changed if it is
 * a guest's or the hypervisor's (OWN-8), a PF with VFs, or a device behind it
 * is that or held (*out_busy names that one);
 * -PCV_EBUSY with the device leaving if somebody still holds it (*out_busy
 * names the device itself; call again, or wait for `done`); -PCV_ENODEV for an
 * unknown device, also once the object is gone.
 * Context: control. Locking: takes the segment's lock.
 */
int PCV_MUST_CHECK pcv_device_remove(struct pcv_host *host, pcv_sbdf sbdf,
                                     struct pcv_completion *done,
                                     pcv_sbdf *out_busy);

/**
 * Withdraw a removal that is remembered (LIFE-5). Its `done` will not be called
 * (`taken` is false again). What came back meanwhile from behind the bridge is
 * in quarantine: pcv_device_deassign() brings it home.
 *
 * Returns 0; -PCV_EINVAL; -PCV_ENOENT: none is remembered; -PCV_EBUSY: too
 * late, it leaves; -PCV_ENODEV: nothing is registered there, perhaps not any
 * more.
 * Context: any. Locking: takes the segment's lock.
 */
int PCV_MUST_CHECK pcv_device_cancel_remove(struct pcv_host *host,
                                            pcv_sbdf sbdf);

/**
 * The function was pulled without warning, and with it what is behind it:
 * from now on its registers read all ones and writes go nowhere (LIFE-9). It
 * stays registered until it is removed, or another card answers after an event
 * of its slot. Where the hardware domain's own looks show that a slot is empty,
 * the library says this itself, and removes what was there (LIFE-12).
 *
 * Returns 0, also if it had vanished before; -PCV_ENODEV.
 * Context: control. Locking: takes the segment's lock.
 */
int PCV_MUST_CHECK pcv_device_vanished(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * Where a device stands and who holds it, without side effects (LIFE-6). One
 * that cannot be reached answers at the last address that it had, unless
 * another stands there by now.
 *
 * Returns 0 and *out_status (state absent if nothing is there); -PCV_EINVAL.
 * Context: any. Locking: none; where nothing stands at the address, and
 * something of its segment cannot be reached, the segment's lock.
 */
int pcv_device_status(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device_status *out_status);

/**
 * Take a reference to the function at an address.
 *
 * Returns the device, to be given back with pcv_device_put(), or NULL if
 * nothing is there, it is being removed, no bus number leads to it for the
 * moment, or a million references are out.
 * A phantom function's address finds nothing here.
 * Context: any, interrupts may be off. Locking: none is taken.
 */
struct pcv_device *pcv_device_find(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * As pcv_device_find(), but only a device owned by `domain`. For the hardware
 * domain this also finds the hypervisor's hidden devices (LIFE-2).
 * Context: any. Locking: none.
 */
struct pcv_device *pcv_device_find_owned(struct pcv_domain *domain,
                                         pcv_sbdf sbdf);

/**
 * As pcv_device_find(), but a phantom function's address finds the function
 * that uses it as a requester ID (LIFE-2, PCI Express Base 6.0, 7.5.3.3).
 * Context: any. Locking: none.
 */
struct pcv_device *pcv_device_find_real(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * The first device at or after an address, in address order, with a reference.
 * Devices that come or go meanwhile may be seen or not.
 *
 * Returns the device or NULL. Context: any. Locking: none.
 */
struct pcv_device *pcv_device_next(struct pcv_host *host, pcv_sbdf from);

/**
 * The function with the lowest last address at or after `from` of those that no
 * bus number leads to for the moment (TOPO-4), with a reference. Of several
 * that had the same address, the one that had it last.
 *
 * Returns the device or NULL. Context: any. Locking: takes segment locks.
 */
struct pcv_device *pcv_device_next_unreachable(struct pcv_host *host,
                                               pcv_sbdf from);

/**
 * One more reference where one is held already (LIFE-3).
 *
 * Returns the device, or NULL if its count is full; then none was taken.
 * Context: any. Locking: none.
 */
struct pcv_device *PCV_MUST_CHECK pcv_device_get(struct pcv_device *device);

/**
 * Give a reference back. The last one releases the device, here and now.
 * NULL is allowed. Context: any. Locking: none, but for the last one the
 * device's lock, and the segment's if no bus number leads to it.
 */
void pcv_device_put(struct pcv_device *device);

/* What a function is (TOPO-1). */
enum pcv_device_type {
    PCV_TYPE_UNKNOWN,
    PCV_TYPE_LEGACY_ENDPOINT, /* conventional PCI, or PCIe legacy endpoint */
    PCV_TYPE_ENDPOINT,
    PCV_TYPE_RC_ENDPOINT, /* root-complex integrated */
    PCV_TYPE_RC_EVENT_COLLECTOR,
    PCV_TYPE_ROOT_PORT,
    PCV_TYPE_UPSTREAM_PORT,
    PCV_TYPE_DOWNSTREAM_PORT,
    PCV_TYPE_PCIE_TO_PCI_BRIDGE,
    PCV_TYPE_PCI_TO_PCIE_BRIDGE,
    PCV_TYPE_PCI_BRIDGE, /* conventional */
    PCV_TYPE_HOST_BRIDGE,
    PCV_TYPES
};

/** A constant string for a type: "root port". Context: any. Locking: none. */
const char *pcv_device_type_name(enum pcv_device_type type);

/* Kinds of pcv_bar. */
enum pcv_bar_kind {
    PCV_BAR_NONE,
    PCV_BAR_IO,
    PCV_BAR_MEM32,
    PCV_BAR_MEM64, /* the next BAR is its upper half and has kind none */
    PCV_BAR_ROM,
};

#define PCV_BARS 7u /* six, and the expansion ROM */
#define PCV_BAR_IS_ROM 6u

#define PCV_BAR_PREFETCHABLE 1u
#define PCV_BAR_BROKEN 2u /* it answered sizing with no power of two */
#define PCV_BAR_HINTED 4u /* the size is the host's word, not the device's */
#define PCV_BAR_MAPPED 8u /* mapped for its owner right now */

struct pcv_bar {
    uint64_t address; /* bytes; as hardware has it when it was last looked at */
    uint64_t size;    /* bytes, a power of two; 0: there is none */
    uint8_t kind;     /* enum pcv_bar_kind */
    uint8_t flags;    /* PCV_BAR_* */
};

/* What is known of a function without asking it again. */
struct pcv_device_info {
    pcv_sbdf sbdf;
    enum pcv_device_type type;
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: base class, sub-class, interface */
    uint8_t revision;
    uint8_t header_type; /* with the multi-function bit */
    uint64_t serial;     /* device serial number; 0: none */
    uint32_t node;       /* NUMA node or PCV_NODE_NONE */
    uint32_t owner_id;
    bool extended; /* extended configuration space is believed */
    bool is_vf;    /* physfn is valid */
    bool vanished;
    bool read_only;   /* the hardware domain's writes are dropped: its header is
                         none that we know (HDR-1), the hypervisor drives it
                         (OWN-8), or its vPCI setup failed (OWN-2) */
    bool unreachable; /* no bus number leads to it for the moment (TOPO-4) */
    bool overridden;  /* the hardware domain may take functions away from guests
                         here (pcv_device_override()) */
    bool hidden;    /* the hypervisor and the hardware domain use it (OWN-7) */
    bool concealed; /* the hardware domain does not see it (OWN-9) */
    pcv_sbdf physfn;
    uint16_t num_vfs;      /* of a PF: VFs enabled when it was added */
    uint32_t cap_problems; /* PCV_CAP_* of both lists, pcivisor/cap.h */
    uint8_t pcie_cap;      /* offset of the PCI Express capability, or 0 */
    uint8_t phantom_bits;  /* function-number bits used as phantom (0 to 3) */
    /* Bridges: what they cover, remembered (TOPO-2). */
    bool is_bridge;
    bool bus_conflict; /* numbers that cannot be used: covers nothing */
    uint8_t secondary, subordinate;
    struct pcv_bar bar[PCV_BARS];
};

/**
 * Copy what is known of a device. A reference is held by the caller.
 * Context: any. Locking: takes the segment's lock, then the device's.
 */
void pcv_device_get_info(struct pcv_device *device,
                         struct pcv_device_info *out_info);

/** The device's address, which changes with bus numbers (TOPO-4); of one that
 * cannot be reached, the last that it had. Context: any. Locking: none. */
pcv_sbdf pcv_device_sbdf(const struct pcv_device *device);

/**
 * NUMA nodes for a list of addresses (TOPO-9): PCV_NODE_NONE where a device
 * has none, PCV_NODE_UNKNOWN_DEVICE where there is no device.
 *
 * Returns 0; -PCV_EINVAL if a list is missing. Context: any. Locking: none.
 */
int pcv_device_nodes(struct pcv_host *host, const pcv_sbdf *sbdfs, size_t count,
                     uint32_t *out_nodes);

/*
 * A vector: an MSI descriptor or a bound MSI-X entry. Storage is the caller's;
 * it holds a reference of its own from attach to detach (LIFE-8).
 */
struct pcv_vector {
    _Atomic(struct pcv_device *) device; /* NULL while detached */
    struct pcv_vector *next;             /* the library's */
    uint16_t index; /* 0 to 31 (MSI) or 0 to 2047 (MSI-X) */
    bool msix;
};

/**
 * Count a vector in. A reference to the device is held by the caller.
 *
 * Returns 0; -PCV_EINVAL (index out of range, or `vector` is attached);
 * -PCV_EEXIST if the device has that vector already; -PCV_ENODEV if the device
 * is leaving or has vanished, or changes its owner.
 * Context: any. Locking: takes the device's lock.
 */
int PCV_MUST_CHECK pcv_vector_attach(struct pcv_device *device,
                                     struct pcv_vector *vector, bool msix,
                                     uint16_t index);

/**
 * Count a vector out; its reference goes, perhaps as the last one. A vector
 * that is not attached is left alone, so a detach beside a removal is safe.
 * Context: any. Locking: takes the device's lock.
 */
void pcv_vector_detach(struct pcv_vector *vector);

#endif
