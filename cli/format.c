/* SPDX-License-Identifier: MIT */
/* How addresses, sizes and numbers are written and read. */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct sbdf_text format_address(bool domains, uint32_t domain, pcv_sbdf sbdf)
{
    struct sbdf_text text;
    char *at = text.s;
    size_t room = sizeof(text.s);

    if (domains) {
        int len = snprintf(at, room, "%04" PRIx32 ":", domain);
        at += len;
        room -= (size_t)len;
    }
    snprintf(at, room, "%02x:%02x.%x", pcv_sbdf_bus(sbdf),
             pcv_sbdf_device(sbdf), pcv_sbdf_function(sbdf));
    return text;
}

struct size_text format_size(uint64_t bytes)
{
    static const char units[] = "\0KMGTPE";
    struct size_text text;
    size_t unit = 0;

    while (unit < 6 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text.s, sizeof(text.s), "%" PRIu64 "%.1s", bytes, &units[unit]);
    return text;
}

void text_add_count(struct text *text, uint64_t count, const char *noun)
{
    size_t len = strlen(noun);
    const char *plural = "s";

    if (count == 1) {
        plural = "";
    } else if (len > 0 && noun[len - 1] == 's') {
        plural = "es";
    }
    text_add(text, "%" PRIu64 " %s%s", count, noun, plural);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/*
 * Up to `digits_max` digits of base 10 or 16 at *at, which is moved behind
 * them. False if there is none, or more than that.
 */
static bool digits_take(const char **at, int base, unsigned digits_max,
                        uint64_t *out_value)
{
    uint64_t value = 0;
    unsigned digits = 0;

    for (;; digits++) {
        int digit = hex_digit(**at);
        if (digit < 0 || digit >= base) {
            break;
        }
        if (digits == digits_max) {
            return false;
        }
        value = value * (unsigned)base + (unsigned)digit;
        (*at)++;
    }
    *out_value = value;
    return digits > 0;
}

static bool is_prefixed(const char *word)
{
    return word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
}

bool parse_hex(const char *word, uint64_t max, uint64_t *out_value)
{
    uint64_t value;
    if (is_prefixed(word)) {
        word += 2;
    }
    if (!digits_take(&word, 16, 16, &value) || *word != '\0' || value > max) {
        return false;
    }
    *out_value = value;
    return true;
}

bool parse_decimal(const char *word, uint64_t max, uint64_t *out_value)
{
    uint64_t value;
    /* 18 digits stay below 2^64. */
    if (!digits_take(&word, 10, 18, &value) || *word != '\0' || value > max) {
        return false;
    }
    *out_value = value;
    return true;
}

bool parse_number(const char *word, uint64_t max, uint64_t *out_value)
{
    return is_prefixed(word) ? parse_hex(word, max, out_value)
                             : parse_decimal(word, max, out_value);
}

bool parse_size(const char *word, uint64_t *out_bytes)
{
    static const char units[] = "KMGT";
    const char *at = word;
    uint64_t value;

    if (parse_number(word, UINT64_MAX, out_bytes)) {
        return true;
    }
    /* 6 digits of the largest unit stay below 2^64. */
    if (!digits_take(&at, 10, 6, &value) || at[0] == '\0' || at[1] != '\0') {
        return false;
    }
    const char *unit = strchr(units, at[0]);
    if (unit == NULL) {
        return false;
    }
    *out_bytes = value << (10 * (unit - units + 1));
    return true;
}

/* One field of an address that ends with `end`. */
static bool field_take(const char **at, unsigned digits_max, uint64_t max,
                       char end, uint64_t *out_value)
{
    if (!digits_take(at, 16, digits_max, out_value) || *out_value > max ||
        **at != end) {
        return false;
    }
    if (end != '\0') {
        (*at)++;
    }
    return true;
}

bool parse_address(const char *word, uint32_t *out_domain, pcv_sbdf *out_sbdf,
                   struct text *why)
{
    const char *colon = strchr(word, ':');
    const char *at = word;
    uint64_t domain = 0;
    uint64_t bus;
    uint64_t device;
    uint64_t function;

    bool good = colon == NULL || strchr(colon + 1, ':') == NULL ||
                field_take(&at, 8, UINT32_MAX, ':', &domain);
    good = good && field_take(&at, 2, 0xff, ':', &bus) &&
           field_take(&at, 2, 0x1f, '.', &device) &&
           field_take(&at, 1, 7, '\0', &function);
    if (!good) {
        text_add(why, "expected an address, BB:DD.F or DDDD:BB:DD.F with "
                      "device up to 1f and function up to 7, got '");
        text_add_clean(why, word);
        text_add(why, "'");
        return false;
    }
    *out_domain = (uint32_t)domain;
    *out_sbdf = pcv_sbdf_make(0, (uint8_t)bus,
                              pcv_devfn((uint8_t)device, (uint8_t)function));
    return true;
}

bool parse_buses(const char *word, uint32_t *out_domain, uint8_t out_bus[2])
{
    const char *at = word;
    uint64_t domain;
    uint64_t first;
    uint64_t last;

    if (!field_take(&at, 8, UINT32_MAX, ':', &domain) ||
        !field_take(&at, 2, 0xff, '-', &first) ||
        !field_take(&at, 2, 0xff, '\0', &last)) {
        return false;
    }
    *out_domain = (uint32_t)domain;
    out_bus[0] = (uint8_t)first;
    out_bus[1] = (uint8_t)last;
    return true;
}

bool parse_slot(const char *word, uint8_t *out_slot)
{
    char device[8];
    const char *dot = strchr(word, '.');
    size_t len = dot != NULL ? (size_t)(dot - word) : strlen(word);
    uint64_t number;
    uint64_t function = 0;

    if (len >= sizeof(device)) {
        return false;
    }
    memcpy(device, word, len);
    device[len] = '\0';
    if (!parse_hex(device, PCV_SLOTS - 1, &number) ||
        (dot != NULL && !parse_hex(dot + 1, PCV_FUNCTIONS - 1, &function))) {
        return false;
    }
    *out_slot = pcv_devfn((uint8_t)number, (uint8_t)function);
    return true;
}
