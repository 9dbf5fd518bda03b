/* SPDX-License-Identifier: MIT */
/*
 * The modelled host's own structures, shared by its files.
 *
 * What is fixed and what moves: which functions exist, on which physical bus
 * each one sits and which bridge is above that bus is settled once, by
 * pcv_model_ready(). Register contents, bus numbers and whether a function
 * answers change afterwards.
 *
 * Locking: model->lock covers every change after pcv_model_ready(). Reads of
 * registers take no lock: a dword of configuration space is one atomic object,
 * and so are a function's state and a segment's route.
 */
#ifndef PCV_HOST_MODEL_INTERNAL_H
#define PCV_HOST_MODEL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "model.h"

#define PCV__MODEL_PAGE 256u /* bytes of configuration space in one piece */
#define PCV__MODEL_VF_BARS 6u

/* Pieces that hold only zeros are shared until somebody writes to one. */
struct pcv__model_page {
    _Atomic uint32_t dword[PCV__MODEL_PAGE / 4];
};

/* Why a function does not answer; 0: it does. */
#define PCV__MODEL_PULLED 1u /* it was pulled */
#define PCV__MODEL_DEAD 2u   /* it answers all ones, as in D3cold */
#define PCV__MODEL_OFF 4u    /* its slot has no power */
#define PCV__MODEL_VF_OFF 4u /* a VF whose PF is off, or has it disabled */

/* What happens beside storing bits when a register is written. */
enum pcv__model_effect {
    PCV__EFFECT_NONE,
    PCV__EFFECT_BUS_NUMBERS,
    PCV__EFFECT_BRIDGE_CONTROL,
    PCV__EFFECT_POWER,     /* PM control and status */
    PCV__EFFECT_VPD,       /* VPD address */
    PCV__EFFECT_DEVCTL,    /* PCI Express device control: initiate FLR */
    PCV__EFFECT_AF,        /* Advanced Features control: initiate FLR */
    PCV__EFFECT_SLTCTL,    /* slot control: command completed */
    PCV__EFFECT_SRIOV,     /* SR-IOV control: VF enable */
    PCV__EFFECT_NUM_VFS,   /* fixed while VFs are enabled */
    PCV__EFFECT_PAGE_SIZE, /* SR-IOV system page size */
    PCV__EFFECT_REBAR,     /* resizable BAR control */
    PCV__EFFECT_VF_REBAR,  /* VF resizable BAR control */
};

/* What the bits of one dword do. Bits in neither mask are read-only. */
struct pcv__model_field {
    uint16_t reg;    /* bytes, a multiple of 4 */
    uint16_t base;   /* start of the capability, 0 for the header */
    uint8_t effect;  /* enum pcv__model_effect */
    uint32_t rw;     /* writable */
    uint32_t w1c;    /* writing one clears */
    uint32_t reset;  /* of the writable bits, what a reset leaves in them */
    uint32_t keep;   /* survive a function reset, not a bus reset */
    uint32_t sticky; /* survive all but a loss of power */
};

/* Host-physical memory: [start, end). */
struct pcv__model_range {
    uint64_t start;
    uint64_t end;
};

struct pcv__model_fn {
    pcv_sbdf sbdf; /* as the source gave it: its name for life */
    _Atomic uint32_t state;
    uint16_t config_size;
    uint8_t header; /* header type without the multi-function bit */
    bool bridge;    /* a type 1 or 2 header, not a VF */
    bool vf;
    bool has_node;
    uint32_t node;
    uint16_t pcie;     /* offset of the PCI Express capability, or 0 */
    uint16_t sriov;    /* of the SR-IOV capability, or 0 */
    uint16_t rebar;    /* of the resizable BAR capability, or 0 */
    uint16_t vf_rebar; /* of the VF resizable BAR capability, or 0 */
    uint16_t msix;     /* of the MSI-X capability, or 0 */
    uint16_t msi;      /* of the MSI capability, or 0 */
    uint16_t pm;       /* of the power management capability, or 0 */
    uint16_t af;       /* of the Advanced Features capability, or 0 */

    pcv_sbdf physfn;
    struct pcv__model_fn *pf;      /* of a VF, or NULL */
    struct pcv__model_fn *vfs;     /* of a PF */
    struct pcv__model_fn *next_vf; /* of the same PF */
    int32_t vf_index; /* it answers while its PF enables more VFs than this;
                         -1: always */

