/* SPDX-License-Identifier: MIT */
/*
 * How addresses, sizes and numbers are written and read.
 */
#ifndef PCIVISOR_CLI_FORMAT_H
#define PCIVISOR_CLI_FORMAT_H

#include "pcivisor/types.h"
#include "text.h"

struct pcv_model;

/* Room for any address, domain and NUL byte included. */
#define FORMAT_SBDF_LEN 24u

/* A printed address: returned by value, so that several fit in one call. */
struct sbdf_text {
    char s[FORMAT_SBDF_LEN];
};

/* "02:00.0", or "10000:02:00.0" where `domains` is set. */
struct sbdf_text format_address(bool domains, uint32_t domain, pcv_sbdf sbdf);

/*
 * "02:00.0", or "10000:02:00.0" where `domains` is set. The model knows what
 * people call the segment.
 */
struct sbdf_text format_sbdf(const struct pcv_model *model, bool domains,
                             pcv_sbdf sbdf);

/* What people call a domain. */
struct domain_text {
    char s[40];
};

/* A number of bytes as people say it: 32, 4K, 16M, 8G, 1T. */
struct size_text {
    char s[16];
};
struct size_text format_size(uint64_t bytes);

/* "1 function", "2 functions"; "1 bus", "2 buses". */
void text_add_count(struct text *text, uint64_t count, const char *noun);

/*
 * An address as people write it: BB:DD.F or DDDD:BB:DD.F. True, what people
 * call its segment, and the rest of it in segment 0; or false, and why.
 */
bool parse_address(const char *word, uint32_t *out_domain, pcv_sbdf *out_sbdf,
                   struct text *why);

/* A run of buses, "0:80-ff": what people call the segment, first and last. */
bool parse_buses(const char *word, uint32_t *out_domain, uint8_t out_bus[2]);

/* A place on a guest's bus: "2" or "02.1". */
bool parse_slot(const char *word, uint8_t *out_slot);

/*
 * An address as people write it: BB:DD.F or DDDD:BB:DD.F. False, and why, if
 * it is none, or the machine has no such domain. Without a model there is
 * domain 0 only, as on a guest's bus.
 */
bool parse_sbdf(const struct pcv_model *model, const char *word,
                pcv_sbdf *out_sbdf, struct text *why);

/* Hexadecimal, with or without 0x. False if it is not, or above `max`. */
bool parse_hex(const char *word, uint64_t max, uint64_t *out_value);
/* Decimal. False if it is not, or above `max`. */
bool parse_decimal(const char *word, uint64_t max, uint64_t *out_value);
/*
 * What people type is read the same way everywhere, as `help` says: addresses,
 * registers, bus numbers and values by parse_hex(); counts, times and indexes
 * by parse_number(), sizes by parse_size(). With 0x in front each is
 * hexadecimal.
 */
/* Decimal, or hexadecimal with 0x in front. False if it is neither, or above
 * `max`. */
bool parse_number(const char *word, uint64_t max, uint64_t *out_value);
/* A number of bytes: the same, or decimal with K, M, G or T behind it. False if
 * it is none of them. */
bool parse_size(const char *word, uint64_t *out_bytes);

#endif
