"""What the nodes say now, as a Mistral action."""

from typing import Any

from mistral_lib import actions

from tripleo_update_plugin.actions import handover


class Discover(actions.Action):  # type: ignore[misc]
    """Ask the nodes of a stack who is down, who leads and what runs there; changes nothing. Its output has 'facts'."""

    def __init__(self, stack: str, nodes: list[str] | None = None, timeout: int | None = None) -> None:
        self.stack = stack
        self.nodes = nodes
        self.timeout = timeout

    def is_sync(self) -> bool:
        return False

    def run(self, context: Any) -> None:
        handover.hand_over("discover", vars(self), context)