    struct pcv__model_bus *bus;
    struct pcv__model_link *below; /* of a bridge with something behind it */
    struct pcv__model_fn *next_bridge; /* on the same bus, address order */

    struct pcv__model_field *field; /* in order of reg */
    uint32_t fields;

    uint64_t bar_size[PCV_MODEL_BARS];
    uint8_t bar_guessed;    /* one bit a BAR */
    uint8_t vf_bar_guessed; /* of vf_bar_size */
    uint64_t *vf_bar_size;  /* PCV__MODEL_VF_BARS of them, or NULL */
    char *name;             /* or NULL */
    /* Where BARs stood until a reset took their addresses: place.c. */
    struct pcv__model_range stood[PCV_MODEL_BARS];

    /* Beside registers: machine.h. */
    struct pcv__model_decoded *decoded; /* one a BAR, or NULL: decode.c */
    struct pcv__model_fn *next_dirty;   /* of those to look at again */
    bool dirty;
    bool pending;                       /* a message may be waiting: msi.c */
    struct pcv__model_vectors *vectors; /* MSI-X table, or NULL: as reset */
    void *storage; /* what BARs hold, ROM apart: trees, memory.c */
    void *rom;
    _Atomic uint64_t quiet_until_us; /* it must be left alone: clock.c */
    /* pending.c: how long transactions outlive bus mastering, until when; and
       since when a bridge holds its bus in reset. */
    _Atomic uint64_t drain_us, drained_us;
    uint64_t held_us;
    bool link_was_up;         /* before that */
    _Atomic uint8_t extended; /* enum pcv_model_extended */
    bool sends_as_other;      /* its DMA comes as `sends_as` */
    pcv_sbdf sends_as;

    _Atomic(struct pcv__model_page *) page[]; /* config_size / 256 */
};

/* A bus as copper: its number may change, its functions do not. */
struct pcv__model_bus {
    uint8_t number; /* when the machine was described */
    uint8_t delta;  /* how far behind the first bus of its link: not 0 where
                       VFs need more bus numbers than one */
    struct pcv__model_link *link;
    struct pcv__model_bus *next; /* of the same link, delta growing */
    struct pcv__model_fn *bridges;
    struct pcv__model_fn *fn[PCV_DEVFNS];
};

/* What is behind one bridge, or what the root complex shows at one number. */
struct pcv__model_link {
    struct pcv__model_fn *up; /* NULL: a root bus */
    uint8_t number;           /* of a root bus; it never changes */
    struct pcv__model_bus *buses;
    struct pcv__model_link *next; /* of the segment; roots first, by number */
};

struct pcv__model_segment {
    uint16_t segment;
    struct pcv__model_bus *home[PCV_BUSES]; /* by described number */
    struct pcv__model_link *links;
    /* Which physical bus a number reaches now; NULL: it must be looked up. */
    _Atomic(struct pcv__model_bus *) route[PCV_BUSES];
    _Atomic uint32_t no_ecam[PCV_BUSES / 32]; /* one bit a bus: quirks.c */
};

struct pcv__model_domain {
    uint32_t domain; /* above ffff */
    uint16_t segment;
};

struct pcv__model_hint {
    pcv_sbdf sbdf;
    uint8_t bar;
    uint64_t size;
};

struct pcv_model {
    uint64_t seed;
    bool ready;
    pthread_mutex_t *lock; /* apart, so that readers of a const model lock */

    struct pcv__model_fn **fn; /* in address order once ready */
    size_t fns;
    size_t fns_room;
    struct pcv__model_segment **segment; /* 65536 of them, by number */
    struct pcv__model_segment **run;     /* those that exist, by number */
    uint32_t runs;
    struct pcv__model_domain *domain;
    size_t domains;

    struct pcv__model_range low;   /* MMIO below 4 GiB */
    struct pcv__model_range high;  /* and above */
    struct pcv__model_range *spot; /* BARs in between, by start, disjoint */
    size_t spots;

    struct pcv__model_hint *hint;
    size_t hints;

