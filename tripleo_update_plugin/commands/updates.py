"""What commands share that look at one update or act on it: how it is named, how it is followed, what it is asked."""

import argparse
import getpass
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osc_lib.command import command

from tripleo_update_plugin.commands import exit_codes
from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn

if TYPE_CHECKING:
    from tripleo_update_plugin.adapters.mistral import Mistral
    from tripleo_update_plugin.adapters.update_state import UpdateState
    from tripleo_update_plugin.outcome.standing import Standing
    from tripleo_update_plugin.plan.plan import Plan

COLUMNS = ("id", "stack", "state", "at work", "waiting", "failed", "out of use", "done")


def add_update(parser: argparse.ArgumentParser, ended: bool = False) -> None:
    """The arguments that name an update; where *ended* ones will do, the latest is taken if none is going on."""
    instead = "the only one that has not ended, else the latest" if ended else "the only one that has not ended"
    parser.add_argument(
        "id", metavar="ID", nargs="?", default="",
        help=f"the update: its ID, the beginning of it, or 'latest' (default: {instead})",
    )  # fmt: skip
    parser.add_argument("--stack", metavar="NAME", default="", help="only updates of this stack")


def which(cmd: CloudCommand, args: argparse.Namespace, ended: bool = False) -> str:
    """The id of the update that the arguments of add_update() name."""
    from tripleo_update_plugin.verbs import finding

    return finding.find(args.id, args.stack, cmd.mistral(), ended)


def operator() -> str:
    """Who is at work here, as others are told."""
    return f"{getpass.getuser()}@{platform.node()}"


@dataclass(frozen=True, slots=True)
class Target:
    """An update to act on, as it stood when the command looked."""

    standing: "Standing"
    plan: "Plan"
    mistral: "Mistral"
    notes: "UpdateState"

    @property
    def id(self) -> str:
        return self.standing.execution.id


class ActOnUpdate(CloudCommand, command.ShowOne):  # type: ignore[misc]
    """Look at an update, say what will be done, ask, do it, and show how it stands then."""

    #: Whether an update that has ended may be meant where none is named.
    takes_ended = False
    #: States of an update with which --wait has come to what was wanted.
    wanted: tuple[str, ...] = ("SUCCESS",)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        self.add_arguments(parser)
        add_update(parser, self.takes_ended)
        parser.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")
        parser.add_argument("--wait", action="store_true", help="then follow the update, as 'overcloud update follow'")
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Arguments before the update's."""

    def act(self, target: Target, args: argparse.Namespace) -> str:
        """Do it; in words, what was done."""
        raise NotImplementedError

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        """In words, what will be done."""
        raise NotImplementedError

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        """The question for a person, "" for none; {stack} is the stack's name."""
        return ""

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        from tripleo_update_plugin.verbs import holding, looking

        target = self.target(which(self, parsed_args, self.takes_ended))
        execution = target.standing.execution
        if not self.takes_ended:
            holding.refuse_ended(execution)
        self.say(f"The update {execution.id} of {execution.stack} is {execution.state}.")
        for line in looking.in_words(target.standing, target.plan):
            self.say(line)
        self.say(self.intent(target, parsed_args))
        if (question := self.asks(target, parsed_args)) and not parsed_args.yes:
            self.confirm(f"{question.format(stack=execution.stack)} [y/N] ")
        done = self.act(target, parsed_args)
        self.say(f"{done[:1].upper()}{done[1:]}.")
        if parsed_args.wait:
            self.exit_code = self._followed(target)
        return self._shown(target, done)

    def target(self, id: str) -> Target:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.verbs import looking

        mistral, notes = self.mistral(), self.notes()
        standing = looking.look(id, mistral, notes)
        return Target(standing, rollout.plan_of(standing.execution, mistral), mistral, notes)

    def _followed(self, target: Target) -> int:
        from tripleo_update_plugin.commands.follow import follow

        code, state = follow(target.id, target.mistral, target.notes, self.say, self.interval)
        return exit_codes.WELL if state in self.wanted and code != exit_codes.INTERRUPTED else code

    def _shown(self, target: Target, done: str) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        from tripleo_update_plugin.verbs import looking

        standing = looking.look(target.id, target.mistral, target.notes)
        for line in looking.left_out_of_use(standing, target.plan):
            self.say(line)
        parts = (standing.at_work, standing.waiting, standing.failed)
        names = [NamesColumn([run.id for run in runs]) for runs in parts]
        left = NamesColumn(looking.nodes_left(standing, target.plan))
        execution = standing.execution
        return COLUMNS, (execution.id, execution.stack, execution.state, *names, left, done)
