"""Ansible module: moves what Pacemaker runs on this node to other nodes, and lets it come back."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import re

from ansible.module_utils.basic import AnsibleModule

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_leaders
short_description: Moves resources of Pacemaker off a node before it stops, and lets them come back
description:
  - C(away) bans from the node what runs there, and waits until it runs elsewhere. Nothing happens if it is not there,
    or if there is no other node to take it.
  - C(back) takes the bans away. It can be repeated.
options:
  state:
    description: Whether the resources have to leave or may come back.
    choices: [away, back]
    required: true
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


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["away", "back"], "required": True},
            "node": {"type": "str", "required": True},
            "resources": {"type": "list", "default": []},
            "vips": {"type": "list", "default": []},
            "others": {"type": "list", "default": []},
            "seconds": {"type": "int", "default": 300},
        }
    )
    given, node = module.params, module.params["node"]
    names = given["resources"] + ["ip-" + address.replace(":", ".") for address in given["vips"]]
    if given["state"] == "away":
        names = [name for name in names if given["others"] and is_here(module, name, node)]
    changed, failed = [], []
    for name in names:
        if given["state"] == "away":
            argv = ["pcs", "resource", "ban", name, node, "--wait=%d" % given["seconds"]]
        else:
            argv = ["pcs", "resource", "clear", name, node]
        (failed if module.run_command(argv)[0] else changed).append(name)
    if failed:
        verb = "moved off" if given["state"] == "away" else "allowed back to"
        module.fail_json(msg="Pacemaker resources that could not be %s %s: %s" % (verb, node, ", ".join(failed)))
    module.exit_json(changed=bool(changed), resources=changed)


if __name__ == "__main__":
    main()
