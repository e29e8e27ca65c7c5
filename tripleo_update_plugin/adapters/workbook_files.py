"""Workbooks as texts: the hand-written ones of this package, and generated ones once they are checked."""

import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tripleo_update_plugin.adapters import yaml_safe
from tripleo_update_plugin.errors import BadPlan, UpdateError
from tripleo_update_plugin.workflows import task_shapes
from tripleo_update_plugin.workflows.workbook import STATIC, to_yaml

_SHARE = Path("share") / "tripleo-update-plugin" / "workbooks"


def folder() -> Path:
    """Where the workbooks are: beside the package in a source tree or an editable install, else under share/."""
    source = Path(__file__).resolve().parents[2] / "workbooks"
    prefixes = dict.fromkeys([sysconfig.get_path("data"), sys.prefix, "/usr/local", "/usr"])
    for candidate in [source, *(Path(prefix) / _SHARE for prefix in prefixes)]:
        if (candidate / f"{STATIC}.yaml").is_file():
            return candidate
    raise UpdateError("the workbooks of tripleo-update-plugin are not installed", "Install the package again.")


def static_definition() -> str:
    """The text of the workbook ``tripleo_update``."""
    return (folder() / f"{STATIC}.yaml").read_text(encoding="utf-8")


def checked_definition(book: dict[str, Any], validate: Callable[[str], object]) -> str:
    """The text of the generated *book*, if all is well with it: BadPlan, or what *validate* raises, if not.

    *validate* is Mistral's parser, here or on its server. It judges a small workbook that stands for this one.
    """
    text = to_yaml(book)
    if yaml_safe.load(text) != book:
        raise BadPlan("the text of the workbook does not read back as what was written")
    task_shapes.check(book)
    validate(to_yaml(task_shapes.representative(book)))
    return text
