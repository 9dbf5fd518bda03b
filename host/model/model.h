/* SPDX-License-Identifier: MIT */
/*
 * The modelled host: a machine made of memory that behaves as hardware does,
 * and implements pcivisor's host operations (SIM-1, SIM-2, SIM-3).
 *
 * A machine is built from text (lspci -xxxx), from the running machine, or by
 * a generator; pcv_model_ready() then works out its wiring, after which it can
 * be given to pcv_host_create() with pcv_model_ops().
 *
 * Everything is deterministic from the seed. A model may be used from several
 * threads once it is ready, except where a comment says otherwise.
 */
#ifndef PCIVISOR_HOST_MODEL_H
#define PCIVISOR_HOST_MODEL_H

#include <stdio.h>

#include "pcivisor/pcivisor.h"

struct pcv_model;

/* Why a host could not be built, for a person. */
struct pcv_model_error {
    unsigned line;  /* of the text, from 1; 0: not about a line */
    char text[240]; /* what is wrong, where, and what was expected */
};

struct pcv_model *pcv_model_create(uint64_t seed);
void pcv_model_destroy(struct pcv_model *model);

/* ---- sources ------------------------------------------------------------ */

/*
 * Add every function of the text of `lspci -xxxx` or `lspci -vvvxxxx`.
 * `name` is for messages. Returns 0, or a negative error number and *error;
 * the model is then to be destroyed. -PCV_EINVAL: the text is damaged.
 */
int pcv_model_load_text(struct pcv_model *model, const char *text, size_t len,
                        struct pcv_model_error *error);

/* As above, from a file. -PCV_ENOENT, -PCV_EIO: it cannot be read. */
int pcv_model_load_file(struct pcv_model *model, const char *path,
                        struct pcv_model_error *error);

/*
 * The running machine, through libpci, read-only: its registers are copied,
 * nothing is ever written to it. host/linux/live.c.
 */
int pcv_model_load_live(struct pcv_model *model, struct pcv_model_error *error);

/*
 * A made-up machine: "segments=1,buses=4,bridges=8,functions=64,multi=4,vfs=8,
 * seed=7,...". Keys and their meaning: pcv_model_generate_help().
 */
int pcv_model_generate(struct pcv_model *model, const char *spec,
                       struct pcv_model_error *error);
const char *pcv_model_generate_help(void);

/* ---- functions ----------------------------------------------------------- */

#define PCV_MODEL_BARS 7u

/* A function as a source describes it. */
struct pcv_model_function {
    pcv_sbdf sbdf;
    uint16_t config_size;  /* 256 or 4096 bytes */
    const uint8_t *config; /* that many; copied */
    /* Bytes; 0: none is stated. 6: ROM. Of a VF: of its PF's VF BARs. A size
     * that is no power of two makes a BAR that answers sizing with nonsense:
     * the bits of ~(size - 1) can be written. */
    uint64_t bar_size[PCV_MODEL_BARS];
    bool bars_stated; /* the source says which BARs exist: one with neither a
                         size nor a value does not exist */
    bool has_node;
    uint32_t node;
    bool vf;          /* an SR-IOV virtual function ... */
    pcv_sbdf physfn;  /* ... of this one */
    const char *name; /* the text's own description, or NULL; copied */
};

/* -PCV_EEXIST: there is a function at that address; -PCV_EINVAL; -PCV_ENOMEM.
 * Before pcv_model_ready() only. */
int pcv_model_add(struct pcv_model *model, const struct pcv_model_function *fn);

/*
 * Work out which bus is behind which bridge, what each register's bits do,
 * and BAR sizes that were not stated. To be called once.
 */
int pcv_model_ready(struct pcv_model *model, struct pcv_model_error *error);

