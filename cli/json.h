/* SPDX-License-Identifier: MIT */
/*
 * JSON for those who read by program: a little on top of json-c.
 */
#ifndef PCIVISOR_CLI_JSON_H
#define PCIVISOR_CLI_JSON_H

#include <json-c/json.h>

#include "machine.h"

/* Add a member. Numbers are numbers; what people write in hexadecimal is a
 * string: "8086". */
void json_add(struct json_object *object, const char *key,
              struct json_object *value);
void json_add_string(struct json_object *object, const char *key,
                     const char *value);
void json_add_number(struct json_object *object, const char *key,
                     uint64_t value);
void json_add_bool(struct json_object *object, const char *key, bool value);
void json_add_hex(struct json_object *object, const char *key, unsigned digits,
                  uint64_t value);
/* An address, always with its domain: "0000:02:00.0". */
void json_add_sbdf(struct json_object *object, const char *key,
                   const struct machine *machine, pcv_sbdf sbdf);

/* Print as indented text that ends with a newline, and let go of it. */
void json_print(struct text *text, struct json_object *object);

#endif
