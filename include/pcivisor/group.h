/* SPDX-License-Identifier: MIT */
/*
 * Isolation groups (TOPO-6): functions that can reach each other without
 * passing the IOMMU, or that it cannot tell apart. A group has one user at a
 * time. docs/isolation.md tells how they are found.
 */
#ifndef PCIVISOR_GROUP_H
#define PCIVISOR_GROUP_H

#include "pcivisor/device.h"
#include "pcivisor/types.h"

/* Where the members of a group stand: the library's, in the caller's storage.
 */
struct pcv_group_part {
    pcv_sbdf at;
    uint8_t kind;
    uint8_t first, last; /* function numbers, device number included */
};

#define PCV_GROUP_PARTS 8u
struct pcv_group {
    struct pcv_host *host;
    uint32_t parts;
    struct pcv_group_part part[PCV_GROUP_PARTS];
};

struct pcv_group_member {
    pcv_sbdf sbdf;
    uint32_t owner_id;
    bool is_bridge; /* it only forwards: it is in nobody's way */
    bool is_vf;
    bool declared; /* as isolated, by the host */
};

/**
 * Find the isolation group of a function.
 *
 * Hardware is asked: the ACS control of each port on the way up, and of the
 * other functions of a device, as it stands now. What cannot be read, or does
 * not answer, isolates nothing. The answer holds until a function comes, goes
 * or moves, or somebody writes an ACS control.
 *
 * @out_group  for pcv_group_next(); holds no reference, needs no end
 *
 * Returns 0; -PCV_EINVAL; -PCV_ENODEV if nothing is registered there, or no bus
 * number leads to it for the moment; -PCV_ERESTART: bus numbers change, or a
 * bridge above is being removed, call again; -PCV_EIO if the host could not
 * read a register.
 * Bounded: at most one look at each function of the bridges' buses above.
 * Context: control. Locking: the segment's lock, for a moment at a time.
 */
int PCV_MUST_CHECK pcv_group_find(struct pcv_host *host, pcv_sbdf sbdf,
                                  struct pcv_group *out_group);

/**
 * The first member of a group at or after an address, in address order.
 *
 * @from  0 to begin, then the last member's address plus one
 *
 * Returns whether there is one, and *out_member. Members that come or go
 * meanwhile may be seen or not.
 * Context: any. Locking: the segment's lock, for a moment at a time.
 */
bool pcv_group_next(const struct pcv_group *group, pcv_sbdf from,
                    struct pcv_group_member *out_member);

/**
 * Declare that a function is isolated, whatever topology and ACS say, or take
 * that back: the host knows better, say from the chip's manual. A function is a
 * group of its own then; a root or downstream port counts as one whose ACS is
 * switched on.
 * pcv_group_member.declared shows it for as long as the device is registered.
 *
 * Returns 0, also if it is so already; -PCV_EINVAL; -PCV_ENODEV; -PCV_EPERM:
 * the IOMMU cannot tell it from others, since it is behind a bridge of
 * conventional PCI, or is one.
 * Context: control. Locking: none.
 */
int PCV_MUST_CHECK pcv_device_declare_isolated(struct pcv_host *host,
                                               pcv_sbdf sbdf, bool isolated);

#endif
