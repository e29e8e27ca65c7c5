"""Where can Heat and the nodes not both be right, and what do the nodes decide where Heat does not tell?"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tripleo_update_plugin.errors import ContradictingFacts
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud import cluster_state
from tripleo_update_plugin.overcloud.architecture import OLD_SIGNS
from tripleo_update_plugin.overcloud.facts import Cluster, Facts
from tripleo_update_plugin.overcloud.model import Node, Overcloud

#: Releases whose outputs alone do not tell who runs a service.
_SILENT_RELEASES = ("liberty", "mitaka", "newton")

#: Resources by which a cluster shows its architecture. OLD_SIGNS go first: the old one has these clones as well.
_CORE_SIGNS = ("galera-master", "galera-clone", "rabbitmq-clone", "haproxy-clone")
_BUNDLE_SIGNS = ("galera-bundle", "rabbitmq-bundle", "haproxy-bundle")

_MOST = 8  # contradictions in one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What *heat* says, what the *nodes* say, each named; and what to do about it."""

    heat: str
    nodes: str
    remedy: str

    def __str__(self) -> str:
        return f"Heat: {self.heat}; nodes: {self.nodes}. {self.remedy}"


def check(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> None:
    """Raise ContradictingFacts if Heat and the nodes cannot both be right, for an update of *touched* nodes."""
    found = contradictions_of(overcloud, facts, touched)
    if found:
        more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
        lines = "".join(f"\n  - {each}" for each in [*found[:_MOST], *more])
        raise ContradictingFacts(f"stack {overcloud.stack}: Heat and the nodes contradict each other:{lines}")


def settled(overcloud: Overcloud, facts: Facts) -> Overcloud:
    """*overcloud*; where its outputs do not tell the architecture and who runs a service, as the nodes say.

    The nodes are believed where all of a role that could tell name the same runner.
    """
    if not _is_open(overcloud):
        return overcloud
    live = next(filter(None, (architecture_of(cluster.resources)[0] for cluster in facts.clusters)), "")
    runners = {role: {**by, **_agreed(overcloud, facts, role)} for role, by in overcloud.runners.items()}
    return replace(overcloud, architecture=live or overcloud.architecture, runners=runners)


def _is_open(overcloud: Overcloud) -> bool:
    """Whether the architecture of *overcloud* is but the usual one of its release."""
    runners = {runner for by_service in overcloud.runners.values() for runner in by_service.values()}
    silent = overcloud.release in _SILENT_RELEASES and not runners & {"pacemaker", "bundle"}
    return silent and overcloud.architecture != "none"


def _agreed(overcloud: Overcloud, facts: Facts, role: str) -> dict[str, str]:
    """{service: who runs it on every node of *role* that could tell}."""
    silent = {name for name, questions in facts.unanswered.items() if questions.keys() & {"cluster", "units"}}
    nodes = [node.name for node in overcloud.nodes if node.role == role]
    said = [facts.managed_by.get(name, {}) for name in nodes if name not in facts.away | silent]
    same = set.intersection(*(set(by.items()) for by in said)) if said else set()
    return dict(sorted(same))


def architecture_of(resources: Mapping[str, str]) -> tuple[str, str]:
    """The architecture of a cluster with these *resources* ({name: kind}), and the one that shows it; "" if none does.

    >>> architecture_of({"galera-master": "clone", "openstack-core-clone": "clone"})
    ('pacemaker', 'openstack-core-clone')
    """
    signs = (("pacemaker-bundles", _BUNDLE_SIGNS), ("pacemaker", OLD_SIGNS.values()), ("pacemaker-core", _CORE_SIGNS))
    for architecture, names in signs:
        for name in names:
            if name in resources:
                return architecture, name
    return "", ""


def contradictions_of(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> tuple[Contradiction, ...]:
    """Every contradiction; none where the nodes said nothing to the point. *touched* are the nodes to be updated."""
    return (
        *_views(overcloud, facts.views),
        *_architectures(overcloud, facts.views),
        *_members(overcloud, facts),
        *_obstacles(overcloud, facts, touched),
        *_strangers(overcloud, facts.views),
        *_runners(overcloud, facts, touched),
    )


def _views(overcloud: Overcloud, clusters: tuple[Cluster, ...]) -> Iterator[Contradiction]:
    """One cluster has one set of members, and a majority of them."""
    if len(clusters) > 1:
        yield Contradiction(
            heat=f"the nodes of {overcloud.stack} are one cluster",
            nodes="; ".join(f"{each.seen_from} sees {_in_words(each.members)}" for each in clusters),
            remedy="Look at 'pcs status' on these nodes: the cluster has come apart, or is just changing.",
        )
    elif clusters and not clusters[0].quorum:
        yield Contradiction(
            heat=f"{len(overcloud.hosts_of('pacemaker'))} nodes of {overcloud.stack} have a vote (service pacemaker)",
            nodes=f"{clusters[0].seen_from} sees no quorum: {_in_words(clusters[0].members)}",
            remedy="Bring its members back first.",
        )


def _architectures(overcloud: Overcloud, clusters: tuple[Cluster, ...]) -> Iterator[Contradiction]:
    for cluster in clusters[:1]:
        live, sign = architecture_of(cluster.resources)
        if live and live != overcloud.architecture:
            yield Contradiction(
                heat=f"the architecture is {overcloud.architecture}",
                nodes=f"{cluster.seen_from} is in a cluster with {sign}, so it is {live}",
                remedy="Finish the deployment or upgrade that Heat describes, or update the stack to what runs.",
            )


#: State of a member → how to bring it back.
_BACK = {
    "offline": (
        "Start it there: 'pcs cluster start', or the unit pacemaker_remote of a remote node, and 'pcs resource enable "
        "{0}' if somebody has disabled that."
    ),
    "standby": "'pcs node unstandby {0}', or 'pcs cluster unstandby {0}' with an older pcs.",
    "maintenance": "'pcs node unmaintenance {0}'.",
    "pending": "It is joining: ask again soon.",
    "unclean": (
        "It is to be fenced, and nothing of it starts elsewhere before: wait for that. If it is switched off and that "
        "cannot be, 'pcs stonith confirm {0}' says so."
    ),
}


def set_aside(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> Facts:
    """*facts*, in which nodes that are out of their cluster and not *touched* count as down.

    Somebody may have one of them under repair: that is no reason to leave all others without their update.
    """
    out = {node.name: words for node, _, words, _ in _out_of_place(overcloud, facts) if node.name not in touched}
    return replace(facts, aside=out)


def _members(overcloud: Overcloud, facts: Facts) -> Iterator[Contradiction]:
    """Nodes that answer, but are not the members of the cluster that Heat says they are, or do not serve as such.

    A member that is offline or in standby gives no vote and runs no service. It answers, so no budget would count it as
    down. A node that is counted as down, for whatever reason, is no contradiction.
    """
    for node, service, nodes, remedy in _out_of_place(overcloud, facts):
        heat = f"{node.name} ({node.role}) has the service {service}"
        yield Contradiction(heat=heat, nodes=nodes, remedy=remedy.format(node.name))


def _obstacles(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> Iterator[Contradiction]:
    for cluster in facts.views[:1]:
        for heat, nodes, remedy in cluster_state.in_the_way(cluster, _clustered(overcloud, touched)):
            yield Contradiction(heat=heat, nodes=nodes, remedy=remedy)


def _clustered(overcloud: Overcloud, names: Collection[str]) -> frozenset[str]:
    """Those of *names* that are nodes of the cluster by Heat."""
    return frozenset(names) & (overcloud.hosts_of("pacemaker") | overcloud.hosts_of("pacemaker_remote"))


def _out_of_place(overcloud: Overcloud, facts: Facts) -> Iterator[tuple[Node, str, str, str]]:
    """(node, its service of the cluster, what is the matter with its place there, what to do about it)."""
    for node in overcloud.nodes:
        service = next((name for name in ("pacemaker", "pacemaker_remote") if name in node.services), "")
        if not service or node.name in facts.away:
            continue
        nodes, remedy = f"no cluster runs on {node.name}", _BACK["offline"]
        if node.name not in facts.unclustered:
            if not facts.views:
                continue
            nodes, remedy = _place(node.name, service == "pacemaker", facts.views[0])
            if not nodes:
                nodes, remedy = cluster_state.broken_on(node.name, facts.views[0], facts)
        if nodes:
            yield node, service, nodes, remedy


def _place(name: str, votes: bool, cluster: Cluster) -> tuple[str, str]:
    """What is wrong with a node's place in the cluster, and what to do about it; ("", "") if nothing is."""
    own, other = (cluster.members, cluster.remotes) if votes else (cluster.remotes, cluster.members)
    seen = f"the cluster, seen from {cluster.seen_from},"
    if name in own:
        state = own[name]
        return ("", "") if state == "online" else (f"{seen} calls it {state}", _BACK[state])
    if name in other:
        kind = "a remote node, without a vote" if votes else "a full member, with a vote"
        return f"{seen} has it as {kind}", "Make its role and its place in the cluster the same."
    return f"{seen} does not know it: {_in_words({**own, **other})}", "Add {0} to the cluster, or change its role."


def _strangers(overcloud: Overcloud, clusters: tuple[Cluster, ...]) -> Iterator[Contradiction]:
    known = {node.name: node for node in overcloud.nodes}
    for cluster in clusters[:1]:
        for name in naturally({*cluster.members, *cluster.remotes}):
            kind = "full member" if name in cluster.members else "remote node"
            seen = f"it is a {kind} of the cluster, seen from {cluster.seen_from}"
            if name not in known:
                yield Contradiction(
                    heat=f"{overcloud.stack} has no node {name}", nodes=seen,
                    remedy=f"Take it out of the cluster ('pcs cluster node remove {name}'), or into the stack.",
                )  # fmt: skip
            elif not known[name].services & {"pacemaker", "pacemaker_remote"}:
                yield Contradiction(
                    heat=f"{name} ({known[name].role}) has neither pacemaker nor pacemaker_remote", nodes=seen,
                    remedy="Take it out of the cluster, or give its role the service.",
                )  # fmt: skip


def _runners(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> Iterator[Contradiction]:
    """One for all nodes and services that differ alike; a node that is not *touched* may run them as it does."""
    alike: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for name in naturally((facts.managed_by.keys() - facts.held.keys()) & set(touched)):
        role = overcloud.node(name).role
        for service, runner in facts.managed_by[name].items():
            expected = overcloud.runners.get(role, {}).get(service, "")
            if expected and expected != runner:
                alike.setdefault((role, expected, runner), []).append((name, service))
    for (role, expected, runner), found in alike.items():
        nodes, services = naturally(node for node, _ in found), naturally(service for _, service in found)
        yield Contradiction(
            heat=f"role {role} runs {', '.join(services)} by {_BY[expected]}",
            nodes=f"on {', '.join(nodes)} it is run by {_BY[runner]}",
            remedy="Finish what changes it, or update the stack to what runs.",
        )


_BY = {
    "pacemaker": "Pacemaker",
    "bundle": "Pacemaker, in a container",
    "systemd": "systemd, from a package",
    "container": "systemd, in a container",
}


def _in_words(members: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {members[name]}" for name in naturally(members)) or "nobody"


def warnings_of(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> tuple[str, ...]:
    """What an operator should know of the nodes before an update of those *touched*, though nothing forbids it."""
    questions: dict[str, set[str]] = {}
    for name, reasons in facts.unanswered.items():
        for question in reasons:
            questions.setdefault(question, set()).add(name)
    failed = "; ".join(f"{name}: {', '.join(facts.failed[name])}" for name in naturally(facts.failed))
    unknown = "; ".join(f"{question} of {_some(names)}" for question, names in sorted(questions.items()))
    held = "; ".join(f"{name} is {facts.held[name]}" for name in naturally(facts.held))
    aside = "; ".join(f"{name}: {facts.aside[name]}" for name in naturally(facts.aside))
    found = (
        ("counted as down, and left alone: ", aside),
        ("counted as down, 'openstack overcloud update restore' puts back what is out of use: ", held),
        ("failed, and the gates will say so (mend it, or accept it by name in the policy): ", failed),
        ("a reboot is pending on ", _some(facts.pending_reboot)),
        (
            "the package update cuts the network, instances or containers of a node where it updates "
            "(tripleo_update_package_command leaves them out): ",
            "; ".join(f"{package} on {_some(nodes)}" for package, nodes in sorted(_cutting(facts).items())),
        ),
        ("the nodes did not tell: ", unknown),
    )
    return (*(text + names for text, names in found if names), *warnings_of_cluster(overcloud, facts, touched))


def _cutting(facts: Facts) -> dict[str, list[str]]:
    """{package that cuts what runs on a node: the nodes where it would be updated}."""
    found: dict[str, list[str]] = {}
    for node, packages in facts.cutting.items():
        for package in packages:
            found.setdefault(package, []).append(node)
    return found


def warnings_of_cluster(overcloud: Overcloud, facts: Facts, touched: Collection[str]) -> Iterator[str]:
    """Those of them that are about the cluster."""
    for cluster in facts.views[:1]:
        yield from cluster_state.worth_knowing(cluster, facts, _clustered(overcloud, touched))


def _some(names: Iterable[str]) -> str:
    listed = naturally(names)
    return ", ".join(listed) if len(listed) <= 3 else f"{', '.join(listed[:3])} and {len(listed) - 3} more"
