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
SBDF = r'^((?:[0-9a-f]{4,}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])'
VERBS = ['diff', 'inspect', 'lspci', 'run', 'shell']

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
                (['diff', Q35], 'an SBDF is missing'),
                (['diff', Q35, '1'], 'expected an address'),
                (['diff', Q35, '01:00.0', '--hide', 'tea'],
                 'expected a capability'),
                (['diff', Q35, '01:00.0', '--leave-out', 'bar6'],
                 'expected a BAR'),
                (['diff', Q35, '01:00.0', '--pass', '40'], 'expected OFF:SIZE'),
                (['lspci', Q35, '--as', 'dom0', '--give', '01:00.0'],
                 'exclude each other'),
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
        for words in (['inspect'], ['lspci'], ['shell'], ['diff', '01:00.0']):
            result = self.fails(1, words[0], '/nowhere/at/all.txt', *words[1:])
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
                    want = re.findall(SBDF + ' ', file.read(), re.MULTILINE)
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

    def give(self, host, *sbdfs):
        """What a guest finds that was given these: its bytes and their
        decoding."""
        path = os.path.join(self.folder, 'guest.txt')
        self.good('lspci', host, '--give', ','.join(sbdfs), '-o', path)
        return self.content(path), self.decode(path, '-vvv')

    def test_a_guest_finds_what_it_was_given(self):
        # CAP-2, HDR-15
        text, decoded = self.give(Q35, '01:00.0', '0b:00.0', '02:00.1')
        heads = re.findall(r'^(\d\d:\d\d\.\d) (.*)$', text, re.M)
        self.assertEqual([address for address, _ in heads],
                         ['00:01.0', '00:02.0', '00:03.0'])
        self.assertIn('NVM Express', heads[0][1])
        self.assertIn('Virtio', heads[1][1])
        # A VF has IDs, as any function.
        self.assertIn('NVM Express', heads[2][1])
        self.assertNotIn('Illegal', decoded)
        self.assertNotIn('ATS', decoded)
        # Decoding and bus mastering are off, vectors too (HDR-14).
        self.assertNotRegex(decoded, r'Mem\+|BusMaster\+|I/O\+|Enable\+')

    def test_a_group_is_set_apart_for_a_look(self):
        # TOPO-6: 09:01.0 and 09:02.0 are behind a bridge of conventional PCI,
        # 01:00.0 is behind a port whose other functions nothing isolates.
        for sbdfs, count in ((['09:01.0'], 1), (['09:02.0', '09:01.0'], 2),
                             (['01:00.0', '05:00.0', '0a:04.0'], 3)):
            with self.subTest(sbdfs=sbdfs):
                text, _ = self.give(Q35, *sbdfs)
                self.assertEqual(len(re.findall(r'^00:0[1-9]\.0 ', text,
                                                re.M)), count)

    # What pcivisor virtualises (CAP-7), as lspci calls it.
    SHOWN = re.compile(
        r'Power Management|MSI: |MSI-X: |Express \(v|'
        r'Vital Product Data|PCI Advanced Features|'
        r'Vendor Specific Information: VirtIO|Advanced Error Reporting|'
        r'Device Serial Number|(?:Physical |Virtual )?Resizable BAR|Null')

    def addresses(self, host):
        """Where hardware has its memory BARs: what stands in their low half.
        Ports are small numbers, which constants may be too."""
        data = json.loads(self.good('inspect', host, '--json', '--no-names'))
        return {int(bar['address'], 16) & 0xfffffff0
                for function in data['functions'] for bar in function['bars']
                if bar['kind'] != 'I/O'} - {0}

    def test_no_guest_finds_what_is_not_virtualised(self):
        # CAP-2, CAP-7, HDR-5: each function of every machine, by itself.
        given = 0
        for host in sorted(os.listdir(HOSTS)):
            if not host.endswith('.txt'):
                continue
            path = os.path.join(HOSTS, host)
            hidden = self.addresses(path)
            for sbdf, header in re.findall(
                    SBDF + r' .*\n(?:\t.*\n)*00: (?:\S\S ){14}(\S\S)',
                    self.content(path), re.M):
                with self.subTest(host=host, sbdf=sbdf):
                    out = os.path.join(self.folder, 'guest.txt')
                    result = run('lspci', path, '--give', sbdf, '-o', out)
                    if result.returncode != 0:
                        self.assertRegex(result.stderr, "can't be given to a "
                                         'guest: (EPERM|EOPNOTSUPP|EBUSY) ')
                        continue
                    self.assertEqual(int(header, 16) & 0x7f, 0)
                    given += 1
                    text = self.content(out)
                    for cap in re.findall(r'Capabilities: \[[^]]*\] (.*)',
                                          self.decode(out, '-vvv')):
                        self.assertRegex(cap, self.SHOWN)
                    data = bytes.fromhex(''.join(re.findall(
                        r'^[0-9a-f]{2,3}:((?: \S\S){16})$', text, re.M)))
                    self.assertIn(len(data), (256, 4096))
                    words = {int.from_bytes(data[i:i + 4], 'little') & ~0xf
                             for i in range(0, len(data), 4)}
                    self.assertEqual(words & hidden, set())
        self.assertGreater(given, 20)

    def test_what_no_guest_can_have_is_refused(self):
        # OWN-4
        for sbdf, error in (('00:02.0', 'EPERM'), ('02:00.0', 'EBUSY'),
                            ('1f:00.0', 'ENODEV'), ('01:00.0,01:00.0', 'EINVAL'),
                            ('', 'expected an address'),
                            ('01:00.0,x', 'expected an address')):
            with self.subTest(sbdf=sbdf):
                result = self.fails(1, 'lspci', Q35, '--give', sbdf)
                self.assertEqual(result.stdout, '')
                self.assertIn(error, result.stderr)

    def test_unknown_domains_are_refused_and_the_known_named(self):
        result = self.fails(1, 'lspci', Q35, '--as', 'dom7')
        self.assertEqual(result.stdout, '')
        self.assertIn("no domain 'dom7'; there is: dom0", result.stderr)


