"""What the nodes say now: one question to each of them, and what the answers mean.

The question is the Ansible module ``library/tripleo_update_facts.py``: one task for all nodes, because every task costs
seconds on many of them. It looks and changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tripleo_update_plugin.adapters.ansible import Outcome
from tripleo_update_plugin.executor.runner import cluster_facts
from tripleo_update_plugin.names import is_digest, is_safe_name, naturally, short_name
from tripleo_update_plugin.overcloud.addresses import canonical
from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Held
from tripleo_update_plugin.overcloud.model import RUNNERS, VIPS_OF_SERVICES, Node, Overcloud
from tripleo_update_plugin.playbooks.plays import Phase
from tripleo_update_plugin.rules.acceptance import HEALTH_CHECK
from tripleo_update_plugin.rules.catalogue import Catalogue, Profile

TASK = "What does the node say"
TASKS = (TASK,)

#: What one node answers: {question: answer}; the module says which there are.
Answers = Mapping[str, Any]


_BALANCERS = ("haproxy", "keepalived")

_CLUSTER_SERVICES = ("pacemaker", "pacemaker_remote")


def questions(overcloud: Overcloud, nodes: Iterable[str], catalogue: Catalogue) -> Phase:
    """A play that asks *nodes*; add_module() puts what it needs beside it."""
    hosts = list(naturally(nodes))
    units: dict[str, list[str]] = {}
    for name in hosts:
        node = overcloud.node(name)
        if node.role not in units:
            units[node.role] = list(_units(node, catalogue))
    task = {
        "name": TASK,
        "tripleo_update_facts": {
            "units": "{{ tripleo_update_units[tripleo_update_roles[inventory_hostname]] }}",
            "packages": overcloud.packaging == "packages",
            "haproxy_socket": "{{ tripleo_update_haproxy_socket | default('/var/lib/haproxy/stats') }}",
            "folder": "{{ tripleo_update_marks | default(omit) }}",
            "node": "{{ inventory_hostname }}",
        },
    }
    known = {"tripleo_update_units": units, "tripleo_update_roles": {name: overcloud.node(name).role for name in hosts}}
    play = {"name": "Ask the nodes", "hosts": hosts, "gather_facts": False, "vars": known, "tasks": [task]}
    return Phase(plays=(play,))


def _units(node: Node, catalogue: Catalogue) -> tuple[str, ...]:
    profiles = [each for each in map(catalogue.profile, node.services) if each.is_bounded]
    plain = {unit for profile in profiles for unit in profile.units.get("systemd", ())}
    return naturally(plain.union(*(_with_checks(profile) for profile in profiles)))


def _with_checks(profile: Profile) -> set[str]:
    """The units of a profile's containers and of their health checks."""
    units = profile.units.get("container", ())
    return {*units, *(unit + HEALTH_CHECK for unit in units)}


def answers(
    overcloud: Overcloud,
    catalogue: Catalogue,
    outcome: Outcome,
    results: Mapping[str, Mapping[str, Any]],
    images: Mapping[str, Mapping[str, str]],
) -> Facts:
    """Facts from what the nodes said, {node: {task: result}}; *images* is {role: {container: image it is to run}}."""
    told = {name: results[name].get(TASK) or {} for name in naturally(results)}
    said: dict[str, Answers] = {name: result.get("answers") or {} for name, result in told.items()}
    held = {name: Held.from_dict(record) for name, answer in said.items() if (record := _record(answer))}
    # Nodes that nobody works on speak first: of those that see the same one is heard.
    views = {name: said[name]["cluster"] for name in sorted(said, key=held.__contains__) if said[name].get("cluster")}
    clusters = tuple(cluster_facts.distinct(cluster_facts.cluster(name, view) for name, view in views.items()))
    running = _Running(overcloud, catalogue, said, images)
    unanswered = {name: dict(result["unanswered"]) for name, result in told.items() if result.get("unanswered")}
    return Facts(
        down=frozenset(name for name, node in outcome.nodes.items() if node.unreachable),
        leaders={**_vip_leaders(overcloud, said), **running.leaders(clusters), **_writer(overcloud, said)},
        managed_by={name: found for name in said if (found := running.otherwise(name))},
        clusters=clusters,
        unclustered=frozenset(
            name for name, answer in said.items()
            if answer.get("cluster", "unknown") is None and overcloud.node(name).services & {*_CLUSTER_SERVICES}
        ),
        failed={name: units for name in said if (units := running.failed(name))},
        pending_reboot=frozenset(name for name, answer in said.items() if answer.get("reboot")),
        updates=_updates(overcloud, said, images),
        cutting={name: naturally(filter(is_safe_name, a["cutting"])) for name, a in said.items() if a.get("cutting")},
        unanswered=unanswered,
        held=held,
        updated={name: a["updated"] for name, a in said.items() if is_digest(a.get("updated"))},
        absent=cluster_facts.absent(overcloud, catalogue, clusters, views),
    )  # fmt: skip