    /* Host operations. */
    _Atomic uint64_t calls[PCV_MODEL_OP_COUNT];
    _Atomic uint64_t fail_at[PCV_MODEL_OP_COUNT]; /* a value of calls; or 0 */
    _Atomic uint64_t bytes;
    void *mapped; /* a search tree of runs: maps.c */
    uint64_t mapped_pages;
    uint64_t map_errors;
    _Atomic uint64_t map_chunk;
    void (*on_cfg)(void *arg, const struct pcv_model_cfg *access);
    void *on_cfg_arg;
    void (*on_event)(void *arg, const struct pcv_event *event);
    void *on_event_arg;
    void (*on_trace)(void *arg, const struct pcv_trace *record);
    void *on_trace_arg;

    /* Beside registers: machine.h. */
    struct pcv__model_decode *decode; /* which BAR an address is in */
    struct pcv__model_fn *dirty;      /* decode may have changed */
    struct pcv__model_remap *remap;   /* interrupt controller and IOMMU */
    struct pcv__model_dma *dma;       /* faults, and what firmware reserves */
    struct pcv__model_sent *outbox;   /* delivered, not yet told */
    struct pcv__model_sent **outbox_end;
    void (*on_message)(void *arg, const struct pcv_model_message *message);
    void *on_message_arg;
    _Atomic bool clock_on;
    _Atomic uint32_t clock_held; /* by so many, while it is off */
    _Atomic uint64_t now_us;
    _Atomic uint64_t early;
    _Atomic bool intx;
    uint64_t crashes;
    uint32_t crashed_domain;
};

/* ---- model.c: functions by their described address ---------------------- */

struct pcv__model_fn *pcv__model_fn_at(const struct pcv_model *model,
                                       pcv_sbdf sbdf);
/* The segment, made if need be; NULL without memory. */
struct pcv__model_segment *pcv__model_segment_make(struct pcv_model *model,
                                                   uint16_t segment);
/* The bus of a described number, made if need be; NULL without memory. */
struct pcv__model_bus *pcv__model_bus_make(struct pcv__model_segment *segment,
                                           uint8_t number);

/* ---- access.c: registers ------------------------------------------------ */

extern struct pcv__model_page pcv__model_zeros;

/* A dword of a function's memory; reg is below its config_size. */
static inline uint32_t pcv__model_dword(const struct pcv__model_fn *fn,
                                        uint32_t reg)
{
    struct pcv__model_page *page = atomic_load_explicit(
        &((struct pcv__model_fn *)(uintptr_t)fn)->page[reg / PCV__MODEL_PAGE],
        memory_order_acquire);

    return atomic_load_explicit(&page->dword[reg % PCV__MODEL_PAGE / 4],
                                memory_order_relaxed);
}

/* 1, 2 or 4 bytes; all ones beyond the function's space. */
uint32_t pcv__model_get(const struct pcv__model_fn *fn, uint32_t reg,
                        uint32_t size);
/* Store a dword whatever its bits are. -PCV_ENOMEM. */
int pcv__model_put(struct pcv__model_fn *fn, uint32_t reg, uint32_t value);
/* Make sure that a dword can be stored without memory. -PCV_ENOMEM. */
int pcv__model_page_make(struct pcv__model_fn *fn, uint32_t reg);
/* The field of a dword, or NULL: then it is read-only. */
struct pcv__model_field *pcv__model_field_of(const struct pcv__model_fn *fn,
                                             uint32_t reg);
/* A write as hardware takes it, with all that follows from it. Locked. */
void pcv__model_write_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             uint32_t reg, uint32_t size, uint32_t value);

/* ---- wire.c and route.c: who is behind whom ----------------------------- */

/* A VF's number, if its PF's registers place it exactly where it is and enable
 * it; else -1. */
int32_t pcv__model_vf_index(const struct pcv__model_fn *vf,
                            const struct pcv__model_fn *pf);
/* Settle buses and links of one segment. -PCV_ENOMEM. */
int pcv__model_wire(struct pcv__model_segment *segment);
/* The bus that a number reaches now, or one without functions. Which root bus
 * gets a number is the root complex' business and stands in no register: it is
 * the nearest one below the number that has a taker for it. */
struct pcv__model_bus *pcv__model_bus_at(
    const struct pcv__model_segment *segment, uint32_t target);
/* The function that answers at an address now, or NULL. */
struct pcv__model_fn *pcv__model_route(struct pcv_model *model, pcv_sbdf sbdf);
/* Whether a bridge lets anything through: it is there and holds nothing behind
 * it in reset. */
