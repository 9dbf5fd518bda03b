#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Linux changes its devices by hand: registers, resets, power, virtual
functions, bus numbers. Afterwards they work."""
import re
import unittest

import layout
from case import GuestCase
from machine import MODE
from network import Network

NVME_VERSION = 8  # an NVMe controller's register
TOGGLES = 1000


class Registers(GuestCase):
    """setpci, from inside."""

    def setUp(self):
        super().setUp()
        self.disk = self.block_device('nvme')
        self.sum = self.disk_sum(self.disk)
        self.since = self.complaints()

    def tearDown(self):
        self.doCleanups()
        self.still_works()
        super().tearDown()

    def still_works(self):
        """The disk can be read and written, and nothing went wrong."""
        if self.machine.console is None or type(self).spoiled:
            return
        self.wait('test -b ' + self.disk)
        self.assertEqual(self.disk_sum(self.disk), self.sum)
        before = self.interrupts('nvme0q')
        self.check('dd if=/dev/urandom of=%s bs=64k count=4 seek=16 '
                   'oflag=direct' % self.disk)
        self.assertGreater(self.interrupts('nvme0q'), before)
        self.assertEqual(self.complaints(), self.since)

    def mmio(self, address):
        """A read of device memory, past all drivers."""
        return int(self.check('devmem %#x 32' % address), 16)

    def bar(self):
        return int(self.read('nvme', 'resource').split()[0], 16)

    def test_a_bar_moves_while_decoding_is_off(self):
        self.unbind('nvme')
        old = self.bar()
        new = old + 0x100000  # in the window of its bridge, free
        self.setpci('nvme', 'COMMAND=2:2')
        version = self.mmio(old + NVME_VERSION)
        self.assertEqual(version, 0x10400)
        self.move(new)
        self.assertEqual(self.mmio(new + NVME_VERSION), version)
        self.assertEqual(self.mmio(old + NVME_VERSION), 0xffffffff)
        self.move(old)
        self.assertEqual(self.mmio(old + NVME_VERSION), version)
        self.assertEqual(self.mmio(new + NVME_VERSION), 0xffffffff)

    def move(self, address):
        self.setpci('nvme', 'COMMAND=0:2', 'BASE_ADDRESS_0=%x' % address,
                    'COMMAND=2:2')
        self.assertEqual(self.setpci('nvme', 'BASE_ADDRESS_0'),
                         ['%08x' % (address | 4)])

    def test_sizing_a_bar_by_hand(self):
        self.unbind('nvme')
        old = self.setpci('nvme', 'BASE_ADDRESS_0', 'BASE_ADDRESS_1')
        self.setpci('nvme', 'COMMAND=0:2', 'BASE_ADDRESS_0=ffffffff',
                    'BASE_ADDRESS_1=ffffffff')
        self.assertEqual(self.setpci('nvme', 'BASE_ADDRESS_0',
                                     'BASE_ADDRESS_1'),
                         ['ffffc004', 'ffffffff'])
        self.setpci('nvme', 'BASE_ADDRESS_0=' + old[0],
                    'BASE_ADDRESS_1=' + old[1])

    def test_decoding_is_toggled_a_thousand_times(self):
        self.unbind('nvme')
        stats = self.stats()
        each = 100  # by one setpci
        self.check('i=0; while [ $i -lt %d ]; do setpci -s %s %s || exit 1; '
                   'i=$((i+1)); done' % (
                       TOGGLES // each, self.machine.address('nvme'),
                       'COMMAND=0:2 COMMAND=2:2 ' * each), 300)
        self.assertEqual(self.mmio(self.bar() + NVME_VERSION), 0x10400)
        self.setpci('nvme', 'COMMAND=0:2')
        self.assertEqual(self.mmio(self.bar() + NVME_VERSION), 0xffffffff)
        self.assertEqual(self.stats(), stats)

    def stats(self):
        """What must not grow: the hypervisor's own counts of objects."""
        if MODE == 'bare':
            return None
        return {name: count for name, count in
                re.findall(r'^(.*\S) +(\d+)$', self.machine.control('stats'),
                           re.M) if 'access' not in name}

    def test_flr_by_its_register(self):
        bind = self.unbind('nvme')
        self.setpci('nvme', 'CAP_EXP+8.w=8000:8000')
        self.check('sleep 0.2')
        # reset: decoding and mastering are off, BARs are empty
        command, low = self.setpci('nvme', 'COMMAND', 'BASE_ADDRESS_0')
        self.assertEqual(int(command, 16) & 6, 0)
        self.assertEqual(low, '00000004')
        self.setpci('nvme', 'BASE_ADDRESS_0=%x' % self.bar())
        bind()

    def test_resets_that_linux_offers(self):
        for method in self.read('nvme', 'reset_method').split():
            with self.subTest(method):
                self.write('nvme', 'reset_method', method)
                self.write('nvme', 'reset', 1)
                self.assertEqual(self.disk_sum(self.disk), self.sum)
        self.write('nvme', 'reset_method', 'default')

    def test_network_cards_work_after_a_reset(self):
        for method in self.read('net0', 'reset_method').split():
            self.write('net0', 'reset_method', method)
            self.write('net0', 'reset', 1)
        self.write('net0', 'reset_method', 'default')
        with Network(self) as network:
            network.ping('here')
            self.assertEqual(network.fetch('there'), network.sum)

    def test_d3hot_and_back(self):
        self.unbind('nvme')
        version = self.powered_version()
        self.setpci('nvme', 'CAP_PM+4.w=3:3')
        self.assertEqual(self.setpci('nvme', 'CAP_PM+4.w')[0][-1], 'b')
        self.check('sleep 0.1')
        self.setpci('nvme', 'CAP_PM+4.w=0:3')
        self.check('sleep 0.1')
        self.assertEqual(self.setpci('nvme', 'CAP_PM+4.w')[0][-1], '8')
        self.assertEqual(self.powered_version(), version)

    def powered_version(self):
        self.setpci('nvme', 'COMMAND=2:2')
        return self.mmio(self.bar() + NVME_VERSION)

    def test_runtime_suspend_and_resume(self):
        """The SATA controller is the one whose driver does it: when all
        that is behind it sleeps."""
        folder = self.sysfs('sata')
        disk = self.block_device('sata')
        before = self.disk_sum(disk)
        every = 'for f in $(find %s/ -path "*/power/%%s"); do ' \
            'echo %%s >$f; done 2>/dev/null' % folder
        awake = (every % ('control', 'on') + ';' +
                 every % ('autosuspend_delay_ms', '-1'))
        self.addCleanup(self.machine.run, awake)
        self.check(every % ('autosuspend_delay_ms', 0) + ';' +
                   every % ('control', 'auto'))
        self.wait('grep suspended %s/power/runtime_status' % folder)
        self.assertEqual(self.disk_sum(disk), before)
        self.machine.run(awake)
        self.assertEqual(self.read('sata', 'power/runtime_status'), 'active')
        self.assertEqual(self.disk_sum(disk), before)

    def test_all_devices_suspend_and_resume(self):
        """All drivers put their devices to sleep (D3hot, where there is
        power management), and wake them a second later."""
        self.check('echo 1 >/sys/module/suspend/parameters/pm_test_delay; '
                   'echo devices >/sys/power/pm_test; '
                   'dmesg -c >/dev/null; echo mem >/sys/power/state')
        # the xHCI controller has lost its state in any case: on QEMU's,
        # Linux says so, and starts it again
        self.assertRegex(self.check('dmesg'), 'suspend exit')
        self.check('echo none >/sys/power/pm_test')
        errors = [line for line in self.complaints().splitlines()
                  if 'xHC error in resume' not in line]
        self.assertEqual(errors, [])
        self.check('dmesg -c >/dev/null')
        self.since = ''
        with Network(self) as network:
            network.ping('there')


