"""How is Ceph asked on a host that has a monitor, whoever deployed it and whatever the cluster's name is?

With the monitor's own name and key. Its data folder has them, however Ceph was deployed: by packages, by ceph-ansible,
by cephadm. The administrator's key can be missing: cephadm mounts it into no daemon's container. Seen with Ceph 16: the
monitor's key is good for all questions and flags, those that the manager answers included.
"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import json
import re
import socket

__metaclass__ = type

DATA = "/var/lib/ceph/mon"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
# cephadm writes "mon.ID", since Ceph 16 "mon-ID"; within its containers every cluster is called "ceph".
CEPHADM = re.compile(r"^ceph-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-mon[.-](%s)$" % NAME)
AGAIN, DENIED, BUSY = 11, 13, 16  # errno


def whole(argv, inside, answer):
    """*argv*, a command that begins with ceph, as it has to be given: with the cluster's name and the monitor's key.

    It may begin with "--cluster NAME"; without it, or with an empty name, the cluster is the monitor's own.
    *inside* is the beginning of a command in the monitor's container, [] for the host; answer(argv) gives (exit code,
    standard output). Where no monitor's folder is found, the administrator's key has to be there.
    """
    given = argv[1:2] == ["--cluster"]
    wanted, rest = (argv[2], argv[3:]) if given else ("", argv[1:])
    cluster, id = _monitor(wanted, inside, answer)
    if not id:
        cluster = cluster or _configured(inside, answer)
        return [argv[0], "--cluster", cluster] + rest
    key = "%s/%s-%s/keyring" % (DATA, cluster, id)
    return [argv[0], "--cluster", cluster, "-n", "mon.", "-k", key] + rest


def _monitor(wanted, inside, answer):
    """(the cluster's name, the monitor's id), by its data folder CLUSTER-ID or cephadm's name for its container."""
    folders = [name for name in answer(inside + ["ls", DATA])[1].split() if re.match(NAME + "$", name)]
    own = socket.gethostname().split(".")[0]
    for folder in sorted(folders, key=lambda name: not name.endswith("-" + own)):
        if wanted and folder.startswith(wanted + "-"):
            return wanted, folder[len(wanted) + 1 :]
        if not wanted and folder.endswith("-" + own):
            return folder[: -len(own) - 1], own
        if not wanted and "-" in folder:
            return tuple(folder.split("-", 1))
    found = CEPHADM.match(inside[-1]) if inside else None
    return ("ceph", found.group(1)) if found else (wanted, "")


def _configured(inside, answer):
    """The cluster's name by its configuration, "ceph" if there are several or none."""
    names = re.findall(r"^(%s)\.conf$" % NAME, answer(inside + ["ls", "/etc/ceph"])[1], re.M)
    return names[0] if len(names) == 1 else "ceph"


def why(code, err):
    """What it means that ceph ended with *code*, in words; *err* is what it said, which may hold secrets."""
    if code == DENIED or "keyring" in err:
        return "ceph has no key that the cluster accepts"
    if "conf_read_file" in err:
        return "ceph has no configuration of that cluster"
    if "timed out" in err or "errno 110" in err:
        return "no monitor of Ceph answers"
    return "ceph ended with %d" % code


def cannot_spare(nodes, ask):
    """Why the OSDs of *nodes* may not stop together; "" if they may, or there are none.

    ask(words) gives (exit code, standard output, standard error) of a command of ceph's.
    """
    code, out, err = ask(["node", "ls", "osd"])
    if code:
        return why(code, err)
    osds = _osds_of(nodes, out)
    if osds is None:
        return "ceph does not tell which OSDs are where"
    code, _, err = ask(["osd", "ok-to-stop"] + osds) if osds else (0, "", "")
    if code in (AGAIN, BUSY):
        return "placement groups would be offline without the OSDs of " + ", ".join(sorted(nodes))
    return why(code, err) if code else ""


def _osds_of(nodes, told):
    """Ids of the OSDs of *nodes*, on the hosts that they themselves tell, whatever the failure domains are called."""
    try:
        on = json.loads(told)
        return [str(osd) for host in sorted(on) if host in nodes or host.split(".")[0] in nodes for osd in on[host]]
    except (TypeError, ValueError, AttributeError):
        return None
