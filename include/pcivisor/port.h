/* SPDX-License-Identifier: MIT */
/*
 * The port contract: everything that pcivisor asks of the hypervisor that
 * embeds it. One table of operations, one context pointer.
 *
 * Rules that hold for every operation:
 *   - It is called with `ctx`, the pointer given to pcv_host_create().
 *   - It must not call back into pcivisor unless its comment says so.
 *   - It may be called on several CPUs at once; locking is the host's.
 *   - It may fail at any call. A failure is a negative number from
 *     pcivisor/errno.h; the library undoes what it had begun.
 *   - "locked" means: may be called with library spinlocks held and, if
 *     irq_save is given, interrupts off; such an operation must not sleep.
 */
#ifndef PCIVISOR_PORT_H
#define PCIVISOR_PORT_H

#include "pcivisor/types.h"

struct pcv_event;
struct pcv_trace;
struct pcv_vector;

/* A run of buses of one segment that the host's root complex serves. */
struct pcv_segment_info {
    uint16_t segment;
    uint8_t bus_first;
    uint8_t bus_last; /* inclusive */
};

/* What the host knows about a BAR without asking the device. */
struct pcv_bar_hint {
    uint64_t size; /* bytes, a power of two; 0: the BAR does not exist */
};

/*
 * A message that a device may send: what its owner programmed, and what stands
 * in the device for it (PCI Local Bus 3.0, 6.8).
 */
struct pcv_msi_request {
    pcv_sbdf sbdf; /* who sends */
    /* Under which requester ID its messages arrive: its own, or what the bridge
     * of conventional PCI nearest to the root makes of it (TOPO-5). Several
     * functions may have the same. */
    pcv_sbdf requester;
    uint32_t domain_id; /* whose interrupt it is */
    bool msix;
    uint16_t index;   /* MSI-X: the entry; MSI: 0 */
    uint16_t count;   /* MSI: 1, 2, 4 ... 32 messages, data + 0 to count - 1,
                         inside one block of data aligned to it; MSI-X: 1 */
    uint64_t address; /* as the owner wrote it: untrusted */
    uint32_t data;    /* likewise; MSI: 16 bits, low bits of the block zero */
};

struct pcv_msi_message {
    uint64_t address; /* physical; above 4 GiB only where the device can */
    uint32_t data;    /* MSI: the low bits of the block are zero */
};

/* Flags of pcv_host_ops.function_flags. IN_USE: the hypervisor drives the
 * function itself, so it is never disturbed. */
#define PCV_FUNCTION_IN_USE 1u

struct pcv_host_ops {
    /* sizeof(struct pcv_host_ops) at the time the host was compiled. Entries
     * beyond it read as absent, so that a table may grow. */
    size_t size;

