/* SPDX-License-Identifier: MIT */
/*
 * Search trees, as treaps: a node's rank is drawn when it is made and is not
 * below those of its children, so that the tree is as deep as one that was
 * filled in random order, some tens of levels, in whatever order keys come.
 */
#include <search.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct node {
    const void *key; /* first, as search.h says */
    struct node *left, *right;
    uint32_t rank;
};

/* Marsaglia's xorshift with 32 bits. Trees have locks of their own: a draw
 * that is lost between two CPUs does no harm. */
static uint32_t draw(void)
{
    static _Atomic uint32_t state = 0x9e3779b9u;
    uint32_t x = atomic_load_explicit(&state, memory_order_relaxed);

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    atomic_store_explicit(&state, x, memory_order_relaxed);
    return x;
}

/* The pointer that leads to a key's node, or to where it would be. */
static struct node **place_of(const void *key, struct node **tree,
                              search_order compare)
{
    while (*tree) {
        int order = compare(key, (*tree)->key);

        if (order == 0) {
            break;
        }
        tree = order < 0 ? &(*tree)->left : &(*tree)->right;
    }
    return tree;
}

/* Two trees become one; all keys of the first are before the second's. */
static struct node *join(struct node *first, struct node *second)
{
    struct node *top = NULL;
    struct node **at = &top;

    while (first && second) {
        if (first->rank > second->rank) {
            *at = first;
            at = &first->right;
            first = first->right;
        } else {
            *at = second;
            at = &second->left;
            second = second->left;
        }
    }
    *at = first ? first : second;
    return top;
}

/* One tree becomes two: what is before the key, and what is behind it. */
static void split(struct node *tree, const void *key, search_order compare,
                  struct node **before, struct node **behind)
{
    while (tree) {
        if (compare(key, tree->key) < 0) {
            *behind = tree;
            behind = &tree->left;
            tree = tree->left;
        } else {
            *before = tree;
            before = &tree->right;
            tree = tree->right;
        }
    }
    *before = NULL;
    *behind = NULL;
}

void *tfind(const void *key, void *const *tree, search_order compare)
{
    struct node *top = *tree;

    return *place_of(key, &top, compare);
}

void *tsearch(const void *key, void **tree, search_order compare)
{
    struct node *top = *tree;
    struct node *made = *place_of(key, &top, compare);
    struct node **at = &top;

    if (made) {
        return made;
    }
    made = malloc(sizeof(*made));
    if (!made) {
        return NULL;
    }
    made->key = key;
    made->rank = draw();
    while (*at && (*at)->rank > made->rank) {
        at = compare(key, (*at)->key) < 0 ? &(*at)->left : &(*at)->right;
    }
    split(*at, key, compare, &made->left, &made->right);
    *at = made;
    *tree = top;
    return made;
}

void *tdelete(const void *key, void **tree, search_order compare)
{
    struct node *top = *tree;
    struct node **at = place_of(key, &top, compare);
    struct node *node = *at;

    if (!node) {
        return NULL;
    }
    *at = join(node->left, node->right);
    free(node);
    *tree = top;
    return tree;
}

/* The left child is turned up until there is none, so that no stack is needed
 * however deep the tree is. */
void tdestroy(void *tree, void (*free_key)(void *key))
{
    struct node *node = tree;

    while (node) {
        struct node *next = node->left;

        if (next) {
            node->left = next->right;
            next->right = node;
        } else {
            next = node->right;
            free_key((void *)(uintptr_t)node->key);
            free(node);
        }
        node = next;
    }
}
