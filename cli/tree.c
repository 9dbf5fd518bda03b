/* SPDX-License-Identifier: MIT */
/* The tree of functions. */
#include "tree.h"

#include <inttypes.h>
#include <stdio.h>

#include "colour.h"

/* Bridges above each other: each has a bus of its own, so there are no more.
 */
#define DEPTH_MAX PCV_BUSES
/* What is said of a function begins here, or two blanks behind the tree where
 * that is wider. */
#define WORDS_COLUMN 30u

struct tree {
    struct machine *machine;
    const struct inventory *inventory;
    const struct tree_style *style;
    struct text prefix; /* left of the functions of the current bus */
    struct text under;  /* left of what is said under a function */
    struct text line;
    size_t lines; /* functions printed */
    size_t left_out;
};

/* "-[02-04]" of a bridge. */
static void range_add(struct text *text, const struct pcv_device_info *info)
{
    if (!info->is_bridge) {
        return;
    }
    if (info->bus_conflict) {
        text_add(text, "-[?]");
    } else if (info->secondary == info->subordinate) {
        text_add(text, "-[%02x]", info->secondary);
    } else {
        text_add(text, "-[%02x-%02x]", info->secondary, info->subordinate);
    }
}

/* "02.0", or with its bus where that is not the one behind the bridge. */
static void label_add(struct text *text, const struct inventory *inventory,
                      const struct inventory_node *node)
{
    pcv_sbdf sbdf = node->info.sbdf;

    if (node->parent != INVENTORY_NONE &&
        inventory->node[node->parent].info.secondary != pcv_sbdf_bus(sbdf)) {
        text_add(text, "%02x:", pcv_sbdf_bus(sbdf));
    }
    text_add(text, "%02x.%x", pcv_sbdf_device(sbdf), pcv_sbdf_function(sbdf));
    range_add(text, &node->info);
}

static void line_print(struct tree *tree)
{
    text_add(&tree->line, "\n");
    fwrite(text_str(&tree->line), 1, tree->line.len, stdout);
    text_clear(&tree->line);
}

/* The rest of a line, at its column. */
static void words_add(struct tree *tree, size_t column, enum colour how,
                      const char *words)
{
    bool colours = tree->style->colours && how != COLOUR_NONE;

    text_pad(&tree->line, column);
    text_add(&tree->line, "  %s%s%s", colour(colours, how), words,
             colour(colours, COLOUR_NONE));
    line_print(tree);
}

/* A further line about the function above. */
static void detail_print(void *arg, const char *words)
{
    struct tree *tree = arg;
    text_add(&tree->line, "%s", text_str(&tree->under));
    words_add(tree, WORDS_COLUMN + 2, COLOUR_DIM, words);
}

/* Begin the line of a function: what leads to it, and what goes on under it.
 * `head` stands left of a root bus' first function. */
static void branch_begin(struct tree *tree, const char *head, bool first,
                         bool last, bool has_child)
{
    text_clear(&tree->under);
    text_add(&tree->under, "%s%s%s", text_str(&tree->prefix), last ? " " : "|",
             has_child ? "  |" : "");
    if (head != NULL && first) {
        text_add(&tree->line, "%s%s", head, last ? "--" : "+-");
    } else {
        text_add(&tree->line, "%s%s", text_str(&tree->prefix),
                 last ? "\\-" : "+-");
    }
}

/* Functions of a list that are no bridges, in one line. */
static void counts_print(struct tree *tree, const char *head, size_t first,
                         size_t bridges)
{
    size_t count[PCV_TYPES] = {0};
    size_t total = 0;
    const char *between = ": ";
    struct text words = {0};

    for (size_t i = first; i != INVENTORY_NONE;
         i = tree->inventory->node[i].next) {
        const struct pcv_device_info *info = &tree->inventory->node[i].info;
        if (!info->is_bridge && info->type < PCV_TYPES) {
            count[info->type]++;
            total++;
        }
    }
    if (total == 0) {
        return;
    }
    branch_begin(tree, head, true, bridges == 0, false);
    text_add_count(&words, total, "function");
    for (unsigned i = 0; i < PCV_TYPES; i++) {
        if (count[i] != 0) {
            text_add(&words, "%s", between);
            text_add_count(&words, count[i],
                           pcv_device_type_name((enum pcv_device_type)i));
            between = ", ";
        }
    }
    text_add(&tree->line, "%s", text_str(&words));
    line_print(tree);
    text_fini(&words);
}

