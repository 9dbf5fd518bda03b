/* SPDX-License-Identifier: MIT */
/*
 * Registers by name or number: COMMAND, BAR0, CAP_MSI+2, ECAP_SRIOV+8, 4c.w.
 */
#ifndef PCIVISOR_CLI_REG_H
#define PCIVISOR_CLI_REG_H

#include "view.h"

/*
 * Read a register's name.
 *
 *   NUMBER        hexadecimal offset in bytes
 *   NAME          as setpci and the specifications call it
 *   CAP_NAME, CAPxx, ECAP_NAME, ECAPxxxx
 *                 where the first capability of that kind begins
 *   +OFFSET       behind any of these, hexadecimal
 *   .b .w .l .q   1, 2, 4 or 8 bytes; .N: N bytes, decimal
 *
 * Without a width a named register has its own, and a number the widest (up
 * to 4 bytes) that its alignment allows.
 *
 * @view, @sbdf  where capabilities are looked up
 *
 * Returns true, or false and why.
 */
bool reg_parse(const struct view *view, pcv_sbdf sbdf, const char *word,
               uint16_t *out_reg, uint8_t *out_size, struct text *why);

/* CAP_MSI, CAP05, ECAP0010: which kind of capability; false if none. */
bool reg_cap_named(const char *name, uint16_t *out_id, bool *out_extended);

/* ".l" for 4 bytes, ".3" for three. */
struct width_text {
    char s[8];
};
struct width_text reg_width(uint8_t size);
/* The other way round, for what stands behind the last dot: "l", "3". */
bool reg_width_parse(const char *word, uint8_t *out_size);

/* The index-th name of a register, or of a kind of capability; NULL past the
 * last. */
const char *reg_name(size_t index);
const char *reg_cap_name(size_t index);

#endif
