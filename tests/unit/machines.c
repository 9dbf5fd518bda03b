/* SPDX-License-Identifier: MIT */
/* Small machines for tests, made by hand (machines.h). */
#include "machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void misuse(const char *what)
{
    (void)fprintf(stderr, "machines: %s\n", what);
    abort();
}

pcv_sbdf pcv_test_at(uint16_t segment, uint8_t bus, uint8_t device,
                     uint8_t function)
{
    return pcv_sbdf_make(segment, bus, pcv_devfn(device, function));
}

/* ---- registers ---------------------------------------------------------- */

void pcv_test_set(struct pcv_test_function *f, uint32_t reg, uint32_t size,
                  uint32_t value)
{
    if (size > 4 || reg > sizeof(f->config) - size) {
        misuse("register out of range");
    }
    for (uint32_t i = 0; i < size; i++) {
        f->config[reg + i] = (uint8_t)(value >> (8 * i));
    }
}

uint32_t pcv_test_get(const struct pcv_test_function *f, uint32_t reg,
                      uint32_t size)
{
    uint32_t value = 0;

    if (size > 4 || reg > sizeof(f->config) - size) {
        misuse("register out of range");
    }
    for (uint32_t i = 0; i < size; i++) {
        value |= (uint32_t)f->config[reg + i] << (8 * i);
    }
    return value;
}

static void bar_set(struct pcv_test_function *f, uint8_t index, uint32_t value,
                    uint64_t size)
{
    if (index >= 6) {
        misuse("no such BAR");
    }
    pcv_test_set(f, PCV_REG_BAR0 + 4u * index, 4, value);
    f->fn.bar_size[index] = size;
}

void pcv_test_bar32(struct pcv_test_function *f, uint8_t index,
                    uint32_t address, uint64_t size)
{
    bar_set(f, index, address, size);
}

void pcv_test_bar64(struct pcv_test_function *f, uint8_t index,
                    uint64_t address, uint64_t size)
{
    bar_set(f, index, (uint32_t)address | PCV_BAR_TYPE_64, size);
    bar_set(f, (uint8_t)(index + 1), (uint32_t)(address >> 32), 0);
}

void pcv_test_bar_io(struct pcv_test_function *f, uint8_t index,
                     uint32_t address, uint64_t size)
{
    bar_set(f, index, address | PCV_BAR_SPACE_IO, size);
}

void pcv_test_rom(struct pcv_test_function *f, uint32_t address, uint64_t size)
{
    bool bridge = (pcv_test_get(f, PCV_REG_HEADER_TYPE, 1) & 0x7fu) == 1;

    pcv_test_set(f, bridge ? PCV_REG_ROM1 : PCV_REG_ROM0, 4, address);
    f->fn.bar_size[6] = size;
}

/* ---- functions ---------------------------------------------------------- */

static void begin(struct pcv_test_function *f, uint16_t vendor, uint16_t device,
                  uint8_t header, uint16_t class_code, uint16_t size)
{
    memset(f, 0, sizeof(*f));
    f->fn.config_size = size;
    f->free = 0x40;
    f->last = PCV_REG_CAPS;
    f->ext_free = PCV_EXT_CAP_START;
    pcv_test_set(f, PCV_REG_VENDOR, 2, vendor);
    pcv_test_set(f, PCV_REG_DEVICE, 2, device);
    pcv_test_set(f, PCV_REG_HEADER_TYPE, 1, header);
    pcv_test_set(f, PCV_REG_CLASS + 1u, 2, class_code);
}

void pcv_test_endpoint(struct pcv_test_function *f, uint16_t vendor,
                       uint16_t device)
{
    begin(f, vendor, device, 0, 0x0200, PCV_CFG_SIZE);
    pcv_test_set(f, PCV_REG_SUBSYSTEM_VENDOR, 2, vendor);
    pcv_test_set(f, PCV_REG_SUBSYSTEM, 2, 1);
    pcv_test_set(f, PCV_REG_INT_PIN, 1, 1);
}

