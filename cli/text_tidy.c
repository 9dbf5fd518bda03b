/* SPDX-License-Identifier: MIT */
/* Output that can stand in a transcript. */
#include <stdbool.h>
#include <string.h>

#include "text.h"

void text_tidy(struct text *text)
{
    struct text tidy = {0};
    const char *line = text_str(text);

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        const char *next = line + len + (line[len] == '\n');
        while (len > 0 && line[len - 1] == ' ') {
            len--;
        }
        if (len > 0) {
            bool mistakable = line[0] == '#' || line[0] == '>' ||
                              (len == 3 && memcmp(line, "...", 3) == 0);
            text_add(&tidy, "%s%.*s\n", mistakable ? " " : "", (int)len, line);
        }
        line = next;
    }
    text_fini(text);
    *text = tidy;
}
