"""What in the state of a Pacemaker cluster keeps an update from it, and what should be known before one?

Sources: Pacemaker's documentation of its options, of failures and of fencing. Every remedy names the command.
"""

from collections.abc import Collection, Iterator

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.facts import Cluster, Facts

#: What nobody serves with, however online the node is; what is unmanaged does serve.
_BROKEN = ("blocked", "failed")


def broken_on(node: str, cluster: Cluster, facts: Facts) -> tuple[str, str]:
    """(what Pacemaker should run on *node* and does not run well, what to do about it); ("", "") if all is well."""
    seen = f"the cluster, seen from {cluster.seen_from},"
    sick = {name: by[node] for name, by in sorted(cluster.troubles.items()) if by.get(node) in _BROKEN}
    if sick:
        words = ", ".join(f"{name} {what}" for name, what in sick.items())
        return f"{seen} has {words} there", f"Look why ('pcs status'), then 'pcs resource cleanup {next(iter(sick))}'."
    gone = () if cluster.all_stopped else naturally(facts.absent.get(node, {}).values())
    if not gone:
        return "", ""
    remedy = (
        f"Look why ('pcs status'), then 'pcs resource cleanup {gone[0]}' after a failure, or 'pcs resource enable "
        f"{gone[0]}' if somebody stopped it."
    )
    if node in cluster.bans.get(gone[0], ()):
        remedy = f"'pcs resource clear {gone[0]}' takes the ban on it away."
    return f"{seen} does not run {', '.join(gone)} there", remedy


def in_the_way(cluster: Cluster, touched: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(what Heat says, what the cluster says, what to do about it) of all that keeps an update from *touched* nodes.

    These are nodes of the cluster; where there are none nothing is in the way.
    """
    seen = f"the cluster, seen from {cluster.seen_from},"
    for whole, (words, remedy) in _whole(cluster).items():
        if touched and getattr(cluster, whole):
            yield "Pacemaker looks after services of the nodes", f"{seen} {words}", remedy
    for name in naturally(cluster.troubles):
        alone = naturally(node for node, what in cluster.troubles[name].items() if what == "unmanaged")
        if hit := [node for node in alone if node in touched]:
            yield (
                f"{', '.join(hit)} {'is' if len(hit) == 1 else 'are'} to be updated",
                f"{seen} has {name} unmanaged there: it would neither stop it nor move it nor start it again",
                f"'pcs resource manage {name}'.",
            )
    for node in naturally(cluster.fenced):
        if touched and cluster.fenced[node].status == "pending":
            yield f"{node} is a node", f"{seen} is fencing it ({cluster.fenced[node].action})", "Wait for its end."


def _whole(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """{field of a cluster: (what it means, what ends it)}."""
    return {
        "maintenance": (
            "is in maintenance: it neither starts nor stops nor watches anything",
            "'pcs property set maintenance-mode=false'.",
        ),
        "all_stopped": (
            "is told to keep everything stopped (stop-all-resources)",
            "'pcs property unset stop-all-resources'.",
        ),
    }


def worth_knowing(cluster: Cluster, facts: Facts, touched: Collection[str]) -> Iterator[str]:
    """Warnings: what the cluster would not do in an update, and what is not well where the update does not go."""
    for whole, (words, remedy) in _whole(cluster).items():
        if getattr(cluster, whole) and not touched:
            yield f"the cluster, seen from {cluster.seen_from}, {words}; {remedy.rstrip('.')} ends that"
    yield from _of_fencing(cluster, facts)
    yield from _of_resources(cluster, facts, touched)


def _of_fencing(cluster: Cluster, facts: Facts) -> Iterator[str]:
    if cluster.fencing is False:
        yield (
            "fencing is off (stonith-enabled=false): a node that hangs is not fenced; if an earlier update left it "
            "off, 'pcs property set stonith-enabled=true' puts it back"
        )
    # Of nodes that are down a view says nothing any more.
    states = {name: state for view in facts.clusters[:1] for name, state in {**view.members, **view.remotes}.items()}
    for node in naturally(name for name in facts.away if states.get(name) == "unclean"):
        yield (
            f"{node} is to be fenced, and nothing of it starts elsewhere before; if it is switched off and cannot be, "
            f"'pcs stonith confirm {node}' says so"
        )
    for node in naturally(cluster.fenced):
        if cluster.fenced[node].status == "failed":
            yield (
                f"the last fencing of {node} failed ({cluster.fenced[node]}): 'pcs stonith history show {node}' tells "
                f"more, 'pcs stonith history cleanup {node}' forgets it"
            )


def _of_resources(cluster: Cluster, facts: Facts, touched: Collection[str]) -> Iterator[str]:
    for resource in naturally(cluster.bans):
        banned = [name for name in cluster.bans[resource] if name not in facts.held]
        if banned:
            yield (
                f"a ban keeps {resource} off {', '.join(naturally(banned))}, so it cannot move there; if an "
                f"earlier update or move left it, 'pcs resource clear {resource}' takes it away"
            )
    for resource in naturally(cluster.troubles):
        alone = [node for node, what in cluster.troubles[resource].items() if what == "unmanaged"]
        if left := naturally(node for node in alone if node not in touched and node not in facts.away):
            yield f"{resource} is unmanaged on {', '.join(left)}; 'pcs resource manage {resource}' ends that"
    for resource in naturally(cluster.failures):
        nodes = ", ".join(naturally(cluster.failures[resource]))
        yield f"{resource} has failed on {nodes} before; 'pcs resource cleanup {resource}' forgets it"


def in_words(cluster: Cluster) -> str:
    """The cluster in one line for people."""
    votes = list(cluster.members.values())
    fencing = {True: "fencing on", False: "fencing off", None: "fencing not told"}[cluster.fencing]
    fenced = ", ".join(f"{node} ({cluster.fenced[node]})" for node in naturally(cluster.fenced))
    return (
        f"the cluster, seen from {cluster.seen_from}: {'quorum' if cluster.quorum else 'no quorum'}, "
        f"{votes.count('online')} of {len(votes)} members online, {fencing}"
        + (f"; last fenced: {fenced}" if fenced else "")
    )