bool pcv__model_forwards(const struct pcv__model_fn *bridge);
/* Something changed that routes depend on. Locked. */
void pcv__model_route_forget_locked(struct pcv_model *model,
                                    struct pcv__model_fn *fn);

/* ---- hardware.c, header.c, registers.c: what each register's bits do
 * -------------
 */

/* Rows that are there only for some functions. */
enum pcv__model_when {
    PCV__WHEN_ALWAYS,
    PCV__WHEN_CONVENTIONAL, /* no PCI Express capability */
    PCV__WHEN_PCIE,
    PCV__WHEN_TYPE0,
    PCV__WHEN_TYPE1,
    PCV__WHEN_TYPE2,
    PCV__WHEN_NOT_VF,
    PCV__WHEN_TO_PCI,     /* PCIe-to-PCI bridge */
    PCV__WHEN_LINK,       /* PCI Express with a link of its own */
    PCV__WHEN_DOWNSTREAM, /* root port or switch downstream port */
    PCV__WHEN_ROOT_PORT,
    PCV__WHEN_SLOT,   /* a port with a slot */
    PCV__WHEN_ROOT,   /* root port or event collector */
    PCV__WHEN_V2,     /* not a VF, capability of version 2 or higher */
    PCV__WHEN_V2_LINK /* both */
};

/* A register: a row of a table. */
struct pcv__model_row {
    uint16_t offset; /* from the capability's start */
    uint8_t size;    /* 1, 2 or 4 bytes */
    uint8_t when;    /* enum pcv__model_when */
    uint8_t effect;  /* enum pcv__model_effect */
    uint32_t rw;
    uint32_t w1c;
    uint32_t reset;
    uint32_t keep;
    uint32_t sticky;
};

/* Writable bits that are there only if the device says it can do it: any of
 * `able` in the dword at `able_at`. */
struct pcv__model_gate {
    uint16_t offset; /* of the register that has the bits; of its row */
    uint32_t bits;
    uint16_t able_at;
    uint32_t able;
};

struct pcv__model_cap_table {
    uint16_t id;
    bool extended;
    size_t rows;
    const struct pcv__model_row *row;
    size_t gates;
    const struct pcv__model_gate *gate;
};

extern const struct pcv__model_cap_table pcv__model_cap_tables[];
extern const size_t pcv__model_cap_table_count;

/* Fields while they are collected; shared by all functions of a model. */
struct pcv__model_fields {
    struct pcv__model_field *field;
    size_t count;
    size_t room;
    bool failed; /* no memory */
};

/* The header's fields: header.c. */
void pcv__model_header_fields(struct pcv__model_fields *to,
                              const struct pcv__model_fn *fn);
void pcv__model_fields_add(struct pcv__model_fields *to,
                           const struct pcv__model_fn *fn, uint32_t base,
                           const struct pcv__model_row *row);
/* MSI, whose layout depends on its control register, and others that no fixed
 * table describes: variable.c. False if it is not one of them. */
bool pcv__model_fields_variable(struct pcv__model_fields *to,
                                const struct pcv__model_fn *fn, uint32_t base,
                                uint16_t id, bool extended);
bool pcv__model_when(const struct pcv__model_fn *fn, enum pcv__model_when when);
/* Work out the fields of one function. -PCV_ENOMEM. */
int pcv__model_fields_make(struct pcv__model_fields *scratch,
                           struct pcv__model_fn *fn);
/* Note where the capabilities are that others ask for. */
void pcv__model_caps_find(struct pcv__model_fn *fn);

/* Walk both capability lists, bounded and without following a loop. */
void pcv__model_caps_each(const struct pcv__model_fn *fn,
                          void (*each)(void *arg, uint32_t offset, uint16_t id,
                                       bool extended),
                          void *arg);

/* ---- bar.c: what BAR registers are -------------------------------------- */

enum pcv__model_bar_kind {
    PCV__MODEL_BAR_NONE,
    PCV__MODEL_BAR_IO,
    PCV__MODEL_BAR_32,
    PCV__MODEL_BAR_64,
    PCV__MODEL_BAR_ROM,
};

struct pcv__model_bar {
    enum pcv__model_bar_kind kind;
    uint16_t reg;     /* of its lower half */
    uint64_t address; /* as the register says now */
};

