"""Overclouds of every release in a real Heat: nested stacks as TripleO lays them out, and exports of them."""

import json
import re
import tarfile
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from conftest import Sandbox
from heatclient import client

from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.errors import StalePlan
from tripleo_update_plugin.overcloud.outputs import differences, parse
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.readiness import check
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.rules.service_list import ServiceLine, services_of

pytestmark = pytest.mark.functional

_ATTEMPTS = 6

CAPTURED = Path(__file__).parents[1] / "scenarios" / "captured.tar.xz"

#: Nodes named without their role: only their resource groups tell it.
NODE = {"hostname": "RACK-%ROLE%-%N%", "ip_address": "192.0.2.%FIRST%%N%", "nova_server_resource": "id-%ROLE%-%N%"}

#: Storage nodes of Mitaka have no output with their name.
STORAGE_NODE = {"hosts_entry": "192.0.2.%FIRST%%N% rack-%ROLE%-%N%.localdomain rack-%ROLE%-%N%\n192.0.2.99 x-storage"}


def template(resources: dict, outputs: dict, **parameters: object) -> str:
    return yaml.safe_dump({
        "heat_template_version": "2016-10-14",
        "parameters": {name: {"type": "string", "default": value} for name, value in parameters.items()},
        "resources": resources,
        "outputs": {name: {"value": value} for name, value in outputs.items()},
    })  # fmt: skip


class Stacks:
    """Stacks with the resource groups and service chains of an overcloud; they go with the sandbox.

    SQLite under the sandbox's Heat takes one writer, and nested stacks have several. So they are small, made one
    resource after the other, and once more under another name where the database was locked all the same.
    """

    def __init__(self, url: str) -> None:
        self.client = client.Client("1", endpoint=url, token="none")

    def create(self, name, outputs, roles, services=None, registry=None, parameters=None) -> str:
        resources = {}
        types = dict.fromkeys(set((registry or {}).values()), template({}, {}))
        for first, (role, (count, node)) in enumerate(roles.items(), start=1):
            types[f"{role}Node"] = template({}, _values(role, first, node), n="")
            group = {"count": count, "resource_def": {"type": f"Sample::{role}Node", "properties": {"n": "%index%"}}}
            one_by_one = {"batch_create": {"max_batch_size": 1, "pause_time": 0}}
            resources[role] = {"type": "OS::Heat::ResourceGroup", "properties": group, "update_policy": one_by_one}
        for role, own in (services or {}).items():
            members = {f"{role}-{name}": {"service_name": name, **data} for name, data in own.items()}
            types |= {file: template({}, {"role_data": data}) for file, data in members.items()}
            chain = {"type": "OS::Heat::ResourceChain", "properties": {"resources": [f"Sample::{m}" for m in members]}}
            types[f"{role}-chain"] = template({"ServiceChain": chain}, {})
            resources[f"{role}ServiceChain"] = {"type": f"Sample::{role}-chain"}
        for before, after in pairwise(resources):
            resources[after]["depends_on"] = before
        files = {f"file:///templates/{name}.yaml": text for name, text in types.items()}
        known = {f"Sample::{name}": f"file:///templates/{name}.yaml" for name in types}
        known |= {type_: f"file:///templates/{name}.yaml" for type_, name in (registry or {}).items()}
        for attempt in range(_ATTEMPTS):
            tried = f"{name}-{attempt}"
            self._create(tried, template(resources, outputs, **(parameters or {})), known, files)
            reason = self._ended(tried)
            if not reason:
                return tried
            assert "database is locked" in reason, reason
        raise AssertionError(f"SQLite let no stack {name} be created in {_ATTEMPTS} attempts")

    def _create(self, name: str, root: str, registry: dict[str, str], files: dict[str, str]) -> None:
        self.client.stacks.create(
            stack_name=name, template=yaml.safe_load(root),
            environment={"resource_registry": registry}, files=files,
        )  # fmt: skip

    def _ended(self, name: str) -> str:
        """Wait for a stack: "" once it is there, else why it is not."""
        deadline = time.monotonic() + 240
        while (state := self.client.stacks.get(name, resolve_outputs=False)).stack_status == "CREATE_IN_PROGRESS":
            assert time.monotonic() < deadline, f"{name} is not created in time"
            time.sleep(0.5)
        return "" if state.stack_status == "CREATE_COMPLETE" else str(state.stack_status_reason)


