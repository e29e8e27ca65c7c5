"""Ansible module: who works on this host, and what has been taken out of use from here."""

# Ansible carries this file to the nodes: it may use nothing of ours but module_utils, and has to run with Python 2.7
# and 3.5 as well.

from __future__ import absolute_import, division, print_function

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_record import FOLDER, Records, Unreadable, claim, free, keep, told
from ansible.module_utils.tripleo_update_undo import undo

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_record
short_description: Keeps the record of what an update does to a node, on the node itself
description:
  - C(claim) makes a batch the owner of the node, before anything is done to it. Fails, and names the owner, where
    another batch is at work or has left services out of use, and where what an earlier attempt began still runs.
  - C(keep) says that a phase has ended and that the node is still the batch's.
  - C(free) says that nobody needs the node any more.
  - C(undo) puts back what was changed from this host for I(nodes), the newest first. It goes on after one that fails,
    and tells what is left, and why.
  - C(read) tells the record and changes nothing.
options:
  state:
    choices: [claim, keep, free, undo, read]
    required: true
    description: What to do.
  folder:
    description: Where the record is kept.
    type: path
    default: /var/lib/tripleo-update
  node:
    description: The node's name in the inventory.
    type: str
    required: true
  owner:
    description: The batch, as the record names it. Without it, C(free) does not ask whose it is.
    type: dict
  seconds:
    description: How long the claim holds by itself, from now on.
    type: int
    default: 0
  wait:
    description: How long to wait for another owner, or for what is still at work.
    type: int
    default: 0
  drained:
    description: Whether services of the node are out of use. By default, that stays as it is.
    type: bool
  failed:
    description: Why the batch failed on the node.
    type: str
    default: ""
  forget:
    description: Whether C(free) forgets how sick the node was before the update, for it is well, or somebody says so.
    type: bool
    default: false
  nodes:
    description: For which nodes C(undo) puts things back.
    type: list
    default: []
  outputs:
    description: The digest of the stack's outputs that an update has brought all of the node to, told by C(free).
    type: str
    default: ""
author: tripleo-update-plugin developers
"""


def claimed(records, given):
    """Why the node is not ours, after having waited; "" if it is."""
    deadline = time.time() + given["wait"]
    while True:
        refusal = claim(records, given["owner"], given["node"], given["seconds"])
        if not refusal or time.time() >= deadline:
            return refusal
        time.sleep(2)


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["claim", "keep", "free", "undo", "read"], "required": True},
            "folder": {"type": "path", "default": FOLDER},
            "node": {"type": "str", "required": True},
            "owner": {"type": "dict"},
            "seconds": {"type": "int", "default": 0},
            "wait": {"type": "int", "default": 0},
            "drained": {"type": "bool"},
            "failed": {"type": "str", "default": ""},
            "forget": {"type": "bool", "default": False},
            "nodes": {"type": "list", "default": []},
            "outputs": {"type": "str", "default": ""},
        },
        required_if=[("state", "claim", ["owner"]), ("state", "keep", ["owner"])],
    )
    given = module.params
    records, result = Records(given["folder"]), {"changed": True}
    try:
        if given["state"] == "claim":
            refusal = claimed(records, given)
            if refusal:
                module.fail_json(msg=refusal, held=told(records, given["node"]))
        elif given["state"] == "keep":
            keep(records, given["owner"], given["seconds"], given["drained"], given["failed"])
        elif given["state"] == "free":
            free(records, given["owner"], given["outputs"], given["node"] if given["forget"] else "")
        elif given["state"] == "undo":
            done, left = undo(module, records, given["nodes"])
            result = {"changed": bool(done), "put_back": done, "left": left}
        else:
            result = {"changed": False}
    except Unreadable as error:
        module.fail_json(msg=str(error))
    module.exit_json(held=told(records, given["node"]), **result)


if __name__ == "__main__":
    main()
