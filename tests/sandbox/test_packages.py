"""Nodes with packages: what their yum and rpm say and do, and what is made for them."""

import json

import pytest

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.overcloud import outputs as parser
from tripleo_update_plugin.playbooks import packages
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes import making, power
from tripleo_update_sandbox.nodes.node import find_node
from tripleo_update_sandbox.overcloud import stacks
from tripleo_update_sandbox.overcloud.packages import Sample, repository, unchanged
from tripleo_update_sandbox.wanted import Wish, wanted

QUERY = ("--queryformat", "%{NAME}\n")


@pytest.fixture
def controller(state):
    making.create(state, Sample("p", 1, 0).hosts(), {}, pace=0)
    making.stock(state, repository())
    power.switch_on(state)
    return find_node(state, "p-controller-0")


def says(node, command, *arguments):
    done = node.run(command, *arguments)
    return done.returncode, done.stdout.split()


def versions(node):
    return {service.name: service.version for service in node.services()}


def test_yum_knows_whether_there_is_anything_new(controller):
    assert controller.run("yum", "-q", "check-update").returncode == 100
    assert controller.run("yum", "-y", "update").returncode == 0
    assert controller.run("yum", "-q", "check-update").returncode == 0
    changed = {service for service, version in versions(controller).items() if version == 2}
    kept = {(controller.folder / "services" / s / "package").read_text().strip() for s in versions(controller)}
    assert changed and kept & unchanged() and not {"memcached", "ntp", "sshd"} & changed


def test_yum_updates_the_packages_it_is_told(controller):
    assert controller.run("yum", "-y", "update", "rabbitmq-server").returncode == 0
    assert [service for service, version in versions(controller).items() if version == 2] == ["rabbitmq"]
    assert controller.run("yum", "-y", "remove", "httpd").returncode == 64


def test_rpm_knows_units_and_packages(controller):
    unit = "/usr/lib/systemd/system/httpd.service"
    assert says(controller, "rpm", "-qf", *QUERY, unit) == (0, ["httpd"])
    assert says(controller, "rpm", "-qf", *QUERY, "/usr/lib/systemd/system/none.service") == (1, [])
    assert says(controller, "rpm", "-ql", "httpd") == (0, [unit])
    listed = controller.run("rpm", "-qa", *QUERY).stdout.splitlines()
    assert "openstack-keystone 1-1.noarch" in listed


def test_services_are_known_by_their_units(controller):
    assert controller.run("systemctl", "restart", "httpd").returncode == 0
    assert [note["service"] for note in controller.journal[-2:]] == ["keystone", "keystone"]
    assert says(controller, "systemctl", "is-active", "rabbitmq-server") == (3, ["inactive"])  # Pacemaker runs it
    assert says(controller, "rabbitmqctl", "ping")[0] == 0
    restart = ("--restart", "--resource", "galera", "--node", controller.name)
    assert controller.run("crm_resource", *restart).returncode == 0
    assert [note["service"] for note in controller.journal[-2:]] == ["mysql", "mysql"]


@pytest.mark.parametrize(("old", "architecture"), [(False, "pacemaker-core"), (True, "pacemaker")])
def test_the_samples_are_of_both_architectures(old, architecture):
    sample = Sample("overcloud", 3, 2, old)
    found = parser.parse(sample.outputs(), "overcloud", sample.services_data())
    assert (found.release, found.architecture, found.packaging) == ("newton", architecture, "packages")
    assert len(found.nodes) == 5
    run = {s for s, runner in found.runners["Controller"].items() if runner == "pacemaker"}
    assert run == {service.name for service in sample.hosts()[0].services if service.resource}


def test_the_package_flow_calls_nothing_but_commands_of_the_node():
    """A command that the node does not have would be this machine's own."""
    sample = Sample("overcloud", 3, 1, old=True)
    found = parser.parse(sample.outputs(), "overcloud", sample.services_data())
    phase = packages.update(found, load_catalogue(), [node.name for node in found.nodes], "m")
    for play in phase.plays:
        for task in [task for each in play["tasks"] for task in each.get("block", [each])]:
            if "command" in task:
                text = str(task["command"]["argv"])
                assert any(f"'{known}'" in text for known in making.commands()), task["name"]


def test_nested_stacks_have_the_data_of_each_service():
    resources, more = stacks.chains({"Controller": {"mysql": {"service_name": "mysql"}}, "Compute": {"x": {}}})
    assert resources["ControllerServiceChain"] == {"type": "Sandbox::Controller", "depends_on": []}
    assert resources["ComputeServiceChain"]["depends_on"] == ["ControllerServiceChain"]
    file = more["files"][more["environment"]["resource_registry"]["Sandbox::Controller::mysql"]]
    assert json.loads(file)["outputs"]["role_data"]["value"] == {"service_name": "mysql"}


def test_service_chains_are_of_services_that_there_are():
    made = wanted(Wish(service_chains=("keystone", "ovn_controller")), "overcloud")
    assert {role: set(own) for role, own in made.services.items()} == {
        "Controller": {"keystone", "ovn_controller"}, "Compute": {"ovn_controller"}
    }  # fmt: skip
    with pytest.raises(SandboxError, match="nonsense"):
        wanted(Wish(service_chains=("nonsense",)), "overcloud")
    with pytest.raises(SandboxError, match="is whole"):
        wanted(Wish(sample="packages", service_chains=("keystone",)), "overcloud")
    assert made.digest != wanted(Wish(), "overcloud").digest
