"""The hand-written workbooks of this package, wherever it is installed."""

import sys
import sysconfig
from pathlib import Path

from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.workbook import STATIC

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
