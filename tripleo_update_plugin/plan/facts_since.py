"""What has become of the nodes since a plan was made, and does it still keep its promises?"""

from collections.abc import Collection, Iterator

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.facts import Facts


def broken(then: Facts, now: Facts) -> Iterator[str]:
    """What makes a plan from *then* worthless: more is down than it counts with, or the cluster is not what it was."""
    for node in naturally(now.down - then.away):
        yield f"{node} does not answer"
    for node in naturally(now.held.keys() - then.away - now.down):
        yield f"{node} is {now.held[node]}"
    for node in naturally(now.unclustered - then.unclustered - now.away):
        yield f"no cluster runs on {node}"
    yield from _cluster(then, now)


def changed(then: Facts, now: Facts, services: Collection[str]) -> Iterator[str]:
    """What is otherwise and does no harm: nodes that are back are left out, and *services* may move once more."""
    for node in naturally(then.away - now.away):
        yield f"{node} is back, and is left out all the same"
    for service in naturally(services):
        before, after = then.leaders.get(service), now.leaders.get(service)
        if before and after and before != after:
            yield f"{service} is led by {after}, not by {before} any more"
    for old, new in zip(then.views[:1], now.views[:1], strict=False):
        if old.fencing and new.fencing is False:
            yield "fencing is off now (stonith-enabled=false)"


def _cluster(then: Facts, now: Facts) -> Iterator[str]:
    if len(now.views) > max(1, len(then.views)):
        yield "the members of the cluster do not see the same: " + ", ".join(each.seen_from for each in now.views)
        return
    for before, after in zip(then.views[:1], now.views[:1], strict=False):
        if before.quorum and not after.quorum:
            yield f"the cluster has no quorum, seen from {after.seen_from}"
        if after.maintenance and not before.maintenance:
            yield f"the cluster is in maintenance, seen from {after.seen_from}"
        if after.all_stopped and not before.all_stopped:
            yield f"the cluster keeps everything stopped (stop-all-resources), seen from {after.seen_from}"
        for node in naturally(after.fenced):
            if after.fenced[node] != before.fenced.get(node) and node not in now.away:
                yield f"{node} was fenced ({after.fenced[node]})"
        for node in naturally(now.absent.keys() - then.absent.keys() - now.away):
            yield f"Pacemaker does not run {', '.join(naturally(now.absent[node].values()))} on {node}"
        earlier, later = {**before.members, **before.remotes}, {**after.members, **after.remotes}
        for node in naturally(earlier.keys() - now.away - now.unclustered):
            if earlier[node] == "online" != (state := later.get(node, "not a member")):
                yield f"{node} is {state} in the cluster, seen from {after.seen_from}"
