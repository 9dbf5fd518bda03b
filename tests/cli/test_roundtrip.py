#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Captures come back as they were: docs/roundtrip.md, difference by
difference. The captures here are made up, after what real machines show.

The binary is named by the environment variable PCIVISOR. Needs `lspci`.
"""
import os
import re
import subprocess
import unittest

from test_cli import Case, ROOT


class Function:
    """A function's registers, to be filled by hand."""

    def __init__(self, address, vendor=0x1234, device=1, size=256,
                 class_code=0x0200, header=0):
        self.address = address
        self.bytes = bytearray(size)
        self.set(0x00, vendor, 2)
        self.set(0x02, device, 2)
        self.set(0x0a, class_code, 2)
        self.set(0x0e, header, 1)

    def set(self, offset, value, size=4):
        self.bytes[offset:offset + size] = value.to_bytes(size, 'little')
        return self

    def express(self, kind):
        """A PCI Express capability at 40, version 2."""
        self.set(0x06, 0x0010, 2).set(0x34, 0x40, 1)
        return self.set(0x40, 0x0010, 2).set(0x42, kind << 4 | 2, 2)

    def bridge(self, secondary, subordinate):
        self.set(0x18, int(self.address.split(':')[-2], 16), 1)
        return self.set(0x19, secondary, 1).set(0x1a, subordinate, 1)

    def sriov(self, count, offset, stride):
        """SR-IOV at 100, with that many VFs enabled."""
        self.set(0x100, 0x00010010).set(0x108, 0x0009).set(0x10c, count)
        self.set(0x10e, count, 2).set(0x110, count)
        return self.set(0x114, stride << 16 | offset).set(0x11a, 2, 2)

    def ones(self):
        self.bytes[:] = b'\xff' * len(self.bytes)
        return self

    def text(self):
        rows = ['%02x: %s\n' % (row, self.bytes[row:row + 16].hex(' '))
                for row in range(0, len(self.bytes), 16)]
        return '%s Made up\n%s\n' % (self.address, ''.join(rows))


def port(address, secondary, subordinate):
    return Function(address, class_code=0x0604, header=1, size=4096) \
        .bridge(secondary, subordinate).express(4)


def blocks(text):
    """What lspci says of each function, by address."""
    found = {}
    for block in re.split(r'\n(?=[0-9a-f]{2,}:)', text):
        if block.strip():
            found[block.split()[0]] = block.strip()
    return found


