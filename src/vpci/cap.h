/* SPDX-License-Identifier: MIT */
/*
 * What a capability is to the engine (DESIGN decision 2, CAP-4): one file under
 * cap/ with its registers, and its setup, teardown and reset; and one line in
 * cap/list.c.
 */
#ifndef PCV_VPCI_CAP_H
#define PCV_VPCI_CAP_H

#include "vpci/internal.h"

/* Flags of a description. */
#define PCV__CAP_GUEST 1u   /* guests see it ... */
#define PCV__CAP_ON_WISH 2u /* ... only if the assignment's policy shows it */
#define PCV__CAP_HARDWARE                                                      \
    4u /* mediated for the hardware domain, too; others                        \
          pass through there */

/* What setup() returns of a capability that this guest is not to see. */
#define PCV__CAP_NOT_SHOWN 1

struct pcv__cap_desc {
    const char *name; /* as the specification calls it */
    uint16_t id;
    bool extended;
    uint8_t flags; /* PCV__CAP_* */
    /* Bytes from its start that are made read-only for the hardware domain
     * where the capability is hidden (CAP-3). */
    uint16_t control_size;
    /*
     * Give its registers their policies, pcv__cap_add(). The header's first two
     * bytes (extended: four) are the engine's. Not zero: it is hidden, and what
     * was added is removed by the engine; an error is told as an event, and
     * PCV__CAP_NOT_SHOWN, of a guest's view only, is not. Locked, and nobody
     * can be inside the view. `cap->state` is the capability's own.
     */
    int (*setup)(struct pcv__cap *cap);
    /* It is not shown, for setup failed or the guest's policy hides it: what it
     * has in BARs is kept out of reach all the same (HDR-7),
     * pcv__hole_shield(). After teardown. 0, or -PCV_EIO if the host could not
     * read where that is. Locked. Optional. */
    int (*shield)(struct pcv__cap *cap);
    /* Undo what setup did beside registers: vectors, state. May be called
     * twice, and without setup, and while accesses are inside, which wait for
     * the lock (CAP-5). Locked. Optional. */
    void (*teardown)(struct pcv__cap *cap);
    /* The function is reset at its owner's word: vectors are dropped, virtual
     * registers go to their reset values. Locked. Optional. */
    void (*reset)(struct pcv__cap *cap);
    /* Hardware lost its state and the owner does not know: write again what
     * the owner programmed (MSI-3, PM-1). Locked. Optional. */
    void (*restore)(struct pcv__cap *cap);
    /*
     * Bus numbers move (TOPO-4). leave: let hardware be silent, if it can be
     * reached still, and the host forget what is bound for this requester ID;
     * what is bound stays counted. arrive: bind it for the new one. Locked.
     * Both or neither.
     */
    void (*leave)(struct pcv__cap *cap);
    void (*arrive)(struct pcv__cap *cap);
    /*
     * An access to a hole of the capability (struct pcv__hole), `offset` bytes
     * into the BAR. False: not one of its registers, it is the device's own.
     * Locked. Required where the capability sets holes.
     */
    bool (*mmio)(struct pcv__cap *cap, uint8_t bar, uint64_t offset,
                 uint8_t size, bool write, uint64_t *data);
};

struct pcv__cap {
    const struct pcv__cap_desc *desc;
    struct pcv_device *device;
    void *state;
    uint16_t offset; /* in configuration space */
    bool up;         /* set up, and shown */
};

/* All descriptions; the last is NULL. cap/list.c. */
extern const struct pcv__cap_desc *const pcv__cap_list[];

/* Add the rows of a table, offsets counting from the capability's start; `cap`
 * is handed to the handlers. 0 or -PCV_ENOMEM, -PCV_EEXIST (it overlaps what
 * stands before it), -PCV_EINVAL (it does not fit). */
int PCV_MUST_CHECK pcv__cap_add(struct pcv__cap *cap,
                                const struct pcv_register *rows, size_t count);
