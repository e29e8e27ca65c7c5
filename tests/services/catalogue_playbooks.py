"""Writes the steps of every profile as playbooks, one for each runner and phase, and has a command look at them.

python catalogue_playbooks.py FOLDER COMMAND...
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.overcloud.model import RUNNERS
from tripleo_update_plugin.rules.catalogue import Catalogue

_PACKAGE = Path(__file__).parents[2] / "tripleo_update_plugin"
_PHASES = ("drain", "restore", "gate")


def playbooks_of(catalogue: Catalogue) -> Iterator[tuple[str, list[dict]]]:
    """(name, plays): a play for each service whose profile has steps."""
    for runner in RUNNERS:
        for phase in _PHASES:
            plays = [
                {"name": f"{phase.capitalize()} {service}", "hosts": "all", "gather_facts": False, "tasks": list(tasks)}
                for service, profile in sorted(catalogue.profiles.items())
                if (tasks := profile.of_runner(phase, runner))
            ]
            if plays:
                yield f"{phase}-{runner}", plays


class _Plain(yaml.SafeDumper):
    """Without references, which keep the catalogue from repeating itself, and indented as Ansible's own files."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def write(folder: Path) -> list[Path]:
    """The playbooks, with our modules beside them; *folder* is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("library", "module_utils"):
        shutil.copytree(_PACKAGE / name, folder / name)
    files = []
    for name, plays in playbooks_of(load_catalogue(str(_PACKAGE / "services"))):
        text = yaml.dump(plays, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120, explicit_start=True)
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(text)
    return files


if __name__ == "__main__":
    folder, *command = sys.argv[1:]
    names = [file.name for file in write(Path(folder))]
    sys.exit(subprocess.run([*command, *names], cwd=folder, check=False).returncode)
