/* SPDX-License-Identifier: MIT */
/* JSON written as text. */
#include "ctl/json_text.h"

#include <inttypes.h>
#include <stdio.h>

static void indent(struct json_text *json)
{
    text_add(json->out, "%*s", (int)(2 * json->depth), "");
}

static void quoted(struct json_text *json, const char *string)
{
    text_add(json->out, "\"");
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '"' || c == '\\') {
            text_add(json->out, "\\%c", c);
        } else if (c < 0x20) {
            text_add(json->out, "\\u%04x", c);
        } else {
            text_add_bytes(json->out, string, 1);
        }
    }
    text_add(json->out, "\"");
}

/* Where the next value goes. */
static void place(struct json_text *json, const char *key)
{
    if (json->depth > 0) {
        text_add(json->out, "%s\n", json->filled[json->depth - 1] ? "," : "");
        json->filled[json->depth - 1] = true;
        indent(json);
    }
    if (key != NULL) {
        quoted(json, key);
        text_add(json->out, ": ");
    }
}

static void begin(struct json_text *json, const char *key, char first,
                  char last)
{
    place(json, key);
    text_add(json->out, "%c", first);
    json->close[json->depth] = last;
    json->filled[json->depth] = false;
    json->depth++;
}

void json_text_object(struct json_text *json, const char *key)
{
    begin(json, key, '{', '}');
}

void json_text_list(struct json_text *json, const char *key)
{
    begin(json, key, '[', ']');
}

void json_text_close(struct json_text *json)
{
    json->depth--;
    if (json->filled[json->depth]) {
        text_add(json->out, "\n");
        indent(json);
    }
    text_add(json->out, "%c%s", json->close[json->depth],
             json->depth == 0 ? "\n" : "");
}

void json_text_string(struct json_text *json, const char *key,
                      const char *value)
{
    place(json, key);
    quoted(json, value);
}

void json_text_number(struct json_text *json, const char *key, uint64_t value)
{
    place(json, key);
    text_add(json->out, "%" PRIu64, value);
}

void json_text_bool(struct json_text *json, const char *key, bool value)
{
    place(json, key);
    text_add(json->out, "%s", value ? "true" : "false");
}

void json_text_null(struct json_text *json, const char *key)
{
    place(json, key);
    text_add(json->out, "null");
}

void json_text_hex(struct json_text *json, const char *key, unsigned digits,
                   uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%0*" PRIx64, (int)digits, value);
    json_text_string(json, key, text);
}
