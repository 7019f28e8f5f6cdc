#!/usr/bin/python3 -IS
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hook.py GUEST OPERATION SUB-OPERATION EXTRA <DOMAIN.xml: what hooks/qemu.c decides, as a python3 hook, for comparison: can this guest have
# a VF? Without "site" and with as few modules as it takes, which is as quick as such a hook can be made.
import os
import sys


def pools(xml):
    """The names of the guest's networks."""
    for part in xml.split(b"network=")[1:]:
        if part[:1] in (b"'", b'"'):
            yield part[1:].split(part[:1], 1)[0]


def is_pool(name):
    """Whether a network of this host is active and may be a pool of host devices."""
    try:
        with open(b"/run/libvirt/network/" + name + b".xml", "rb") as file:
            return b"hostdev" in file.read()
    except FileNotFoundError:
        return False


def main():
    if sys.argv[2] not in ("migrate", "prepare", "start", "started", "stopped", "release", "reconnect"):
        return
    xml = sys.stdin.buffer.read()
    if xml.startswith((b"<domain ", b"<domain>")) and b"hostdev" not in xml and b"urn:vferry:passport" not in xml:
        if not any(is_pool(name) for name in pools(xml)):
            return
    memory = os.memfd_create("domain", 0)
    os.write(memory, xml)
    os.lseek(memory, 0, os.SEEK_SET)
    os.dup2(memory, 0)
    os.execv("/usr/libexec/vferry/hook", sys.argv)


main()
