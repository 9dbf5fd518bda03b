/* SPDX-License-Identifier: MIT */
/* What could stand at the end of a line. */
#include "complete.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "reg.h"

/* Beyond this many nobody reads them. */
#define CANDIDATES_MAX 1000u

/* Keep a word if it begins with what is typed. */
static void candidate_add(struct candidates *candidates, const char *word,
                          const char *typed)
{
    if (strncasecmp(word, typed, candidates->typed) != 0 ||
        candidates->count >= CANDIDATES_MAX) {
        return;
    }
    candidates->word = memory_grow(candidates->word, candidates->count,
                                   &candidates->room, sizeof(char *));
    candidates->word[candidates->count++] = memory_string(word);
}

static void add_commands(struct candidates *candidates, const char *typed)
{
    const struct command *command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        candidate_add(candidates, command->name, typed);
    }
}

static void add_options(struct candidates *candidates,
                        const struct command *command, const char *typed)
{
    for (size_t i = 0;
         command->option != NULL && command->option[i].name != NULL; i++) {
        candidate_add(candidates, command->option[i].name, typed);
    }
}

static void add_registers(struct candidates *candidates, const char *typed)
{
    const char *name;
    for (size_t i = 0; (name = reg_name(i)) != NULL; i++) {
        candidate_add(candidates, name, typed);
    }
}

/* With the domain where it is typed, or where addresses have one. */
static void add_addresses(struct candidates *candidates,
                          const struct session *session, const char *typed)
{
    const struct machine *machine = &session->machine;
    pcv_sbdf from = {0};

    while (machine->host != NULL && candidates->count < CANDIDATES_MAX) {
        struct pcv_device *device = pcv_device_next(machine->host, from);
        if (device == NULL) {
            return;
        }
        pcv_sbdf sbdf = pcv_device_sbdf(device);
        pcv_device_put(device);
        size_t before = candidates->count;
        candidate_add(candidates, machine_sbdf(machine, sbdf).s, typed);
        if (candidates->count == before && !machine->domains) {
            candidate_add(candidates, format_sbdf(machine->model, true, sbdf).s,
                          typed);
        }
        if (sbdf.v == UINT32_MAX) {
            return;
        }
        from.v = sbdf.v + 1;
    }
}

static void add_operations(struct candidates *candidates, const char *typed)
{
    for (unsigned op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        candidate_add(candidates, pcv_model_op_name((enum pcv_model_op)op),
                      typed);
    }
}

/* What the index-th argument of a command can be. */
static void add_arguments(struct candidates *candidates,
                          const struct session *session,
                          const struct command *command, size_t index,
                          const char *typed)
{
    if (command->completes == NULL) {
        return;
    }
    size_t kinds = strlen(command->completes);
    char kind = command->completes[index < kinds ? index : kinds - 1];

    switch (kind) {
    case 's':
        add_addresses(candidates, session, typed);
        break;
    case 'r':
        add_registers(candidates, typed);
        break;
    case 'o':
        add_operations(candidates, typed);
        break;
    case 'c':
        add_commands(candidates, typed);
        break;
    case 'w':
        candidate_add(candidates, "on", typed);
        candidate_add(candidates, "off", typed);
        break;
    case 'v':
        candidate_add(candidates, "address", typed);
        candidate_add(candidates, "ecam", typed);
        candidate_add(candidates, "port", typed);
        candidate_add(candidates, "port-amd", typed);
        break;
    default:
        break;
    }
}

static size_t common_length(const struct candidates *candidates)
{
    if (candidates->count == 0) {
        return 0;
    }
    size_t common = strlen(candidates->word[0]);
    for (size_t i = 1; i < candidates->count; i++) {
        size_t same = 0;
        while (same < common &&
               candidates->word[i][same] == candidates->word[0][same]) {
            same++;
        }
        common = same;
    }
    return common;
}

/* Arguments in front of the word being typed, options left out. */
static size_t arguments_before(const struct words *words, size_t complete)
{
    size_t count = 0;
    for (size_t i = 1; i < complete; i++) {
        count += words->word[i][0] != '-';
    }
    return count;
}

void complete_line(const struct session *session, const char *line, size_t len,
                   struct candidates *out_candidates)
{
    struct candidates candidates = {0};
    struct words words = {0};
    struct text text = {0};
    struct text why = {0};

    text_add_bytes(&text, line, len);
    if (words_split(&words, text_str(&text), &why)) {
        bool begun = len > 0 && line[len - 1] != ' ' && line[len - 1] != '\t';
        size_t complete = words.count - (begun && words.count > 0);
        const char *typed = complete < words.count ? words.word[complete] : "";
        candidates.typed = strlen(typed);
        if (complete == 0) {
            add_commands(&candidates, typed);
        } else {
            const struct command *command = command_named(words.word[0]);
            if (command != NULL && typed[0] == '-') {
                add_options(&candidates, command, typed);
            } else if (command != NULL) {
                add_arguments(&candidates, session, command,
                              arguments_before(&words, complete), typed);
            }
        }
        words_fini(&words);
    }
    candidates.common = common_length(&candidates);
    text_fini(&text);
    text_fini(&why);
    *out_candidates = candidates;
}

void candidates_fini(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        free(candidates->word[i]);
    }
    free(candidates->word);
    memset(candidates, 0, sizeof(*candidates));
}
