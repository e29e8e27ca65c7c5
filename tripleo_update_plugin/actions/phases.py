"""The phases of a batch, as Mistral actions.

They return at once; a process of their own does the work and reports to Mistral when it is done (see ``jobs``).
Mistral rebuilds actions from their attributes, so these are plain classes with plain values.
"""

from typing import Any

from mistral_lib import actions

from tripleo_update_plugin.actions import handover


class Gate(actions.Action):  # type: ignore[misc]
    """Wait until nodes and their peers are healthy.

    moment 'before': the batch's nodes, and every other node that offers one of the batch's services; also fails
    when more than max_failed nodes of the same update have failed already.
    moment 'after': the batch's nodes only.
    """

    def __init__(
        self, stack: str, digest: str, batch: str, nodes: list[str], only: list[str] | None = None,
        down: list[str] | None = None, moment: str = "before", max_failed: int = 0, timeout: int | None = None,
    ) -> None:  # fmt: skip
        self.stack = stack
        self.digest = digest
        self.batch = batch
        self.nodes = nodes
        self.only = only
        self.down = down
        self.moment = moment
        self.max_failed = max_failed
        self.timeout = timeout

    def is_sync(self) -> bool:
        return False

    def run(self, context: Any) -> None:
        handover.hand_over("gate", vars(self), context)


class _Phase(actions.Action):  # type: ignore[misc]
    def __init__(
        self, stack: str, digest: str, batch: str, nodes: list[str], only: list[str] | None = None,
        down: list[str] | None = None, timeout: int | None = None,
    ) -> None:  # fmt: skip
        self.stack = stack
        self.digest = digest
        self.batch = batch
        self.nodes = nodes
        self.only = only
        self.down = down
        self.timeout = timeout

    def is_sync(self) -> bool:
        return False

    def run(self, context: Any) -> None:
        handover.hand_over(type(self).__name__.lower(), vars(self), context)


class Drain(_Phase):
    """Take the services of the nodes out of use, so that stopping them is not felt."""


class Update(_Phase):
    """Update the nodes: with the overcloud's own update playbook, with its tasks for the services in only, or, where it
    has none, by packages. extra_vars are variables for Ansible, {name: plain data}.
    """

    def __init__(
        self, stack: str, digest: str, batch: str, nodes: list[str], only: list[str] | None = None,
        down: list[str] | None = None, timeout: int | None = None, extra_vars: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(stack, digest, batch, nodes, only, down, timeout)
        self.extra_vars = extra_vars


class Restore(_Phase):
    """Put the services of the nodes back into use."""
