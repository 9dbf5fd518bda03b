/* SPDX-License-Identifier: MIT */
/*
 * What a guest may change in a function's physical configuration space: an
 * independent reading of the rules HDR-2, HDR-3, MSI-2, MSIX-2, REBAR-1, PM-1,
 * PCIE-1, PCIE-2 and CAP-7, from the capabilities that the function has.
 */
#ifndef PCV_TESTS_DRIVER_ALLOWED_H
#define PCV_TESTS_DRIVER_ALLOWED_H

#include "model.h"

#define ALLOWED_DWORDS (PCV_CFG_EXT_SIZE / 4u)

struct allowed {
    uint32_t before[ALLOWED_DWORDS]; /* registers when the guest got it */
    uint32_t any[ALLOWED_DWORDS];    /* bits that may be written either way */
    uint32_t zero[ALLOWED_DWORDS];   /* bits that are only written as zero */
    uint16_t msi;                    /* offset, or 0 */
    bool msi_wide;
    uint16_t rebar;    /* offset of the resizable BARs' capability, or 0 */
    uint8_t rebar_bar; /* the first of them */
};

/* From the registers that it has now. */
void allowed_look(struct allowed *allowed, const struct pcv_model *model,
                  pcv_sbdf sbdf);

/* Whether a write is: every bit may be written, or is what hardware has, or is
 * what it had. `message` is what was bound for MSI, or NULL. A sentence where
 * it is not, or NULL. */
const char *allowed_write(const struct allowed *allowed,
                          const struct pcv_model *model,
                          const struct pcv_model_cfg *write,
                          const struct pcv_msi_message *message);

#endif
