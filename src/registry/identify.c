/* SPDX-License-Identifier: MIT */
/*
 * Who answers at an address: identity, type, and the capabilities that the
 * registry needs. Everything read here is suspect; what makes no sense is
 * recorded and does no harm.
 */
#include "registry/identify.h"
#include "registry/barred.h"
#include "registry/requester.h"
#include "registry/resting.h"
#include "registry/route.h"

#define SSVID_VENDOR 4u
#define SSVID_LENGTH 8u
#define CARDBUS_SUBSYSTEM 0x40u
#define PRIMARY_CAPS 48u

uint32_t pcv__reader_read(void *ctx, uint16_t reg, uint8_t size)
{
    struct pcv__reader *reader = ctx;

    return pcv__hw_probe(reader->host, reader->sbdf, reg, size, &reader->error);
}

/* An address without a function reads all ones; some bridges answer zeros or
 * half of each for one. */
static bool answers(uint32_t ids)
{
    return ids != 0xffffffffu && ids != 0 && ids != 0x0000ffffu &&
           ids != 0xffff0000u;
}

/* A function that is not ready after a reset reads vendor 0001 where software
 * asked to see that (PCI Express Base 6.0, 2.3.2). */
static bool not_ready(uint32_t ids)
{
    return ids == 0xffff0001u;
}

bool pcv__ids_answer(uint32_t ids)
{
    return answers(ids) && !not_ready(ids);
}

int pcv__probe(struct pcv_host *host, pcv_sbdf sbdf)
{
    int error = 0;
    uint32_t ids;

    if (pcv__bus_is_reset(host, sbdf) || pcv__resting_at(host, sbdf)) {
        return -PCV_ENODEV; /* nothing answers there for the moment */
    }
    ids = pcv__hw_probe(host, sbdf, PCV_REG_VENDOR, 4, &error);
    if (error != 0) {
        return error;
    }
    if (not_ready(ids)) {
        return -PCV_EAGAIN;
    }
    return answers(ids) ? 0 : -PCV_ENODEV;
}

static void set_subsystem(struct pcv__identity *id, uint32_t value)
{
    id->subsystem_vendor = (uint16_t)value;
    id->subsystem = (uint16_t)(value >> 16);
}

/* A capability's registers must lie in the first 256 bytes. */
static bool fits_header(uint16_t offset, uint16_t length)
{
    return offset <= PCV_CFG_SIZE - length;
}

/* A bridge's subsystem stands in a capability. */
static void read_ssvid(struct pcv__reader *reader, struct pcv__identity *id)
{
    const struct pcv_cap_source source = {pcv__reader_read, reader};
    struct pcv_cap caps[PRIMARY_CAPS];
    size_t count = pcv_caps_walk(&source, caps, PRIMARY_CAPS, NULL);

    for (size_t i = 0; i < count; i++) {
        if (caps[i].id == PCV_CAP_ID_SSVID &&
            fits_header(caps[i].offset, SSVID_LENGTH)) {
            set_subsystem(
                id, pcv__reader_read(
                        reader, (uint16_t)(caps[i].offset + SSVID_VENDOR), 4));
        }
    }
}

static void read_header(struct pcv__reader *reader, struct pcv__identity *id)
{
    uint32_t class_rev = pcv__reader_read(reader, PCV_REG_REVISION, 4);
    uint32_t subsystem = 0;

    id->revision = (uint8_t)class_rev;
    id->class_code = class_rev >> 8;
    id->header_type = (uint8_t)pcv__reader_read(reader, PCV_REG_HEADER_TYPE, 1);
    switch (id->header_type & PCV_HEADER_TYPE_MASK) {
    case 0:
        subsystem = pcv__reader_read(reader, PCV_REG_SUBSYSTEM_VENDOR, 4);
        break;
    case 2:
        subsystem = pcv__reader_read(reader, CARDBUS_SUBSYSTEM, 4);
        break;
    default:
        break;
    }
    set_subsystem(id, subsystem);
    if ((id->header_type & PCV_HEADER_TYPE_MASK) == 1) {
        read_ssvid(reader, id);
    }
}

static enum pcv_device_type pcie_type(uint32_t flags)
{
    static const uint8_t types[16] = {
        [PCV_PCIE_TYPE_ENDPOINT] = PCV_TYPE_ENDPOINT,
        [PCV_PCIE_TYPE_LEGACY] = PCV_TYPE_LEGACY_ENDPOINT,
        [PCV_PCIE_TYPE_ROOT_PORT] = PCV_TYPE_ROOT_PORT,
        [PCV_PCIE_TYPE_UPSTREAM] = PCV_TYPE_UPSTREAM_PORT,
        [PCV_PCIE_TYPE_DOWNSTREAM] = PCV_TYPE_DOWNSTREAM_PORT,
        [PCV_PCIE_TYPE_TO_PCI] = PCV_TYPE_PCIE_TO_PCI_BRIDGE,
        [PCV_PCIE_TYPE_FROM_PCI] = PCV_TYPE_PCI_TO_PCIE_BRIDGE,
        [PCV_PCIE_TYPE_RC_ENDPOINT] = PCV_TYPE_RC_ENDPOINT,
        [PCV_PCIE_TYPE_RC_EVENT] = PCV_TYPE_RC_EVENT_COLLECTOR,
    };

