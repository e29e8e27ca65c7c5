"""What the commands share: clients made only when needed, columns that are text for people and data for machines."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cliff.columns import FormattableColumn
from osc_lib.cli import format_columns
from osc_lib.command import command

from tripleo_update_plugin.commands import exit_codes
from tripleo_update_plugin.terminal import printable

if TYPE_CHECKING:  # cliff imports every command to build its help, so what is heavy waits for take_action
    from tripleo_update_plugin.adapters.heat import Heat
    from tripleo_update_plugin.adapters.mistral import Mistral
    from tripleo_update_plugin.adapters.update_state import UpdateState
    from tripleo_update_plugin.overcloud.architecture import PerService
    from tripleo_update_plugin.overcloud.facts import Facts
    from tripleo_update_plugin.overcloud.snapshot import Snapshot

#: Seconds that a command waits for Heat or Mistral if one of them is away, and after how many it says so.
PATIENCE, QUIET = 30.0, 2.0

#: Of a time that an option gives.
MOST_SECONDS = 86_400

Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]


class CloudCommand(command.Command):  # type: ignore[misc]
    """A command that may need the undercloud's services, or may not: it authenticates at the first use of one."""

    auth_required = False
    exit_code = 0

    #: Seconds between two looks at an update that is followed.
    interval = 2.0

    def heat(self) -> "Heat":
        from tripleo_update_plugin.adapters.heat import Heat

        return Heat(self._clients().orchestration)

    def mistral(self) -> "Mistral":
        from tripleo_update_plugin.adapters.mistral import Mistral

        return Mistral(self._clients().workflow_engine)

    def notes(self) -> "UpdateState":
        """What people and phases say about updates."""
        from tripleo_update_plugin.adapters.update_state import UpdateState

        return UpdateState(self._clients().workflow_engine)

    def say(self, text: str) -> None:
        """Tell the operator something that is not the command's data."""
        print(printable(text), file=sys.stderr, flush=True)

    def confirm(self, question: str) -> None:
        """Go on only if a person at the terminal says yes. Raises BadInput."""
        from tripleo_update_plugin.errors import BadInput

        if not sys.stdin.isatty():
            raise BadInput("nobody is there to confirm it", "Add --yes once you have read what will be done.")
        sys.stderr.write(printable(question))
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise BadInput("not confirmed, so nothing was begun", "Answer 'y', or add --yes.")

    def run(self, parsed_args: argparse.Namespace) -> int:
        """The exit code; a service that does not answer has one of its own, its message is the shell's."""
        from tripleo_update_plugin.errors import HeatUnavailable, MistralUnavailable

        try:
            return int(super().run(parsed_args) or self.exit_code)
        except (HeatUnavailable, MistralUnavailable) as error:
            if self.app.options.debug:
                self.app.LOG.exception(error)
            else:
                self.app.LOG.error(error)
            return exit_codes.COULD_NOT_LOOK

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Show what take_action() returned; rows and cells hold words of nodes, outputs and files."""
        if isinstance(self, command.Lister):
            return super().produce_output(parsed_args, column_names, [tuple(map(_shown, row)) for row in data])
        return super().produce_output(parsed_args, column_names, tuple(map(_shown, data)))

    def _clients(self) -> Any:
        """Makes clients of OpenStack's services, which wait a little for one that is away."""
        if not self.auth_required:
            from tripleo_update_plugin.adapters.retrying import Patience, PatientSession

            self.auth_required = True
            self.app.prepare_to_run_command(self)
            patience = Patience(seconds=PATIENCE, quiet=QUIET, say=self.say)
            self.app.client_manager.session = PatientSession(self.app.client_manager.session, patience)
        return self.app.client_manager


def _shown(cell: Any) -> Any:
    """A cell as it may be shown."""
    if isinstance(cell, FormattableColumn):
        return _ShownColumn(cell)
    return printable(cell) if isinstance(cell, str) else cell


class _ShownColumn(FormattableColumn):  # type: ignore[misc]
    """What another column says, as it may be shown. Forms for machines write control characters out themselves."""

    def human_readable(self) -> str:
        return printable(str(self._value.human_readable()))

    def machine_readable(self) -> Any:
        value = self._value.machine_readable()
        return printable(value) if isinstance(value, str) else value


class NamesColumn(format_columns.ListColumn):  # type: ignore[misc]
    """Names: a list for machines, in the order given, and ``a, b`` for people."""

    def human_readable(self) -> str:
        return ", ".join(self._value)

    def machine_readable(self) -> list[str]:
        return list(self._value)


class DataColumn(format_columns.DictColumn):  # type: ignore[misc]
    """A mapping for machines; for people what *text* makes of it."""

    def __init__(self, value: Mapping[str, Any], text: Callable[[Any], str]) -> None:
        super().__init__(value)
        self._text = text

    def human_readable(self) -> str:
        return self._text(self._value)

    def machine_readable(self) -> dict[str, Any]:
        return dict(self._value)


def seconds(text: str) -> float:
    """The value of an option that is a time: a day at the most."""
    value = float(text)
    if not 0 <= value <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0 to {MOST_SECONDS}")
    return value


def add_source(parser: argparse.ArgumentParser) -> None:
    """The options that say which overcloud, and what the policy is."""
    parser.add_argument("--stack", metavar="NAME", help="the overcloud's Heat stack; with --outputs, only its name")
    parser.add_argument(
        "--outputs",
        metavar="FILE",
        help="read the overcloud from FILE instead of Heat: what 'openstack overcloud update export' saved, what "
        "'openstack stack show -f json' or 'openstack stack output show --all -f json' print, or {key: value}",
    )
    parser.add_argument(
        "--services",
        metavar="FILE",
        help="each service's own data, {role: {service: role_data}}: it tells who runs a service where the outputs "
        "do not",
    )
    parser.add_argument(
        "--policy", metavar="FILE", action="append", default=[], help="what the operator allows; repeatable, later wins"
    )


def read_source(cmd: CloudCommand, args: argparse.Namespace, per_service: bool = False) -> "Snapshot":
    """The overcloud that the options of add_source name; *per_service* if each service's own data is wanted, too."""
    from tripleo_update_plugin.adapters import documents
    from tripleo_update_plugin.errors import BadInput

    services = documents.read_services(args.services) if args.services else None
    if args.outputs:
        return documents.read_snapshot(args.outputs, args.stack or "", services)
    if not args.stack:
        raise BadInput("no overcloud is named", "Give --stack NAME, or --outputs FILE to work without Heat.")
    return snapshot_of(cmd, args.stack, per_service and services is None, services)


def snapshot_of(
    cmd: CloudCommand, stack: str, per_service: bool = False, services: "PerService | None" = None
) -> "Snapshot":
    """An overcloud as Heat has it, and each service's own data if *per_service*: some hundred calls more."""
    from tripleo_update_plugin.overcloud import outputs
    from tripleo_update_plugin.overcloud.snapshot import Snapshot

    heat = cmd.heat()
    found = heat.outputs(stack)
    if per_service and "RoleData" in found:  # of Newton, outputs() reads it in any case
        services = heat.services(stack, outputs.enabled_services(found)) or None
    return Snapshot.of(stack, found, services)


def ask_nodes(cmd: CloudCommand, stack: str) -> "Facts | None":
    """What the nodes say; None, with a word about it, where they can't be asked."""
    from tripleo_update_plugin import rollout
    from tripleo_update_plugin.errors import UpdateError

    try:
        return rollout.discover(stack, cmd.mistral())
    except UpdateError as error:
        cmd.say(f"The nodes were not asked: {error.message}. (--no-facts leaves this out.)")
        return None
