/* SPDX-License-Identifier: MIT */
/*
 * What the modelled machine has beside registers, shared by its files: memory
 * behind BARs and who decodes it, messages, DMA, time, and quirks.
 *
 * Locking: all of it is under model->lock, but for what is atomic. A message
 * that is delivered goes to on_message after the lock is given back, in the
 * order in which it was sent: whoever may cause one ends with
 * pcv__model_unlock_tell().
 */
#ifndef PCV_HOST_MODEL_MACHINE_H
#define PCV_HOST_MODEL_MACHINE_H

#include "internal.h"

/* ---- power.c: whether a function takes part at all ----------------------- */

/* It answers, and so do all bridges above it. */
bool pcv__model_is_there(const struct pcv__model_fn *fn);
/* Not in D0; a VF sleeps with its PF (PCI Express Base 6.0, 9.6). */
bool pcv__model_is_asleep(const struct pcv__model_fn *fn);
/* Awake, there, and allowed to send requests. Windows and bus mastering of the
 * bridges above are not looked at. */
bool pcv__model_can_send(const struct pcv__model_fn *fn);
/* The requester ID that it sends with: its devfn on the number that its bus has
 * now. Locked. */
pcv_sbdf pcv__model_requester_locked(const struct pcv_model *model,
                                     const struct pcv__model_fn *fn);

/* The requester ID under which its messages arrive: bridges from and to
 * conventional PCI send on in their own name (PCI Express to PCI/PCI-X Bridge
 * 1.0, 2.3). Locked. */
pcv_sbdf pcv__model_forwarded_locked(const struct pcv_model *model,
                                     const struct pcv__model_fn *fn);

/* The one under which the IOMMU sees its DMA: the same, but for a chip that
 * does not keep to the rules. Locked. */
pcv_sbdf pcv__model_sender_locked(const struct pcv_model *model,
                                  const struct pcv__model_fn *fn);

/* ---- decode.c: which BAR an address is in -------------------------------- */

/* A memory BAR or ROM of a function, a VF's being its share of its PF's. */
struct pcv__model_memory {
    enum pcv__model_bar_kind kind; /* NONE for one of I/O too */
    uint64_t start;                /* as the registers say */
    uint64_t size;
    bool decodes; /* it is switched on, and of a size that can be decoded */
};

void pcv__model_memory_look(const struct pcv__model_fn *fn, uint32_t bar,
                            struct pcv__model_memory *out);
/* Something changed that decoding depends on. Locked. */
void pcv__model_decode_forget_locked(struct pcv_model *model,
                                     struct pcv__model_fn *fn);
/* The function that decodes an address now, with BAR and offset; of several the
 * first in address order. *out_fn is NULL if there is none. -PCV_ENOMEM.
 * Locked. */
int pcv__model_decode_locked(struct pcv_model *model, uint64_t address,
                             struct pcv__model_fn **out_fn, uint32_t *out_bar,
                             uint64_t *out_offset);
void pcv__model_decode_free(struct pcv_model *model);

/* ---- memory.c: what is behind BARs --------------------------------------- */

/* Host operations. */
int pcv__model_op_mmio_read(void *ctx, pcv_hpa address, uint8_t size,
                            uint64_t *out_value);
int pcv__model_op_mmio_write(void *ctx, pcv_hpa address, uint8_t size,
                             uint64_t value);
/* What BARs held is gone, ROMs apart. Locked. */
void pcv__model_storage_reset_locked(struct pcv__model_fn *fn);
void pcv__model_storage_free(struct pcv__model_fn *fn);

/* ---- vectors.c: MSI-X table and pending bits ----------------------------- */

#define PCV__MODEL_VECTORS 2048u /* as many as a table can have */

/* The table's dwords, four an entry, and pending bits, as vectors.c keeps them
 * for a function that is not as after reset. */
struct pcv__model_vectors {
    uint32_t pending[PCV__MODEL_VECTORS / 32];
    uint32_t entries; /* that follow */
    uint32_t table[][4];
};

/* How many entries the control register names: 0 without MSI-X. */
uint32_t pcv__model_msix_entries(const struct pcv__model_fn *fn);
/* A dword of an entry, and a bit of the pending ones. Storing them fails with
 * false without memory. Locked. */
uint32_t pcv__model_entry_get(const struct pcv__model_fn *fn, uint32_t entry,
                              uint32_t dword);
bool pcv__model_entry_set(struct pcv__model_fn *fn, uint32_t entry,
                          uint32_t dword, uint32_t value);
bool pcv__model_msix_pending_get(const struct pcv__model_fn *fn,
                                 uint32_t entry);
bool pcv__model_msix_pending_set(struct pcv__model_fn *fn, uint32_t entry,
                                 bool on);

/* Where an access inside a BAR lands in MSI-X. */
enum pcv__model_msix_place {
    PCV__MSIX_ELSEWHERE,
    PCV__MSIX_TABLE,
    PCV__MSIX_PENDING,
};

/* *out_dword: of the table, or of the pending bits. */
enum pcv__model_msix_place pcv__model_msix_place(const struct pcv__model_fn *fn,
                                                 uint32_t bar, uint64_t offset,
                                                 uint32_t *out_dword);
/* One dword there, whoever asks. Locked. */
uint32_t pcv__model_msix_dword(const struct pcv__model_fn *fn,
                               enum pcv__model_msix_place place,
                               uint32_t dword);