    return types[flags >> PCV_PCIE_FLAGS_TYPE_SHIFT & 0xfu];
}

/* Of those that a PCI Express capability names. */
static bool is_bridge_type(enum pcv_device_type type)
{
    return type == PCV_TYPE_ROOT_PORT || type == PCV_TYPE_UPSTREAM_PORT ||
           type == PCV_TYPE_DOWNSTREAM_PORT ||
           type == PCV_TYPE_PCIE_TO_PCI_BRIDGE ||
           type == PCV_TYPE_PCI_TO_PCIE_BRIDGE;
}

bool pcv__is_host_bridge(const struct pcv__identity *id)
{
    return id->class_code >> 8 == PCV_CLASS_BRIDGE_HOST;
}

/*
 * TOPO-1. What the capability says must agree with the header: a port has a
 * type 1 header and nothing else has one. What contradicts itself is unknown.
 */
static enum pcv_device_type classify(const struct pcv_device *device,
                                     uint32_t pcie_flags)
{
    uint8_t header = device->id.header_type & PCV_HEADER_TYPE_MASK;
    enum pcv_device_type type;

    if (header > 1) {
        return PCV_TYPE_UNKNOWN;
    }
    if (device->pcie_cap == 0) {
        if (header == 1) {
            return PCV_TYPE_PCI_BRIDGE;
        }
        return pcv__is_host_bridge(&device->id) ? PCV_TYPE_HOST_BRIDGE
                                                : PCV_TYPE_LEGACY_ENDPOINT;
    }
    type = pcie_type(pcie_flags);
    if (is_bridge_type(type) != (header == 1)) {
        return PCV_TYPE_UNKNOWN;
    }
    if (pcv__is_host_bridge(&device->id) && type != PCV_TYPE_UNKNOWN) {
        return PCV_TYPE_HOST_BRIDGE;
    }
    return type;
}

static void read_pcie(struct pcv_device *device, struct pcv__reader *reader)
{
    uint16_t cap = device->pcie_cap;
    uint32_t devcap = pcv__reader_read(reader, cap + PCV_PCIE_DEVCAP, 4);
    uint32_t devctl = pcv__reader_read(reader, cap + PCV_PCIE_DEVCTL, 2);

    uint8_t can = (uint8_t)(devcap >> PCV_PCIE_DEVCAP_PHANTOM_SHIFT & 3u);

    if (devcap != 0xffffffffu && !device->is_vf) {
        device->phantom_bits = (uint8_t)(can << PCV__PHANTOM_CAN_SHIFT);
        pcv__phantom_set(device, (devctl & PCV_PCIE_DEVCTL_PHANTOM) != 0);
    }
}

#define PCIE_LENGTH 0x14u /* up to the link registers, version 1 */
#define PCIX_LENGTH 0x08u

static void read_caps(struct pcv_device *device, struct pcv__reader *reader)
{
    const struct pcv_cap_source source = {pcv__reader_read, reader};
    struct pcv_cap caps[PRIMARY_CAPS];
    uint32_t problems = 0;
    size_t count = pcv_caps_walk(&source, caps, PRIMARY_CAPS, &problems);
    uint32_t value;

    device->cap_problems = problems;

    for (size_t i = 0; i < count; i++) {
        uint16_t at = caps[i].offset;

        if (caps[i].id == PCV_CAP_ID_PCIE && device->pcie_cap == 0 &&
            fits_header(at, PCIE_LENGTH)) {
            device->pcie_cap = (uint8_t)at;
            read_pcie(device, reader);
        } else if (caps[i].id == PCV_CAP_ID_PCIX &&
                   fits_header(at, PCIX_LENGTH)) {
            value = pcv__reader_read(reader, at + PCV_PCIX_STATUS, 4);
            device->pcix =
                (value & (PCV_PCIX_STATUS_266 | PCV_PCIX_STATUS_533)) != 0;
        }
    }
}

/* A VF's IDs read all ones even where it answers; its class code does not. */
static bool vf_answers(struct pcv__reader *reader)
{
    return pcv__reader_read(reader, PCV_REG_REVISION, 4) != 0xffffffffu;
}

/*
 * What is known after the last register was read: 0; -PCV_EAGAIN if the
 * function stopped answering meanwhile, or another one answers; -PCV_EIO. Then
 * what was read in between is worth nothing.
 */
static int still_there(struct pcv__reader *reader, bool is_vf, uint32_t ids)
{
    bool steady = is_vf ? vf_answers(reader)
                        : pcv__reader_read(reader, PCV_REG_VENDOR, 4) == ids;

    if (reader->error != 0) {
        return reader->error;
    }
    return steady ? 0 : -PCV_EAGAIN;
}

