"""``openstack overcloud update pause``."""

import argparse

from tripleo_update_plugin.commands.updates import ActOnUpdate, Target, operator


class PauseUpdate(ActOnUpdate):
    """Pause an update: no batch begins any more, and those under way go on to their end.

    Nothing stays out of use then. With --now no new phase begins either: the phases at work end, and the nodes of their
    batches may stay drained until the update is resumed. Which ones is said.
    """

    wanted = ("PAUSED", "SUCCESS")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--after-batch", action="store_true", help="when the batches under way have ended (default)")
        when.add_argument("--now", action="store_true", help="between two phases: nodes may stay drained")

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        return "Pause the update of {stack} between two phases?" if args.now else ""

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        if args.now:
            return "No phase begins any more; what is drained stays so until the update is resumed."
        return "No batch begins any more; those under way go on to their end."

    def act(self, target: Target, args: argparse.Namespace) -> str:
        from tripleo_update_plugin.verbs import holding

        return holding.pause(target.standing, target.mistral, target.notes, operator(), at_once=args.now)
