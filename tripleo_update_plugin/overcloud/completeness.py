"""Do the outputs of a stack say as much as they should, and the same in every place?

What says less than it should is not taken for nothing: nodes would vanish from a plan, or be updated though they were
excluded, or all at once because nothing is known to run on them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.names import short_name
from tripleo_update_plugin.overcloud.addresses import canonical
from tripleo_update_plugin.overcloud.model import Node

#: Outputs that planning reads, or the overcloud's own playbooks when it is updated.
READ = frozenset(
    ("AnsibleHostVarsMap", "BlacklistedHostnames", "BlacklistedIpAddresses", "EnabledServices", "EndpointMap",
     "GlobalConfig", "HostnameNetworkConfigMap", "HostsEntry", "KeystoneURL", "RoleConfig", "RoleData",
     "RoleGroupVars", "RoleNetHostnameMap", "RoleNetIpMap", "RoleNetworkConfigMap", "RoleTags", "ServerIdData",
     "VipMap")
)  # fmt: skip

#: The states in which a stack's outputs are those of a whole overcloud.
SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "CHECK_COMPLETE", "ADOPT_COMPLETE", "RESUME_COMPLETE")

_MEND = "Mend the stack first: 'openstack stack output show STACK OUTPUT' says what Heat makes of it."


def mapping(outputs: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An output that is a mapping, {} if the stack has none of that name; BadOutputs for anything else, null too."""
    value = outputs.get(key, {})
    if value is None:
        raise BadOutputs(f"output {key} is null, where a mapping should be: what it would say is not known", _MEND)
    if not isinstance(value, Mapping):
        raise BadOutputs(f"output {key} should be a mapping, it is a {type(value).__name__}")
    return value


def values_of(entries: Iterable[object]) -> dict[str, Any]:
    """{output: its value} from the entries of a stack as Heat has them.

    Raises BadOutputs, with Heat's reason, for an output of READ that Heat could not make.
    """
    values: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or "output_key" not in entry:
            raise BadOutputs("an entry of 'outputs' has no output_key")
        name = str(entry["output_key"])
        if name in values:
            raise BadOutputs(f"output {name:.100} is there twice")
        values[name] = value_of(name, entry)
    return values


def value_of(name: str, entry: Mapping[str, Any]) -> Any:
    """The value in one such entry, of the output *name*."""
    error = entry.get("output_error")
    if error and name in READ:
        raise BadOutputs(f"Heat could not make the output {name}: {error!s:.300}", _MEND)
    return entry.get("output_value")


def check_roles(outputs: Mapping[str, Any]) -> None:
    """Raise BadOutputs if one output has nodes of a role that another one does not have, or has without nodes.

    Only outputs that have any role are asked; a role that has no nodes anywhere may be missing from all but one.
    """
    ids = mapping(mapping(outputs, "ServerIdData"), "server_ids")
    places = {
        "RoleNetHostnameMap": {role: _most(each) for role, each in mapping(outputs, "RoleNetHostnameMap").items()},
        "RoleNetIpMap": {role: _most(each) for role, each in mapping(outputs, "RoleNetIpMap").items()},
        "ServerIdData": {role: _count(each) for role, each in ids.items()},
    }
    where = {role: key for key, counts in places.items() for role, count in counts.items() if count}
    if not places["RoleNetHostnameMap"]:
        return  # up to Ocata other outputs name the nodes
    known: Mapping[str, Collection[str]] = {**places, "RoleData": mapping(outputs, "RoleData")}
    for key, roles in known.items():
        for role, other in where.items():
            if roles and role not in roles:
                raise BadOutputs(f"{key} does not have the role {role!s:.100}, of which {other} has nodes", _MEND)
    for role, other in where.items():
        if not places["RoleNetHostnameMap"][role]:
            raise BadOutputs(f"RoleNetHostnameMap has no nodes of the role {role!s:.100}, {other} has", _MEND)


def _most(networks: object) -> int:
    """How many nodes a role has by one of its maps {network: [...]}."""
    return max(map(_count, networks.values()), default=0) if isinstance(networks, Mapping) else 0


def _count(listed: object) -> int:
    return len(listed) if isinstance(listed, list) else 0


def check_services(nodes: Iterable[Node]) -> None:
    """Raise BadOutputs if a node has no service at all: no budget would hold it back."""
    for node in nodes:
        if not node.services:
            raise BadOutputs(
                f"EnabledServices names no service of role {node.role}, which has nodes ({node.name})", _MEND
            )


def with_exclusions(nodes: Iterable[Node], outputs: Mapping[str, Any]) -> list[Node]:
    """*nodes*, those in BlacklistedHostnames excluded. BadOutputs for a name or an address of nobody."""
    names, addresses = (_listed(outputs, key) for key in ("BlacklistedHostnames", "BlacklistedIpAddresses"))
    excluded = {short_name(name): name for name in names}
    nodes = list(nodes)
    if unknown := sorted(excluded[name] for name in set(excluded) - {node.name for node in nodes}):
        raise BadOutputs(f"BlacklistedHostnames has {unknown[0]!r:.100}, which is no node of the stack", _MEND)
    kept = {node.address: node.name for node in nodes if node.address and node.name not in excluded}
    for address in map(canonical, addresses):
        if address in kept:
            name = kept[address]
            raise BadOutputs(f"BlacklistedIpAddresses has {address} of {name}, BlacklistedHostnames does not", _MEND)
    why = "excluded in the stack (BlacklistedHostnames)"
    return [replace(node, excluded=why) if node.name in excluded else node for node in nodes]


def _listed(outputs: Mapping[str, Any], key: str) -> list[str]:
    """The texts in an output that has one per node, empty where there is nothing to say of it."""
    value = outputs.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadOutputs(f"output {key} should be a list of texts: who is excluded is not known", _MEND)
    return [each for each in value if each.strip()]
