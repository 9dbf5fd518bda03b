# SPDX-License-Identifier: MIT
"""The project's own checks see what they are there to see."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def call(*command, cwd=ROOT, env=None):
    """(status, all output) of a command."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class Scratch(unittest.TestCase):
    """A test with a directory of its own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pcivisor test ")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name).resolve()

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


class Contexts(Scratch):
    """Public functions say from where they may be called."""

    def setUp(self):
        super().setUp()
        (self.dir / "tools").mkdir()
        shutil.copy(ROOT / "tools/check_contexts.py", self.dir / "tools")

    def check(self, text):
        self.write("include/pcivisor/a.h", text)
        return call(sys.executable, "-B",
                    self.dir / "tools/check_contexts.py")

    def test_a_word_on_the_context_is_enough(self):
        for text in ("/** A. Context: any. */\nint pcv_a(int x);\n",
                     "/**\n * A.\n * Context and locking: as pcv_b().\n */\n"
                     "int PCV_MUST_CHECK\npcv_a(int x,\n      int y);\n",
                     "/** Both. Context: any. */\nint pcv_a(int x);\n"
                     "int pcv_b(int x);\n",
                     "struct s {\n    int (*pcv_a)(void *ctx);\n};\n",
                     "#define PCV_A(x) pcv_a(x)\n"):
            self.assertEqual(self.check(text), (0, ""), text)

    def test_what_is_missing_is_named(self):
        for text, why in (
                ("/** A. */\nint pcv_a(int x);\n", "says nothing"),
                ("/* A. Context: any. */\nint pcv_a(int x);\n",
                 "no comment of its own"),
                ("int pcv_a(int x);\n", "no comment of its own"),
                ("/** Context: any. */\nint pcv_b(int x);\n\n"
                 "struct t *pcv_a(int x);\n", "no comment of its own")):
            status, said = self.check(text)
            self.assertEqual(status, 1, text)
            self.assertIn("pcv_a " + why.split(" ")[0], said.replace(
                "pcv_a has no", "pcv_a no"), text)
            self.assertIn(why, said)

    def test_no_headers_are_no_success(self):
        self.assertEqual(call(sys.executable, "-B",
                              self.dir / "tools/check_contexts.py")[0], 1)


class Layers(Scratch):
    def setUp(self):
        super().setUp()
        self.write("include/pcivisor/types.h", "#include <stdint.h>\n")
        self.write("src/base/low.h", "#include \"pcivisor/types.h\"\n")
        self.write("src/owner/high.h", "#include \"base/low.h\"\n")

    def check(self):
        return call(sys.executable, "-B", ROOT / "tools/check_layers.py",
                    "--root", self.dir)

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.check(), (0, ""))

    def test_each_forbidden_line_is_seen(self):
        for line, why in (
                ("#include <stdio.h>", "stdio.h is neither"),
                ("#include <stdlib.h>", "stdlib.h is neither"),
                ("#include \"stdint.h\"", "stdint.h is neither"),
                ("  #  include   <string.h> // note", "string.h is neither"),
                ("/* x */ #include <errno.h>", "errno.h is neither"),
                ("%:include <errno.h>", "errno.h is neither"),
                ("#incl\\\nude <errno.h>", "errno.h is neither"),
                ("#include </etc/passwd>", "passwd is neither"),
                ("#include \"../../host/model.h\"", "model.h is neither"),
                ("#include NAME", "plainly"),
                ("#include_next <stdint.h>", "not C11"),
                ("#include \"owner/high.h\"", "base is under owner"),
                ("#include \"../owner/high.h\"", "base is under owner"),
                ("#ifdef __linux__", "does not know its host"),
                ("#if 1 && defined(_WIN32)", "does not know its host")):
            with self.subTest(line=line):
                self.write("host/model.h", "\n")
                self.write("src/base/bad.c", "int a;\n" + line + "\n")
                status, said = self.check()
                self.assertEqual(status, 1, said)
                self.assertIn(why, said)
                self.assertIn("src/base/bad.c:2:", said)

    def test_what_only_looks_forbidden_passes(self):
        self.write("src/base/good.c",
                   "/*\n#include <stdio.h>\n*/\n// #include <stdio.h>\n"
                   "const char *s = \"/*\";\n#include <stddef.h>\n")
        self.assertEqual(self.check(), (0, ""))

    def test_a_public_header_keeps_out_of_src(self):
        self.write("include/pcivisor/bad.h", "#include \"base/low.h\"\n")
        status, said = self.check()
        self.assertEqual(status, 1)
        self.assertIn("public header", said)

    def test_a_file_on_no_floor_is_seen(self):
        self.write("src/attic/old.c", "\n")
        status, said = self.check()
        self.assertEqual(status, 1)
        self.assertIn("stands on no floor", said)

    def test_a_link_out_of_the_library_is_seen(self):
        (self.dir / "src/base/out.h").symlink_to("/etc/passwd")
        self.assertEqual(self.check()[0], 1)


class LayersInTheBuild(Scratch):
    """The same check as a step of a copy of the real project's build."""

    def setUp(self):
        super().setUp()
        for name in ("include", "src", "host", "cli", "tests", "tools"):
            shutil.copytree(ROOT / name, self.dir / name,
                            ignore=shutil.ignore_patterns("corpus"))
        for name in ("meson.build", "meson_options.txt"):
            shutil.copy(ROOT / name, self.dir)
        status, said = call("meson", "setup", "build", cwd=self.dir)
        self.assertEqual(status, 0, said)

    def ninja(self, *arguments):
        return call("ninja", "-C", "build", *arguments, cwd=self.dir)

    def test_a_forbidden_include_fails_the_build(self):
        status, said = self.ninja("tests/layers.stamp")
        self.assertEqual(status, 0, said)
        self.assertIn("no work to do", self.ninja("tests/layers.stamp")[1])
        self.assertIn("check_layers.py", self.ninja("-t", "inputs", "all")[1])

        # A new file, which no meson.build names, and one that changed.
        bad = self.write("src/base/zz_new.h", "#include <stdio.h>\n")
        status, said = self.ninja("tests/layers.stamp")
        self.assertNotEqual(status, 0)
        self.assertIn("src/base/zz_new.h:1: stdio.h", said)
        bad.write_text("#include <stddef.h>\n", encoding="utf-8")
        status, said = self.ninja("tests/layers.stamp")
        self.assertEqual(status, 0, said)
        bad.write_text("#include <stdlib.h>\n", encoding="utf-8")
        self.assertNotEqual(self.ninja("tests/layers.stamp")[0], 0)


