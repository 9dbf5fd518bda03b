/* SPDX-License-Identifier: MIT */
/*
 * What a made-up machine is asked to be: the text "KEY=VALUE,..." and the
 * numbers that follow from it.
 */
#include <stdio.h>
#include <string.h>

#include "generate.h"
#include "source.h"

#define FUNCTIONS_MAX 1048576u /* of all segments: what a PC's memory holds */

/* X(key, least, most, default, help). seed is apart: it has 64 bits. */
#define GEN_KEYS(X)                                                            \
    X(segments, 1, 256, 1, "=1    segments of the same shape")                 \
    X(functions, 1, 65536, 64,                                                 \
      "=64  all functions: bridges, endpoints and VFs; up to 65536")           \
    X(buses, 1, 256, PCV__GEN_AUTO,                                            \
      "=N       root buses and one behind each bridge, up to 256;\n"           \
      "                default: as many as the functions need")                \
    X(bridges, 0, 255, PCV__GEN_AUTO,                                          \
      "=N     root ports, switch ports and PCI bridges; default 8,\n"          \
      "                or fewer where the functions need the buses")           \
    X(switches, 0, 85, PCV__GEN_AUTO,                                          \
      "=N    switches, each a root port, an upstream port and\n"               \
      "                downstream ports; default: a sixth of the bridges")     \
    X(pci, 0, 127, PCV__GEN_AUTO,                                              \
      "=N         PCI Express to PCI bridges, each behind a root port;\n"      \
      "                default: an eighth of the bridges")                     \
    X(multi, 1, 8, PCV__GEN_AUTO,                                              \
      "=N       functions of a device at most; default 4, or more\n"           \
      "                where they are needed")                                 \
    X(vfs, 0, 248, 0,                                                          \
      "=0         VFs of each PF, up to 248; every second port has a PF")      \
    X(extended, 0, 100, PCV__GEN_AUTO,                                         \
      "=N    percent of PCI Express endpoints with 4096 bytes;\n"              \
      "                default 100, less above 4096 functions in all")

#define GEN_NAME(name, least, most, initial, help) #name ", "
#define GEN_NAMES GEN_KEYS(GEN_NAME) "seed"
#define GEN_HELP(name, least, most, initial, help) "  " #name help "\n"

const char *pcv_model_generate_help(void)
{
    return "KEY=NUMBER,...; all but segments and seed are of each "
           "segment.\n" GEN_KEYS(
               GEN_HELP) "  seed=1        what is left to chance\n"
                         "A root bus and a PCI bus hold 32 devices, a port "
                         "holds one.\n";
}

/* ---- text ---------------------------------------------------------------- */

/* False if it is no number or above `max`. */
static bool parse_number(const char *s, size_t len, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(s[i] - '0');

        if (s[i] < '0' || s[i] > '9' || digit > max ||
            value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return len > 0;
}

struct gen_key {
    const char *name;
    uint32_t least;
    uint32_t most;
    uint32_t initial;
    size_t offset; /* in struct pcv__gen_spec */
};

#define GEN_ROW(name, least, most, initial, help)                              \
    {#name, least, most, initial, offsetof(struct pcv__gen_spec, name)},
static const struct gen_key gen_keys[] = {GEN_KEYS(GEN_ROW)};
#define GEN_KEY_COUNT (sizeof(gen_keys) / sizeof(gen_keys[0]))
#define GEN_SEED GEN_KEY_COUNT

static void store(struct pcv__gen_spec *spec, size_t key, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    if (key == GEN_SEED) {
        spec->seed = value;
    } else {
        memcpy((uint8_t *)spec + gen_keys[key].offset, &narrow, sizeof(narrow));
    }
}

/* GEN_SEED + 1 if there is no such key. */
static size_t find_key(const char *s, size_t len)
{
    for (size_t i = 0; i < GEN_KEY_COUNT; i++) {
        if (strlen(gen_keys[i].name) == len &&
            memcmp(gen_keys[i].name, s, len) == 0) {
            return i;
        }
    }
    return len == 4 && memcmp(s, "seed", 4) == 0 ? GEN_SEED : GEN_SEED + 1;
}

static int parse_pair(struct pcv__gen_spec *spec, const char *s, size_t len,
                      unsigned *seen, struct pcv_model_error *error)
{
    const char *equals = memchr(s, '=', len);
    size_t name = equals == NULL ? len : (size_t)(equals - s);
    size_t key = find_key(s, name);
    uint64_t value;
    int shown = (int)(len < 40 ? len : 40);

    if (key > GEN_SEED || equals == NULL) {
        return pcv__source_fail(error, -PCV_EINVAL, 0,
                                "expected KEY=NUMBER with one of the keys "
                                "%s; found \"%.*s\"",
                                GEN_NAMES, shown, s);
    }
    if ((*seen >> key & 1u) != 0) {
        return pcv__source_fail(error, -PCV_EINVAL, 0,
                                "expected each key once, found \"%.*s\" again",
                                shown, s);
    }
    *seen |= 1u << key;
    if (!parse_number(equals + 1, len - name - 1,
                      key == GEN_SEED ? UINT64_MAX : gen_keys[key].most,
                      &value) ||
        (key < GEN_SEED && value < gen_keys[key].least)) {
        if (key == GEN_SEED) {
            return pcv__source_fail(error, -PCV_EINVAL, 0,
                                    "expected seed=NUMBER, found \"%.*s\"",
                                    shown, s);
        }
        return pcv__source_fail(
            error, -PCV_EINVAL, 0,
            "expected %s=NUMBER from %u to %u, found \"%.*s\"",
            gen_keys[key].name, (unsigned)gen_keys[key].least,
            (unsigned)gen_keys[key].most, shown, s);
    }
    store(spec, key, value);
    return 0;
}

int pcv__gen_parse(struct pcv__gen_spec *out, const char *text,
                   struct pcv_model_error *error)
{
    struct pcv__gen_spec spec = {.seed = 1};
    unsigned seen = 0;

    for (size_t i = 0; i < GEN_KEY_COUNT; i++) {
        store(&spec, i, gen_keys[i].initial);
    }
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        int rc = parse_pair(&spec, text, len, &seen, error);

        if (rc != 0) {
            return rc;
        }
        text += len;
        /* A comma promises another pair: parse_pair refuses an empty one. */
        if (*text == ',' && *++text == '\0') {
            return parse_pair(&spec, text, 0, &seen, error);
        }
    }
    if (spec.functions > FUNCTIONS_MAX / spec.segments) {
        return pcv__source_fail(error, -PCV_EINVAL, 0,
                                "expected at most %u functions in all, found "
                                "segments=%u with functions=%u",
                                FUNCTIONS_MAX, (unsigned)spec.segments,
                                (unsigned)spec.functions);
    }
    if (spec.extended == PCV__GEN_AUTO) {
        uint32_t all = spec.segments * spec.functions;

        spec.extended = all <= 4096 ? 100 : 4096 * 100 / all;
    }
    *out = spec;
    return 0;
}
