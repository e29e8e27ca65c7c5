"""Ansible module: are the services of this node healthy, and which are not?"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import errno
import re
import socket
import time
from multiprocessing.pool import ThreadPool
from os import devnull, environ
from subprocess import PIPE, Popen

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tripleo_update_agents import awaited
from ansible.module_utils.tripleo_update_ceph import cannot_spare, whole, why
from ansible.module_utils.tripleo_update_haproxy import HAProxy, Refused, missed
from ansible.module_utils.tripleo_update_ports import SECONDS, HTTPException, get_plain_or_tls, packed, talk, unverified
from ansible.module_utils.tripleo_update_record import FOLDER, Records, Unreadable, claim, earlier, remember, told
from ansible.module_utils.tripleo_update_sickness import STOPPED, UNHEALTHY, Acceptance, Look, Sick, looked_at
from ansible.module_utils.tripleo_update_units import IDLE, containers, units

__metaclass__ = type

DOCUMENTATION = r"""
module: tripleo_update_health
short_description: Waits until the services of a node are healthy, as the service catalogue describes it
description:
  - Changes nothing but the record, where it claims the node, or finds again what was noted there. Fails if a service is
    still sick when time is up, and names every one that is, with the reason, and C(names) by which that can be
    accepted.
  - Never tells what a command printed, which may be a secret.
options:
  checks:
    description: What to look at. Each has C(services), and one of the keys that the catalogue describes.
    type: list
    required: true
  node:
    description: The node's name in the inventory and the cluster.
    type: str
    required: true
  seconds:
    description: How long to look again and again. One look may take longer than that.
    type: int
    default: 0
  delay:
    description: Seconds between two looks.
    type: int
    default: 5
  address:
    description: Where the node's services listen. By default, all addresses of the node but the virtual ones.
    type: str
  vips:
    description: Virtual IP addresses; what answers there need not be this node's.
    type: list
  haproxy_socket:
    description: HAProxy's stats socket, a path or host:port.
    type: str
    default: /var/lib/haproxy/stats
  folder:
    description: Where the node keeps its record.
    type: path
    default: /var/lib/tripleo-update
  claim:
    description: The batch that claims the node before it is looked at. Fails while another one has it.
    type: dict
  lease:
    description: How long that claim holds by itself.
    type: int
    default: 0
  peers_may_be_held:
    description: A node without C(claim) that somebody works on, or that is out of use, is told and not looked at.
    type: bool
    default: false
  accept:
    description: What may be sick as it was before the update; names begin with C(service:), C(unit:) or C(haproxy:).
    type: list
    default: []
  moment:
    description: With C(before), what is accepted is taken as it is found, and noted where I(claim) claims the node.
      With C(after), it must not be worse than was noted then.
    choices: [before, after]
    default: before
