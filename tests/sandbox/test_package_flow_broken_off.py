"""The package flow on nodes with packages, by real Ansible: what an attempt that broke off updated is restarted."""

from pathlib import Path

import pytest

from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.overcloud import outputs as parser
from tripleo_update_plugin.playbooks import packages
from tripleo_update_sandbox.nodes import access, making, power
from tripleo_update_sandbox.nodes.node import find_node
from tripleo_update_sandbox.overcloud.packages import Sample, repository

#: yum does its work, and something breaks off before anything is restarted.
BROKEN_OFF = {
    "tripleo_update_package_command": ["sh", "-c", 'yum -y update "$@"; exit 1', "update"],
    "tripleo_update_check_command": ["yum", "-q", "check-update"],
}


class Flow:
    """The flow on one node, each time as another update."""

    def __init__(self, state, folder, controllers=0, computes=0):
        sample = Sample("p", controllers, computes, old=bool(controllers))
        hosts = sample.hosts()
        making.create(state, hosts, {}, pace=0)
        making.stock(state, repository())
        power.switch_on(state)
        access.write_inventory(state, [host.name for host in hosts])
        self.node = find_node(state, hosts[0].name)
        self._state, self._folder = state, folder
        self._overcloud = parser.parse(sample.outputs(), "overcloud", sample.services_data())

    def run(self, update, only=None, **extra_vars):
        """(whether it went well, services that were restarted)."""
        noted = len(self.node.journal)
        folder = self._folder / update
        folder.mkdir(parents=True)
        phase = packages.update(self._overcloud, load_catalogue(), [self.node.name], f"{update}.batch-1", only)
        outcome, _ = ansible.run(
            ansible.write_playbook(phase.plays, folder / "plays.yaml"), self._state.inventory, phase.hosts,
            ansible.Settings(binary=ansible.find_ansible(), config=str(self._state.folder / "ansible.cfg")),
            timeout=600, silence=600, cancelled=lambda: False, extra_vars=extra_vars,
        )  # fmt: skip
        notes = self.node.journal[noted:]
        return outcome.status == "successful", {note["service"] for note in notes if note["event"] == "start"}

    @property
    def marks(self):
        return sorted(path.name for path in (self.node.folder / "marks").glob("*.batch-1.*"))


@pytest.fixture
def settings(state):
    connections = Path(access.__file__).parent / "connection"
    (state.folder / "ansible.cfg").write_text(f"[defaults]\nconnection_plugins = {connections}\n")


@pytest.fixture
def compute(state, settings, tmp_path):
    return Flow(state, tmp_path / "run", computes=1)


@pytest.fixture
def controller(state, settings, tmp_path):
    """One that is a whole cluster by itself: of the architecture that stops all of its services."""
    return Flow(state, tmp_path / "run", controllers=1)


def test_what_an_attempt_updated_that_broke_off_is_restarted_by_the_next_update(compute):
    assert compute.run("u-1", **BROKEN_OFF) == (False, set())
    assert compute.node.run("yum", "-q", "check-update").returncode == 0, "packages alone do not tell"
    assert compute.run("u-2") == (True, {"neutron_ovs_agent", "nova_compute"})
    assert compute.marks == ["u-1.batch-1.begun", "u-1.batch-1.done", "u-2.batch-1.begun", "u-2.batch-1.done"]
    assert compute.run("u-3") == (True, set()), "and that is the end of it"


def test_an_update_of_one_service_finishes_what_was_left_of_that_service_only(compute):
    assert compute.run("u-1", **BROKEN_OFF) == (False, set())
    assert compute.run("u-2", only=["nova_compute"]) == (True, {"nova_compute"})
    assert "u-1.batch-1.done" not in compute.marks
    went_well, restarted = compute.run("u-3")
    assert went_well and "neutron_ovs_agent" in restarted
    assert "u-1.batch-1.done" in compute.marks


def test_what_an_attempt_stopped_that_broke_off_is_started_by_the_next_update(controller):
    before = {service.name: service.state for service in controller.node.services()}
    assert set(before.values()) == {"running"}
    assert controller.run("u-1", **BROKEN_OFF) == (False, set())
    assert "stopped" in {service.state for service in controller.node.services()}
    assert controller.run("u-2")[0]
    assert {service.name: service.state for service in controller.node.services()} == before