class Symbols(Scratch):
    def library(self, text):
        source = self.write("part.c", text)
        for command in (("gcc", "-O1", "-ffreestanding", "-fPIE", "-c", source,
                         "-o", self.dir / "part.o"),
                        ("ar", "rc", self.dir / "lib.a", self.dir / "part.o")):
            status, said = call(*command)
            self.assertEqual(status, 0, said)
        return call(sys.executable, "-B", ROOT / "tools/check_symbols.py",
                    self.dir / "lib.a")

    def test_constants_and_the_four_functions_pass(self):
        status, said = self.library(
            "void *memset(void *, int, unsigned long);\n"
            "extern const char *const names[1];\n"
            "const char *const names[1] = {\"a\"};\n"
            "void f(void *p, unsigned long n) { memset(p, 0, n); }\n")
        self.assertEqual((status, said), (0, ""))

    def test_another_function_is_seen(self):
        status, said = self.library(
            "int puts(const char *);\nvoid f(void) { puts(\"\"); }\n")
        self.assertEqual(status, 1)
        self.assertIn("needs puts", said)

    def test_a_variable_is_seen(self):
        for text in ("int g = 1;", "static int g; int *f(void) { return &g; }",
                     "void f(void); void f(void) { static int n; "
                     "__asm__ volatile(\"\" :: \"r\"(&n)); }"):
            with self.subTest(text=text):
                status, said = self.library(text + "\n")
                self.assertEqual(status, 1)
                self.assertIn("is a global in", said)

    def test_what_is_no_library_is_no_success(self):
        bad = self.write("lib.a", "nonsense")
        status, _ = call(sys.executable, "-B",
                         ROOT / "tools/check_symbols.py", bad)
        self.assertEqual(status, 2)


