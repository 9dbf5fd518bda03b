/* SPDX-License-Identifier: MIT */
/*
 * POSIX's search trees. A tree is a pointer that is NULL at first; a node's
 * first member is the pointer to its key, which stays the caller's.
 */
#ifndef HYP_LIBC_SEARCH_H
#define HYP_LIBC_SEARCH_H

typedef int (*search_order)(const void *a, const void *b);

/* The node of a key, NULL if there is none. */
void *tfind(const void *key, void *const *tree, search_order compare);
/* The same, made if there is none; NULL without memory. */
void *tsearch(const void *key, void **tree, search_order compare);
/* Take a key's node out. NULL if there is none; else a pointer to nothing. */
void *tdelete(const void *key, void **tree, search_order compare);
/* Free all nodes, and each key with `free_key`. */
void tdestroy(void *tree, void (*free_key)(void *key));

#endif
