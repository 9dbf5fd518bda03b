#!/usr/bin/env python3
"""List the rules of docs/spec.md with the tests that cite them.

An argument is an identifier (LIFE-5) or a prefix (LIFE or LIFE-; MSI does
not match MSIX-1) and limits the list to the rules it names; then a rule
without a test fails the call. A citation is

  in C, tests/**/*.c        a comment on a test or inside it:  /* LIFE-5 */
  in Python, tests/**/*.py  the same:                          # LIFE-5
  in a transcript           a line of its own:                 # LIFE-5: why
      (tests/scenario/**/*.pcv, examples/**/*.pcv and docs/**/*.md, save for
      docs/spec.md)

It counts for the function that it stands in, else for the next one defined;
in a transcript, for the file. The comment begins with an identifier, and all
identifiers of that line count (LIFE-1 to LIFE-4 is two); further lines of a
block comment count if they hold nothing but identifiers. Prose that mentions
a rule in passing proves nothing.

Exit status: 0; 1 if a rule asked for has no test, if a citation names an
unknown rule or belongs to no function, or if a rule is defined twice; 2 if
an argument matches nothing or there are no rules to list.
"""
import argparse
import ast
import io
import pathlib
import re
import signal
import sys
import tokenize

ID = re.compile(r"\b[A-Z]+-[0-9]+\b")
RULE = re.compile(r"- \*\*([A-Z]+-[0-9]+)\*\*")
ONLY_IDS = re.compile(r"(?:[A-Z]+-[0-9]+|and|to|[,.\s])+")
COMMENT_OR_LITERAL = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\""
                                r"|'(?:\\.|[^'\\\n])*'", re.S)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)", re.S)
FUNCTION = re.compile(  # type, name, parameters, annotations, brace
    r"^(?:[A-Za-z_][\w \t\n*]{0,200}?[\s*])?([A-Za-z_]\w*)[ \t]*"
    r"\((?:[^;{}()]|\([^;{}()]*\))*\)"
    r"(?:\s*[A-Z][A-Z0-9_]*(?:\([^()]*\))?)*\s*\{", re.M)
SHOWN = 3


def fill(match, character):
    """The text that was matched, blotted out; lines and columns stay."""
    return re.sub(r"[^\n]", character, match.group())


def body_end(code, place):
    """Where the function body ends whose opening brace is before place."""
    depth = 1
    for m in re.compile(r"[{}]").finditer(code, place):
        depth += 1 if m.group() == "{" else -1
        if depth == 0 or (m.group() == "}" and code[m.start() - 1] == "\n"):
            return m.start()  # column 0: whatever #if did to the count
    return len(code)


def function_at(functions, place):
    """Name of the innermost function around place, else of the next one.

    functions holds (start, end, name), in order of start.
    """
    around = [name for start, end, name in functions if start <= place <= end]
    after = [name for start, _, name in functions if start > place]
    return around[-1] if around else after[0] if after else None


def citations_in_c(text):
    """Yield (line, cited text, function or None)."""
    code = COMMENT_OR_LITERAL.sub(lambda m: fill(m, " "), text)
    code = ATTRIBUTE.sub(lambda m: fill(m, "X"), code)
    functions = []
    for m in FUNCTION.finditer(code):
        functions.append((m.start(), body_end(code, m.end()), m.group(1)))
    for m in COMMENT_OR_LITERAL.finditer(text):
        if m.group()[0] != "/":
            continue
        place = text.count("\n", 0, m.start()) + 1
        name = function_at(functions, m.start())
        first = True
        for n, line in enumerate(m.group().split("\n")):
            cited = line.strip(" \t/*!<")
            if ID.match(cited) and (first or ONLY_IDS.fullmatch(cited)):
                yield place + n, cited, name
            first = first and not cited


