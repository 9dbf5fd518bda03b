/* SPDX-License-Identifier: MIT */
/* The command `pcivisor`: its verbs. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "policy.h"
#include "verb.h"

static const char host_help[] =
    "HOST is a file (the text of lspci -xxxx or lspci -vvvxxxx), `live`\n"
    "(this machine, which is only read), or `generate:KEY=VALUE,...` (a\n"
    "made-up machine: `pcivisor help generate` lists the keys).\n";

static const char inspect_help[] =
    "  --json      for programs: everything, as one JSON object\n"
    "  --verbose   every BAR with its address, classes, capabilities\n"
    "  --no-names  numbers only; pci.ids is not read\n"
    "  --all       everything, however large the machine is; otherwise\n"
    "              more than 400 functions are shown in brief\n"
    "\n"
    "BARs: I/O, mem32, mem64, with p if prefetchable. A size with ~ is a\n"
    "guess of the model's, `hinted` one that the host stated, ! none.\n";

static const char lspci_help[] =
    "  --as DOMAIN        whose view: dom0, the hardware domain, is the\n"
    "                     only one, and the default\n"
    "  --give SBDF,...    the bus of a guest that was given these functions,\n"
    "                     one after the other, each in the next free slot;\n"
    "                     one that cannot be reset is given nevertheless\n"
    "  -o, --output FILE  write to a file: `lspci -F FILE -vvv` decodes it\n"
    "\n"
    "Every byte is read through the domain's mediated accesses.\n";

static const char diff_help[] =
    "The function SBDF is given to a guest, and each register is shown as\n"
    "hardware held it before and as the guest reads it first, with the\n"
    "reason for every bit that differs.\n"
    "\n"
    "  --differing        only what differs\n"
    "  --json             for programs\n"
    "  --hide CAP         hide a capability: msix, CAP_VPD, ECAP0003, ...\n"
    "  --show CAP         show one that is hidden unless it is asked for\n"
    "  --leave-out BAR    a BAR that the guest does not get: bar2\n"
    "  --pass OFF:SIZE    let SIZE bytes (decimal) from OFF (hexadecimal) on\n"
    "                     be read from hardware; with :rw behind it, written\n"
    "  --rom FILE         an image for the guest's ROM BAR\n"
    "\n"
    "Hide, show, leave out and pass may be given several times. A function\n"
    "that cannot be reset is given nevertheless.\n";

static const char run_help[] =
    "In a transcript a line that begins with `> ` is a command, and the\n"
    "lines under it are what it printed; `...` alone on a line stands for\n"
    "any lines. Blank lines and lines that begin with # are the reader's.\n"
    "Without an option the transcript is printed with what really came.\n"
    "\n"
    "  --check   compare instead: print what differs, exit 1 if anything\n"
    "            does\n"
    "  --update  write the files anew, keeping `...` where it still fits\n"
    "  --quiet   print nothing but what went wrong\n"
    "\n"
    "FILE may be - (standard input). A HOST in a transcript is a file\n"
    "relative to its folder or, where there is none, to where we are. The\n"
    "command `help` in a transcript lists the commands.\n"
    "The exit status is 1 also if a line is no command, unless the\n"
    "transcript shows its error (with --check or --update).\n";

static const char shell_help[] =
    "Tab completes commands, addresses and registers; `help` lists the\n"
    "commands; control-D leaves. The history is kept in\n"
    "${XDG_STATE_HOME:-~/.local/state}/pcivisor/history. Without a\n"
    "terminal commands are read from standard input, a line each, and a\n"
    "transcript is printed.\n";

static const struct args_option inspect_options[] = {
    {"--json", NULL}, {"--verbose", NULL}, {"--no-names", NULL},
    {"--all", NULL},  {NULL, NULL},
};
static const struct args_option lspci_options[] = {
    {"--as", "DOMAIN"},        {"-o", "FILE"}, {"--output", "FILE"},
    {"--give", "SBDF[,SBDF]"}, {NULL, NULL},
};
static const struct args_option diff_options[] = {
    POLICY_OPTIONS,
    {"--json", NULL},
    {"--differing", NULL},
    {NULL, NULL},
};
static const struct args_option run_options[] = {
    {"--check", NULL},
    {"--update", NULL},
    {"--quiet", NULL},
    {NULL, NULL},
};

static const struct verb verbs[] = {
    {
        .name = "inspect",
        .arguments = "HOST [--json] [--verbose] [--no-names] [--all]",
        .help = "show the machine as a tree, and what looks broken",
        .more = inspect_help,
        .host = true,
        .min = 1,
        .max = 1,
        .option = inspect_options,
        .run = verb_inspect,
    },
    {
        .name = "lspci",
        .arguments = "HOST [--as DOMAIN | --give SBDF,...] [-o FILE]",
        .help = "print what a domain sees, in the format of lspci -xxxx",
        .more = lspci_help,
        .host = true,
        .min = 1,
        .max = 1,
        .option = lspci_options,
        .run = verb_lspci,
    },
    {
        .name = "diff",
        .arguments = "HOST SBDF [--differing] [--json] [--hide CAP]...",
        .help = "show a function's registers beside a guest's view of them",
        .more = diff_help,
        .host = true,
        .min = 2,
        .max = 2,
        .option = diff_options,
        .run = verb_diff,
    },
    {
        .name = "run",
        .arguments = "FILE... [--check] [--update] [--quiet]",
        .help = "play transcripts: print, check or update them",
        .more = run_help,
        .min = 1,
        .max = SIZE_MAX,
        .option = run_options,
        .run = verb_run,
    },
    {
        .name = "shell",
        .arguments = "[HOST]",
        .help = "the commands of transcripts, interactively",
        .more = shell_help,
        .host = true,
        .max = 1,
        .run = verb_shell,
    },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *verb_named(const char *name)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static void print_usage(void)
{
    puts("pcivisor: the PCI subsystem of a hypervisor, tried on a modelled "
         "machine\n\nusage: pcivisor VERB ...\n");
    for (size_t i = 0; i < VERBS; i++) {
        printf("  %-8s %s\n", verbs[i].name, verbs[i].help);
    }
    printf("  help     this text, `help VERB`, or `help generate`\n\n"
           "%s\nExit status: 0, 1 (something failed) or 2 (wrong usage).\n",
           host_help);
}

static void print_help(const struct verb *verb)
{
    printf("usage: pcivisor %s %s\n\n%s.\n\n%s%s%s", verb->name,
           verb->arguments, verb->help, verb->host ? host_help : "",
           verb->host ? "\n" : "", verb->more);
}

static int help(int argc, char **argv)
{
    if (argc == 0) {
        print_usage();
        return EXIT_SUCCESS;
    }
    if (argc == 1 && strcmp(argv[0], "generate") == 0) {
        printf("generate:KEY=VALUE,...\n%s\n", pcv_model_generate_help());
        return EXIT_SUCCESS;
    }
    const struct verb *verb = verb_named(argv[0]);
    if (verb == NULL || argc > 1) {
        return verb_misused(NULL, "there is no help for '%s'",
                            argv[argc > 1 ? 1 : 0]);
    }
    print_help(verb);
    return EXIT_SUCCESS;
}

/* Whether help is asked for, wherever it stands before a `--`. */
static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int verb_call(const struct verb *verb, int argc, char **argv)
{
    struct args args;
    struct text why = {0};
    int status;

    if (wants_help(argc, argv)) {
        print_help(verb);
        return EXIT_SUCCESS;
    }
    if (!args_parse(&args, (size_t)argc, argv, verb->option, &why)) {
        status = verb_misused(verb, "%s", text_str(&why));
        text_fini(&why);
        return status;
    }
    if (args.count < verb->min) {
        const char *host = args.count == 0 ? "HOST" : "an SBDF";
        status =
            verb_misused(verb, "%s is missing", verb->host ? host : "a FILE");
    } else if (args.count > verb->max) {
        status = verb_misused(verb, "'%s' is too much", args.word[verb->max]);
    } else {
        status = verb->run(verb, &args);
    }
    args_fini(&args);
    return status;
}

static int command_line(int argc, char **argv)
{
    if (argc < 2) {
        return verb_misused(NULL, "a verb is missing");
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        puts("pcivisor " PCIVISOR_VERSION);
        return EXIT_SUCCESS;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
        strcmp(word, "-h") == 0) {
        return help(argc - 2, argv + 2);
    }
    const struct verb *verb = verb_named(word);
    if (verb == NULL) {
        return verb_misused(NULL, "there is no %s '%s'",
                            word[0] == '-' ? "option" : "verb", word);
    }
    return verb_call(verb, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    int status = command_line(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return verb_failed("the output can't be written: %s", strerror(errno));
    }
    return status;
}
