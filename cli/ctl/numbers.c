/* SPDX-License-Identifier: MIT */
/* How the numbers that commands take are read, for people. */
#include "ctl/numbers.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum reading { HEX, DECIMAL, SIZE, READINGS };

static const char *const reading_name[READINGS] = {
    "hexadecimal", "decimal", "decimal, or 4K, 2M, 1G, 1T"};

/* What arguments are called in the tables of commands. */
static const struct {
    const char *name;
    enum reading reading;
} argument[] = {
    {"ADDRESS", HEX},    {"BASE", HEX},
    {"WINDOW", HEX},     {"REG", HEX},
    {"VALUE", HEX},      {"PORT", HEX},
    {"OFFSET", HEX},     {"OFF", HEX},
    {"SLOT", HEX},       {"SEGMENT", HEX},
    {"BUS", HEX},        {"FIRST", HEX},
    {"LAST", HEX},       {"PRIMARY", HEX},
    {"SECONDARY", HEX},  {"SUBORDINATE", HEX},
    {"VENDOR", HEX},     {"DEVICE", HEX},
    {"N", DECIMAL},      {"COUNT", DECIMAL},
    {"TIMES", DECIMAL},  {"PAGES", DECIMAL},
    {"BAR", DECIMAL},    {"VECTOR", DECIMAL},
    {"STRIDE", DECIMAL}, {"SIZE", SIZE},
    {"BYTES", SIZE},     {"MILLISECONDS", DECIMAL},
};

#define COUNT (sizeof(argument) / sizeof(argument[0]))
_Static_assert(COUNT <= 64, "a bit each");

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A bit for each argument that is a number. */
static uint64_t named(const char *arguments)
{
    uint64_t found = 0;
    const char *at = arguments + strcspn(arguments, LETTERS);

    while (*at != '\0') {
        size_t len = strspn(at, LETTERS);

        for (size_t i = 0; i < COUNT; i++) {
            if (strlen(argument[i].name) == len &&
                memcmp(argument[i].name, at, len) == 0) {
                found |= UINT64_C(1) << i;
            }
        }
        at += len;
        at += strcspn(at, LETTERS);
    }
    return found;
}

void numbers_add_rule(struct text *out)
{
    text_add(out, "  Addresses, registers, bus numbers and values are "
                  "hexadecimal; counts, times\n  and sizes decimal, sizes also "
                  "4K, 2M, 1G, 1T. With 0x in front any is hexadecimal.\n");
}

void numbers_add_help(struct text *out, const char *arguments)
{
    uint64_t found = named(arguments);
    const char *before = "  numbers: ";

    for (unsigned reading = 0; reading < READINGS; reading++) {
        bool any = false;

        for (size_t i = 0; i < COUNT; i++) {
            if ((found >> i & 1u) != 0 && argument[i].reading == reading) {
                text_add(out, "%s%s", before, argument[i].name);
                before = ", ";
                any = true;
            }
        }
        if (any) {
            text_add(out, " %s", reading_name[reading]);
            before = "; ";
        }
    }
    text_add(out, "%s", found != 0 ? "; 0x: hexadecimal\n" : "");
}
