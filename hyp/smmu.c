/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3: unit, contexts and streams.
 *
 * The stream table is linear, an entry for each of 2^16 requester IDs, and
 * never changes its shape: an entry is always valid and always translates by
 * stage 1; the only thing that moves is its pointer to a context descriptor.
 * A requester ID without a domain has the descriptor of a context in which
 * nothing is mapped. That blocks it as well as the "abort" configuration would,
 * and the fault is recorded with its address, which "abort" does not do. And it
 * makes an attachment one 64-bit store, so that no device ever sees half an
 * entry.
 */
#include "smmu_impl.h"

#include "driver.h"
#include "lib.h"
#include "pcivisor/errno.h"
#include "smmu_regs.h"

#define REQUESTER_BITS 16u
#define REQUESTERS (1u << REQUESTER_BITS)
/* One page of context descriptors; far more than there can be domains on a
 * machine that is partitioned by CPU. */
#define CONTEXTS_MAX 64u

struct stream {
    _Atomic uint64_t word[STE_WORDS];
};

struct descriptor {
    uint64_t word[CD_WORDS];
};

_Static_assert(PAGE_SIZE / sizeof(struct descriptor) == CONTEXTS_MAX,
               "they fill their page");

/* The unit. A context's number is its ASID and its place in both arrays; number
 * 0 is the one that blocks. */
static struct {
    uint64_t base;
    uint64_t address_size; /* OAS as IDR5 and descriptors encode it */
    bool splits_live;
    struct stream *streams;
    struct descriptor *descriptors;
    struct spinlock stream_lock;
    struct spinlock context_lock;
    unsigned contexts;
    struct smmu_context context[CONTEXTS_MAX];
} smmu;

/* What a machine must have, and what it lacks said by name. */
static int features_check(uint32_t idr0, uint32_t idr1, uint32_t idr5)
{
    const struct {
        bool there;
        const char *what;
    } needs[] = {
        {(idr0 & IDR0_S1P) != 0, "translation by stage 1"},
        {(idr0 & IDR0_TTF_AARCH64) != 0, "tables in the AArch64 format"},
        {(idr0 & IDR0_COHACC) != 0, "table walks that see the CPUs' caches"},
        {IDR0_TTENDIAN(idr0) != TTENDIAN_BIG, "little-endian tables"},
        {IDR0_STALL_MODEL(idr0) != STALL_MODEL_FORCED,
         "faults that end the access"},
        {IDR1_SIDSIZE(idr1) >= REQUESTER_BITS, "stream IDs of 16 bits"},
        {(idr1 & IDR1_TABLES_PRESET) == 0, "a stream table in our memory"},
        {(idr1 & IDR1_QUEUES_PRESET) == 0, "queues in our memory"},
        {(idr5 & IDR5_GRAN4K) != 0, "pages of 4 KiB"},
    };
    int error = 0;

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (!needs[i].there) {
            print("smmu: it lacks %s\n", needs[i].what);
            error = -PCV_EOPNOTSUPP;
        }
    }
    return error;
}

/*
 * Off, and what comes while it is off is aborted. A unit may know no GBPA
 * (QEMU before 8.0); it lets accesses pass until it is enabled, and we cannot
 * help it.
 */
static int unit_close(void)
{
    if (!wait_for(smmu.base + SMMU_GBPA, GBPA_UPDATE, 0)) {
        return -PCV_EIO;
    }
    mmio_write32(smmu.base + SMMU_GBPA, GBPA_UPDATE | GBPA_ABORT);
    if (!wait_for(smmu.base + SMMU_GBPA, GBPA_UPDATE, 0)) {
        return -PCV_EIO;
    }
    mmio_write32(smmu.base + SMMU_CR0, 0);
    if (!wait_for(smmu.base + SMMU_CR0ACK,
                  CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN, 0)) {
        return -PCV_EIO;
    }
    mmio_write32(smmu.base + SMMU_IRQ_CTRL, 0);
    return wait_for(smmu.base + SMMU_IRQ_CTRLACK, IRQ_CTRL_EVENTQ, 0)
               ? 0
               : -PCV_EIO;
}

