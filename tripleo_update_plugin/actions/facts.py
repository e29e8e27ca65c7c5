"""Who is down and who leads: the questions to the nodes, and what their answers mean."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tripleo_update_plugin.adapters.playbooks import Outcome
from tripleo_update_plugin.catalogue import Catalogue
from tripleo_update_plugin.model import Facts, Overcloud, naturally
from tripleo_update_plugin.plays import Phase, Play, Task

ADDRESSES = "Which addresses does the node have"
RESOURCES = "Where does Pacemaker run what"
TASKS = (ADDRESSES, RESOURCES)

#: The VIP of a service → that service; every other VIP leads to a load balancer.
_VIPS_OF_SERVICES = {"redis": "redis", "ovn_dbs": "ovn_dbs"}
_BALANCERS = ("haproxy", "keepalived")


def questions(overcloud: Overcloud, nodes: Iterable[str], catalogue: Catalogue) -> Phase:
    """Plays that ask *nodes* and change nothing; every one of them is at least asked to answer."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in naturally(nodes):
        groups.setdefault(_resources(overcloud, name, catalogue), []).append(name)
    return Phase(plays=tuple(_play(hosts, resources) for resources, hosts in groups.items()))


def _resources(overcloud: Overcloud, name: str, catalogue: Catalogue) -> tuple[str, ...]:
    node = overcloud.node(name)
    runners = overcloud.runners.get(node.role, {})
    return naturally(
        unit for service in node.services if runners.get(service) in ("pacemaker", "bundle")
        for unit in catalogue.profile(service).units.get(runners[service], ())
    )  # fmt: skip


def _play(hosts: list[str], resources: tuple[str, ...]) -> Play:
    tasks: list[Task] = [
        {"name": ADDRESSES, "command": {"argv": ["ip", "-o", "address", "show"]}, "changed_when": False}
    ]
    if resources:
        tasks.append({
            "name": RESOURCES,
            "command": {"argv": ["crm_resource", "--resource", "{{ item }}", "--locate"]},
            "loop": list(resources),
            "changed_when": False,
            "failed_when": False,  # a stopped cluster is an answer, too
        })  # fmt: skip
    return {"name": "Ask the nodes", "hosts": hosts, "gather_facts": False, "tasks": tasks}


def answers(overcloud: Overcloud, outcome: Outcome, results: Mapping[str, Mapping[str, Any]]) -> Facts:
    """Facts from what the nodes said."""
    down = frozenset(name for name, node in outcome.nodes.items() if node.unreachable)
    leaders: dict[str, str] = {}
    for name in naturally(results):
        leaders |= _vip_leaders(overcloud, name, str(results[name].get(ADDRESSES, {}).get("stdout", "")))
    return Facts(down=down, leaders=leaders)


def _vip_leaders(overcloud: Overcloud, name: str, addresses: str) -> dict[str, str]:
    present = set(re.findall(r"inet6? ([0-9a-fA-F.:]+)/", addresses))
    services = overcloud.node(name).services
    leaders: dict[str, str] = {}
    for vip, address in overcloud.vips.items():
        if address in present:
            candidates = [_VIPS_OF_SERVICES[vip]] if vip in _VIPS_OF_SERVICES else _BALANCERS
            leaders |= {service: name for service in candidates if service in services}
    return leaders
