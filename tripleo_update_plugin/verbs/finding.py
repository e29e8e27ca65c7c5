"""Which update is meant? By its ID, the beginning of it, ``latest``, or because no other can be."""

import re

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.errors import Ambiguous, BadInput, ExecutionNotFound
from tripleo_update_plugin.outcome.execution import Execution

LATEST = "latest"

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]*\Z")


def find(named: str, stack: str, mistral: Mistral, ended: bool = False) -> str:
    """The id of the update *named* so, of *stack* if that is given.

    Where it is not *named* it is the only one that has not ended; if all have and *ended* ones will do, the latest.
    Raises ExecutionNotFound or Ambiguous.
    """
    if _ID.match(named):
        return named
    if named and named != LATEST and not _BEGINNING.match(named):
        raise BadInput(f"{named!r} is no ID of an update", "'openstack overcloud update list' shows them.")
    updates = mistral.updates(stack)
    if named == LATEST:
        return _latest(updates, stack).id
    if named:
        return _only([each for each in updates if each.id.startswith(named)], f"whose ID begins with {named}").id
    going = [each for each in updates if not each.is_final]
    if going or not ended:
        return _only(going, "that has not ended").id
    if others := sorted({each.stack for each in updates} - {_latest(updates, stack).stack}):
        raise Ambiguous(f"the latest update is of {updates[0].stack}; there are updates of {', '.join(others)}, too")
    return updates[0].id


def stack_of(named: str, mistral: Mistral) -> str:
    """The stack *named* so; the only one that Mistral knows updates of if none is. Raises Ambiguous, BadInput."""
    if named:
        return named
    stacks = {each.stack for each in mistral.updates()}
    if len(stacks) > 1:
        raise Ambiguous(f"there are updates of {', '.join(sorted(stacks))}", "Give --stack NAME.")
    if not stacks:
        raise BadInput("no stack is named", "Give --stack NAME.")
    return stacks.pop()


def _latest(updates: list[Execution], stack: str) -> Execution:
    if not updates:
        raise ExecutionNotFound(f"there is no update{f' of {stack}' if stack else ''}")
    return updates[0]


def _only(updates: list[Execution], which: str) -> Execution:
    if not updates:
        raise ExecutionNotFound(f"there is no update {which}")
    if len(updates) > 1:
        listed = ", ".join(f"{each.id} ({each.stack}, {each.state})" for each in updates[:5])
        raise Ambiguous(f"there are {len(updates)} updates {which}: {listed}{' …' if len(updates) > 5 else ''}")
    return updates[0]
