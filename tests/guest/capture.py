# SPDX-License-Identifier: MIT
"""A capture (examples/hosts/, lspci -vvvxxxx) as the tests want it: what each
function's bytes and the text beside them say, by our own reading of the
standards, so that neither Linux nor the library is asked about itself."""
import os
import re

from machine import ROOT, capabilities, extended_capabilities

HOSTS = os.path.join(ROOT, 'examples', 'hosts')
BRIDGE = 1  # header type
BARS = {0: 6, 1: 2}  # by header type
ROM_REGISTER = {0: 0x30, 1: 0x38}
ROM = 6  # its number among Linux's resources
EXPRESS, SRIOV = 0x10, 0x0010  # capabilities
VF_SIZE_TEXT = re.compile(r'Region (\d): (?:Memory|I/O ports) at (\S+) .*'
                          r'\[size=(\d+)([KMG]?)\]')
ROM_SIZE_TEXT = re.compile(r'Expansion ROM at (\S+) .*\[size=(\d+)([KMG]?)\]')
UNITS = {'': 0, 'K': 10, 'M': 20, 'G': 30}


class Function:
    """One function: config (bytes), text (lines), address."""

    def __init__(self, address, text, config):
        self.address, self.text, self.config = address, text, config
        self.header = config[0x0e] & 0x7f
        self.bus = int(address[0:2], 16)
        self.is_vf = config[0:4] == b'\xff' * 4
        self.capabilities = capabilities(config)
        self.extended = extended_capabilities(config)

    def read(self, offset, size):
        return int.from_bytes(self.config[offset:offset + size], 'little')

    def offset(self, capability, extended=False):
        """Where a capability is; None without it."""
        for found in self.extended if extended else self.capabilities:
            if found[0] == capability:
                return found[-1]
        return None

    # ---- BARs ----

    def sizes(self):
        """Bytes by BAR, ROM being 6, as the text says."""
        found = {}
        for line in self.text:
            bar = VF_SIZE_TEXT.search(line)
            rom = ROM_SIZE_TEXT.search(line)
            if bar and line.startswith('\tRegion'):
                found[int(bar[1])] = int(bar[3]) << UNITS[bar[4]]
            elif rom:
                found[ROM] = int(rom[2]) << UNITS[rom[3]]
        return found

    def bars(self):
        """BARs that have an address: {number: (kind, start, size)}. The
        addresses are the registers'; a VF's are its PF's to say."""
        sizes = self.sizes()
        found = {}
        number = 0
        while number < BARS.get(self.header, 0) and not self.is_vf:
            value = self.read(0x10 + 4 * number, 4)
            width = 1
            if value & 1:
                bar = ('io', value & ~3)
            elif value & 6 == 4:
                width = 2
                high = self.read(0x14 + 4 * number, 4) << 32
                bar = ('mem64', high | value & ~15)
            else:
                bar = ('mem', value & ~15)
            if bar[1] != 0:
                found[number] = bar + (sizes[number],)
            number += width
        rom = self.header in ROM_REGISTER and not self.is_vf and \
            self.read(ROM_REGISTER[self.header], 4) & ~0x7ff
        if rom:
            found[ROM] = ('mem', rom, sizes[ROM])
        return found

    def virtual_bars(self):
        """BARs of one VF by the text, which has what the PF's say."""
        return {int(bar[1]): (int(bar[2], 16), int(bar[3]) << UNITS[bar[4]])
                for bar in map(VF_SIZE_TEXT.search, self.text) if bar}

    # ---- bridges ----

    def buses(self):
        """Primary, secondary and subordinate bus."""
        return tuple(self.config[0x18:0x1b])

    def windows(self):
        """Open windows: {'io' | 'mem' | 'pref': (start, end)}."""
        found = {}
        for name, start, end in (
                ('io', self._io(0x1c, 0x30), self._io(0x1d, 0x32) | 0xfff),
                ('mem', self._memory(0x20), self._memory(0x22) | 0xfffff),
                ('pref', self._prefetchable(0x24, 0x28),
                 self._prefetchable(0x26, 0x2c) | 0xfffff)):
            if start < end and start != 0:
                found[name] = (start, end)
        return found

    def _io(self, low, high):
        value = self.read(low, 1)
        upper = self.read(high, 2) << 16 if value & 0xf == 1 else 0
        return upper | (value & 0xf0) << 8

    def _memory(self, register):
        return (self.read(register, 2) & 0xfff0) << 16

    def _prefetchable(self, low, high):
        value = self.read(low, 2)
        upper = self.read(high, 4) << 32 if value & 0xf == 1 else 0
        return upper | (value & 0xfff0) << 16

    # ---- SR-IOV ----

    def virtual_functions(self):
        """How many VFs were enabled."""
        at = self.offset(SRIOV, extended=True)
        return self.read(at + 0x10, 2) \
            if at and self.read(at + 0x08, 2) & 1 else 0


def load(name):
    """The functions of a capture by address, without the segment."""
    functions = {}
    address, text, config = None, [], bytearray()
    with open(os.path.join(HOSTS, name + '.txt'), encoding='utf-8') as file:
        for line in list(file) + ['']:
            line = line.rstrip('\n')
            head = re.match(r'(?:0000:)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) ',
                            line)
            row = re.fullmatch(r'[0-9a-f]{2,3}:((?: [0-9a-f]{2}){16})', line)
            if head:
                address, text, config = head[1], [], bytearray()
            elif row:
                config += bytes.fromhex(row[1])
            elif line and address:
                text.append(line)
            elif address:
                functions[address] = Function(address, text, bytes(config))
                address = None
    return functions
