"""What do the outputs of a stack, of any release, say of the overcloud?

Shapes and their releases: EnabledServices {role: [service]} (Newton on), RoleData {role: {...}} (Ocata on), RoleConfig
and RoleNetHostnameMap {role: {network: [fqdn]}} (Pike on), RoleTags and Blacklisted* (Queens on). What the outputs of
older releases do not tell, adapters.heat reads elsewhere in the stack and adds as pseudo-outputs, so that digests bind
it like any output: nodes.RESOURCE_GROUP_MEMBERS, SERVICE_CHAINS and fixed_roles.STACK_SETTINGS.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tripleo_update_plugin import strict_json
from tripleo_update_plugin.errors import BadOutputs, first_line
from tripleo_update_plugin.names import is_safe_name, natural_key
from tripleo_update_plugin.overcloud import architecture, fixed_roles
from tripleo_update_plugin.overcloud.addresses import address_of, check_apart
from tripleo_update_plugin.overcloud.completeness import (
    SETTLED,
    check_roles,
    check_services,
    mapping,
    value_of,
    values_of,
)
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.overcloud.nodes import nodes_in

#: {name of an output: its value}
Outputs = Mapping[str, Any]

#: The pseudo-output with what tells who runs a service where no output does (Newton): {role: {service: signs}}.
SERVICE_CHAINS = "ServiceChains"

#: Newest sign first: an output's name → the first release whose stacks have it (read in the upstream branches). No
#: output tells Zed from the tip of Wallaby, whose client reads the same ones (AdminPassword, KeystoneRegion), nor
#: Ussuri from Train.
RELEASE_SIGNS = (
    ("AdminPassword", "wallaby"),
    ("TripleoHeatTemplatesJinja2RenderingDataSources", "wallaby"),
    ("RoleNetworkConfigMap", "victoria"),
    ("AnsibleHostVarsMap", "train"),
    ("GlobalConfig", "stein"),
    ("RoleGroupVars", "rocky"),
    ("RoleTags", "queens"),
    ("RoleConfig", "pike"),
    ("RoleData", "ocata"),
    ("EnabledServices", "newton"),
    ("AodhInternalVip", "mitaka"),
)

#: Outputs that are a secret: their digest alone would let people try passwords on it.
_SECRETS = frozenset({"AdminPassword"})

#: What architecture reads of a role's data, and the types it has there.
_ROLE_DATA_TYPES: Mapping[str, tuple[type, ...]] = {
    "deploy_steps_tasks": (list,),
    "docker_config": (dict,),
    "kolla_config": (dict,),
    "puppet_config": (dict, list),
    "service_names": (list,),
    "step_config": (str, list),
}


def digest(outputs: Outputs) -> str:
    """SHA-256 (hex) of the outputs, whatever the order of their keys."""
    text = json.dumps(outputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_document(document: object) -> tuple[dict[str, Any], str]:
    """The outputs in a parsed file, and the stack's name where the file has it (else "").

    Takes what ``stack show -f json`` and ``stack output show --all -f json`` print, and a plain {key: value}. Raises
    BadOutputs for anything else.
    """
    if not isinstance(document, Mapping):
        raise BadOutputs(f"a mapping of outputs is expected, this is a {type(document).__name__}")
    if isinstance(document.get("outputs"), list):
        status = document.get("stack_status") or SETTLED[0]
        if status not in SETTLED:
            raise BadOutputs(
                f"the stack was in state {status!s:.100}: its outputs may be those of half an overcloud",
                "Bring the stack to a COMPLETE state, and read it again.",
            )
        return values_of(document["outputs"]), str(document.get("stack_name") or "")
    values = {key: _embedded(key, value) for key, value in document.items()}
    return values, ""


def _embedded(key: str, value: Any) -> Any:
    """The value inside ``stack output show --all``'s wrapping: JSON text of {output_key, output_value}."""
    if isinstance(value, str) and '"output_key"' in value:
        try:
            value = strict_json.load(value)
        except (ValueError, RecursionError) as error:
            raise BadOutputs(f"output {key} is not whole: {first_line(error)}") from error
    if isinstance(value, Mapping) and value.get("output_key") == key:
        return value_of(key, value)
    return value


