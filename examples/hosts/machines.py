"""The machines that `capture` boots: QEMU's arguments, one option a line.

A disk is a null block device: no image is needed, and nothing of the host
gets into a capture. Devices have an address or a bus of their own, so that
adding one moves no other.
"""

DISKS = """
-blockdev driver=null-co,node-name=disk0,read-zeroes=on,size=16777216
-blockdev driver=null-co,node-name=disk1,read-zeroes=on,size=16777216
-blockdev driver=null-co,node-name=disk2,read-zeroes=on,size=16777216
"""

# Room for 4 VFs; the guest enables 2 before the capture.
SRIOV = ("serial=pcv-sriov,subsys=subsys0,sriov_max_vfs=4,"
         "sriov_vq_flexible=8,sriov_vi_flexible=4,max_ioqpairs=10,"
         "msix_qsize=5")

# Without the global, hot-plug is ACPI's and no port offers it natively.
Q35 = f"""
-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
-device virtio-rng-pci,addr=01.0,multifunction=on
-device virtio-balloon-pci,addr=01.1
-device pcie-root-port,id=rp0,addr=02.0,multifunction=on,chassis=1,slot=1
-device pcie-root-port,id=rp1,addr=02.1,chassis=1,slot=2
-device pcie-root-port,id=rp2,addr=02.2,chassis=1,slot=3
-device pcie-root-port,id=rp3,addr=02.3,chassis=1,slot=4
-device pcie-root-port,id=rp4,addr=02.4,chassis=1,slot=5,disable-acs=on
-device pcie-root-port,id=rp5,addr=02.5,chassis=1,slot=6,bus-reserve=2,pref64-reserve=1G
-device ioh3420,id=ioh,addr=03.0,chassis=1,slot=7
-device pci-testdev,addr=04.0
-device pci-testdev,addr=05.0,membar=8G
-device virtio-blk-pci,addr=06.0,drive=disk2,num-queues=1
-device qemu-xhci,addr=07.0
-device intel-hda,addr=1b.0
-device ich9-usb-ehci1,id=ehci,addr=1d.7,multifunction=on
-device ich9-usb-uhci1,addr=1d.0,multifunction=on,masterbus=ehci.0,firstport=0
-device ich9-usb-uhci2,addr=1d.1,masterbus=ehci.0,firstport=2
-device ich9-usb-uhci3,addr=1d.2,masterbus=ehci.0,firstport=4
-device i82801b11-bridge,id=dmi,addr=1e.0
-device edu,bus=dmi,addr=01.0
-device nvme,bus=rp0,serial=pcv-nvme,drive=disk0
-device nvme-subsys,id=subsys0
-device nvme,id=nvme1,bus=rp1,{SRIOV}
-device nvme-ns,bus=nvme1,drive=disk1,nsid=1
-device x3130-upstream,id=up,bus=rp2
-device xio3130-downstream,id=dn0,bus=up,addr=00.0,chassis=2,slot=1
-device xio3130-downstream,id=dn1,bus=up,addr=01.0,chassis=2,slot=2
-device xio3130-downstream,id=dn2,bus=up,addr=02.0,chassis=2,slot=3
-device qemu-xhci,bus=dn0
-device ich9-ahci,bus=dn1
-device pcie-pci-bridge,id=pci,bus=rp3
-device e1000,bus=pci,addr=01.0
-device pci-serial,bus=pci,addr=02.0
-device pci-bridge,id=pci2,bus=pci,addr=03.0,chassis_nr=3
-device edu,bus=pci2,addr=04.0
-device virtio-net-pci,bus=rp4,aer=on,ats=on
-device e1000e,bus=ioh
"""

VIRT = """
-device virtio-rng-pci,addr=01.0,multifunction=on
-device virtio-balloon-pci,addr=01.1
-device pcie-root-port,id=rp0,addr=02.0,multifunction=on,chassis=1,slot=1
-device pcie-root-port,id=rp1,addr=02.1,chassis=1,slot=2
-device pcie-root-port,id=rp2,addr=02.2,chassis=1,slot=3
-device pcie-root-port,id=rp3,addr=02.3,chassis=1,slot=4
-device pcie-root-port,id=rp4,addr=02.4,chassis=1,slot=5
-device pci-testdev,addr=03.0
-device virtio-blk-pci,addr=04.0,drive=disk1,num-queues=1
-device nvme,bus=rp0,serial=pcv-nvme,drive=disk0
-device e1000e,bus=rp1
-device qemu-xhci,bus=rp2
-device virtio-net-pci,bus=rp3,aer=on
"""

ROOTS = f"""
-object memory-backend-ram,id=ram0,size=256M
-object memory-backend-ram,id=ram1,size=256M
-numa node,nodeid=0,cpus=0,memdev=ram0
-numa node,nodeid=1,cpus=1,memdev=ram1
-device virtio-rng-pci,addr=01.0
-device pcie-root-port,id=rp0,addr=02.0,chassis=1,slot=1
-device pxb-pcie,id=pxb0,bus=pcie.0,addr=08.0,bus_nr=0x40,numa_node=0
-device pxb-pcie,id=pxb1,bus=pcie.0,addr=09.0,bus_nr=0x80,numa_node=1
-device pcie-root-port,id=rp40,bus=pxb0,addr=00.0,chassis=2,slot=1
-device pcie-root-port,id=rp41,bus=pxb0,addr=01.0,chassis=2,slot=2
-device pcie-root-port,id=rp80,bus=pxb1,addr=00.0,chassis=3,slot=1
-device e1000e,bus=rp0
-device nvme,bus=rp40,serial=pcv-nvme,drive=disk0
-device qemu-xhci,bus=rp41
-device x3130-upstream,id=up,bus=rp80
-device xio3130-downstream,id=dn0,bus=up,addr=00.0,chassis=4,slot=1
-device xio3130-downstream,id=dn1,bus=up,addr=01.0,chassis=4,slot=2
-device virtio-net-pci,bus=dn0
-device nvme-subsys,id=subsys0
-device nvme,id=nvme1,bus=dn1,{SRIOV}
-device nvme-ns,bus=nvme1,drive=disk1,nsid=1
"""


def machine(title, arch, program, devices, console):
    """Title, Debian's architecture, QEMU's and the kernel's arguments."""
    return (title, arch,
            program.split("\n") + ["-m 512", "-accel tcg", "-nodefaults",
                                   "-display none", "-serial stdio",
                                   "-no-reboot"]
            + [line for line in (DISKS + devices).split("\n") if line],
            f"console={console} quiet loglevel=0 panic=-1")


X86 = "qemu-system-x86_64\n-machine q35\n-cpu qemu64\n"
ARM = ("qemu-system-aarch64\n-machine virt,gic-version=3,iommu=smmuv3\n"
       "-cpu cortex-a57\n")

MACHINES = {
    "q35": machine("a PC with a switch, conventional buses and SR-IOV",
                   "amd64", X86 + "-smp 1", Q35, "ttyS0 tsc=reliable"),
    "q35-roots": machine("a PC with three root buses and two NUMA nodes",
                         "amd64", X86 + "-smp 2", ROOTS,
                         "ttyS0 tsc=reliable"),
    "virt": machine("an arm64 machine with GICv3, ITS and SMMUv3",
                    "arm64", ARM + "-smp 1", VIRT, "ttyAMA0"),
}
