/* SPDX-License-Identifier: MIT */
/*
 * Writing a file so that it is the old one or the new one, never half of it.
 */
#ifndef PCIVISOR_CLI_FILE_H
#define PCIVISOR_CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/*
 * Replace a file's content, keeping its permissions; a link stays a link.
 * What is not a regular file (a terminal, a pipe) is written as it is.
 * Returns true, or false and why: "FILE: text".
 */
bool file_replace(const char *path, const char *data, size_t len,
                  struct text *why);

#endif
