# SPDX-License-Identifier: MIT
"""QEMU from outside: its monitor, and its debugger's view of memory."""
import json
import socket
import time


class MonitorError(Exception):
    """QEMU refused a command, or did not answer."""


class Monitor:
    """QEMU's monitor (QMP): commands, answers and events in JSON."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = b''
        self.events = []
        self._message(time.monotonic() + 30)  # the greeting
        self.execute('qmp_capabilities')

    def close(self):
        self.socket.close()

    def execute(self, command, timeout=60, **arguments):
        """Run a command; an underscore in an argument's name is a hyphen."""
        request = {'execute': command, 'arguments': {
            name.replace('_', '-'): value
            for name, value in arguments.items()}}
        self.socket.sendall(json.dumps(request).encode() + b'\n')
        deadline = time.monotonic() + timeout
        while True:
            message = self._message(deadline)
            if 'event' in message:
                self.events.append(message)
            elif 'error' in message:
                raise MonitorError('%s: %s' % (command,
                                               message['error']['desc']))
            else:
                return message['return']

    def human(self, line):
        """A line of the monitor for people; returns what it prints."""
        return self.execute('human-monitor-command', command_line=line)

    def device_add(self, driver, **properties):
        self.execute('device_add', driver=driver, **properties)

    def device_del(self, name, timeout=120):
        """Ask for a removal, and wait until the device is gone."""
        self.execute('device_del', id=name)
        self.wait_event('DEVICE_DELETED', timeout, device=name)

    def wait_event(self, name, timeout, **data):
        """The first event of this name with this data; taken from the list."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self.events:
                found = event.get('data', {})
                if event['event'] == name and data.items() <= found.items():
                    self.events.remove(event)
                    return event
            message = self._message(deadline)
            if 'event' in message:
                self.events.append(message)

    def _message(self, deadline):
        while b'\n' not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise MonitorError('QEMU does not answer')
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                continue
            except ConnectionError:
                data = b''
            if not data:
                raise MonitorError('QEMU ended')
            self.pending += data
        line, _, self.pending = self.pending.partition(b'\n')
        return json.loads(line)


class Memory:
    """Guest-physical memory through QEMU's stub for gdb, the remote serial
    protocol: what a person with a debugger on the machine's bus would do.
    The machine stands still while this is open.

        with Memory(path) as memory:
            memory.write(address, 2, value)
    """

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(self.path)
        self.pending = b''
        self._command('qSupported')
        # addresses are physical, whatever the processor's tables say
        if self._command('Qqemu.PhyMemMode:1') != 'OK':
            raise MonitorError('no physical memory in the debugger')
        return self

    def __exit__(self, *_):
        self._command('D')  # the machine goes on
        self.socket.close()

    def bytes(self, address, size):
        data = b''
        while len(data) < size:
            part = min(size - len(data), 1024)  # less than a packet holds
            at = address + len(data)
            answer = self._command('m%x,%x' % (at, part))
            if len(answer) != 2 * part:
                raise MonitorError('memory at %x: %s' % (at, answer))
            data += bytes.fromhex(answer)
        return data

    def read(self, address, size):
        return int.from_bytes(self.bytes(address, size), 'little')

    def write(self, address, size, value):
        data = value.to_bytes(size, 'little').hex()
        answer = self._command('M%x,%x:%s' % (address, size, data))
        if answer != 'OK':
            raise MonitorError('memory at %x: %s' % (address, answer))

    def _command(self, text):
        data = text.encode()
        self.socket.sendall(b'$%s#%02x' % (data, sum(data) & 0xff))
        while True:
            answer = self._packet()
            # that the machine stopped is said unasked
            if not answer.startswith(b'T'):
                return answer.decode('ascii', 'replace')

    def _packet(self):
        while True:
            start = self.pending.find(b'$')
            end = self.pending.find(b'#', start)
            if start >= 0 and 0 <= end and len(self.pending) >= end + 3:
                break
            more = self.socket.recv(65536)
            if not more:
                raise MonitorError('the debugger ended')
            self.pending += more
        packet = self.pending[start + 1:end]
        self.pending = self.pending[end + 3:]
        self.socket.sendall(b'+')
        return packet
