"""Ansible module: moves what Pacemaker runs on this node to other nodes, and lets it come back."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_record import FOLDER, Records
from ansible.module_utils.tripleo_update_undo import reasons, undo

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_leaders
short_description: Moves resources of Pacemaker off a node before it stops, and lets them come back
description:
  - C(away) bans from the node what runs there, and waits until it runs elsewhere. Nothing happens if it is not there,
    or if there is no other node to take it. Each ban is noted in the node's record before it is made.
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


def is_here(module, resource, node):
    _, told, _ = module.run_command(["crm_resource", "--locate", "--resource", resource])
    return node in re.findall(r"^resource \S+ is running on: (\S+)", told, re.M)


def is_banned(module, resource, node):
    """Whether somebody banned it from the node by hand; ours are in the record."""
    _, told, _ = module.run_command(["pcs", "constraint", "location", "--full"])
    return bool(re.search(r"\bid: ?%s(?=[)\s])" % re.escape("cli-ban-%s-on-%s" % (resource, node)), told))


def move_away(module, records, names, node, seconds):
    """Names of what could not be moved."""
    failed = []
    for name in names:
        note = {"for": node, "kind": "ban", "name": name, "resource": name, "node": node}
        with records.alone():
            if not is_banned(module, name, node):
                records.add(note)
        if module.run_command(["pcs", "resource", "ban", name, node, "--wait=%d" % seconds])[0]:
            failed.append(name)
    return failed


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
        failed = move_away(module, records, names, node, given["seconds"])
        if failed:
            text = "Pacemaker resources that could not be moved off %s: %s"
            module.fail_json(msg=text % (node, ", ".join(failed)))
    else:
        done, left = undo(module, records, [node], ("ban",), names)
        if left:
            module.fail_json(msg="Pacemaker resources that could not be allowed back: " + reasons(left))
        names = done.get(node, [])
    module.exit_json(changed=bool(names), resources=names)


if __name__ == "__main__":
    main()
