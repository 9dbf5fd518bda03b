/* SPDX-License-Identifier: MIT */
/* Other names of commands. */
#include "ctl/alias.h"
#include "ctl/numbers.h"

#include <string.h>

static const struct {
    const char *name;
    const char *of;
} table[] = {
    {"attach", "assign"},
    {"bars", "map"},
    {"config", "dump"},
    {"detach", "deassign"},
    {"list", "devices"},
    {"mappings", "mapped"},
    {"msix-prepare", "prepare-msix"},
    {"msix-release", "release-msix"},
    /* As other hypervisors call them. */
    {"device-group", "group"},
    {"ecam-reserved", "ecam"},
    {"restore-msi", "restore"},
    {"topology-information", "nodes"},
};

#define COUNT (sizeof(table) / sizeof(table[0]))

const char *alias_meaning(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].of;
        }
    }
    return name;
}

const char *alias_at(size_t index)
{
    return index < COUNT ? table[index].name : NULL;
}

void alias_add(struct text *out, const char *command)
{
    const char *before = " (also ";

    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(table[i].of, command) == 0) {
            text_add(out, "%s%s", before, table[i].name);
            before = ", ";
        }
    }
    text_add(out, "%s", before[0] == ',' ? ")" : "");
}

void alias_add_help(struct text *out, const char *called, const char *command,
                    const char *arguments, const char *help)
{
    text_add(out, "%s %s\n  ", called, arguments);
    if (strcmp(called, command) != 0) {
        text_add(out, "another name of %s: ", command);
    }
    text_add(out, "%s\n", help);
    numbers_add_help(out, arguments);
}