class VirtualFunctions(GuestCase):
    """SR-IOV, which Linux enables and disables."""

    def vfs(self):
        bus = self.machine.address('pf').split(':')[1]
        return [address for address in self.lspci()
                if re.match(bus + r':00\.[1-7]', address)]

    def enabled(self, count):
        self.write('pf', 'sriov_drivers_autoprobe', 0)
        self.write('pf', 'sriov_numvfs', count)
        self.addCleanup(self.machine.run, 'echo 0 >' + self.sysfs(
            'pf', 'sriov_numvfs'))

    def test_vfs_come_and_go(self):
        for count in 1, 3, 2:
            with self.subTest(count):
                self.assertEqual(self.vfs(), [])
                self.enabled(count)
                found = self.vfs()
                self.assertEqual(len(found), count)
                self.resources_follow(found)
                if MODE != 'bare':
                    self.library_agrees(found)
                self.write('pf', 'sriov_numvfs', 0)
        self.assertEqual(self.vfs(), [])
        if MODE != 'bare':
            self.library_agrees([])

    def resources_follow(self, found):
        """Each VF's BAR is a slice of what the capability says."""
        base = int(self.setpci('pf', 'ECAP_SRIOV+24.l')[0], 16) & ~0xf
        for number, address in enumerate(found):
            start, end, _ = (int(word, 16) for word in self.check(
                'head -n 1 /sys/bus/pci/devices/0000:%s/resource' %
                address).split())
            size = end - start + 1
            self.assertEqual(start, base + number * size)

    def library_agrees(self, found):
        lines = [line for line in self.machine.control('devices').splitlines()
                 if ' VF of ' in line]
        self.assertEqual([line.split()[0] for line in lines], found)

    def test_a_vf_has_a_configuration_space(self):
        self.enabled(2)
        for address in self.vfs():
            identity = self.check('cat /sys/bus/pci/devices/0000:%s/vendor '
                                  '/sys/bus/pci/devices/0000:%s/device' % (
                                      address, address)).split()
            # a VF's own registers are all ones; its PF says what it is
            self.assertEqual(identity, ['0x1b36', '0x0010'])
            self.assertIn('MSI-X', self.check('lspci -v -s %s 2>/dev/null' %
                                              address))

    def test_more_than_there_are_is_refused(self):
        result = self.machine.run('echo 4 >' + self.sysfs(
            'pf', 'sriov_numvfs'))
        self.assertNotEqual(result.status, 0)
        self.assertEqual(self.vfs(), [])

    def test_the_pfs_driver_works_with_vfs_there(self):
        self.enabled(2)
        self.write('pf', 'reset', 1)
        # that it lives means that it has answered commands since
        self.wait('grep live %s/nvme/nvme1/state' % self.sysfs('pf'))
        self.assertEqual(len(self.vfs()), 2)


