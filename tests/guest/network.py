# SPDX-License-Identifier: MIT
"""Traffic between the machine's two network cards."""


class Network:
    """The two cards of the hub, the second in a network namespace of its
    own, so that packets must go through the hub. On both sides a server sends
    a MiB to who connects."""

    SERVER = 'nc -ll -p 99 -e cat /tmp/net/data >/dev/null 2>&1'
    ADDRESS = {'here': '10.0.0.1', 'there': '10.0.0.2'}

    def __init__(self, case):
        self.case = case
        self.sum = None

    def interface(self, name):
        return self.case.check('ls ' + self.case.sysfs(name, 'net')).strip()

    def __enter__(self):
        here, there = self.interface('net0'), self.interface('net1')
        self.case.check('''
            rm -rf /tmp/net; mkdir -p /tmp/net
            dd if=/dev/urandom of=/tmp/net/data bs=64k count=16 2>/dev/null
            unshare -n %s &
            echo $! >/tmp/there
            until [ "$(readlink /proc/$!/ns/net)" != \
                "$(readlink /proc/self/ns/net)" ]; do usleep 50000; done
            ip addr add 10.0.0.1/24 dev %s; ip link set %s up
            %s &
            echo $! >/tmp/here
            ip link set %s netns "$(cat /tmp/there)"
            nsenter -t "$(cat /tmp/there)" -n ip addr add 10.0.0.2/24 dev %s
            nsenter -t "$(cat /tmp/there)" -n ip link set %s up
            ''' % (self.SERVER, here, here, self.SERVER, there, there, there))
        self.sum = self.case.check('sha256sum </tmp/net/data').split()[0]
        self.case.wait('ping -c 1 -W 2 10.0.0.2')  # the link comes up
        return self

    def __exit__(self, *_):
        # the second card comes back as its namespace ends
        self.case.check('kill $(cat /tmp/here) $(cat /tmp/there); '
                        'ip addr flush dev %s; ip link set %s down' %
                        ((self.interface('net0'),) * 2))
        self.case.wait('ls %s/*' % self.case.sysfs('net1', 'net'))

    def on(self, side, command):
        if side == 'there':
            command = 'nsenter -t "$(cat /tmp/there)" -n ' + command
        return self.case.check(command)

    def other(self, side):
        return self.ADDRESS['here' if side == 'there' else 'there']

    def ping(self, side):
        answer = self.on(side, 'ping -c 5 -i 0.2 -W 10 -s 1400 ' +
                         self.other(side))
        self.case.assertIn('5 packets received', answer)

    def fetch(self, side):
        """The checksum of what the other side sends."""
        return self.on(side, 'timeout 60 nc %s 99 </dev/null' %
                       self.other(side) + ' | sha256sum').split()[0]
