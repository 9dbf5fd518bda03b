/* SPDX-License-Identifier: MIT */
/* MSI's two files: its registers (msi.c), and its messages (msi_message.c). */
#ifndef PCV_VPCI_CAP_MSI_H
#define PCV_VPCI_CAP_MSI_H

#include "vpci/cap.h"

/* Registers that stand where they do in every layout (PCI Local Bus 3.0,
 * 6.8.1): offsets from the capability's start. */
#define MSI_CONTROL 0x02u
#define MSI_ENABLE 0x0001u
#define MSI_CAPABLE_SHIFT 1u /* 3 bits: vectors, as a power of two */
#define MSI_ENABLED_SHIFT 4u /* likewise, how many are used */
#define MSI_ENABLED 0x0070u
#define MSI_64 0x0080u
#define MSI_MASKS 0x0100u
#define MSI_ADDRESS 0x04u
#define MSI_UPPER 0x08u

#define MSI_LOG_MAX 5u /* 32 vectors; encodings above are reserved */

struct pcv__msi {
    uint16_t kept;     /* of hardware's control register: not ours to change */
    uint16_t constant; /* of the owner's control register */
    uint8_t log_capable;
    uint8_t data; /* offsets of what the layout moves; no mask: 0 */
    uint8_t mask;
    bool wide; /* 64-bit addresses */
    bool bound;
    uint32_t mask_kept; /* of hardware's mask register */
    struct pcv_msi_request request;
    struct pcv_msi_message message; /* what stands in hardware */
};

/* Vectors that a value of the control register enables, as a power of two:
 * reserved encodings mean 32, and more than the device has are cut down
 * (MSI-1). */
uint8_t pcv__msi_log_enabled(const struct pcv__msi *msi, uint32_t control);
/* What the owner reads in its control register. */
void pcv__msi_store_control(struct pcv__cap *cap, bool enable, uint8_t log);
/* It is enabled: bind what the owner's registers say, and let hardware send it.
 * Where that fails, it is disabled, and its owner sees that. */
void pcv__msi_follow(struct pcv__cap *cap);
/* Off, in hardware first. */
void pcv__msi_off(const struct pcv__cap *cap);
/* Let hardware's masks follow the owner's, where they concern what is bound. */
void pcv__msi_mask(const struct pcv__cap *cap);
/* Bus numbers move: struct pcv__cap_desc. */
void pcv__msi_leave(struct pcv__cap *cap);
void pcv__msi_arrive(struct pcv__cap *cap);
/* Hardware lost what stood in it. */
void pcv__msi_resend(struct pcv__cap *cap);

#endif
