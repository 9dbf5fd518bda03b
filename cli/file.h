/* SPDX-License-Identifier: MIT */
/*
 * Files that people name: where they are, reading them, and writing one so that
 * it is the old one or the new one, never half of it.
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

/* What a transcript names is a file beside it, in `folder`; where there is
 * none, or the folder is NULL, one where the command was started. */
void file_path(struct text *out_path, const char *name, const char *folder);

/* All of a file of at most `max` bytes. False, and why: "FILE: text". */
bool file_load(const char *path, size_t max, struct text *out_data,
               struct text *why);

#endif