def _values(role: str, first: int, node: dict) -> dict:
    texts = {key: text.replace("%ROLE%", role).replace("%FIRST%", str(first)) for key, text in node.items()}
    number = {"%N%": {"get_param": "n"}}
    return {key: {"str_replace": {"template": text, "params": number}} for key, text in texts.items()}


@pytest.fixture
def stacks(sandbox: Sandbox) -> Stacks:
    return Stacks(sandbox.status["heat"]["url"])


WAIVED = parse_policy({"waivers": [{"service": "*", "reason": "a small cloud"}]})


def read(stacks: Stacks, stack: str, roles: tuple[str, ...] = ()) -> Snapshot:
    """The overcloud as the commands read it; each service's own data of *roles*."""
    heat = Heat(stacks.client)
    return Snapshot.of(stack, heat.outputs(stack), heat.services(stack, roles) if roles else None)


def plan(snapshot: Snapshot) -> Plan:
    return rollout.prepare(snapshot, WAIVED, [])


def exported(snapshot: Snapshot, folder: Path) -> Snapshot:
    """What is read back of an export."""
    documents.write_export(snapshot, str(folder / "export.json"))
    return documents.read_snapshot(str(folder / "export.json"))


def services(snapshot: Snapshot) -> dict[str, ServiceLine]:
    lines = services_of(snapshot.overcloud(), load_catalogue(), WAIVED, snapshot.services)
    return {line.service: line for line in lines}


OCATA = {
    "ManagedEndpoints": True,
    "EnabledServices": {"Controller": ["pacemaker", "mysql", "keystone"], "Compute": ["nova_compute"], "Spare": []},
    "RoleData": {
        "Controller": {
            "step_config": "include ::tripleo::profile::pacemaker::database::mysql",
            "config_settings": {"mysql::server::root_password": "open-sesame-17"},
        },
        "Compute": {},
    },
    "HostsEntry": "192.0.2.5  overcloud.localdomain\n192.0.2.5  overcloud.storage.localdomain",
}


def test_nodes_of_ocata_come_from_resource_groups_and_bind_the_plan(stacks: Stacks, tmp_path: Path):
    snapshot = read(stacks, stacks.create("ocata", OCATA, {"Controller": (1, NODE), "Compute": (2, NODE)}))
    made = plan(snapshot)
    assert set(made.nodes) == {"rack-controller-0", "rack-compute-0", "rack-compute-1"}
    assert (made.release, made.architecture) == ("ocata", "pacemaker-core")
    first = snapshot.overcloud().node("rack-compute-1")
    assert (first.role, first.address, first.server_id) == ("Compute", "192.0.2.21", "id-Compute-1")
    assert plan(exported(snapshot, tmp_path)) == made
    assert "open-sesame" not in (tmp_path / "export.json").read_text()
    shrunk = {**snapshot.outputs, "ResourceGroupMembers": {"Controller": members_of(snapshot)["Controller"]}}
    with pytest.raises(StalePlan, match="changed: ResourceGroupMembers"):
        check(made, shrunk, load_catalogue())


def test_newton_s_nodes_and_services_come_from_nested_stacks(stacks: Stacks, tmp_path: Path):
    roots = {"ManagedEndpoints": True, "EnabledServices": {"Controller": ["pacemaker", "mysql", "keystone"]}}
    plans = {}
    for name, kind in (("oldha", "pacemaker"), ("newha", "base")):
        chain = {
            "mysql": {"step_config": "include ::tripleo::profile::pacemaker::database::mysql"},
            "keystone": {"step_config": f"include ::tripleo::profile::{kind}::keystone"},
        }
        snapshot = read(stacks, stacks.create(name, roots, {"Controller": (1, NODE)}, {"Controller": chain}))
        plans[name] = plan(snapshot)
        found = services(snapshot)
        assert found["mysql"].run_by == ("pacemaker",)
        assert found["keystone"].run_by == (("pacemaker",) if kind == "pacemaker" else ("systemd",))
        # What the actions read says the same as what the commands read.
        assert parse(Heat(stacks.client).outputs(snapshot.stack), snapshot.stack) == snapshot.overcloud()
        assert plan(exported(snapshot, tmp_path)) == plans[name]
        files = Snapshot.of(name, {**roots, "ResourceGroupMembers": members_of(snapshot)}, {"Controller": chain})
        assert files.digest == snapshot.digest
    assert [made.architecture for made in plans.values()] == ["pacemaker", "pacemaker-core"]
    # Their root outputs are alike: only the service chains tell them apart, and bind each plan to its own overcloud.
    assert differences(plans["oldha"].outputs, plans["newha"].outputs) == "changed: ServiceChains"


