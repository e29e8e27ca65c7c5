"""Does the process run that answers for the services of all nodes?"""

from tripleo_update_sandbox.nodes.node import all_nodes, vip_of
from tripleo_update_sandbox.nodes.ports import port_of
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import servers
from tripleo_update_undercloud.processes import Process
from tripleo_update_undercloud.server_processes import ended

ENDPOINTS = "endpoints"
_MODULE = "tripleo_update_sandbox.nodes.endpoint_server"


def start(state: State, started: list[Process]) -> None:
    """Starts it if there are nodes, unless it is there; adds it to *started*."""
    if all_nodes(state) and not servers.running(state, ENDPOINTS):
        started.append(servers.launch(state, ENDPOINTS, _MODULE, ["--nodes", str(state.nodes)]))


def check(state: State) -> None:
    """Raises UndercloudError if there are nodes and it does not run."""
    if all_nodes(state) and not servers.running(state, ENDPOINTS):
        raise ended(ENDPOINTS, state.log(ENDPOINTS))


def keystone_url(state: State) -> str:
    """Keystone at the virtual address of the nodes, of which there must be one."""
    return f"http://{vip_of(all_nodes(state)[0].address)}:{port_of('keystone')}/v3"
