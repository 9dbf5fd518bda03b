#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The modelled machine: what Linux found equals the capture, for every
function: addresses, BARs, bridges, capabilities and registers."""
import re
import unittest

import capture
from case import GuestCase, needs_hypervisor, parse_dump

# No driver is loaded: there is nothing for them to drive. The hot-plug
# controller of conventional buses has its registers behind a pair of index and
# data in configuration space, of which a capture has one reading.
OPTIONS = 'drivers=none initcall_blacklist=shpcd_init'
CONTROL_DEVICE = b'\x43\x50\x01\x00'  # the hypervisor's own, beside the rest

# Linux's flags of a resource, and their numbers.
IO, MEMORY, PREFETCH, MEM_64, UNSET = 0x100, 0x200, 0x2000, 0x100000, 1 << 29
FIRST_VF_BAR = 7
WINDOWS = {'io': (13, IO), 'mem': (14, MEMORY), 'pref': (15, MEMORY)}

# Capabilities, by ID.
POWER, MSI, EXPRESS, MSIX = 0x01, 0x05, 0x10, 0x11
AER, ACS = 0x0001, 0x000d  # extended

USB_XHCI = b'\x30\x03\x0c'
ROOT_PORT = 4


def at(capability, offset, extended=False):
    """Where a register of a capability is; None where that is missing."""
    def find(function):
        start = function.offset(capability, extended)
        return None if start is None else start + offset
    return find


def behind(test, offset):
    """Where a register is, on functions that pass a test."""
    def find(function):
        return offset(function) if test(function) else None
    return find


def has_port(function):
    """A bridge with the service drivers of PCI Express."""
    start = function.offset(EXPRESS)
    return function.header == capture.BRIDGE and start is not None


def has_slot(function):
    """Its express capability says that a slot is implemented."""
    return has_port(function) and \
        function.read(function.offset(EXPRESS) + 2, 2) & 0x100


def is_root_port(function):
    return has_port(function) and \
        function.read(function.offset(EXPRESS) + 2, 2) >> 4 & 15 == ROOT_PORT


def message_data(function):
    """MSI's data stands behind an address of 32 or 64 bits."""
    start = function.offset(MSI)
    wide = start and function.read(start + 2, 2) & 0x80
    return start and start + (0x0c if wide else 0x08)


# What Linux writes while it starts: (register, size, bits, why). Other bits,
# and every other register, are as captured.
WRITTEN = [
    (lambda f: 0x3c, 1, 0xff,
     'interrupt line: no pin of the modelled machine is wired'),
    (behind(lambda f: f.offset(MSI) or f.offset(MSIX), lambda f: 0x04), 2,
     0x0400, 'INTx disable goes with the interrupts that were on'),
    (behind(lambda f: f.config[9:12] == USB_XHCI, lambda f: 0x04), 2, 0x0404,
     'a USB controller is taken from firmware: enabled, then disabled'),
    (at(MSI, 2), 2, 0x0001, 'MSI that was on is off until a driver comes'),
    (at(MSIX, 2), 2, 0x8000, 'the same for MSI-X'),
    (behind(has_port, at(MSI, 4)), 4, 0xffffffff,
     "a port's message: its address"),
    (behind(has_port, message_data), 2, 0xffff, 'and its data'),
    (behind(has_slot, at(EXPRESS, 0x18)), 2, 0x1031,
     'slot control: attention button, commands, link changes, interrupt'),
    (behind(has_slot, at(EXPRESS, 0x1a)), 2, 0x0010,
     'slot status: that command was completed'),
    (behind(is_root_port, at(EXPRESS, 0x1c)), 2, 0x0008,
     'root control: interrupts of power management events'),
    (behind(lambda f: f.offset(AER, True), at(EXPRESS, 8)), 2, 0x000f,
     'device control: errors are reported'),
    (behind(has_port, at(ACS, 6, extended=True)), 2, 0x001d,
     'access control: on below ports that Linux finds later than a driver'),
]


def writable(function):
    """Bits by byte that Linux may have written."""
    mask = bytearray(len(function.config))
    for register, size, bits, _ in WRITTEN:
        start = register(function)
        if start is not None:
            for index in range(size):
                mask[start + index] |= bits >> 8 * index & 0xff
    return mask


