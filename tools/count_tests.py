#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count single tests in what a test runner wrote, and show what failed.

  count_tests.py cmocka FILE     FILE is Meson's testlog.json of cmocka programs
  count_tests.py unittest FILE   FILE is the output of python3 -m unittest
  count_tests.py lines FILE      FILE has lines "ok ..." and "FAIL ..."

Prints the output of failed programs, and as its last line "PASSED FAILED". A
program that ended badly without naming a failed test counts as one failure.

Exit status: 0; 1 if a test failed or there was none; 2 if FILE makes no sense.
"""
import json
import re
import sys


def count_cmocka(text):
    """(passed, failed) of all programs in a testlog.json."""
    passed = failed = 0
    for line in text.splitlines():
        program = json.loads(line)
        said = program.get("stdout", "") + program.get("stderr", "")
        ok = len(re.findall(r"^\[       OK \] ", said, re.M))
        bad = len(set(re.findall(r"^\[  FAILED  \] ([A-Za-z_]\w*)$", said,
                                 re.M)))
        well = program["result"] == "OK"
        if well and ok == 0:
            print(f"---- {program['name']}: ran no test")
            bad += 1
        if not well:
            bad = max(bad, 1)
            print(f"---- {program['name']}: {program['result']}, status "
                  f"{program.get('returncode')}")
            print(said.rstrip())
        passed += ok
        failed += bad
    return passed, failed


def count_unittest(text):
    """(passed, failed) of one run of Python's unittest."""
    ran = re.search(r"^Ran (\d+) tests? in ", text, re.M)
    if not ran:
        return 0, 1
    last = text.rstrip().split("\n")[-1]
    counts = {what: int(number)
              for what, number in re.findall(r"([a-z][a-z ]*)=(\d+)", last)}
    bad = sum(counts.get(what, 0)
              for what in ("failures", "errors", "unexpected successes"))
    if not last.startswith("OK"):
        bad = max(bad, 1)
    ran = int(ran.group(1))
    return max(ran - bad - counts.get("skipped", 0), 0), bad


def count_lines(text):
    """(passed, failed) by the first word of each line."""
    words = [line.split(" ")[0] for line in text.split("\n")]
    return words.count("ok"), words.count("FAIL")


def main():
    kinds = {"cmocka": count_cmocka, "unittest": count_unittest,
             "lines": count_lines}
    if len(sys.argv) != 3 or sys.argv[1] not in kinds:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(sys.argv[2], encoding="utf-8", errors="replace") as file:
            passed, failed = kinds[sys.argv[1]](file.read())
    except (OSError, ValueError, KeyError) as error:
        print(f"count_tests: {sys.argv[2]}: {error}", file=sys.stderr)
        return 2
    print(passed, failed)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