def citations_in_python(text):
    """Yield (line, cited text, function or None)."""
    functions = sorted(
        (node.lineno, node.end_lineno, node.name)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        cited = token.string.lstrip("#: ")
        if token.type == tokenize.COMMENT and ID.match(cited):
            line = token.start[0]
            yield line, cited, function_at(functions, line)


def citations_in_transcript(text):
    """Yield (line, cited text, ""): the file is the test."""
    for n, line in enumerate(text.split("\n"), 1):
        m = re.match(r"#\s*(?=[A-Z]+-[0-9])(.*)", line)
        if m and ID.match(m.group(1)):
            yield n, m.group(1), ""


SOURCES = (
    ("tests/**/*.c", citations_in_c),
    ("tests/**/*.py", citations_in_python),
    ("tests/scenario/**/*.pcv", citations_in_transcript),
    ("examples/**/*.pcv", citations_in_transcript),
    ("docs/**/*.md", citations_in_transcript),
)


def read_rules(spec, errors):
    """The identifiers that the specification defines, in its order."""
    rules = {}
    text = spec.read_text(encoding="utf-8")
    for n, line in enumerate(text.split("\n"), 1):
        m = RULE.match(line)
        if m and m.group(1) in rules:
            errors.append(f"docs/spec.md:{n}: {m.group(1)} is defined twice")
        elif m:
            rules[m.group(1)] = []
    return rules


def read_file(root, path, reader, rules, errors):
    """Enter the citations of one file into rules."""
    name = path.relative_to(root).as_posix()
    prefixes = {rule.split("-")[0] for rule in rules}
    try:
        found = list(reader(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, SyntaxError, tokenize.TokenError) as error:
        errors.append(f"{name}: cannot be read: {error}")
        return
    for line, cited, function in found:
        if function is None:
            errors.append(f"{name}:{line}: no test follows: {cited}")
            continue
        test = f"{name}:{function}" if function else name
        prose = cited.find(":") if ":" in cited else len(cited)
        for m in ID.finditer(cited):
            if m.group() in rules:
                if test not in rules[m.group()]:
                    rules[m.group()].append(test)
            elif m.start() < prose or m.group().split("-")[0] in prefixes:
                # behind the colon, UTF-8 is no misspelt rule
                errors.append(f"{name}:{line}: docs/spec.md has no rule "
                              f"{m.group()}")


def choose(rules, arguments):
    """The rules that the arguments name; exits if one names none."""
    chosen = set()
    for argument in arguments:
        hits = {rule for rule in rules if argument == rule
                or argument.removesuffix("-") == rule.split("-")[0]}
        if not hits:
            print(f"rules: nothing matches {argument}", file=sys.stderr)
            sys.exit(2)
        chosen |= hits
    return {rule: tests for rule, tests in rules.items()
            if rule in chosen or not arguments}


def show(rules, limit):
    """Print one line a rule, and the summary."""
    width = max(map(len, rules))
    for rule, tests in rules.items():
        text = ", ".join(tests[:limit]) or "-"
        if limit is not None and len(tests) > limit:
            text += f" (+{len(tests) - limit} more)"
        print(f"{rule:{width}}  {len(tests):3}  {text}")
    tested = sum(1 for tests in rules.values() if tests)
    print(f"{tested} of {len(rules)} rules have tests")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", metavar="DIR", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent,
                        help="the project (default: the one of this file)")
    parser.add_argument("--all", action="store_true",
                        help="show all tests, not only the first few")
    parser.add_argument("rule", nargs="*", metavar="PREFIX-OR-ID",
                        help="list these rules and insist on their tests")
    args = parser.parse_args()

    errors = []
    spec = args.root / "docs" / "spec.md"
    try:
        rules = read_rules(spec, errors)
    except (OSError, ValueError) as error:
        print(f"rules: {spec}: {error}", file=sys.stderr)
        return 2
    if not rules:
        print(f"rules: {spec} defines no rule", file=sys.stderr)
        return 2
    chosen = choose(rules, args.rule)
    for pattern, reader in SOURCES:
        for path in sorted(args.root.glob(pattern)):
            if path != spec:
                read_file(args.root, path, reader, rules, errors)

    show(chosen, None if args.all else SHOWN)
    sys.stdout.flush()
    untested = [rule for rule, tests in chosen.items() if not tests]
    if args.rule and untested:
        errors.append("rules: no test for " + ", ".join(untested))
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # `rules.py | head` ends quietly
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
