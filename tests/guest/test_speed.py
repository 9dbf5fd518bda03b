#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the hypervisor costs at boot, in the machine's own time. QEMU counts
instructions (-icount) and lets idle time pass at once, so that the result does
not depend on the machine that the test runs on."""
import unittest

import layout
from case import needs_hypervisor
from machine import Machine

MOST = 1.3


class Boot(unittest.TestCase):
    def boot(self, mode):
        """The virtual counter as init starts to listen, in seconds. It runs
        from the machine's start, also on the hypervisor."""
        with Machine(layout.SMALL, layout.SMALL_DISKS, mode=mode,
                     extra=['-icount', 'shift=0,sleep=off']) as machine:
            count, frequency = machine.check('cat /run/boot').split()
            return int(count) / int(frequency), machine.boot_seconds

    @needs_hypervisor
    def test_boot_takes_hardly_longer_than_on_the_bare_machine(self):
        # how long disks take depends on the host a little: the better of two
        bare, bare_wall = min(self.boot('bare') for _ in range(2))
        hypervisor, wall = min(self.boot('hypervisor') for _ in range(2))
        print('boot: %.2f s of the machine, %.2f s on the hypervisor (%.3f); '
              'wall clock %.1f s and %.1f s' % (
                  bare, hypervisor, hypervisor / bare, bare_wall, wall),
              flush=True)
        self.assertLess(hypervisor / bare, MOST)


if __name__ == '__main__':
    unittest.main()
