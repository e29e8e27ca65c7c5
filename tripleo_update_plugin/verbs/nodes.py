"""Put nodes back into use, or forget whose they are: by the records on the nodes, whatever became of their update."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.errors import PhaseFailed
from tripleo_update_plugin.names import naturally

_TIMEOUT = 3900.0  # seconds; the action itself gives up earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one node: what was ``put_back`` into use, and what is ``left`` out of use, in words."""

    node: str
    ok: bool
    error: str = ""
    put_back: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def restore(stack: str, nodes: Iterable[str], mistral: Mistral) -> tuple[Told, ...]:
    """Put back what was taken out of use on *nodes*, whoever did it. Raises PhaseFailed if no node could be asked."""
    given = {"stack": stack, "nodes": list(naturally(nodes)), "batch": "restore", "by_record": True}
    return _told(mistral.run_action("tripleo_update.restore", given, _TIMEOUT))


def unlock(stack: str, nodes: Iterable[str], mistral: Mistral) -> tuple[Told, ...]:
    """Forget which update *nodes* belong to, though it may be at work on them. Raises PhaseFailed as above."""
    given = {"stack": stack, "nodes": list(naturally(nodes)), "force": True}
    return _told(mistral.run_action("tripleo_update.unlock", given, _TIMEOUT))


def _told(answer: Mapping[str, Any]) -> tuple[Told, ...]:
    nodes: Mapping[str, Mapping[str, Any]] = answer.get("nodes") or {}
    if not nodes:
        raise PhaseFailed(str(answer.get("error") or "the executor named no node"))
    return tuple(
        Told(
            node=name, ok=bool(nodes[name].get("ok")), error=str(nodes[name].get("error") or ""),
            put_back=tuple(nodes[name].get("put_back") or ()), left=tuple(nodes[name].get("left") or ()),
        )
        for name in naturally(nodes)
    )  # fmt: skip
