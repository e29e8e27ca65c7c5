"""How do the OpenStack clients of the same shell find the sandbox? By a clouds.yaml."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import yaml

from tripleo_update_sandbox.state import NAME, State
from tripleo_update_sandbox.undercloud.servers import Endpoints
from tripleo_update_undercloud.files import write_private

_ENDINGS = (".yaml", ".yml", ".json")


def cloud(where: Endpoints) -> dict[str, object]:
    return {
        "clouds": {
            NAME: {
                "auth_type": "none",
                "auth": {"endpoint": where.heat},
                "workflowv2_endpoint_override": where.mistral,
            }
        }
    }


def user_folders(environ: Mapping[str, str]) -> list[Path]:
    """Where the OpenStack SDK looks for the user's clouds.yaml, first things first."""
    home = Path(environ.get("HOME") or Path.home()) / ".config"
    return list(dict.fromkeys([Path(environ.get("XDG_CONFIG_HOME") or home) / "openstack", home / "openstack"]))


def publish(state: State, where: Endpoints, environ: Mapping[str, str]) -> None:
    """Writes the sandbox's clouds.yaml, and links to it from the user's place for one if that is empty."""
    write_private(state.clouds, yaml.safe_dump(cloud(where), sort_keys=False))
    folders = user_folders(environ)
    link = folders[0] / "clouds.yaml"
    ours = link.is_symlink() and link.readlink() == state.clouds
    if ours and not state.recall("link"):
        state.remember("link", {"path": str(link), "made": []})
    if ours or any(_taken(folder / f"clouds{ending}") for folder in folders for ending in _ENDINGS):
        return
    made = [str(p) for p in (link.parent, *link.parent.parents) if not p.exists()]
    with suppress(OSError):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(state.clouds)
        state.remember("link", {"path": str(link), "made": made})


def withdraw(state: State) -> None:
    """Takes back what ``publish`` put into the user's place, and nothing else."""
    remembered = state.recall("link")
    if not remembered:
        return
    link = Path(str(remembered["path"]))
    if link.is_symlink() and link.readlink() == state.clouds:
        link.unlink()
        for folder in remembered.get("made") or ():
            with suppress(OSError):  # not empty: it has become the user's
                Path(folder).rmdir()
    state.forget("link")


def hindrance(state: State, environ: Mapping[str, str]) -> str:
    """The file that the OpenStack clients would read instead of the sandbox's; empty if they find the sandbox's."""
    first = environ.get("OS_CLIENT_CONFIG_FILE")
    candidates = [Path(first)] if first and Path(first).exists() else []
    candidates += [
        path
        for folder in (Path.cwd(), *user_folders(environ))
        for ending in _ENDINGS
        if (path := folder / f"clouds{ending}").exists()
    ]
    if candidates and candidates[0].resolve() != state.clouds.resolve():
        return str(candidates[0])
    return "" if candidates else "(none)"


def _taken(path: Path) -> bool:
    """A link that leads nowhere is someone's as well."""
    return path.exists() or path.is_symlink()


def advice(state: State, environ: Mapping[str, str]) -> str:
    """Lines for the user's shell, and why each is needed."""
    lines = [f"export OS_CLOUD={NAME}"]
    if other := hindrance(state, environ):
        reason = "no clouds.yaml could be linked" if other == "(none)" else f"{other} is yours and comes first"
        lines.insert(0, f"export OS_CLIENT_CONFIG_FILE={state.clouds}   # because {reason}")
    return "\n".join(lines)
