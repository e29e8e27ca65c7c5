"""Updates of single services, with real servers and Ansible; the nodes' notes are the judge."""

import pytest
from conftest import Sandbox
from test_package_flow import a_sandbox_that_goes, run
from test_plan import refused
from test_update import save_plan, updates

pytestmark = pytest.mark.functional


@pytest.fixture(scope="module")
def zed(tmp_path_factory):
    options = ("--computes", 1, "--ceph", 0, "--service-chains", "keystone,mysql,ovn_controller")
    yield from a_sandbox_that_goes(tmp_path_factory.mktemp("zed"), *options)


@pytest.mark.parametrize("service", ["keystone", "mysql"])
def test_an_update_of_one_service_changes_it_alone_on_every_node(zed: Sandbox, service: str):
    before = {name: {s.name: s.version for s in node.services()} for name, node in zed.nodes.items()}
    _, notes = run(zed, "--limit", f"service:{service}")
    touched = [note for note in notes if note["event"] in ("update", "stop", "start")]
    assert {note["service"] for note in touched} == {service}
    controllers = {name for name in zed.nodes if "controller" in name}
    assert {note["node"] for note in touched if note["event"] == "update"} == controllers
    for name, node in zed.nodes.items():
        raised = {s.name for s in node.services() if s.version != before[name][s.name]}
        assert raised == ({service} if name in controllers else set())


def test_what_cannot_be_updated_alone_is_refused_before_anything_begins(zed: Sandbox):
    path = save_plan(zed, "--limit", "service:glance_api")
    known = updates(zed)
    answer = zed.openstack("overcloud", "update", "start", "--yes", path)
    refused(answer, "glance_api", "no data of glance_api by itself")
    assert updates(zed) == known


def test_a_service_wave_runs_before_the_nodes_as_a_whole(zed: Sandbox, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("service_waves: [ovn_controller]\n")
    _, notes = run(zed, "--policy", policy)
    seen = [(note["node"], note["service"]) for note in notes if note["event"] == "update"]
    first = seen[: len(zed.nodes)]
    assert {node for node, _ in first} == set(zed.nodes) and {s for _, s in first} == {"ovn_controller"}
    for name, node in zed.nodes.items():
        later = {s for n, s in seen[len(first) :] if n == name}
        assert later == {s.name for s in node.services()}
