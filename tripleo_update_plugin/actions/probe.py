"""Probing without an update, as a Mistral action: what can be asked from here, and does it answer."""

from typing import Any

from mistral_lib import actions

from tripleo_update_plugin.actions import handover


class Probe(actions.Action):  # type: ignore[misc]
    """Ask for some seconds what an update of the stack would ask all the while; changes nothing.

    probes is the key of that name of a policy. The output has 'probes': how often each was asked and answered, and
    why not. An update needs no such action: its phases see to it that it is probed.
    """

    def __init__(
        self, stack: str, seconds: int = 15, probes: dict[str, Any] | None = None, timeout: int | None = None
    ) -> None:
        self.stack = stack
        self.seconds = seconds
        self.probes = probes
        self.timeout = timeout

    def is_sync(self) -> bool:
        return False

    def run(self, context: Any) -> None:
        handover.hand_over("probe", vars(self), context)
