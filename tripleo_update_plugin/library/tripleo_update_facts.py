#!/usr/bin/python
"""An Ansible module: what a node says of itself, all of it in one call.

It runs on the nodes of every release, so it is written for Python 2.7 and 3, with the standard library only. Its
commands run side by side, each with a time limit of its own; one that gives no answer does not hold up the others.
Nothing but names, numbers and states leaves the node, and what its record says: no environment, no command line, no
text of an error.
"""

from __future__ import absolute_import, division, print_function

import os
import re
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_crm_mon import view_of
from ansible.module_utils.tripleo_update_haproxy import HAProxy, Refused, Silent
from ansible.module_utils.tripleo_update_record import FOLDER, Records, told, updated_to

__metaclass__ = type

DOCUMENTATION = """
module: tripleo_update_facts
short_description: what a node of an overcloud says of itself
description:
    - Asks for addresses, the Pacemaker cluster, units, containers, HAProxy's database sessions, a pending reboot,
      package updates, and what the node's record says of an update. Changes nothing.
author: tripleo-update-plugin developers
options:
    units:
        description: systemd units to ask for
        type: list
        default: []
    packages:
        description: whether to count package updates, which asks the repositories
        type: bool
        default: false
    haproxy_socket:
        description: HAProxy's statistics socket, a path or host:port
        type: str
        default: /var/lib/haproxy/stats
    folder:
        description: where the node's record is kept
        type: path
        default: /var/lib/tripleo-update
    node:
        description: the node's name in the inventory
        type: str
        default: ""
"""

#: Whether these are active tells a cluster that is stopped from one that does not answer.
CLUSTER_UNITS = ["pacemaker", "pacemaker_remote"]

#: Seconds.
LIMITS = {"addresses": 20, "cluster": 20, "units": 20, "containers": 20, "docker": 20, "reboot": 30, "updates": 30}

#: Packages that restart themselves when they are updated, and with them the node's network, instances or containers.
_CUTTING = re.compile(r"openvswitch|docker$|docker-ce$|podman$|libvirt-daemon$")

_FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


class Unanswered(Exception):
    """A question without an answer; its text says why, in our own words."""


def search_path():
    """Folders to look for commands in: the usual ones too, for not every login has those of the administrator."""
    return [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder] + list(_FOLDERS)


def find(names, folders):
    """The path of the first of these commands that there is, or None."""
    for name in names:
        for folder in folders:
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    return None


def ask(commands, limits):
    """{question: (exit code, output)} of {question: argv}; the code is None for one that took longer than its limit."""
    running, answers = {}, {}
    environment = dict(os.environ, LC_ALL="C")
    with open(os.devnull, "r+b") as nothing:
        for question, argv in commands.items():
            output = tempfile.TemporaryFile()
            # A group of its own: what a command has started ends with it.
            process = subprocess.Popen(
                argv, stdin=nothing, stdout=output, stderr=nothing, env=environment, preexec_fn=os.setpgrp
            )
            running[question] = (process, output)
    began = time.time()
    while running:
        for question, (process, output) in list(running.items()):
            late = time.time() - began > limits[question]
            if late and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            elif process.poll() is None:
                continue
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
            answers[question] = (None if process.returncode == -signal.SIGKILL else process.returncode, text)
            output.close()
            del running[question]
        time.sleep(0.02)
    return answers


def addresses(code, text):
    """Every address in what ``ip -o address show`` prints."""
    _need(code, 0)
    return re.findall(r"inet6? ([0-9a-fA-F.:]+)/", text)


def units(code, text, asked):
    """{unit: state} of those that are not simply inactive; ``is-active`` fails where one unit is not active."""
    states = text.split()
    if len(states) != len(asked):
        raise Unanswered(_reason(code))
    return dict((unit, state) for unit, state in zip(asked, states) if state not in ("inactive", "unknown"))


def containers(code, text):
    """{name: image} of the containers that run."""
    _need(code, 0)
    return dict(line.split()[:2] for line in text.splitlines() if len(line.split()) > 1)


def reboot(code, text):
    """Whether ``needs-restarting -r`` wants one."""
    if code == 1 and "reboot is required" in text.lower():
        return True
    _need(code, 0)
    return False


def updates(code, text):
    """How many packages ``check-update`` lists."""
    return len(_listed(code, text))


def cutting(code, text):
    """Those of them whose scripts or restarts cut what runs on the node; sorted."""
    return sorted(set(name for name in _listed(code, text) if _CUTTING.match(name)))