/* What the model knows, beside its registers. */
struct pcv_model_facts {
    pcv_sbdf sbdf;
    uint16_t config_size;
    uint64_t bar_size[PCV_MODEL_BARS];
    bool bar_guessed[PCV_MODEL_BARS]; /* the size is a guess (SIM-1) */
    bool present;                     /* not pulled */
    bool vf;
    pcv_sbdf physfn;
    const char *name; /* borrowed, or NULL */
};

size_t pcv_model_count(const struct pcv_model *model);
/* The index-th function in address order. False past the last. */
bool pcv_model_facts_at(const struct pcv_model *model, size_t index,
                        struct pcv_model_facts *out);
bool pcv_model_facts_of(const struct pcv_model *model, pcv_sbdf sbdf,
                        struct pcv_model_facts *out);

/* The root bus above a function, by the number that the root complex shows it
 * at. False if there is no such function. After pcv_model_ready(). */
bool pcv_model_root_of(const struct pcv_model *model, pcv_sbdf sbdf,
                       uint8_t *out_bus);

/* Addresses that a function answers at, or forwards. */
struct pcv_model_span {
    pcv_sbdf sbdf;
    bool io;
    uint64_t start;
    uint64_t size; /* bytes, not 0 */
};

/*
 * Tell `fn` of every BAR and ROM that has an address, decoded or not, of the
 * VF BARs for all VFs that there can be, and of every open window of a bridge,
 * as the registers say now. It must be called while nothing else runs.
 */
void pcv_model_spans(const struct pcv_model *model,
                     void (*fn)(void *arg, const struct pcv_model_span *span),
                     void *arg);

/*
 * How a segment is called by people: sources may use domain numbers above
 * ffff (Intel VMD: 10000), which the model keeps at a 16-bit segment.
 */
uint32_t pcv_model_domain_of(const struct pcv_model *model, uint16_t segment);
/* The segment that stands for a domain number, made if there is none yet: the
 * number itself up to ffff, else a free one from ffff downwards. Before
 * pcv_model_ready() only. -PCV_ENOSPC. */
int pcv_model_intern_domain(struct pcv_model *model, uint32_t domain,
                            uint16_t *out_segment);
/* The segment for such a number; false if the model has none. */
bool pcv_model_segment_of(const struct pcv_model *model, uint32_t domain,
                          uint16_t *out_segment);

/* ---- as a tester's hands and eyes --------------------------------------- */

/* A register straight from the function's memory: no routing, no side effect,
 * nothing counted. size 1, 2 or 4. All ones if there is no such function. */
uint32_t pcv_model_peek(const struct pcv_model *model, pcv_sbdf sbdf,
                        uint16_t reg, uint8_t size);
/* Change a register's bits behind everybody's back, read-only ones too. */
void pcv_model_poke(struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                    uint8_t size, uint32_t value);
/* Bits of the dword at `reg` that a write from software can change. */
uint32_t pcv_model_writable(const struct pcv_model *model, pcv_sbdf sbdf,
                            uint16_t reg);

/* Pull a function (and whatever is behind it, and its VFs) out, without
 * warning; or plug what was pulled in again, as after power-on: a bridge has
 * no bus numbers then. Its slot reports both. -PCV_ENODEV. */
int pcv_model_pull(struct pcv_model *model, pcv_sbdf sbdf);
int pcv_model_plug(struct pcv_model *model, pcv_sbdf sbdf);

/* Let transactions of a function be pending for so long after its bus mastering
 * goes off (and while it is on); 0: none are, UINT64_MAX: for ever.
 * -PCV_ENODEV.
 */
int pcv_model_set_pending(struct pcv_model *model, pcv_sbdf sbdf, uint64_t us);

/* How a function can be reset, from now on: only by these. -PCV_EINVAL: it does
 * not have the capability. */
#define PCV_MODEL_RESET_FLR 1u
#define PCV_MODEL_RESET_AF 2u
#define PCV_MODEL_RESET_D3 4u /* D3hot to D0, without No_Soft_Reset */
int pcv_model_set_resets(struct pcv_model *model, pcv_sbdf sbdf, uint32_t ways);

