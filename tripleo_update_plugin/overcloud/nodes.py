"""Which nodes do the outputs of a release name?

Pike and later have maps {role: {network: [...]}}, whose lists are aligned by position. Before that the members of each
role's resource group tell (RESOURCE_GROUP_MEMBERS, which Heat is asked for), and else the lines of HostsEntry.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.names import is_safe_name, short_name
from tripleo_update_plugin.overcloud.addresses import address_of, is_address
from tripleo_update_plugin.overcloud.completeness import mapping, with_exclusions
from tripleo_update_plugin.overcloud.model import Node

#: The pseudo-output with the nodes of overclouds whose outputs have no hostname map:
#: {role: [{"name": …, "address": …, "server_id": …}, ...]}, by the resource groups of the root stack.
RESOURCE_GROUP_MEMBERS = "ResourceGroupMembers"

#: {role: its services}
Services = Mapping[str, frozenset[str]]


def nodes_in(outputs: Mapping[str, Any], enabled: Services) -> list[Node]:
    """The nodes of the roles in *enabled*, in the order of the outputs. BadOutputs, which names the output at fault."""
    if mapping(outputs, "RoleNetHostnameMap"):
        found = list(_of_hostname_map(outputs, enabled))
    elif mapping(outputs, RESOURCE_GROUP_MEMBERS):
        found = list(_of_members(outputs, enabled))
    else:
        found = list(_of_hosts_entry(outputs, enabled))
    if not found:
        raise BadOutputs(
            "no output names a node: RoleNetHostnameMap and HostsEntry are missing or empty",
            "Read the overcloud from Heat with --stack NAME, which finds its nodes in the stack's resource groups.",
        )
    _check_names(found)
    return with_exclusions(found, outputs)


def _of_hostname_map(outputs: Mapping[str, Any], enabled: Services) -> Iterator[Node]:
    ids = mapping(mapping(outputs, "ServerIdData"), "server_ids")
    for role, networks in mapping(outputs, "RoleNetHostnameMap").items():
        names = _names_of_role(role, networks)
        if names and role not in enabled:
            raise BadOutputs(f"RoleNetHostnameMap has nodes of role {role}, but EnabledServices does not know it")
        addresses = _aligned(outputs, "RoleNetIpMap", role, len(names))
        servers = ids.get(role) or [""] * len(names)
        if not isinstance(servers, list) or len(servers) != len(names):
            raise BadOutputs(f"ServerIdData does not have the {len(names)} servers of role {role}")
        for name, address, server in zip(names, addresses, servers, strict=True):
            yield Node(
                name=name,
                role=role,
                services=enabled[role],
                address=address,
                server_id=str(server or ""),
            )


def _names_of_role(role: str, networks: object) -> list[str]:
    if not networks:
        return []
    if not isinstance(networks, Mapping):
        raise BadOutputs(f"RoleNetHostnameMap of role {role} should be a mapping of networks")
    names = networks.get("ctlplane") or networks.get("canonical") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadOutputs(f"RoleNetHostnameMap of role {role} should have a list of names for the ctlplane network")
    return [short_name(name) for name in names]


def _aligned(outputs: Mapping[str, Any], key: str, role: str, count: int) -> list[str]:
    networks = mapping(outputs, key).get(role) or {}
    if not isinstance(networks, Mapping):
        raise BadOutputs(f"{key} of role {role} should be a mapping of networks")
    addresses = networks.get("ctlplane") or [""] * count
    if not isinstance(addresses, list) or len(addresses) != count:
        raise BadOutputs(f"{key} of role {role} does not have the {count} addresses of RoleNetHostnameMap's names")
    for network, others in networks.items():
        _check_network(others, f"{key} of role {role}, network {network}")
    return [address_of(key, role, address) for address in addresses]


def _check_network(addresses: object, what: str) -> None:
    """Probes ask some nodes at their addresses in networks other than ctlplane."""
    for address in addresses if isinstance(addresses, list) else ():
        if address and not is_address(address):
            raise BadOutputs(f"{what} has {address!r:.100}, which is not an IP address; nothing with it is run")


def _of_members(outputs: Mapping[str, Any], enabled: Services) -> Iterator[Node]:
    for role, members in mapping(outputs, RESOURCE_GROUP_MEMBERS).items():
        if members and role not in enabled:
            raise BadOutputs(f"{RESOURCE_GROUP_MEMBERS} has nodes of role {role}, but EnabledServices does not know it")
        if not isinstance(members or [], list) or not all(isinstance(member, Mapping) for member in members or ()):
            raise BadOutputs(f"{RESOURCE_GROUP_MEMBERS} of role {role} should be a list of {{name: …, address: …}}")
        for member in members or ():
            yield Node(
                name=short_name(str(member.get("name") or "")),
                role=role,
                services=enabled[role],
                address=address_of(RESOURCE_GROUP_MEMBERS, role, member.get("address")),
                server_id=str(member.get("server_id") or ""),
            )


def hosts_entries(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(address, short name) of every node in HostsEntry. Raises BadOutputs for what is neither a text nor lines.

    A node's own entry is ``ADDRESS NAME.DOMAIN NAME``. Its names in single networks have no such pair, nor have VIPs
    and the undercloud. Releases join entries with newlines, with a backslash and an n (Newton), with blanks (Ocata),
    or give a list: so an entry is what stands from one address to the next.
    """
    value = outputs.get("HostsEntry") or ()
    lines: object = [value] if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise BadOutputs("output HostsEntry should be a text or a list of lines")
    entry: list[str] = []
    for word in [*" ".join(lines).replace("\\n", " ").split(), "end"]:
        if word == "end" or is_address(word):
            if len(entry) > 2 and "." not in entry[2]:
                yield entry[0], short_name(entry[2])
            entry = []
        entry.append(word)


def _of_hosts_entry(outputs: Mapping[str, Any], enabled: Services) -> Iterator[Node]:
    """By the role in the names, as upstream's default host name format gives them."""
    addresses = {name: address for address, name in hosts_entries(outputs) if name != "undercloud"}
    roles = {name: role_in(name, enabled) for name in addresses}
    if lost := [name for name, role in roles.items() if not role]:
        raise BadOutputs(
            f"HostsEntry does not tell the role of {', '.join(lost[:5])}{' and others' if len(lost) > 5 else ''}: "
            f"no role of EnabledServices is in the name",
            "Read the overcloud from Heat with --stack NAME, or from what 'overcloud update export' saved: "
            "the stack's resource groups tell the role of every node.",
        )
    for name, address in addresses.items():
        role = roles[name]
        yield Node(name=name, role=role, services=enabled[role], address=address_of("HostsEntry", name, address))


def role_in(name: str, roles: Iterable[str]) -> str:
    """The role that stands before the number in a default host name; the longest of several, "" for none.

    >>> role_in("overcloud-novacompute-0", ["Compute", "Controller"])
    'Compute'
    """
    stem = re.sub(r"-\d+\Z", "", name)
    if stem == name:
        return ""
    fits = [role for role in roles if re.search(rf"(\A|-)(nova)?{re.escape(role.lower())}\Z", stem)]
    return max(sorted(fits), key=len, default="")


def _check_names(nodes: Iterable[Node]) -> None:
    seen: dict[str, str] = {}
    for node in nodes:
        if not is_safe_name(node.name):
            raise BadOutputs(f"{node.name!r} (role {node.role}) is not a host name; nothing with it is run")
        if node.name in seen:
            raise BadOutputs(f"node {node.name} is in the roles {seen[node.name]} and {node.role}")
        seen[node.name] = node.role
