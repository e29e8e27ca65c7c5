"""``openstack overcloud update services``."""

import argparse

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn, Rows, add_source, read_source


class ListServices(CloudCommand, command.Lister):  # type: ignore[misc]
    """List the services of an overcloud: who runs each, how much of it may be down at once, and why."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_source(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin import inventory, outputs
        from tripleo_update_plugin.adapters import documents, plugins

        policy = documents.read_policy(parsed_args.policy)
        overcloud = outputs.parse(*read_source(self, parsed_args))
        lines = inventory.services_of(overcloud, plugins.load_catalogue(*policy.services), policy)
        columns = ("service", "kind", "run by", "nodes", "budget", "bound by")
        rows = [(s.service, s.kind, NamesColumn(s.run_by), s.nodes, s.budget, s.bound_by) for s in lines]
        return columns, rows
