/* SPDX-License-Identifier: MIT */
/* A modelled host from the running machine (host/linux/live.c), on a made-up
 * tree in place of /sys/bus/pci. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../host/linux/live.h"
#include "pcivisor/pcivisor.h"
#include "pcivisor/regs.h"

/* ---- a tree -------------------------------------------------------------- */

struct tree {
    char root[64];
    char paths[64][160]; /* what is to be removed, in reverse */
    size_t count;
};

static const char *note(struct tree *tree, const char *path)
{
    size_t len = strlen(path);
    char *copy;

    assert_true(tree->count < 64 && len < sizeof(tree->paths[0]));
    copy = tree->paths[tree->count++];
    for (size_t i = 0; i <= len; i++) {
        copy[i] = path[i];
    }
    return copy;
}

static void make_dir(struct tree *tree, const char *path)
{
    assert_int_equal(mkdir(note(tree, path), 0700), 0);
}

static void make_file(struct tree *tree, const char *dir, const char *name,
                      const void *bytes, size_t len)
{
    char path[160];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%.100s/%.20s", dir, name);
    file = fopen(note(tree, path), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    char path[80];

    assert_non_null(tree);
    (void)snprintf(tree->root, sizeof(tree->root), "%s",
                   "/tmp/pcivisor-test-XXXXXX");
    assert_non_null(mkdtemp(tree->root));
    (void)note(tree, tree->root);
    (void)snprintf(path, sizeof(path), "%s/devices", tree->root);
    make_dir(tree, path);
    *state = tree;
    return 0;
}

static int teardown(void **state)
{
    struct tree *tree = *state;

    while (tree->count > 0) {
        (void)remove(tree->paths[--tree->count]);
    }
    free(tree);
    return 0;
}

/* A function whose first BAR has 16 KiB at fe000000. */
static void make_function(struct tree *tree, const char *address,
                          const uint8_t *config, size_t size)
{
    static const char *const fixed[][2] = {{"vendor", "0x8086\n"},
                                           {"device", "0x10fb\n"},
                                           {"class", "0x020000\n"},
                                           {"irq", "10\n"},
                                           {"numa_node", "1\n"}};
    char resource[1024] = "0x00000000fe000000 0x00000000fe003fff "
                          "0x0000000000040200\n";
    static const char nothing[] = "0x0000000000000000 0x0000000000000000 "
                                  "0x0000000000000000\n";
    size_t len = strlen(resource);
    char dir[100];

    for (unsigned i = 1; i < 13; i++) {
        memcpy(resource + len, nothing, sizeof(nothing));
        len += sizeof(nothing) - 1;
    }
    (void)snprintf(dir, sizeof(dir), "%s/devices/%s", tree->root, address);
    make_dir(tree, dir);
    make_file(tree, dir, "config", config, size);
    make_file(tree, dir, "resource", resource, len);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        make_file(tree, dir, fixed[i][0], fixed[i][1], strlen(fixed[i][1]));
    }
}

static void make_config(uint8_t config[4096], unsigned id)
{
    for (unsigned i = 0; i < 4096; i++) {
        config[i] = i < 0x40 ? 0 : (uint8_t)(i * 7 + id);
    }
    config[0] = 0x86;
    config[1] = 0x80;
    config[PCV_REG_DEVICE] = (uint8_t)id;
    config[PCV_REG_BAR0 + 3] = 0xfe;
}

/* ---- tests --------------------------------------------------------------- */

static int load(const struct tree *tree, struct pcv_model **out,
                struct pcv_model_error *error)
{
    *out = pcv_model_create(1);
    assert_non_null(*out);
    memset(error, 0, sizeof(*error));
    return pcv__live_load(*out, tree->root, error);
}

/* SIM-1 */
static void the_running_machines_functions_are_copied(void **state)
{
    struct pcv_model *model;
    struct pcv_model_error error;
    struct pcv_model_facts facts;
    uint8_t config[4096];

    make_config(config, 2);
    make_function(*state, "10000:e1:00.0", config, 256);
    make_config(config, 1);
    make_function(*state, "0000:3b:00.1", config, 4096);
    assert_int_equal(load(*state, &model, &error), 0);
    assert_int_equal(pcv_model_ready(model, &error), 0);
    assert_int_equal(pcv_model_count(model), 2);
    assert_true(pcv_model_facts_at(model, 0, &facts));
    assert_int_equal(facts.sbdf.v, 0x3b01);
    assert_int_equal(facts.config_size, 4096);
    assert_int_equal(facts.bar_size[0], 16384);
    assert_false(facts.bar_guessed[0]);
    for (uint16_t i = 0; i < 4096; i++) {
        assert_int_equal(pcv_model_peek(model, facts.sbdf, i, 1), config[i]);
    }
    assert_true(pcv_model_facts_at(model, 1, &facts));
    assert_int_equal(facts.config_size, 256);
    assert_int_equal(pcv_model_domain_of(model, pcv_sbdf_segment(facts.sbdf)),
                     0x10000);
    pcv_model_destroy(model);
}

static void expect_failure(const struct tree *tree, int rc, const char *part)
{
    struct pcv_model *model;
    struct pcv_model_error error;
    int got = load(tree, &model, &error);

    if (got != rc || strstr(error.text, part) == NULL) {
        fail_msg("expected %d with \"%s\", got %d: %s", rc, part, got,
                 error.text);
    }
    assert_int_equal(pcv_model_count(model), 0);
    pcv_model_destroy(model);
}

/* SIM-1 */
static void without_root_the_machine_is_refused(void **state)
{
    uint8_t config[4096];

    make_config(config, 1);
    make_function(*state, "0000:00:1f.2", config, 64);
    expect_failure(*state, -PCV_EPERM, "only the first 64 bytes of 00:1f.2");
}

/* SIM-1: libpci's own error callback would end the process. */
static void a_machine_without_pci_is_an_error(void **state)
{
    struct tree *tree = *state;

    expect_failure(tree, -PCV_ENODEV, "no PCI functions");
    assert_int_equal(remove(tree->paths[--tree->count]), 0);
    expect_failure(tree, -PCV_EIO, "libpci: ");
}

/* SIM-1 */
static void a_function_that_cannot_be_read_is_an_error(void **state)
{
    make_function(*state, "0000:00:00.0", (const uint8_t *)"", 0);
    expect_failure(*state, -PCV_EIO, "00:00.0 cannot be read");
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(the_running_machines_functions_are_copied),
        LIVE_TEST(without_root_the_machine_is_refused),
        LIVE_TEST(a_machine_without_pci_is_an_error),
        LIVE_TEST(a_function_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
