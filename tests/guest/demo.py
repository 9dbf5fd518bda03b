#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows the reference hypervisor with Linux as its hardware domain; this is
what ./run hypervisor runs.

  demo.py                shows it, checks what it shows
  demo.py --interactive  gives a person a shell in the hardware domain

Exit status: 0; 1 if something was not as it must be.
"""
import itertools
import os
import sys

import layout
from case import differences, parse_dump
from console import GuestError
from machine import BUILD, Machine
from monitor import MonitorError

HYPERVISOR_LOG = os.path.join(BUILD, 'guest', 'hypervisor.log')
INDENT = '    '


class Demo:
    """One run: each step prints what it does, and what is wrong."""

    def __init__(self, machine):
        self.machine = machine
        self.wrong = 0
        self.steps = 0

    def heading(self, text):
        self.steps += 1
        bold, plain = ('', '') if not sys.stdout.isatty() or \
            os.environ.get('NO_COLOR') else ('\033[1m', '\033[0m')
        print('\n%s%d. %s%s\n' % (bold, self.steps, text, plain), flush=True)

    def show(self, text):
        for line in text.rstrip('\n').splitlines():
            print(INDENT + line)
        sys.stdout.flush()

    def command(self, command):
        """Run a command in the hardware domain, and show both."""
        output = self.machine.check(command)
        self.show('# ' + command.replace(' 2>/dev/null', ''))
        self.show(output)
        print(flush=True)
        return output

    def expect(self, good, text):
        self.wrong += not good
        self.show('%s: %s' % ('ok' if good else 'WRONG', text))

    def all(self):
        self.boot()
        self.machine_tree()
        self.one_function()
        self.disk()
        self.hidden_console()
        return self.wrong

    def boot(self):
        self.heading("The hypervisor's own console, a PCI serial card")
        self.show(self.machine.log('hyp'))
        self.heading('Linux, its hardware domain, %.0f seconds after power-on'
                     % self.machine.boot_seconds)
        self.command('uname -sr; grep -c ^processor /proc/cpuinfo; '
                     'cat /proc/cmdline')

    def machine_tree(self):
        self.heading("The machine's functions, as Linux finds them and as "
                     'the library lists them')
        linux = self.command('lspci')
        library = self.command('pcivisorctl devices')
        lists = [{line.split()[0] for line in text.splitlines()}
                 for text in (linux, library)]
        missing = set(self.machine.functions()) - (lists[0] & lists[1])
        self.expect(not missing, 'both have every function that QEMU has')

    def one_function(self):
        self.heading('One of them in full, and the same bytes from the '
                     'library')
        address = self.machine.address('nvme')[5:]
        self.command('lspci -vvv -s %s 2>/dev/null' % address)
        self.command('pcivisorctl status ' + address)
        linux = parse_dump(self.machine.check('lspci -xxxx -s ' + address))
        library = parse_dump(self.machine.control('dump', address))
        linux, library = linux[address], library['']
        size = min(len(linux), len(library))
        found = differences(linux[:size], library[:size])
        self.expect(not found, 'lspci -xxxx and pcivisorctl dump have the ' +
                    ' '.join(['same %d bytes' % size] + found))

    def disk(self):
        self.heading('A disk is written and read, and interrupts')
        before = self.command('grep nvme0q /proc/interrupts')
        self.command('dd if=/dev/urandom of=/tmp/data bs=64k count=64 '
                     '2>/dev/null; sha256sum </tmp/data')
        self.command('dd if=/tmp/data of=/dev/nvme0n1 bs=64k oflag=direct '
                     '2>/dev/null')
        back = self.command('dd if=/dev/nvme0n1 bs=64k count=64 iflag=direct '
                            '2>/dev/null | sha256sum')
        after = self.command('grep nvme0q /proc/interrupts')
        self.expect(back == self.machine.check('sha256sum </tmp/data'),
                    'what was written comes back')
        count = interrupts(after) - interrupts(before)
        self.expect(count > 0, '%d interrupts came' % count)

    def hidden_console(self):
        self.heading("Linux sees the hypervisor's console, and cannot "
                     'touch it')
        address = self.machine.address('hypcon')
        before = self.machine.hardware(address, 64)
        self.command('lspci -v -s %s 2>/dev/null' % address)
        self.command('setpci -s %s COMMAND=0 BASE_ADDRESS_0=0' % address)
        self.expect(before == self.machine.hardware(address, 64),
                    'its registers in hardware are what they were')


def interrupts(text):
    """The sum of the counts in lines of /proc/interrupts."""
    return sum(int(word) for line in text.splitlines()
               for word in itertools.takewhile(str.isdigit,
                                               line.split()[1:]))


def interactive():
    """QEMU in the foreground: its console is this terminal."""
    machine = Machine(layout.STANDARD, layout.DISKS, options='mode=shell')
    print("Ctrl-A X ends it. The hypervisor's own console: " +
          os.path.relpath(HYPERVISOR_LOG), flush=True)
    try:
        return machine.foreground(HYPERVISOR_LOG)
    finally:
        machine.stop()


def main():
    if sys.argv[1:] == ['--interactive']:
        return interactive()
    try:
        with Machine(layout.STANDARD, layout.DISKS) as machine:
            try:
                wrong = Demo(machine).all()
            except (GuestError, MonitorError) as error:
                print('%s\n%s' % (error, machine.last_words()))
                return 1
    except GuestError as error:
        print(error)
        return 1
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