def members_of(snapshot: Snapshot) -> dict:
    return snapshot.outputs["ResourceGroupMembers"]


def test_mitaka_has_fixed_roles(stacks: Stacks, tmp_path: Path):
    stack = stacks.create(
        "mitaka",
        {"KeystoneURL": "http://192.0.2.5:5000/v2.0", "AodhInternalVip": "192.0.2.5"},
        {"Controller": (1, NODE), "CephStorage": (1, STORAGE_NODE)},
        registry={"OS::TripleO::ControllerConfig": "controller-config-pacemaker"},
        parameters={"ControllerEnableSwiftStorage": "false", "AdminPassword": "open-sesame-17"},
    )
    snapshot = read(stacks, stack)
    made = plan(snapshot)
    assert (made.release, made.architecture) == ("mitaka", "pacemaker")
    assert set(made.nodes) == {"rack-controller-0", "rack-cephstorage-0"}
    assert snapshot.overcloud().node("rack-cephstorage-0").address == "192.0.2.20"
    found = services(snapshot)
    assert {"swift_proxy", "ceph_mon"} <= set(found) and "swift_storage" not in found
    assert found["keystone"].run_by == ("pacemaker",)
    assert "open-sesame" not in json.dumps(dict(snapshot.outputs))
    assert plan(exported(snapshot, tmp_path)) == made


def captured(name: str) -> dict:
    with tarfile.open(CAPTURED) as archive:
        return json.load(archive.extractfile(name))


def test_zed_is_read_from_its_stack_service_by_service(stacks: Stacks, tmp_path: Path):
    """The real outputs of an overcloud, and nested stacks with the real data of some of its controllers' services."""
    own = captured("zed-ha.services.json")["Controller"]
    chain = {name: {k: v for k, v in own[name].items() if k != "service_name"} for name in ("mysql", "nova_api")}
    snapshot = read(stacks, stacks.create("zed", captured("zed-ha.json"), {}, {"Controller": chain}), ("Controller",))
    assert snapshot.outputs == captured("zed-ha.json")
    found = services(snapshot)
    assert len(found) > 50 and all(line.run_by and line.bound_by for line in found.values())
    assert found["mysql"].run_by == found["haproxy"].run_by == ("bundle",)
    assert found["nova_api"].run_by == ("container",)
    assert found["mysql"].update_tasks == tuple(task.get("name", "") for task in own["mysql"]["update_tasks"])
    assert found["haproxy"].update_tasks is None
    assert plan(exported(snapshot, tmp_path)) == plan(snapshot)


def test_export_and_its_plan_from_the_command_line(sandbox: Sandbox):
    path, made = sandbox.home / "export.json", sandbox.home / "exported-plan.json"
    done = sandbox.openstack("--debug", "overcloud", "update", "export", "--stack", "overcloud", path)
    assert done.returncode == 0, done.stderr
    told = re.search(r"Heat gave outputs of stack overcloud: 1 calls, (\d+) bytes, \d+\.\d\d s", done.stderr)
    assert told and int(told.group(1)) > 10_000
    assert path.stat().st_mode & 0o777 == 0o600
    done = sandbox.openstack("overcloud", "update", "plan", "--outputs", path, "--save", made)
    assert done.returncode == 0, done.stderr
    now = Heat(Stacks(sandbox.status["heat"]["url"]).client).outputs("overcloud")
    check(documents.read_plan(str(made)), now, load_catalogue())
