#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Linux finds the machine's devices as they are, and its drivers work."""
import hashlib
import os
import re
import unittest

from case import GuestCase, differences, needs_hypervisor, parse_dump
from machine import IO_PORTS, MODE, capabilities, extended_capabilities
from network import Network

# Linux's driver of each device, by QEMU's name.
DRIVERS = {'nvme': 'nvme', 'pf': 'nvme', 'net0': 'e1000e', 'net1': 'e1000e',
           'usb': 'xhci_hcd', 'sata': 'ahci', 'vblk': 'virtio-pci',
           'vnet': 'virtio-pci', 'p2p': 'shpchp', 'edu': None,
           **{port: 'pcieport' for port in
              ['rp%d' % number for number in range(7)] +
              ['up', 'down0', 'down1']}}
IO_SPACE, MEM_64, PREFETCH = 0x100, 0x100000, 0x2000  # Linux's resource flags


class Enumeration(GuestCase):
    """What is there, as QEMU, Linux and the hypervisor say."""

    def emulated(self, addresses):
        """The functions that the hypervisor adds to what QEMU has."""
        return set(addresses) - set(self.machine.functions())

    def test_linux_finds_every_function(self):
        linux = self.lspci()
        self.assertEqual(set(self.machine.functions()) - set(linux), set())
        extra = self.emulated(linux)
        if MODE == 'bare':
            self.assertEqual(extra, set())
        else:
            # the control device, on the root bus
            self.assertEqual(len(extra), 1, extra)
            self.assertRegex(extra.pop(), '^00:')

    def test_identities_are_the_hardwares(self):
        linux = self.lspci()
        for address, function in self.machine.functions().items():
            with self.subTest(address):
                identity = function['id']
                self.assertEqual(
                    linux[address][0:4],
                    identity['vendor'].to_bytes(2, 'little') +
                    identity['device'].to_bytes(2, 'little'))
                self.assertEqual(
                    int.from_bytes(linux[address][10:12], 'little'),
                    function['class_info']['class'])

    def resources(self, address):
        """Linux's BARs of a function: number: (start, size, flags)."""
        found = {}
        rows = self.check('cat /sys/bus/pci/devices/0000:%s/resource' %
                          address).splitlines()
        for number, row in enumerate(rows[:7]):
            start, end, flags = (int(word, 16) for word in row.split())
            if flags:
                found[number] = (start, end - start + 1, flags)
        return found

    def test_bars_are_what_the_hardware_has(self):
        for address, function in self.machine.functions().items():
            if function['qdev_id'] == 'hypcon' and MODE != 'bare':
                continue  # not Linux's
            with self.subTest(address):
                linux = self.resources(address)
                bars = {region['bar']: region
                        for region in function['regions']}
                self.assertEqual(set(linux), set(bars))
                for number, region in bars.items():
                    self.check_bar(region, *linux[number])

    def check_bar(self, region, start, size, flags):
        self.assertEqual(size, region['size'])
        self.assertEqual(bool(flags & IO_SPACE), region['type'] == 'io')
        if region['type'] == 'memory':
            self.assertEqual(bool(flags & MEM_64), region['mem_type_64'])
        if region['type'] == 'memory' and region['bar'] != 6:
            # (Linux may prefetch any ROM)
            self.assertEqual(bool(flags & PREFETCH), region['prefetch'])
        # -1: QEMU does not decode it; I/O is at another address for the CPU
        if region['type'] == 'memory' and region['address'] >= 0:
            self.assertEqual(start, region['address'])

    def test_capabilities_are_the_hardwares(self):
        linux = self.lspci()
        for address in self.machine.functions():
            with self.subTest(address):
                hardware = self.machine.hardware(address)
                self.assertEqual(capabilities(linux[address]),
                                 capabilities(hardware))
                self.assertEqual(extended_capabilities(linux[address]),
                                 extended_capabilities(hardware))

    @unittest.skipUnless(MODE == 'bare', 'the library keeps some registers')
    def test_without_the_hypervisor_all_bytes_are_the_hardwares(self):
        linux = self.lspci()
        for address in self.machine.functions():
            with self.subTest(address):
                space = linux[address]
                self.assertEqual(differences(
                    space, self.machine.hardware(address, len(space))), [])

    @needs_hypervisor
    def test_the_library_lists_what_linux_lists(self):
        listed = {line.split()[0]
                  for line in self.machine.control('devices').splitlines()}
        self.assertEqual(listed | self.emulated(self.lspci()),
                         set(self.lspci()))

    @needs_hypervisor
    def test_the_librarys_view_is_what_lspci_shows(self):
        linux = self.lspci()
        for address in self.machine.functions():
            with self.subTest(address):
                library = parse_dump(self.machine.control('dump', address))['']
                shorter = min(len(library), len(linux[address]))
                self.assertIn(shorter, (256, 4096))
                self.assertEqual(differences(linux[address][:shorter],
                                             library[:shorter]), [])

    def test_drivers_bind(self):
        for name, driver in DRIVERS.items():
            with self.subTest(name):
                self.assertEqual(self.driver(name), driver)

    @needs_hypervisor
    def test_the_hypervisors_console_is_out_of_linuxs_reach(self):
        # a driver may look for a UART there, and finds none
        self.assertNotRegex(self.check('cat /proc/tty/driver/serial'),
                            r'uart:(?!unknown)')
        address = self.machine.address('hypcon')
        before = self.machine.hardware(address, 64), self.uart(address)
        self.machine.run('echo intruder >/dev/ttyS0')
        self.machine.run('setpci -s %s COMMAND=0 0c.b=ff 10.l=ffffffff' %
                         address)
        self.assertEqual(
            before, (self.machine.hardware(address, 64), self.uart(address)))
        self.assertNotIn('intruder', self.machine.log('hyp'))

    def uart(self, address):
        """Line control and interrupt enables of a serial card."""
        base = int.from_bytes(self.machine.hardware(address, 64)[16:20],
                              'little') & ~3
        with self.machine.memory() as memory:
            return [memory.read(IO_PORTS + base + register, 1)
                    for register in (1, 3)]

    def test_linux_has_no_complaint(self):
        self.assertEqual(self.complaints(), '')


