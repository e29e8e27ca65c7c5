"""Ansible module: switches something off for a node's update, and back to what it was."""

# Ansible carries this file to the nodes: it may use nothing of ours but module_utils, and has to run with Python 2.7
# and 3.5 as well.

from __future__ import absolute_import, division, print_function

import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_record import FOLDER, Records
from ansible.module_utils.tripleo_update_undo import answer_inside, reasons, run_inside, undo

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_switch
short_description: Switches something off for a node's update, and back to what it was
description:
  - C(out) looks first. What is off already, because somebody else switched it off, is left alone and stays off.
    Otherwise this host notes how to undo it, and only then it is switched off.
  - C(back) goes by the note alone. Without one there is nothing to undo. Of several nodes for which the same thing is
    off, the last to come back switches it on.
options:
  state:
    choices: [out, back]
    required: true
    description: Off, or as it was.
  folder:
    description: Where this host keeps its record.
    type: path
    default: /var/lib/tripleo-update
  node:
    description: The node for whose sake it is done; its name in the inventory.
    type: str
    required: true
  name:
    description:
      - What is switched, in words that are its own on this host. With C(back) it may be a pattern, as in C(x *).
    type: str
    required: true
  is_out:
    description: How to see that it is off already, C(argv) and a regular expression that its output then matches.
    type: dict
  out:
    description: The command that switches it off.
    type: list
  back:
    description: The command that switches it on again.
    type: list
  container:
    description: A regular expression for the name of the container to run the commands in.
    type: str
  unknown:
    description: Exit codes of tools that do not know the command. Then there is nothing to do.
    type: list
    default: [64, 126, 127]
  seconds:
    description: How long to try again where C(out) or C(back) fails.
    type: int
    default: 0
author: tripleo-update-plugin developers
"""


def is_off(module, given):
    """Whether it is off already."""
    if not given["is_out"]:
        return False
    code, out = answer_inside(module, given["is_out"]["argv"], given["container"])
    return code == 0 and bool(re.search(given["is_out"]["expect"], out, re.M))


def switch_out(module, records, given):
    """Why it could not be switched off, "" if it is off."""
    change = {
        "for": given["node"], "kind": "command", "name": given["name"], "argv": given["back"],
        "container": given["container"], "unknown": given["unknown"],
    }  # fmt: skip
    with records.alone():
        noted = [each for each in records.changes() if (each["kind"], each["name"]) == ("command", given["name"])]
        if not noted and is_off(module, given):
            module.exit_json(changed=False, msg="it was off before, and stays so")
        records.add(change)
    code = run_inside(module, given["out"], given["container"])
    if code in given["unknown"]:
        with records.alone():
            records.drop(change)
        module.exit_json(changed=False, msg="nothing here knows how to do that")
    return "%s ended with %d" % (given["out"][0], code) if code else ""


def switch_back(module, records, given):
    """Why it could not be switched on again, "" if it is as it was."""
    return reasons(undo(module, records, [given["node"]], ("command",), (given["name"],))[1])


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["out", "back"], "required": True},
            "folder": {"type": "path", "default": FOLDER},
            "node": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "is_out": {"type": "dict"},
            "out": {"type": "list"},
            "back": {"type": "list"},
            "container": {"type": "str"},
            "unknown": {"type": "list", "default": [64, 126, 127]},
            "seconds": {"type": "int", "default": 0},
        },
        required_if=[("state", "out", ["out", "back"])],
    )
    given, deadline = module.params, time.time() + module.params["seconds"]
    given["unknown"] = [int(code) for code in given["unknown"]]
    records, switch = Records(given["folder"]), switch_out if given["state"] == "out" else switch_back
    reason = switch(module, records, given)
    while reason and time.time() < deadline:
        time.sleep(2)
        reason = switch(module, records, given)
    if reason:
        module.fail_json(msg="%s: %s" % (given["name"], reason))
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
