# SPDX-License-Identifier: MIT
"""A machine in QEMU with a hardware domain: Linux on the hypervisor, or, to
compare, the same Linux on the bare machine.

    with Machine(devices=STANDARD) as machine:
        print(machine.check('lspci'))

What it needs comes from tools/guest_fetch.sh, tools/guest_initramfs.sh and
tools/build_hyp.sh; the environment can name others:
  PCV_GUEST_MODE       hypervisor (if not set), or bare
  PCV_GUEST_KERNEL     the kernel, an arm64 Image
  PCV_GUEST_INITRAMFS  build-hyp/guest/initramfs.cpio if not set
  PCV_GUEST_HYP        build-hyp/hyp.bin if not set
  PCV_GUEST_SLOW       a factor for all timeouts
"""
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time

from console import Console, GuestError
from monitor import Memory, Monitor, MonitorError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, 'build-hyp')
CACHE = os.path.join(os.environ.get('XDG_CACHE_HOME') or
                     os.path.expanduser('~/.cache'), 'pcivisor', 'guest')

QEMU = ['qemu-system-aarch64',
        '-machine', 'virt,virtualization=on,gic-version=3,iommu=smmuv3',
        '-accel', 'tcg', '-cpu', 'cortex-a57', '-smp', '2', '-m', '1024',
        '-nodefaults', '-display', 'none', '-no-reboot']
# Where the device tree then says that Linux and its initramfs lie.
KERNEL_AT = 0x50000000
INITRAMFS_AT = 0x58000000
# The machine's configuration space and I/O ports, for the processor (the
# device tree has them too).
ECAM = 0x4010000000
IO_PORTS = 0x3eff0000

# PCI Express 6.0, 7.5.3.10: Power Indicator off, Power Controller off.
SLOT_CONTROL = 0x18
SLOT_POWER_OFF = 0x0700

MODE = os.environ.get('PCV_GUEST_MODE', 'hypervisor')
SLOW = float(os.environ.get('PCV_GUEST_SLOW', '1'))
BOOT_TIMEOUT = 240 * SLOW
# What console.py and init say to each other: no help to anybody.
PROTOCOL = re.compile(r'n\d+-[0-9a-f]{8} .*|[A-Za-z0-9+/=]*')
LINUX_OPTIONS = 'console=ttyAMA0 quiet panic=-1'


def setting(name, default):
    return os.path.abspath(os.environ.get('PCV_GUEST_' + name) or default)

# The machine's time follows its instructions, two nanoseconds each, so that no
# time-out in it depends on how busy the host is; while it is idle, time passes
# as usual. Its CPUs take turns then; PARALLEL lets them really run at once.
MACHINE_TIME = ['-icount', 'shift=1']
PARALLEL = ['-accel', 'tcg,thread=multi']


