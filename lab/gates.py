"""Does every gate hold an update back while its service is sick? Asked of a real Mistral, with real sick services."""

import dataclasses
import datetime
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import overcloud, services, sickness, undercloud
from lab.hosts import wait_until
from lab.sickness import Sickness
from lab.site import Site
from lab.topology import STACK, Host, Topology
from tripleo_update_plugin import conf
from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.overcloud.outputs import digest

Say = Callable[[str], None]

HEAD = ("architecture", "service", "made sick", "while it is sick the gate says", "before and after", "measured")

_PATIENCE = 20  # seconds that a gate tries again for
_LONGEST = 240.0  # seconds that a gate may take in all
_HEALED = 180.0  # seconds that a service may need to be well again


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """``held``: what the gate said while the service was sick, "" if it let the update go on. ``open``: whether it did
    so before and afterwards."""

    architecture: str
    service: str
    words: str
    held: str
    open: bool
    date: str

    @property
    def is_as_it_should_be(self) -> bool:
        return bool(self.held) and self.open

    def cells(self) -> tuple[str, ...]:
        said = self.held or "NOTHING: the update would go on"
        is_open = "open" if self.open else "NOT OPEN"
        return self.architecture, self.service, self.words, said, is_open, f"{self.date} UTC"


def try_all(site: Site, topology: Topology, say: Say) -> list[Trial]:
    """One trial of every service. Call it inside the lab's network; every service is well again afterwards."""
    undercloud.configure(site, undercloud.CAREFUL, patience=_PATIENCE)
    found = []
    for number, each in enumerate(sickness.sicknesses(topology)):
        trial = _try(site, topology, each, number)
        say(" | ".join(trial.cells()))
        found.append(trial)
    return found


def _try(site: Site, topology: Topology, sick: Sickness, number: int) -> Trial:
    """The gate of the first host that has the service, while it is sick on the last one: a peer that it looks at."""
    *others, patient = topology.having(sick.service)
    # Agents serve their own host only, so gates of other hosts do not look at them.
    batch = patient if sick.service == "nova_compute" else others[0]
    was_open = not _gate(site, topology, batch, f"{number}-well")
    sickness.do(site, patient, sick.cause)
    try:
        held = _gate(site, topology, batch, f"{number}-sick")
    finally:
        sickness.do(site, patient, sick.cure)
    wait_until("every server of HAProxy is up again", lambda: services.all_up(site, topology), _HEALED)
    is_open = _opens(site, topology, batch, f"{number}-healed")
    return Trial(
        architecture=topology.architecture, service=sick.service, words=sick.words, held=held,
        open=was_open and is_open, date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M"),
    )  # fmt: skip


def _opens(site: Site, topology: Topology, batch: Host, name: str) -> bool:
    deadline = time.monotonic() + _HEALED
    turn = 0
    while _gate(site, topology, batch, f"{name}-{turn}"):
        if time.monotonic() > deadline:
            return False
        turn += 1
    return True


def _gate(site: Site, topology: Topology, batch: Host, name: str) -> str:
    """Why the gate before an update of *batch* stays shut, "" if it opens."""
    client = keystone.mistral_client(conf.load((str(undercloud.state(site).folder / "mistral.conf"),)))
    asked = {
        "stack": STACK, "digest": digest(json.loads(json.dumps(overcloud.outputs(topology)))), "batch": name,
        "nodes": [batch.name], "moment": "before", "timeout": int(_LONGEST),
    }  # fmt: skip
    execution = client.action_executions.create("tripleo_update.gate", asked, save_result=True)
    return _reason(_ended(client, str(execution.id)))


def _ended(client: Any, identifier: str) -> Any:
    deadline = time.monotonic() + _LONGEST
    while (execution := client.action_executions.get(identifier)).state not in ("SUCCESS", "ERROR"):
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    return execution


def _reason(execution: Any) -> str:
    if execution.state == "SUCCESS":
        return ""
    output = json.loads(execution.output).get("result", execution.output)
    return str(output.get("error") or output) if isinstance(output, dict) else str(output or execution.state)


def save(trials: Iterable[Trial], folder: Path) -> None:
    """One file for each architecture; later trials take the place of earlier ones."""
    by_architecture: dict[str, list[dict[str, Any]]] = {}
    for trial in trials:
        by_architecture.setdefault(trial.architecture, []).append(dataclasses.asdict(trial))
    folder.mkdir(exist_ok=True)
    for architecture, found in by_architecture.items():
        (folder / f"{architecture}.json").write_text(json.dumps(found, indent=2))


def load(folder: Path) -> list[Trial]:
    """All that were saved; none if none were."""
    return [Trial(**each) for path in sorted(folder.glob("*.json")) for each in json.loads(path.read_text())]
