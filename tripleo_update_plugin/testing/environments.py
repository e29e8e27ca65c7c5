"""Environments of a Mistral that is only memory."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tripleo_update_plugin.adapters.mistral_environments import Environments


class FakeEnvironments(Environments):
    """*answer* raises where their Mistral does not answer."""

    def __init__(self, answer: Callable[[], None]) -> None:
        super().__init__(None)
        self._answer = answer
        self._kept: dict[str, dict[str, Any]] = {}

    def create(self, name: str, description: str, variables: Mapping[str, Any]) -> bool:
        is_new = self.kept(name) is None
        if is_new:
            self.keep(name, description, variables)
        return is_new

    def keep(self, name: str, description: str, variables: Mapping[str, Any]) -> None:
        self._answer()
        self._kept[name] = copy.deepcopy(dict(variables))

    def kept(self, name: str) -> dict[str, Any] | None:
        self._answer()
        return copy.deepcopy(self._kept.get(name))

    def under(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        self._answer()
        yield from [(name, copy.deepcopy(kept)) for name, kept in self._kept.items() if name.startswith(prefix)]

    def drop(self, name: str) -> None:
        self._answer()
        self._kept.pop(name, None)