class Counting(Scratch):
    def count(self, kind, text):
        log = self.write("log", text)
        status, said = call(sys.executable, "-B",
                            ROOT / "tools/count_tests.py", kind, log)
        return status, said.rstrip().split("\n")[-1]

    def test_cmocka(self):
        ok = ('{"name": "a", "result": "OK", "returncode": 0, "stdout": '
              '"[ RUN      ] x\\n[       OK ] x\\n", "stderr": ""}\n')
        bad = ('{"name": "b", "result": "FAIL", "returncode": 1, "stdout": '
               '"[       OK ] x\\n[  FAILED  ] y\\n", '
               '"stderr": "[  FAILED  ] tests: 1 test(s)\\n'
               '[  FAILED  ] y\\n"}\n')
        crash = '{"name": "c", "result": "FAIL", "returncode": -11}\n'
        empty = '{"name": "d", "result": "OK", "returncode": 0}\n'
        self.assertEqual(self.count("cmocka", ok), (0, "1 0"))
        self.assertEqual(self.count("cmocka", ok + bad), (1, "2 1"))
        self.assertEqual(self.count("cmocka", ok + crash), (1, "1 1"))
        self.assertEqual(self.count("cmocka", ok + empty), (1, "1 1"))

    def test_unittest(self):
        self.assertEqual(self.count(
            "unittest", "Ran 3 tests in 1s\n\nOK\n"), (0, "3 0"))
        self.assertEqual(self.count(
            "unittest", "Ran 3 tests in 1s\n\nOK (skipped=1)\n"), (0, "2 0"))
        self.assertEqual(self.count(
            "unittest", "Ran 5 tests in 1s\n\nFAILED (failures=1, errors=2, "
            "skipped=1)\n"), (1, "1 3"))
        self.assertEqual(self.count("unittest", "Traceback\n"), (1, "0 1"))
        self.assertEqual(self.count(
            "unittest", "Ran 0 tests in 0s\n\nOK\n"), (1, "0 0"))


class RoundTrip(Scratch):
    """With a stand-in for pcivisor, which writes what it is told to."""

    CAPTURE = ("00:02.0 \n00: 86 80 d3 10 07 00 10 00 03 00 00 02 00 00 00 00\n"
               + "".join(f"{line}0: {'00 ' * 15}00\n" for line in "123") + "\n")

    def round_trip(self, view, differences="# none\n"):
        capture = self.write("capture.txt", self.CAPTURE)
        self.write("view.txt", view)
        tool = self.write("pcivisor", "#!/bin/sh\n"
                          "for last; do :; done\n"
                          f"cat '{self.dir}/view.txt' > \"$last\"\n")
        tool.chmod(0o755)
        env = {"PATH": "/usr/bin:/bin", "PCIVISOR": str(tool),
               "DIFFERENCES": str(self.write("list", differences))}
        return call(ROOT / "tools/roundtrip.sh", capture, env=env)

    def test_the_same_is_identical(self):
        status, said = self.round_trip(self.CAPTURE)
        self.assertEqual(status, 0, said)
        self.assertIn("1 functions, identical", said)

    def test_a_difference_fails(self):
        status, said = self.round_trip(self.CAPTURE.replace("86 80", "86 81"))
        self.assertEqual(status, 1)
        self.assertIn("NOT EXPLAINED", said)

    def test_an_explained_difference_is_shown_with_its_reason(self):
        changed = self.CAPTURE.replace("03 00 00 02", "04 00 00 02")
        status, said = self.round_trip(changed, "rev 0[34]\tthe reason\n")
        self.assertEqual(status, 0, said)
        self.assertIn("the reason", said)

    def test_one_explanation_does_not_cover_another_difference(self):
        changed = self.CAPTURE.replace("07 00 10 00 03", "06 00 10 00 04")
        status, said = self.round_trip(changed, "rev 0[34]\tthe reason\n")
        self.assertEqual(status, 1)
        self.assertIn("NOT EXPLAINED", said)

    def test_an_empty_view_fails(self):
        self.assertEqual(self.round_trip("")[0], 1)


class SetUp(Scratch):
    def test_what_cannot_be_installed_is_said_in_one_line(self):
        """A machine with a shell and nothing else, not even apt."""
        tools = self.dir / "bin"
        tools.mkdir()
        for name in ("bash", "env", "id", "dirname", "nproc"):
            (tools / name).symlink_to(shutil.which(name))
        for name in ("run", "tools"):
            (shutil.copytree if name == "tools" else shutil.copy)(
                ROOT / name, self.dir / name)
        # No sbin behind our back: it might hold what is to be missing.
        setup = self.dir / "tools/setup.sh"
        setup.write_text(setup.read_text(encoding="utf-8").replace(
            ":/usr/local/sbin:/usr/sbin:/sbin", ""), encoding="utf-8")
        status, said = call(tools / "bash", self.dir / "run",
                            cwd=self.dir, env={"PATH": str(tools)})
        self.assertEqual(status, 1, said)
        self.assertIn(" meson ninja-build ", said)
        self.assertNotIn("not found", said)

    def test_wrong_usage_is_status_2(self):
        for command in (("./run", "--nonsense"), ("./test", "--nonsense"),
                        ("tools/roundtrip.sh",),
                        ("tools/check_format.sh", "x"),
                        ("tools/fuzz.sh", "x"), ("tools/coverage.sh", "x"),
                        ("tools/check_tidy.sh",)):
            with self.subTest(command=command):
                self.assertEqual(call(*command)[0], 2)


if __name__ == "__main__":
    unittest.main()