/* Add to what is enabled, and wait until it is. */
static int unit_enable(uint32_t flags)
{
    uint32_t cr0 = mmio_read32(smmu.base + SMMU_CR0) | flags;

    mmio_write32(smmu.base + SMMU_CR0, cr0);
    return wait_for(smmu.base + SMMU_CR0ACK, flags, flags) ? 0 : -PCV_EIO;
}

static uint64_t stream_word(const struct smmu_context *context)
{
    return STE0_VALID | STE0_CONFIG_STAGE1 |
           (uint64_t)&smmu.descriptors[context->asid];
}

/* Every requester ID blocked. */
static int streams_init(void)
{
    const struct smmu_context *blocked = smmu_context_create();
    uint64_t size = (uint64_t)REQUESTERS * sizeof(struct stream);

    smmu.streams = pages_alloc(pages_order(size));
    if (blocked == NULL || smmu.streams == NULL) {
        return -PCV_ENOMEM;
    }
    for (uint32_t i = 0; i < REQUESTERS; i++) {
        struct stream *stream = &smmu.streams[i];

        atomic_store_explicit(&stream->word[1],
                              STE1_CONTEXT_INNER_WB | STE1_CONTEXT_OUTER_WB |
                                  STE1_CONTEXT_INNER_SHARED,
                              memory_order_relaxed);
        atomic_store_explicit(&stream->word[0], stream_word(blocked),
                              memory_order_relaxed);
    }
    mmio_write64(smmu.base + SMMU_STRTAB_BASE,
                 BASE_ALLOCATE | (uint64_t)smmu.streams);
    /* Linear is format 0. */
    mmio_write32(smmu.base + SMMU_STRTAB_BASE_CFG, REQUESTER_BITS);
    return 0;
}

/* Commands first: caches must be empty before anything is translated. */
static int unit_open(const struct smmu_info *info)
{
    int error = unit_enable(CR0_CMDQEN);

    if (error == 0) {
        error = smmu_forget_all();
    }
    if (error == 0) {
        error = unit_enable(CR0_EVENTQEN);
    }
    if (error == 0 && info->event_irq != 0) {
        mmio_write32(smmu.base + SMMU_IRQ_CTRL, IRQ_CTRL_EVENTQ);
        error = wait_for(smmu.base + SMMU_IRQ_CTRLACK, IRQ_CTRL_EVENTQ,
                         IRQ_CTRL_EVENTQ)
                    ? 0
                    : -PCV_EIO;
    }
    return error == 0 ? unit_enable(CR0_SMMUEN) : error;
}

static int unit_prepare(uint32_t idr0, uint32_t idr1)
{
    int error;

    smmu.descriptors = pages_alloc(0);
    if (smmu.descriptors == NULL) {
        return -PCV_ENOMEM;
    }
    mmio_write32(smmu.base + SMMU_CR1,
                 CR1_QUEUE_IC_WB | CR1_QUEUE_OC_WB | CR1_QUEUE_SH_INNER |
                     CR1_TABLE_IC_WB | CR1_TABLE_OC_WB | CR1_TABLE_SH_INNER);
    mmio_write32(smmu.base + SMMU_CR2, CR2_RECINVSID | CR2_PTM);
    /* What went wrong before us is not ours to tell. */
    mmio_write32(smmu.base + SMMU_GERRORN,
                 mmio_read32(smmu.base + SMMU_GERROR));
    if (idr0 & IDR0_MSI) {
        /* No message address: the interrupt is the wire. */
        mmio_write64(smmu.base + SMMU_EVENTQ_IRQ_CFG0, 0);
    }
    error = streams_init();
    return error == 0 ? smmu_queues_init(smmu.base, idr1) : error;
}