def _listed(code, text):
    """Names of the packages that ``check-update`` lists; a long name has its version on the next line."""
    if code == 100:
        listed = text.split("Obsoleting Packages")[0]
        return re.findall(r"^([^\s:]+)\.\w+(?:[ \t]+\S+[ \t]+\S+)?[ \t]*$", listed, re.MULTILINE)
    _need(code, 0)
    return []


def cluster(code, text, states):
    """What ``crm_mon --as-xml`` says; None where no cluster runs. *states* are those of units()."""
    if code != 0 and states is not None and not any(unit in states for unit in CLUSTER_UNITS):
        return None
    _need(code, 0)
    try:
        root = ElementTree.fromstring(text.encode("utf-8"))
    except ElementTree.ParseError:
        raise Unanswered("it is no XML")
    return view_of(root)


def sessions(path):
    """{server: sessions that HAProxy has open to it now} of the database; empty where no HAProxy runs."""
    try:
        servers = HAProxy(path).servers(("mysql",))
    except Silent as error:
        raise Unanswered(str(error))
    except Refused:
        return {}
    return dict((row["svname"], int(row["scur"] or 0)) for row in servers)


def _need(code, wanted):
    if code != wanted:
        raise Unanswered(_reason(code))


def _reason(code):
    return "no answer in time" if code is None else "exit code %d" % code


def commands(asked, packages, folders):
    """({question: argv}, {question: why it cannot be asked})."""
    found, missing = {}, {}
    wanted = [
        ("addresses", ("ip",), ["-o", "address", "show"]),
        ("cluster", ("crm_mon",), ["--as-xml"]),
        ("units", ("systemctl",), ["is-active"] + asked),
        # A node may have both, and its containers be of one of them.
        ("containers", ("podman",), ["ps", "--format", "{{.Names}} {{.Image}}"]),
        ("docker", ("docker",), ["ps", "--format", "{{.Names}} {{.Image}}"]),
        ("reboot", ("needs-restarting",), ["-r"]),
    ]
    if packages:
        wanted.append(("updates", ("dnf", "yum"), ["-q", "check-update"]))
    for question, names, arguments in wanted:
        path = find(names, folders)
        if path:
            found[question] = [path] + arguments
        elif question not in ("cluster", "containers", "docker"):  # their absence is an answer
            missing[question] = "no %s on the node" % " or ".join(names)
    return found, missing


def facts(given, folders):
    """({question: answer}, {question: why there is none}); commands are looked for in *folders*."""
    asked = list(given["units"]) + [unit for unit in CLUSTER_UNITS if unit not in given["units"]]
    argvs, unanswered = commands(asked, given["packages"], folders)
    said = ask(argvs, LIMITS)
    answers = {"cluster": None, "containers": {}}
    readers = [
        ("addresses", addresses),
        ("units", lambda code, text: units(code, text, asked)),
        ("cluster", lambda code, text: cluster(code, text, answers.get("units"))),
        ("containers", containers),
        ("docker", containers),
        ("reboot", reboot),
        ("updates", updates),
    ]
    for question, read in readers:
        if question in said:
            _note(answers, unanswered, question, lambda: read(*said[question]))  # noqa: B023 - called at once
    if "updates" in answers:
        answers["cutting"] = cutting(*said["updates"])
    _join_engines(answers, unanswered)
    _note(answers, unanswered, "sessions", lambda: sessions(given["haproxy_socket"]))
    return answers, unanswered


def _join_engines(answers, unanswered):
    """The containers of both engines as one answer; one that does not answer matters only if the other has none."""
    found = dict(answers.pop("docker", {}), **answers.get("containers", {}))
    if found:
        for question in ("containers", "docker"):
            unanswered.pop(question, None)
    if found or "containers" in answers:
        answers["containers"] = found


def _note(answers, unanswered, question, read):
    try:
        answers[question] = read()
    except Unanswered as error:
        answers.pop(question, None)
        unanswered[question] = str(error)


def main():
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "default": []},
            "packages": {"type": "bool", "default": False},
            "haproxy_socket": {"type": "str", "default": "/var/lib/haproxy/stats"},
            "folder": {"type": "path", "default": FOLDER},
            "node": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    answers, unanswered = facts(module.params, search_path())
    records = Records(module.params["folder"])
    answers["held"] = told(records, module.params["node"])
    answers["updated"] = updated_to(records)
    module.exit_json(changed=False, answers=answers, unanswered=unanswered)


if __name__ == "__main__":
    main()
