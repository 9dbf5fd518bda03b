/* SPDX-License-Identifier: MIT */
/* What a guest is to see of a function, as options say it. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "reg.h"

#define ROM_MAX (16u << 20) /* bytes; no expansion ROM is larger */
#define WORD_MAX 31u

/* "msix", "CAP_MSIX", "CAP11", "ECAP0010": with the prefix, or without where
 * the name says it all. */
static bool cap_parse(const char *word, struct pcv_cap_choice *out_choice)
{
    static const char *const prefix[] = {"", "CAP_", "ECAP_"};
    char name[WORD_MAX + 8];

    if (strlen(word) > WORD_MAX) {
        return false;
    }
    for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", prefix[i], word);
        if (reg_cap_named(name, &out_choice->id, &out_choice->extended)) {
            return true;
        }
    }
    return false;
}

static bool cap_take(const char *word, bool show,
                     struct pcv_assign_policy *policy, struct text *why)
{
    struct pcv_cap_choice choice = {.show = show};

    if (!cap_parse(word, &choice)) {
        text_add(why, "expected a capability (msix, aer, CAP_VPD, ECAP0010), "
                      "got '");
        text_add_clean(why, word);
        text_add(why, "'");
        return false;
    }
    if (policy->cap_count == PCV_POLICY_CAPS) {
        text_add(why, "at most %u capabilities can be hidden or shown",
                 PCV_POLICY_CAPS);
        return false;
    }
    policy->caps[policy->cap_count++] = choice;
    return true;
}

/* "bar2" or "2". */
static bool bar_take(const char *word, struct pcv_assign_policy *policy,
                     struct text *why)
{
    uint64_t bar;
    const char *digits = strncmp(word, "bar", 3) == 0 ? word + 3 : word;

    if (!parse_decimal(digits, 5, &bar)) {
        text_add(why, "expected a BAR from bar0 to bar5, got '");
        text_add_clean(why, word);
        text_add(why, "'");
        return false;
    }
    policy->bars_out = (uint8_t)(policy->bars_out | 1u << bar);
    return true;
}

/* "OFF:SIZE" or "OFF:SIZE:rw". */
static bool range_parse(const char *word, struct pcv_passed_range *out_range)
{
    char copy[WORD_MAX + 1];
    uint64_t offset;
    uint64_t size;

    if (strlen(word) > WORD_MAX) {
        return false;
    }
    snprintf(copy, sizeof(copy), "%s", word);
    char *colon = strchr(copy, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    char *more = strchr(colon + 1, ':');
    if (more != NULL) {
        *more = '\0';
    }
    if (!parse_hex(copy, PCV_CFG_EXT_SIZE - 1, &offset) ||
        !parse_size(colon + 1, &size) || size > PCV_CFG_EXT_SIZE ||
        (more != NULL && strcmp(more + 1, "rw") != 0)) {
        return false;
    }
    *out_range = (struct pcv_passed_range){(uint16_t)offset, (uint16_t)size,
                                           more != NULL};
    return true;
}

static bool range_take(const char *word, struct pcv_assign_policy *policy,
                       struct text *why)
{
    struct pcv_passed_range range;

    if (!range_parse(word, &range)) {
        text_add(why, "expected OFF:SIZE or OFF:SIZE:rw, a hexadecimal offset "
                      "and a size, got '");
        text_add_clean(why, word);
        text_add(why, "'");
        return false;
    }
    if (policy->passed_count == PCV_POLICY_PASSED) {
        text_add(why, "at most %u ranges can be passed through",
                 PCV_POLICY_PASSED);
        return false;
    }
    policy->passed[policy->passed_count++] = range;
    return true;
}

/* The library reads it as long as the function is assigned, so it stays until
 * the machine ends. */
static bool rom_take(struct machine *machine, const char *name,
                     const char *folder, struct pcv_assign_policy *policy,
                     struct text *why)
{
    struct text path = {0};
    struct text image = {0};

    file_path(&path, name, folder);
    bool good = file_load(text_str(&path), ROM_MAX, &image, why);
    text_fini(&path);
    if (good && image.len == 0) {
        text_add_clean(why, name);
        text_add(why, ": it is empty");
        good = false;
    }
    if (good) {
        machine->lent = memory_resize(machine->lent, machine->lents + 1,
                                      sizeof(*machine->lent));
        machine->lent[machine->lents++] = image.data;
        policy->rom = image.data;
        policy->rom_size = (uint32_t)image.len;
    }
    return good;
}

bool policy_parse(struct machine *machine, const struct args *args,
                  const char *folder, struct pcv_assign_policy *out_policy,
                  struct text *why)
{
    struct pcv_assign_policy policy = {0};
    bool good = true;

    for (size_t i = 0; i < args->values && good; i++) {
        const char *word = args->value[i].text;
        switch (args->value[i].option) {
        case POLICY_HIDE:
        case POLICY_SHOW:
            good = cap_take(word, args->value[i].option == POLICY_SHOW, &policy,
                            why);
            break;
        case POLICY_LEAVE_OUT:
            good = bar_take(word, &policy, why);
            break;
        default:
            good = range_take(word, &policy, why);
            break;
        }
    }
    if (good && args->option[POLICY_ROM] != NULL) {
        good =
            rom_take(machine, args->option[POLICY_ROM], folder, &policy, why);
    }
    *out_policy = policy;
    return good;
}