class BusNumbers(GuestCase):
    """Bus numbers change under the devices' feet. At every boot Linux gives
    all of them anew (on arm64 it needs no pci=assign-busses for that), and
    so it does to what a rescan finds."""
    devices = layout.STANDARD + layout.FILLER

    def removed(self, *names):
        self.check('; '.join('echo 1 >' + self.sysfs(name, 'remove')
                             for name in names))

    def test_behind_a_bridge_that_is_gone_all_numbers_are_lower(self):
        self.assertEqual(self.machine.address('vblk'), '0000:09:00.0')
        disk = self.block_device('vblk')
        before = self.disk_sum(disk)
        old = self.machine.functions()
        type(self).spoiled = True  # the bridge is not put in again
        self.machine.pull('rp4')
        self.wait('! test -e /sys/bus/pci/devices/0000:05:00.0')
        self.removed('rp5', 'rp6')
        self.check('echo 1 >/sys/bus/pci/rescan')
        self.assertEqual(self.machine.address('vblk'), '0000:08:00.0')
        self.assertEqual(self.driver('vnet'), 'virtio-pci')
        self.assertEqual(self.disk_sum(self.block_device('vblk')), before)
        self.assertEqual(self.complaints(), '')
        self.agreed()
        self.assertEqual(len(self.machine.functions()), len(old) - 1)

    def test_all_but_one_disk_are_removed_and_found_again(self):
        disk = self.disk_sum(self.block_device('nvme'))
        before = set(self.lspci())
        self.removed('rp1', 'rp2', 'rp3', 'rp4', 'rp5', 'rp6', 'usb', 'sata')
        if MODE != 'bare':
            # what Linux forgets is still there
            self.assertEqual(set(self.machine.functions()) -
                             self.listed(), set())
        self.check('echo 1 >/sys/bus/pci/rescan')
        self.assertEqual(set(self.lspci()), before)
        self.assertEqual(self.driver('usb'), 'xhci_hcd')
        self.assertEqual(self.disk_sum(self.block_device('nvme')), disk)
        with Network(self) as network:
            network.ping('here')
        self.agreed()

    def listed(self):
        return {line.split()[0] for line in
                self.machine.control('devices').splitlines()}

    def agreed(self):
        """Linux, QEMU and the library have the same functions."""
        hardware = set(self.machine.functions())
        self.assertEqual(hardware - set(self.lspci()), set())
        if MODE != 'bare':
            self.assertEqual(hardware - self.listed(), set())
            self.assertEqual(self.listed() - set(self.lspci()), set())


if __name__ == '__main__':
    unittest.main()
