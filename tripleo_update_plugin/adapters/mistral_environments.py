"""How is data kept in Mistral, beside its executions, for every operator and executor to see?

As environments: named JSON, of which a name has at most 200 characters.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mistralclient.api.base import APIException

from tripleo_update_plugin.adapters.mistral_errors import translated
from tripleo_update_plugin.adapters.mistral_pages import page
from tripleo_update_plugin.errors import MistralUnavailable

_LONGEST_NAME = 200


class Environments:
    """Every method raises MistralUnavailable where Mistral does not answer, or cannot."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def create(self, name: str, description: str, variables: Mapping[str, Any]) -> bool:
        """Whether *name* is new; one that is there already stays as it is."""
        with translated(f"save {name}"):
            try:
                self._client.environments.create(**_record(name, description, variables))
            except APIException as error:
                if error.error_code != 409:
                    raise
                return False
        return True

    def keep(self, name: str, description: str, variables: Mapping[str, Any]) -> None:
        """Create or replace *name*."""
        record = _record(name, description, variables)
        with translated(f"save {name}"):
            try:
                self._client.environments.update(**record)
            except APIException as error:
                if error.error_code != 404:
                    raise
                self._create(record)

    def _create(self, record: Mapping[str, Any]) -> None:
        try:
            self._client.environments.create(**record)
        except APIException as error:
            if error.error_code != 409:  # somebody else was faster
                raise
            self._client.environments.update(**record)

    def kept(self, name: str) -> dict[str, Any] | None:
        """What was kept last as *name*; None if nothing is."""
        with translated(f"read {name}"):
            try:
                return _data(self._client.environments.get(name[:_LONGEST_NAME]))
            except APIException as error:
                if error.error_code != 404:
                    raise
                return None

    def under(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(name, what is kept) of all names that begin with *prefix*."""
        with translated(f"list {prefix}*"):
            found = self._named(prefix)
        for each in found.values():
            if each.name.startswith(prefix):
                yield each.name, _data(each)

    def _named(self, text: str) -> dict[str, Any]:
        """{name: environment} of all names that have *text* in them.

        Pages are told apart by time: of environments, Mistral refuses the markers of its own links.
        """
        found: dict[str, Any] = {}
        query = {"name": f"has:{text}", "fields": "name,variables,created_at", "sort_keys": "created_at"}
        while True:
            entries, is_last = page(self._client.environments, "/environments", **query)
            known = len(found)
            found |= {each.name: each for each in entries}
            if is_last:
                return found
            if len(found) == known:
                raise MistralUnavailable(f"Mistral lists no more than {known} of {text}*: raise its [api] max_limit")
            query["created_at"] = f"gte:{entries[-1].created_at}"

    def drop(self, name: str) -> None:
        """Forget *name*, if it is there."""
        with translated(f"remove {name}"):
            try:
                self._client.environments.delete(name[:_LONGEST_NAME])
            except APIException as error:
                if error.error_code != 404:
                    raise


def _record(name: str, description: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name[:_LONGEST_NAME], "description": description, "variables": json.dumps(variables)}


def _data(environment: Any) -> dict[str, Any]:
    variables = environment.variables
    return dict(json.loads(variables) if isinstance(variables, str) else variables)