def _record(answer: Answers) -> Mapping[str, Any]:
    """What the node's record says, if it says anything of the node itself."""
    record = answer.get("held") or {}
    return record if record.get("state") else {}


def _updates(
    overcloud: Overcloud, said: Mapping[str, Answers], images: Mapping[str, Mapping[str, str]]
) -> dict[str, int]:
    """Packages with a newer version; in a containerized overcloud, containers that run another image than they are to.

    A bundle's own containers are left out: their images go by a tag of Pacemaker's.
    """
    updates: dict[str, int] = {}
    for name, answer in said.items():
        if overcloud.packaging == "packages" and "updates" in answer:
            updates[name] = answer["updates"]
        elif overcloud.packaging == "containers" and "containers" in answer:
            wanted = images.get(overcloud.node(name).role, {})
            running = answer["containers"].items()
            updates[name] = sum(1 for container, image in running if wanted.get(container, image) != image)
    return updates


def _vip_leaders(overcloud: Overcloud, said: Mapping[str, Answers]) -> dict[str, str]:
    """The holder of a service's VIP; of the load balancers, the node that holds the most VIPs."""
    leaders: dict[str, str] = {}
    balancing: Counter[str] = Counter()
    holders: dict[str, str] = {}
    for name, answer in said.items():
        for address in answer.get("addresses") or ():
            holders.setdefault(canonical(address), name)
    for vip, address in overcloud.vips.items():
        holder = holders.get(canonical(address), "")
        if vip not in VIPS_OF_SERVICES:
            balancing.update([holder] if holder else [])
        elif holder and VIPS_OF_SERVICES[vip] in overcloud.node(holder).services:
            leaders[VIPS_OF_SERVICES[vip]] = holder
    for service in _BALANCERS:
        held = {name: n for name, n in balancing.items() if service in overcloud.node(name).services}
        if held:
            leaders[service] = next(name for name in naturally(held) if held[name] == max(held.values()))
    return leaders


def _writer(overcloud: Overcloud, said: Mapping[str, Answers]) -> dict[str, str]:
    """The database that HAProxy's sessions go to: all of them do, unless a failover has just left some behind."""
    sessions: Counter[str] = Counter()
    for answer in said.values():
        for server, open_now in (answer.get("sessions") or {}).items():
            sessions[short_name(server)] += open_now
    hosts = overcloud.hosts_of("mysql")
    busiest = [(name, n) for name, n in sessions.most_common() if n and name in hosts]
    return {"mysql": busiest[0][0]} if busiest else {}