int smmu_init(const struct smmu_info *info)
{
    uint32_t idr0 = mmio_read32(info->base + SMMU_IDR0);
    uint32_t idr1 = mmio_read32(info->base + SMMU_IDR1);
    uint32_t idr3 = mmio_read32(info->base + SMMU_IDR3);
    uint32_t idr5 = mmio_read32(info->base + SMMU_IDR5);
    int error = features_check(idr0, idr1, idr5);

    if (error != 0) {
        return error;
    }
    smmu.base = info->base;
    smmu.address_size = IDR5_OAS(idr5);
    smmu.splits_live = IDR3_BBML(idr3) >= 2;
    error = unit_close();
    if (error == 0) {
        error = unit_prepare(idr0, idr1);
    }
    if (error == 0) {
        error = unit_open(info);
    }
    if (error != 0) {
        print("smmu: %s\n", error == -PCV_EIO ? "it does not answer"
                                              : "there is no memory for it");
    }
    return error;
}

/* How many bits an address that the SMMU puts out has. Beyond 48, tables would
 * need another format. */
static unsigned output_bits(void)
{
    static const unsigned char bits_of[] = {32, 36, 40, 42, 44, 48};

    return smmu.address_size < sizeof(bits_of) ? bits_of[smmu.address_size]
                                               : SMMU_ADDRESS_BITS;
}

static void descriptor_fill(struct descriptor *descriptor,
                            const struct smmu_context *context)
{
    uint64_t size = smmu.address_size < 5 ? smmu.address_size : 5;

    descriptor->word[CD_TTB0] = (uint64_t)context->root;
    descriptor->word[CD_MAIR] = MAIR_MEMORY | MAIR_DEVICE;
    descriptor->word[0] =
        CD0_T0SZ(SMMU_ADDRESS_BITS) | CD0_TG0_4K | CD0_IR0_WB | CD0_OR0_WB |
        CD0_SH0_INNER | CD0_EPD1 | CD0_VALID | CD0_IPS(size) | CD0_AARCH64 |
        CD0_RECORD | CD0_ABORT | CD0_ASET_PRIVATE | CD0_ASID(context->asid);
}

struct smmu_context *smmu_context_create(void)
{
    struct smmu_context *context = NULL;
    struct smmu_table *root;

    if (smmu.descriptors == NULL) {
        return NULL;
    }
    root = pages_alloc(0);
    if (root == NULL) {
        return NULL;
    }
    spin_lock(&smmu.context_lock);
    if (smmu.contexts < CONTEXTS_MAX) {
        context = &smmu.context[smmu.contexts];
        context->asid = smmu.contexts;
        context->root = root;
        context->physical_end = (uint64_t)1 << output_bits();
        context->splits_live = smmu.splits_live;
        /* No stream points to it yet, so the SMMU cannot have seen it. */
        descriptor_fill(&smmu.descriptors[context->asid], context);
        smmu.contexts++;
    }
    spin_unlock(&smmu.context_lock);
    if (context == NULL) {
        pages_free(root, 0);
    }
    return context;
}

int smmu_attach(uint32_t requester, struct smmu_context *context)
{
    struct stream *stream;
    uint64_t old_descriptor;
    uint32_t old_asid;
    int error;

    if (requester >= REQUESTERS || smmu.streams == NULL) {
        return -PCV_EINVAL;
    }
    if (context == NULL) {
        context = &smmu.context[0];
    }
    stream = &smmu.streams[requester];
    spin_lock(&smmu.stream_lock);
    old_descriptor =
        atomic_load_explicit(&stream->word[0], memory_order_relaxed) &
        STE0_CONTEXT_MASK;
    old_asid =
        (uint32_t)((struct descriptor *)old_descriptor - smmu.descriptors);
    atomic_store_explicit(&stream->word[0], stream_word(context),
                          memory_order_release);
    error = smmu_forget_stream(requester, old_asid);
    spin_unlock(&smmu.stream_lock);
    return error;
}
