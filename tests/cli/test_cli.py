#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command `pcivisor`, as people and programs use it.

The binary is named by the environment variable PCIVISOR. Needs `lspci`
(pciutils) for the round trips.
"""
import json
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get(
    'PCIVISOR', os.path.join(ROOT, 'build', 'pcivisor')))
HOSTS = os.path.join(ROOT, 'examples', 'hosts')
Q35 = os.path.join(HOSTS, 'q35.txt')
VERBS = ['inspect', 'lspci', 'run', 'shell']

# A machine of one function: vendor and device 1234:5678, a class, no BARs.
TINY = '''00:00.0 Host bridge: Nobody Nothing
00: 34 12 78 56 00 00 00 00 01 00 00 06 00 00 00 00
''' + ''.join('%02x: %s\n' % (row, ' '.join(['00'] * 16))
              for row in range(16, 256, 16)) + '\n'


def run(*args, stdin='', cwd=None, env=None):
    """Run pcivisor and return what came: returncode, stdout, stderr."""
    return subprocess.run([BINARY, *args], input=stdin, cwd=cwd,
                          env={**os.environ, **(env or {})},
                          capture_output=True, text=True, timeout=60)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='pcivisor-test-')
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='ascii', newline='') as file:
            file.write(text)
        return path

    def content(self, path):
        with open(path, encoding='ascii', newline='') as file:
            return file.read()

    def good(self, *args, **more):
        result = run(*args, **more)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        self.assertEqual(result.stderr, '')
        return result.stdout

    def fails(self, status, *args, **more):
        result = run(*args, **more)
        self.assertEqual(result.returncode, status,
                         result.stderr + result.stdout)
        return result


class Usage(Case):
    def test_each_verb_has_help(self):
        for verb in VERBS:
            for words in ([verb, '--help'], [verb, '-h'], ['help', verb]):
                with self.subTest(words=words):
                    text = self.good(*words)
                    self.assertIn('usage: pcivisor ' + verb, text)
                    self.assertTrue(all(len(line) <= 80
                                        for line in text.splitlines()))

    def test_general_help_names_every_verb(self):
        for words in (['--help'], ['help'], ['-h']):
            text = self.good(*words)
            for verb in VERBS:
                self.assertIn(verb, text)

    def test_the_generator_has_help(self):
        self.assertIn('functions', self.good('help', 'generate'))

    def test_version(self):
        self.assertRegex(self.good('--version'), r'^pcivisor \d+\.\d+\.\d+\n$')

    def test_wrong_usage_is_named_and_exits_2(self):
        for words, problem in (
                ([], 'a verb is missing'),
                (['fly'], "there is no verb 'fly'"),
                (['--fly'], "there is no option '--fly'"),
                (['help', 'fly'], "there is no help for 'fly'"),
                (['inspect'], 'HOST is missing'),
                (['inspect', Q35, Q35], 'is too much'),
                (['inspect', Q35, '--fly'], "there is no option '--fly'"),
                (['inspect', Q35, '--json=1'], 'takes no value'),
                (['lspci', Q35, '-o'], "'-o' needs a value"),
                (['lspci', Q35, '--as', 'dom0', '--as=dom0'], 'given twice'),
                (['run'], 'a FILE is missing'),
                (['run', 'x', '--check', '--update'], 'exclude each other'),
                (['run', '-', '--update'], 'standard input'),
                (['shell', Q35, Q35], 'is too much')):
            with self.subTest(words=words):
                result = self.fails(2, *words)
                self.assertEqual(result.stdout, '')
                lines = result.stderr.splitlines()
                self.assertEqual(len(lines), 2)
                self.assertTrue(lines[0].startswith('pcivisor: '))
                self.assertIn(problem, lines[0])
                verb = words[0] + ' ' if words and words[0] in VERBS else ''
                self.assertEqual(lines[1], 'try pcivisor %s--help' % verb)

    def test_a_host_that_is_not_there_exits_1(self):
        for verb in ('inspect', 'lspci', 'shell'):
            result = self.fails(1, verb, '/nowhere/at/all.txt')
            self.assertEqual(
                result.stderr,
                'pcivisor: /nowhere/at/all.txt: No such file or directory\n')

    def test_output_that_cannot_be_written_exits_1(self):
        with open('/dev/full', 'w', encoding='ascii') as full:
            result = subprocess.run([BINARY, 'inspect', Q35], stdout=full,
                                    stderr=subprocess.PIPE, text=True,
                                    check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("can't be written", result.stderr)
        self.fails(1, 'lspci', Q35, '-o', '/nowhere/at/all.txt')

    def test_the_manual_page_names_every_verb_and_option(self):
        page = self.content(os.path.join(ROOT, 'cli', 'pcivisor.1'))
        page = page.replace('\\-', '-')
        for verb in VERBS:
            self.assertIn('.SS ' + verb, page)
            for option in re.findall(r'--[a-z-]+', self.good('help', verb)):
                self.assertIn(option, page)


class Damaged(Case):
    def test_a_damaged_file_is_refused_with_its_line(self):
        # SIM-1
        for text, line in (
                ('rubbish\n', 1),
                (TINY.replace('10: 00', '10: xx', 1), 3),
                (TINY.replace('30: 00', '40: 00', 1), 5),
                (TINY + TINY, 19)):
            with self.subTest(text=text[:60]):
                path = self.file('damaged.txt', text)
                for verb in ('inspect', 'lspci'):
                    error = self.fails(1, verb, path).stderr
                    self.assertTrue(
                        error.startswith('pcivisor: %s:%d: ' % (path, line)),
                        error)

    def test_control_characters_of_a_file_do_not_reach_the_terminal(self):
        path = self.file('evil.txt', '00:00.0 x\x1b[2J: y\nq\x1b[31m\n')
        self.assertNotIn('\x1b', self.fails(1, 'inspect', path).stderr)

    def test_a_transcript_says_the_same(self):
        self.file('damaged.txt', 'rubbish\n')
        path = self.file('a.pcv', '> host damaged.txt\n')
        self.assertIn('\nerror: damaged.txt:1: ', self.good('run', path))


class Inspect(Case):
    def test_the_tree_has_every_function_and_bridge(self):
        text = self.good('inspect', Q35)
        self.assertIn('-[0000:00]-+-00.0', text)
        self.assertIn('+-02.2-[03-07]', text)
        self.assertIn('\\-00.0-[04-07]', text)
        self.assertIn('VF of 02:00.0', text)
        self.assertIn('PF of 2 VFs', text)
        self.assertIn('Nothing looks broken.', text)
        self.assertRegex(text.splitlines()[-1],
                         r'^41 functions in 13 buses, up in [0-9.]+ '
                         r'(us|ms|s) \(14 bridges, 2 VFs, 20 with extended '
                         r'space, all owned by dom0\)$')

    def test_no_colours_unless_on_a_terminal(self):
        self.assertNotIn('\033', self.good('inspect', Q35))
        self.assertIn('\033[', on_terminal(['inspect', Q35]))
        self.assertNotIn('\033[', on_terminal(['inspect', Q35],
                                              NO_COLOR='1'))

    def test_names_can_be_left_out(self):
        self.assertIn('Red Hat', self.good('inspect', Q35))
        self.assertNotIn('Red Hat', self.good('inspect', Q35, '--no-names'))

    def test_verbose_has_addresses_and_capabilities(self):
        text = self.good('inspect', Q35, '--verbose')
        self.assertIn('bar0 mem32 128K at fe040000, mapped', text)
        self.assertIn('140 Device Serial Number', text)

    def test_json_is_complete(self):
        # SIM-1
        for host in sorted(os.listdir(HOSTS)):
            if not host.endswith('.txt'):
                continue
            with self.subTest(host=host):
                path = os.path.join(HOSTS, host)
                data = json.loads(self.good('inspect', path, '--json'))
                with open(path, encoding='ascii') as file:
                    want = re.findall(r'^((?:[0-9a-f]{4,}:)?[0-9a-f]{2}:'
                                      r'[0-9a-f]{2}\.[0-7]) ', file.read(),
                                      re.MULTILINE)
                got = [f['address'] for f in data['functions']]
                self.assertEqual(sorted(got), sorted(
                    a if a.count(':') == 2 else '0000:' + a for a in want))
                self.assertEqual(data['problems'], [])

    def test_guesses_are_marked(self):
        # SIM-1
        path = self.file('plain.txt', re.sub(r'^\t.*\n', '',
                                             self.content(Q35), flags=re.M))
        text = self.good('inspect', path)
        self.assertRegex(text, r'bar0 mem32 \d+K?~')
        data = json.loads(self.good('inspect', path, '--json'))
        guessed = [bar['guessed'] for f in data['functions']
                   for bar in f['bars']]
        self.assertIn(True, guessed)

    def test_a_huge_machine_is_shown_in_brief(self):
        spec = 'generate:functions=20000'
        text = self.good('inspect', spec)
        self.assertLess(len(text.splitlines()), 200)
        self.assertIn('--all shows everything', text)
        self.assertIn('20000 functions', text)
        every = self.good('inspect', spec, '--all', '--no-names')
        self.assertEqual(len(re.findall(r'\[[0-9a-f]{4}:[0-9a-f]{4}\]\n',
                                        every)), 20000)

    def test_what_looks_broken_is_said(self):
        # CAP-1, TOPO-2
        # A list that leads back, and a bridge whose numbers are backwards.
        loop = TINY.replace('34 12 78 56 00 00 00 00',
                            '34 12 78 56 00 00 10 00', 1)
        loop = loop.replace('30: 00 00 00 00 00', '30: 00 00 00 00 40', 1)
        loop = loop.replace('40: 00 00', '40: 09 40', 1)
        bridge = TINY.replace('00:00.0 Host', '00:01.0 PCI', 1)
        bridge = bridge.replace('01 00 00 06 00 00 00 00',
                                '01 00 04 06 00 00 01 00', 1)
        bridge = bridge.replace('10: 00 00 00 00 00 00 00 00 00 00 00',
                                '10: 00 00 00 00 00 00 00 00 00 05 02', 1)
        text = self.good('inspect', self.file('broken.txt', loop + bridge))
        self.assertIn('00:00.0: capability list: a pointer leads back', text)
        self.assertIn("00:01.0: bus numbers 05-02 can't be used", text)

    def test_a_function_that_no_scan_finds_is_said(self):
        # TOPO-8
        lonely = TINY.replace('00:00.0', '00:01.3', 1)
        path = self.file('lonely.txt', TINY + lonely)
        self.assertIn('00:01.3: no scan finds it',
                      self.good('inspect', path))

    def test_the_running_machine(self):
        # SIM-1
        if not os.path.isdir('/sys/bus/pci/devices'):
            self.skipTest('no PCI here')
        text = self.good('inspect', 'live')
        self.assertIn('functions in' if len(os.listdir(
            '/sys/bus/pci/devices')) != 1 else 'function in', text)


class Lspci(Case):
    def decode(self, path, *how):
        return subprocess.run(['lspci', '-F', path, *how], text=True,
                              capture_output=True, check=True).stdout

    def round_trip(self, path):
        ours = os.path.join(self.folder, 'ours.txt')
        self.good('lspci', path, '--as', 'dom0', '-o', ours)
        for how in (['-vvv'], ['-t'], ['-xxxx', '-n']):
            self.assertEqual(self.decode(path, *how), self.decode(ours, *how))

    def test_captures_come_back_as_they_were(self):
        # SIM-1
        for host in sorted(os.listdir(HOSTS)):
            if host.endswith('.txt'):
                with self.subTest(host=host):
                    self.round_trip(os.path.join(HOSTS, host))

    def test_a_tiny_machine_comes_back(self):
        self.round_trip(self.file('tiny.txt', TINY))

    def test_damaged_lists_come_back(self):
        # CAP-1
        text = TINY.replace('34 12 78 56 00 00 00 00',
                            '34 12 78 56 00 00 10 00', 1)
        for pointer, header in (('40', '09 40'), ('41', '09 00'),
                                ('10', '00 00'), ('40', 'ff ff')):
            with self.subTest(pointer=pointer, header=header):
                changed = text.replace('30: 00 00 00 00 00',
                                       '30: 00 00 00 00 ' + pointer, 1)
                changed = changed.replace('40: 00 00', '40: ' + header, 1)
                self.round_trip(self.file('damaged.txt', changed))

    def test_domains_come_back(self):
        other = TINY.replace('00:00.0', '10000:e1:1f.7', 1)
        first = TINY.replace('00:00.0', '0000:00:00.0', 1)
        path = self.file('domains.txt', first + other)
        self.round_trip(path)
        text = self.good('lspci', path)
        self.assertIn('\n10000:e1:1f.7 ', text)
        self.assertTrue(text.startswith('0000:00:00.0 '))

    def test_the_format_is_that_of_lspci(self):
        ours = self.good('lspci', Q35)
        theirs = self.decode(Q35, '-xxxx')
        # Only VFs are called by other names: their IDs read ffff, and we know
        # better, as the kernel does.
        differing = [a for a, b in zip(ours.splitlines(), theirs.splitlines())
                     if a != b]
        self.assertEqual(len(ours.splitlines()), len(theirs.splitlines()))
        self.assertEqual([line[:7] for line in differing],
                         ['02:00.1', '02:00.2'])

    def test_unknown_domains_are_refused_and_the_known_named(self):
        result = self.fails(1, 'lspci', Q35, '--as', 'dom7')
        self.assertEqual(result.stdout, '')
        self.assertIn("no domain 'dom7'; there is: dom0", result.stderr)


class Transcripts(Case):
    HOST = 'generate:functions=4,bridges=1,seed=5'

    def transcript(self, body):
        return self.file('a.pcv', 'Prose.\n\n> host %s\n...\n%s' %
                         (self.HOST, body))

    def test_the_scenarios_are_as_written(self):
        for folder in ('tests/scenario', 'examples'):
            for name in sorted(os.listdir(os.path.join(ROOT, folder))):
                if name.endswith('.pcv'):
                    with self.subTest(name=name):
                        self.good('run', '--check',
                                  os.path.join(ROOT, folder, name))

    def test_print_shows_what_came_and_keeps_the_readers_lines(self):
        path = self.transcript('# Look.\n> find 00:00.0\nwrong\n\n# End.\n')
        self.assertEqual(
            self.good('run', path),
            'Prose.\n\n> host %s\n%s: 4 functions on 2 buses\n# Look.\n'
            '> find 00:00.0\n00:00.0: found, 1 reference kept\n\n# End.\n' %
            (self.HOST, self.HOST))

    def test_check_shows_what_differs(self):
        path = self.transcript('> find 00:00.0\nwrong\n')
        result = self.fails(1, 'run', '--check', path)
        self.assertIn(':5: > find 00:00.0\n', result.stdout)
        self.assertIn('       6 - wrong\n', result.stdout)
        self.assertIn('     got | 00:00.0: found, 1 reference kept\n',
                      result.stdout)
        self.assertIn('1 of 2 commands differ', result.stdout)

    def test_dots_stand_for_any_lines(self):
        for body in ('...\n', '...\n00:01.0 8086:2f08 root port       '
                     '       dom0 [01-01]\n...\n', '...\n...\n'):
            path = self.transcript('> devices\n' + body)
            self.good('run', '--check', path)
        path = self.transcript('> devices\n...\nnothing of the kind\n')
        self.fails(1, 'run', '--check', path)

    def test_update_makes_check_pass_and_changes_nothing_more(self):
        path = self.transcript('# One.\n> devices\n\n# Two.\nwrong\n...\n'
                               'also wrong\n\n# Three.\n> find 00:00.0\n')
        os.chmod(path, 0o640)
        self.good('run', '--update', path)
        once = self.content(path)
        self.good('run', '--check', path)
        self.assertIn('0 of 3 commands updated',
                      self.good('run', '--update', path))
        self.assertEqual(self.content(path), once)
        self.assertIn('\n...\n', once)
        self.assertLess(once.index('# Two.'), once.index('# Three.'))
        self.assertNotIn('wrong', once)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        self.assertEqual(os.listdir(self.folder), ['a.pcv'])

    def test_update_leaves_a_transcript_alone_that_fits(self):
        path = self.transcript('> find 00:00.0   # LIFE-1\r\n\n'
                               '00:00.0: found, 1 reference kept  ')
        before = self.content(path)
        self.good('run', '--update', path)
        self.assertEqual(self.content(path), before)

    def test_update_keeps_a_link_a_link(self):
        self.transcript('> find 00:00.0\n')
        link = os.path.join(self.folder, 'link.pcv')
        os.symlink('a.pcv', link)
        self.good('run', '--update', link)
        self.assertTrue(os.path.islink(link))
        self.good('run', '--check', os.path.join(self.folder, 'a.pcv'))

    def test_a_line_that_is_no_command(self):
        path = self.transcript('> fly away\n')
        self.assertIn("error: unknown command 'fly'",
                      self.fails(1, 'run', path).stdout)
        self.fails(1, 'run', '--check', path)
        self.fails(1, 'run', '--update', path)
        self.good('run', '--check', path)
        self.good('run', '--update', path)

    def test_an_error_is_output_and_does_not_end_the_run(self):
        path = self.transcript('> put 00:00.0\n> find 00:00.0\n')
        self.assertTrue(self.good('run', path).endswith(
            'error: EINVAL invalid argument: no reference to 00:00.0 is kept\n'
            '> find 00:00.0\n00:00.0: found, 1 reference kept\n'))

    def test_without_a_machine(self):
        path = self.file('a.pcv', '> devices\n')
        self.assertIn("error: no machine is loaded; 'host HOST' does",
                      self.good('run', path))

    def test_hosts_are_relative_to_the_transcript(self):
        self.file('tiny.txt', TINY)
        path = self.file('a.pcv', '> host tiny.txt\n')
        for where in ('/', self.folder):
            self.assertIn('tiny.txt: 1 function on 1 bus',
                          self.good('run', path, cwd=where))
        self.good('run', 'a.pcv', cwd=self.folder)

    def test_several_files_and_quiet(self):
        good = self.transcript('')
        bad = self.file('b.pcv', '> help me\nno\n')
        result = self.fails(1, 'run', '--check', '--quiet', good, bad)
        self.assertIn('b.pcv: 1 of 1 commands differ', result.stdout)
        self.assertNotIn('a.pcv', result.stdout)

    def test_standard_input(self):
        self.assertIn('list every registered function',
                      self.good('run', '-', stdin='> help devices\n'))

    def test_what_is_no_transcript(self):
        self.fails(1, 'run', '/nowhere/at/all.pcv')
        self.fails(1, 'run', self.folder)
        self.fails(1, 'run', self.file('zero.pcv', 'a\0b\n'))
        self.fails(1, 'run', '-', stdin='> ' + 'x' * 5000 + '\n')
        self.fails(1, 'run', '-', stdin='> find "00:00.0\n')
        self.assertEqual(self.good('run', self.file('empty.pcv', '')), '')

    def test_json_of_commands(self):
        for command in ('devices --json', 'nodes 00:00.0 00:1f.7 --json',
                        'holders 00:00.0 --json', 'mapped --json'):
            text = self.good('run', '-', '--quiet', stdin='')
            text = self.good('run', '-', stdin='> host %s\n> %s\n' %
                             (self.HOST, command))
            data = json.loads(text.split('> ' + command + '\n')[1])
            self.assertIsInstance(data, list)

    def test_an_operating_system_finds_what_the_registry_knows(self):
        # TOPO-8, CFG-1, HDR-4, HDR-6: machines of many shapes.
        for seed in range(1, 13):
            spec = ('generate:functions=%d,bridges=%d,multi=%d,vfs=%d,'
                    'segments=%d,seed=%d' %
                    (30 * seed, 2 * seed, seed % 8 + 1, seed % 3 * 4,
                     seed % 2 + 1, seed))
            for line in ('enumerate --brief --via ecam',
                         'enumerate --brief 0 --via port-amd'):
                with self.subTest(spec=spec, line=line):
                    text = self.good('run', '-', stdin='> host %s\n> %s\n' %
                                     (spec, line))
                    found = re.search('^([0-9]+ functions?) on', text, re.M)
                    self.assertIn('\nthe registry knows the same %s\n'
                                  'every register and mapping is as it was\n' %
                                  found.group(1), text)

    def test_the_enumerator_is_an_outsider(self):
        # It uses the entrances and nothing else of the library or the model.
        calls = set()
        for name in ('enumerate', 'enumerate_access', 'enumerate_bars',
                     'enumerate_function'):
            with open(os.path.join(ROOT, 'cli', name + '.c')) as file:
                code = file.read()
            calls |= set(re.findall(r'\b(pcv_\w+)\(', code))
            for header in re.findall('^#include "(.*)"', code, re.M):
                self.assertIn(header, ('enumerate.h', 'enumerate_internal.h',
                                       'text.h'))
        inline = ('pcv_sbdf_make', 'pcv_sbdf_bus', 'pcv_sbdf_devfn',
                  'pcv_devfn')
        self.assertEqual(calls - set(inline),
                         {'pcv_ecam_access', 'pcv_port_access',
                          'pcv_access_resume'})

    def test_each_command_has_help_and_bounds_its_arguments(self):
        names = [line.split()[0] for line in
                 self.good('run', '-', stdin='> help\n').splitlines()[1:]]
        self.assertGreater(len(names), 30)
        for name in names:
            with self.subTest(name=name):
                text = self.good('run', '-', stdin='> help %s\n' % name)
                self.assertEqual(len(text.splitlines()), 3)
                words = ' '.join(['x'] * 1100)
                self.assertIn('error: ', self.fails(
                    1, 'run', '-', stdin='> host %s\n> %s %s\n' %
                    (self.HOST, name, words)).stdout)

    def test_bad_arguments_say_what_was_expected(self):
        for line, want in (
                ('find 1', 'expected an address'),
                ('find 00:20.0', 'expected an address'),
                ('find 00:00.8', 'expected an address'),
                ('find 0005:00:00.0', 'no domain 0005'),
                ('find 00:00.0 --owned dom7', "no domain 'dom7'"),
                ('read 00:00.0 FLY', 'expected a register'),
                ('read 00:00.0 0.x', 'expected a width'),
                ('read 00:00.0 0 many', 'expected a count'),
                ('read 00:00.0 0+', 'hexadecimal offset'),
                ('read 00:00.0 CAP_MSIX', 'has no capability'),
                ('read 00:00.0 0 --via air', 'expected --via'),
                ('read 00:00.0 0 --as you', 'no domain'),
                ('write 00:00.0 0.b 100', 'hexadecimal value'),
                ('write 00:00.0 0.l 10g', 'hexadecimal value'),
                ('dump 00:00.0 0 0', 'number of bytes'),
                ('peek 00:00.0 1.w', 'aligned registers'),
                ('in 10000', 'hexadecimal address'),
                ('out cf8 100000000', 'hexadecimal value'),
                ('map-chunk x', 'number of pages'),
                ('vector 00:00.0 x', "vector's number"),
                ('dead 00:00.0 x', 'expected on or off'),
                ('trace x', 'expected on or off'),
                ('via x', 'expected address'),
                ('enumerate x', 'expected a segment'),
                ('enumerate 1', 'expected a segment'),
                ('enumerate 0:100', 'expected a segment'),
                ('enumerate --via address', 'expected --via ecam'),
                ('enumerate --size-bars --no-size-bars', 'opposites'),
                ('fail x 1', 'no host operation'),
                ('fail alloc', 'which call'),
                ('add 00:00.0 node', 'needs a value'),
                ('add 00:00.0 x 1', "expected 'vf-of SBDF'"),
                ('help x', 'no such command'),
                ('devices --x', "no option '--x'")):
            with self.subTest(line=line):
                result = self.fails(1, 'run', '-', stdin='> host %s\n> %s\n' %
                                    (self.HOST, line))
                last = result.stdout.splitlines()[-1]
                self.assertTrue(last.startswith('error: '), last)
                self.assertIn(want, last)


def on_terminal(words, keys=b'', **env):
    """What pcivisor prints on a terminal; `keys` are typed, one pause each."""
    try:
        pid, master = pty.fork()
    except OSError as error:  # a container without /dev/pts
        raise unittest.SkipTest(f'no terminals here: {error}') from error
    if pid == 0:
        os.environ.update({'TERM': 'xterm', 'COLUMNS': '80', **env})
        for name in ('NO_COLOR',):
            if name not in env:
                os.environ.pop(name, None)
        os.execv(BINARY, [BINARY, *words])
    text = b''
    deadline = time.monotonic() + 30
    typed = 0
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                more = os.read(master, 65536)
            except OSError:
                break
            if not more:
                break
            text += more
        elif typed < len(keys):
            # It waits: type on, up to and with the next tab or newline.
            end = typed + 1
            while end < len(keys) and keys[end - 1] not in b'\t\n\x04':
                end += 1
            os.write(master, keys[typed:end])
            typed = end
    os.close(master)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise AssertionError('status %d: %r' % (status, text))
    return text.decode(errors='replace').replace('\r', '')


class Shell(Case):
    HOST = 'generate:functions=4,bridges=1,seed=5'

    def shell(self, keys):
        return on_terminal(['shell', self.HOST], keys,
                           XDG_STATE_HOME=self.folder)

    def test_commands_and_addresses_are_completed(self):
        text = self.shell(b'hol\t00:00\t\n\x04')
        self.assertIn('00:00.0: present, held by: registry 1, owner 1', text)

    def test_registers_and_options_are_completed(self):
        text = self.shell(b'read 00:00.0 VEN\t--vi\tecam\n\x04')
        self.assertIn('00:00.0 00.w = 8086', text)

    def test_what_is_not_certain_is_listed(self):
        text = self.shell(b'vec\t\t0\t\x15\x04')
        self.assertIn('vector', text)
        self.assertIn('vector-free', text)
        text = self.shell(b'find 0\t\t\x15\x04')
        for address in ('00:00.0', '00:01.0', '00:02.0', '01:00.0'):
            self.assertIn(address, text)

    def test_history_is_kept(self):
        self.shell(b'holders 00:00.0\n\x04')
        path = os.path.join(self.folder, 'pcivisor', 'history')
        self.assertTrue(os.path.exists(path))
        text = self.shell(b'\x10\n\x04')
        self.assertIn('00:00.0: present', text)

    def test_history_that_cannot_be_kept_bothers_nobody(self):
        text = on_terminal(['shell', self.HOST], b'holders 00:00.0\n\x04',
                           XDG_STATE_HOME='/proc/nowhere')
        self.assertIn('00:00.0: present', text)
        self.assertNotIn('nowhere', text)

    def test_without_a_terminal_a_transcript_comes_out(self):
        text = self.good('shell', self.HOST,
                         stdin='# LIFE-1\nfind 00:00.0\n\n> put 00:00.0')
        self.assertEqual(
            text, '> host %s\n%s: 4 functions on 2 buses\n# LIFE-1\n'
            '> find 00:00.0\n00:00.0: found, 1 reference kept\n\n'
            '> put 00:00.0\n00:00.0: put, 0 references kept\n' %
            (self.HOST, self.HOST))
        self.good('run', '--check', self.file('a.pcv', text))
        # References that are still kept at the end are given back.
        self.good('shell', self.HOST, stdin='find 00:00.0\nvector 00:00.0 0\n')
        self.fails(1, 'shell', self.HOST, stdin='fly\n')
        self.good('shell', stdin='help\n')


if __name__ == '__main__':
    if not os.access(BINARY, os.X_OK):
        sys.exit('no pcivisor at %s: set PCIVISOR' % BINARY)
    unittest.main()
