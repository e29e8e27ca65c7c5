"""Ansible module: takes nodes out of a HAProxy's rotation before they stop, and puts them back."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_haproxy import HAProxy, Refused, is_of, is_up
from ansible.module_utils.tripleo_update_record import FOLDER, Records, earlier, forget, is_same, remember
from ansible.module_utils.tripleo_update_sickness import UNHEALTHY, Acceptance, Sick
from ansible.module_utils.tripleo_update_undo import reasons, undo

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_balancer
short_description: Takes nodes out of the rotation of the HAProxy of this host, and puts them back
description:
  - C(out) gives the nodes no new sessions and waits, for a while, until the old ones have ended. What each server was
    is noted in this host's record before. One that somebody else took out is left alone, and stays out. It fails
    before anything is changed if, by HAProxy's own table, a proxy would be left without a server that is up; where
    a proxy has no other server at all, it keeps the one it has.
  - C(in) makes what C(out) noted what it was, and waits until HAProxy finds those up. It can be repeated.
  - A stats socket of level "user" refuses both. Then health checks alone decide, unless I(mode=require).
options:
  state:
    choices: [out, in]
    required: true
    description: Whether the nodes go or come.
  folder:
    description: Where this host keeps its record.
    type: path
    default: /var/lib/tripleo-update
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
  accept:
    description: Servers, C(proxy/server), that need not be up when they are in again if they were not when they went.
    type: list
    default: []
  seconds:
    description: How long to wait for sessions to end, or for nodes to be up.
    type: int
    default: 30
author: tripleo-update-plugin developers
"""

def own(haproxy, nodes, proxies):
    """Rows of HAProxy's table: the servers of *nodes* in *proxies*."""
    return [row for row in haproxy.servers(proxies) if is_of(row["svname"], nodes)]


def others_of(row, rows, nodes):
    """The servers of the same proxy that are not of *nodes*."""
    return [each for each in rows if each["pxname"] == row["pxname"] and not is_of(each["svname"], nodes)]


def last_ones(haproxy, given):
    """["<proxy> (<its other servers, and how they are>)"] where only *nodes* have a server that is up."""
    rows = haproxy.servers(given["proxies"])
    found = set()
    for row in rows:
        others = others_of(row, rows, given["nodes"])
        if is_of(row["svname"], given["nodes"]) and is_up(row) and others and not any(is_up(each) for each in others):
            states = ", ".join("%s %s" % (each["svname"], each["status"]) for each in others)
            found.add("%s (%s)" % (row["pxname"], states))
    return sorted(found)


def refuse_last(module, haproxy, given):
    """A server that is just being checked may be up in a moment."""
    deadline = time.time() + given["seconds"]
    last = last_ones(haproxy, given)
    while last and time.time() < deadline:
        time.sleep(1)
        last = last_ones(haproxy, given)
    if last:
        text = "no other server is up for %s, so nothing was taken out; bring one back first"
        module.fail_json(msg=text % "; ".join(last))


def wait(look, is_done, seconds):
    """The servers that are not done when time is up."""
    deadline = time.time() + seconds
    late = [row for row in look() if not is_done(row)]
    while late and time.time() < deadline:
        time.sleep(1)
        late = [row for row in look() if not is_done(row)]
    return [name_of(row) for row in late]


def servers_of(node):
    """In what the record knows from before: the servers of *node*, apart from what there is of the node itself."""
    return "servers of " + node


def name_of(row):
    return "%s/%s" % (row["pxname"], row["svname"])


def note_of(given, row, was):
    """The change that is about to be made to the server of a row of HAProxy's table."""
    proxy, server = row["pxname"], row["svname"]
    return {
        "for": server.split(".")[0], "kind": "haproxy", "name": "%s/%s" % (proxy, server), "socket": given["socket"],
        "proxy": proxy, "server": server, "was": was, "is": given["proxies"][proxy],
    }  # fmt: skip


def is_taken(records, note):
    """Note the change before it is made; False if somebody else took the server out, so that it is to be left alone."""
    with records.alone():
        ours = any(is_same(note, each) for each in records.changes())
        if note["was"] == "ready":
            records.add(note)
        return ours or note["was"] == "ready"


def take_out(module, records, haproxy, given):
    refuse_last(module, haproxy, given)
    for node in given["nodes"]:
        names = [name_of(row) for row in own(haproxy, [node], given["proxies"]) if not is_up(row)]
        sick = dict((name, UNHEALTHY) for name in names if name in given["accept"])
        remember(records, servers_of(node), given["accept"], sick, begun=True)
    forced, moved, table = haproxy.forced(), [], haproxy.servers(given["proxies"])

    def look():
        rows = own(haproxy, given["nodes"], given["proxies"])
        return [row for row in rows if (row["pxname"], row["svname"]) in moved]

    for row in own(haproxy, given["nodes"], given["proxies"]):
        key = (row["pxname"], row["svname"])
        if not others_of(row, table, given["nodes"]):
            continue
        note = note_of(given, row, forced.get(key, "ready"))
        if not is_taken(records, note):
            continue
        try:
            haproxy.set_state(row["pxname"], row["svname"], note["is"])
        except Refused:
            with records.alone():
                records.drop(note)
            raise
        moved.append(key)
    proxies = given["proxies"]
    return wait(look, lambda row: proxies[row["pxname"]] != "drain" or not int(row["scur"] or 0), given["seconds"])


def put_in(module, records, haproxy, given):
    """Also where HAProxy refuses the word: who is up is seen all the same. What somebody else took out is not."""
    _, left = undo(module, records, given["nodes"], ("haproxy",))
    others = [key for key, state in haproxy.forced().items() if state != "ready"]
    known = dict((node, earlier(records, servers_of(node))) for node in given["nodes"] if given["accept"])
    accepted = [Acceptance(given["accept"], each, before=False) for each in known.values()]

    def may_be_down(row):
        return any(each.allows("haproxy", Sick("not up", names=[name_of(row)])) for each in accepted)

    def look():
        rows = own(haproxy, given["nodes"], given["proxies"])
        return [row for row in rows if (row["pxname"], row["svname"]) not in others and not may_be_down(row)]

    late = wait(look, is_up, given["seconds"])
    for node in given["nodes"] if not late else []:
        forget(records, servers_of(node))
    if left:
        module.fail_json(msg="HAProxy keeps out what was taken out: " + reasons(left))
    return late


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["out", "in"], "required": True},
            "folder": {"type": "path", "default": FOLDER},
            "nodes": {"type": "list", "required": True},
            "proxies": {"type": "dict", "required": True},
            "accept": {"type": "list", "default": []},
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
        late = move(module, Records(given["folder"]), haproxy, given)
    except Refused as refusal:
        text = "HAProxy does not take servers in and out: %s" % refusal
        if given["mode"] == "require":
            module.fail_json(msg=text + ". Its stats socket needs the level admin.")
        module.exit_json(changed=False, msg=text + "; its health checks decide alone")
    if late and given["state"] == "in":
        text = "HAProxy does not find up: %s. If it was so before, accept it in the policy: haproxy:%s"
        module.fail_json(msg=text % (", ".join(late), late[0]))
    module.exit_json(changed=True, late=late)


if __name__ == "__main__":
    main()
