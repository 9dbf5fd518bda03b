#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that the library is freestanding and without globals (PORT-1).

Reads the symbols of a static library. It may need memcpy, memmove, memset and
memcmp and nothing else that it does not define; what it defines is code or
constant.

Exit status: 0; 1 if something is not so; 2 if the library cannot be read.
"""
import argparse
import subprocess
import sys

# The last two are the compiler's: position-independent code, and a stack
# protector where the system's compiler has it on.
ALLOWED = {"memcpy", "memmove", "memset", "memcmp",
           "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
CONSTANT = (".text", ".rodata", ".data.rel.ro", ".init.text", "*ABS*",
            ".note", ".eh_frame", ".comment", ".debug", ".group")


def symbols(library):
    """Yield (object file, flags, section, name)."""
    said = subprocess.run(["objdump", "-tw", library], check=True,
                          capture_output=True, text=True).stdout
    member = "?"
    for line in said.split("\n"):
        if ":     file format" in line:
            member = line.split(":")[0]
            continue
        head, tab, tail = line.partition("\t")
        fields = head.split()
        if tab and len(fields) >= 2:
            yield member, fields[1:-1], fields[-1], tail.split()[-1]


def check(library):
    """Yield what is wrong, in words."""
    found = list(symbols(library))
    if not found:
        raise ValueError("it has no symbols")
    defined = {name for _, _, section, name in found if section != "*UND*"}
    for member, flags, section, name in found:
        if section == "*UND*":
            if name not in defined | ALLOWED:
                yield f"{member}: needs {name}"
        elif not section.startswith(CONSTANT) and name != section:
            yield f"{member}: {name} is a global in {section}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="a static library")
    args = parser.parse_args()
    try:
        problems = sorted(set(check(args.library)))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"check_symbols: {args.library}: {error}", file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
