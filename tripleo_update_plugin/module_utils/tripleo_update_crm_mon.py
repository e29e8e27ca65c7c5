"""What ``crm_mon --as-xml`` says of a Pacemaker cluster, without a word that is not a name, a number or a state.

Attributes by Pacemaker's own schemas (xml/api) and its source: 1.1.16 to 2.1. An old one that does not tell something
leaves it out: stop-all-resources is told from 2.0 on, fencing history from 2.0.3 on.
"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import re

__metaclass__ = type

ENGINES = ("docker", "podman", "rkt")
NEVER = -1000000  # a ban for good; crm_mon's word for -INFINITY

#: What may be wrong with a resource on a node, the worst first.
BLOCKED, FAILED, UNMANAGED = "blocked", "failed", "unmanaged"


def view_of(root):
    """The whole of it: fencing, bans, quorum, nodes, resources and what is wrong with them."""
    controller, options = root.find("summary/current_dc"), root.find("summary/cluster_options")
    given = {} if options is None else options.attrib
    left_alone = given.get("maintenance-mode") == "true"
    nodes = [node for node in root.findall("nodes/node") if not node.get("id_as_resource")]  # the inside of a bundle
    states = dict((node.get("name"), _state(node, left_alone)) for node in nodes)
    resources = root.find("resources")
    tops = [] if resources is None else list(resources)
    return {
        "fencing": None if "stonith-enabled" not in given else given["stonith-enabled"] == "true",
        "maintenance": left_alone,
        "all_stopped": given.get("stop-all-resources") == "true",
        "bans": [
            {"resource": ban.get("resource"), "node": ban.get("node")}
            for ban in root.findall("bans/ban")
            if ban.get("resource") and ban.get("node") and int(ban.get("weight") or 0) <= NEVER
        ],
        "quorum": controller is not None and controller.get("with_quorum") == "true",
        "nodes": [
            {"name": node.get("name"), "remote": node.get("type") == "remote", "state": states[node.get("name")]}
            for node in nodes
        ],
        "resources": [
            {
                "name": top.get("id"), "kind": top.tag, "instances": list(_instances(top, [])),
                "replicas": len(top.findall("replica") or list(top.iter("resource"))),
            }
            for top in tops
        ],
        "troubles": [] if left_alone else [each for top in tops for each in _troubles(top, states)],
        "failures": list(_failures(root)),
        "fenced": list(_fenced(root)),
    }  # fmt: skip


def _state(node, left_alone):
    """A cluster in maintenance makes all its nodes look so."""
    if node.get("unclean") == "true":
        return "unclean"
    if node.get("online") != "true":
        return "offline"
    if node.get("pending") == "true":
        return "pending"
    if node.get("standby") == "true" or node.get("standby_onfail") == "true":
        return "standby"
    return "maintenance" if node.get("maintenance") == "true" and not left_alone else "online"


def _instances(element, names):
    """Every running copy: the names it goes by, the node it is on, its role there."""
    name = (element.get("id") or "").split(":")[0]
    if element.tag == "resource":
        for node in element.findall("node"):
            yield _instance(names + [name], node.get("name"), element.get("role"))
    elif element.tag == "bundle":
        for replica in element.findall("replica"):
            for each in _in_bundle(replica, name):
                yield each
    else:
        plain = re.sub(r"-(clone|master)$", "", name)
        for part in element:
            for each in _instances(part, names + [name, plain]):
                yield each


def _in_bundle(replica, bundle):
    """A bundle's copy is on the node of its container; its role is that of the resource inside, where there is one."""
    inside = [each for each in replica.findall("resource") if _agent(each) not in ENGINES + ("IPaddr2", "remote")]
    host = _host(replica)
    if host:
        role = inside[0].get("role") if inside else "Started"
        yield _instance([bundle] + [each.get("id") for each in inside], host, role)


def _host(replica):
    """The node that a bundle's container runs on, None if it runs nowhere."""
    for resource in replica.findall("resource"):
        node = resource.find("node")
        if _agent(resource) in ENGINES and node is not None:
            return node.get("name")
    return None


def _agent(resource):
    return (resource.get("resource_agent") or "").split(":")[-1]


def _instance(names, node, role):
    # Pacemaker 2.1 says Promoted for what was Master.
    return {"names": sorted(set(names)), "node": node, "promoted": role in ("Master", "Promoted")}


def _troubles(top, states):
    """What is wrong with a resource, and where; of several things on one node the worst."""
    found = {}
    replicas = top.findall("replica")
    placed = [(_host(replica), replica.findall("resource")) for replica in replicas] or [
        (node.get("name"), [resource]) for resource in top.iter("resource") for node in resource.findall("node")
    ]
    for host, resources in placed:
        for resource in resources:
            what = _trouble(resource)
            # A node in maintenance makes what is on it look unmanaged.
            if host and what and not (what == UNMANAGED and states.get(host) == "maintenance"):
                found[host] = min(found.get(host, UNMANAGED), what, key=(BLOCKED, FAILED, UNMANAGED).index)
    return [{"resource": top.get("id"), "node": host, "what": found[host]} for host in sorted(found)]


def _trouble(resource):
    if resource.get("blocked") == "true":  # a stop that failed, where nothing could fence the node; unmanaged, too
        return BLOCKED
    if resource.get("failed") == "true":
        return FAILED
    return UNMANAGED if resource.get("managed") == "false" else None


def _failures(root):
    """Actions that failed and were not cleaned up; what they said of it stays on the node."""
    for failure in root.findall("failures/failure"):
        key = re.match(r"(.+?)_(?:migrate_(?:to|from)|[a-z]+)_\d+$", failure.get("op_key") or "")
        if key and failure.get("node"):
            yield {"resource": key.group(1), "node": failure.get("node")}


def _fenced(root):
    """The last fencing of each node, for crm_mon lists the newest first."""
    seen = set()
    for event in root.findall("fence_history/fence_event"):
        target = event.get("target")
        if target and target not in seen and event.get("action") != "on":
            seen.add(target)
            yield {
                "node": target, "action": event.get("action") or "", "status": event.get("status") or "",
                "completed": event.get("completed") or "",
            }  # fmt: skip
