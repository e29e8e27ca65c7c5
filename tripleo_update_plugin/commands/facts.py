"""``openstack overcloud update facts``."""

import argparse
from typing import TYPE_CHECKING, Any

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn, Rows, snapshot_of

if TYPE_CHECKING:
    from tripleo_update_plugin.overcloud.facts import Facts
    from tripleo_update_plugin.overcloud.model import Node

COLUMNS = ("node", "role", "state", "leads", "reboot pending", "updates", "failed", "did not tell")


class ListFacts(CloudCommand, command.Lister):  # type: ignore[misc]
    """Ask the nodes of an overcloud what 'plan' would ask them, and change nothing.

    One row per node: whether it answers, its cluster has it and no update has left it out of use, the services it
    leads, whether a reboot is pending, how many packages or containers have a newer version, units that failed, and
    questions without an answer. Then the cluster: quorum, fencing, who was fenced, what does not run there as it
    should. Where Heat and the nodes contradict each other it says so, and the exit code is 1: no plan would be made.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--stack", metavar="NAME", required=True, help="the overcloud's Heat stack")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.overcloud import cluster_state, contradictions

        snapshot = snapshot_of(self, parsed_args.stack)
        facts = rollout.discover(snapshot.stack, self.mistral())
        overcloud = rollout.overcloud_of(snapshot, facts)
        included = [node.name for node in overcloud.nodes if not node.excluded]
        facts = contradictions.set_aside(overcloud, facts, included)
        found = contradictions.contradictions_of(overcloud, facts, included)
        self.exit_code = 1 if found else 0
        lines = [cluster_state.in_words(cluster) for cluster in facts.clusters]
        for each in (*lines, *found, *contradictions.warnings_of_cluster(overcloud, facts, included)):
            self.say(str(each))
        return COLUMNS, [_row(node, facts) for node in overcloud.nodes]


def _row(node: "Node", facts: "Facts") -> tuple[Any, ...]:
    return (
        node.name,
        node.role,
        _state(node.name, facts),
        NamesColumn(sorted(service for service, leader in facts.leaders.items() if leader == node.name)),
        "yes" if node.name in facts.pending_reboot else "",
        facts.updates.get(node.name, ""),
        NamesColumn(facts.failed.get(node.name, ())),
        NamesColumn([f"{question} ({why})" for question, why in sorted(facts.unanswered.get(node.name, {}).items())]),
    )


def _state(name: str, facts: "Facts") -> str:
    if name in facts.down:
        return "does not answer"
    if name in facts.held:
        return str(facts.held[name])
    if name in facts.unclustered:
        return "cluster stopped"
    states = {**facts.clusters[0].members, **facts.clusters[0].remotes} if facts.clusters else {}
    return states.get(name, "up")