def parse(outputs: Outputs, stack: str, services: architecture.PerService | None = None) -> Overcloud:
    """The overcloud that *outputs* describe.

    *services* is the per-service data of the nested service chains, {role: {service: role_data}}, where it was read.
    Raises BadOutputs, which names the output at fault.
    """
    if not is_safe_name(stack):
        raise BadOutputs(f"{stack!r} is not a stack name", "Stack names have letters, digits, '-', '_' and '.' only.")
    release = release_of(outputs)
    enabled = enabled_services(outputs)
    services = checked_services(services or mapping(outputs, SERVICE_CHAINS), SERVICE_CHAINS)
    roles = _role_data(outputs)
    packaging = architecture.packaging_of(_all_data(roles, services))
    runners = _runners(enabled, roles, services, packaging)
    if _has_fixed_roles(outputs):
        runners = {role: fixed_roles.runners_of(role, names) for role, names in enabled.items()}
    clustered = {s for by_service in runners.values() for s, r in by_service.items() if r in ("pacemaker", "bundle")}
    has_pacemaker = any("pacemaker" in names for names in enabled.values()) or bool(clustered)
    nodes, vips = tuple(sorted(nodes_in(outputs, enabled), key=lambda node: natural_key(node.name))), _vips(outputs)
    check_roles(outputs)
    check_services(nodes)
    check_apart(((node.name, node.address) for node in nodes), vips.values())
    return Overcloud(
        stack=stack,
        release=release,
        architecture=architecture.architecture_of(has_pacemaker, packaging, release, clustered),
        packaging=packaging,
        nodes=nodes,
        digest=digest(outputs),
        runners=runners,
        vips=vips,
        endpoints=_endpoints(outputs),
        has_update_tasks="update_steps_playbook" in mapping(outputs, "RoleConfig"),
    )


def release_of(outputs: Outputs) -> str:
    """The first release whose stacks have outputs like these; ``liberty`` if they have none of the signs."""
    return next((release for sign, release in RELEASE_SIGNS if sign in outputs), "liberty")


def enabled_services(outputs: Outputs) -> dict[str, frozenset[str]]:
    """{role: its services}. Raises BadOutputs where nothing names them."""
    if _has_fixed_roles(outputs):
        return _fixed_services(outputs)
    listed = mapping(outputs, "EnabledServices") or {
        role: data.get("service_names") for role, data in _role_data(outputs).items()
    }
    if not listed:
        raise BadOutputs("neither EnabledServices nor RoleData names any service")
    enabled = {}
    for role, names in listed.items():
        names = names or ()
        if not is_safe_name(role) or not isinstance(names, list | tuple):
            raise BadOutputs(f"EnabledServices of role {role!r} is not a list of services of a proper role name")
        bad = [name for name in names if not is_safe_name(name)]
        if bad:
            raise BadOutputs(f"EnabledServices of role {role} has {bad[0]!r}, which is not a service name")
        enabled[role] = frozenset(names)
    return enabled


def _has_fixed_roles(outputs: Outputs) -> bool:
    """Liberty and Mitaka: an overcloud's outputs, but none that Newton and later have."""
    later = "ManagedEndpoints" in outputs or release_of(outputs) not in ("liberty", "mitaka")
    return "KeystoneURL" in outputs and not later


def _fixed_services(outputs: Outputs) -> dict[str, frozenset[str]]:
    by_role: dict[str, list[Node]] = {}
    for node in nodes_in(outputs, dict.fromkeys(fixed_roles.ROLES, frozenset())):
        by_role.setdefault(node.role, []).append(node)
    return fixed_roles.services_of(release_of(outputs), mapping(outputs, fixed_roles.STACK_SETTINGS), by_role)


def with_service_chains(outputs: Outputs, services: architecture.PerService | None) -> dict[str, Any]:
    """*outputs*, and the signs in each service's own data as SERVICE_CHAINS where no output has them (Newton)."""
    told = "RoleData" in outputs or SERVICE_CHAINS in outputs
    if told or not services or not outputs.get("EnabledServices"):
        return dict(outputs)
    return {**outputs, SERVICE_CHAINS: service_signs(enabled_services(outputs), services)}


def service_signs(enabled: Mapping[str, frozenset[str]], services: architecture.PerService) -> dict[str, Any]:
    """architecture.service_signs() of the services in *enabled*, {role: {service: signs}}."""
    return {
        role: {name: architecture.service_signs(name, own[name]) for name in sorted(own) if name in enabled[role]}
        for role, own in sorted(services.items())
        if role in enabled
    }


