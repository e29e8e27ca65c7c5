"""Ansible module: takes nodes out of a HAProxy's rotation before they stop, and puts them back."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_haproxy import HAProxy, Refused, is_of

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_balancer
short_description: Takes nodes out of the rotation of the HAProxy of this host, and puts them back
description:
  - C(out) gives the nodes no new sessions and waits, for a while, until the old ones have ended.
  - C(in) puts them back and waits until HAProxy finds them up. It can be repeated.
  - A stats socket of level "user" refuses both. Then health checks alone decide, unless I(mode=require).
options:
  state:
    choices: [out, in]
    required: true
    description: Whether the nodes go or come.
  nodes:
    description: Names of nodes; a server of HAProxy is called like one, or like one with a domain.
    type: list
    required: true
  proxies:
    description: For each proxy, how its servers go; C(drain) waits for sessions to end, C(maint) cuts them.
    type: dict
    required: true
  mode:
    description: C(require) fails where HAProxy does not do as it is told, C(auto) warns, C(off) does nothing.
    choices: [auto, require, "off"]
    default: auto
  socket:
    description: HAProxy's stats socket, a path or host:port.
    type: str
    default: /var/lib/haproxy/stats
  seconds:
    description: How long to wait for sessions to end, or for nodes to be up.
    type: int
    default: 30
author: tripleo-update-plugin developers
"""

def own(haproxy, nodes, proxies):
    """Rows of HAProxy's table: the servers of *nodes* in *proxies*."""
    return [row for row in haproxy.servers(proxies) if is_of(row["svname"], nodes)]


def wait(look, is_done, seconds):
    """The servers that are not done when time is up."""
    deadline = time.time() + seconds
    late = [row for row in look() if not is_done(row)]
    while late and time.time() < deadline:
        time.sleep(1)
        late = [row for row in look() if not is_done(row)]
    return ["%s/%s" % (row["pxname"], row["svname"]) for row in late]


def take_out(haproxy, nodes, proxies, seconds):
    for row in own(haproxy, nodes, proxies):
        haproxy.set_state(row["pxname"], row["svname"], proxies[row["pxname"]])
    look = lambda: own(haproxy, nodes, proxies)  # noqa: E731
    return wait(look, lambda row: proxies[row["pxname"]] != "drain" or not int(row["scur"] or 0), seconds)


def put_in(haproxy, nodes, proxies, seconds):
    """Also where HAProxy refuses the word: who is up is seen all the same."""
    refusal = None
    for row in own(haproxy, nodes, proxies):
        try:
            haproxy.set_state(row["pxname"], row["svname"], "ready")
        except Refused as error:
            refusal = error
    look = lambda: own(haproxy, nodes, proxies)  # noqa: E731
    late = wait(look, lambda row: row["status"].startswith(("UP", "no check")), seconds)
    if refusal and not late:
        raise refusal
    return late


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["out", "in"], "required": True},
            "nodes": {"type": "list", "required": True},
            "proxies": {"type": "dict", "required": True},
            "mode": {"choices": ["auto", "require", "off"], "default": "auto"},
            "socket": {"type": "str", "default": "/var/lib/haproxy/stats"},
            "seconds": {"type": "int", "default": 30},
        }
    )
    given = module.params
    if given["mode"] == "off":
        module.exit_json(changed=False)
    haproxy, move = HAProxy(given["socket"]), take_out if given["state"] == "out" else put_in
    try:
        late = move(haproxy, given["nodes"], given["proxies"], given["seconds"])
    except Refused as refusal:
        text = "HAProxy does not take servers in and out: %s" % refusal
        if given["mode"] == "require":
            module.fail_json(msg=text + ". Its stats socket needs the level admin.")
        module.exit_json(changed=False, msg=text + "; its health checks decide alone")
    if late and given["state"] == "in":
        module.fail_json(msg="HAProxy does not find up: " + ", ".join(late))
    module.exit_json(changed=True, late=late)


if __name__ == "__main__":
    main()
