#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that no test is forgotten.

Every tests/unit/test_*.c is named in tests/meson.build, every
tests/fuzz/fuzz_*.c in tests/fuzz/meson.build with a corpus that is not empty,
and every test function of a unit test stands in its table. Every name there
has its file.

Exit status: 0; 1 if something is missing.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUOTED = re.compile(r"'([a-z0-9_]+)'")
# A test is a function that cmocka can call: static void name(void **state).
TEST = re.compile(r"^static void (\w+)\(\s*void\s*\*\*\s*\w+\s*\)\s*\{",
                  re.M)


def listed(meson_build, prefix):
    """The names with a prefix that a meson.build quotes."""
    text = meson_build.read_text(encoding="utf-8")
    text = re.sub(r"#[^\n]*", "", text)
    return {name for name in QUOTED.findall(text) if name.startswith(prefix)}


def compare(folder, meson_build, prefix):
    """What a folder and its list do not have in common."""
    there = {path.stem for path in (ROOT / folder).glob(prefix + "*.c")}
    names = listed(ROOT / meson_build, prefix)
    for name in sorted(there - names):
        yield f"{folder}/{name}.c is not in {meson_build}"
    for name in sorted(names - there):
        yield f"{meson_build} names {name}; there is no {folder}/{name}.c"


def unused_tests(path):
    """The test functions that a file defines and does not name again."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for name in TEST.findall(text):
        if len(re.findall(rf"\b{name}\b", text)) < 2:
            yield f"{path.relative_to(ROOT)}: {name} is in no table"


def main():
    problems = list(compare("tests/unit", "tests/meson.build", "test_"))
    problems += compare("tests/fuzz", "tests/fuzz/meson.build", "fuzz_")
    for path in sorted((ROOT / "tests/unit").glob("test_*.c")):
        problems += unused_tests(path)
    for path in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c")):
        corpus = ROOT / "tests/fuzz/corpus" / path.stem.removeprefix("fuzz_")
        if not corpus.is_dir() or not any(corpus.iterdir()):
            problems.append(f"{corpus.relative_to(ROOT)}/ has no seed")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
