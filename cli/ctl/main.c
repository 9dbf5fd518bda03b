/* SPDX-License-Identifier: MIT */
/* `pcivisorctl`: the control operations, from the hardware domain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/program.h"
#include "ctl/sysfs.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

#define DEVICES "/sys/bus/pci/devices"

enum { OPTION_DEVICE, OPTION_SYSFS };

static const struct args_option options[] = {
    {"--device", "SBDF"},
    {"--sysfs", "DIR"},
    {NULL, NULL},
};

static const char usage[] =
    "usage: pcivisorctl [--device SBDF] [--sysfs DIR] COMMAND [ARGUMENT...]\n"
    "       pcivisorctl [--device SBDF] [--sysfs DIR] -\n"
    "\n"
    "Control pcivisor from the hardware domain, through the mailbox that the\n"
    "hypervisor shows as a PCI function. With - commands are read from\n"
    "standard input, one a line.\n"
    "\n"
    "  --device SBDF  the function, 0000:00:1f.0; otherwise it is searched\n"
    "  --sysfs DIR    where functions are; otherwise " DEVICES "\n"
    "\n"
    "Commands:\n";

static int failed(const char *what)
{
    fflush(stdout);
    fprintf(stderr, "pcivisorctl: %s\n", what);
    return EXIT_FAILED;
}

static int help(FILE *to, int status)
{
    struct text text = {0};

    program_help(&text);
    fputs(usage, to);
    fputs(text_str(&text), to);
    text_fini(&text);
    return status;
}

/* A line a command, and a transcript comes out, as of the shell. */
static int run_lines(struct program *program)
{
    char *line = NULL;
    size_t room = 0;
    int status = EXIT_SUCCESS;

    while (getline(&line, &room, stdin) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        const char *words = strncmp(line, "> ", 2) == 0 ? line + 2 : line;
        if (line[0] == '\0' || line[0] == '#') {
            puts(line);
            continue;
        }
        printf("> %s\n", words);
        if (program_run_line(program, words) == PROGRAM_MISUSED) {
            status = EXIT_FAILED;
        }
        fputs(text_str(&program->out), stdout);
        fflush(stdout);
    }
    free(line);
    return status;
}

static int run_words(struct program *program, size_t count, char *const *words)
{
    enum program_result result = program_run(program, count, words);

    fputs(text_str(&program->out), stdout);
    switch (result) {
    case PROGRAM_FAILED:
        return EXIT_FAILED;
    case PROGRAM_MISUSED:
        return EXIT_USAGE;
    case PROGRAM_DONE:
        break;
    }
    return EXIT_SUCCESS;
}

static int run(const struct args *args, size_t count, char *const *words)
{
    const char *devices = args->option[OPTION_SYSFS];
    struct program program;
    struct mailbox mailbox;
    struct sysfs sysfs;
    struct text why = {0};
    int status;

    if (strcmp(words[0], "help") == 0) {
        program_init(&program, NULL);
        status = run_words(&program, count, words);
        program_fini(&program);
        return status;
    }
    if (!sysfs_open(&sysfs, devices != NULL ? devices : DEVICES,
                    args->option[OPTION_DEVICE], &why)) {
        status = failed(text_str(&why));
        text_fini(&why);
        return status;
    }
    sysfs_mailbox(&sysfs, &mailbox);
    /* Whoever left a claim behind is gone: we have the lock. */
    if (!mailbox_open(&mailbox, (uint32_t)getpid(), true, &why)) {
        status = failed(text_str(&why));
    } else {
        program_init(&program, &mailbox);
        status = strcmp(words[0], "-") == 0 ? run_lines(&program)
                                            : run_words(&program, count, words);
        program_fini(&program);
        mailbox_close(&mailbox);
    }
    sysfs_close(&sysfs);
    text_fini(&why);
    return status;
}

/* Options of our own stand in front of the command: how many words they are.
 */
static int options_count(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1] == '-') {
        bool value = strchr(argv[i], '=') == NULL;
        i += value ? 2 : 1;
    }
    return i < argc ? i : argc;
}

static int command_line(int argc, char **argv)
{
    struct args args;
    struct text why = {0};
    int at;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return help(stdout, EXIT_SUCCESS);
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("pcivisorctl " PCIVISOR_VERSION);
            return EXIT_SUCCESS;
        }
    }
    at = options_count(argc, argv);
    if (!args_parse(&args, (size_t)(at - 1), argv + 1, options, &why)) {
        fprintf(stderr, "pcivisorctl: %s\n", text_str(&why));
        text_fini(&why);
        return EXIT_USAGE;
    }
    int status = at == argc ? help(stderr, EXIT_USAGE)
                            : run(&args, (size_t)(argc - at), argv + at);
    args_fini(&args);
    return status;
}

int main(int argc, char **argv)
{
    int status = command_line(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return failed(strerror(errno));
    }
    return status;
}
