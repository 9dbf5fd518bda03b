#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`pcivisorctl` where there is no mailbox, or one that nobody is behind.

What it says through a mailbox, tests/unit/test_pcivisorctl.c compares with the
shell. The binary lies beside the one that PCIVISOR names.
"""
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.path.join(os.path.dirname(os.path.abspath(os.environ.get(
    'PCIVISOR', os.path.join(ROOT, 'build', 'pcivisor')))), 'pcivisorctl')
BAR_SIZE = 0x4000


def run(*args, stdin=''):
    return subprocess.run([BINARY, *args], input=stdin, capture_output=True,
                          text=True, timeout=60, check=False)


class Help(unittest.TestCase):
    def test_help_needs_no_mailbox(self):
        for args in (['--help'], ['-h'], ['devices', '--help']):
            result = run(*args)
            self.assertEqual(result.returncode, 0)
            self.assertIn('usage: pcivisorctl', result.stdout)
            self.assertIn('devices ', result.stdout)
        result = run('help', 'attach')
        self.assertEqual(result.returncode, 0)
        self.assertIn('attach DOMAIN SBDF', result.stdout)

    def test_each_control_operation_has_its_name(self):
        # CTL-1
        path = os.path.join(ROOT, 'include', 'pcivisor', 'ctl.h')
        with open(path, encoding='ascii') as file:
            names = re.findall(r'^    X\([A-Z_]+, ([a-z_]+), \d+,',
                               file.read(), re.M)
        self.assertGreater(len(names), 30)
        for name in (name.replace('_', '-') for name in names):
            with self.subTest(name=name):
                result = run('help', name)
                self.assertEqual(result.returncode, 0)
                self.assertTrue(result.stdout.startswith(name), result.stdout)

    def test_wrong_usage_is_2(self):
        for args in ([], ['--bogus', 'x', 'devices'], ['--device']):
            result = run(*args)
            self.assertEqual(result.returncode, 2, args)
            self.assertNotEqual(result.stderr, '')

    def test_version(self):
        self.assertRegex(run('--version').stdout, r'^pcivisorctl [0-9.]+\n$')


class Sysfs(unittest.TestCase):
    """A folder that looks as Linux's, its BARs plain files."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='pcivisorctl-test-')
        self.addCleanup(shutil.rmtree, self.folder)

    def function(self, sbdf, class_code='0x088000', vendor='0x5043',
                 device='0x564d', enable='0', bar=b'', size=BAR_SIZE):
        path = os.path.join(self.folder, sbdf)
        os.mkdir(path)
        for name, text in (('class', class_code),
                           ('subsystem_vendor', vendor),
                           ('subsystem_device', device), ('enable', enable)):
            with open(os.path.join(path, name), 'w', encoding='ascii') as file:
                file.write(text + '\n')
        with open(os.path.join(path, 'resource0'), 'wb') as file:
            file.write(bar)
            file.truncate(size)
        return path

    def bad(self, text, *args):
        result = run('--sysfs', self.folder, *args)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, '')
        self.assertTrue(result.stderr.startswith('pcivisorctl: '),
                        result.stderr)
        self.assertIn(text, result.stderr)

    def test_no_function_is_a_mailbox(self):
        self.bad('is a mailbox of pcivisor', 'devices')

    def test_no_such_folder(self):
        shutil.rmtree(self.folder)
        self.bad('No such file', 'devices')
        os.mkdir(self.folder)

    def test_strangers_are_not_touched(self):
        for i, other in enumerate(({'class_code': '0x020000'},
                                   {'vendor': '0x1af4'},
                                   {'device': '0x1100'}, {'class_code': ''})):
            path = self.function('0000:00:0%d.0' % i, **other)
            os.remove(os.path.join(path, 'resource0'))
        self.bad('is a mailbox of pcivisor', 'devices')
        for i in range(4):
            with open(os.path.join(self.folder, '0000:00:0%d.0' % i,
                                   'enable'), encoding='ascii') as file:
                self.assertEqual(file.read(), '0\n')

    def test_a_bar_without_magic_is_none(self):
        path = self.function('0000:00:05.0')
        self.bad('it is no mailbox', 'devices')
        with open(os.path.join(path, 'enable'), encoding='ascii') as file:
            self.assertTrue(file.read().startswith('1'))

    def test_a_named_function_is_taken_at_its_word(self):
        self.function('0000:00:05.0', vendor='0x1234')
        self.bad('it is no mailbox', '--device', '0000:00:05.0', 'devices')
        self.bad('No such file', '--device', '0000:00:06.0', 'devices')

    def test_another_version_is_refused(self):
        self.function('0000:00:05.0', bar=struct.pack('<II', 0x4d564350,
                                                      0x20001))
        self.bad('it speaks version 2.1, not 1.0', 'devices')

    def test_a_small_bar_is_refused(self):
        self.function('0000:00:05.0', size=4096)
        self.bad('Invalid argument', 'devices')

    def test_nobody_behind_it_is_an_error_not_a_hang(self):
        registers = struct.pack('<8I', 0x4d564350, 0x10000, BAR_SIZE, 0x100,
                                0x100, 0x1000, 0x3000, 0)
        self.function('0000:00:05.0', enable='1', bar=registers)
        result = run('--sysfs', self.folder, 'stats')
        self.assertEqual(result.returncode, 1)
        self.assertIn('error: EIO', result.stdout)


if __name__ == '__main__':
    unittest.main()
