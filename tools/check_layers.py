#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that the library leans on nothing but itself, floor upon floor.

src/ and include/ may include the freestanding headers of C11 and files inside
src/ or include/; nothing in include/ includes a file of src/. src/ is a house
of floors, from the ground: base, registry, vpci, vbus, owner, ctl. A file may
include files of its own floor and of floors under it. No file asks which host
it is compiled for.

With --stamp and --depfile this is a step of the build: the stamp is written
when all is well, and the depfile names every file and directory looked at, so
that the step runs again when one of them changes or a file is added.

Exit status: 0; 1 if something is forbidden; 2 if the tree cannot be read.
"""
import argparse
import pathlib
import re
import sys

FLOORS = ("base", "registry", "vpci", "vbus", "owner", "ctl")
FREESTANDING = {
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h",
    "stdint.h", "stdnoreturn.h", "limits.h",
}
HOSTS = re.compile(
    r"\b(__(?:linux|unix|APPLE|FreeBSD|NetBSD|OpenBSD|KERNEL|XEN|KVM)_*"
    r"|_WIN(?:32|64)|__STDC_HOSTED__|__GLIBC__|linux|unix)\b")

# A comment or a literal, whichever begins first.
COMMENT_OR_LITERAL = re.compile(
    r"/\*.*?(?:\*/|\Z)|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
    re.S)
DIRECTIVE = re.compile(r"^[ \t\v\f]*(?:#|%:|\?\?=)[ \t]*(\w+)(.*)$", re.M)
NAMED = re.compile(r"\s*(?:<([^<>\n]+)>|\"([^\"\n]+)\")\s*$")


def without_comments(text):
    """The text as the preprocessor sees it, its lines in their places."""
    joined = []
    behind = 0  # lines that a backslash took away, given back at the end
    for line in text.split("\n"):
        if line.endswith("\\"):
            joined.append(line[:-1])
            behind += 1
        else:
            joined.append(line + "\n" * (1 + behind))
            behind = 0

    def blank(match):
        found = match.group()
        if found[0] == "/":
            return " " + "\n" * found.count("\n")
        return found

    return COMMENT_OR_LITERAL.sub(blank, "".join(joined))


def floor_of(path, root):
    """Index of the floor a file stands on; None outside src/."""
    parts = path.relative_to(root).parts
    if parts[0] != "src":
        return None
    return FLOORS.index(parts[1]) if parts[1] in FLOORS else -1


class Checker:
    """Collects what is wrong in one tree."""

    def __init__(self, root):
        self.root = root.resolve()
        self.seen = set()
        self.problems = []

    def problem(self, path, line, what):
        name = path.relative_to(self.root).as_posix()
        self.problems.append(f"{name}:{line}: {what}")

    def resolve(self, path, name, quoted):
        """The file inside src/ or include/ that an include means, or None."""
        places = [path.parent] if quoted else []
        for place in places + [self.root / "src", self.root / "include"]:
            target = (place / name).resolve()
            for inside in ("src", "include"):
                if target.is_file() and (
                        self.root / inside in target.parents):
                    return target
        return None

    def check_include(self, path, line, operand):
        match = NAMED.match(operand)
        if not match:
            self.problem(path, line, "an include must name its file plainly")
            return
        system, quoted = match.groups()
        name = system or quoted
        if name in FREESTANDING and system:
            return
        target = self.resolve(path, name, quoted is not None)
        if target is None:
            self.problem(path, line, f"{name} is neither a freestanding "
                         "header nor a file in src/ or include/")
            return
        mine, theirs = (floor_of(p, self.root) for p in (path, target))
        if mine is None and theirs is not None:
            self.problem(path, line, "a public header includes a file of "
                         f"src/: {name}")
        elif mine is not None and theirs is not None and theirs > mine:
            self.problem(path, line, f"{FLOORS[mine]} is under "
                         f"{FLOORS[theirs]} and may not include {name}")

    def check_directive(self, path, line, name, operand):
        if name in ("include", "include_next", "import", "embed"):
            if name != "include":
                self.problem(path, line, f"#{name} is not C11")
            else:
                self.check_include(path, line, operand)
        elif name in ("if", "ifdef", "ifndef", "elif"):
            match = HOSTS.search(operand)
            if match:
                self.problem(path, line, "the library does not know its "
                             f"host, and asks for none: {match.group(1)}")

    def check_file(self, path):
        text = without_comments(path.read_text(encoding="utf-8"))
        if floor_of(path, self.root) == -1:
            self.problem(path, 1, "stands on no floor; src/ has "
                         + ", ".join(FLOORS))
            return
        for match in DIRECTIVE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            self.check_directive(path, line, *match.groups())

    def check_tree(self, top):
        self.seen.add(top)
        for path in sorted(top.rglob("*")):
            self.seen.add(path)
            if path.is_symlink():
                self.problem(path, 1, "is a symbolic link")
            elif path.is_file() and path.suffix in (".c", ".h", ".S", ".inc"):
                self.check_file(path)
            elif path.is_file() and path.name != "meson.build":
                self.problem(path, 1, "does not belong into the library")


def write_depfile(depfile, stamp, seen):
    """In make's language; a path with a blank or a dollar is quoted."""
    def quoted(path):
        return re.sub(r"([ #])", r"\\\1", str(path)).replace("$", "$$")

    depfile.write_text(
        f"{quoted(stamp)}: " + " ".join(map(quoted, sorted(seen))) + "\n",
        encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", metavar="DIR", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent,
                        help="the project (default: the one of this file)")
    parser.add_argument("--stamp", metavar="FILE", type=pathlib.Path,
                        help="write this file when all is well")
    parser.add_argument("--depfile", metavar="FILE", type=pathlib.Path,
                        help="write what was looked at, for ninja")
    args = parser.parse_args()

    checker = Checker(args.root)
    try:
        for top in ("include", "src"):
            if not (checker.root / top).is_dir():
                raise OSError(f"{checker.root / top} is not there")
            checker.check_tree(checker.root / top)
        if not checker.problems:
            if args.depfile and args.stamp:
                write_depfile(args.depfile, args.stamp, checker.seen)
            if args.stamp:
                args.stamp.write_text("", encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"check_layers: {error}", file=sys.stderr)
        return 2
    for problem in checker.problems:
        print(problem, file=sys.stderr)
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main())
