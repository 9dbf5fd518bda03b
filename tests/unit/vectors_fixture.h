/* SPDX-License-Identifier: MIT */
/*
 * One function with MSI or MSI-X, driven by its owner, the hardware domain or a
 * guest, with everything that passes between library and host counted: for
 * tests of vectors.
 *
 *     struct vec vec;
 *
 *     vec_open(&vec);
 *     pcv_test_pcie_endpoint(&vec.f, 0x8086, 0x10d3);
 *     vec.cap = pcv_test_msi(&vec.f, 0x0084);
 *     vec_start(&vec, true);
 *     vec_write(&vec, vec.cap + 2u, 2, 1);
 *     vec_close(&vec);
 */
#ifndef PCV_TESTS_UNIT_VECTORS_FIXTURE_H
#define PCV_TESTS_UNIT_VECTORS_FIXTURE_H

#include "engine_fixture.h"
#include "vpci/cap.h"

#define VEC_AT pcv_test_at(0, 0, 1, 0) /* where it stands */
#define VEC_GUEST 7u
#define VEC_LOG 8192u

struct vec_mmio {
    uint64_t address;
    uint8_t size;
    bool write;
    uint64_t value;
};

struct vec {
    struct rig rig;
    struct pcv_test_function f;
    uint16_t cap; /* where the capability stands: the test's to set */
    struct pcv_assign_policy policy; /* of the guest */
    void (*before)(struct vec *vec); /* called before it is added, or NULL */
    bool guest;
    struct pcv_domain *owner;
    pcv_sbdf at; /* where the owner finds it */
    struct pcv_device *device;

    /* What the host was asked. */
    unsigned binds, unbinds;
    struct pcv_msi_request request; /* of the last bind */
    struct pcv_msi_message message; /* and what it answered */
    struct vec_mmio log[VEC_LOG];
    size_t logged; /* mmio accesses since vec_forget() */

    /* What the host does. */
    unsigned fail_bind;  /* how many binds until one fails; 0: none does */
    bool refuse;         /* all binds fail */
    int refusal;         /* with this; 0: -PCV_EIO */
    unsigned fail_mmio;  /* likewise, of writes */
    bool fail_reads;     /* mmio reads fail */
    uint64_t or_address; /* what is wrong with its answers */
    uint32_t or_data;
};

/* Empty; a host's operations, which a test may change; `f` is to be filled. */
void vec_open(struct vec *vec);
/* The function is there, its host and its owner; what was counted is
 * forgotten. */
void vec_start(struct vec *vec, bool guest);
/* The same for the hardware domain alone, nothing forgotten. */
void vec_boot(struct vec *vec);
/* Let it go to a guest, or back. */
void vec_give(struct vec *vec);
void vec_take_back(struct vec *vec);
/* The end, with nothing bound, nothing held and nothing leaked. */
void vec_close(struct vec *vec);
void vec_forget(struct vec *vec);

/* The owner's accesses to configuration space, to their end. */
uint32_t vec_read(struct vec *vec, uint32_t reg, uint8_t size);
void vec_write(struct vec *vec, uint32_t reg, uint8_t size, uint32_t value);
/* What hardware has. */
uint32_t vec_hw(const struct vec *vec, uint32_t reg, uint8_t size);

/* The owner's accesses to a page of a BAR that traps. False: none of MSI-X's
 * registers. */
bool vec_mmio_read(struct vec *vec, uint8_t bar, uint64_t offset, uint8_t size,
                   uint64_t *out_value);
bool vec_mmio_write(struct vec *vec, uint8_t bar, uint64_t offset, uint8_t size,
                    uint64_t value);

/* Hardware's entry: a dword of it. */
uint32_t vec_entry(const struct vec *vec, uint8_t bar, uint32_t table,
                   uint32_t index, uint32_t dword);

/* References that vectors hold. */
uint32_t vec_held(struct vec *vec);
/* What the device sends for a vector; the owner's data, if it was delivered
 * with the owner's address to the owner. */
enum pcv_model_raised vec_raise(struct vec *vec, bool msix, uint16_t vector,
                                uint64_t *out_address, uint32_t *out_data);
/* A capability of the view, whether it is shown or not; NULL: there is none. */
struct pcv__cap *vec_cap(struct vec *vec, uint16_t id);
/* Where the owner's list has a capability, or 0. */
uint16_t vec_listed(struct vec *vec, uint8_t id);
/* The function is reset at its owner's word, as far as capabilities go, or
 * behind its back. */
void vec_reset(struct vec *vec);
void vec_restore(struct vec *vec);
void vec_teardown(struct vec *vec);

/* Numbers that are the same in every run. */
uint32_t vec_random(uint64_t *state);

#endif
