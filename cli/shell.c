/* SPDX-License-Identifier: MIT */
/* `pcivisor shell`: the commands, interactively. */
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "colour.h"
#include "command.h"
#include "complete.h"
#include "transcript.h"
#include "verb.h"

#define HISTORY_LINES 1000
#define PROMPT "pcivisor> "

struct shell {
    struct session session;
    EditLine *editor;
    History *history;
    HistEvent event;
    struct text history_path;
    bool misused; /* a line was no command */
};

static char *shell_prompt(EditLine *editor)
{
    static char prompt[] = PROMPT;
    (void)editor;
    return prompt;
}

/* The candidates under the line, in columns. */
static void candidates_print(const struct candidates *candidates)
{
    size_t width = 0;

    for (size_t i = 0; i < candidates->count; i++) {
        size_t len = strlen(candidates->word[i]);
        width = len > width ? len : width;
    }
    size_t columns = 78 / (width + 2);
    columns = columns > 0 ? columns : 1;
    putchar('\n');
    for (size_t i = 0; i < candidates->count; i++) {
        bool last = (i + 1) % columns == 0 || i + 1 == candidates->count;
        printf("%-*s%s", last ? 0 : (int)width + 2, candidates->word[i],
               last ? "\n" : "");
    }
    fflush(stdout);
}

/* Tab: complete as far as it is certain, else show what there is. */
static unsigned char shell_complete(EditLine *editor, int key)
{
    const LineInfo *info = el_line(editor);
    struct candidates candidates;
    struct shell *shell;
    unsigned char result = CC_ERROR;
    (void)key;

    if (el_get(editor, EL_CLIENTDATA, &shell) != 0) {
        return CC_ERROR;
    }
    complete_line(&shell->session, info->buffer,
                  (size_t)(info->cursor - info->buffer), &candidates);
    if (candidates.common > candidates.typed || candidates.count == 1) {
        /* What is typed is replaced, as its case may differ. */
        struct text rest = {0};
        text_add_bytes(&rest, candidates.word[0], candidates.common);
        text_add(&rest, "%s", candidates.count == 1 ? " " : "");
        el_deletestr(editor, (int)candidates.typed);
        if (el_insertstr(editor, text_str(&rest)) == 0) {
            result = CC_REFRESH;
        }
        text_fini(&rest);
    } else if (candidates.count > 1) {
        candidates_print(&candidates);
        result = CC_REDISPLAY;
    }
    candidates_fini(&candidates);
    return result;
}

/* ${XDG_STATE_HOME:-~/.local/state}/pcivisor/history, its folders made. Empty
 * where there is none: then there is no history, and nobody is bothered. */
static void history_locate(struct text *path)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (state != NULL && state[0] == '/') {
        text_add(path, "%s", state);
    } else if (home != NULL && home[0] == '/') {
        text_add(path, "%s/.local/state", home);
    } else {
        return;
    }
    text_add(path, "/pcivisor/history");
    for (char *slash = strchr(path->data + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path->data, 0700);
        *slash = '/';
    }
}

static bool editor_open(struct shell *shell)
{
    shell->editor = el_init("pcivisor", stdin, stdout, stderr);
    shell->history = history_init();
    if (shell->editor == NULL || shell->history == NULL) {
        return false;
    }
    history(shell->history, &shell->event, H_SETSIZE, HISTORY_LINES);
    history(shell->history, &shell->event, H_SETUNIQUE, 1);
    el_set(shell->editor, EL_PROMPT, shell_prompt);
    el_set(shell->editor, EL_EDITOR, "emacs");
    el_set(shell->editor, EL_SIGNAL, 1);
    el_set(shell->editor, EL_HIST, history, shell->history);
    el_set(shell->editor, EL_CLIENTDATA, shell);
    /* The wide call: the other one loses the memory of both strings. */
    el_wset(shell->editor, EL_ADDFN, L"complete", L"Complete the word",
            shell_complete);
    el_set(shell->editor, EL_BIND, "^I", "complete", NULL);
    el_source(shell->editor, NULL);
    history_locate(&shell->history_path);
    if (shell->history_path.len > 0) {
        history(shell->history, &shell->event, H_LOAD,
                text_str(&shell->history_path));
    }
    return true;
}