/* Make a function answer all ones without being gone (D3cold), or end that. */
int pcv_model_set_dead(struct pcv_model *model, pcv_sbdf sbdf, bool dead);

/* ---- messages: MSI and MSI-X into a modelled interrupt controller -----------
 */

/* What became of a message. */
enum pcv_model_raised {
    PCV_MODEL_DELIVERED,
    PCV_MODEL_MASKED,    /* its pending bit is set; it goes when unmasked */
    PCV_MODEL_DISABLED,  /* MSI or MSI-X is off, or has no such vector */
    PCV_MODEL_NO_MASTER, /* bus mastering is off, or it is not in D0 */
    PCV_MODEL_UNKNOWN,   /* nobody bound such a message: it is lost */
    PCV_MODEL_FOREIGN,   /* bound for another requester: it is lost */
};

const char *pcv_model_raised_name(enum pcv_model_raised raised);

/* A message that reached somebody. */
struct pcv_model_message {
    pcv_sbdf sbdf;      /* who sent it */
    uint32_t domain_id; /* who got it, and with which address and data */
    uint64_t address;
    uint32_t data;
};

/* The function raises a vector: from what stands in its registers and its MSI-X
 * table now, the message is built, sent, and looked up by the interrupt
 * controller. *out_message is written if it was delivered. */
enum pcv_model_raised pcv_model_raise(struct pcv_model *model, pcv_sbdf sbdf,
                                      bool msix, uint16_t vector,
                                      struct pcv_model_message *out_message);
/* Each delivered message goes to `fn`, also those that were pending. */
void pcv_model_on_message(struct pcv_model *model,
                          void (*fn)(void *arg,
                                     const struct pcv_model_message *message),
                          void *arg);
/* Messages that are bound now, of one requester (NULL: of all). */
uint64_t pcv_model_bound(const struct pcv_model *model, const pcv_sbdf *sbdf);
/* Binds that broke the contract (a block not aligned, a count that is no power
 * of two) and unbinds of what was not bound: bugs of the library. */
uint64_t pcv_model_bind_errors(const struct pcv_model *model);

/* ---- DMA, through a modelled IOMMU -----------------------------------------
 */

/* Which domain's memory a requester ID reaches; quarantine: none. Requesters
 * that nobody attached reach the hardware domain's. */
uint32_t pcv_model_dma_domain(const struct pcv_model *model, pcv_sbdf sbdf);
/* The function reads or writes memory: 0 and whose it was; -PCV_EPERM: bus
 * mastering is off or it is not in D0; -PCV_EFAULT: the IOMMU blocked it;
 * -PCV_ENODEV. */
int pcv_model_dma(struct pcv_model *model, pcv_sbdf sbdf, uint64_t address,
                  bool write, uint32_t *out_domain_id);
uint64_t pcv_model_dma_faults(const struct pcv_model *model);
/* From now on its DMA comes under this requester ID, whatever the function and
 * the bridges above are: a phantom function's, or that of a chip that does not
 * keep to the rules. NULL: no more. 0 or -PCV_ENODEV. */
int pcv_model_send_as(struct pcv_model *model, pcv_sbdf sbdf,
                      const pcv_sbdf *as);

/* A request that the IOMMU blocked. */
struct pcv_model_fault {
    pcv_sbdf requester;
    uint64_t address;
    bool write;
};

/* As many faults wait as a queue of hardware holds; more are lost, and counted.
 */
#define PCV_MODEL_FAULTS 128u

/* The oldest fault that waits, for the port to tell of; false: none does. */
bool pcv_model_next_fault(struct pcv_model *model,
                          struct pcv_model_fault *out_fault);
uint64_t pcv_model_lost_faults(const struct pcv_model *model);
/* Tell the library of all that waits, as the interrupt of an IOMMU does: true
 * if it has work. */
bool pcv_model_tell_faults(struct pcv_model *model, struct pcv_host *host);

