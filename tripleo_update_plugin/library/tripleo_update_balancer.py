"""Ansible module: takes nodes out of a HAProxy's rotation before they stop, and puts them back."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import socket
import time
from contextlib import closing

from ansible.module_utils.basic import AnsibleModule

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

SECONDS = 10  # for a connection


class Refused(Exception):
    """HAProxy does not answer, or does not do as it is told."""


class HAProxy:
    def __init__(self, path, nodes, proxies):
        self.path, self.nodes, self.proxies = path, nodes, proxies

    def ask(self, line):
        try:
            if self.path.startswith("/"):
                link = socket.socket(socket.AF_UNIX)
                link.settimeout(SECONDS)
                link.connect(self.path)
            else:
                address, _, port = self.path.rpartition(":")
                link = socket.create_connection((address, int(port)), SECONDS)
            with closing(link):
                link.sendall(line.encode() + b"\n")
                return b"".join(iter(lambda: link.recv(65536), b"")).decode("utf-8", "replace")
        except EnvironmentError as error:
            raise Refused("its stats socket does not answer (%s)" % type(error).__name__)

    def servers(self):
        """[(proxy, server, its sessions, its status)] of the nodes."""
        rows = [line.split(",") for line in self.ask("show stat").splitlines() if line and not line.startswith("#")]
        wanted = [row for row in rows if row[0] in self.proxies and row[1].split(".")[0] in self.nodes]
        return [(row[0], row[1], int(row[4] or 0), row[17]) for row in wanted]

    def set_state(self, proxy, server, state):
        answer = self.ask("set server %s/%s state %s" % (proxy, server, state)).strip()
        if answer:
            raise Refused(answer.splitlines()[0])


def wait(proxy, is_done, seconds):
    """The servers that are not done when time is up."""
    deadline = time.time() + seconds
    late = [each for each in proxy.servers() if not is_done(each)]
    while late and time.time() < deadline:
        time.sleep(1)
        late = [each for each in proxy.servers() if not is_done(each)]
    return ["%s/%s" % each[:2] for each in late]


def take_out(proxy, seconds):
    for name, server, _, _ in proxy.servers():
        proxy.set_state(name, server, proxy.proxies[name])
    return wait(proxy, lambda each: proxy.proxies[each[0]] != "drain" or each[2] == 0, seconds)


def put_in(proxy, seconds):
    """Also where HAProxy refuses the word: who is up is seen all the same."""
    refusal = None
    for name, server, _, _ in proxy.servers():
        try:
            proxy.set_state(name, server, "ready")
        except Refused as error:
            refusal = error
    late = wait(proxy, lambda each: each[3].startswith(("UP", "no check")), seconds)
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
    proxy = HAProxy(given["socket"], given["nodes"], given["proxies"])
    try:
        late = (take_out if given["state"] == "out" else put_in)(proxy, given["seconds"])
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