author: tripleo-update-plugin developers
"""

COMMAND_SECONDS = 60
NO_CONTAINER = "its container does not run"


def run(argv, seconds=COMMAND_SECONDS):
    """(exit code, standard output, standard error); code 127 if there is no such command, 124 if it took too long."""
    with open(devnull) as nothing:
        process = Popen(
            ["timeout", "--kill-after=5", str(seconds)] + list(argv),
            stdin=nothing, stdout=PIPE, stderr=PIPE, env=dict(environ, LC_ALL="C"),
        )  # fmt: skip
        out, err = process.communicate()
    return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


class Host:
    """The node, and what was learnt of it during this look."""

    def __init__(self, params, ran=()):
        self.params = params
        self.ran = ran  # units that have to run, because an unhealthy one was accepted as such
        self.units = {}
        self.containers = {}  # {name: (engine, status)}

    def learn(self, checks):
        """Asks in one go what many checks want to know."""
        units = [unit for check in checks for unit in check.get("units") or []]
        for unit in [unit for check in checks for unit in check.get("containers") or []]:
            units += [unit, unit + "_healthcheck"]
        if units:
            lines = run(["systemctl", "is-active"] + units)[1].split("\n")
            self.units = dict(zip(units, lines))
        if any(self._needs_containers(check) for check in checks):
            for engine in ("docker", "podman"):
                for line in run([engine, "ps", "-a", "--format", "{{.Names}}\t{{.Status}}"])[1].splitlines():
                    name, _, status = line.partition("\t")
                    self.containers[name] = (engine, status)

    def _needs_containers(self, check):
        idle = "containers" in check and self.are_idle(check["containers"])
        return idle or "like" in check or any("container" in check.get(kind, ()) for kind in ("command", "ceph_spares"))

    def are_idle(self, names):
        return all(self.units.get(name, "unknown") in IDLE for name in names)

    def running(self, pattern):
        """The beginning of a command inside the container that matches; empty if none runs."""
        for name, (engine, status) in sorted(self.containers.items()):
            if re.search(pattern, name) and status.startswith("Up"):
                return [engine, "exec", name]
        return []

    def addresses(self):
        if self.params["address"]:
            return [self.params["address"]]
        found = re.findall(r"^\d+: (?!lo )\S+ +inet6? ([0-9a-fA-F.:]+)/", run(["ip", "-o", "address", "show"])[1], re.M)
        vips = [packed(vip) for vip in self.params["vips"] or []]
        return [a for a in found if packed(a) not in vips and not a.startswith("fe80")] or ["127.0.0.1"]


def _located(resource):
    """[(node, role)] as crm_resource tells them."""
    told = run(["crm_resource", "--locate", "--resource", resource])[1]
    return re.findall(r"^resource \S+ is running on: (\S+) *(\S*)", told, re.M)


def here(host, resources):
    sick = [name for name in resources if host.params["node"] not in [node for node, _ in _located(name)]]
    return [Sick("Pacemaker does not run it here: ", name, ["unit:" + name], STOPPED) for name in sick]


def somewhere(host, resources):
    sick = [name for name in resources if not _located(name)]
    return [Sick("Pacemaker runs it nowhere: ", name, ["unit:" + name]) for name in sick]


def master(host, resource):
    masters = [node for node, role in _located(resource) if role in ("Master", "Promoted")]
    return [] if len(masters) == 1 else [Sick("%s has %d masters instead of one" % (resource, len(masters)))]


def _anywhere(host, port, ask):
    """Nothing if *ask* is content with some address of the node, else why not."""
    worst, level = "nothing answers on port %d" % port, STOPPED
    for address in host.addresses():
        try:
            reason = ask(address)
        except (EnvironmentError, HTTPException) as error:
            if getattr(error, "errno", None) == errno.ECONNREFUSED:
                continue
            reason = "port %d does not answer as it should (%s)" % (port, type(error).__name__)
        if not reason:
            return []
        worst, level = reason, UNHEALTHY
    return [Sick(worst, names=["port %d" % port], level=level)]


def http(host, asked):
    """Any answer but an error of the server; with ``expect``, one that holds it. With TLS where plain HTTP fails."""
    port = int(asked["port"])

    def ask(address):
        status, body = get_plain_or_tls(address, asked)
        if status >= 500 or status == 400:
            return "port %d answers %d" % (port, status)
        return "" if re.search(asked.get("expect", ""), body) else "port %d does not answer as it should" % port

    return _anywhere(host, port, ask)


def tcp(host, asked):
    """Something listens; with ``send`` and ``expect``, it answers as it should, with or without TLS."""
    port = int(asked["port"])
    send, expect = asked.get("send", "").encode(), asked.get("expect", "").encode()

    def ask(address):
        plain = socket.create_connection((address, port), SECONDS)
        try:
            if talk(plain, send, expect):
                return ""
        except socket.error:
            pass
        secure = unverified().wrap_socket(socket.create_connection((address, port), SECONDS))
        return "" if talk(secure, send, expect) else "port %d does not answer as it should" % port

    return _anywhere(host, port, ask)


def _run_inside(inside, argv):
    """What run() says of *argv* in a container, or on the host if *inside* is empty."""
    if argv[0] == "ceph":
        argv = whole(argv, inside, lambda words: run(words)[:2])
    return run(inside + argv)


def command(host, asked):
    """It ends well and says what is expected. Runs in the container that matches; without one, on the host."""
    inside = host.running(asked["container"]) if "container" in asked else []
    name = asked["argv"][0]
    code, out, err = _run_inside(inside, asked["argv"])
    if asked.get("unless") and re.search(asked["unless"], out + err):
        return ""
    if code == 127 and asked.get("container") and not inside:
        return NO_CONTAINER
    if code in (124, 137):
        return "%s did not end within %d s" % (name, COMMAND_SECONDS)
    if code:
        return why(code, err) if name == "ceph" else "%s ended with %d" % (name, code)
    if not re.search(asked.get("expect", ""), out, re.M):
        return asked["reason"]
    if "members" in asked:
        found = re.search(asked["members"], out, re.M)
        count = int(found.group(1)) if found else 0
        return "" if count >= int(asked["least"]) else "%d members instead of %s" % (count, asked["least"])
    return ""


def ceph_spares(host, asked):
    """The OSDs of some nodes can stop together."""
    inside, start = host.running(asked["container"]), ["ceph", "--cluster", asked["cluster"]]
    return cannot_spare(asked["nodes"], lambda words: _run_inside(inside, start + words))


def as_a_whole(kind):
    """A kind of check that says in one text how all of it is sick, as [Sick]."""

    def look_at(host, asked):
        reason = kind(host, asked)
        return [Sick(reason, level=STOPPED if reason == NO_CONTAINER else UNHEALTHY)] if reason else []

    return look_at


def haproxy(host, _):
    """No proxy is without a server that is up. Of some, such as redis, all servers but one are always down."""
    try:
        rows = HAProxy(host.params["haproxy_socket"]).table()
    except Refused as error:
        return [Sick(str(error))]
    down = [row["pxname"] for row in rows if row["svname"] == "BACKEND" and row["status"].startswith("DOWN")]
    return [Sick("no server is up for ", proxy, ["haproxy:" + proxy]) for proxy in sorted(down)]


def servers(host, asked):
    """Of each proxy so many servers are up, by HAProxy's own table, as may be counted on when some nodes go.

    *asked* is {proxy: {going: nodes, away: nodes that are known to be down, allowed: how many may be down at once}}.
    """
    try:
        rows = HAProxy(host.params["haproxy_socket"]).servers(asked)
    except Refused as error:
        return [Sick(str(error))]
    names = [name for proxy in sorted(asked) for name in missed(rows, proxy, **asked[proxy])]
    return [Sick("HAProxy has too few servers up without ", name, ["haproxy:" + name]) for name in names]


def settled(host, asked):
    """What an agent of Neutron had set up before it was stopped, by the node's record, it has set up again."""
    return awaited(Records(host.params["folder"]), **asked)