/*
 * Firmware reserves memory that a requester must reach for ever, as an RMRR
 * does: the hardware domain's context has it, and dma_attach refuses every
 * guest the requester with -PCV_EPERM. size 0 ends all that it has.
 * -PCV_EINVAL: it wraps; -PCV_ENOMEM.
 */
int pcv_model_reserve_dma(struct pcv_model *model, pcv_sbdf requester,
                          uint64_t start, uint64_t size);

/* ---- memory behind BARs
 * ------------------------------------------------------
 */

/* MSI-X tables and pending bits behave as such; every other byte of a memory
 * BAR is storage that starts as zero. size 1, 2, 4 or 8, aligned. All ones
 * where the function has no such byte. No decoding, nothing counted. */
uint64_t pcv_model_mmio_peek(struct pcv_model *model, pcv_sbdf sbdf,
                             uint8_t bar, uint64_t offset, uint8_t size);
void pcv_model_mmio_poke(struct pcv_model *model, pcv_sbdf sbdf, uint8_t bar,
                         uint64_t offset, uint8_t size, uint64_t value);
/* As software of a domain reaches guest-physical memory that is mapped for it:
 * 0; -PCV_EFAULT: nothing is mapped there, or it is for reading only and this
 * is a write, so the access traps. What is mapped but not decoded by any
 * function reads all ones. */
int pcv_model_mmio_access(struct pcv_model *model, uint32_t domain_id,
                          pcv_gpa address, uint8_t size, bool write,
                          uint64_t *inout_value);
/* Where a mapped page leads; false if it is not mapped. */
bool pcv_model_translate(const struct pcv_model *model, uint32_t domain_id,
                         uint64_t page, uint64_t *out_host_page);

/* ---- time and quirks
 * ---------------------------------------------------------
 */

/* The model's clock, as now_us answers it. Off (as it starts), each question is
 * answered a second later than the one before, so that nothing is ever waited
 * for; on, it moves only by pcv_model_advance_us(). */
void pcv_model_set_clock(struct pcv_model *model, bool on);
void pcv_model_advance_us(struct pcv_model *model, uint64_t us);
/* While it is off: each question is answered alike, from `on` to its end. For
 * what takes no time on a machine either; it may be held several times. */
void pcv_model_hold_clock(struct pcv_model *model, bool on);
/* Configuration accesses to a function within the time after a reset in which
 * it must be left alone, and buses that were held in reset for too short a
 * time. Counted while the clock is on. */
uint64_t pcv_model_early_accesses(const struct pcv_model *model);

enum pcv_model_extended {
    PCV_MODEL_EXT_NORMAL,
    PCV_MODEL_EXT_ONES,    /* reads all ones */
    PCV_MODEL_EXT_ALIASED, /* each 256 bytes are the first ones again */
};
int pcv_model_set_extended(struct pcv_model *model, pcv_sbdf sbdf,
                           enum pcv_model_extended how);
/* What ecam_usable answers; all usable at first. */
void pcv_model_set_ecam(struct pcv_model *model, uint16_t segment,
                        uint8_t bus_first, uint8_t bus_last, bool usable);
/* What intx_pin answers for every function: the device's own pin, or 0. */
void pcv_model_set_intx(struct pcv_model *model, bool on);
/* Crashes that the library asked for, and the last domain. */
uint64_t pcv_model_crashes(const struct pcv_model *model,
                           uint32_t *out_domain_id);

/* ---- host operations ------------------------------------------------------
 */

const struct pcv_host_ops *pcv_model_ops(void); /* ctx is the model */

/* Kinds of host operations, for failures and counts. */
#define PCV_MODEL_OPS(X)                                                       \
    X(alloc)                                                                   \
    X(cfg_read)                                                                \
    X(cfg_write)                                                               \
    X(segment)                                                                 \
    X(node)                                                                    \
    X(map)                                                                     \
    X(map_read_only)                                                           \
    X(unmap)                                                                   \
    X(mmio_read)                                                               \
    X(mmio_write)                                                              \
    X(msi_bind)                                                                \
    X(dma_attach)                                                              \
    X(bar_place)                                                               \
    X(dma_permitted)