class Machine:
    """One run of QEMU. @devices: its arguments, in which {dir} is a folder
    for disk images; @disks: their names and sizes in MiB."""

    def __init__(self, devices=(), disks=None, mode=None, options='',
                 hypervisor_options='', extra=()):
        self.mode = mode or MODE
        self.dir = tempfile.mkdtemp(prefix='pcivisor-guest-')
        self.process = None
        self.console = None
        self.monitor = None
        self.boot_lines = []
        self.boot_seconds = None
        self.options = '%s %s' % (LINUX_OPTIONS, options)
        self.hypervisor_options = hypervisor_options
        self.devices = [word.replace('{dir}', self.dir) for word in devices]
        self.extra = list(extra or MACHINE_TIME)
        for name, size in (disks or {}).items():
            with open(os.path.join(self.dir, name), 'wb') as file:
                file.truncate(size << 20)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def path(self, name):
        return os.path.join(self.dir, name)

    # ---- start and end ----

    def _software(self):
        """What runs on the machine."""
        kernel = setting('KERNEL', os.path.join(CACHE, 'vmlinuz'))
        initramfs = setting('INITRAMFS', os.path.join(
            BUILD, 'guest', 'initramfs.cpio'))
        if self.mode == 'bare':
            return ['-kernel', kernel, '-initrd', initramfs,
                    '-append', self.options]
        # a comma in a property's value is written twice
        options = self.options.replace(',', ',,')
        return ['-kernel', setting('HYP', os.path.join(BUILD, 'hyp.bin')),
                '-append', self.hypervisor_options,
                '-device', 'guest-loader,addr=%#x,kernel=%s,bootargs=%s' % (
                    KERNEL_AT, kernel, options),
                '-device', 'guest-loader,addr=%#x,initrd=%s' % (
                    INITRAMFS_AT, initramfs)]

    def command(self, serial=None, hypervisor=None):
        """QEMU's command line; the consoles can be given other ends."""
        serial = serial or 'socket,id=linux,path=%s,server=on,wait=off,' \
            'logfile=%s' % (self.path('console'), self.path('linux.log'))
        hypervisor = hypervisor or 'file,id=hyp,path=%s' % self.path('hyp.log')
        return QEMU + self._software() + [
            '-chardev', serial, '-serial', 'chardev:linux',
            '-chardev', hypervisor,
            '-device', 'pci-serial,id=hypcon,chardev=hyp,addr=1'
        ] + self.devices + self.extra

    def start(self):
        """Boot, until init answers."""
        sockets = ['-qmp', 'unix:%s,server=on,wait=off' % self.path('qmp'),
                   '-chardev', 'socket,id=gdb,path=%s,server=on,wait=off' %
                   self.path('gdb'), '-gdb', 'chardev:gdb']
        since = time.monotonic()
        with open(self.path('qemu.log'), 'wb') as log:
            self.process = subprocess.Popen(
                self.command() + sockets, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        try:
            self._wait_sockets()
            self.monitor = Monitor(self.path('qmp'))
            self.console = Console(self.path('console'), self.alive)
            self.boot_lines = self.console.wait_ready(BOOT_TIMEOUT)
        except (GuestError, MonitorError, OSError) as error:
            raise GuestError('%s\n%s' % (error, self.last_words())) from None
        self.boot_seconds = time.monotonic() - since
        return self

    def foreground(self, log):
        """Boot with this terminal as Linux's console; Ctrl-A X is the end.
        Returns QEMU's status."""
        return subprocess.call(self.command(
            serial='stdio,id=linux,mux=on,signal=off',
            hypervisor='file,id=hyp,path=' + log))

    def _wait_sockets(self):
        deadline = time.monotonic() + 60 * SLOW
        while not all(os.path.exists(self.path(name))
                      for name in ('console', 'qmp', 'gdb')):
            if not self.alive() or time.monotonic() > deadline:
                raise GuestError('QEMU did not start')
            time.sleep(0.02)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        for end in (self.console, self.monitor):
            if end is not None:
                end.close()
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self, name):
        """What a console has said: linux, hyp or qemu."""
        try:
            with open(self.path(name + '.log'), 'rb') as file:
                return file.read().decode('utf-8', 'replace')
        except OSError:
            return ''

    def last_words(self, lines=60):
        """The ends of all that was said, for who looks into a failure."""
        kernel = ''
        try:
            kernel = self.console.run('dmesg | tail -n %d' % lines, 20).output
        except (GuestError, OSError, AttributeError):
            pass  # it is in its last words, or had none
        words = []
        for name, text in (('QEMU', self.log('qemu')),
                           ('the hypervisor', self.log('hyp')),
                           ("Linux's console", self.log('linux')),
                           ("Linux's dmesg", kernel)):
            said = [line for line in text.splitlines()
                    if not PROTOCOL.fullmatch(line.strip())]
            if said:
                words += ['---- %s, last lines ----' % name] + said[-lines:]
        return '\n'.join(words)

    # ---- commands in Linux ----

    def run(self, command, timeout=120):
        return self.console.run(command, timeout * SLOW)

    def check(self, command, timeout=120):
        """The output of a command that must succeed."""
        result = self.run(command, timeout)
        if result.status != 0:
            raise GuestError('status %d: %s\n%s' % (
                result.status, command, result.output))
        return result.output

    def control(self, *words):
        """What pcivisorctl says."""
        return self.check(' '.join(['pcivisorctl'] +
                                   [shlex.quote(word) for word in words]))

    def wait(self, command, timeout=120):
        """Try a command until it succeeds; returns its output."""
        deadline = time.monotonic() + timeout * SLOW
        while True:
            result = self.run(command)
            if result.status == 0:
                return result.output
            if time.monotonic() > deadline:
                raise GuestError('did not become true: %s\n%s' % (
                    command, result.output))
            time.sleep(0.2)

    # ---- the machine from outside ----

    def memory(self):
        return Memory(self.path('gdb'))

    def config_address(self, bus, device, function, register):
        return ECAM + (bus << 20 | device << 15 | function << 12 | register)

    def functions(self):
        """What QEMU has: its query-pci for each function by address, as
        Linux writes it, without a segment."""
        found = {}
        buses = list(self.monitor.execute('query-pci'))
        while buses:
            for function in buses.pop().get('devices', []):
                found['%02x:%02x.%d' % (function['bus'], function['slot'],
                                        function['function'])] = function
                if 'devices' in function.get('pci_bridge', {}):
                    buses.append(function['pci_bridge'])
        return found

    def address(self, name):
        """Where QEMU's device of that name is now, with the segment."""
        for address, function in self.functions().items():
            if function['qdev_id'] == name:
                return '0000:' + address
        raise GuestError('QEMU has no device ' + name)

    def hardware(self, address, size=4096):
        """A function's configuration space, read behind all backs."""
        bus, device, function = (int(part, 16) for part in
                                 re.split('[:.]', address)[-3:])
        with self.memory() as memory:
            return memory.bytes(
                self.config_address(bus, device, function, 0), size)

    def pull(self, port):
        """A card is pulled out of a root port's slot, without a word. The
        only way that QEMU has is the slot's power; that it was switched is
        taken back before anything runs again."""
        space = self.hardware(self.address(port))
        express = dict(capabilities(space))[0x10]
        bus, device, function = (int(part, 16) for part in re.split(
            '[:.]', self.address(port))[-3:])
        control = self.config_address(bus, device, function,
                                      express + SLOT_CONTROL)
        with self.memory() as memory:
            before = memory.read(control, 2)
            memory.write(control, 2, before | SLOT_POWER_OFF)
            memory.write(control, 2, before)


def capabilities(space):
    """The list of capabilities in configuration space: (ID, offset)."""
    found = []
    offset = space[0x34] & 0xfc if space[0x06] & 0x10 else 0
    while offset and len(found) < 48:
        found.append((space[offset], offset))
        offset = space[offset + 1] & 0xfc
    return found


def extended_capabilities(space):
    """The extended ones: (ID, version, offset)."""
    found = []
    offset = 0x100
    while offset and len(found) < 960 and len(space) >= offset + 4:
        head = int.from_bytes(space[offset:offset + 4], 'little')
        if head in (0, 0xffffffff):
            break
        found.append((head & 0xffff, head >> 16 & 0xf, offset))
        offset = head >> 20 & 0xffc
    return found
