/* SPDX-License-Identifier: MIT */
/* The table of commands: all there is to know of each but what it does. Those
 * that make guests, and play hardware for them, are in commands_guest.c. */
#include "command.h"
#include "ctl/alias.h"

#include <string.h>

#define ANY COMMAND_WORDS_MAX

static const struct args_option long_json_options[] = {
    {"--long", NULL},
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option real_owned_options[] = {
    {"--real", NULL},
    {"--owned", "DOMAIN"},
    {NULL, NULL},
};
static const struct args_option json_options[] = {
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option as_via_options[] = {
    {"--as", "DOMAIN"},
    {"--via", "ENTRANCE"},
    {NULL, NULL},
};
static const struct args_option write_options[] = {
    {"--as", "DOMAIN"},
    {"--via", "ENTRANCE"},
    {"--leave", NULL},
    {NULL, NULL},
};
static const struct args_option as_options[] = {
    {"--as", "DOMAIN"},
    {NULL, NULL},
};
static const struct args_option as_json_options[] = {
    {"--as", "DOMAIN"},
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option msix_options[] = {
    {"--msix", NULL},
    {NULL, NULL},
};
static const struct args_option calls_options[] = {
    {"--calls", NULL},
    {NULL, NULL},
};

static const struct args_option host_options[] = {
    {"--unnumbered", NULL},
    {NULL, NULL},
};

static const struct args_option enumerate_options[] = {
    {"--via", "ENTRANCE"}, {"--size-bars", NULL}, {"--no-size-bars", NULL},
    {"--brief", NULL},     {NULL, NULL},
};

static const struct command table[] = {
    {
        .name = "host",
        .arguments = "HOST [--unnumbered]",
        .help = "load a machine (FILE, live, generate:...) and boot it; "
                "--unnumbered: bridges have no bus numbers, and nobody scans",
        .min = 1,
        .max = 1,
        .option = host_options,
        .anywhere = true,
        .run = command_host,
    },
    {
        .name = "devices",
        .arguments = "[--long] [--json]",
        .help = "list every registered function",
        .option = long_json_options,
        .run = command_devices,
    },
    {
        .name = "unreachable",
        .arguments = "",
        .help = "list the registered functions that no bus number leads to",
        .run = command_unreachable,
    },
    {
        .name = "find",
        .arguments = "SBDF... [--real] [--owned DOMAIN]",
        .help = "take a reference and keep it; --real: of who uses a phantom's "
                "address",
        .completes = "s",
        .min = 1,
        .max = ANY,
        .option = real_owned_options,
        .run = command_find,
    },
    {
        .name = "put",
        .arguments = "SBDF...",
        .help = "give a kept reference back",
        .completes = "s",
        .min = 1,
        .max = ANY,
        .run = command_put,
    },
    {
        .name = "add",
        .arguments = "SBDF [vf-of SBDF] [node N] [extfn]",
        .help = "report a function to the library; extfn: above 7, of a device "
                "with ARI",
        .completes = "s-",
        .min = 1,
        .max = 6,
        .run = command_add,
    },
    {
        .name = "remove",
        .arguments = "SBDF",
        .help = "remove a function, and what is behind a bridge",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_remove,
    },
    {
        .name = "holders",
        .arguments = "SBDF... [--json]",
        .help = "who holds a function, and how often",
        .completes = "s",
        .min = 1,
        .max = ANY,
        .option = json_options,
        .run = command_holders,
    },
    {
        .name = "status",
        .arguments = "SBDF... [--json]",
        .help = "where a function stands: state, owner, counters",
        .completes = "s",
        .min = 1,
        .max = ANY,
        .option = json_options,
        .run = command_status,
    },
    {
        .name = "nodes",
        .arguments = "SBDF... [--json]",
        .help = "NUMA nodes of functions",
        .completes = "s",
        .min = 1,
        .max = ANY,
        .option = json_options,
        .run = command_nodes,
    },
    {
        .name = "path",
        .arguments = "SBDF...",
        .help = "the bridges up to the root bus, nearest first",
        .completes = "s",
        .min = 1,
        .max = ANY,
        .run = command_path,
    },
    {
        .name = "scan",
        .arguments = "",
        .help = "look at every bus again and add what is new",
        .run = command_scan,
    },
    {
        .name = "enumerate",
        .arguments = "[SEGMENT[:BUS]] [--via ENTRANCE] "
                     "[--size-bars|--no-size-bars] [--brief]",
        .help = "find all functions as an operating system does; say what "
                "disagrees",
        .max = 1,
        .option = enumerate_options,
        .run = command_enumerate,
    },
    {
        .name = "via",
        .arguments = "ENTRANCE",
        .help = "where accesses go in: " VIEW_VIA_NAMES,
        .completes = "v",
        .min = 1,
        .max = 1,
        .run = command_via,
    },
    {
        .name = "read",
        .arguments =
            "SBDF REG[.b|.w|.l|.q] [COUNT] [--as DOMAIN] [--via ENTRANCE]",
        .help = "read registers as a domain does; 'help via' lists entrances",
        .completes = "sr-",
        .min = 2,
        .max = 3,
        .option = as_via_options,
        .run = command_read,
    },
    {
        .name = "write",
        .arguments = "SBDF REG[.b|.w|.l|.q] VALUE [--as DOMAIN] "
                     "[--via ENTRANCE] [--leave]",
        .help = "write a register as a domain does, and resume what is "
                "pending; --leave: leave it pending, for 'resume'",
        .completes = "sr-",
        .min = 3,
        .max = 3,
        .option = write_options,
        .run = command_write,
    },
    {
        .name = "resume",
        .arguments = "",
        .help = "one step of each access that was left pending",
        .run = command_resume,
    },
    {
        .name = "dump",
        .arguments = "SBDF [REG [BYTES]] [--as DOMAIN] [--json]",
        .help = "configuration space as a domain sees it, in rows of 16 bytes",
        .completes = "sr-",
        .min = 1,
        .max = 3,
        .option = as_json_options,
        .run = command_dump,
    },
    {
        .name = "caps",
        .arguments = "SBDF [--as DOMAIN]",
        .help = "the capability lists that a domain sees",
        .completes = "s",
        .min = 1,
        .max = 1,
        .option = as_options,
        .run = command_caps,
    },
    {
        .name = "peek",
        .arguments = "SBDF REG[.b|.w|.l]",
        .help = "what hardware holds, behind all backs",
        .completes = "sr",
        .min = 2,
        .max = 2,
        .run = command_peek,
    },
    {
        .name = "poke",
        .arguments = "SBDF REG[.b|.w|.l] VALUE",
        .help = "change hardware behind all backs",
        .completes = "sr-",
        .min = 3,
        .max = 3,
        .run = command_poke,
    },
    {
        .name = "in",
        .arguments = "PORT[.b|.w|.l] [--as DOMAIN]",
        .help = "read an I/O port as a domain does",
        .min = 1,
        .max = 1,
        .option = as_options,
        .run = command_in,
    },
    {
        .name = "out",
        .arguments = "PORT[.b|.w|.l] VALUE [--as DOMAIN]",
        .help = "write an I/O port as a domain does",
        .min = 2,
        .max = 2,
        .option = as_options,
        .run = command_out,
    },
    {
        .name = "load",
        .arguments = "ADDRESS[.b|.w|.l|.q] [--as DOMAIN]",
        .help = "read guest memory, where an ECAM window may be",
        .min = 1,
        .max = 1,
        .option = as_options,
        .run = command_load,
    },
    {
        .name = "store",
        .arguments = "ADDRESS[.b|.w|.l|.q] VALUE [--as DOMAIN]",
        .help = "write guest memory, where an ECAM window may be",
        .min = 2,
        .max = 2,
        .option = as_options,
        .run = command_store,
    },
    {
        .name = "windows",
        .arguments = "[--as DOMAIN]",
        .help = "a domain's ECAM windows",
        .option = as_options,
        .run = command_windows,
    },
    {
        .name = "mapped",
        .arguments = "[DOMAIN] [--json]",
        .help = "guest memory that a domain has mapped",
        .completes = "d",
        .max = 1,
        .option = json_options,
        .run = command_mapped,
    },
    {
        .name = "map-chunk",
        .arguments = "PAGES",
        .help = "map at most so many pages at a time; 0: no bound",
        .min = 1,
        .max = 1,
        .run = command_map_chunk,
    },
    {
        .name = "vector",
        .arguments = "SBDF N [--msix]",
        .help = "attach a vector, and keep it",
        .completes = "s-",
        .min = 2,
        .max = 2,
        .option = msix_options,
        .run = command_vector,
    },
    {
        .name = "vector-free",
        .arguments = "SBDF N [--msix]",
        .help = "detach a kept vector",
        .completes = "s-",
        .min = 2,
        .max = 2,
        .option = msix_options,
        .run = command_vector_free,
    },
    {
        .name = "buses",
        .arguments = "SBDF PRIMARY SECONDARY SUBORDINATE",
        .help = "report a bridge's bus numbers, which were changed elsewhere",
        .completes = "s",
        .min = 4,
        .max = 4,
        .run = command_buses,
    },
    {
        .name = "vanish",
        .arguments = "SBDF",
        .help = "pull a function without warning, and tell the library",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_vanish,
    },
    {
        .name = "vanished",
        .arguments = "SBDF",
        .help = "tell the library that a function was pulled",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_vanished,
    },
    {
        .name = "pull",
        .arguments = "SBDF",
        .help = "pull a function without warning; nobody is told",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_pull,
    },
    {
        .name = "plug",
        .arguments = "SBDF",
        .help = "put what was pulled in again; nobody is told",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_plug,
    },
    {
        .name = "dead",
        .arguments = "SBDF on|off",
        .help = "let a function read all ones without being gone",
        .completes = "sw",
        .min = 2,
        .max = 2,
        .run = command_dead,
    },
    {
        .name = "fail",
        .arguments = "[OP N]",
        .help = "make the Nth call of a host operation fail; 0: none; alone: "
                "list them",
        .completes = "o-",
        .max = 2,
        .run = command_fail,
    },
    {
        .name = "events",
        .arguments = "[--json]",
        .help = "what the library told since last asked",
        .option = json_options,
        .run = command_events,
    },
    {
        .name = "trace",
        .arguments = "on|off",
        .help = "print each access as the library records it",
        .completes = "w",
        .min = 1,
        .max = 1,
        .run = command_trace,
    },
    {
        .name = "stats",
        .arguments = "[--calls]",
        .help = "counts of the host; --calls: of its operations",
        .option = calls_options,
        .run = command_stats,
    },
};

const struct command *command_at(size_t index)
{
    size_t count = sizeof(table) / sizeof(table[0]);

    if (index < count) {
        return &table[index];
    }
    index -= count;
    return index < commands_guest_count ? &commands_guest[index] : NULL;
}

const struct command *command_named(const char *name)
{
    const char *own = alias_meaning(name);
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (strcmp(command->name, own) == 0) {
            return command;
        }
    }
    return NULL;
}