#define PCV_MODEL_OP_ENUM(name) PCV_MODEL_OP_##name,
enum pcv_model_op { PCV_MODEL_OPS(PCV_MODEL_OP_ENUM) PCV_MODEL_OP_COUNT };
#undef PCV_MODEL_OP_ENUM

const char *pcv_model_op_name(enum pcv_model_op op);
/* False if there is no such operation. */
bool pcv_model_op_by_name(const char *name, enum pcv_model_op *out);

/* Make the nth call (from 1) of this kind fail from now on counted, once;
 * nth 0 withdraws it. alloc returns NULL, others -PCV_EIO. A failed unmap has
 * unmapped its pages nevertheless, since the library takes them as such. */
void pcv_model_fail(struct pcv_model *model, enum pcv_model_op op,
                    uint64_t nth);
/* Calls of this kind so far. */
uint64_t pcv_model_calls(const struct pcv_model *model, enum pcv_model_op op);
/* Bytes that the library holds through alloc now. */
uint64_t pcv_model_bytes(const struct pcv_model *model);
/* Pages that are mapped now, for all domains; and whether one is. */
uint64_t pcv_model_mapped_pages(const struct pcv_model *model);
bool pcv_model_is_mapped(const struct pcv_model *model, uint32_t domain_id,
                         uint64_t page);
/* Whether it is mapped, but for reading only. */
bool pcv_model_is_read_only(const struct pcv_model *model, uint32_t domain_id,
                            uint64_t page);
/* Mapping a page that is mapped, but to let it be written or not, or unmapping
 * one that is not, is a bug of the library: how many such calls there were. */
uint64_t pcv_model_map_errors(const struct pcv_model *model);
/* map and unmap do at most this many pages a call; 0: no bound. */
void pcv_model_set_map_chunk(struct pcv_model *model, uint64_t pages);

/* Let the host state the size of a BAR (6: ROM; size 0: it does not exist), as
 * bar_hint answers it. Host bridges have their own sizes stated anyway.
 * -PCV_EINVAL, -PCV_ENOMEM. It must be set while nothing else runs. */
int pcv_model_set_bar_hint(struct pcv_model *model, pcv_sbdf sbdf, uint8_t bar,
                           uint64_t size);

/* Every physical configuration access is told to `fn` (NULL: nobody). It must
 * be set while nothing else runs. */
struct pcv_model_cfg {
    pcv_sbdf sbdf;
    uint16_t reg;
    uint8_t size;
    bool write;
    uint32_t value;
};
void pcv_model_watch(struct pcv_model *model,
                     void (*fn)(void *arg, const struct pcv_model_cfg *access),
                     void *arg);

/* Events and trace records of the library go to `fn` (NULL: nobody). */
void pcv_model_on_event(struct pcv_model *model,
                        void (*fn)(void *arg, const struct pcv_event *event),
                        void *arg);
void pcv_model_on_trace(struct pcv_model *model,
                        void (*fn)(void *arg, const struct pcv_trace *record),
                        void *arg);

/* As firmware leaves it that numbers nothing: every bridge's bus numbers are
 * zero. Functions keep the names that their source gave them. */
void pcv_model_unnumber(struct pcv_model *model);

/* A host on the model that knows of no function yet. */
int pcv_model_host(struct pcv_model *model, struct pcv_host **out_host);

/* Bring-up as the hypervisor's boot does it: create a host on the model, scan,
 * then report functions that a scan cannot find (as firmware or the hardware
 * domain would). *out_reported says how many those were. */
int pcv_model_boot(struct pcv_model *model, struct pcv_host **out_host,
                   struct pcv_scan *out_scan, uint32_t *out_reported);

#endif