void pcv_test_pcie_endpoint(struct pcv_test_function *f, uint16_t vendor,
                            uint16_t device)
{
    uint8_t cap;

    begin(f, vendor, device, 0, 0x0200, PCV_CFG_EXT_SIZE);
    pcv_test_set(f, PCV_REG_SUBSYSTEM_VENDOR, 2, vendor);
    pcv_test_set(f, PCV_REG_SUBSYSTEM, 2, 1);
    pcv_test_set(f, PCV_REG_INT_PIN, 1, 1);
    cap = pcv_test_pcie(f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(f, cap + PCV_PCIE_DEVCAP, 4, PCV_PCIE_DEVCAP_FLR | 2u);
}

static void bridge_begin(struct pcv_test_function *f, uint16_t size,
                         uint8_t primary, uint8_t secondary,
                         uint8_t subordinate)
{
    begin(f, 0x1b36, 0x0001, 1, 0x0604, size);
    pcv_test_set(f, PCV_REG_PRIMARY, 1, primary);
    pcv_test_set(f, PCV_REG_SECONDARY, 1, secondary);
    pcv_test_set(f, PCV_REG_SUBORDINATE, 1, subordinate);
    pcv_test_set(f, PCV_REG_IO_BASE, 2, 0x00f0);
    pcv_test_set(f, PCV_REG_MEM_BASE, 4, 0x0000fff0);
    pcv_test_set(f, PCV_REG_PREF_BASE, 4, 0x0001fff1);
}

void pcv_test_bridge(struct pcv_test_function *f, uint8_t primary,
                     uint8_t secondary, uint8_t subordinate)
{
    bridge_begin(f, PCV_CFG_SIZE, primary, secondary, subordinate);
}

void pcv_test_port(struct pcv_test_function *f, uint8_t type, uint8_t primary,
                   uint8_t secondary, uint8_t subordinate)
{
    bridge_begin(f, PCV_CFG_EXT_SIZE, primary, secondary, subordinate);
    (void)pcv_test_pcie(f, type);
}

void pcv_test_host_bridge(struct pcv_test_function *f)
{
    begin(f, 0x8086, 0x29c0, 0, PCV_CLASS_BRIDGE_HOST, PCV_CFG_SIZE);
}

void pcv_test_vf(struct pcv_test_function *f, pcv_sbdf physfn)
{
    uint8_t cap;

    begin(f, 0xffff, 0xffff, 0, 0x0200, PCV_CFG_EXT_SIZE);
    f->fn.vf = true;
    f->fn.physfn = physfn;
    cap = pcv_test_pcie(f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(f, cap + PCV_PCIE_DEVCAP, 4, PCV_PCIE_DEVCAP_FLR);
}

/* ---- capabilities ------------------------------------------------------- */

uint8_t pcv_test_cap(struct pcv_test_function *f, uint8_t id, uint8_t size)
{
    uint8_t at = f->free;

    size = (uint8_t)((size + 3u) & ~3u);
    if (at < 0x40 || size > 256u - at) {
        misuse("no room for a capability");
    }
    pcv_test_set(f, at, 1, id);
    pcv_test_set(f, f->last, 1, at);
    pcv_test_set(f, PCV_REG_STATUS, 2,
                 pcv_test_get(f, PCV_REG_STATUS, 2) | PCV_STATUS_CAPS);
    f->last = (uint16_t)(at + 1u);
    f->free = (uint8_t)(at + size); /* 0 when full */
    return at;
}

uint16_t pcv_test_ext_cap(struct pcv_test_function *f, uint16_t id,
                          uint8_t version, uint16_t size)
{
    uint16_t at = f->ext_free;

    size = (uint16_t)((size + 3u) & ~3u);
    if (f->fn.config_size != PCV_CFG_EXT_SIZE || size > PCV_CFG_EXT_SIZE - at) {
        misuse("no room for an extended capability");
    }
    pcv_test_set(f, at, 4, id | (uint32_t)version << 16);
    if (f->ext_last != 0) {
        pcv_test_set(f, f->ext_last, 4,
                     pcv_test_get(f, f->ext_last, 4) | (uint32_t)at << 20);
    }
    f->ext_last = at;
    f->ext_free = (uint16_t)(at + size);
    return at;
}

uint8_t pcv_test_pcie(struct pcv_test_function *f, uint8_t type)
{
    uint8_t at = pcv_test_cap(f, PCV_CAP_ID_PCIE, 0x3c);

    pcv_test_set(f, at + PCV_PCIE_FLAGS, 2,
                 2u | (uint32_t)type << PCV_PCIE_FLAGS_TYPE_SHIFT);
    return at;
}

uint8_t pcv_test_pm(struct pcv_test_function *f, bool no_soft_reset)
{
    uint8_t at = pcv_test_cap(f, PCV_CAP_ID_PM, 8);

    pcv_test_set(f, at + 2u, 2, 0x0003);
    pcv_test_set(f, at + 4u, 2, no_soft_reset ? 0x0008 : 0);
    return at;
}

uint8_t pcv_test_msi(struct pcv_test_function *f, uint16_t control)
{
    uint8_t size = (control & 0x80u) != 0 ? 14 : 10;
    uint8_t at;

    if ((control & 0x100u) != 0) {
        size = (control & 0x80u) != 0 ? 24 : 20;
    }
    at = pcv_test_cap(f, PCV_CAP_ID_MSI, size);
    pcv_test_set(f, at + 2u, 2, control);
    return at;
}

uint8_t pcv_test_msix(struct pcv_test_function *f, uint16_t vectors,
                      uint8_t bar, uint32_t table, uint32_t pending)
{
    uint8_t at = pcv_test_cap(f, PCV_CAP_ID_MSIX, 12);

    pcv_test_set(f, at + 2u, 2, vectors - 1u);
    pcv_test_set(f, at + 4u, 4, table | bar);
    pcv_test_set(f, at + 8u, 4, pending | bar);
    return at;
}

uint8_t pcv_test_af(struct pcv_test_function *f)
{
    uint8_t at = pcv_test_cap(f, PCV_CAP_ID_AF, 6);

    pcv_test_set(f, at + 2u, 2, 0x0306);
    return at;
}

uint16_t pcv_test_sriov(struct pcv_test_function *f, uint16_t total,
                        uint16_t enabled, uint16_t offset, uint16_t stride)
{
    uint16_t at = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_SRIOV, 1, 0x40);

    pcv_test_set(f, at + PCV_SRIOV_CTRL, 2,
                 enabled != 0 ? PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE : 0);
    pcv_test_set(f, at + PCV_SRIOV_INITIAL_VFS, 2, total);
    pcv_test_set(f, at + PCV_SRIOV_TOTAL_VFS, 2, total);
    pcv_test_set(f, at + PCV_SRIOV_NUM_VFS, 2, enabled);
    pcv_test_set(f, at + PCV_SRIOV_OFFSET, 2, offset);
    pcv_test_set(f, at + PCV_SRIOV_STRIDE, 2, stride);
    pcv_test_set(f, at + PCV_SRIOV_VF_DEVICE, 2, 0x10ca);
    pcv_test_set(f, at + 0x1cu, 4, 0x553); /* supported page sizes */
    pcv_test_set(f, at + PCV_SRIOV_PAGE_SIZE, 4, 1);
    return at;
}

uint16_t pcv_test_aer(struct pcv_test_function *f)
{
    return pcv_test_ext_cap(f, PCV_EXT_CAP_ID_AER, 2, 0x48);
}

uint16_t pcv_test_rebar(struct pcv_test_function *f, uint8_t bar,
                        uint32_t sizes, uint8_t now)
{
    uint16_t at = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_REBAR, 1, 12);

    pcv_test_set(f, at + 4u, 4, sizes << 4);
    pcv_test_set(f, at + 8u, 4, bar | 1u << 5 | (uint32_t)now << 8);
    return at;
}

