/* SPDX-License-Identifier: MIT */
/*
 * Small machines for tests, made by hand: build a function's configuration
 * space with the calls below, then add it to a model.
 *
 *     struct pcv_test_function nic;
 *
 *     pcv_test_pcie_endpoint(&nic, 0x8086, 0x10d3);
 *     pcv_test_bar64(&nic, 0, 0x80000000, 16384);
 *     pcv_test_msix(&nic, 4, 0, 0x1000, 0x2000);
 *     pcv_test_add(model, &nic, pcv_test_at(0, 1, 0, 0));
 *
 * Everything aborts on wrong use: out of space, or an address that is taken.
 * What a call leaves out can be set with pcv_test_set(), and fields of `fn`
 * that are not said otherwise are the test's to fill before pcv_test_add().
 */
#ifndef PCV_TESTS_UNIT_MACHINES_H
#define PCV_TESTS_UNIT_MACHINES_H

#include "model.h"

struct pcv_test_function {
    /* sbdf, config and config_size are set by the calls below. */
    struct pcv_model_function fn;
    uint8_t config[PCV_CFG_EXT_SIZE];
    uint8_t free;      /* where the next capability goes, from 0x40 */
    uint16_t last;     /* the register that points to the next capability */
    uint16_t ext_free; /* the same in extended space */
    uint16_t ext_last;
};

/* An address in pieces. */
pcv_sbdf pcv_test_at(uint16_t segment, uint8_t bus, uint8_t device,
                     uint8_t function);

/* ---- functions ---------------------------------------------------------- */

/* A conventional endpoint with 256 bytes, network class, no BAR, no
 * capability, everything off. */
void pcv_test_endpoint(struct pcv_test_function *f, uint16_t vendor,
                       uint16_t device);
/* A PCI Express endpoint with 4096 bytes that can do FLR. */
void pcv_test_pcie_endpoint(struct pcv_test_function *f, uint16_t vendor,
                            uint16_t device);
/* A conventional PCI-to-PCI bridge with 256 bytes and these bus numbers, its
 * windows closed. */
void pcv_test_bridge(struct pcv_test_function *f, uint8_t primary,
                     uint8_t secondary, uint8_t subordinate);
/* The same with 4096 bytes and a PCI Express capability of PCV_PCIE_TYPE_*. */
void pcv_test_port(struct pcv_test_function *f, uint8_t type, uint8_t primary,
                   uint8_t secondary, uint8_t subordinate);
/* A host bridge (class 0600) with 256 bytes. */
void pcv_test_host_bridge(struct pcv_test_function *f);
/* A virtual function: IDs read all ones and the BARs zero. */
void pcv_test_vf(struct pcv_test_function *f, pcv_sbdf physfn);

/* ---- registers ---------------------------------------------------------- */

/* Set, or read back, 1, 2 or 4 bytes of what is being built. */
void pcv_test_set(struct pcv_test_function *f, uint32_t reg, uint32_t size,
                  uint32_t value);
uint32_t pcv_test_get(const struct pcv_test_function *f, uint32_t reg,
                      uint32_t size);

/* A BAR at an address, in the header; size 0: not stated. pcv_test_bar32()
 * makes 32-bit memory, pcv_test_bar64() takes index + 1 as well. */
void pcv_test_bar32(struct pcv_test_function *f, uint8_t index,
                    uint32_t address, uint64_t size);
void pcv_test_bar64(struct pcv_test_function *f, uint8_t index,
                    uint64_t address, uint64_t size);
void pcv_test_bar_io(struct pcv_test_function *f, uint8_t index,
                     uint32_t address, uint64_t size);
void pcv_test_rom(struct pcv_test_function *f, uint32_t address, uint64_t size);

/* ---- capabilities: each is linked at the end of its list ---------------- */

/* `size` bytes for a capability, header included. Returns its offset. */
uint8_t pcv_test_cap(struct pcv_test_function *f, uint8_t id, uint8_t size);
uint16_t pcv_test_ext_cap(struct pcv_test_function *f, uint16_t id,
                          uint8_t version, uint16_t size);

/* PCI Express, version 2, of type PCV_PCIE_TYPE_*; no FLR, no slot. */
uint8_t pcv_test_pcie(struct pcv_test_function *f, uint8_t type);
/* Power management in D0 with D1 and D2 missing. */
uint8_t pcv_test_pm(struct pcv_test_function *f, bool no_soft_reset);
/* MSI; `control` names 64-bit (0x80), masking (0x100) and vectors (bits 3:1).
 */
uint8_t pcv_test_msi(struct pcv_test_function *f, uint16_t control);
/* MSI-X with table and pending bits in one BAR. */
uint8_t pcv_test_msix(struct pcv_test_function *f, uint16_t vectors,
                      uint8_t bar, uint32_t table, uint32_t pending);
/* Advanced Features; FLR and transactions pending. */
uint8_t pcv_test_af(struct pcv_test_function *f);
/* SR-IOV with VF enable on if `enabled` is not 0; VF BARs are the test's. */
uint16_t pcv_test_sriov(struct pcv_test_function *f, uint16_t total,
                        uint16_t enabled, uint16_t offset, uint16_t stride);
/* Advanced error reporting, nothing reported. */
uint16_t pcv_test_aer(struct pcv_test_function *f);
/* One resizable BAR: sizes has bit n for 1 MiB << n, now is that n. */
uint16_t pcv_test_rebar(struct pcv_test_function *f, uint8_t bar,
                        uint32_t sizes, uint8_t now);

/* Capability lists that must not lead anybody astray (CAP-1). Each replaces
 * the function's list with one of two capabilities and this at its end. */
enum pcv_test_bad_list {
    PCV_TEST_LIST_LOOP,
    PCV_TEST_LIST_LOW,
    PCV_TEST_LIST_MISALIGNED,
    PCV_TEST_LIST_ALL_ONES,
};
void pcv_test_bad_list(struct pcv_test_function *f,
                       enum pcv_test_bad_list kind);
void pcv_test_bad_ext_list(struct pcv_test_function *f,
                           enum pcv_test_bad_list kind);

/* ---- machines ----------------------------------------------------------- */

/* Add the function at an address. `f` may be built anew and added again. */
void pcv_test_add(struct pcv_model *model, struct pcv_test_function *f,
                  pcv_sbdf sbdf);
/* A machine of this one function, ready, at PCV_TEST_ALONE (00:03.0). */
#define PCV_TEST_ALONE pcv_test_at(0, 0, 3, 0)
struct pcv_model *pcv_test_alone(struct pcv_test_function *f);
/* A model without functions, and its end of building. */
struct pcv_model *pcv_test_model(void);
void pcv_test_ready(struct pcv_model *model);

/* Accesses as the library's: through routing, counted. */
uint32_t pcv_test_read(struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                       uint8_t size);
void pcv_test_write(struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                    uint8_t size, uint32_t value);

#endif