    /*
     * Memory. Required. Zeroing is the library's; alignment is that of
     * max_align_t. alloc returns NULL when there is none. free gets the size
     * that was asked for. Context: any; locked.
     */
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *ptr, size_t size);

    /*
     * Physical configuration access: 1, 2 or 4 bytes, naturally aligned, reg
     * below 4096. Required. Exactly one bus access of exactly that width. A
     * function that is absent reads all ones and returns 0; a negative result
     * means that the host could not perform the access (the library then
     * answers all ones). Registers at or above 0x100 are asked for only where
     * pcv_host_set_ecam() or ecam_usable said yes. Context: any; locked.
     */
    int (*cfg_read)(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                    uint32_t *out_value);
    int (*cfg_write)(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                     uint32_t value);

    /*
     * Which buses exist: the index-th run of buses, index from 0.
     * -PCV_ENOENT past the last. Required. Context: any.
     */
    int (*segment)(void *ctx, uint32_t index,
                   struct pcv_segment_info *out_info);

    /*
     * Whether extended configuration space of a bus can be reached, where
     * pcv_host_set_ecam() has said nothing. Optional; without it no device has
     * extended space until that is called. Returns 1 or 0.
     * Context: control operations.
     */
    int (*ecam_usable)(void *ctx, uint16_t segment, uint8_t bus);

    /*
     * NUMA node of a function. Optional; without it, or with a negative
     * result, the node is PCV_NODE_NONE unless the add named one.
     * Context: control operations.
     */
    int (*node)(void *ctx, pcv_sbdf sbdf, uint32_t *out_node);

    /*
     * What the host states about BAR `bar` (0 to 5, 6 is the ROM), used in
     * place of sizing. Optional. -PCV_ENOENT: nothing is known, size it.
     * Context: control operations.
     */
    int (*bar_hint)(void *ctx, pcv_sbdf sbdf, uint8_t bar,
                    struct pcv_bar_hint *out_hint);

    /*
     * PCV_FUNCTION_* flags of a function. Optional; 0 without it.
     * Context: control operations.
     */
    uint32_t (*function_flags)(void *ctx, pcv_sbdf sbdf);

    /*
     * Whether a domain may have this host-physical range mapped: it is MMIO
     * and access is permitted. Optional; without it nothing is ever mapped.
     * Returns 1 or 0. Context: any; locked.
     */
    int (*mmio_permitted)(void *ctx, uint32_t domain_id, pcv_hpa start,
                          uint64_t size);

    /*
     * Map `pages` pages of host MMIO at `gpa` for a domain, or unmap them.
     * Optional, both or neither. Returns the number of pages done, at least 1,
     * or a negative error (nothing done). Fewer than asked means that the host
     * wants to be asked again later: the library reports pending or restart.
     * unmap must not fail for a range that was mapped; an error there is
     * reported as an event and the pages are taken as unmapped.
     * Context: any; locked.
     */
    int64_t (*map)(void *ctx, uint32_t domain_id, pcv_gpa gpa, pcv_hpa hpa,
                   uint64_t pages);
    int64_t (*unmap)(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                     uint64_t pages);

    /*
     * A device goes: free this vector now. Return 0 when it is free (the
     * library detaches it), or -PCV_EBUSY when the host will call
     * pcv_vector_detach() later. Optional; without it every vector waits for
     * its detach. Context: control operations; locked.
     */
    int (*vector_release)(void *ctx, struct pcv_vector *vector);

    /*
     * Something that a log or an administrator wants to know. Optional. The
     * record is borrowed for the call. Context: any; locked.
     */
    void (*event)(void *ctx, const struct pcv_event *event);

    /*
     * One record per access while tracing is on (pcv_host_set_trace).
     * Optional. Context: any.
     */
    void (*trace)(void *ctx, const struct pcv_trace *record);

    /*
     * Interrupts off and back, around every spinlock of the library. Optional,
     * both or neither; needed when pcivisor is entered from interrupts.
     */
    uintptr_t (*irq_save)(void *ctx);
    void (*irq_restore)(void *ctx, uintptr_t flags);

    /* A hint to the CPU inside a spin. Optional. */
    void (*relax)(void *ctx);

    /*
     * Number of this CPU, 0 to pcv_host_config.cpus - 1. The caller does not
     * move to another CPU while a lock of the library is held. Required in
     * debug builds (PCV_DEBUG), where lock order is checked.
     */
    uint32_t (*this_cpu)(void *ctx);

    /*
     * The library found a bug of its own or of the port (debug builds). It
     * should not return; if it does, the library goes on. Optional.
     */
    void (*bug)(void *ctx, const char *file, int line, const char *what);

    /*
     * Time since some moment in microseconds, never going back. Optional;
     * without it the times that the specification gives a device after a reset
     * (SRIOV-3) are taken as over at once, and it is the host that must not let
     * the vCPU run on before. Context: any; locked.
     */
    uint64_t (*now_us)(void *ctx);

    /*
     * Physical MMIO access of 1, 2, 4 or 8 bytes, naturally aligned, inside a
     * BAR. Optional, both or neither; without them a BAR whose pages are not
     * mapped page for page reads all ones, and MSI-X is hidden. A negative
     * result: all ones, or the write is lost. Context: any; locked.
     */
    int (*mmio_read)(void *ctx, pcv_hpa address, uint8_t size,
                     uint64_t *out_value);
    int (*mmio_write)(void *ctx, pcv_hpa address, uint8_t size, uint64_t value);

    /*
     * Let a message of a device reach its owner: translate what the owner
     * programmed into what the device is to send. Optional, both or neither;
     * without them MSI and MSI-X are hidden from every domain. Binding what is
     * bound already replaces it; if that fails the old binding is gone.
     * A function's vector is known by `sbdf`, `msix` and `index`; all that it
     * has bound at a time are of one `requester`, which a host that looks at
     * who sends a message expects them from.
     * A negative result refuses: the vector stays disabled. msi_unbind gets the
     * request that was bound. Context: any; locked.
     */
    int (*msi_bind)(void *ctx, const struct pcv_msi_request *request,
                    struct pcv_msi_message *out_message);
    void (*msi_unbind)(void *ctx, const struct pcv_msi_request *request);

    /*
     * DMA of a requester ID goes to the memory of a domain from now on;
     * PCV_DOMAIN_ID_QUARANTINE blocks it; PCV_DOMAIN_ID_HYPERVISOR: the host
     * drives the function itself, and its DMA is the host's own affair. A
     * function that moves with bus numbers has its old ones blocked and the new
     * ones attached (TOPO-4). Each function that is added has all of its own
     * attached: those of phantom functions and of bridges that send on in their
     * own name as well (TOPO-5, pcivisor/requester.h), at which no function
     * need be registered. Attaching one again where it goes already may happen.
     * Optional; without it the host sees to DMA by itself. A negative result:
     * nothing changed; -PCV_EPERM: this domain is never given it, which
     * dma_permitted can say before.
     * Context: control operations, and pcv_access_resume().
     */
    int (*dma_attach)(void *ctx, pcv_sbdf requester, uint32_t domain_id);

    /*
     * A guest cannot be served any more: BARs that it switched on could not be
     * mapped (HDR-10). Optional. Context: any; locked.
     */
    void (*crash)(void *ctx, uint32_t domain_id, pcv_sbdf sbdf, int error);

    /*
     * The interrupt pin that a guest may see of a function: 1 to 4 if the host
     * routes one to that domain. Optional; 0 without it.
     * Context: control operations.
     */
    int (*intx_pin)(void *ctx, uint32_t domain_id, pcv_sbdf sbdf);

    /*
     * Where BAR `bar` of a function would stand if it had this size: a question
     * without side effects. Optional; without it guests cannot resize. Returns
     * 0 and an address aligned to the size, or -PCV_ENOSPC. The address must be
     * free of other BARs, those included whose function was reset and has to
     * get its addresses back.
     * Context: any; locked.
     */
    int (*bar_place)(void *ctx, pcv_sbdf sbdf, uint8_t bar, uint64_t size,
                     pcv_hpa *out_address);

    /*
     * Whether dma_attach would ever give a guest the DMA of a requester ID: a
     * question without side effects, asked before anything changes, of each ID
     * that a function sends under: its own, and those of bridges above it and
     * that were named (pcivisor/requester.h). It would not where firmware
     * reserves memory that the device must reach at the same address for ever
     * (RMRR of Intel's DMAR, unity maps of AMD's IVMD, Arm's IORT RMR), since a
     * guest would have that memory, or lack it. Optional; without it dma_attach
     * answers when it comes to that. Returns 1 or 0, or a negative error: it is
     * not known, and the operation that asked fails. Context: control
     * operations.
     */
    int (*dma_permitted)(void *ctx, pcv_sbdf requester, uint32_t domain_id);

    /*
     * As map, but for reading only: a write there is handed to
     * pcv_mmio_access(), which says what becomes of it (OWN-7). Pages may be
     * mapped already, for reading and writing and at the same host pages: then
     * only that changes; and with this operation, map may be asked for pages
     * that are mapped for reading only, which can be written from then on. An
     * access that finds such a page missing for a moment is to be run again.
     * Optional; without it such pages are not mapped at all, and every access
     * there is trapped. Context: any; locked.
     */
    int64_t (*map_read_only)(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                             pcv_hpa hpa, uint64_t pages);
};

#endif
