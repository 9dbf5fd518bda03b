/* SPDX-License-Identifier: MIT */
/*
 * An owner's capability lists (CAP-2, CAP-3). A guest's are always ours; the
 * hardware domain's are hardware's, unless something is hidden from it.
 */
#include "vpci/cap_link.h"

#define FIRST_HEADER 2u    /* bytes: identifier and next pointer */
#define EXTENDED_HEADER 4u /* identifier, version, next pointer */
#define NULL_CAP                                                               \
    0u /* PCI Express Base 6.0, 7.9.28: nothing but a                          \
          header, which leads on */

static const struct pcv_register first_row = {
    .name = "Capability Header",
    .size = 2,
    .policy = {.constant = 0xffff},
};

static const struct pcv_register extended_row = {
    .name = "Extended Capability Header",
    .size = 4,
    .policy = {.constant = 0xffffffffu},
};

static const struct pcv_register pointer_row = {
    .name = "Capabilities Pointer",
    .offset = PCV_REG_CAPS,
    .size = 1,
    .policy = {.constant = 0xff},
};

/* A dword that reads hardware and that nobody writes. */
static const struct pcv_register read_only_row = {
    .name = "Hidden",
    .size = 4,
    .policy = {.read_only = 0xffffffffu},
};

/* ---- headers ---------------------------------------------------------------
 */

/* 0 or -PCV_ENOMEM; *out_added tells whether it was free. */
static int add_header(struct pcv__vpci *vpci, uint16_t at, bool extended,
                      bool *out_added)
{
    int error = pcv__cells_add_at(vpci, at,
                                  extended ? &extended_row : &first_row, NULL);

    *out_added = error == 0;
    return error == -PCV_ENOMEM ? error : 0;
}

int pcv__list_begin(struct pcv_device *device, bool extended, uint16_t first)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    bool added;
    int error = 0;

    for (uint16_t i = first; i < vpci->cap_count && error == 0; i++) {
        vpci->caps[i].up = true;
        if (device->assignment) {
            error = add_header(vpci, vpci->caps[i].offset, extended,
                               &vpci->caps[i].up);
        }
    }
    /* The list begins at 0x100, whatever stands there. */
    if (error == 0 && extended && device->assignment &&
        vpci->cap_count > first) {
        error = add_header(vpci, PCV_EXT_CAP_START, true, &added);
    }
    return error;
}

/* ---- linking ---------------------------------------------------------------
 */

/* Whether the owner's list has it: for the hardware domain all but what was
 * hidden, for a guest what is up. */
static bool shown(const struct pcv_device *device, const struct pcv_cap *cap)
{
    const struct pcv__cap *ours = pcv__cap_at(pcv__vpci(device), cap->offset);

    if (device->assignment) {
        return ours && ours->up;
    }
    return !ours || ours->up;
}

static bool any_hidden(const struct pcv_device *device,
                       const struct pcv__found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        if (!shown(device, &found->cap[i])) {
            return true;
        }
    }
    return false;
}

/* Where the next one stands that is shown, from the i-th on; 0: none. */
static uint16_t next_shown(const struct pcv_device *device,
                           const struct pcv__found *found, size_t i)
{
    for (; i < found->count; i++) {
        if (shown(device, &found->cap[i])) {
            return found->cap[i].offset;
        }
    }
    return 0;
}

static uint32_t header_of(const struct pcv_cap *cap, uint16_t next)
{
    return cap->extended
               ? cap->id | (uint32_t)cap->version << 16 | (uint32_t)next << 20
               : cap->id | (uint32_t)next << 8;
}

/* The header of the i-th, for the hardware domain made only now. A place that
 * is taken has a register that shows hardware: there, the link stays its. */
static int link_one(struct pcv_device *device, const struct pcv__found *found,
                    size_t i)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv_cap *cap = &found->cap[i];
    uint8_t size = cap->extended ? EXTENDED_HEADER : FIRST_HEADER;
    bool added = true;
    int error = 0;

    if (!device->assignment) {
        error = add_header(vpci, cap->offset, cap->extended, &added);
    }
    if (error == 0 && added) {
        pcv__cells_store(vpci, cap->offset, size,
                         header_of(cap, next_shown(device, found, i + 1)));
    }
    return error;
}

/* Where a list begins. For the hardware domain a hidden capability at 0x100
 * needs a header that leads on. */
static int link_start(struct pcv_device *device, const struct pcv__found *found,
                      bool extended)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint16_t first = next_shown(device, found, 0);
    bool added;
    int error = 0;

    if (!extended) {
        error = pcv__cells_add(vpci, &pointer_row, NULL);
        pcv__cells_store(vpci, PCV_REG_CAPS, 1, first);
    } else if (first != PCV_EXT_CAP_START) {
        error = device->assignment
                    ? 0
                    : add_header(vpci, PCV_EXT_CAP_START, true, &added);
        pcv__cells_store(vpci, PCV_EXT_CAP_START, 4,
                         NULL_CAP | (uint32_t)first << 20);
    }
    return error == -PCV_ENOMEM ? error : 0;
}

/* ---- what is hidden --------------------------------------------------------
 */

/* How far a capability's control registers reach before the next one begins,
 * whichever that is. */
static uint32_t control_end(const struct pcv__cap *cap,
                            const struct pcv__found *found)
{
    uint32_t end = (uint32_t)cap->offset + cap->desc->control_size;

    for (size_t i = 0; i < found->count; i++) {
        if (found->cap[i].offset > cap->offset && found->cap[i].offset < end) {
            end = found->cap[i].offset;
        }
    }
    return end;
}

/* CAP-3: what the hardware domain could do with it unmediated, it cannot. */
static int make_read_only(struct pcv__cap *cap, const struct pcv__found *found)
{
    uint32_t end = control_end(cap, found);

    for (uint32_t at = cap->offset; at + 4u <= end; at += 4u) {
        int error = pcv__cells_add_at(pcv__vpci(cap->device), (uint16_t)at,
                                      &read_only_row, NULL);

        if (error == -PCV_ENOMEM) {
            return error;
        }
    }
    return 0;
}

static int conceal(struct pcv_device *device, const struct pcv__found *found,
                   const struct pcv_cap *hidden)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__cap *cap = pcv__cap_at(vpci, hidden->offset);

    if (!device->assignment) {
        return cap ? make_read_only(cap, found) : 0;
    }
    if (cap && hidden->offset != PCV_EXT_CAP_START) {
        (void)pcv__cells_remove(vpci, hidden->offset,
                                hidden->extended ? EXTENDED_HEADER
                                                 : FIRST_HEADER);
    }
    return 0;
}

int pcv__list_link(struct pcv_device *device, const struct pcv__found *found,
                   bool extended)
{
    int error;

    if (!device->assignment && !any_hidden(device, found)) {
        return 0;
    }
    error = link_start(device, found, extended);
    for (size_t i = 0; i < found->count && error == 0; i++) {
        error = shown(device, &found->cap[i])
                    ? link_one(device, found, i)
                    : conceal(device, found, &found->cap[i]);
    }
    return error;
}