class RoundTrip(Case):
    def decode(self, path):
        env = {**os.environ, 'LC_ALL': 'C.UTF-8',
               'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}
        return blocks(subprocess.run(
            ['lspci', '-F', path, '-nn', '-vvv'], env=env, check=True,
            capture_output=True, text=True).stdout)

    def differences(self, functions):
        """The addresses that are missing, and those that are different."""
        path = self.file('capture.txt', ''.join(f.text() for f in functions))
        view = os.path.join(self.folder, 'view.txt')
        self.good('lspci', path, '-o', view)
        self.good('inspect', path)
        before, after = self.decode(path), self.decode(view)
        self.assertEqual(len(before), len(functions))
        self.assertEqual(set(after) - set(before), set())
        return (sorted(set(before) - set(after)),
                sorted(a for a in after if after[a] != before[a]))

    def same(self, functions):
        self.assertEqual(self.differences(functions), ([], []))

    # SIM-1
    def test_every_function_in_a_domain_of_its_own(self):
        self.same([Function('%04x:00:00.%d' % (n, n % 8), size=4096).express(0)
                   for n in range(1, 200)])

    # SIM-1
    def test_domains_beyond_ffff(self):
        self.same([Function('0000:00:00.0', class_code=0x0600),
                   port('10000:e0:06.0', 0xe1, 0xe1),
                   Function('10000:e1:00.0', size=4096).express(0),
                   port('10001:e0:06.0', 0xe1, 0xe1)])

    # SIM-1, TOPO-8
    def test_an_unused_port_claims_a_bus_with_functions(self):
        self.same([port('16:00.0', 0xff, 0xff), port('3a:00.0', 0xff, 0xff),
                   Function('7f:08.2'), Function('ff:08.0'),
                   Function('ff:0b.1'), Function('ff:0b.2')])

    # SIM-1, TOPO-7
    def test_vfs_on_the_same_and_on_other_buses(self):
        vfs = [Function(a, 0xffff, 0xffff, 4096, 0x0280).express(0)
               for a in ('03:02.5', '03:02.7', '11:00.0', '11:00.1')]
        self.same([port('00:01.0', 3, 3), port('00:02.0', 0x10, 0x10),
                   Function('03:00.0', size=4096).express(0).sriov(2, 0x15, 2),
                   *vfs[:2],
                   Function('10:00.0', size=4096).express(0)
                   .sriov(2, 0x100, 1), *vfs[2:],
                   Function('80:00.0', class_code=0x0600)])

    # SIM-1, TOPO-7
    def test_vfs_that_the_capture_lacks(self):
        self.same([port('00:01.0', 3, 3), Function('03:00.0', size=4096)
                   .express(0).sriov(8, 0x10, 1)])

    # SIM-1, EXT-1
    def test_extended_space_that_reads_all_zeros_or_all_ones(self):
        ones = Function('00:02.0', size=4096).express(9)
        ones.bytes[0x100:] = b'\xff' * 0xf00
        self.same([Function('00:01.0', size=4096).express(9), ones])

    # LIFE-9, SIM-1
    def test_what_reads_all_ones_is_not_there(self):
        functions = [port('00:01.0', 1, 1), Function('01:00.0').ones(),
                     Function('01:00.1', size=4096).ones()]
        self.assertEqual(self.differences(functions),
                         (['01:00.0', '01:00.1'], []))
        said = self.good('inspect', os.path.join(self.folder, 'capture.txt'))
        for address in ('01:00.0', '01:00.1'):
            self.assertIn(address + ': it reads all ones', said)

    # TOPO-7, SIM-1
    def test_a_vf_that_no_pf_has_is_not_there(self):
        functions = [Function('00:02.0', 0xffff, 0xffff)]
        self.assertEqual(self.differences(functions), (['00:02.0'], []))
        said = self.good('inspect', os.path.join(self.folder, 'capture.txt'))
        self.assertIn('no PF has it as a VF', said)

    # TOPO-7, SIM-1
    def test_a_vf_with_ids_of_its_own_needs_no_pf(self):
        bridge = Function('00:01.0', class_code=0x0604, header=1).bridge(1, 1)
        pf = Function('01:00.0', size=4096).express(0).sriov(1, 1, 1)
        # No extended space there, so no VFs: 01:00.1 is a function like any.
        self.assertEqual(
            self.differences([bridge, pf, Function('01:00.1', device=2)]),
            ([], ['01:00.0']))

    # SIM-1
    def test_ids_that_mean_that_nothing_is_there(self):
        functions = [Function('00:01.0', 0, 0), Function('00:02.0', 0xffff, 0),
                     Function('00:03.0', 0, 0xffff), Function('00:04.0', 0, 1)]
        self.assertEqual(self.differences(functions),
                         (['00:01.0', '00:02.0', '00:03.0'], []))
        said = self.good('inspect', os.path.join(self.folder, 'capture.txt'))
        self.assertIn('as if nothing were there', said)

    # EXT-1, SIM-1
    def test_extended_space_that_nothing_forwards_to(self):
        bridge = Function('00:01.0', class_code=0x0604, header=1).bridge(1, 1)
        card = Function('01:00.0', size=4096).express(0)
        card.set(0x100, 0x00010003)
        self.assertEqual(self.differences([bridge, card]), ([], ['01:00.0']))

    # EXT-1, SIM-1
    def test_extended_space_that_is_the_first_256_bytes_again(self):
        card = Function('00:01.0', size=4096).express(9)
        card.bytes[0x100:] = bytes(card.bytes[:0x100]) * 15
        self.assertEqual(self.differences([card]), ([], ['00:01.0']))

    def test_the_list_explains_what_is_not_there(self):
        result = subprocess.run(
            [os.path.join(ROOT, 'tools', 'roundtrip.sh'),
             os.path.join(ROOT, 'tests', 'scenario', 'hosts', 'server.txt')],
            capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn('reads all ones', result.stdout)


if __name__ == '__main__':
    unittest.main()