bool pcv__model_msix_dword_set(struct pcv__model_fn *fn,
                               enum pcv__model_msix_place place, uint32_t dword,
                               uint32_t value);
/* Masked, nothing pending, no address. Locked. */
void pcv__model_vectors_reset_locked(struct pcv__model_fn *fn);

/* ---- messages.c: what a function sends ----------------------------------- */

/* Send what is pending and may go now, also of its VFs. Locked. */
void pcv__model_flush_locked(struct pcv_model *model, struct pcv__model_fn *fn);
/* No message of MSI is pending any more. Locked. */
void pcv__model_msi_reset_locked(struct pcv__model_fn *fn);
/* Give the lock back, then tell on_message of what was delivered. */
void pcv__model_unlock_tell(struct pcv_model *model);

/* ---- remap.c: the interrupt controller ----------------------------------- */

/* What the library bound last, and how it is found. */
struct pcv__model_binding {
    struct pcv_msi_request request;
    struct pcv_msi_message message;
    uint32_t block; /* its place in the controller's table */
};

/* Everything that is known of one requester ID. */
struct pcv__model_requester {
    uint32_t sbdf;
    uint32_t bound; /* messages */
    bool attached;
    uint32_t domain_id; /* if attached */
    struct pcv__model_binding *msi;
    struct pcv__model_binding **msix; /* by entry */
    uint32_t msix_room;
};

/* Where messages are written: [start, end) of physical memory. */
#define PCV__MODEL_DOORBELL UINT64_C(0xfee00000)
#define PCV__MODEL_DOORBELL_END UINT64_C(0xfef00000)

/* NULL if nothing is known; made if need be: NULL without memory. Locked. */
struct pcv__model_requester *pcv__model_requester_find(
    const struct pcv_model *model, pcv_sbdf sbdf);
struct pcv__model_requester *pcv__model_requester_make(struct pcv_model *model,
                                                       pcv_sbdf sbdf);
/* A write of a message reaches the controller. Locked. */
enum pcv_model_raised pcv__model_message_locked(
    const struct pcv_model *model, pcv_sbdf requester, uint64_t address,
    uint32_t data, struct pcv_model_message *out_message);
/* Host operations. */
int pcv__model_op_msi_bind(void *ctx, const struct pcv_msi_request *request,
                           struct pcv_msi_message *out_message);
void pcv__model_op_msi_unbind(void *ctx, const struct pcv_msi_request *request);
bool pcv__model_remap_make(struct pcv_model *model);
void pcv__model_remap_free(struct pcv_model *model);

/* ---- dma.c, place.c, clock.c, quirks.c ----------------------------------- */

int pcv__model_op_dma_attach(void *ctx, pcv_sbdf requester, uint32_t domain_id);
int pcv__model_op_dma_permitted(void *ctx, pcv_sbdf requester,
                                uint32_t domain_id);
bool pcv__model_dma_make(struct pcv_model *model);
void pcv__model_dma_free(struct pcv_model *model);
/* A reset takes the addresses of a function's BARs, which are still its own.
 * Locked. */
void pcv__model_remember_locked(struct pcv__model_fn *fn);
int pcv__model_op_bar_place(void *ctx, pcv_sbdf sbdf, uint8_t bar,
                            uint64_t size, pcv_hpa *out_address);

/* The times in which a function must be left alone (PCI Express Base 6.0,
 * 6.6.2, 9.2.1 and 5.9), in microseconds. */
#define PCV__MODEL_QUIET_RESET_US UINT64_C(100000)
#define PCV__MODEL_QUIET_WAKE_US UINT64_C(10000)

uint64_t pcv__model_op_now_us(void *ctx);
/* From now on for so long. Locked. */
void pcv__model_quiet_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             uint64_t us);
void pcv__model_quiet_below_locked(struct pcv_model *model,
                                   struct pcv__model_fn *bridge, uint64_t us);
void pcv__model_quiet_vfs_locked(struct pcv_model *model,
                                 struct pcv__model_fn *pf, uint64_t us);
bool pcv__model_is_quiet(const struct pcv_model *model,
                         const struct pcv__model_fn *fn);

/* ---- pending.c ----------------------------------------------------------- */

/* What a register says beside its memory: transactions that are pending. */
uint32_t pcv__model_pending_bits(const struct pcv_model *model,
                                 const struct pcv__model_fn *fn, uint16_t reg,
                                 uint8_t size);
/* The command register was written; bus mastering went off. Locked. */
void pcv__model_drain_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             bool silenced);
/* A bridge begins to hold its bus in reset, or lets it go. Locked. */
void pcv__model_hold_locked(struct pcv_model *model,
                            struct pcv__model_fn *bridge, bool held);

/* Whether a configuration access reaches the function's registers, and which.
 * False: reads answer all ones, writes are lost. */
bool pcv__model_reaches(struct pcv_model *model, const struct pcv__model_fn *fn,
                        pcv_sbdf sbdf, uint16_t *inout_reg);
int pcv__model_op_ecam_usable(void *ctx, uint16_t segment, uint8_t bus);
int pcv__model_op_intx_pin(void *ctx, uint32_t domain_id, pcv_sbdf sbdf);
void pcv__model_op_crash(void *ctx, uint32_t domain_id, pcv_sbdf sbdf,
                         int error);

#endif
