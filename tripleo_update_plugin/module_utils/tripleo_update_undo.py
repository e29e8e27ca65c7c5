"""Changes that are made from a host for an update, and how each is undone by its note alone.

A note says for which node (``for``), of which ``kind``, and by which ``name`` the change goes on this host. Kinds:

``haproxy``  a server was ``was`` and is made ``is``, told to the HAProxy behind ``socket``
``ban``      Pacemaker may not run ``resource`` on ``node``
``command``  ``argv`` undoes it, inside the container that ``container`` matches if there is such a pattern; an exit
             code in ``unknown`` comes from a tool that cannot do it
"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import fnmatch
import re

from ansible.module_utils.tripleo_update_ceph import whole
from ansible.module_utils.tripleo_update_haproxy import HAProxy, Refused
from ansible.module_utils.tripleo_update_record import is_same

__metaclass__ = type

ENGINES = ("podman", "docker")
SECONDS = 300  # for a command


class Left(Exception):
    """A change that could not be undone, and why."""


def undo(module, records, nodes, kinds=None, names=None):
    """Undo the changes for *nodes*, the newest first, or those of some kinds and names, which may be patterns (``x*``).

    ({node: what was put back}, {node: what is left, and why}); nodes without any are left out.
    """
    done, left = {}, {}
    for change in reversed(records.changes_for(nodes)):
        if (kinds and change["kind"] not in kinds) or (names is not None and not _is_named(change, names)):
            continue
        words = "%s %s" % (change["kind"], change["name"])
        try:
            _undo_of(change)(module, records, change)
        except Left as error:
            left.setdefault(change["for"], []).append("%s: %s" % (words, error))
        else:
            with records.alone():
                records.drop(change)
            done.setdefault(change["for"], []).append(words)
    return done, left


def _is_named(change, patterns):
    return any(fnmatch.fnmatchcase(change["name"], pattern) for pattern in patterns)


def reasons(left):
    """What undo() left, in one text."""
    return "; ".join(reason for node in sorted(left) for reason in left[node])


def _undo_of(change):
    if change["kind"] not in UNDO:
        raise Left("nobody here knows how to undo that")
    return UNDO[change["kind"]]


def _haproxy(_module, _records, change):
    """A server that somebody else has told something in between keeps that."""
    haproxy, key = HAProxy(change["socket"]), (change["proxy"], change["server"])
    try:
        now = haproxy.forced().get(key)
        if now == change["is"]:
            haproxy.set_state(change["proxy"], change["server"], change["was"])
    except Refused as error:
        raise Left(str(error))


def _ban(module, _records, change):
    if module.run_command(["pcs", "resource", "clear", change["resource"], change["node"]])[0]:
        raise Left("Pacemaker does not take its ban on %s away" % change["node"])


def _command(module, records, change):
    """What several nodes asked for ends with the last of them."""
    others = [each for each in records.changes() if not is_same(each, change)]
    if any((each["kind"], each["name"]) == (change["kind"], change["name"]) for each in others):
        return
    code = run_inside(module, change["argv"], change.get("container"))
    if code and code not in change.get("unknown", ()):
        raise Left("%s ended with %d" % (change["argv"][0], code))


UNDO = {"haproxy": _haproxy, "ban": _ban, "command": _command}


def run_inside(module, argv, container=None):
    """The exit code of *argv*, run in the container whose name matches, on the host where there is none.

    125 if a container is wanted, none runs, and the host does not know the command either.
    """
    return answer_inside(module, argv, container)[0]


def answer_inside(module, argv, container=None):
    """(exit code, standard output) of run_inside()."""
    prefix = find(module, container) if container else []
    if argv[0] == "ceph":
        argv = whole(list(argv), prefix, lambda words: module.run_command(words)[:2])
    code, out, _ = module.run_command(["timeout", "--kill-after=10", str(SECONDS)] + prefix + list(argv))
    return (125 if code == 127 and container and not prefix else code), out


def find(module, pattern):
    """The beginning of a command inside the container whose name matches; [] if none runs."""
    for engine in ENGINES:
        if module.get_bin_path(engine):
            _, out, _ = module.run_command([engine, "ps", "--format", "{{.Names}}\t{{.Status}}"])
            for name, _, status in [line.partition("\t") for line in out.splitlines()]:
                if re.search(pattern, name) and status.startswith("Up"):
                    return [engine, "exec", name]
    return []
