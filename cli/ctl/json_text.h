/* SPDX-License-Identifier: MIT */
/*
 * JSON written as text, indented by two: for commands that need no library but
 * libc. What people write in hexadecimal is a string.
 */
#ifndef PCIVISOR_CLI_CTL_JSON_TEXT_H
#define PCIVISOR_CLI_CTL_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/* Zero it but for `out`. Deeper than a device's BARs nothing nests. */
#define JSON_DEPTH 8u
struct json_text {
    struct text *out;
    unsigned depth;
    char close[JSON_DEPTH];
    bool filled[JSON_DEPTH]; /* something stands there already */
};

/* `key` is NULL in a list, and for what stands alone. The last
 * json_text_close() ends the line. */
void json_text_object(struct json_text *json, const char *key);
void json_text_list(struct json_text *json, const char *key);
void json_text_close(struct json_text *json);

void json_text_string(struct json_text *json, const char *key,
                      const char *value);
void json_text_number(struct json_text *json, const char *key, uint64_t value);
void json_text_bool(struct json_text *json, const char *key, bool value);
void json_text_null(struct json_text *json, const char *key);
void json_text_hex(struct json_text *json, const char *key, unsigned digits,
                   uint64_t value);

#endif
