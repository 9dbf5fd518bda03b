/* SPDX-License-Identifier: MIT */
/*
 * MSI (PCI Local Bus 3.0, 6.8.1; MSI-1 to MSI-3).
 *
 * What the owner programs is virtual: address, data, how many vectors, masks
 * and the enable bit. While it is enabled, the block of messages is bound
 * through the host, and hardware holds what the host answered. A change is
 * bound anew at once; hardware's MSI is off meanwhile, so that no message is
 * sent that is half the old one.
 */
#include "vpci/cap/msi.h"
#include "vpci/cap/list.h"

#define EXT_DATA 0x0200u /* PCI Express Base 6.0, 7.7.1.2 */
#define EXT_DATA_ON 0x0400u

static uint8_t log_count(uint32_t encoded)
{
    return (uint8_t)(encoded > MSI_LOG_MAX ? MSI_LOG_MAX : encoded);
}

/* One bit for each of 2^log vectors. */
static uint32_t vector_bits(uint8_t log)
{
    return log >= MSI_LOG_MAX ? 0xffffffffu : (1u << (1u << log)) - 1u;
}

static bool is_enabled(const struct pcv__cap *cap)
{
    return (pcv__cap_load(cap, MSI_CONTROL, 2) & MSI_ENABLE) != 0;
}

/* ---- handlers --------------------------------------------------------------
 */

static enum pcv_verdict write_control(const struct pcv_register_write *write)
{
    struct pcv__cap *cap = write->data;
    const struct pcv__msi *msi = cap->state;

    if (!msi) {
        return PCV_DONE; /* it was torn down while we waited (CAP-5) */
    }
    pcv__msi_store_control(cap, (write->value & MSI_ENABLE) != 0,
                           pcv__msi_log_enabled(msi, write->value));
    if (is_enabled(cap)) {
        pcv__msi_follow(cap);
    } else if (msi->bound) {
        pcv__msi_off(cap);
    }
    return PCV_DONE;
}

static enum pcv_verdict write_message(const struct pcv_register_write *write)
{
    struct pcv__cap *cap = write->data;

    if (cap->state && is_enabled(cap)) {
        pcv__msi_follow(cap);
    }
    return PCV_DONE;
}

static enum pcv_verdict write_mask(const struct pcv_register_write *write)
{
    struct pcv__cap *cap = write->data;
    const struct pcv__msi *msi = cap->state;

    if (msi && msi->bound) {
        pcv__msi_mask(cap);
    }
    return PCV_DONE;
}

static const struct pcv_register_ops control_ops = {.write = write_control};
static const struct pcv_register_ops message_ops = {.write = write_message};
static const struct pcv_register_ops mask_ops = {.write = write_mask};

/* ---- rows (6.8.1.3 to 6.8.1.8) ---------------------------------------------
 */

/* In every layout. */
static const struct pcv_register first_rows[] = {
    {
        .name = "MSI Message Control",
        .offset = MSI_CONTROL,
        .size = 2,
        .policy = {.virt = MSI_ENABLE | MSI_ENABLED,
                   .constant = 0x000eu | MSI_64 | MSI_MASKS,
                   .preserve = 0xfe00u},
        .ops = &control_ops,
    },
    {
        .name = "MSI Message Address",
        .offset = MSI_ADDRESS,
        .size = 4,
        .policy = {.virt = 0xfffffffcu},
        .ops = &message_ops,
    },
};

static const struct pcv_register upper_row = {
    .name = "MSI Message Upper Address",
    .offset = MSI_UPPER,
    .size = 4,
    .policy = {.virt = 0xffffffffu},
    .ops = &message_ops,
};

/* Where the layout puts them: their offset is that of the data register. */
static const struct pcv_register data_row = {
    .name = "MSI Message Data",
    .size = 2,
    .policy = {.virt = 0xffffu},
    .ops = &message_ops,
};

/* Hidden, and so is the bit that says that it is there. */
static const struct pcv_register extended_data_row = {
    .name = "MSI Extended Message Data",
    .offset = 2,
    .size = 2,
    .policy = {.preserve = 0xffffu},
};

/* Masks and pending bits of 1, 2, 4 to 32 vectors; the rest is reserved. */
#define VECTOR_ROWS(bits)                                                      \
    {                                                                          \
        {.name = "MSI Mask Bits",                                              \
         .offset = 4,                                                          \
         .size = 4,                                                            \
         .policy = {.virt = (bits)},                                           \
         .ops = &mask_ops},                                                    \
        {                                                                      \
            .name = "MSI Pending Bits", .offset = 8, .size = 4, .policy = {    \
                .read_only = (bits)                                            \
            }                                                                  \
        }                                                                      \
    }

static const struct pcv_register vector_rows[MSI_LOG_MAX + 1u][2] = {
    VECTOR_ROWS(0x00000001u), VECTOR_ROWS(0x00000003u),
    VECTOR_ROWS(0x0000000fu), VECTOR_ROWS(0x000000ffu),
    VECTOR_ROWS(0x0000ffffu), VECTOR_ROWS(0xffffffffu),
};