static void editor_close(struct shell *shell)
{
    if (shell->history != NULL) {
        if (shell->history_path.len > 0) {
            history(shell->history, &shell->event, H_SAVE,
                    text_str(&shell->history_path));
        }
        history_end(shell->history);
    }
    if (shell->editor != NULL) {
        el_end(shell->editor);
    }
    text_fini(&shell->history_path);
}

/* Run one line and print what came, an error in its colour. */
static void shell_line(struct shell *shell, const char *line)
{
    enum command_result result = command_run(&shell->session, line);
    bool red = result != COMMAND_DONE && colour_wanted(stdout);

    shell->misused = shell->misused || result == COMMAND_MISUSED;
    printf("%s%s%s", colour(red, COLOUR_BAD), text_str(&shell->session.out),
           colour(red, COLOUR_NONE));
    fflush(stdout);
}

static void shell_interactive(struct shell *shell)
{
    const char *line;
    int count;

    while ((line = el_gets(shell->editor, &count)) != NULL && count > 0) {
        struct text text = {0};
        text_add_bytes(&text, line, strcspn(line, "\n"));
        if (strspn(text_str(&text), " \t") < text.len) {
            history(shell->history, &shell->event, H_ENTER, text_str(&text));
        }
        shell_line(shell, text_str(&text));
        text_fini(&text);
    }
    putchar('\n');
}

/* Without a terminal: a line a command, and a transcript comes out. */
static void shell_plain(struct shell *shell)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) >= 0) {
        struct line whole = {line, strcspn(line, "\r\n")};
        size_t words_len = whole.len;
        const char *words = transcript_command(whole, &words_len);
        line[whole.len] = '\0';
        words = words != NULL ? words : line;
        if (whole.len == 0 || line[0] == '#') {
            printf("%s\n", line);
            continue;
        }
        printf("> %s\n", words);
        shell_line(shell, words);
    }
    free(line);
}

static bool shell_load(struct shell *shell, const char *spec)
{
    struct text line = {0};
    bool good = true;

    const char *quote = strpbrk(spec, " \t#") != NULL ? "\"" : "";
    text_add(&line, "host %s%s%s", quote, spec, quote);
    printf("> %s\n", text_str(&line));
    good = command_run(&shell->session, text_str(&line)) == COMMAND_DONE;
    if (good) {
        fputs(text_str(&shell->session.out), stdout);
    } else {
        const char *error = text_str(&shell->session.out);
        size_t skip = strncmp(error, "error: ", 7) == 0 ? 7 : 0;
        verb_failed("%.*s", (int)strcspn(error + skip, "\n"), error + skip);
    }
    text_fini(&line);
    return good;
}

static int shell_end(struct shell *shell, bool interactive)
{
    struct text why = {0};
    int status = shell->misused && !interactive ? EXIT_FAILED : EXIT_SUCCESS;

    if (!session_close(&shell->session, &why)) {
        status = verb_failed("%s", text_str(&why));
    }
    session_fini(&shell->session);
    text_fini(&why);
    return status;
}

int verb_shell(const struct verb *verb, const struct args *args)
{
    struct shell shell = {0};
    bool interactive = isatty(STDIN_FILENO) == 1;
    int status;

    (void)verb;
    session_init(&shell.session, NULL);
    if (args->count == 1 && !shell_load(&shell, args->word[0])) {
        shell_end(&shell, interactive);
        return EXIT_FAILED;
    }
    if (!interactive) {
        shell_plain(&shell);
        return shell_end(&shell, interactive);
    }
    if (editor_open(&shell)) {
        puts("`help` lists the commands, Tab completes, control-D leaves.");
        shell_interactive(&shell);
        status = shell_end(&shell, interactive);
    } else {
        shell_end(&shell, interactive);
        status = verb_failed("the terminal can't be used");
    }
    editor_close(&shell);
    return status;
}
