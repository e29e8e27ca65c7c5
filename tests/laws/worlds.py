"""Random small overclouds, and how the package sees them."""

import random
from dataclasses import replace

from hypothesis import strategies as st

from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.catalogue import Catalogue, parse_profile
from tripleo_update_plugin.rules.policy import Policy, parse_policy
from tripleo_update_plugin.testing import an_overcloud

from .checker import World

SERVICES = ("api", "bus", "core", "db", "edge", "free")


@st.composite
def worlds(
    draw, most_nodes: int = 6, most_in_all: int = 30, orders: int = 3, down: bool = True, timed: bool = False
) -> World:
    roles: dict[str, tuple[int, tuple[str, ...]]] = {}
    left = most_in_all
    for name in ("Ra", "Rb", "Rc", "Rd", "Re")[: draw(st.integers(2, 5))]:
        if left:
            count = draw(st.integers(1, min(most_nodes, left)))
            roles[name] = (count, tuple(draw(st.lists(st.sampled_from(SERVICES), min_size=1, max_size=4, unique=True))))
            left -= count
    world = World(roles=roles, budgets={})
    deployed = sorted(set().union(*world.services.values()))
    nodes = st.sampled_from(sorted(world.services))
    numbers = st.one_of(st.integers(1, 4), st.sampled_from(["1%", "34%", "50%", "100%", "agents"]))
    pairs = st.tuples(st.sampled_from(deployed), st.sampled_from(deployed)).filter(lambda pair: pair[0] != pair[1])
    return replace(
        world,
        budgets=draw(st.dictionaries(st.sampled_from(deployed), numbers)),
        orders=tuple(draw(st.lists(pairs, max_size=orders, unique=True))) if len(deployed) > 1 else (),
        domains=draw(st.one_of(st.just({}), st.dictionaries(nodes, st.sampled_from(["east", "west"])))),
        excluded=draw(st.frozensets(nodes, max_size=2)),
        down=draw(st.frozensets(nodes, max_size=1)) if down else frozenset(),
        canary=draw(st.booleans()),
        waived=draw(st.booleans()),
        seconds=draw(st.dictionaries(st.sampled_from(sorted(roles)), st.integers(1, 4).map(lambda n: n * 300)))
        if timed
        else {},
    )


def overcloud_of(world: World, shuffle: random.Random | None = None) -> Overcloud:
    overcloud = an_overcloud(excluded=world.excluded, **world.roles)
    if shuffle is None:
        return overcloud
    return replace(
        overcloud,
        nodes=tuple(
            replace(n, services=frozenset(shuffled(n.services, shuffle))) for n in shuffled(overcloud.nodes, shuffle)
        ),
        runners=dict(shuffled(overcloud.runners.items(), shuffle)),
    )


def shuffled(things, shuffle: random.Random) -> list:
    return shuffle.sample(sorted(things, key=repr), len(things))


def catalogue_of(world: World, shuffle: random.Random | None = None) -> Catalogue:
    """Services with a budget are agents, which have no limit of their own; all others are bounded by nothing."""
    names = shuffled(SERVICES, shuffle) if shuffle else SERVICES
    return Catalogue({name: parse_profile(name, _entry(world, name), "worlds") for name in names})


def _entry(world: World, service: str) -> dict[str, object]:
    if service not in world.budgets:
        return {"kind": "host"}
    return {"kind": "agent", "max_unavailable": world.budgets[service]}


def policy_of(world: World, shuffle: random.Random | None = None) -> Policy:
    placed: dict[str, list[str]] = {}
    pairs = shuffled(world.domains.items(), shuffle) if shuffle else world.domains.items()
    for node, domain in pairs:
        placed.setdefault(domain, []).append(node)
    return parse_policy(
        {
            "order": [{"first": first, "then": then} for first, then in world.orders],
            "domains": placed,
            "service_waves": list(world.first),
            "canary": world.canary,
            "durations": {"roles": world.seconds} if world.seconds else {},
            "waivers": [{"service": "*", "reason": "a test"}] if world.waived else [],
        }
    )


def plan_of(
    world: World, shuffle: random.Random | None = None, leaders: dict[str, str] | None = None, **policy: object
) -> Plan:
    allowed = replace(policy_of(world, shuffle), **policy)
    return plan_update(
        overcloud_of(world, shuffle),
        catalogue_of(world, shuffle),
        allowed,
        Facts(down=world.down, leaders=leaders or {}),
    )