void pcv_test_bad_list(struct pcv_test_function *f, enum pcv_test_bad_list kind)
{
    static const uint8_t end[] = {0x40, 0x20, 0x53, 0xf8};

    pcv_test_set(f, PCV_REG_STATUS, 2,
                 pcv_test_get(f, PCV_REG_STATUS, 2) | PCV_STATUS_CAPS);
    pcv_test_set(f, PCV_REG_CAPS, 1, 0x40);
    pcv_test_set(f, 0x40, 4, 0x00034800u | PCV_CAP_ID_PM);
    pcv_test_set(f, 0x44, 4, 0);
    pcv_test_set(f, 0x48, 4, (uint32_t)end[kind] << 8 | PCV_CAP_ID_VENDOR);
    pcv_test_set(f, 0x50, 4, PCV_CAP_ID_VENDOR);
    pcv_test_set(f, 0xf8, 4, 0xffffffffu);
    f->free = 0;
}

void pcv_test_bad_ext_list(struct pcv_test_function *f,
                           enum pcv_test_bad_list kind)
{
    static const uint16_t end[] = {0x100, 0x80, 0x153, 0xff8};

    pcv_test_set(f, 0x100, 4, 0x14810000u | PCV_EXT_CAP_ID_AER);
    pcv_test_set(f, 0x148, 4,
                 (uint32_t)end[kind] << 20 | 0x10000u | PCV_EXT_CAP_ID_LTR);
    pcv_test_set(f, 0x150, 4, 0x10000u | PCV_EXT_CAP_ID_LTR);
    pcv_test_set(f, 0xff8, 4, 0xffffffffu);
    f->ext_free = PCV_CFG_EXT_SIZE;
}

/* ---- machines ----------------------------------------------------------- */

void pcv_test_add(struct pcv_model *model, struct pcv_test_function *f,
                  pcv_sbdf sbdf)
{
    f->fn.sbdf = sbdf;
    f->fn.config = f->config;
    if (pcv_model_add(model, &f->fn) != 0) {
        misuse("a function could not be added");
    }
}

struct pcv_model *pcv_test_model(void)
{
    struct pcv_model *model = pcv_model_create(1);

    if (model == NULL) {
        misuse("no memory for a model");
    }
    return model;
}

void pcv_test_ready(struct pcv_model *model)
{
    if (pcv_model_ready(model, NULL) != 0) {
        misuse("a model could not be made ready");
    }
}

struct pcv_model *pcv_test_alone(struct pcv_test_function *f)
{
    struct pcv_model *model = pcv_test_model();

    pcv_test_add(model, f, PCV_TEST_ALONE);
    pcv_test_ready(model);
    return model;
}

uint32_t pcv_test_read(struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size)
{
    uint32_t value = 0;

    if (pcv_model_ops()->cfg_read(model, sbdf, reg, size, &value) != 0) {
        misuse("a read failed");
    }
    return value;
}

void pcv_test_write(struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                    uint8_t size, uint32_t value)
{
    if (pcv_model_ops()->cfg_write(model, sbdf, reg, size, value) != 0) {
        misuse("a write failed");
    }
}
