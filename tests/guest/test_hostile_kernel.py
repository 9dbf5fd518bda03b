#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hardware domain that attacks the hypervisor does not bring it down.

Instead of Linux it runs hostile/: all system registers, calls by random
numbers, loads and stores of every kind everywhere, BARs put in each other's
way, jumps to nowhere, user space in both instruction sets, CPUs that are
switched on while they switch themselves off; and a second CPU does the like
all the while. The kernel says what it did; the hypervisor has nothing to say
but what it refused."""
import os
import re
import subprocess
import tempfile
import time
import unittest

import machine
from case import needs_hypervisor

HOSTILE = os.path.join(machine.BUILD, 'hostile.bin')
# A bridge, what is behind it, and devices with each kind of BAR.
DEVICES = ['-device', 'pcie-root-port,id=rp0,slot=0,chassis=0,addr=2.0',
           '-device', 'nvme,id=nvme,bus=rp0,serial=nvme0',
           '-device', 'qemu-xhci,addr=3', '-device', 'edu,addr=4']
TIMEOUT = 300 * machine.SLOW
ATTACKS = 10
# A flood of refused accesses is a few lines a second.
LINES_A_SECOND = 50


@needs_hypervisor
class HostileKernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix='pcivisor-hostile-') as folder:
            cls.seconds = cls.attack(folder)
            cls.said = cls.log(folder, 'kernel')
            cls.hypervisor = cls.log(folder, 'hyp')
            cls.qemu = cls.log(folder, 'qemu')

    @classmethod
    def attack(cls, folder):
        """Run until the kernel is through, or somebody dies."""
        hypervisor = machine.setting(
            'HYP', os.path.join(machine.BUILD, 'hyp.bin'))
        command = machine.QEMU + [
            '-kernel', hypervisor, '-append', '',
            '-device', 'guest-loader,addr=%#x,kernel=%s,bootargs=x' % (
                machine.KERNEL_AT, HOSTILE),
            '-serial', 'file:' + os.path.join(folder, 'kernel'),
            '-chardev', 'file,id=hyp,path=' + os.path.join(folder, 'hyp'),
            '-device', 'pci-serial,id=hypcon,chardev=hyp,addr=1'] + DEVICES
        since = time.monotonic()
        with open(os.path.join(folder, 'qemu'), 'wb') as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log)
        try:
            while process.poll() is None and \
                    time.monotonic() - since < TIMEOUT and \
                    'hostile: alive' not in cls.log(folder, 'kernel') and \
                    'panic' not in cls.log(folder, 'hyp'):
                time.sleep(0.5)
            time.sleep(0.5)  # for the end of a line
        finally:
            process.terminate()
            process.wait()
        return time.monotonic() - since

    @staticmethod
    def log(folder, name):
        try:
            with open(os.path.join(folder, name), 'rb') as file:
                return file.read().decode('utf-8', 'replace')
        except OSError:
            return ''

    def everything(self):
        return '\n'.join([self.said, self.hypervisor[-2000:], self.qemu])

    def test_the_hypervisor_survives(self):
        self.assertNotIn('panic', self.hypervisor, self.everything())
        self.assertIn('hostile: alive', self.said, self.everything())

    def test_what_it_answers_is_right(self):
        attacks = re.findall(r'attack \d+ (\w+): (.*?),', self.said)
        self.assertEqual(len(attacks), ATTACKS, self.everything())
        for verdict, name in attacks:
            with self.subTest(name):
                self.assertEqual(verdict, 'ok')

    def test_its_console_is_not_flooded(self):
        self.assertLess(len(self.hypervisor.splitlines()),
                        200 + LINES_A_SECOND * self.seconds)


if __name__ == '__main__':
    unittest.main()