/* One row, at an offset of its own from the capability's start. */
int PCV_MUST_CHECK pcv__cap_add_at(struct pcv__cap *cap, uint16_t offset,
                                   const struct pcv_register *row);

/* Hardware's registers, by offset from the capability's start. */
uint32_t pcv__cap_read(const struct pcv__cap *cap, uint16_t offset,
                       uint8_t size);
void pcv__cap_write(const struct pcv__cap *cap, uint16_t offset, uint8_t size,
                    uint32_t value);
/* Values of its constant and virtual bits. */
void pcv__cap_store(const struct pcv__cap *cap, uint16_t offset, uint8_t size,
                    uint32_t value);
uint32_t pcv__cap_load(const struct pcv__cap *cap, uint16_t offset,
                       uint8_t size);

/* Bus numbers move (TOPO-4): the device can be reached no more under the
 * requester ID that its vectors are bound for, and then it has another. */
void pcv__caps_leave(struct pcv_device *device) PCV__REQUIRES(device->lock);
void pcv__caps_arrive(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* A bridge has come above it: both, if that makes a difference. */
void pcv__caps_overtop(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* Whether the view is a guest's. */
static inline bool pcv__cap_is_guest(const struct pcv__cap *cap)
{
    return !pcv__vpci(cap->device)->pass_through;
}

/* ---- vectors.c -------------------------------------------------------------
 */

/* Whether the host can bind messages at all. */
bool pcv__vectors_can_bind(const struct pcv_device *device);
/* What is bound from now on is bound for the requester ID that its messages
 * arrive under: nothing is, or it is parked. */
void pcv__vectors_follow(const struct pcv_device *device);
/* Whether what is bound is not bound for that one. */
bool pcv__vectors_stray(const struct pcv_device *device);
/* A request of this device for its owner, otherwise empty. */
void pcv__vector_request(const struct pcv_device *device,
                         struct pcv_msi_request *out_request);
/* Bind through the host; each of the request's messages counts a reference to
 * the device (LIFE-8). 0; -PCV_ENODEV if the device is going; -PCV_EOVERFLOW;
 * -PCV_EINVAL: the device cannot send what the host answered; or the host's
 * error. Then nothing is bound, and the last three were told as an event.
 * `rebind`: it is bound already, with as many messages. The host can bind. */
int pcv__vector_bind(struct pcv_device *device,
                     const struct pcv_msi_request *request, bool rebind,
                     struct pcv_msi_message *out_message);
void pcv__vector_unbind(struct pcv_device *device,
                        const struct pcv_msi_request *request);
/* The host forgets it, and it counts as bound still: while the device cannot be
 * reached nothing more is unbound. Binding it again ends that. */
void pcv__vector_park(struct pcv_device *device,
                      const struct pcv_msi_request *request);
/* Tell that a vector does not work: error, negative. */
void pcv__vector_failed(struct pcv_device *device,
                        const struct pcv_msi_request *request, int error);

/* BARs have other sizes now (MSIX-3); decoding is off. 0: the device's MSI-X,
 * if it has it, is as it was; -PCV_EINVAL: its table is not inside a BAR any
 * more, so it is hidden, for good, and its vectors are gone. */
int pcv__msix_recheck(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* Set MSI-X aside for who gets the function next, or end that: 0 or an error of
 * pcv_msix_prepare() and pcv_msix_release(). */
int pcv__msix_set_aside(struct pcv_device *device, bool aside)
    PCV__REQUIRES(device->lock);

/* The MSI and MSI-X capabilities' part of pcv_device_next_vector(). */
bool pcv__msi_next(const struct pcv__cap *cap, uint16_t index,
                   struct pcv_bound_vector *out);
bool pcv__msix_next(const struct pcv__cap *cap, uint16_t index,
                    struct pcv_bound_vector *out);

#endif
