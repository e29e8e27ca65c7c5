"""Ansible module: moves what Pacemaker runs on this node to other nodes, and lets it come back."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import re
import xml.etree.ElementTree as ElementTree

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_record import FOLDER, Records
from ansible.module_utils.tripleo_update_undo import reasons, undo

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_leaders
short_description: Moves resources of Pacemaker off a node before it stops, and lets them come back
description:
  - C(away) bans from the node what runs there, and waits until it runs elsewhere. Nothing happens if it is not there,
    or if there is no other node to take it. Of what has a master only that counts. Each ban is noted in the node's
    record before it is made.
  - Fails before anything is moved if no other node may have one of them now, by what the cluster says of bans, standby
    and maintenance; and puts back at once what does not run any more after its ban.
  - C(back) takes away the bans that the record has. A ban that somebody else made stays. It can be repeated.
options:
  state:
    description: Whether the resources have to leave or may come back.
    choices: [away, back]
    required: true
  folder:
    description: Where the node keeps its record.
    type: path
    default: /var/lib/tripleo-update
  node:
    description: The node's name in the cluster.
    type: str
    required: true
  resources:
    description: Names of resources.
    type: list
  vips:
    description: Virtual IP addresses; their resources are called ip-ADDRESS, with dots for colons.
    type: list
  others:
    description: Nodes that can take the resources.
    type: list
  seconds:
    description: How long Pacemaker may take to move one.
    type: int
    default: 300
author: tripleo-update-plugin developers
"""


def places(module, resource):
    """[(node, whether its copy there is promoted)] of where the cluster runs it."""
    _, told, _ = module.run_command(["crm_resource", "--locate", "--resource", resource])
    found = re.findall(r"^resource \S+ is running on: (\S+)[ \t]*(\w*)", told, re.M)
    return [(node, role in ("Master", "Promoted")) for node, role in found]


def is_here(module, resource, node):
    """Whether it, or its master if it has one, runs on *node*."""
    found = places(module, resource)
    masters = [each for each in found if each[1]]
    return node in [name for name, _ in masters or found]


def able(module, resource, others):
    """(those of *others* that may run it now, why the others may not, in words)."""
    code, told, _ = module.run_command(["crm_mon", "--as-xml"])
    try:
        root = ElementTree.fromstring(told.encode("utf-8")) if code == 0 else None
    except ElementTree.ParseError:
        root = None
    if root is None:
        return [], "crm_mon does not tell which nodes could have it"
    states = dict((node.get("name"), node) for node in root.findall("nodes/node"))
    banned = set(ban.get("node") for ban in root.findall("bans/ban") if bars(ban, resource))
    fit, unfit = [], []
    for name in others:
        why = "is banned" if name in banned else out_of_service(states.get(name))
        if why:
            unfit.append("%s %s" % (name, why))
        else:
            fit.append(name)
    words = ", ".join(unfit)
    if banned & set(others):
        words += "; 'pcs resource clear %s' takes bans away that an earlier update or move left" % resource
    return fit, words


def bars(ban, resource):
    """Whether a ban keeps *resource* off its node for good."""
    return ban.get("resource") == resource and int(ban.get("weight") or 0) <= -1000000


def out_of_service(node):
    """Why a node of the cluster takes nothing; "" if it does."""
    if node is None:
        return "is not in the cluster"
    for state in ("standby", "maintenance", "pending"):
        if node.get(state) == "true":
            return "is in " + state if state != "pending" else "is joining"
    return "" if node.get("online") == "true" else "is offline"


def is_banned(module, resource, node):
    """Whether somebody banned it from the node by hand; ours are in the record."""
    _, told, _ = module.run_command(["pcs", "constraint", "location", "--full"])
    return bool(re.search(r"\bid: ?%s(?=[)\s])" % re.escape("cli-ban-%s-on-%s" % (resource, node)), told))


def move_away(module, records, names, node, seconds):
    """["<name>: <why>"] of what could not be moved; what is without a place then is back where it was."""
    failed = []
    for name in names:
        note = {"for": node, "kind": "ban", "name": name, "resource": name, "node": node}
        with records.alone():
            if not is_banned(module, name, node):
                records.add(note)
        code = module.run_command(["pcs", "resource", "ban", name, node, "--wait=%d" % seconds])[0]
        if not places(module, name):
            undo(module, records, [node], ("ban",), [name])
            failed.append("%s: it ran nowhere any more, so it is back" % name)
        elif code:
            failed.append("%s: it has not moved within %d s" % (name, seconds))
    return failed


def stuck(module, names, others):
    """["<name>: <why>"] of what no other node may have."""
    found = [(name, able(module, name, others)) for name in names]
    return ["%s: %s" % (name, why) for name, (fit, why) in found if not fit]


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["away", "back"], "required": True},
            "folder": {"type": "path", "default": FOLDER},
            "node": {"type": "str", "required": True},
            "resources": {"type": "list", "default": []},
            "vips": {"type": "list", "default": []},
            "others": {"type": "list", "default": []},
            "seconds": {"type": "int", "default": 300},
        }
    )
    given, node = module.params, module.params["node"]
    records = Records(given["folder"])
    names = given["resources"] + ["ip-" + address.replace(":", ".") for address in given["vips"]]
    if given["state"] == "away":
        names = [name for name in names if given["others"] and is_here(module, name, node)]
        stays = stuck(module, names, given["others"])
        if stays:
            text = "no other node may have these Pacemaker resources, so nothing was moved off %s: %s"
            module.fail_json(msg=text % (node, "; ".join(stays)))
        failed = move_away(module, records, names, node, given["seconds"])
        if failed:
            text = "Pacemaker resources that could not be moved off %s: %s"
            module.fail_json(msg=text % (node, "; ".join(failed)))
    else:
        done, left = undo(module, records, [node], ("ban",), names)
        if left:
            module.fail_json(msg="Pacemaker resources that could not be allowed back: " + reasons(left))
        names = done.get(node, [])
    module.exit_json(changed=bool(names), resources=names)


if __name__ == "__main__":
    main()
