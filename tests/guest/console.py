# SPDX-License-Identifier: MIT
"""Commands in the guest, over its serial console.

The other end is serve() in tests/guest/init, which describes the protocol.
Requests and answers are checked (a length, gzip's checksum), so that a
character that a busy machine lost costs a repetition and not a test.
"""
import base64
import collections
import gzip
import os
import select
import socket
import time

READY = b'pcivisor-guest ready'
LINE = 512  # characters of a request's line, well below a terminal's limit
TRIES = 3

Result = collections.namedtuple('Result', 'status output')


class GuestError(Exception):
    """The guest did not do what it must for a test to make sense."""


class Console:
    """The guest's console: a socket on which nothing else is said."""

    def __init__(self, path, alive):
        """@alive: a function that says whether the machine still runs."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.alive = alive
        self.pending = b''
        self.count = 0

    def close(self):
        self.socket.close()

    def wait_ready(self, timeout):
        """Read until init says that it listens; returns the boot's lines."""
        lines = []
        deadline = time.monotonic() + timeout
        while True:
            line = self._line(deadline)
            if READY in line:
                return lines
            lines.append(line.decode('utf-8', 'replace'))

    def run(self, command, timeout=120):
        """Run a command for the shell; returns its status and its output."""
        data = command.encode()
        for _ in range(TRIES):
            self.count += 1
            nonce = b'n%d-%s' % (self.count, os.urandom(4).hex().encode())
            self._send(nonce, data)
            result = self._answer(nonce, time.monotonic() + timeout)
            if result is not None:
                return result
        raise GuestError('the console loses characters: ' + command)

    def _send(self, nonce, data):
        text = base64.b64encode(data)
        lines = [text[at:at + LINE] for at in range(0, len(text), LINE)]
        head = b'run %s %d' % (nonce, len(data))
        self.socket.sendall(b'\n'.join([head] + lines + [b'.', b'']))

    def _answer(self, nonce, deadline):
        """The result, or None where the request must be repeated."""
        lines = None
        while True:
            words = self._line(deadline).split()
            if words[:1] != [nonce]:
                if lines is not None:
                    lines.append(b''.join(words))
            elif words[1:] == [b'begin']:
                lines = []
            elif words[1:] == [b'again']:
                return None
            elif lines is not None and words[1:2] == [b'end']:
                return self._result(lines, int(words[2]))

    @staticmethod
    def _result(lines, status):
        """The command was run: what it did cannot be had by asking again."""
        try:
            data = gzip.decompress(base64.b64decode(b''.join(lines)))
        except (ValueError, EOFError, OSError) as error:
            raise GuestError('output was lost on the console: %s\n%s' % (
                error, b'\n'.join(lines).decode('ascii', 'replace')))
        return Result(status, data.decode('utf-8', 'replace'))

    def _line(self, deadline):
        while b'\n' not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise GuestError('the guest says nothing')
            ready, _, _ = select.select([self.socket], [], [], min(left, 1))
            data = self.socket.recv(65536) if ready else None
            if data == b'' or (data is None and not self.alive()):
                raise GuestError('the machine ended')
            self.pending += data or b''
        line, _, self.pending = self.pending.partition(b'\n')
        return line.rstrip(b'\r')
