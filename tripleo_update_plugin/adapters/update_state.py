"""What Mistral keeps beside an update, each in an environment: what people want of it, and nodes it goes on without.

``tripleo-update-control.<update>`` is written by operators' commands only. There is a
``tripleo-update-node.<update>.<node>`` for each node, so that several phases and people can write at the same time.
"""

import json
from collections.abc import Mapping
from typing import Any

from mistralclient.api.base import APIException

from tripleo_update_plugin.adapters.mistral import translated
from tripleo_update_plugin.outcome.control import Control, Quarantine

_CONTROL, _NODE = "tripleo-update-control.", "tripleo-update-node."



class UpdateState:
    """The state of updates in Mistral; *client* is python-mistralclient's. MistralUnavailable if it does not answer."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def control(self, update: str) -> Control:
        """What people want of the update."""
        found = self._read(f"{_CONTROL}{update}")
        return Control.from_dict(found) if found else Control()

    def set_control(self, update: str, control: Control) -> None:
        self._write(f"{_CONTROL}{update}", "What operators want of an update", control.to_dict())

    def quarantined(self, update: str) -> dict[str, Quarantine]:
        """{node: why the update goes on without it}; two requests, and one more for each thousand of them."""
        prefix = f"{_NODE}{update}."
        found: dict[str, Quarantine] = {}
        with translated("list nodes in quarantine"):
            names = [each.name for each in self._client.environments.list(name=f"has:{prefix}")]
        for name in names:
            if name.startswith(prefix) and (data := self._read(name)):
                record = Quarantine.from_dict(data)
                found[record.node] = record
        return found

    def quarantine(self, update: str, record: Quarantine) -> None:
        """Have the update go on without a node."""
        self._write(f"{_NODE}{update}.{record.node}", "A node that an update goes on without", record.to_dict())

    def release(self, update: str, node: str) -> None:
        """Take the node up again, if it was in quarantine."""
        with translated(f"release {node}"):
            try:
                self._client.environments.delete(f"{_NODE}{update}.{node}")
            except APIException as error:
                if error.error_code != 404:
                    raise

    def _read(self, name: str) -> dict[str, Any]:
        """The value kept as *name*; {} if there is none."""
        with translated(f"read {name}"):
            try:
                variables = self._client.environments.get(name).variables
            except APIException as error:
                if error.error_code != 404:
                    raise
                return {}
        data = json.loads(variables) if isinstance(variables, str) else variables
        return dict(data.get("value") or {})

    def _write(self, name: str, description: str, value: Mapping[str, Any]) -> None:
        record = {"name": name, "description": description, "variables": json.dumps({"value": value})}
        with translated(f"save {name}"):
            try:
                self._client.environments.create(**record)
            except APIException as error:
                if error.error_code != 409:
                    raise
                self._client.environments.update(**record)
