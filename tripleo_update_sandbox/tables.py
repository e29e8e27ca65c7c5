"""How is what the sandbox knows of TripleO read from the YAML files beside the code, and checked?"""

import json
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import jsonschema
import yaml

from tripleo_update_plugin.adapters import yaml_safe
from tripleo_update_sandbox.errors import SandboxError

_SCHEMAS = "tripleo_update_sandbox.schemas"


def load(package: str, name: str) -> Any:
    """What ``name.yaml`` beside the code of *package* holds, as the schema of that name allows it."""
    return read(resources.files(package) / f"{name}.yaml", name)


def read(file: Traversable, name: str) -> Any:
    """What *file* holds. SandboxError with the first place where the schema *name* does not allow it."""
    schema = json.loads((resources.files(_SCHEMAS) / f"{name}.json").read_text())
    try:
        table = yaml_safe.load(file.read_text())
    except yaml.YAMLError as error:
        raise wrong(file.name, str(error)) from error
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(table))
    if problem is not None:
        place = ".".join(map(str, problem.absolute_path))
        raise wrong(file.name, f"{place}: {problem.message[:300]}")
    return table


def wrong(file: str, what: str) -> SandboxError:
    """The error about a mistake in a table: this package's own, whoever changed it."""
    return SandboxError(f"{file} cannot be used: {what}", "Install the package anew.")
