#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Search the models in this directory, each of them whole.

usage: proofs/check.py [--quick | --long] [NAME...]

Each proof is a search of all states that a model has within its bounds: it
must end without an error, and be whole - no depth or memory that ran out, no
approximation. Then each mistake that a model can be told to make must be found,
as a violation of the very property that it is against; so no property holds for
the reason that it says nothing. With --quick bounds are the smallest that say
anything, and no mistake is made; with --long they are wider. NAME selects what
has it in its name.

Exit status: 0; 1 if something is not as it should be; 2 for wrong usage.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# The search's stack has 100 bytes a step.
DEPTH = 2_500_000
MISTAKE_DEPTH = 300_000

SMALL = {"FINDERS": 1, "REMOVERS": 1, "ADDERS": 1, "SLOTS": 1, "ADDRESSES": 1,
         "GETS": 0}


def life(**bounds):
    """Bounds of lifetime.pml that differ from the smallest."""
    return {**SMALL, **bounds}


def gate(**bounds):
    """Bounds of gate.pml."""
    return bounds


# (model, what is searched, bounds): a formula is proved where bounds say
# LIVENESS, else assertions and the absence of deadlocks.
PROOFS = [
    ("pool", "three takers, three slots", {"TAKERS": 3}),
    ("lifetime", "two slots, two addresses",
     life(SLOTS=2, ADDRESSES=2, GETS=1)),
    ("lifetime", "two finders", life(FINDERS=2, ADDRESSES=2)),
    ("lifetime", "two removers", life(REMOVERS=2)),
    ("lifetime", "two adders", life(ADDERS=2, ADDRESSES=2)),
    ("lifetime", "removal ends", life(FINDERS=2, LIVENESS=1)),
    ("lifetime", "removal ends, with second references",
     life(GETS=1, LIVENESS=1)),
    ("gate", "two CPUs change the owner",
     gate(VCPUS=1, GUEST_VCPUS=1, ADMINS=2)),
    ("gate", "removal beside a change of owner",
     gate(VCPUS=1, GUEST_VCPUS=1, ADMINS=1, REMOVERS=1)),
    ("gate", "a rebuild beside a change of owner",
     gate(VCPUS=1, ADMINS=1, REBUILDERS=1, HELD=1, FAILURES=0, ONCE=1)),
    ("gate", "rebuilds, again and again",
     gate(VCPUS=1, ADMINS=1, REBUILDERS=1)),
    ("gate", "bus numbers beside rebuilds",
     gate(VCPUS=1, REBUILDERS=1, CUTTERS=1)),
    ("gate", "bus numbers beside a change of owner",
     gate(VCPUS=1, ADMINS=1, CUTTERS=1)),
    ("gate", "a change ends, two CPUs make it",
     gate(VCPUS=1, ADMINS=2, FAILURES=0, LIVENESS=1)),
    ("gate", "a change ends, both domains access",
     gate(VCPUS=1, GUEST_VCPUS=1, ADMINS=1, FAILURES=0, LIVENESS=1)),
]

QUICK = [
    ("pool", "two takers, three slots", {"TAKERS": 2}),
    ("lifetime", "one of each", life()),
    ("lifetime", "removal ends, with second references",
     life(GETS=1, LIVENESS=1)),
    ("gate", "rebuilds, again and again",
     gate(VCPUS=1, ADMINS=1, REBUILDERS=1)),
    ("gate", "bus numbers beside a change of owner",
     gate(VCPUS=1, ADMINS=1, CUTTERS=1)),
]

LONG = [
    ("lifetime", "two finders, two slots", life(FINDERS=2, SLOTS=2, GETS=1)),
    ("lifetime", "two adders, two slots", life(ADDERS=2, SLOTS=2)),
    ("lifetime", "two removers, two addresses",
     life(REMOVERS=2, ADDRESSES=2)),
    ("gate", "rebuilds and steps that fail beside a change of owner",
     gate(VCPUS=1, ADMINS=1, REBUILDERS=1, HELD=1, ONCE=1)),
    ("gate", "a change ends, two CPUs, both domains",
     gate(VCPUS=1, GUEST_VCPUS=1, ADMINS=2, FAILURES=0, LIVENESS=1)),
]
LONG_DEPTH = 12_000_000

CHANGE = gate(VCPUS=1, GUEST_VCPUS=1, ADMINS=1)
REMOVAL = gate(VCPUS=1, REMOVERS=1)
REBUILD = gate(VCPUS=1, REBUILDERS=1)
NUMBERS = gate(VCPUS=1, REBUILDERS=1, CUTTERS=1)

