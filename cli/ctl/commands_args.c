/* SPDX-License-Identifier: MIT */
/* What the arguments of commands of pcivisorctl mean. */
#include "ctl/commands.h"

#include <stdlib.h>
#include <string.h>

enum program_result program_done(bool good)
{
    return good ? PROGRAM_DONE : PROGRAM_FAILED;
}

bool program_take_sbdf(struct program *program, const char *word,
                       pcv_sbdf *out_sbdf)
{
    struct text why = {0};
    const struct words_names *names = &program->ctl.names;
    bool good = names->parse(names->ctx, word, out_sbdf, &why);

    if (!good) {
        program_misused(program, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

/* "dom0", "dom1": whether there is such a domain, the operation finds out. */
bool program_take_domain(struct program *program, const char *word,
                         uint32_t *out_id)
{
    uint64_t id;

    if (strncmp(word, "dom", 3) != 0 ||
        !parse_decimal(word + 3, UINT32_MAX, &id)) {
        program_misused(program,
                        "expected a domain, dom0 or dom1 and so on, "
                        "got '%s'",
                        word);
        return false;
    }
    *out_id = (uint32_t)id;
    return true;
}

bool program_take_on_off(struct program *program, const char *word,
                         bool *out_on)
{
    *out_on = strcmp(word, "on") == 0;
    if (!*out_on && strcmp(word, "off") != 0) {
        program_misused(program, "expected on or off, got '%s'", word);
        return false;
    }
    return true;
}

/* Every argument as an address, before anything is done with one. To be freed;
 * NULL with its error printed. */
pcv_sbdf *program_take_sbdfs(struct program *program, const struct args *args)
{
    pcv_sbdf *list = memory_zero(args->count, sizeof(*list));

    for (size_t i = 0; i < args->count; i++) {
        if (!program_take_sbdf(program, args->word[i], &list[i])) {
            free(list);
            return NULL;
        }
    }
    return list;
}

/* The same for each address of the arguments. */
enum program_result program_switch(struct program *program,
                                   const struct args *args,
                                   bool (*fn)(const struct ctl *ctl,
                                              pcv_sbdf sbdf, bool on))
{
    pcv_sbdf sbdf;
    bool on;

    if (!program_take_sbdf(program, args->word[0], &sbdf) ||
        !program_take_on_off(program, args->word[1], &on)) {
        return PROGRAM_MISUSED;
    }
    return program_done(fn(&program->ctl, sbdf, on));
}

enum program_result program_each(struct program *program,
                                 const struct args *args,
                                 bool (*fn)(const struct ctl *ctl,
                                            pcv_sbdf sbdf))
{
    pcv_sbdf *list = program_take_sbdfs(program, args);
    bool good = true;

    if (list == NULL) {
        return PROGRAM_MISUSED;
    }
    for (size_t i = 0; i < args->count; i++) {
        good = fn(&program->ctl, list[i]) && good;
    }
    free(list);
    return program_done(good);
}