/* What stands in a BAR's register; 6 is the ROM. NONE also for the upper half
 * of a 64-bit BAR, and for a register of zero unless `stated`. */
void pcv__model_bar_look(const struct pcv__model_fn *fn, uint32_t index,
                         bool stated, struct pcv__model_bar *out);
/* The same for VF BARs in the SR-IOV capability. */
void pcv__model_vf_bar_look(const struct pcv__model_fn *pf, uint32_t index,
                            bool stated, struct pcv__model_bar *out);
/* The largest size that a register can have, and the smallest that it can tell
 * apart. Bytes. */
uint64_t pcv__model_bar_largest(enum pcv__model_bar_kind kind);
uint64_t pcv__model_bar_smallest(enum pcv__model_bar_kind kind);
/* The system page size of a PF's VFs in bytes; 4 KiB where the register makes
 * no sense. */
uint64_t pcv__model_vf_page_size(const struct pcv__model_fn *pf);
/* Fields of every BAR. */
void pcv__model_bar_fields(struct pcv__model_fields *to,
                           const struct pcv__model_fn *fn);
/* A BAR's size changes while the machine runs. Locked. */
void pcv__model_bar_resize_locked(struct pcv__model_fn *fn, uint32_t index,
                                  uint64_t size);
void pcv__model_vf_bar_resize_locked(struct pcv__model_fn *pf, uint32_t index,
                                     uint64_t size);
/* What each VF decodes of a VF BAR: not below the system page size. Bytes. */
uint64_t pcv__model_vf_aperture(const struct pcv__model_fn *pf, uint32_t index);
/* The system page size changed, and with it what VF BARs decode. Locked. */
void pcv__model_vf_apertures_locked(struct pcv__model_fn *pf);

/* ---- sizes.c: how large each BAR is ------------------------------------- */

void pcv__model_sizes(struct pcv__model_fn *fn);
/* The VFs' statements go to the PF. -PCV_ENOMEM. */
int pcv__model_vf_sizes(struct pcv__model_fn *pf);

/* ---- mmio.c ------------------------------------------------------------- */

/* Where MMIO is: memory BARs and windows of the whole machine. */
int pcv__model_mmio(struct pcv_model *model);
/* Whether all of [start, start + size) is MMIO. */
bool pcv__model_is_mmio(const struct pcv_model *model, uint64_t start,
                        uint64_t size);

/* ---- reset.c ------------------------------------------------------------ */

enum pcv__model_reset {
    PCV__RESET_FUNCTION, /* FLR, or D3hot to D0 */
    PCV__RESET_BUS,      /* hot reset */
    PCV__RESET_POWER,    /* power-on */
};

void pcv__model_reset_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             enum pcv__model_reset how);
/* What is behind a port has no link while it is held in reset. Locked. */
void pcv__model_link_held_locked(struct pcv__model_fn *port, bool held);
void pcv__model_slot_power_locked(struct pcv_model *model,
                                  struct pcv__model_fn *port);
void pcv__model_reset_below_locked(struct pcv_model *model,
                                   struct pcv__model_fn *bridge,
                                   enum pcv__model_reset how);
/* Which VFs answer follows from the PF's registers and state. Locked. */
void pcv__model_vfs_update_locked(struct pcv_model *model,
                                  struct pcv__model_fn *pf);
/* Take over a resizable BAR's size from its control register. Locked. */
void pcv__model_rebar_apply_locked(struct pcv__model_fn *fn, uint32_t reg,
                                   bool of_vfs);

/* ---- ops.c -------------------------------------------------------------- */

/* Count a call; true if it is the one that is to fail. */
bool pcv__model_fails(struct pcv_model *model, enum pcv_model_op op);
/* The library called an operation as it must not: say so and abort. */
_Noreturn void pcv__model_bug(const char *file, int line, const char *what);

/* ---- maps.c ------------------------------------------------------------- */

/* Host operations. */
int64_t pcv__model_op_map_read_only(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                                    pcv_hpa hpa, uint64_t pages);
int64_t pcv__model_op_map(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                          pcv_hpa hpa, uint64_t pages);
int64_t pcv__model_op_unmap(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                            uint64_t pages);
void pcv__model_maps_free(struct pcv_model *model);

/* The CPU number of the calling thread: cpu.c. */
#define PCV__MODEL_CPUS 64u
uint32_t pcv__model_this_cpu(void);

#endif