# (model, mistake, what it violates, bounds)
MISTAKES = [
    ("pool", "WITHOUT_LOCK", "one_hand", {"TAKERS": 2}),
    ("pool", "PLAIN_STORE", "none_lost", {"TAKERS": 2}),
    ("pool", "KEEP_LOCK", "deadlock", {"TAKERS": 3, "SLOTS": 2}),
    ("lifetime", "NO_RECHECK", "no_use_after_release", life(ADDRESSES=2)),
    ("lifetime", "FREE_AT_REMOVAL", "no_use_after_release", life()),
    ("lifetime", "REVIVE", "no_revival", life()),
    ("lifetime", "TORN_PUT", "no_lost_release", life()),
    ("lifetime", "REMOVE_TWICE", "no_lost_release", life(REMOVERS=2)),
    ("lifetime", "FIND_NEW", "no_early_find", life()),
    ("lifetime", "KEEP_COMPLETION", "completion_once", life()),
    ("lifetime", "EARLY_ANSWER", "true_answer", life()),
    ("lifetime", "EARLY_GIVE", "one_hand", life()),
    ("lifetime", "KEEP_LOCK", "deadlock",
     life(ADDERS=2, SLOTS=2)),
    ("lifetime", "FIND_LEAVING", "removal_ends",
     life(FINDERS=2, LIVENESS=1)),
    ("gate", "ANSWER_AT_ONCE", "none_after_removal", REMOVAL),
    ("gate", "OWNER_NOT_CHECKED", "none_for_old_owner", CHANGE),
    ("gate", "TWO_AT_ONCE", "none_for_old_owner", gate(VCPUS=1, ADMINS=2)),
    ("gate", "NO_DRAIN", "none_while_closed", CHANGE),
    ("gate", "PASS_CLOSED", "none_while_closed", CHANGE),
    ("gate", "LOOK_THEN_COUNT", "none_while_closed", CHANGE),
    ("gate", "PASS_PAUSED", "none_while_rebuilt", REBUILD),
    ("gate", "REOPEN_WITHOUT_LOCK", "none_while_rebuilt",
     gate(VCPUS=1, ADMINS=1, REBUILDERS=1, HELD=1, ONCE=1)),
    ("gate", "END_WITHOUT_LOCK", "none_while_rebuilt", NUMBERS),
    ("gate", "DRAIN_WITHOUT_LOCK", "none_elsewhere", NUMBERS),
    ("gate", "OPEN_ANOTHERS", "none_elsewhere", NUMBERS),
    ("gate", "CLOSED_IS_EMPTY", "none_elsewhere",
     gate(VCPUS=1, ADMINS=1, CUTTERS=1)),
    ("gate", "DROP_TWICE", "released_once", REMOVAL),
    ("gate", "LOCKS_CROSSED", "deadlock",
     gate(VCPUS=1, ADMINS=1, CUTTERS=1)),
    ("gate", "PASS_CLOSED", "change_ends",
     gate(VCPUS=1, ADMINS=1, FAILURES=0, LIVENESS=1)),
]

FORMULAS = ("removal_ends", "change_ends")


def command(*words, cwd):
    """Run a program: its output, and whether it ended well."""
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout, done.returncode == 0


def search(model, defines, depth, optimise):
    """What pan says of a model with these definitions."""
    options = [f"-D{name}={value}" for name, value in defines.items()]
    liveness = "LIVENESS" in defines
    with tempfile.TemporaryDirectory(prefix="pcivisor-proof-") as folder:
        said, good = command("spin", "-a", *options,
                             str(HERE / f"{model}.pml"), cwd=folder)
        if not good or "Error" in said:
            raise RuntimeError(said)
        said, good = command("gcc", optimise, "-w", "-o", "pan", "pan.c",
                             *([] if liveness else ["-DSAFETY"]), cwd=folder)
        if not good:
            raise RuntimeError(said)
        arguments = ["-a", "-f"] if liveness else []
        return command("./pan", *arguments, f"-m{depth}", cwd=folder)[0]


def states(said):
    """How many states were looked at."""
    found = re.search(r"(\d+(?:\.\d+e\+\d+)?) states, stored", said)
    return f"{int(float(found[1])):,} states" if found else "? states"


def is_whole(said):
    """Whether the search saw all states, and nothing wrong."""
    return (re.search(r"errors: 0\b", said) is not None
            and "Full statespace search" in said
            and "too small" not in said
            and "out of memory" not in said
            and "Search not completed" not in said)


def violated(said):
    """The property that the first error of a search is against."""
    if "acceptance cycle" in said:
        return "cycle"
    if "invalid end state" in said.split("(Spin Version")[0]:
        return "deadlock"
    found = re.search(r"assertion violated .*\|\|(\w+)\)", said)
    return found[1] if found else None


def prove(model, what, bounds, depth=DEPTH):
    """One proof: its name, whether it holds, and what to say of it."""
    said = search(model, bounds, depth, "-O2")
    good = is_whole(said)
    return f"{model}: {what}", good, states(said) if good else said


def mistake(model, name, against, bounds):
    """One mistake: its name, whether it is found, and what to say of it."""
    only = "deadlock" if against in FORMULAS else against
    said = search(model, {**bounds, f"MISTAKE_{name}": 1, "ONLY": only},
                  MISTAKE_DEPTH, "-O0")
    expected = "cycle" if against in FORMULAS else against
    good = violated(said) == expected
    return (f"{model}: MISTAKE_{name} violates {against}", good,
            "" if good else said)


def tasks(quick, long):
    """What there is to do, the longest first."""
    if quick:
        return [(prove, *proof) for proof in QUICK]
    todo = [(prove, *proof) for proof in PROOFS]
    if long:
        todo = [(prove, *proof, LONG_DEPTH) for proof in LONG] + todo
    return todo + [(mistake, *each) for each in MISTAKES]


def name_of(task):
    """As it is selected by."""
    kind = "MISTAKE_" if task[0] is mistake else ""
    return f"{task[1]}: {kind}{task[2]}"


def main():
    names = sys.argv[1:]
    long = "--long" in names or os.environ.get("PCV_TEST_LONG") == "1"
    quick = "--quick" in names
    names = [name for name in names if name not in ("--long", "--quick")]
    if any(name.startswith("-") for name in names):
        print(__doc__)
        return 2
    todo = [task for task in tasks(quick, long)
            if not names or any(name in name_of(task) for name in names)]
    # Wide searches need gigabytes: one at a time.
    workers = 1 if long else min(os.cpu_count() or 1, 2)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for name, good, said in pool.map(lambda t: t[0](*t[1:]), todo):
            if good:
                print(f"ok {name}" + (f" ({said})" if said else ""), flush=True)
            else:
                failed += 1
                print(f"FAIL {name}\n{said}", flush=True)
    return 1 if failed or not todo else 0


if __name__ == "__main__":
    sys.exit(main())
