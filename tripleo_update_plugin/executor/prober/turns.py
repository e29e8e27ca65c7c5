"""Which machine probes an update, where the phases of its batches are carried out on several?

The word is Mistral's: beside what the prober of an update tells there stands who told it, and when. Whoever told last
goes on; when that is half a minute ago, whoever comes next takes over, and goes on from what was told.
"""

import platform
import time
from typing import Any, Protocol

from tripleo_update_plugin import conf as options

_SILENCE = 30.0  # seconds; a prober tells every ten


class Memory(Protocol):
    """What is needed of Mistral; ``adapters.mistral.Mistral`` has it."""

    def begin_watch(self, execution: str, by: str, watch: dict[str, Any], told: float) -> bool: ...
    def watcher(self, execution: str) -> tuple[str, float]: ...


def name_of(conf: Any) -> str:
    """By which name the probers of this machine are known: those of another work folder are others."""
    return f"{platform.node()}:{conf[options.GROUP].work_dir}"


def is_another(memory: Memory, execution: str, own: str) -> bool:
    """Whether a prober of another machine than *own* has told something just now."""
    by, told = memory.watcher(execution)
    return by not in ("", own) and time.time() - told < _SILENCE


def is_ours(memory: Memory, execution: str, own: str, watch: dict[str, Any]) -> bool:
    """Whether it is on *own* to probe the update; of several that ask for the first time, one is told so.

    *watch* is what is known before anything has been asked.
    """
    return memory.begin_watch(execution, own, watch, time.time()) or not is_another(memory, execution, own)
