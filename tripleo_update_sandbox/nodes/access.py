"""How do Ansible and the probes of an update get to a node?"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tripleo_update_plugin.names import natural_key
from tripleo_update_sandbox.nodes.host import Host
from tripleo_update_sandbox.nodes.node import Node, all_nodes, vip_of
from tripleo_update_sandbox.nodes.ports import balancer, ports
from tripleo_update_sandbox.state import State
from tripleo_update_undercloud.configuration import Sections, to_ini
from tripleo_update_undercloud.files import write_private

#: What Ansible needs to reach nodes that are folders: its connection plugin, and a role in the place of TripleO's.
_FOLDER = Path(__file__).parent


def ansible_sections(state: State) -> Sections:
    return {
        "defaults": {
            "connection_plugins": str(_FOLDER / "connection"),
            "roles_path": str(_FOLDER / "roles"),
            "local_tmp": str(state.folder / "tmp"),
            "interpreter_python": sys.executable,
            "gathering": "explicit",
            "host_key_checking": "False",
            "retry_files_enabled": "False",
            "deprecation_warnings": "False",
            "localhost_warning": "False",
            "nocows": "1",
        },
        # Ours are YAML; by default that is tried after four others, each of which has to be loaded.
        "inventory": {"enable_plugins": "yaml, ini, host_list"},
        "ssh_connection": {"pipelining": "True"},
        "connection": {"pipelining": "True"},
        "persistent_connection": {"control_path_dir": str(state.folder / "tmp")},
    }


def write_ansible_config(state: State) -> None:
    write_private(state.ansible_config, to_ini(ansible_sections(state)))


def write_inventory(state: State, hosts: Iterable[str]) -> None:
    """The inventory that is merged over every generated one: how Ansible reaches each host. A host that is no sandbox
    node gets the same connection, which then says that there is no such node: nothing outside is ever contacted."""
    own = {node.name: node for node in all_nodes(state)}
    variables = {
        host: {
            "ansible_connection": "tripleo_update_sandbox",
            "sandbox_node": str(state.nodes / host),
            "ansible_python_interpreter": sys.executable,
            "ansible_become": False,
            "ansible_remote_tmp": str(state.nodes / host / "tmp"),
            "tripleo_update_marks": str(state.nodes / host / "marks"),
            **(_own_variables(own[host]) if host in own else {}),
        }
        for host in sorted(hosts, key=natural_key)
    }
    write_private(state.inventory, yaml.safe_dump({"all": {"hosts": variables}}))


def _own_variables(node: Node) -> dict[str, Any]:
    """Where the node's services answer: its loopback address, and no port that takes a privilege."""
    return {
        "tripleo_update_internal_host": node.address,
        balancer().variable: f"{node.address}:{balancer().port}",
        **{port.variable: port.port for port in ports() if port.variable},
    }


def write_detours(state: State, hosts: Sequence[Host], vips: Iterable[str]) -> None:
    """Where probes find what they ask: {an address of the overcloud: the loopback address that stands for it}."""
    write_private(state.detours, json.dumps(_detours(state, hosts, vips)))


def _detours(state: State, hosts: Sequence[Host], vips: Iterable[str]) -> Mapping[str, str]:
    own = {node.name: node.address for node in all_nodes(state)}
    detours = {address: own[host.name] for host in hosts for address in host.addresses}
    for address in vips if own else ():
        vip = vip_of(next(iter(own.values())))
        detours[address] = vip
        detours |= {f"{address}:{p.instead_of}": f"{vip}:{p.port}" for p in ports() if p.instead_of}
    return detours
