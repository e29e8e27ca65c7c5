"""What Neutron's L3 and DHCP agents have set up on this host, and whether they have done so again after a restart.

A router or a network is a namespace of its own. An agent that has set one up anew has written its settings anew, so
these are younger than the agent (neutron/agent/linux/keepalived.py and dhcp.py; so it is from Mitaka to today). What is
deleted in Neutron the agent takes away with its settings, and nobody waits for it. No login is needed for any of that.
"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import os
import time
from collections import namedtuple

from ansible.module_utils.tripleo_update_record import Unreadable

__metaclass__ = type

NEUTRON = "/var/lib/neutron"
NAMESPACES = "/run/netns"

#: Namespaces begin with one of ``prefixes``; ``process`` runs inside; ``settings`` and ``state`` are files of a router
#: or network in ``folder``; ``agent`` is the command that sets it all up.
Kind = namedtuple("Kind", "prefixes process folder settings state agent")

KINDS = {
    "routers": Kind(("qrouter-", "snat-"), "keepalived", "ha_confs", "keepalived.conf", "state", "neutron-l3-agent"),
    "networks": Kind(("qdhcp-",), "dnsmasq", "dhcp", "host", None, "neutron-dhcp-agent"),
}

#: Of a router that is highly available: master up to Victoria, primary after. Else it is in fault, or nobody knows.
STATES = ("master", "primary", "backup")

SLACK = 2  # seconds by which a process may seem younger than it is


def seen(what, neutron=NEUTRON, namespaces=NAMESPACES):
    """{namespace: {"runs": is its process there, "written": when its settings were, None without any, "state", "agent":
    does the agent run}}."""
    kind, found = KINDS[what], {}
    agent = _began(kind.agent) is not None
    names = os.listdir(namespaces) if os.path.isdir(namespaces) else []
    busy = _inside(kind.process)
    for name in names:
        prefix = next((each for each in kind.prefixes if name.startswith(each)), None)
        if prefix:
            folder = os.path.join(neutron, kind.folder, name[len(prefix) :])
            found[name] = {
                "runs": _inode(os.path.join(namespaces, name)) in busy,
                "written": _written(os.path.join(folder, kind.settings)),
                "state": _text(os.path.join(folder, kind.state)) if kind.state else "",
                "agent": agent,
            }
    return found


def unsettled(what, noted, neutron=NEUTRON, namespaces=NAMESPACES):
    """{namespace: why it is not as it was *noted*}, noted being what seen() said before."""
    kind, now, found = KINDS[what], seen(what, neutron, namespaces), {}
    began = _began(kind.agent)
    for name in noted:
        id = name[len(next(each for each in kind.prefixes if name.startswith(each))) :]
        gone = noted[name]["written"] is not None and not os.path.isdir(os.path.join(neutron, kind.folder, id))
        reason = "" if gone else _reason(noted[name], now.get(name), kind, began)
        if reason:
            found[name] = reason
    return found


def awaited(records, what, neutron=NEUTRON, namespaces=NAMESPACES):
    """Why what is noted in *records* is not all there again, in words; "" if it is, and the note is taken away."""
    try:
        noted = records.notes().get(what, {})
        missing = unsettled(what, noted, neutron, namespaces) if noted else {}
        if noted and not missing:
            with records.alone():
                records.drop_note(what)
    except Unreadable as error:
        return str(error)
    if not missing:
        return ""
    some = ["%s (%s)" % item for item in sorted(missing.items())[:3]] + ["and others"] * (len(missing) > 3)
    return "%d of %d %s are not back: %s" % (len(missing), len(noted), what, ", ".join(some))


def _reason(before, now, kind, began):
    if now is None:
        return "there is no such namespace"
    if before["runs"] and not now["runs"]:
        return "no %s runs there" % kind.process
    if before["agent"] and began is None:
        return "no %s runs" % kind.agent
    if before["written"] is not None and began is not None and (now["written"] or 0) < began - SLACK:
        return "the agent has not come to it yet"
    if before["state"] in STATES and now["state"] not in STATES:
        return "its state is %s" % (now["state"] if now["state"] in ("fault", "unknown") else "not known")
    return ""


def _inside(process):
    """The network namespaces, by their inodes, in which a process of that name runs."""
    found = set()
    for pid in _pids():
        if _text("/proc/%s/comm" % pid).startswith(process):
            found.add(_inode("/proc/%s/ns/net" % pid))
    return found - set([None])


def _began(command):
    """When the oldest process of a command began, in Unix seconds; None if there is none."""
    began = []
    for pid in _pids():
        words = _text("/proc/%s/cmdline" % pid).split("\0")[:3]  # an interpreter and its options come first
        if command in [os.path.basename(word) for word in words]:
            fields = _text("/proc/%s/stat" % pid).rpartition(")")[2].split()
            if len(fields) > 19:
                began.append(int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    return time.time() - float(_text("/proc/uptime").split()[0]) + min(began) if began else None


def _pids():
    return [entry for entry in os.listdir("/proc") if entry.isdigit()]


def _inode(path):
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def _written(path):
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def _text(path):
    """What a file says; "" if there is none, or not any more."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace").strip()
    except (IOError, OSError):
        return ""