static int add_rows(struct pcv__cap *cap, uint16_t control)
{
    const struct pcv__msi *msi = cap->state;
    int error = pcv__cap_add(cap, first_rows,
                             sizeof(first_rows) / sizeof(first_rows[0]));

    if (error == 0 && msi->wide) {
        error = pcv__cap_add(cap, &upper_row, 1);
    }
    if (error == 0) {
        error = pcv__cap_add_at(cap, msi->data, &data_row);
    }
    if (error == 0 && (control & (MSI_MASKS | EXT_DATA)) != 0) {
        error = pcv__cap_add_at(cap, msi->data, &extended_data_row);
    }
    for (uint32_t i = 0; i < 2 && error == 0 && msi->mask != 0; i++) {
        error =
            pcv__cap_add_at(cap, msi->data, &vector_rows[msi->log_capable][i]);
    }
    return error;
}

/* ---- setup and the rest of the description ---------------------------------
 */

/* The hardware domain finds what firmware or an earlier kernel left; what is
 * enabled goes on, bound with these values. */
static void adopt(struct pcv__cap *cap, uint16_t control)
{
    const struct pcv__msi *msi = cap->state;

    pcv__cap_store(cap, MSI_ADDRESS, 4, pcv__cap_read(cap, MSI_ADDRESS, 4));
    if (msi->wide) {
        pcv__cap_store(cap, MSI_UPPER, 4, pcv__cap_read(cap, MSI_UPPER, 4));
    }
    pcv__cap_store(cap, msi->data, 2, pcv__cap_read(cap, msi->data, 2));
    if (msi->mask != 0) {
        pcv__cap_store(cap, msi->mask, 4, pcv__cap_read(cap, msi->mask, 4));
    }
    pcv__msi_store_control(cap, (control & MSI_ENABLE) != 0,
                           pcv__msi_log_enabled(msi, control));
    if (is_enabled(cap)) {
        pcv__msi_follow(cap);
    }
}

static struct pcv__msi *make_state(struct pcv__cap *cap, uint16_t control)
{
    struct pcv__msi *msi = pcv__alloc(&cap->device->host->mem, sizeof(*msi));

    if (!msi) {
        return NULL;
    }
    cap->state = msi;
    msi->kept = control & (uint16_t) ~(MSI_ENABLE | MSI_ENABLED | EXT_DATA_ON);
    msi->wide = (control & MSI_64) != 0;
    msi->log_capable = log_count((uint32_t)control >> MSI_CAPABLE_SHIFT & 7u);
    msi->constant = (uint16_t)((control & (MSI_64 | MSI_MASKS)) |
                               (uint32_t)msi->log_capable << MSI_CAPABLE_SHIFT);
    msi->data = msi->wide ? 0x0cu : 0x08u;
    if ((control & MSI_MASKS) != 0) {
        msi->mask = (uint8_t)(msi->data + 4u);
        msi->mask_kept =
            pcv__cap_read(cap, msi->mask, 4) & ~vector_bits(msi->log_capable);
    }
    return msi;
}

/* A function has one; what else says that it is one is hidden. */
static bool is_first(const struct pcv__cap *cap)
{
    return pcv__cap_find(cap->device, PCV_CAP_ID_MSI, false) == cap;
}

static int set_up(struct pcv__cap *cap, uint16_t control)
{
    int error;

    if (!pcv__vectors_can_bind(cap->device)) {
        return -PCV_EOPNOTSUPP;
    }
    if (!is_first(cap)) {
        return -PCV_EEXIST;
    }
    if (!make_state(cap, control)) {
        return -PCV_ENOMEM;
    }
    error = add_rows(cap, control);
    if (error != 0) {
        return error;
    }
    if (pcv__cap_is_guest(cap)) {
        pcv__msi_off(cap);
        pcv__msi_store_control(cap, false, 0);
    } else {
        adopt(cap, control);
    }
    return 0;
}

static int setup(struct pcv__cap *cap)
{
    uint16_t reg = (uint16_t)(cap->offset + MSI_CONTROL);
    uint32_t control;
    int error;

    if (cap->offset > PCV_CFG_SIZE - 0x0cu ||
        !pcv__hw_fetch(cap->device, reg, 2, &control) || control == 0xffffu) {
        return -PCV_EIO;
    }
    error = set_up(cap, (uint16_t)control);
    if (error != 0 && (control & MSI_ENABLE) != 0) {
        /* What is hidden must not go on sending. */
        pcv__hw_restore(cap->device, reg, 2, control & ~MSI_ENABLE);
    }
    return error;
}

static void teardown(struct pcv__cap *cap)
{
    struct pcv__msi *msi = cap->state;

    if (!msi) {
        return;
    }
    pcv__msi_off(cap);
    cap->state = NULL;
    pcv__free(&cap->device->host->mem, msi, sizeof(*msi));
}

static void reset(struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;

    if (!msi) {
        return;
    }
    pcv__msi_off(cap);
    pcv__msi_store_control(cap, false, 0);
    pcv__cap_store(cap, MSI_ADDRESS, 4, 0);
    if (msi->wide) {
        pcv__cap_store(cap, MSI_UPPER, 4, 0);
    }
    pcv__cap_store(cap, msi->data, 2, 0);
    if (msi->mask != 0) {
        pcv__cap_store(cap, msi->mask, 4, 0);
    }
}

const struct pcv__cap_desc pcv__cap_msi = {
    .name = "MSI",
    .id = PCV_CAP_ID_MSI,
    .extended = false,
    .flags = PCV__CAP_GUEST | PCV__CAP_HARDWARE,
    .control_size = 0x10u,
    .setup = setup,
    .teardown = teardown,
    .reset = reset,
    .restore = pcv__msi_resend,
    .leave = pcv__msi_leave,
    .arrive = pcv__msi_arrive,
};
