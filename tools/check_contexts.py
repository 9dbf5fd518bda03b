#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that each public function says from where it may be called.

Every function that a header in include/ declares has a comment, and the comment
a word on its context: "Context: control.", or "Context and locking: as f()."
docs/concurrency.md says what the words mean.

Exit status: 0; 1 if one is missing.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMENT = re.compile(r"/\*.*?\*/", re.S)
# A declaration: a line that begins at its first column and names pcv_x( before
# the semicolon. Bodies of inline functions are no declarations.
DECLARED = re.compile(r"^(?![ #/*}])[^;{}()=#]*?\b(pcv_\w+)\([^;{}]*\)\s*;",
                      re.M)
CONTEXT = re.compile(r"\bContext(?:, locking| and locking)?:")


def problems(path, text):
    """What is missing in a header, a line each."""
    comments = {match.end(): match.group() for match in COMMENT.finditer(text)}
    bare = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    comment, end = "", -1
    for match in DECLARED.finditer(bare):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        before = text[:start].rstrip()
        # One comment may be for several that stand together.
        if not (len(before) == end and text.count("\n", end, start) == 1):
            comment = comments.get(len(before), "")
        end = match.end()
        line = text.count("\n", 0, start) + 1
        if not comment.startswith("/**"):
            yield f"{path}:{line}: {match.group(1)} has no comment of its own"
        elif not CONTEXT.search(comment):
            yield f"{path}:{line}: {match.group(1)} says nothing of its context"


def main():
    count = 0
    missing = []
    for header in sorted((ROOT / "include").rglob("*.h")):
        text = header.read_text(encoding="utf-8")
        missing += problems(header.relative_to(ROOT), text)
        count += 1
    if count == 0:
        missing.append("there are no headers")
    for problem in missing:
        print(problem)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
