"""The phases of a batch, as Mistral actions.

They return at once; a process of their own does the work and reports to Mistral when it is done (see ``jobs``).
Mistral rebuilds actions from their attributes, so these are plain classes with plain values.
"""

from typing import Any

from mistral_lib import actions

from tripleo_update_plugin.actions import handover

#: A number, or what a plan has: see rules.failure_limits.
MaxFailed = int | dict[str, Any]


class _Phase(actions.Action):  # type: ignore[misc]
    """What all phases of a batch are given.

    stack and nodes by name; batch is the batch's id and update that of its update, as the records on the nodes name
    them. digest is the SHA-256 (hex) of the outputs that the plan was made from. only are the services it is limited
    to, null for all. down are nodes that do not answer. timeout is the phase's deadline in seconds; it ends as well
    after silence seconds without a result of a node. While no more nodes of the update have failed than max_failed
    says, as a number or as a plan has it, the update goes on without them. accept is what may be sick as it was before
    the update, as a list of {name, nodes, roles}: see rules.acceptance.
    """

    def __init__(
        self, stack: str, batch: str, nodes: list[str], digest: str | None = None, update: str | None = None,
        only: list[str] | None = None, down: list[str] | None = None, max_failed: MaxFailed = 0,
        timeout: int | None = None, silence: int | None = None, accept: list[dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.stack = stack
        self.batch = batch
        self.nodes = nodes
        self.digest = digest
        self.update = update
        self.only = only
        self.down = down
        self.max_failed = max_failed
        self.timeout = timeout
        self.silence = silence
        self.accept = accept

    def is_sync(self) -> bool:
        return False

    def run(self, context: Any) -> None:
        handover.hand_over(type(self).__name__.lower(), vars(self), context)


class Gate(_Phase):
    """Wait until nodes and their peers are healthy.

    moment 'before': claims the batch's nodes, then looks at them and at every other node that offers one of their
    services; one that is out of use counts as down, and no more of a service than allowed, {service: number}, may be.
    moment 'after': the batch's nodes only; those that are well are free then.
    """

    def __init__(
        self, stack: str, batch: str, nodes: list[str], digest: str | None = None, update: str | None = None,
        only: list[str] | None = None, down: list[str] | None = None, moment: str = "before",
        allowed: dict[str, int] | None = None, max_failed: MaxFailed = 0, timeout: int | None = None,
        silence: int | None = None, accept: list[dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(stack, batch, nodes, digest, update, only, down, max_failed, timeout, silence, accept)
        self.moment = moment
        self.allowed = allowed


class Drain(_Phase):
    """Take the services of the nodes out of use, so that stopping them is not felt."""


class Update(_Phase):
    """Update the nodes: with the overcloud's own update playbook, with its tasks for the services in only, or, where it
    has none, by packages. extra_vars are variables for Ansible, {name: plain data}.
    """

    def __init__(
        self, stack: str, batch: str, nodes: list[str], digest: str | None = None, update: str | None = None,
        only: list[str] | None = None, down: list[str] | None = None, max_failed: MaxFailed = 0,
        timeout: int | None = None, silence: int | None = None, extra_vars: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(stack, batch, nodes, digest, update, only, down, max_failed, timeout, silence)
        self.extra_vars = extra_vars


class Restore(_Phase):
    """Put the services of the nodes back into use.

    last says that no phase of the batch follows, so that the nodes are free afterwards. by_record puts back what the
    records on the nodes say that was taken out, whichever update did it; no digest is needed then.
    """

    def __init__(
        self, stack: str, nodes: list[str], batch: str = "restore", digest: str | None = None,
        update: str | None = None, only: list[str] | None = None, down: list[str] | None = None, last: bool = False,
        by_record: bool = False, max_failed: MaxFailed = 0, timeout: int | None = None,
        silence: int | None = None, accept: list[dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(stack, batch, nodes, digest, update, only, down, max_failed, timeout, silence, accept)
        self.last = last
        self.by_record = by_record


class Unlock(_Phase):
    """Forget which update the nodes belong to, though it may still be at work: force has to be true.

    What is out of use on the nodes stays so; restore with by_record puts it back.
    """

    def __init__(self, stack: str, nodes: list[str], force: bool = False, timeout: int | None = None) -> None:
        super().__init__(stack, "unlock", nodes, timeout=timeout)
        self.force = force
