"""``openstack overcloud update services``."""

import argparse

from cliff.columns import FormattableColumn
from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn, Rows, add_source, read_source


class ListServices(CloudCommand, command.Lister):  # type: ignore[misc]
    """List the services of an overcloud: who runs each, how much of it may be down at once, and why.

    The last column is the number of update tasks that the service itself brings (-f json has their names), where its
    own data could be read.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_source(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.adapters import documents, extensions
        from tripleo_update_plugin.rules import service_list

        policy = documents.read_policy(parsed_args.policy)
        source = read_source(self, parsed_args, per_service=True)
        catalogue = extensions.load_catalogue(*policy.services)
        lines = service_list.services_of(source.overcloud(), catalogue, policy, source.services)
        columns = ("service", "kind", "run by", "nodes", "budget", "bound by", "update tasks")
        rows = [
            (s.service, s.kind, NamesColumn(s.run_by), s.nodes, s.budget, s.bound_by, TasksColumn(s.update_tasks))
            for s in lines
        ]
        return columns, rows


class TasksColumn(FormattableColumn):  # type: ignore[misc]
    """Update tasks: their names for machines, their number for people; nothing where nobody looked."""

    def human_readable(self) -> str:
        return "" if self._value is None else str(len(self._value))

    def machine_readable(self) -> list[str] | None:
        return None if self._value is None else list(self._value)
