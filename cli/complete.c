/* SPDX-License-Identifier: MIT */
/* What could stand at the end of a line. */
#include "complete.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "ctl/alias.h"
#include "guests.h"
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
    const char *alias;
    for (size_t i = 0; (alias = alias_at(i)) != NULL; i++) {
        candidate_add(candidates, alias, typed);
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

/* Guests, and with `all` the hardware domain too. */
static void add_domains(struct candidates *candidates,
                        const struct session *session, bool all,
                        const char *typed)
{
    const struct machine *machine = &session->machine;

    if (all && machine->host != NULL) {
        candidate_add(candidates, "dom0", typed);
    }
    for (size_t i = 0; i < machine->guests; i++) {
        candidate_add(candidates, machine->guest[i].name, typed);
    }
}

/* Addresses on the bus of a domain, by its name. */
static void add_own_addresses(struct candidates *candidates,
                              const struct session *session, const char *name,
                              const char *typed)
{
    const struct guest *guest = guest_named(&session->machine, name);
    struct owned_list list;

    if (guest == NULL) {
        add_addresses(candidates, session, typed);
        return;
    }
    owned_take(&list, &session->machine, pcv_domain_id(guest->domain));
    for (size_t i = 0; i < list.count; i++) {
        candidate_add(candidates, format_sbdf(NULL, false, list.item[i].own).s,
                      typed);
    }
    owned_fini(&list);
}

/* The words of the nth k among what a command takes. */
static void add_words(struct candidates *candidates,
                      const struct command *command, size_t nth,
                      const char *typed)
{
    const char *word = command->words;

    for (; word != NULL && nth > 0; nth--) {
        word = strchr(word, '|');
        word = word != NULL ? word + 1 : NULL;
    }
    while (word != NULL && *word != '\0' && *word != '|') {
        char copy[32];
        size_t len = strcspn(word, " |");
        if (len < sizeof(copy)) {
            memcpy(copy, word, len);
            copy[len] = '\0';
            candidate_add(candidates, copy, typed);
        }
        word += len + (word[len] == ' ');
    }
}

/* Which k among a command's letters the index-th one is. */
static size_t words_before(const char *completes, size_t index)
{
    size_t count = 0;
    for (size_t i = 0; i < index && completes[i] != '\0'; i++) {
        count += completes[i] == 'k';
    }
    return count;
}

static void add_capabilities(struct candidates *candidates, const char *typed)
{
    const char *name;
    for (size_t i = 0; (name = reg_cap_name(i)) != NULL; i++) {
        candidate_add(candidates, name, typed);
    }
}

static void add_entrances(struct candidates *candidates, const char *typed)
{
    candidate_add(candidates, "address", typed);
    candidate_add(candidates, "ecam", typed);
    candidate_add(candidates, "port", typed);
    candidate_add(candidates, "port-amd", typed);
}

/* What a letter of struct command's `completes` stands for, k and G apart. */
static void add_kind(struct candidates *candidates,
                     const struct session *session, char kind,
                     const char *typed)
{
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
    case 'd':
    case 'g':
        add_domains(candidates, session, kind == 'd', typed);
        break;
    case 'a':
        add_addresses(candidates, session, typed);
        add_domains(candidates, session, true, typed);
        break;
    case 'v':
        add_entrances(candidates, typed);
        break;
    default:
        break;
    }
}

/* What the index-th argument of a command can be, with the word in front of
 * it. */
static void add_arguments(struct candidates *candidates,
                          const struct session *session,
                          const struct command *command, size_t index,
                          const char *before, const char *typed)
{
    const char *completes = command->completes;

    if (completes == NULL) {
        return;
    }
    size_t kinds = strlen(completes);
    char kind = completes[index < kinds ? index : kinds - 1];
    if (kind == 'k') {
        add_words(candidates, command, words_before(completes, index), typed);
    } else if (kind == 'G') {
        add_own_addresses(candidates, session, before, typed);
    } else {
        add_kind(candidates, session, kind, typed);
    }
}

/* The option that a word names, if it takes a value; NULL. */
static const struct args_option *valued_option(const struct command *command,
                                               const char *word)
{
    for (size_t i = 0;
         command->option != NULL && command->option[i].name != NULL; i++) {
        if (strcmp(command->option[i].name, word) == 0 &&
            command->option[i].value != NULL) {
            return &command->option[i];
        }
    }
    return NULL;
}

/* What an option's value can be, by what it is called. */
static void add_values(struct candidates *candidates,
                       const struct session *session,
                       const struct args_option *option, const char *typed)
{
    if (strcmp(option->value, "DOMAIN") == 0) {
        add_kind(candidates, session, 'd', typed);
    } else if (strcmp(option->value, "ENTRANCE") == 0) {
        add_kind(candidates, session, 'v', typed);
    } else if (strcmp(option->value, "CAP...") == 0) {
        add_capabilities(candidates, typed);
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

/* Arguments in front of the word being typed: neither options nor their
 * values. */
static size_t arguments_before(const struct command *command,
                               const struct words *words, size_t complete)
{
    size_t count = 0;
    for (size_t i = 1; i < complete; i++) {
        count += words->word[i][0] != '-' &&
                 valued_option(command, words->word[i - 1]) == NULL;
    }
    return count;
}

/* The word behind `complete` others, of which the first is a command. */
static void add_candidates(struct candidates *candidates,
                           const struct session *session,
                           const struct words *words, size_t complete,
                           const char *typed)
{
    const struct command *command = command_named(words->word[0]);

    if (command == NULL) {
        return;
    }
    const char *before = words->word[complete - 1];
    const struct args_option *option = valued_option(command, before);
    if (option != NULL) {
        add_values(candidates, session, option, typed);
    } else if (typed[0] == '-') {
        add_options(candidates, command, typed);
    } else {
        add_arguments(candidates, session, command,
                      arguments_before(command, words, complete), before,
                      typed);
    }
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
            add_candidates(&candidates, session, &words, complete, typed);
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