class Modelled:
    """The tests, for a machine that a class names."""
    devices, disks = (), {}
    options = OPTIONS
    name = None
    functions = 0  # that the capture has
    linux = None   # of the machine that runs: see find()

    @classmethod
    def setUpClass(cls):
        cls.hypervisor_options = 'model=' + cls.name
        cls.capture = capture.load(cls.name)

    def setUp(self):
        before = self.machine
        super().setUp()
        if self.machine is not before:
            type(self).linux = self.find()

    # ---- what Linux found ----

    def find(self):
        """By address without Linux's domain: its name, its folder, its
        resources, its bytes. VFs are enabled as they were when the capture
        was made."""
        self.enable_virtual_functions()
        found = {}
        for block in self.check(
                'cd /sys/bus/pci/devices; for d in *; do '
                'echo "= $d $(readlink -f $d)"; cat $d/resource; '
                'done').split('= ')[1:]:
            head, *rows = block.splitlines()
            name, folder = head.split()
            found[name[5:]] = {'name': name, 'folder': folder, 'resources': [
                tuple(int(word, 16) for word in row.split()) for row in rows]}
        # each host bridge is a domain to Linux, with buses of its own
        dump = re.sub('(?m)^[0-9a-f]{4}:(?=[0-9a-f]{2}:)', '',
                      self.check('lspci -D -xxxx'))
        for address, config in parse_dump(dump).items():
            found[address]['config'] = config
        return found

    def enable_virtual_functions(self):
        """Linux switched them off as it found their PF."""
        for function in self.capture.values():
            if function.virtual_functions():
                self.check('''
                    cd /sys/bus/pci/devices/*:%s
                    lsmod | grep -q pci_pf_stub ||
                        insmod /lib/modules/pci-pf-stub.ko
                    echo pci-pf-stub >driver_override
                    basename $(pwd -P) >/sys/bus/pci/drivers_probe
                    echo 0 >sriov_drivers_autoprobe
                    echo %d >sriov_numvfs
                    ''' % (function.address, function.virtual_functions()))

    def each(self):
        """Every function of the capture, with what Linux found of it."""
        self.assertEqual(len(self.capture), self.functions)
        for address, function in sorted(self.capture.items()):
            yield self.subTest(address), function, self.linux[address]

    # ---- tests ----

    def test_every_function_is_there_and_nothing_else(self):
        self.assertEqual(set(self.capture) - set(self.linux), set())
        more = set(self.linux) - set(self.capture)
        self.assertEqual([self.linux[address]['config'][0:4]
                          for address in more], [CONTROL_DEVICE])

    def test_bars_are_where_they_were(self):
        for case, function, linux in self.each():
            with case:
                expected = {
                    number: (start, start + size - 1)
                    for number, (_, start, size) in function.bars().items()}
                if function.is_vf:
                    expected = {
                        number: (start, start + size - 1) for number, (
                            start, size) in function.virtual_bars().items()}
                self.assertEqual(
                    {number: row[0:2]
                     for number, row in enumerate(linux['resources'][:7])
                     if row[2] and row[0]}, expected)

    def test_bars_are_of_the_kind_that_they_were(self):
        kinds = {'io': IO, 'mem': MEMORY, 'mem64': MEMORY | MEM_64}
        for case, function, linux in self.each():
            with case:
                for number, (kind, _, _) in function.bars().items():
                    flags = linux['resources'][number][2]
                    self.assertEqual(flags & (IO | MEMORY | MEM_64 | UNSET),
                                     kinds[kind])
                    if kind != 'io' and number != capture.ROM:
                        prefetchable = function.config[0x10 + 4 * number] & 8
                        self.assertEqual(bool(flags & PREFETCH),
                                         bool(prefetchable))

    def test_bars_of_virtual_functions_are_where_they_were(self):
        for case, function, linux in self.each():
            with case:
                start = function.offset(capture.SRIOV, extended=True)
                if start is None:
                    continue
                total = function.read(start + 0x0e, 2)
                one = next(f for f in self.capture.values() if f.is_vf)
                for number, (address, size) in one.virtual_bars().items():
                    self.assertEqual(
                        linux['resources'][FIRST_VF_BAR + number][0:2],
                        (address, address + total * size - 1))

    def test_bridges_have_their_buses(self):
        bridges = {}
        for case, function, linux in self.each():
            with case:
                if function.header != capture.BRIDGE:
                    continue
                _, secondary, subordinate = function.buses()
                bridges[secondary] = function.address
                self.assertEqual(
                    self.check('cat %s/secondary_bus_number '
                               '%s/subordinate_bus_number' %
                               ((linux['folder'],) * 2)).split(),
                    [str(secondary), str(subordinate)])
        # each function hangs where the numbers say
        for case, function, linux in self.each():
            with case:
                above = linux['folder'].split('/')[-2]
                if function.bus in bridges:
                    self.assertEqual(above[5:], bridges[function.bus])
                else:
                    self.assertRegex(above, '^pci[0-9a-f]{4}:%02x$' %
                                     function.bus)

    def test_bridges_have_their_windows(self):
        for case, function, linux in self.each():
            with case:
                if function.header != capture.BRIDGE:
                    continue
                expected = function.windows()
                for name, (number, kind) in WINDOWS.items():
                    start, end, flags = linux['resources'][number]
                    if name in expected:
                        self.assertEqual((start, end), expected[name])
                        self.assertEqual(flags & (kind | UNSET), kind)
                    else:
                        self.assertEqual((start, end), (0, 0))

    def test_capabilities_are_the_same(self):
        for case, function, linux in self.each():
            with case:
                found = capture.Function(function.address, [], linux['config'])
                self.assertEqual(found.capabilities, function.capabilities)
                self.assertEqual(found.extended, function.extended)

    def test_registers_are_the_same(self):
        for case, function, linux in self.each():
            with case:
                self.assertEqual(len(linux['config']), len(function.config))
                mask = writable(function)
                self.assertEqual(
                    ['%03x: %02x, captured %02x' % (offset, now, then)
                     for offset, (now, then) in enumerate(
                         zip(linux['config'], function.config))
                     if (now ^ then) & ~mask[offset]], [])

    def test_memory_of_bars_can_be_used(self):
        """It is the model's: nothing of it is mapped."""
        function = next(f for f in self.capture.values() if f.bus and any(
            kind == 'mem64' for kind, _, _ in f.bars().values()))
        number, (_, start, _) = next(
            item for item in function.bars().items() if item[1][0] == 'mem64')
        folder = self.linux[function.address]['folder']
        self.check('test -e %s/resource%d' % (folder, number))
        command = 'setpci -s %s COMMAND' % self.linux[
            function.address]['name']
        before = self.check(command).strip()
        self.check(command + '=2:2')  # memory is decoded
        word = 'devmem %#x 32' % (start + 0x100)
        self.check(word + ' 0x12345678')
        self.assertEqual(self.check(word).strip(), '0x12345678')
        self.check(word + ' 0; %s=%s' % (command, before))

    def test_linux_complains_of_nothing(self):
        """No address was changed, refused or in another's way, but for ROMs
        whose registers read zero."""
        said = self.check(
            "dmesg | grep -E 'no compatible bridge window|can.t claim|"
            "conflict|failed to assign|BUG:|WARNING:|Unable to' || true")
        nowhere = [function.address for function in self.capture.values()
                   if capture.ROM in function.sizes() and
                   capture.ROM not in function.bars()]
        self.assertEqual(
            [line for line in said.splitlines() if not any(
                address + ': ROM [mem 0x00000000-' in line
                for address in nowhere)], [])


@needs_hypervisor
class Q35(Modelled, GuestCase):
    """A PC: a switch, conventional buses, virtual functions."""
    name, functions = 'q35', 41


@needs_hypervisor
class ThreeRoots(Modelled, GuestCase):
    """A PC with three root buses. The slot of 01:00.0 says that it is empty,
    so that Linux would switch it off: its port drivers stay away."""
    name, functions = 'q35-roots', 21
    options = OPTIONS + ' pcie_ports=compat'


@needs_hypervisor
class Virt(Modelled, GuestCase):
    """An arm64 machine without firmware."""
    name, functions = 'virt', 14


if __name__ == '__main__':
    unittest.main()
