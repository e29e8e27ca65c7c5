"""Ansible module: notes what an agent of Neutron has set up on this host, before it stops."""

# Ansible carries this file to the nodes: it may use nothing of ours but module_utils, and has to run with Python 2.7
# and 3.5 as well.

from __future__ import absolute_import, division, print_function

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_agents import KINDS, NAMESPACES, NEUTRON, seen
from ansible.module_utils.tripleo_update_record import FOLDER, Records, Unreadable

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_agent
short_description: Notes what an agent of Neutron has set up on this host, before it stops
description:
  - The note is part of the host's record. The module tripleo_update_health waits until all of it is there again, and
    takes the note away.
  - A note that is there already stays as it is. An update has broken off since, and what is there now may be half.
options:
  what:
    choices: [routers, networks]
    required: true
    description: Those of the L3 agent, or those of the DHCP agent.
  folder:
    description: Where this host keeps its record.
    type: path
    default: /var/lib/tripleo-update
  neutron:
    description: Where Neutron's agents keep theirs.
    type: path
    default: /var/lib/neutron
  namespaces:
    description: Where the host has its network namespaces.
    type: path
    default: /run/netns
author: tripleo-update-plugin developers
"""


def main():
    module = AnsibleModule(
        argument_spec={
            "what": {"choices": sorted(KINDS), "required": True},
            "folder": {"type": "path", "default": FOLDER},
            "neutron": {"type": "path", "default": NEUTRON},
            "namespaces": {"type": "path", "default": NAMESPACES},
        }
    )
    given, records = module.params, Records(module.params["folder"])
    try:
        with records.alone():
            if given["what"] in records.notes():
                module.exit_json(changed=False, msg="it is noted already")
            found = seen(given["what"], given["neutron"], given["namespaces"])
            if found:
                records.note(given["what"], found)
    except Unreadable as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(found), noted=len(found))


if __name__ == "__main__":
    main()
