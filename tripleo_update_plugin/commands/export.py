"""``openstack overcloud update export``."""

import argparse
import dataclasses

from tripleo_update_plugin.commands.base import CloudCommand, ask_nodes, snapshot_of


class ExportOvercloud(CloudCommand):
    """Save all that planning needs of an overcloud to a file, without its secrets.

    'overcloud update plan --outputs FILE' and 'overcloud update services --outputs FILE' take it anywhere, and a plan
    made so can be started where the overcloud is. FILE names nodes, addresses and services.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("file", metavar="FILE", help="where to write it, as JSON")
        parser.add_argument("--stack", metavar="NAME", required=True, help="the overcloud's Heat stack")
        parser.add_argument(
            "--no-facts", action="store_true", help="do not ask the nodes (through Mistral) which of them are down"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from tripleo_update_plugin.adapters import documents

        snapshot = snapshot_of(self, parsed_args.stack, per_service=True)
        if not parsed_args.no_facts:
            snapshot = dataclasses.replace(snapshot, facts=ask_nodes(self, parsed_args.stack))
        documents.write_export(snapshot, parsed_args.file)
        self.say(f"Saved {parsed_args.stack} to {parsed_args.file}.")
