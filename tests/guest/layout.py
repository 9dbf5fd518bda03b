# SPDX-License-Identifier: MIT
"""The machine's devices: QEMU's arguments for the tests' machines.

Device 1 of the root bus is the hypervisor's console (machine.py). The ports
of device 2, where a name in brackets is QEMU's:

    02.0 [rp0] NVMe, a disk                 [nvme]
    02.1 [rp1] Intel 82574L, e1000e         [net0]  one hub
    02.2 [rp2] the same                     [net1]
    02.3 [rp3] NVMe with virtual functions  [pf]
    02.4 [rp4] nothing: for hotplug
    02.5 [rp5] a switch with virtio's disk and network card [vblk], [vnet]
    02.6 [rp6] a bridge to conventional PCI, a device without driver [edu]
    03.0       USB (xHCI)                   [usb]
    04.0       SATA (AHCI), a disk          [sata]
"""


def port(number, more=''):
    """A root port with a slot of the same number."""
    return ['-device', 'pcie-root-port,id=rp%d,slot=%d,chassis=%d,'
            'addr=2.%d%s' % (number, number, number, number, more)]


def drive(name):
    """What stands behind a disk, its image in a file of the same name."""
    return ['-drive', 'if=none,id=%s,format=raw,cache=unsafe,file={dir}/%s' % (
        name, name)]


def device(driver, name, bus, more=''):
    return ['-device', '%s,id=%s,bus=%s%s' % (driver, name, bus, more)]


def hubport(number):
    return ['-netdev', 'hubport,id=hub%d,hubid=0' % number]


def network(number, rom=''):
    """A card of the hub; QEMU's own boot ROM need not be installed."""
    return hubport(number) + device(
        'e1000e', 'net%d' % number, 'rp%d' % (number + 1),
        ',netdev=hub%d,mac=52:54:00:00:00:0%d,romfile=%s' % (
            number, number + 1, rom))


def virtual_functions():
    """A controller that can have three VFs, each of them with a queue pair
    and an interrupt of the flexible ones."""
    return (['-device', 'nvme-subsys,id=subsystem,nqn=pcivisor'] +
            device('nvme', 'pf', 'rp3',
                   ',serial=pf,subsys=subsystem,sriov_max_vfs=3'
                   ',max_ioqpairs=8,msix_qsize=9'
                   ',sriov_vq_flexible=6,sriov_vi_flexible=3'))


NVME = (port(0, ',multifunction=on') + drive('disk') +
        device('nvme', 'nvme', 'rp0', ',serial=nvme0,drive=disk'))
PORTS = [word for number in range(1, 7) for word in port(number)]
SWITCH = (device('x3130-upstream', 'up', 'rp5') +
          device('xio3130-downstream', 'down0', 'up',
                 ',slot=10,chassis=10,addr=0') +
          device('xio3130-downstream', 'down1', 'up',
                 ',slot=11,chassis=11,addr=1') +
          drive('vdisk') +
          device('virtio-blk-pci', 'vblk', 'down0', ',drive=vdisk') +
          hubport(2) +
          device('virtio-net-pci', 'vnet', 'down1',
                 ',netdev=hub2,mac=52:54:00:00:00:03,romfile='))
CONVENTIONAL = (device('pcie-pci-bridge', 'p2p', 'rp6') +
                device('edu', 'edu', 'p2p', ',addr=1'))
ROOT_BUS = (device('qemu-xhci', 'usb', 'pcie.0', ',addr=3') +
            device('ahci', 'sata', 'pcie.0', ',addr=4') + drive('sdisk') +
            ['-device', 'ide-hd,drive=sdisk,bus=sata.0'])

# In the free slot: a bridge, which takes a bus number.
FILLER = device('pcie-pci-bridge', 'filler', 'rp4')

STANDARD = (NVME + PORTS + network(0, '{dir}/rom') + network(1) +
            virtual_functions() + SWITCH + CONVENTIONAL + ROOT_BUS)
DISKS = {'disk': 64, 'vdisk': 16, 'sdisk': 16, 'rom': 1}
# For what is about speed: few devices.
SMALL = NVME
SMALL_DISKS = {'disk': 64}
