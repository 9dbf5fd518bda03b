#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions that the hypervisor shares with Linux, or conceals from it."""
import unittest

from case import GuestCase, needs_hypervisor

# Registers of QEMU's edu device: liveness (reads back inverted), factorial.
LIVENESS, FACTORIAL = 0x4, 0x8


class Hidden(GuestCase):
    """What Linux can do to it (OWN-7, OWN-9)."""

    def setUp(self):
        super().setUp()
        self.address = self.machine.address('edu')
        self.setpci('edu', 'COMMAND=6')
        self.base = int(self.check('cat ' + self.sysfs('edu', 'resource')
                                   ).split()[0], 16)

    def load(self, register):
        return int(self.check('devmem %#x 32' % (self.base + register)), 16)

    def store(self, register, value):
        self.check('devmem %#x 32 %#x' % (self.base + register, value))

    @needs_hypervisor
    def test_what_the_hypervisor_uses_is_read_and_not_written(self):
        self.store(LIVENESS, 0x11111111)
        self.addCleanup(self.machine.run,
                        'pcivisorctl reveal ' + self.address)
        self.machine.control('hide', self.address, '0:4:0x4')
        self.assertEqual(self.load(LIVENESS), 0xeeeeeeee)
        self.store(LIVENESS, 0x22222222)
        self.assertEqual(self.load(LIVENESS), 0xeeeeeeee)
        # beside it, on the same page
        self.store(FACTORIAL, 5)
        self.assertEqual(self.load(FACTORIAL), 120)
        # decoding is Linux's to switch off, in its eyes
        self.setpci('edu', 'COMMAND=0')
        self.assertEqual(self.setpci('edu', 'COMMAND'), ['0000'])
        self.assertEqual(self.machine.hardware(self.address)[4] & 2, 2)
        self.setpci('edu', 'COMMAND=6')
        self.machine.control('reveal', self.address)
        self.store(LIVENESS, 0x22222222)
        self.assertEqual(self.load(LIVENESS), 0xdddddddd)

    @needs_hypervisor
    def test_what_is_concealed_is_not_there(self):
        self.addCleanup(self.machine.run,
                        'pcivisorctl reveal ' + self.address)
        self.machine.control('conceal', self.address)
        self.assertEqual(self.setpci('edu', '0.l'), ['ffffffff'])
        self.machine.control('reveal', self.address)
        self.assertEqual(self.setpci('edu', '0.l'), ['11e81234'])


if __name__ == '__main__':
    unittest.main()
