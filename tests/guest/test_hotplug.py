#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cards come and go. Linux handles its slots as on any machine, and does not
report anything to the hypervisor; what that knows it found out itself."""
import re
import unittest

import layout
from case import GuestCase
from machine import MODE


class Hotplug(GuestCase):
    """One slot, rp4, that is empty before and after each test."""
    disks = dict(layout.DISKS, hot=16)
    count = 0

    def setUp(self):
        super().setUp()
        if 'hot' not in [node['node-name'] for node in
                         self.machine.monitor.execute(
                             'query-named-block-nodes')]:
            self.machine.monitor.execute(
                'blockdev-add', driver='raw', node_name='hot',
                file={'driver': 'file',
                      'filename': self.machine.path('hot')})
        self.before = self.counts()
        self.complaints_before = self.complaints()

    def counts(self):
        """What grows if something leaks: the hypervisor's objects."""
        if MODE == 'bare':
            return None
        return {name: count for name, count in
                re.findall(r'^(.*\S) +(\d+)$', self.machine.control('stats'),
                           re.M) if 'access' not in name}

    def plug(self, driver, wait, **properties):
        """Put a card into the slot; wait until Linux uses it."""
        type(self).count += 1
        name = 'card%d' % self.count
        self.machine.monitor.device_add(driver, id=name, bus='rp4',
                                        **properties)
        self.wait('ls ' + wait % {'slot': '/sys/bus/pci/devices/' +
                                  self.slot()})
        return name

    def slot(self):
        """Where a card in the slot has its first function."""
        bus = self.setpci('rp4', 'SECONDARY_BUS.b')[0]
        return '0000:%s:00.0' % bus

    def plug_nvme(self):
        name = self.plug('nvme', '%(slot)s/nvme/nvme*/nvme*n1',
                         serial='hot%d' % self.count, drive='hot')
        return name, self.block_device(name)

    def unplug(self, name, button=False):
        """Linux switches the slot off: because somebody presses the button
        on it (it then waits five seconds for a second thought), or asks it
        to."""
        if button:
            self.machine.monitor.device_del(name)
        else:
            self.check('echo 0 >/sys/bus/pci/slots/4/power')
            self.machine.monitor.wait_event('DEVICE_DELETED', 60, device=name)
        self.gone()

    def gone(self):
        """The slot is empty: for Linux, and for the library."""
        self.wait('! test -e /sys/bus/pci/devices/' + self.slot())
        # Linux switches an empty slot off, and then ignores it for a second
        self.wait('[ $((0x$(setpci -s %s CAP_EXP+18.w) & 0x400)) != 0 ]' %
                  self.machine.address('rp4'))
        self.check('sleep 1.2')
        if MODE != 'bare':
            short = self.slot()[5:]
            self.assertIn('absent', self.machine.control('status', short))
            self.assertEqual(self.counts(), self.before)

    def there(self, vendor, device):
        """What is in the slot, as the library says."""
        if MODE != 'bare':
            short = self.slot()[5:]
            self.assertRegex(self.machine.control('devices'),
                             r'(?m)^%s %s:%s ' % (short, vendor, device))
            self.assertRegex(self.machine.control('status', short),
                             r': present, owner dom0')

    def works(self, disk):
        self.check('dd if=/dev/urandom of=/tmp/data bs=64k count=16 && '
                   'dd if=/tmp/data of=%s bs=64k oflag=direct' % disk)
        self.assertEqual(self.check('sha256sum </tmp/data').split()[0],
                         self.disk_sum(disk))

    def test_a_card_is_added_used_and_removed(self):
        name, disk = self.plug_nvme()
        self.there('1b36', '0010')
        self.works(disk)
        self.unplug(name, button=True)

    def test_another_card_in_the_same_slot_is_another_device(self):
        name, disk = self.plug_nvme()
        self.works(disk)
        self.unplug(name)
        name = self.plug('e1000e', '%(slot)s/net/eth*', romfile='',
                         mac='52:54:00:00:00:09')
        self.there('8086', '10d3')
        self.assertEqual(self.driver(name), 'e1000e')
        self.unplug(name)
        name = self.plug('virtio-blk-pci', '-d %(slot)s/virtio*/block/vd*',
                         drive='hot')
        self.there('1af4', '1042')
        self.works(self.block_device(name))
        self.unplug(name)

    def pulled(self, name, disk):
        """Without warning, while data is written."""
        self.check('(while [ -b %s ] && dd if=/dev/zero of=%s bs=4k '
                   'count=1024 oflag=direct; do :; done) >/tmp/dd 2>&1 & '
                   'usleep 300000; kill -0 $!' % (disk, disk))
        self.machine.pull('rp4')
        self.machine.monitor.wait_event('DEVICE_DELETED', 60, device=name)
        self.wait('! test -e ' + disk)
        self.wait('grep error /tmp/dd')
        self.gone()

    def test_a_card_is_pulled_while_it_works(self):
        name, disk = self.plug_nvme()
        self.works(disk)
        self.pulled(name, disk)
        # the slot and the machine work on
        name, disk = self.plug_nvme()
        self.works(disk)
        self.unplug(name)

    def test_a_pulled_card_is_replaced_by_another_kind(self):
        name, disk = self.plug_nvme()
        self.pulled(name, disk)
        name = self.plug('virtio-blk-pci', '-d %(slot)s/virtio*/block/vd*',
                         drive='hot')
        self.there('1af4', '1042')
        self.works(self.block_device(name))
        self.unplug(name)

    def test_a_card_that_no_driver_wants(self):
        name = self.plug('pci-testdev', '%(slot)s/config')
        self.there('1b36', '0005')
        self.unplug(name)


if __name__ == '__main__':
    unittest.main()
