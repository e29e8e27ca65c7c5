"""Per-service data out of the nested stacks of a real Heat, as TripleO lays them out."""

import json

import pytest
import yaml
from conftest import Sandbox

pytestmark = pytest.mark.functional

SERVICES = {
    "mysql": "include ::tripleo::profile::pacemaker::database::mysql",
    "keystone": "include ::tripleo::profile::pacemaker::keystone",
    "snmp": "include ::tripleo::profile::base::snmp",
}

HOSTS = r"192.0.2.10 a.localdomain old-controller-0\n192.0.2.11 b.localdomain old-controller-1"


def template(resources: dict, outputs: dict) -> str:
    return yaml.safe_dump({"heat_template_version": "2016-10-14", "resources": resources, "outputs": outputs})


@pytest.fixture
def newton(sandbox: Sandbox, tmp_path):
    """A stack with Newton's outputs, whose services only the nested chain of its role tells apart."""
    registry = {}
    for name, puppet in SERVICES.items():
        (tmp_path / f"{name}.yaml").write_text(
            template({}, {"role_data": {"value": {"service_name": name, "step_config": puppet}}})
        )
        registry[f"Sample::Service::{name}"] = f"{name}.yaml"
    chain = {"type": "OS::Heat::ResourceChain", "properties": {"resources": list(registry)}}
    (tmp_path / "chain.yaml").write_text(template({"ServiceChain": chain}, {}))
    registry["Sample::Services"] = "chain.yaml"
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump({"resource_registry": registry}))
    outputs = {"EnabledServices": {"Controller": [*SERVICES, "pacemaker"]}, "HostsEntry": HOSTS}
    values = {key: {"value": value} for key, value in outputs.items()}
    (tmp_path / "root.yaml").write_text(template({"ControllerServiceChain": {"type": "Sample::Services"}}, values))
    done = sandbox.openstack(
        "stack", "create", "--wait", "-t", tmp_path / "root.yaml", "-e", tmp_path / "registry.yaml", "newton"
    )
    assert done.returncode == 0, done.stderr
    yield "newton"
    sandbox.openstack("stack", "delete", "--yes", "--wait", "newton")


def test_newton_s_architecture_is_read_in_the_nested_stacks(sandbox: Sandbox, newton: str):
    done = sandbox.openstack("overcloud", "update", "services", "--stack", newton, "-f", "json")
    assert done.returncode == 0, done.stderr
    run_by = {row["service"]: row["run by"] for row in json.loads(done.stdout)}
    assert run_by["mysql"] == run_by["keystone"] == ["pacemaker"]
    path = sandbox.home / "newton.json"
    sandbox.openstack(
        "overcloud", "update", "plan", "--stack", newton, "--no-facts", "--save", path, "--policy", waived(sandbox)
    )
    assert json.loads(path.read_text())["architecture"] == "pacemaker"


def waived(sandbox: Sandbox):
    """Two controllers have no quorum to spare."""
    path = sandbox.home / "waived.yaml"
    path.write_text("waivers: [{service: '*', reason: two controllers only}]\n")
    return path