class _Running:
    """Who runs which service, by the names that the catalogue gives its units."""

    def __init__(
        self,
        overcloud: Overcloud,
        catalogue: Catalogue,
        said: Mapping[str, Answers],
        images: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._overcloud = overcloud
        self._catalogue = catalogue
        self._said = said
        self._containers = {role: {f"tripleo_{name}" for name in named} for role, named in images.items()}

    def leaders(self, clusters: Iterable[Cluster]) -> dict[str, str]:
        """Of each service in Pacemaker the one node that is promoted, or that alone runs it."""
        leaders: dict[str, str] = {}
        for cluster in clusters:
            resources = self._said[cluster.seen_from]["cluster"]["resources"]
            copies = [copy for resource in resources for copy in resource["instances"]]
            for service, hosts in self._overcloud.hosts().items():
                found = self._led(service, copies)
                if len(found) == 1 and len(hosts) > 1 and found <= hosts:
                    leaders.setdefault(service, *found)
        return leaders

    def _led(self, service: str, copies: Iterable[Mapping[str, Any]]) -> set[str]:
        """Nodes where *service* is promoted; where it runs, if it is promoted nowhere."""
        profile = self._catalogue.profile(service)
        names = {*profile.units.get("pacemaker", ()), *profile.units.get("bundle", ())}
        own = [copy for copy in copies if names & set(copy["names"])]
        promoted = [copy for copy in own if copy["promoted"]]
        return {short_name(str(copy["node"])) for copy in promoted or own}

    def otherwise(self, name: str) -> dict[str, str]:
        """{service: who runs it on the node} where that is not who runs it by the outputs."""
        node = self._overcloud.node(name)
        expected = self._overcloud.runners.get(node.role, {})
        found = {service: self._runner(node, service) for service in naturally(node.services)}
        return {service: runner for service, runner in found.items() if runner and runner != expected.get(service)}

    def _runner(self, node: Node, service: str) -> str:
        """Who runs it there; "" where that does not show, or what the outputs say cannot be seen either."""
        profile = self._catalogue.profile(service)
        expected = self._overcloud.runners.get(node.role, {}).get(service, "")
        units = {runner: {*profile.units.get(runner, ())} for runner in RUNNERS}
        if not profile.is_bounded or not units.get(expected):
            return ""
        resources = self._resources(node.name)
        active = self._active(node)
        seen = {
            "bundle": {name for name, kind in resources.items() if kind == "bundle"},
            "pacemaker": {name for name, kind in resources.items() if kind != "bundle"},
            "container": active | {f"tripleo_{name}" for name in self._said[node.name].get("containers") or {}},
            "systemd": active - self._shared(node),
        }
        # What Pacemaker starts can be a unit or a container as well, so its word comes first.
        found = next((runner for runner, names in seen.items() if names & units[runner]), "")
        # In a containerized role everything counts as a container; the outputs say so only of what they name.
        guessed = expected == "container" and not units["container"] & self._containers.get(node.role, set())
        return "" if found == "systemd" and guessed else found

    def _resources(self, name: str) -> dict[str, str]:
        """{any name that a copy of a resource goes by: what the resource is}, of resources with a copy anywhere."""
        view = self._said[name].get("cluster") or {"resources": []}
        return {
            alias: resource["kind"] for resource in view["resources"]
            for copy in resource["instances"] for alias in copy["names"]
        }  # fmt: skip

    def _active(self, node: Node) -> set[str]:
        return {unit for unit, state in (self._said[node.name].get("units") or {}).items() if state == "active"}

    def _shared(self, node: Node) -> set[str]:
        """Units of several services (httpd): that one is active does not tell which of them it runs."""
        units = Counter(
            unit for service in node.services for unit in self._catalogue.profile(service).units.get("systemd", ())
        )
        return {unit for unit, services in units.items() if services > 1}

    def failed(self, name: str) -> tuple[str, ...]:
        """Units that failed, of services that systemd runs there by the outputs."""
        node = self._overcloud.node(name)
        runners = self._overcloud.runners.get(node.role, {})
        states = self._said[name].get("units") or {}
        by = {runner: [s for s in node.services if runners.get(s) == runner] for runner in ("systemd", "container")}
        own = {unit for s in by["systemd"] for unit in self._catalogue.profile(s).units.get("systemd", ())}
        own.update(*(_with_checks(self._catalogue.profile(s)) for s in by["container"]))
        return naturally(unit for unit in own if states.get(unit) == "failed" and is_safe_name(unit))
