"""Heat, through python-heatclient: a stack's outputs, and its errors in our words."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from heatclient import exc as heat_errors
from keystoneauth1 import exceptions as auth_errors
from oslo_log import log

from tripleo_update_plugin.errors import HeatUnavailable, StackNotFound

#: Calls to Heat at the same time.
_AT_ONCE = 8

LOG = log.getLogger(__name__)

#: The states in which a stack's outputs are those of a whole overcloud.
_SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "CHECK_COMPLETE", "ADOPT_COMPLETE", "RESUME_COMPLETE")


class Heat:
    """A view of Heat that knows stacks and their outputs only."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def outputs(self, stack: str) -> dict[str, Any]:
        """All outputs of *stack*, {key: value}, in one call.

        Raises StackNotFound and HeatUnavailable; the latter also while the stack is being changed.
        """
        began = time.monotonic()
        with _translated(stack):
            found = self._client.stacks.get(stack, resolve_outputs=True)
        LOG.debug("Heat gave %d outputs of stack %s in %.2f s", len(found.outputs), stack, time.monotonic() - began)
        if found.stack_status not in _SETTLED:
            raise HeatUnavailable(
                f"stack {stack} is in state {found.stack_status}: its outputs may be those of half an overcloud",
                "Bring the stack to a COMPLETE state first: 'openstack stack show'.",
            )
        return {entry["output_key"]: entry.get("output_value") for entry in found.outputs}

    def services(self, stack: str, roles: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The data of every service by itself, {role: {service: role_data}}, from the nested service chains.

        The root's outputs merge the data of a role's services. A role whose chain is not there is left out. Some
        hundred calls, several at a time.
        """
        began, roles = time.monotonic(), list(roles)
        with _translated(stack), ThreadPoolExecutor(_AT_ONCE) as pool:
            chains = pool.map(lambda role: self._chain(stack, role), roles)
            wanted = [(role, member) for role, chain in zip(roles, chains, strict=True) for member in chain]
            data = list(pool.map(lambda each: self._role_data(each[1]), wanted))
        LOG.debug("Heat gave %d services of stack %s in %.2f s", len(data), stack, time.monotonic() - began)
        found: dict[str, dict[str, Any]] = {}
        for (role, _), service in zip(wanted, data, strict=True):
            if service.get("service_name"):
                found.setdefault(role, {})[service["service_name"]] = service
        return found

    def _chain(self, stack: str, role: str) -> list[str]:
        """The nested stacks of a role's services, by id."""
        try:
            nested = self._client.resources.get(stack, f"{role}ServiceChain").physical_resource_id
            chain = self._client.resources.get(nested, "ServiceChain").physical_resource_id
        except heat_errors.HTTPNotFound:
            return []
        return [member.physical_resource_id for member in self._client.resources.list(chain)]

    def _role_data(self, member: str) -> dict[str, Any]:
        output = self._client.stacks.output_show(member, "role_data")["output"]
        return output.get("output_value") or {}


@contextmanager
def _translated(stack: str) -> Iterator[None]:
    try:
        yield
    except heat_errors.HTTPNotFound as error:
        raise StackNotFound(f"Heat has no stack {stack!r}") from error
    except (heat_errors.BaseException, auth_errors.ClientException, OSError) as error:
        raise HeatUnavailable(f"Heat did not give stack {stack!r}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
