# SPDX-License-Identifier: MIT
"""What the tests with a guest share: a machine for each class of tests.

A boot takes seconds, so that a class shares one. Each test leaves the machine
as it found it; after one that fails the next gets a fresh machine, so that one
defect is one failure.
"""
import itertools
import re
import unittest

import layout
from console import GuestError
from machine import MODE, Machine
from monitor import MonitorError

needs_hypervisor = unittest.skipUnless(
    MODE == 'hypervisor', 'only with the hypervisor')


class GuestCase(unittest.TestCase):
    """Tests with one machine: a class says which."""
    devices = layout.STANDARD
    disks = layout.DISKS
    options = ''
    hypervisor_options = ''

    machine = None
    spoiled = False

    @classmethod
    def tearDownClass(cls):
        cls.stop_machine()

    @classmethod
    def stop_machine(cls):
        if cls.machine is not None:
            cls.machine.stop()
        cls.machine = None

    def setUp(self):
        cls = type(self)
        if cls.spoiled:
            cls.stop_machine()
        cls.spoiled = False
        if cls.machine is None:
            machine = Machine(
                devices=cls.devices, disks=cls.disks, options=cls.options,
                hypervisor_options=cls.hypervisor_options)
            cls.machine = machine.__enter__()

    def run(self, result=None):
        """After a failure, what the machine said last."""
        before = len(result.failures) + len(result.errors)
        result = super().run(result)
        if len(result.failures) + len(result.errors) > before:
            type(self).spoiled = True
            if self.machine is not None:
                print(self.machine.last_words(), flush=True)
        return result

    # ---- commands in the guest ----

    def check(self, command, timeout=120):
        return self.machine.check(command, timeout)

    def wait(self, command, timeout=120):
        return self.machine.wait(command, timeout)

    def sysfs(self, name, attribute=''):
        """The folder (or a file in it) of one of QEMU's devices."""
        return '/sys/bus/pci/devices/%s/%s' % (self.machine.address(name),
                                               attribute)

    def read(self, name, attribute):
        return self.check('cat ' + self.sysfs(name, attribute)).strip()

    def write(self, name, attribute, value, timeout=120):
        self.check('echo %s >%s' % (value, self.sysfs(name, attribute)),
                   timeout)

    def setpci(self, name, *registers):
        """Read and write registers; returns what was read."""
        return self.check('setpci -s %s %s' % (
            self.machine.address(name), ' '.join(registers))).split()

    def driver(self, name):
        """The driver of a device, None if it has none."""
        result = self.machine.run('readlink ' + self.sysfs(name, 'driver'))
        return result.output.strip().rpartition('/')[2] or None

    def unbind(self, name):
        """Take a device's driver; it is bound again after the test."""
        driver = self.driver(name)
        address = self.machine.address(name)
        folder = '/sys/bus/pci/drivers/' + driver
        self.check('echo %s >%s/unbind' % (address, folder))
        self.addCleanup(self.machine.run, 'echo %s >%s/bind' % (address,
                                                                folder))
        return lambda: self.check('echo %s >%s/bind' % (address, folder))

    # ---- what is there ----

    def lspci(self):
        """Configuration space as Linux sees it, by address."""
        return parse_dump(self.check('lspci -xxxx'))

    def interrupts(self, pattern):
        """The sum of /proc/interrupts' counts in lines with a pattern."""
        total = 0
        for line in self.check('cat /proc/interrupts').splitlines():
            if re.search(pattern, line):
                counts = itertools.takewhile(str.isdigit, line.split()[1:])
                total += sum(map(int, counts))
        return total

    def complaints(self):
        """What the kernel has said of errors: levels 0 to 3, and what its
        PCI code says more mildly."""
        return self.check(
            "dmesg -r | grep -E '^<[0-3]>|can.t assign|failed to assign|"
            "BUG:|WARNING:|[Tt]imeout|timed out|Unable to|AER: .*rror' | "
            "cut -d ' ' -f 2- || true")

    def disk_sum(self, name):
        """A checksum of a disk's first MiB, from the disk itself."""
        return self.check('dd if=%s bs=64k count=16 iflag=direct 2>/dev/null '
                          '| sha256sum' % name).split()[0]

    def block_device(self, name):
        """The disk behind a device."""
        return '/dev/' + self.wait(
            'cd %s; find . -maxdepth 8 -path "*/block/*" -o '
            '-path "*/nvme/nvme*/nvme*n*" | '
            'sed "s|.*/||" | grep -xE "nvme[0-9]+n[0-9]+|vd[a-z]|sd[a-z]"'
            % self.sysfs(name)).split()[0]


def parse_dump(text):
    """lspci -xxxx or `dump`: bytes by address ('' without one)."""
    spaces = {}
    address = ''
    for line in text.splitlines():
        row = re.fullmatch(r'([0-9a-f]{2,3}):((?: [0-9a-f]{2}){16})\s*', line)
        head = re.match(r'(?:0000:)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])', line)
        if row:
            spaces.setdefault(address, bytearray())
            spaces[address] += bytes.fromhex(row.group(2))
        elif head:
            address = head.group(1)
    return {key: bytes(value) for key, value in spaces.items()}


def differences(first, second, most=8):
    """Where two configuration spaces differ, for a message."""
    if len(first) != len(second):
        return ['%d bytes, %d bytes' % (len(first), len(second))]
    return ['%03x: %02x %02x' % (at, first[at], second[at])
            for at in range(len(first)) if first[at] != second[at]][:most]


__all__ = ['GuestCase', 'GuestError', 'MonitorError', 'differences',
           'needs_hypervisor', 'parse_dump']