def like(host, name):
    """A service that nobody described: units and containers with its name; None if there are none."""
    spellings = (name.replace("_", "-"), name.replace("-", "_"))
    patterns = [prefix + spelling + "*" for prefix in ("tripleo_", "openstack-", "") for spelling in spellings]
    listed = run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service"] + patterns)[1]
    found = dict(re.findall(r"(\S+)\.service +\S+ +(\S+)", listed))
    boxes = dict((box, status) for box, (_, status) in host.containers.items() if box.startswith(name))
    if not found and not boxes:
        return None
    bad = dict((box, UNHEALTHY) for box, status in boxes.items() if "(unhealthy)" in status)
    for unit in [unit for unit, state in found.items() if state == "failed"]:
        bad[unit] = UNHEALTHY if unit.endswith("_healthcheck") else STOPPED
    ill = [Sick("unhealthy: ", each, level=level) for each, level in sorted(bad.items())]
    if STOPPED in bad.values() or "active" in found.values() or any(s.startswith("Up") for s in boxes.values()):
        return ill
    return ill + [Sick("none of its units and containers runs", level=STOPPED)]


KINDS = {
    each.__name__: each
    for each in (units, containers, here, somewhere, master, http, tcp, haproxy, servers, like)
}  # fmt: skip
KINDS.update((each.__name__, as_a_whole(each)) for each in (command, ceph_spares, settled))


def look(params, acceptance):
    """A Look at everything that is asked for."""
    host = Host(params, acceptance.ran())
    host.learn(params["checks"])

    def answer_of(check):
        [kind] = set(check) - {"services"}
        return check["services"], KINDS[kind](host, check[kind])

    pool = ThreadPool(8)
    try:
        return Look(pool.map(answer_of, params["checks"]), acceptance)
    finally:
        pool.terminate()


def hold(module, deadline):
    """Claim the node, where it is one of the batch; its record. Ends the module where it need not be looked at."""
    given = module.params
    records = Records(given["folder"])
    if not given["claim"]:
        held = told(records, given["node"])
        if given["peers_may_be_held"] and held.get("state"):
            module.exit_json(changed=False, unchecked=[], held=held)
        return held
    try:
        refusal = claim(records, given["claim"], given["node"], given["lease"])
        while refusal and time.time() + given["delay"] <= deadline:
            time.sleep(given["delay"])
            refusal = claim(records, given["claim"], given["node"], given["lease"])
    except Unreadable as error:
        refusal = str(error)
    if refusal:
        module.fail_json(msg=refusal, unchecked=[], held=told(records, given["node"]))
    return told(records, given["node"])


def accepted(module):
    given = module.params
    try:
        known = earlier(Records(given["folder"]), given["node"]) if given["accept"] else {}
    except Unreadable as error:
        module.fail_json(msg=str(error), unchecked=[])
    return Acceptance(given["accept"], known, given["moment"] == "before")


def main():
    module = AnsibleModule(
        argument_spec={
            "checks": {"type": "list", "required": True},
            "node": {"type": "str", "required": True},
            "seconds": {"type": "int", "default": 0},
            "delay": {"type": "int", "default": 5},
            "address": {"type": "str"},
            "vips": {"type": "list"},
            "haproxy_socket": {"type": "str", "default": "/var/lib/haproxy/stats"},
            "accept": {"type": "list", "default": []},
            "moment": {"choices": ["before", "after"], "default": "before"},
            "folder": {"type": "path", "default": FOLDER},
            "claim": {"type": "dict"},
            "lease": {"type": "int", "default": 0},
            "peers_may_be_held": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    deadline = time.time() + module.params["seconds"]
    held = hold(module, deadline)
    acceptance = accepted(module)
    seen = look(module.params, acceptance)
    while seen.sick and time.time() + module.params["delay"] <= deadline:
        time.sleep(module.params["delay"])
        seen = look(module.params, acceptance)
    said = {"unchecked": sorted(seen.unchecked), "held": held, "accepted": seen.tolerated(), "without": seen.without()}
    if seen.sick:
        module.fail_json(msg="sick: " + ", ".join(sorted(seen.sick)), sick=seen.reasons(), names=seen.names(), **said)
    if module.params["claim"]:
        names = looked_at(acceptance.names, module.params["checks"])
        remember(Records(module.params["folder"]), module.params["node"], names, seen.noted())
    module.exit_json(changed=False, **said)


if __name__ == "__main__":
    main()