class Work(GuestCase):
    """The drivers move data, and are interrupted by MSI-X."""

    def written(self, name, image, disk):
        """Write to a disk; read it back in the guest and outside."""
        before = self.interrupts(self.vectors(name))
        self.check('dd if=/dev/urandom of=/tmp/data bs=64k count=64 && '
                   'dd if=/tmp/data of=%s bs=64k oflag=direct && sync' % disk)
        wanted = self.check('sha256sum </tmp/data').split()[0]
        back = self.check('dd if=%s bs=64k count=64 iflag=direct '
                          '2>/dev/null | sha256sum' % disk).split()[0]
        self.check('rm /tmp/data')
        self.assertEqual(back, wanted)
        with open(os.path.join(self.machine.dir, image), 'rb') as file:
            data = file.read(4 << 20)
        self.assertEqual(hashlib.sha256(data).hexdigest(), wanted)
        # reads and writes of 64 KiB, 64 each; some may share an interrupt
        self.assertGreater(self.interrupts(self.vectors(name)) - before, 8)

    def vectors(self, name):
        """A pattern for the lines of /proc/interrupts of a device."""
        numbers = self.check('ls %s' % self.sysfs(name, 'msi_irqs')).split()
        self.assertTrue(numbers)
        return r'^ *(%s):' % '|'.join(numbers)

    def test_nvme_keeps_what_is_written(self):
        self.written('nvme', 'disk', self.block_device('nvme'))

    def test_a_virtio_disk_behind_a_switch_does(self):
        self.written('vblk', 'vdisk', self.block_device('vblk'))

    def test_a_sata_disk_does(self):
        self.written('sata', 'sdisk', self.block_device('sata'))

    def test_nvme_uses_msix_for_each_queue(self):
        lines = self.check('grep nvme0q /proc/interrupts').splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertIn('MSI', line)
        control = self.setpci('nvme', 'CAP_MSIX+2.w')[0]
        self.assertTrue(int(control, 16) & 0x8000)

    def test_usb_answers(self):
        self.assertEqual(self.check(
            'cat %s/usb*/idVendor' % self.sysfs('usb')).split(),
            ['1d6b', '1d6b'])

    def test_the_network_cards_reach_each_other(self):
        with Network(self) as network:
            before = self.interrupts(r'eth\d+-(rx|tx)')
            for side in 'here', 'there':
                network.ping(side)
                self.assertEqual(network.fetch(side), network.sum)
            self.assertGreater(self.interrupts(r'eth\d+-(rx|tx)') - before,
                               20)


class Faults(GuestCase):
    """A device that the SMMU refuses again and again (OWN-10)."""
    # QEMU's edu: where a transfer comes from, goes to, its length, its start;
    # it takes a tenth of a second. Its own buffer is at 40000.
    SOURCE, TARGET, LENGTH, START = 0x80, 0x88, 0x90, 0x98
    NOWHERE = 0x1000  # no memory of the machine is there

    def refuse(self, times):
        """Let the device read where nothing is, so often."""
        resource = self.read('edu', 'resource').split()
        base = int(resource[0], 16)
        writes = '; '.join(
            'devmem %#x 64 %#x' % (base + register, value)
            for register, value in ((self.SOURCE, self.NOWHERE),
                                    (self.TARGET, 0x40000),
                                    (self.LENGTH, 4), (self.START, 1)))
        self.check('i=0; while [ $i -lt %d ]; do %s; usleep 120000; '
                   'i=$((i+1)); done' % (times, writes))

    def command(self):
        """The command register: as Linux reads it, and as hardware has it."""
        hardware = self.machine.hardware(self.machine.address('edu'), 64)
        return (int(self.setpci('edu', 'COMMAND')[0], 16),
                int.from_bytes(hardware[4:6], 'little'))

    def faults(self, *words):
        return self.machine.control('faults', self.machine.address('edu'),
                                    *words)

    @needs_hypervisor
    def test_a_device_that_faults_on_and_on_is_cut_off_the_bus(self):
        self.addCleanup(self.setpci, 'edu', 'COMMAND=%s' %
                        self.setpci('edu', 'COMMAND')[0])
        self.setpci('edu', 'COMMAND=6')
        self.refuse(2)
        self.assertEqual(self.command(), (6, 6))
        self.refuse(40)
        self.assertIn('too many faults, bus mastering is off', self.faults())
        self.assertEqual(self.command(), (2, 2))
        self.setpci('edu', 'COMMAND=6')
        self.assertEqual(self.command(), (2, 2))
        told = self.machine.log('hyp').count('too many faults')
        self.refuse(20)
        self.assertEqual(self.machine.log('hyp').count('too many faults'),
                         told)
        self.faults('clear')
        self.setpci('edu', 'COMMAND=6')
        self.assertEqual(self.command(), (6, 6))


if __name__ == '__main__':
    unittest.main()
