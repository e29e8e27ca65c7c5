"""What the commands share: clients made only when needed, columns that are text for people and data for machines."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from osc_lib.cli import format_columns
from osc_lib.command import command

if TYPE_CHECKING:  # cliff imports every command to build its help, so what is heavy waits for take_action
    from tripleo_update_plugin.adapters.heat import Heat
    from tripleo_update_plugin.adapters.mistral import Mistral

Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]


class CloudCommand(command.Command):  # type: ignore[misc]
    """A command that may need the undercloud's services, or may not: it authenticates at the first use of one."""

    auth_required = False
    exit_code = 0

    def heat(self) -> "Heat":
        from tripleo_update_plugin.adapters.heat import Heat

        return Heat(self._clients().orchestration)

    def mistral(self) -> "Mistral":
        from tripleo_update_plugin.adapters.mistral import Mistral

        return Mistral(self._clients().workflow_engine)

    def say(self, text: str) -> None:
        """Tell the operator something that is not the command's data."""
        print(text, file=sys.stderr, flush=True)

    def confirm(self, question: str) -> None:
        """Go on only if a person at the terminal says yes. Raises BadInput."""
        from tripleo_update_plugin.errors import BadInput

        if not sys.stdin.isatty():
            raise BadInput("nobody is there to confirm it", "Add --yes once you have read the plan.")
        sys.stderr.write(question)
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise BadInput("not confirmed, so nothing was begun", "Answer 'y', or add --yes.")

    def run(self, parsed_args: argparse.Namespace) -> int:
        return int(super().run(parsed_args) or self.exit_code)

    def _clients(self) -> Any:
        if not self.auth_required:
            self.auth_required = True
            self.app.prepare_to_run_command(self)
        return self.app.client_manager


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


def add_source(parser: argparse.ArgumentParser) -> None:
    """The options that say which overcloud, and what the policy is."""
    parser.add_argument("--stack", metavar="NAME", help="the overcloud's Heat stack; with --outputs, only its name")
    parser.add_argument(
        "--outputs",
        metavar="FILE",
        help="read the stack's outputs from FILE instead of Heat: what 'openstack stack show -f json' or 'openstack "
        "stack output show --all -f json' print, or {key: value}",
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


class Source(NamedTuple):
    """An overcloud as it was read: the outputs, the stack's name, and {role: {service: role_data}} or None."""

    outputs: dict[str, Any]
    stack: str
    services: dict[str, dict[str, Any]] | None


def read_source(cmd: CloudCommand, args: argparse.Namespace) -> Source:
    """What the options of add_source name."""
    from tripleo_update_plugin.adapters import documents
    from tripleo_update_plugin.errors import BadInput

    services = documents.read_services(args.services) if args.services else None
    if args.outputs:
        outputs, name = documents.read_outputs(args.outputs)
        return Source(outputs, args.stack or name or "overcloud", services)
    if not args.stack:
        raise BadInput("no overcloud is named", "Give --stack NAME, or --outputs FILE to work without Heat.")
    heat = cmd.heat()
    outputs = heat.outputs(args.stack)
    if services is None and "RoleData" not in outputs and outputs.get("EnabledServices"):
        # Newton: only the nested stacks tell who runs a service, and so which architecture this is.
        services = heat.services(args.stack, outputs["EnabledServices"])
    return Source(outputs, args.stack, services)
