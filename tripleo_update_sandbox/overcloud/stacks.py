"""How does an overcloud get into Heat? As a stack whose template has nothing but outputs."""

import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.undercloud.servers import Endpoints

_PATIENCE = 60.0  # seconds for a stack to be created; 1 on an idle machine

#: {role: {service: role_data}}, as architecture.PerService.
Services = Mapping[str, Mapping[str, Mapping[str, Any]]]


def template(outputs: Mapping[str, Any], resources: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "heat_template_version": "2018-08-31",
        "description": "Outputs of an overcloud, without the overcloud",
        **({"resources": dict(resources)} if resources else {}),
        "outputs": {key: {"value": value} for key, value in outputs.items()},
    }


def chains(services: Services) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nested stacks as TripleO's, ``<Role>ServiceChain`` → ``ServiceChain`` → a stack for each service, whose output
    ``role_data`` is the service's own: (resources of the root, the rest of a request that creates it).
    """
    files, registry = {}, {}
    resources: dict[str, Any] = {}
    for role, members in services.items():
        for service, data in members.items():
            files[f"{role}/{service}.yaml"] = template({"role_data": data})
            registry[f"Sandbox::{role}::{service}"] = f"{role}/{service}.yaml"
        types = [f"Sandbox::{role}::{service}" for service in members]
        chain = {"type": "OS::Heat::ResourceChain", "properties": {"resources": types}}
        files[f"{role}.yaml"] = template({}, {"ServiceChain": chain})
        registry[f"Sandbox::{role}"] = f"{role}.yaml"
        # One after the other: SQLite has one writer.
        resources[f"{role}ServiceChain"] = {"type": f"Sandbox::{role}", "depends_on": list(resources)[-1:]}
    texts = {name: json.dumps(file) for name, file in files.items()}
    return resources, {"files": texts, "environment": {"resource_registry": registry}}


def digest(outputs: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def ensure(where: Endpoints, name: str, outputs: Mapping[str, Any], services: Services | None = None) -> None:
    """Creates the stack unless it is there, with nested stacks of *services*."""
    if not stack_status(where, name):
        resources, more = chains(services or {})
        body = {
            "stack_name": name,
            "template": template(outputs, resources),
            "disable_rollback": True,
            "timeout_mins": 10,
            **more,
        }
        _call(where, "POST", "/stacks", body)
    deadline = time.monotonic() + _PATIENCE * (5 if services else 1)
    while (status := stack_status(where, name)) in ("", "CREATE_IN_PROGRESS") and time.monotonic() < deadline:
        time.sleep(0.2)
    if status != "CREATE_COMPLETE":
        why = _stack(where, name).get("stack_status_reason") or "it is not there"
        raise SandboxError(f"Heat did not create the stack {name}: {why}")


def stack_status(where: Endpoints, name: str) -> str:
    """Heat's status of the stack; empty if there is none of that name."""
    return str(_stack(where, name).get("stack_status", ""))


def _stack(where: Endpoints, name: str) -> dict[str, Any]:
    """What Heat lists of the stack; empty if there is none of that name."""
    found = _call(where, "GET", f"/stacks?name={name}").get("stacks") or [{}]
    return dict(found[0])


def _call(where: Endpoints, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", where.heat_port, timeout=60)
    headers = {"Content-Type": "application/json", "X-Auth-Token": "sandbox"}
    try:
        connection.request(method, f"/v1/admin{path}", json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SandboxError(f"Heat does not answer at {where.heat}: {error}") from error
    finally:
        connection.close()
    if response.status >= 400:
        message = (answer.get("error") or {}).get("message") or response.reason
        raise SandboxError(f"Heat refuses {method} {path}: {message}")
    return dict(answer)
