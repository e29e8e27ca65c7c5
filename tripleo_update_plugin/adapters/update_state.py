"""Where do people and phases leave word about one update, and find it again?

In Mistral, as environments named by the update's root execution: so they are seen from every machine.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from tripleo_update_plugin.adapters.mistral_environments import Environments
from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.outcome.control import Beat, Control, Quarantine

_CONTROL = "tripleo-update-control."
_NODE = "tripleo-update-node."
_BEAT = "tripleo-update-beat."

_Note = TypeVar("_Note", Control, Quarantine)


class UpdateState:
    """*root* is the id of the update's root execution. Raises MistralUnavailable, and BadInput for what is no note."""

    def __init__(self, client: Any, environments: Environments | None = None) -> None:
        self._environments = environments or Environments(client)

    def load_control(self, root: str) -> Control:
        """What operators want of the update; nothing in particular if nobody said anything."""
        name = f"{_CONTROL}{root}"
        kept = self._environments.kept(name)
        return Control() if kept is None else _read(Control, name, kept)

    def save_control(self, root: str, control: Control) -> None:
        """Say what operators want from now on; whoever says so last is heard."""
        self._environments.keep(f"{_CONTROL}{root}", "What operators want of an update", control.to_dict())

    def quarantined(self, root: str) -> dict[str, Quarantine]:
        """{node: why it is left out}; one that cannot be read is an error: nobody may guess who is meant."""
        notes = [_read(Quarantine, name, kept) for name, kept in self._environments.under(f"{_NODE}{root}.")]
        return {note.node: note for note in notes}

    def quarantine(self, root: str, note: Quarantine) -> None:
        """Leave a node out from now on."""
        self._environments.keep(f"{_NODE}{root}.{note.node}", "A node that an update leaves out", note.to_dict())

    def release(self, root: str, nodes: Iterable[str]) -> None:
        """Leave *nodes* out no longer."""
        for node in nodes:
            self._environments.drop(f"{_NODE}{root}.{node}")

    def beats(self, root: str) -> tuple[Beat, ...]:
        """The last sign of life of every phase that has not told its result; what cannot be read is none."""
        found = []
        for _, kept in self._environments.under(f"{_BEAT}{root}."):
            try:
                found.append(Beat.from_dict(kept))
            except ValueError:
                continue
        return tuple(found)

    def alive(self) -> frozenset[str]:
        """The updates, by root execution, of which a phase has given a sign of life and not told its result."""
        names = (name.removeprefix(_BEAT) for name, _ in self._environments.under(_BEAT))
        return frozenset(name.split(".", 1)[0] for name in names)

    def beat(self, root: str, beat: Beat) -> None:
        """Say that a phase is alive; at most one phase of a batch is."""
        self._environments.keep(f"{_BEAT}{root}.{beat.batch}", "The sign of life of a phase", beat.to_dict())

    def drop_beat(self, root: str, batch: str) -> None:
        """The phase has told its result."""
        self._environments.drop(f"{_BEAT}{root}.{batch}")


def _read(kind: type[_Note], name: str, kept: dict[str, Any]) -> _Note:
    try:
        return kind.from_dict(kept)
    except ValueError as error:
        remedy = f"Look at it with 'openstack workflow env show {name}', and delete it if it makes no sense."
        raise BadInput(f"the environment {name} in Mistral cannot be read: {error}", remedy) from error