/* Whether anybody answers at all: 0, -PCV_EAGAIN, -PCV_ENODEV, -PCV_EIO. */
static int first_look(struct pcv__reader *reader, bool is_vf, uint32_t ids)
{
    if (!is_vf && not_ready(ids)) {
        return -PCV_EAGAIN;
    }
    if (is_vf ? vf_answers(reader) : answers(ids)) {
        return 0;
    }
    return reader->error ? reader->error : -PCV_ENODEV;
}

/* A VF's vendor and device registers read all ones: the identity comes from
 * its PF and the PF's capability (SR-IOV, PCI Express Base 6.0, 9.3.4.1). */
static void identify_vf(struct pcv_device *device, struct pcv__reader *reader,
                        const struct pcv_device *pf)
{
    device->id.vendor = pf->id.vendor;
    device->id.device = (uint16_t)pcv__hw_probe(
        device->host, pcv__device_sbdf(pf),
        (uint16_t)(pf->sriov_cap + PCV_SRIOV_VF_DEVICE), 2, &reader->error);
}

/* Whether it is there, and stays for all that is known. */
static bool is_extended(const struct pcv_device *device)
{
    return pcv__is_extended(device) && !pcv__ext_moves(device);
}

/* What was read while extended space came or went says nothing. */
static void read_serial(struct pcv_device *device, struct pcv__reader *reader,
                        struct pcv__identity *out)
{
    if (is_extended(device) &&
        (reader->sbdf.v == pcv__device_sbdf(device).v ||
         pcv__ecam_reaches(device->host, reader->sbdf))) {
        out->serial = pcv__ext_serial(reader);
        out->serial_known = is_extended(device);
    }
}

int pcv__identify_at(struct pcv_device *device, pcv_sbdf sbdf,
                     struct pcv__identity *out)
{
    struct pcv__reader reader = {device->host, sbdf, 0};
    uint32_t ids = pcv__reader_read(&reader, PCV_REG_VENDOR, 4);

    int error = first_look(&reader, device->is_vf, ids);

    memset(out, 0, sizeof(*out));
    if (error != 0) {
        return error;
    }
    out->vendor = (uint16_t)ids;
    out->device = (uint16_t)(ids >> 16);
    if (device->is_vf) {
        /* Its registers do not tell: it is what its PF says. */
        out->vendor = device->id.vendor;
        out->device = device->id.device;
    }
    read_header(&reader, out);
    read_serial(device, &reader, out);
    return still_there(&reader, device->is_vf, ids);
}

int pcv__identify_again(struct pcv_device *device, struct pcv__identity *out)
{
    return pcv__identify_at(device, pcv__device_sbdf(device), out);
}

static bool find_extended(struct pcv_device *device, struct pcv_device *pf,
                          struct pcv__reader *reader)
{
    if (!pcv__ext_possible(device, pf, NULL)) {
        return false;
    }
    return pf || pcv__ext_probe(reader) == PCV__EXT_PRESENT;
}

int pcv__identify(struct pcv_device *device, struct pcv_device *pf)
{
    struct pcv__reader reader = {device->host, pcv__device_sbdf(device), 0};
    uint32_t ids = pcv__reader_read(&reader, PCV_REG_VENDOR, 4);

    int error = first_look(&reader, pf != NULL, ids);

    if (error != 0) {
        return error;
    }
    device->id.vendor = (uint16_t)ids;
    device->id.device = (uint16_t)(ids >> 16);
    if (pf) {
        identify_vf(device, &reader, pf);
    }
    read_header(&reader, &device->id);
    read_caps(device, &reader);
    device->type = classify(
        device,
        device->pcie_cap
            ? pcv__reader_read(&reader, device->pcie_cap + PCV_PCIE_FLAGS, 2)
            : 0);
    device->is_bridge = (device->id.header_type & PCV_HEADER_TYPE_MASK) == 1;
    if (find_extended(device, pf, &reader)) {
        pcv__unbar(device, PCV__BARRED_EXTENDED);
        pcv__ext_learn(device, &reader);
    }
    if (device->is_bridge) {
        device->secondary =
            (uint8_t)pcv__reader_read(&reader, PCV_REG_SECONDARY, 1);
        device->subordinate =
            (uint8_t)pcv__reader_read(&reader, PCV_REG_SUBORDINATE, 1);
    }
    return still_there(&reader, pf != NULL, ids);
}

static bool same_serial(const struct pcv__identity *a,
                        const struct pcv__identity *b)
{
    return !a->serial_known || !b->serial_known || a->serial == b->serial;
}

bool pcv__identity_same(struct pcv_device *device,
                        const struct pcv__identity *now)
{
    const struct pcv__identity *id = &device->id;
    struct pcv__mem *mem = &device->host->mem;
    bool same;

    pcv__lock_take(mem, &device->lock);
    same = same_serial(id, now);
    pcv__lock_drop(mem, &device->lock);
    return same && id->vendor == now->vendor && id->device == now->device &&
           id->revision == now->revision && id->class_code == now->class_code &&
           id->subsystem_vendor == now->subsystem_vendor &&
           id->subsystem == now->subsystem &&
           id->header_type == now->header_type;
}
