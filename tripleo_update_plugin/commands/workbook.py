"""``openstack overcloud update workbook``."""

import argparse
import json

from tripleo_update_plugin.commands.base import CloudCommand


class ShowWorkbook(CloudCommand):
    """Print the Mistral workbook that runs a plan, checked by Mistral's own parser."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("plan", metavar="PLAN", help="a plan that 'overcloud update plan --save' wrote")
        parser.add_argument("--upload", action="store_true", help="put the plan and its workbook into Mistral as well")
        parser.add_argument("-f", "--format", choices=("yaml", "json"), default="yaml", help="default: yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.adapters import documents, mistral_parser, workbook_files
        from tripleo_update_plugin.workflows import workbook

        plan = documents.read_plan(parsed_args.plan)
        data = workbook.render(plan)
        validate = mistral_parser.validate if mistral_parser.is_installed() else self.mistral().validate
        text = workbook_files.checked_definition(data, validate)
        if parsed_args.upload:
            self.say(f"Uploaded as the workflow {rollout.upload(plan, self.mistral())}")
        self.app.stdout.write(text if parsed_args.format == "yaml" else json.dumps(data, indent=2) + "\n")
