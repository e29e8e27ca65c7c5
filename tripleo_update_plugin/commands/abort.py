"""``openstack overcloud update abort``."""

import argparse

from tripleo_update_plugin.commands.updates import ActOnUpdate, Target, operator


class AbortUpdate(ActOnUpdate):
    """End an update for good, at the next safe point.

    No batch begins any more; those under way go on to their end, so that nothing stays out of use. With --now no new
    phase begins either: the phases at work end, and nodes may stay drained. It says which, and how to put them back.
    """

    takes_ended = True
    wanted = ("CANCELLED", "SUCCESS")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="between two phases: nodes may stay drained")

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        return "" if target.standing.execution.state == "CANCELLED" else "End the update of {stack} for good?"

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        if args.now:
            return "It ends at once. What is drained stays so until it is put back with 'overcloud update restore'."
        return "No batch begins any more; it ends when those under way have come to their end."

    def act(self, target: Target, args: argparse.Namespace) -> str:
        from tripleo_update_plugin.verbs import holding

        return holding.abort(target.standing, target.mistral, target.notes, operator(), at_once=args.now)
