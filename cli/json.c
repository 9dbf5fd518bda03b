/* SPDX-License-Identifier: MIT */
/* A little on top of json-c. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

void json_add(struct json_object *object, const char *key,
              struct json_object *value)
{
    json_object_object_add(object, key, value);
}

void json_add_string(struct json_object *object, const char *key,
                     const char *value)
{
    json_add(object, key, json_object_new_string(value));
}

void json_add_number(struct json_object *object, const char *key,
                     uint64_t value)
{
    json_add(object, key, json_object_new_uint64(value));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
    json_add(object, key, json_object_new_boolean(value));
}

void json_add_hex(struct json_object *object, const char *key, unsigned digits,
                  uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%0*" PRIx64, (int)digits, value);
    json_add_string(object, key, text);
}

void json_add_sbdf(struct json_object *object, const char *key,
                   const struct machine *machine, pcv_sbdf sbdf)
{
    json_add_string(object, key, format_sbdf(machine->model, true, sbdf).s);
}

void json_print(struct text *text, struct json_object *object)
{
    text_add(text, "%s\n",
             json_object_to_json_string_ext(
                 object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                             JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}
