"""What a prober has at hand: certificates, other ways to addresses, credentials; all from the executor's own files."""

import json
import os
import ssl
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import yaml_safe
from tripleo_update_plugin.errors import BadInput

#: Blocking clients that may be under way at once.
_THREADS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Credentials of one kind of service; never printed."""

    user: str
    password: str = field(repr=False)
    vhost: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """``detours`` is {"host" or "host:port": the same}: where to connect to instead. ``logins`` is {kind: Login}."""

    commands: bool = False
    detours: Mapping[str, str] = field(default_factory=dict)
    logins: Mapping[str, Login] = field(default_factory=dict)
    checked: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS))

    @classmethod
    def of(cls, conf: Any) -> "Means":
        """What the group [tripleo_update] says; BadInput for a file that cannot be used."""
        group = conf[options.GROUP]
        try:
            detours = json.loads(Path(group.probe_detours).read_text()) if group.probe_detours else {}
            checked = ssl.create_default_context(cafile=group.probe_cafile)
        except (OSError, ValueError) as error:
            raise BadInput(f"probe_detours or probe_cafile cannot be used: {error}") from error
        logins = _logins(Path(group.probe_credentials)) if group.probe_credentials else {}
        return cls(commands=group.probe_commands, detours=detours, logins=logins, checked=checked)

    def tls(self, verify: bool) -> ssl.SSLContext:
        return self.checked if verify else _unchecked()

    def way_to(self, host: str, port: int) -> tuple[str, int]:
        """Where to connect for *host* and *port*.

        >>> Means(detours={"10.0.0.5": "127.0.0.1", "10.0.0.5:80": "127.0.0.1:8080"}).way_to("10.0.0.5", 80)
        ('127.0.0.1', 8080)
        """
        if other := self.detours.get(f"{host}:{port}"):
            name, _, number = other.rpartition(":")
            return name, int(number)
        return self.detours.get(host, host), port


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _logins(path: Path) -> dict[str, Login]:
    """A YAML file {sql: {user, password}, amqp: {user, password, vhost}} that nobody else can read."""
    try:
        if os.stat(path).st_mode & 0o077:  # noqa: PTH116 - one call for mode and existence
            raise BadInput(f"probe_credentials: {path} can be read by others", f"chmod 600 {path}")
        found = yaml_safe.load(path.read_text(encoding="utf-8")) or {}
        return {kind: Login(**found[kind]) for kind in ("sql", "amqp") if kind in found}
    except OSError as error:
        raise BadInput(f"probe_credentials: {error}") from error
    except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        # The parser's message may quote the file.
        raise BadInput(f"probe_credentials: {path} is not {{sql: {{user, password}}, amqp: {{…}}}}") from error