class Diff(Case):
    def rows(self, host, sbdf, *options):
        return json.loads(self.good('diff', host, sbdf, '--json', *options))

    def test_each_bit_that_differs_has_one_reason(self):
        # CFG-3, CAP-2
        seen = 0
        for host in sorted(os.listdir(HOSTS)):
            if not host.endswith('.txt'):
                continue
            path = os.path.join(HOSTS, host)
            for sbdf in re.findall(SBDF + ' ', self.content(path), re.M):
                result = run('diff', path, sbdf, '--json')
                if result.returncode != 0:
                    self.assertIn("can't be given to a guest", result.stderr)
                    continue
                data = json.loads(result.stdout)
                seen += 1
                self.assertEqual(data['guest_address'], '00:01.0')
                for row in data['registers']:
                    with self.subTest(host=host, sbdf=sbdf, row=row):
                        differ = (int(row['hardware'], 16) ^
                                  int(row['guest'], 16))
                        masks = [int(reason['bits'], 16)
                                 for reason in row['reasons']]
                        covered = 0
                        for mask in masks:
                            self.assertEqual(covered & mask, 0)
                            covered |= mask
                        self.assertEqual(covered, differ)
                        for reason in row['reasons']:
                            self.assertTrue(reason['reason'])
        self.assertGreater(seen, 20)

    def test_the_reasons_are_those_that_hold(self):
        text = self.good('diff', Q35, '01:00.0')
        for line in (r'000\.w +Vendor ID +1b36 +1b36$',
                     r'004\.w +Command +0507 +0000 .*virtual',
                     r'010\.l +BAR 0 .*fe800004 +00000004 .*'
                     "the host's address is not shown"):
            self.assertRegex(text, re.compile('^' + line, re.M))
        text = self.good('diff', Q35, '0b:00.0', '--differing')
        self.assertIn('hidden capability: Address Translation Services', text)
        self.assertIn('linked anew, past Address Translation Services', text)
        self.assertNotRegex(text, r'(?m)^000\.w +Vendor ID')

    def test_the_policy_shows(self):
        # CAP-6
        data = self.rows(Q35, '01:00.0', '--hide', 'msix', '--hide', 'CAP_PM',
                         '--leave-out=bar0')
        names = {row['capability'] for row in data['registers']}
        self.assertNotIn('MSI-X', names)
        self.assertNotIn('Power Management', names)
        self.assertIn('PCI Express', names)
        bar = [row for row in data['registers'] if row['offset'] == '010'][0]
        self.assertEqual(bar['guest'], '00000000')
        self.assertEqual(bar['reasons'][0]['reason'],
                         'the guest has no such BAR')

    def test_what_no_guest_can_have(self):
        result = self.fails(1, 'diff', Q35, '00:02.0')
        self.assertIn("00:02.0 can't be given to a guest: EPERM",
                      result.stderr)
        self.assertEqual(result.stdout, '')


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
                        'holders 00:00.0 --json', 'mapped --json',
                        'domain list --json', 'memory --json', 'map g --json',
                        'map 00:00.0 --json', 'msi --json', 'msi 00:00.0 --json',
                        'cells dom0 00:00.0 --json'):
            text = self.good('run', '-', stdin='> host %s\n> domain create g\n'
                             '> %s\n' % (self.HOST, command))
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
        lines = self.good('run', '-', stdin='> help\n').splitlines()[1:]
        names = [line.split()[0] for line in lines
                 if not line.startswith(' ')]
        self.assertIn('hexadecimal', lines[-1])
        self.assertGreater(len(names), 30)
        for name in names:
            with self.subTest(name=name):
                text = self.good('run', '-', stdin='> help %s\n' % name)
                self.assertEqual(len(text.splitlines()),
                                 4 if '\n  numbers: ' in text else 3)
                words = ' '.join(['x'] * 1100)
                self.assertIn('error: ', self.fails(
                    1, 'run', '-', stdin='> host %s\n> %s %s\n' %
                    (self.HOST, name, words)).stdout)

    def test_each_control_operation_has_its_name(self):
        # CTL-1
        path = os.path.join(ROOT, 'include', 'pcivisor', 'ctl.h')
        names = [name.replace('_', '-') for name in re.findall(
            r'^    X\([A-Z_]+, ([a-z_]+), \d+,', self.content(path), re.M)]
        self.assertGreater(len(names), 30)
        for name in names + ['attach', 'detach', 'device-group',
                             'ecam-reserved', 'restore-msi']:
            with self.subTest(name=name):
                text = self.good('run', '-', stdin='> help %s\n' % name)
                self.assertTrue(text.splitlines()[1].startswith(name),
                                text)

    def test_other_names_do_the_same(self):
        for name, other in (('devices', 'list'), ('map 00:00.0', 'bars 00:00.0'),
                            ('dump 00:00.0', 'config 00:00.0'),
                            ('mapped', 'mappings'),
                            ('domain list --json', 'domains --json')):
            with self.subTest(name=name):
                one, two = (self.good('run', '-', stdin='> host %s\n> %s\n' %
                                      (self.HOST, line)).splitlines()[3:]
                            for line in (name, other))
                self.assertEqual(one, two)
                self.assertTrue(one)

    def test_the_library_is_told_of_what_vanished_and_asked_of_one(self):
        text = self.good('run', '-', stdin='> host %s\n> vanished 01:00.0\n'
                         '> device 01:00.0\n> peek 01:00.0 0.w\n'
                         '> unreachable\n' % Q35)
        self.assertIn('01:00.0: vanished\n', text)
        self.assertIn('dom0 vanished\n    class 010802 ', text)
        self.assertIn('00.w holds 1b36', text)
        self.assertIn('every function can be reached\n', text)

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
                ('domain make x', 'expected create NAME'),
                ('domain create 7', 'expected a name'),
                ('domain create dom0', 'expected a name'),
                ('domain create ' + 'x' * 32, 'expected a name'),
                ('domain window x y 1G', 'hexadecimal address'),
                ('domain window x 0 1Q', 'expected a size'),
                ('attach web 00:00.0', "no domain 'web'; there is: dom0"),
                ('attach dom0 00:00.0 20', 'expected a slot'),
                ('attach dom0 00:00.0 --hide tea', 'expected a capability'),
                ('attach dom0 00:00.0 --pass 40:4:x', 'expected OFF:SIZE'),
                ('attach dom0 00:00.0 --leave-out 6', 'expected a BAR'),
                ('attach dom0 00:00.0 --rom none', 'none: No such file'),
                ('map web', "no domain 'web'"),
                ('memory web', "no domain 'web'"),
                ('mmio dom0 x 4', 'hexadecimal address'),
                ('mmio dom0 0 9', 'expected a size'),
                ('mmio dom0 0 1 100', 'hexadecimal value up to ff'),
                ('msi web', 'expected an address'),
                ('device fly 00:00.0 1', 'expected raise or dma'),
                ('device raise 00:00.0 intx 1', 'expected msi or msix'),
                ('device raise 00:00.0 2048', 'expected a vector'),
                ('device dma 00:00.0 0 fly', 'expected read or write'),
                ('device 00:20.0', 'expected an address'),
                ('device raise 00:00.0', 'expected raise SBDF'),
                ('vanished x', 'expected an address'),
                ('ecam 0 on', 'expected SEGMENT:FIRST-LAST'),
                ('ecam 9:0-1 on', 'expected SEGMENT:FIRST-LAST'),
                ('ecam 0:0-1 x', 'expected on or off'),
                ('extended 00:00.0 x', 'expected normal'),
                ('clock x', 'expected on or off'),
                ('advance x', 'expected milliseconds'),
                ('help x', 'no such command'),
                ('devices --x', "no option '--x'")):
            with self.subTest(line=line):
                result = self.fails(1, 'run', '-', stdin='> host %s\n> %s\n' %
                                    (self.HOST, line))
                last = result.stdout.splitlines()[-1]
                self.assertTrue(last.startswith('error: '), last)
                self.assertIn(want, last)


    def test_a_rom_that_comes_with_the_assignment(self):
        # HDR-12, CAP-6: 3000 bytes in a BAR of 4 KiB.
        image = b'\x55\xaa' + bytes(range(256)) * 11 + bytes(182)
        with open(os.path.join(self.folder, 'rom.bin'), 'wb') as file:
            file.write(image)
        path = self.file('rom.pcv', '\n'.join((
            '> host ' + Q35, '> domain create web', '> isolate 01:00.0 on',
            '> attach web 01:00.0 --rom rom.bin',
            '> write 00:01.0 ROM_ADDRESS fffff800 --as web',
            '> read 00:01.0 ROM_ADDRESS --as web',
            '> write 00:01.0 ROM_ADDRESS 90000000 --as web',
            '> write 00:01.0 COMMAND 2 --as web', '> map 01:00.0',
            '> write 00:01.0 ROM_ADDRESS 90000001 --as web', '> map 01:00.0',
            '> mmio web 90000000 w', '> mmio web 90000000 w 0',
            '> mmio web 90000000 w', '> mmio web 90000102 4',
            '> mmio web 90000100 4', '> mmio web 90001000 4')))
        text = self.good('run', path)
        self.assertIn('web 00:01.0 30.l = fffff000\n', text)
        self.assertEqual(re.findall(r'\) rom (.*)', text), [
            '90000000 size 4K, an image: off',
            '90000000 size 4K, an image: trapped, 1 page'])
        self.assertEqual(re.findall('^web 9.* [=(].*', text, re.M), [
            'web 90000000.w = aa55 (trapped)',
            'web 90000000.w <- 0000 (trapped)',
            'web 90000000.w = aa55 (trapped)',
            'web 90000102.l = ffffffff (trapped)',
            'web 90000100.l = %08x (trapped)' %
            int.from_bytes(image[256:260], 'little'),
            'web 90001000.l (forward)'])
        for words, want in ((['rom.bin', '--rom=rom.bin'], 'given twice'),
                            (['/dev/null'], '/dev/null: it is empty'),
                            (['/'], '/: Is a directory')):
            result = self.fails(1, 'run', '-', cwd=self.folder, stdin=
                                '> host %s\n> domain create web\n> attach web '
                                '01:00.0 --rom %s\n' % (Q35, ' '.join(words)))
            self.assertIn(want, result.stdout)

    def test_what_fails_says_why_and_the_run_goes_on(self):
        for line, want in (
                ('attach dom0 00:00.0', 'EINVAL invalid argument: dom0 is no'),
                ('domain create web', 'EEXIST already there: web'),
                ('domain destroy none', "ENOENT nothing there: there is no"),
                ('domain window web 0 1G',
                 'EBUSY in use: web was given a function'),
                ('detach 00:00.0', 'EINVAL invalid argument: 00:00.0'),
                ('detach 00:1f.7', 'ENODEV no such device: 00:1f.7'),
                ('restore 00:1f.7', 'ENODEV no such device: 00:1f.7'),
                ('map 00:1f.7', 'ENODEV no such device: 00:1f.7'),
                ('msi 00:1f.7', 'ENODEV no such device: 00:1f.7'),
                ('device dma 00:1f.7 0', 'ENODEV no such device: 00:1f.7'),
                ('extended 00:1f.7 ones', 'ENODEV no such device: 00:1f.7'),
                ('ecam 0:1-0 on', 'EINVAL invalid argument: 0:1-0'),
                ('advance 1', 'EINVAL invalid argument: the clock is off'),
                ('cells dom0 00:1f.7', 'ENODEV no such device: 00:1f.7'),
                ('cells web 00:1f.7', 'ENODEV no such device: web 00:1f.7')):
            with self.subTest(line=line):
                text = self.good('run', '-', stdin='> host %s\n'
                                 '> domain create web\n'
                                 '> attach web 02:00.2\n'
                                 '> %s\n' % (Q35, line))
                self.assertTrue(text.splitlines()[-1].startswith(
                    'error: ' + want), text)


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

    def test_domains_words_and_values_are_completed(self):
        text = self.shell(b'domain cr\tweb\nmemory w\t\nread 00:00.0 0 --as w'
                          b'\t\ncells dom0 00:00\t\n\x04')
        self.assertIn('web: created', text)
        self.assertIn('  nothing is mapped', text)
        self.assertIn('web 00:00.0 00.l = ffffffff (absent)', text)
        self.assertRegex(text, r'000\.[bwl]-|000-')

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
