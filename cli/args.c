/* SPDX-License-Identifier: MIT */
/* Options and arguments. */
#include "args.h"

#include <stdlib.h>
#include <string.h>

/* Which option a word names, its length given by `len`; -1 if none. */
static int option_index(const struct args_option *options, const char *word,
                        size_t len)
{
    for (int i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strlen(options[i].name) == len &&
            memcmp(options[i].name, word, len) == 0) {
            return i;
        }
    }
    return -1;
}

/* Whether an option may be given several times. */
static bool is_repeated(const struct args_option *option)
{
    size_t len = option->value != NULL ? strlen(option->value) : 0;
    return len > 3 && strcmp(option->value + len - 3, "...") == 0;
}

/* What an option was given; every value of one that may be repeated. */
static void value_take(struct args *args, const struct args_option *options,
                       int index, const char *text)
{
    args->option[index] = text;
    if (is_repeated(&options[index])) {
        args->value =
            memory_resize(args->value, args->values + 1, sizeof(*args->value));
        args->value[args->values++] = (struct args_value){(size_t)index, text};
    }
}

/* Take the option at words[*at], and its value. */
static bool option_take(struct args *args, size_t count, char *const *words,
                        size_t *at, const struct args_option *options,
                        struct text *why)
{
    const char *word = words[*at];
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    int index = option_index(options, word, len);

    if (index < 0) {
        text_add(why, "there is no option '%.*s'", (int)len, word);
        return false;
    }
    if (args->option[index] != NULL && !is_repeated(&options[index])) {
        text_add(why, "'%s' is given twice", options[index].name);
        return false;
    }
    if (options[index].value == NULL) {
        if (equals != NULL) {
            text_add(why, "'%s' takes no value", options[index].name);
            return false;
        }
        args->option[index] = "";
        return true;
    }
    if (equals != NULL) {
        value_take(args, options, index, equals + 1);
    } else if (*at + 1 < count) {
        value_take(args, options, index, words[++*at]);
    } else {
        text_add(why, "'%s' needs a value: %s", options[index].name,
                 options[index].value);
        return false;
    }
    return true;
}

bool args_parse(struct args *out_args, size_t count, char *const *words,
                const struct args_option *options, struct text *why)
{
    struct args args = {.word = memory_zero(count + 1, sizeof(char *))};
    bool only_words = false;

    for (size_t i = 0; i < count; i++) {
        if (only_words || words[i][0] != '-' || words[i][1] == '\0') {
            args.word[args.count++] = words[i];
        } else if (strcmp(words[i], "--") == 0) {
            only_words = true;
        } else if (!option_take(&args, count, words, &i, options, why)) {
            args_fini(&args);
            return false;
        }
    }
    *out_args = args;
    return true;
}

void args_fini(struct args *args)
{
    free(args->word);
    free(args->value);
    memset(args, 0, sizeof(*args));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Copy one word from *at on; false if its quote stays open. */
static bool word_copy(const char **at, char *word)
{
    bool quoted = false;
    const char *c = *at;
    for (; *c != '\0' && (quoted || !is_blank(*c)); c++) {
        if (*c == '"') {
            quoted = !quoted;
        } else {
            *word++ = *c;
        }
    }
    *word = '\0';
    *at = c;
    return !quoted;
}

bool words_split(struct words *out_words, const char *line, struct text *why)
{
    struct words words = {0, NULL};
    size_t room = 0;

    if (strlen(line) > WORDS_LINE_MAX) {
        text_add(why, "the line is longer than %u characters", WORDS_LINE_MAX);
        return false;
    }
    for (;;) {
        while (is_blank(*line)) {
            line++;
        }
        if (*line == '\0' || *line == '#') {
            *out_words = words;
            return true;
        }
        words.word =
            memory_grow(words.word, words.count, &room, sizeof(char *));
        char *word = memory_zero(1, strlen(line) + 1);
        words.word[words.count++] = word;
        if (!word_copy(&line, word)) {
            text_add(why, "a quote is not closed");
            words_fini(&words);
            return false;
        }
    }
}

void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->word[i]);
    }
    free(words->word);
    memset(words, 0, sizeof(*words));
}
