"""``openstack overcloud update restore`` and ``unlock``."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from osc_lib.command import command

from tripleo_update_plugin.commands import exit_codes
from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn, Rows
from tripleo_update_plugin.plan.words import some_names

if TYPE_CHECKING:
    from tripleo_update_plugin.verbs.nodes import Told

COLUMNS = ("node", "ok", "put back", "left", "error")


class _ActOnNodes(CloudCommand, command.Lister):  # type: ignore[misc]
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("nodes", metavar="NODE", nargs="+", help="nodes, as 'overcloud update facts' shows them")
        parser.add_argument("--stack", metavar="NAME", default="", help="their stack (default: the only one updated)")
        parser.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")
        return parser

    def stack(self, args: argparse.Namespace) -> str:
        from tripleo_update_plugin.verbs import finding

        return finding.stack_of(args.stack, self.mistral())

    def shown(self, told: Iterable["Told"]) -> Rows:
        rows = list(told)
        self.exit_code = exit_codes.WELL if all(each.ok and not each.left for each in rows) else exit_codes.FAILED
        return COLUMNS, [
            (each.node, each.ok, NamesColumn(each.put_back), NamesColumn(each.left), each.error) for each in rows
        ]


class RestoreNodes(_ActOnNodes):
    """Put nodes back into use by the records on them, whatever update took their services out of use.

    Puts back what was taken out, and nothing else; says per node what that was, and what is left and why. The exit code
    is 0 only if nothing is left. Doing it twice changes nothing.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.verbs import nodes

        stack = self.stack(parsed_args)
        self.say("What updates have taken out of use on these nodes is put back, and the nodes are free then.")
        if not parsed_args.yes:
            self.confirm(f"Put {some_names(parsed_args.nodes)} of {stack} back into use? [y/N] ")
        return self.shown(nodes.restore(stack, parsed_args.nodes, self.mistral()))


class UnlockNodes(_ActOnNodes):
    """Forget which update nodes belong to, though it may still be at work on them: only where it surely is not.

    Two updates at work on one node, or on two that stand in for one another, take services down. Look first with
    'overcloud update status' and on the nodes. What is out of use stays so: 'overcloud update restore' puts it back.
    How sick was what the policy accepts, before the update, is forgotten as well: a new plan takes it as it is then.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--force", action="store_true", required=True, help="yes, though an update may be at work on them"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.verbs import nodes

        stack = self.stack(parsed_args)
        named = some_names(parsed_args.nodes)
        self.say("The records of whose these nodes are go; whatever is at work on them is not stopped by that.")
        if not parsed_args.yes:
            self.confirm(f"Have you made sure that no update is at work on {named} of {stack}? [y/N] ")
            self.confirm(f"Unlock {named}? [y/N] ")
        told = nodes.unlock(stack, parsed_args.nodes, self.mistral())
        self.say("What is out of use on them stays so until 'openstack overcloud update restore' puts it back.")
        return self.shown(told)
