"""Extensions, through stevedore, strictly: one that cannot be loaded stops the plan instead of being dropped."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from stevedore import ExtensionManager

from tripleo_update_plugin import strict_json
from tripleo_update_plugin.adapters import yaml_safe
from tripleo_update_plugin.errors import BadProfile, shortened
from tripleo_update_plugin.rules.catalogue import Catalogue, Profile, parse_profile

#: The package with the built-in profiles, and the namespace of entry points that name other such packages.
SERVICES = "tripleo_update_plugin.services"


def load_catalogue(*folders: str) -> Catalogue:
    """The service catalogue: the built-in profiles, those of installed extensions, then those in *folders*.

    Later ones replace earlier ones of the same service. Raises BadProfile with file, place and reason.
    """
    profiles: dict[str, Profile] = {}
    own = resources.files(SERVICES)
    for root in [own, *_packages(), *map(_folder, folders)]:
        for file in sorted((f for f in root.iterdir() if f.name.endswith((".yaml", ".yml"))), key=lambda f: f.name):
            # What this package ships its own tests hold to the schema; to check it at every phase would cost seconds.
            profiles.update(_read(file, check=root is not own))
    return Catalogue(profiles)


def _packages() -> list[Traversable]:
    """The packages that entry points name, in the order of these names."""

    def fail(_manager: object, entry_point: Any, error: BaseException) -> None:
        raise BadProfile(
            f"the extension {entry_point.name!r} ({entry_point.value}) cannot be loaded: {error}",
            "Mend or uninstall the package that brings it.",
        ) from error

    manager = ExtensionManager(SERVICES, on_load_failure_callback=fail)
    return [resources.files(each.plugin) for each in sorted(manager, key=lambda each: str(each.name))]


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise BadProfile(f"{name}: no such folder of service profiles")
    return folder


@cache
def _schema() -> Any:
    import jsonschema

    text = (resources.files(SERVICES) / "schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


def _read(file: Traversable, check: bool) -> Iterator[tuple[str, Profile]]:
    try:
        text = file.read_text()
        data = yaml_safe.load_strictly(text) if check else yaml_safe.load(text)
    except strict_json.Unreadable as error:
        raise BadProfile(f"{file}: {error}") from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadProfile(f"{file} is not YAML: {yaml_safe.reason(error)}") from error
    data = {} if data is None else data
    for problem in _schema().iter_errors(data) if check else ():
        service = str(problem.absolute_path[0]) if problem.absolute_path else ""
        place = "/".join(map(str, problem.absolute_path))
        raise BadProfile(f"{file}:{_line_of(text, service)}: {place:.300}: {shortened(problem.message)}")
    for service, entry in data.items():
        yield service, parse_profile(service, entry, f"{file}:{_line_of(text, service)}")


def _line_of(text: str, service: str) -> int:
    lines = text.splitlines()
    return next((i for i, line in enumerate(lines, 1) if service and line.startswith(f"{service}:")), 1)
