"""Extensions, through stevedore, strictly: one that cannot be loaded stops the plan instead of being dropped."""

import json
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import yaml
from stevedore import ExtensionManager

from tripleo_update_plugin.adapters import yamlsafe
from tripleo_update_plugin.catalogue import Catalogue, Profile, parse_profile
from tripleo_update_plugin.errors import BadProfile

SERVICES = "tripleo_update_plugin.services"


def load_catalogue(*folders: str) -> Catalogue:
    """The service catalogue: the built-in profiles, those of installed extensions, then those in *folders*.

    Later ones replace earlier ones of the same service. Raises BadProfile with file, place and reason.
    """
    schema = _schema()
    profiles: dict[str, Profile] = {}
    for root in [*_packages(), *map(_folder, folders)]:
        for file in sorted((f for f in root.iterdir() if f.name.endswith((".yaml", ".yml"))), key=lambda f: f.name):
            profiles.update(_read(file, schema))
    return Catalogue(profiles)


def _packages() -> list[Traversable]:
    """The packages behind the entry points, the built-in one first."""

    def fail(_manager: object, entry_point: Any, error: BaseException) -> None:
        raise BadProfile(
            f"the extension {entry_point.name!r} ({entry_point.value}) cannot be loaded: {error}",
            "Mend or uninstall the package that brings it.",
        ) from error

    manager = ExtensionManager(SERVICES, on_load_failure_callback=fail)
    found: list[tuple[bool, str, ModuleType]] = [(e.name != "builtin", e.name, e.plugin) for e in manager]
    return [resources.files(module) for _, _, module in sorted(found, key=lambda entry: entry[:2])]


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise BadProfile(f"{name}: no such folder of service profiles")
    return folder


def _schema() -> Any:
    text = (resources.files("tripleo_update_plugin.services") / "schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


def _read(file: Traversable, schema: Any) -> Iterator[tuple[str, Profile]]:
    try:
        text = file.read_text()
        data = yamlsafe.load(text) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadProfile(f"{file}: {error}") from error
    for problem in schema.iter_errors(data):
        service = str(problem.absolute_path[0]) if problem.absolute_path else ""
        place = "/".join(map(str, problem.absolute_path))
        raise BadProfile(f"{file}:{_line_of(text, service)}: {place}: {problem.message}")
    for service, entry in data.items():
        yield service, parse_profile(service, entry, f"{file}:{_line_of(text, service)}")


def _line_of(text: str, service: str) -> int:
    lines = text.splitlines()
    return next((i for i, line in enumerate(lines, 1) if service and line.startswith(f"{service}:")), 1)