def checked_services(services: Any, source: str) -> architecture.PerService:
    """Per-service data of the right shape; BadOutputs, which names the *source* and the place, if it is not."""
    if not isinstance(services, Mapping) or not all(isinstance(own, Mapping) for own in services.values()):
        raise BadOutputs(f"{source} is not {{role: {{service: role_data}}}}", _SERVICES_REMEDY)
    for role, own in services.items():
        for service, data in own.items():
            _check_data(data, f"{source}: service {service} of role {role}", _SERVICES_REMEDY)
    return services


_SERVICES_REMEDY = "Give per-service data, or leave it out."


def _role_data(outputs: Outputs) -> Mapping[str, Mapping[str, Any]]:
    roles = mapping(outputs, "RoleData")
    for role, data in roles.items():
        _check_data(data or {}, f"RoleData of role {role}")
    return {role: data or {} for role, data in roles.items()}


def _check_data(data: object, what: str, remedy: str = "") -> None:
    if not isinstance(data, Mapping):
        raise BadOutputs(f"{what} should be a mapping", remedy)
    for key, types in _ROLE_DATA_TYPES.items():
        if data.get(key) and not isinstance(data[key], types):
            wanted = " or a ".join(type_.__name__ for type_ in types)
            raise BadOutputs(f"{what}: {key} should be a {wanted}, it is a {type(data[key]).__name__}", remedy)


def _all_data(
    roles: Mapping[str, Mapping[str, Any]], services: architecture.PerService
) -> Iterator[Mapping[str, Any]]:
    yield from roles.values()
    for own in services.values():
        yield from own.values()


def _runners(
    enabled: Mapping[str, frozenset[str]],
    roles: Mapping[str, Mapping[str, Any]],
    services: architecture.PerService,
    packaging: str,
) -> dict[str, dict[str, str]]:
    runners = {}
    for role, names in enabled.items():
        runners[role] = architecture.runners_of(names, roles.get(role, {}), packaging)
        exact = architecture.runners_per_service(services.get(role, {}))
        runners[role].update({service: runner for service, runner in exact.items() if service in names})
    return runners


def _vips(outputs: Outputs) -> dict[str, str]:
    """As they are spelled: Pacemaker's resources have their names after that."""
    vips = mapping(outputs, "VipMap")
    addresses = {name: ip for name, ip in vips.items() if ip and not name.endswith(("_uri", "_subnet"))}
    for name, ip in addresses.items():
        address_of("VipMap", name, ip)
    return addresses


def _endpoints(outputs: Outputs) -> dict[str, str]:
    entries = mapping(outputs, "EndpointMap")
    uris = {name: entry["uri"] for name, entry in entries.items() if isinstance(entry, Mapping) and entry.get("uri")}
    for name, uri in uris.items():
        if not isinstance(uri, str):
            raise BadOutputs(f"EndpointMap: the uri of {name} should be a text, it is a {type(uri).__name__}")
    return uris


def images(outputs: Outputs) -> dict[str, dict[str, str]]:
    """{role: {container: the image it is to run}}, as far as RoleData names containers (Pike on). Raises BadOutputs."""
    found: dict[str, dict[str, str]] = {}
    for role, data in mapping(outputs, "RoleData").items():
        steps = (data.get("docker_config") if isinstance(data, Mapping) else None) or {}
        containers = [pair for step in steps.values() if isinstance(step, Mapping) for pair in step.items()]
        found[role] = {
            name: container["image"] for name, container in containers
            if isinstance(container, Mapping) and isinstance(container.get("image"), str)
        }  # fmt: skip
    return found


def digests(outputs: Outputs) -> dict[str, str]:
    """{output: the first 16 hex digits of its digest}: enough to tell which of them changed; "" for a secret."""
    return {key: "" if key in _SECRETS else digest({key: outputs[key]})[:16] for key in sorted(outputs)}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which outputs changed between two results of digests(), in words; "" if none did.

    >>> differences({"EndpointMap": "a", "VipMap": "b"}, {"EndpointMap": "c", "RoleData": "d"})
    'changed: EndpointMap; new: RoleData; gone: VipMap'
    """
    groups = {
        "changed": [key for key in before if key in now and before[key] != now[key]],
        "new": [key for key in now if key not in before],
        "gone": [key for key in before if key not in now],
    }
    return "; ".join(f"{word}: {', '.join(sorted(keys))}" for word, keys in groups.items() if keys)
