"""Heat and Mistral of the sandbox, in the lab's network, with executors that go to the hosts over ssh."""

from pathlib import Path

from lab import overcloud
from lab.site import Site
from lab.topology import STACK, Topology
from tripleo_update_sandbox import lifecycle
from tripleo_update_sandbox.nodes import access
from tripleo_update_sandbox.overcloud import stacks
from tripleo_update_sandbox.state import NAME, State
from tripleo_update_sandbox.undercloud import clouds, configuration, servers
from tripleo_update_sandbox.undercloud.servers import Endpoints
from tripleo_update_undercloud import server_processes
from tripleo_update_undercloud.configuration import to_ini
from tripleo_update_undercloud.files import write_private
from tripleo_update_undercloud.processes import Process

_PROFILES = Path(__file__).parent / "profiles"
CAREFUL, CARELESS = "careful", "careless"


def state(site: Site) -> State:
    return State(site.undercloud)


def up(site: Site, topology: Topology) -> None:
    """Starts both and creates the stack. Call it inside the lab's network."""
    mine = state(site)
    mine.prepare()
    started: list[Process] = []
    where = servers.choose(mine, None, None)
    servers.start(mine, where, started)
    configure(site, CAREFUL)
    servers.wait(mine, where, lambda *_: None)
    write_private(mine.clouds, _clouds(where))
    stacks.ensure(where, STACK, overcloud.outputs(topology))


def _clouds(where: Endpoints) -> str:
    import yaml

    return yaml.safe_dump(clouds.cloud(where), sort_keys=False)


def profiles(care: str) -> Path:
    """The folder of service profiles: what differs on Debian, or the control that neither looks nor drains."""
    return _PROFILES / care


def configure(site: Site, care: str, patience: int = 600) -> None:
    """Tells the executors how to get to the hosts, which service profiles to go by, and how many seconds a gate tries
    again for; they read it anew for every phase."""
    mine = state(site)
    where = servers.endpoints(mine)
    assert where
    options = configuration.executor_options(mine, where.heat_port, where.mistral_port)
    # The sandbox's nodes have no addresses of their own, so its probes take detours; here they go to the VIP.
    del options["probe_detours"]
    options |= {
        "ssh_user": "root",
        "ssh_key": str(site.key),
        "gate_timeout": str(patience),
        "gate_delay": "2",
        "services": str(profiles(care)),
        "inventory": str(_inventory(site)),
        "ansible_config": str(_ansible_config(site)),
    }
    configuration.write_mistral(mine, where.mistral_port, options)


def _inventory(site: Site) -> Path:
    path = state(site).inventory
    write_private(path, "all: {vars: {ansible_python_interpreter: /usr/bin/python3}}\n")
    return path


def _ansible_config(site: Site) -> Path:
    mine = state(site)
    sections = access.ansible_sections(mine)
    sections = {
        "defaults": {
            key: value
            for key, value in sections["defaults"].items()
            if key not in ("connection_plugins", "interpreter_python")
        },
        "ssh_connection": {
            "pipelining": "True",
            "control_path_dir": str(site.run / "cp"),
            "ssh_args": "-o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=/dev/null "
            "-o StrictHostKeyChecking=no -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3",
        },
    }
    write_private(mine.ansible_config, to_ini(sections))
    return mine.ansible_config


def environment(site: Site) -> dict[str, str]:
    """For the OpenStack client."""
    import os

    mine = state(site)
    chosen = {"OS_CLOUD": NAME, "OS_CLIENT_CONFIG_FILE": str(mine.clouds)}
    return server_processes.environment(mine.folder, os.environ) | chosen


def down(site: Site) -> None:
    lifecycle.down(state(site))
