"""Extensions, through stevedore, strictly: one that cannot be loaded stops the plan instead of being dropped."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from stevedore import ExtensionManager

from tripleo_update_plugin.adapters import yaml_safe
from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.rules.catalogue import Catalogue, Profile, parse_profile

SERVICES = "tripleo_update_plugin.services"
BUILTIN = "builtin"


def load_catalogue(*folders: str) -> Catalogue:
    """The service catalogue: the built-in profiles, those of installed extensions, then those in *folders*.

    Later ones replace earlier ones of the same service. Raises BadProfile with file, place and reason.
    """
    profiles: dict[str, Profile] = {}
    for name, root in [*_packages(), *((folder, _folder(folder)) for folder in folders)]:
        for file in sorted((f for f in root.iterdir() if f.name.endswith((".yaml", ".yml"))), key=lambda f: f.name):
            # What this package ships its own tests hold to the schema; to check it at every phase would cost seconds.
            profiles.update(_read(file, check=name != BUILTIN))
    return Catalogue(profiles)


def _packages() -> list[tuple[str, Traversable]]:
    """(name of the entry point, its package), the built-in one first."""

    def fail(_manager: object, entry_point: Any, error: BaseException) -> None:
        raise BadProfile(
            f"the extension {entry_point.name!r} ({entry_point.value}) cannot be loaded: {error}",
            "Mend or uninstall the package that brings it.",
        ) from error

    manager = ExtensionManager(SERVICES, on_load_failure_callback=fail)
    found: list[tuple[bool, str, ModuleType]] = [(e.name != BUILTIN, e.name, e.plugin) for e in manager]
    return [(name, resources.files(module)) for _, name, module in sorted(found, key=lambda entry: entry[:2])]


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise BadProfile(f"{name}: no such folder of service profiles")
    return folder


@cache
def _schema() -> Any:
    import jsonschema

    text = (resources.files("tripleo_update_plugin.services") / "schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


def _read(file: Traversable, check: bool) -> Iterator[tuple[str, Profile]]:
    try:
        text = file.read_text()
        data = yaml_safe.load(text) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadProfile(f"{file}: {error}") from error
    for problem in _schema().iter_errors(data) if check else ():
        service = str(problem.absolute_path[0]) if problem.absolute_path else ""
        place = "/".join(map(str, problem.absolute_path))
        raise BadProfile(f"{file}:{_line_of(text, service)}: {place}: {problem.message}")
    for service, entry in data.items():
        yield service, parse_profile(service, entry, f"{file}:{_line_of(text, service)}")


def _line_of(text: str, service: str) -> int:
    lines = text.splitlines()
    return next((i for i, line in enumerate(lines, 1) if service and line.startswith(f"{service}:")), 1)