static void node_print(struct tree *tree, const struct inventory_node *node)
{
    struct text words = {0};

    label_add(&tree->line, tree->inventory, node);
    describe_title(&words, &node->info, tree->style->describe.names);
    words_add(tree, WORDS_COLUMN,
              node->info.is_bridge ? COLOUR_STRONG : COLOUR_NONE,
              text_str(&words));
    text_fini(&words);
    describe_details(tree->machine, &node->info, &tree->style->describe,
                     detail_print, tree);
}

/* Whether there is room for a line about `functions`. */
static bool line_take(struct tree *tree, size_t functions)
{
    if (tree->style->lines_max != 0 && tree->lines >= tree->style->lines_max) {
        tree->left_out += functions;
        return false;
    }
    tree->lines++;
    return true;
}

/* A list of functions and what is behind them. Bounded by DEPTH_MAX. */
static void list_print(struct tree *tree, const char *head, size_t first,
                       unsigned depth)
{
    const struct inventory_node *nodes = tree->inventory->node;
    bool brief = tree->style->lines_max != 0;
    size_t bridges = 0;
    size_t others = 0;
    size_t prefix = tree->prefix.len;
    bool at_first = true;

    for (size_t i = first; i != INVENTORY_NONE; i = nodes[i].next) {
        bridges += nodes[i].info.is_bridge;
        others += !nodes[i].info.is_bridge;
    }
    if (brief && others > 0 && line_take(tree, others)) {
        counts_print(tree, head, first, bridges);
        at_first = false;
    }
    size_t left = brief ? bridges : bridges + others;
    for (size_t i = first; i != INVENTORY_NONE; i = nodes[i].next) {
        if (brief && !nodes[i].info.is_bridge) {
            continue;
        }
        left--;
        if (line_take(tree, 1)) {
            branch_begin(tree, head, at_first, left == 0,
                         nodes[i].child != INVENTORY_NONE);
            node_print(tree, &nodes[i]);
            at_first = false;
        }
        if (nodes[i].child != INVENTORY_NONE && depth < DEPTH_MAX) {
            text_add(&tree->prefix, "%s", left == 0 ? "   " : "|  ");
            list_print(tree, NULL, nodes[i].child, depth + 1);
            tree->prefix.len = prefix;
            tree->prefix.data[prefix] = '\0';
        }
    }
}

/* A root bus: "-[0000:00]-+-00.0". */
static void root_print(struct tree *tree, size_t first)
{
    const struct inventory_node *node = &tree->inventory->node[first];
    struct text head = {0};

    text_add(&head, "-[%04" PRIx32 ":%02x]-", node->domain,
             pcv_sbdf_bus(node->info.sbdf));
    text_clear(&tree->prefix);
    text_pad(&tree->prefix, head.len);
    list_print(tree, text_str(&head), first, 0);
    text_fini(&head);
}

void tree_print(struct machine *machine, const struct inventory *inventory,
                const struct tree_style *style)
{
    struct tree tree = {
        .machine = machine, .inventory = inventory, .style = style};

    for (size_t i = 0; i < inventory->count; i++) {
        const struct inventory_node *node = &inventory->node[i];
        bool begins =
            i == 0 || node[-1].info.sbdf.v >> 8 != node->info.sbdf.v >> 8;
        if (begins && node->parent == INVENTORY_NONE) {
            root_print(&tree, i);
        }
    }
    if (tree.left_out != 0) {
        printf("... and %zu more functions: --all shows everything\n",
               tree.left_out);
    }
    text_fini(&tree.prefix);
    text_fini(&tree.under);
    text_fini(&tree.line);
}
