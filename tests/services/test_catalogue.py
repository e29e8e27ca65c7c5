"""The service catalogue that is shipped: complete, consistent, and of the form its schema says."""

import graphlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import tripleo_update_plugin.services

FOLDER = Path(tripleo_update_plugin.services.__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))
SCHEMA = json.loads((FOLDER / "schema.json").read_text())
KNOWN = yaml.safe_load((Path(__file__).parent / "known_services.yaml").read_text())


class StrictLoader(yaml.SafeLoader):
    """YAML, but a key that is there twice is an error and not silently the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if not key.tag.endswith(":merge")]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {', '.join(twice)}", node.start_mark)
        return super().construct_mapping(node, deep)


def read(file: Path) -> dict[str, Any]:
    return yaml.load(file.read_text(), StrictLoader)  # noqa: S506 - a safe loader


PROFILES = {service: profile for file in FILES for service, profile in read(file).items()}


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMA)


def all_before(service: str, deployed: frozenset[str] = frozenset(PROFILES)) -> set[str]:
    """Services that come before *service*, through services that are deployed."""
    found: set[str] = set()
    queue = [service]
    while queue:
        new = set(PROFILES[queue.pop()].get("after", ())) & deployed - found
        found |= new
        queue += new
    return found


def test_schema_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_follows_the_schema(file):
    assert [f"{error.json_path}: {error.message}" for error in validator().iter_errors(read(file))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_says_where_its_facts_come_from(file):
    comment = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert file.read_text().startswith("# ")
    assert any(line.startswith("# Sources: ") for line in comment)


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"kind": "stateful", "why": "there is no such kind"},
        {"kind": "worker"},
        {"kind": "host", "color": "green"},
        {"kind": "host", "max_unavailable": -1},
        {"kind": "host", "max_unavailable": "0%"},
        {"kind": "host", "max_unavailable": "101%"},
        {"kind": "host", "max_unavailable": True},
        {"kind": "host", "limit": "most"},
        {"kind": "host", "after": []},
        {"kind": "host", "after": ["mysql", "mysql"]},
        {"kind": "host", "after": "mysql"},
        {"kind": "host", "units": {"docker": ["mysql"]}},
        {"kind": "host", "units": {"systemd": ["mysql; reboot"]}},
        {"kind": "host", "gate": {"systemd": [{"command": "true"}]}},
        {"kind": "host", "gate": {"kubernetes": [{"name": "Look", "command": "true"}]}},
    ],
    ids=str,
)
def test_schema_refuses(profile):
    assert not validator().is_valid({"something": profile})


@pytest.mark.parametrize("budget", [0, 1, 25, "1%", "50%", "100%", "quorum", "half", "all-but-one", "unlimited"])
def test_schema_takes_every_form_of_a_budget(budget):
    assert validator().is_valid({"something": {"kind": "host", "max_unavailable": budget, "limit": budget}})


def test_every_file_is_in_the_documentation():
    documentation = (Path(__file__).parents[2] / "docs/source/catalogue.rst").read_text()
    assert [file.name for file in FILES if f"* - {file.name}\n" not in documentation] == []


def test_no_service_is_in_two_files():
    homes: dict[str, list[str]] = {}
    for file in FILES:
        for service in read(file):
            homes.setdefault(service, []).append(file.name)
    assert {service: files for service, files in homes.items() if len(files) > 1} == {}


@pytest.mark.parametrize("release", KNOWN)
def test_every_known_service_has_a_profile(release):
    assert sorted(set(KNOWN[release]) - set(PROFILES)) == []


def test_after_names_only_services_that_have_a_profile():
    unknown = {(s, name) for s, profile in PROFILES.items() for name in set(profile.get("after", ())) - set(PROFILES)}
    assert unknown == set()


def test_after_has_no_cycle():
    graph = {service: profile.get("after", ()) for service, profile in PROFILES.items()}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(PROFILES)


def test_nothing_waits_for_what_only_configures_a_host():
    waiting = {(s, n) for s, p in PROFILES.items() for n in p.get("after", ()) if PROFILES[n]["kind"] == "host"}
    assert waiting == set()


@pytest.mark.parametrize("release", ["Newton", "Ocata", "Train", "Zed"])
def test_computes_come_after_the_control_plane_of_any_release(release):
    deployed = frozenset(KNOWN[release])
    broker = "oslo_messaging_rpc" if "oslo_messaging_rpc" in deployed else "rabbitmq"
    control_plane = {"mysql", broker, "haproxy", "keystone", "nova_conductor", "nova_api", "neutron_api", "glance_api"}
    assert control_plane <= all_before("nova_compute", deployed)


@pytest.mark.parametrize("release", ["Newton", "Ocata", "Train", "Zed"])
def test_every_api_comes_after_database_and_keystone(release):
    deployed = frozenset(KNOWN[release])
    apis = [s for s in deployed if s.endswith("_api") and PROFILES[s]["kind"] == "stateless"]
    early = {api for api in apis if not {"mysql", "keystone"} <= all_before(api, deployed)}
    assert apis
    assert early == set()


def test_computes_do_not_wait_for_network_nodes_or_ceph():
    before = all_before("nova_compute")
    assert not before & {"neutron_l3", "neutron_dhcp", "neutron_metadata", "neutron_ovs_agent"}
    assert not [service for service in before if service.startswith(("ceph_", "swift_"))]


def test_ceph_has_no_order():
    assert [s for s, profile in PROFILES.items() if s.startswith("ceph_") and "after" in profile] == []


def test_the_core_does_not_wait_for_itself():
    core = {"pacemaker", "mysql", "rabbitmq", "oslo_messaging_rpc", "redis", "haproxy"}
    assert {s for s in core if all_before(s)} == set()


def test_central_databases_of_ovn_come_after_the_controllers_on_hosts():
    assert "ovn_controller" in all_before("ovn_dbs")
    assert "ovn_dbs" in all_before("neutron_api")


def test_a_limit_is_not_below_the_default():
    """Numbers only: rules depend on how many there are."""
    wrong = [
        service
        for service, profile in PROFILES.items()
        if isinstance(profile.get("limit"), int) and profile.get("max_unavailable", 0) > profile["limit"]
    ]
    assert wrong == []


STEPS = [
    (service, phase, runner, task)
    for service, profile in PROFILES.items()
    for phase in ("drain", "restore", "gate")
    for runner, tasks in profile.get(phase, {}).items()
    for task in tasks
]


OURS = {f"tripleo_update_{name}" for name in ("agent", "health", "leaders", "switch")}
MODULES = {"ansible.builtin.assert", "ansible.builtin.command", *OURS}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: " ".join((*step[:3], step[3]["name"])))
def test_step_is_a_task_that_cannot_surprise(step):
    _, phase, _, task = step
    assert len(MODULES & set(task)) == 1, "one of Ansible's own or of ours: nodes and executors have no collections"
    assert "become" not in task, "the play says who runs it"
    if "until" in task:
        assert task["retries"] * task["delay"] <= 1800
    if "ansible.builtin.command" in task:
        assert set(task["ansible.builtin.command"]) == {"argv"}
        argv = task["ansible.builtin.command"]["argv"]
        assert all(isinstance(word, str) for word in argv) if isinstance(argv, list) else argv.startswith("{{ ")
        assert task["changed_when"] is False or phase != "gate", "a look changes nothing"
    if "tripleo_update_switch" in task:
        commands = [task["tripleo_update_switch"].get(key, []) for key in ("out", "back")]
        assert all(isinstance(word, str) for argv in commands for word in argv)
        assert all(isinstance(argv, list) for argv in commands)


def test_what_is_drained_is_restored():
    changes = [(s, phase, r) for s, phase, r, task in STEPS if "tripleo_update_agent" not in task]  # which only notes
    assert {(s, r) for s, phase, r in changes if phase == "drain"} == {
        (s, r) for s, phase, r in changes if phase == "restore"
    }


def test_every_api_behind_haproxy_is_drained_and_answers_for_itself():
    apis = {s for s, profile in PROFILES.items() if s.endswith("_api") and profile["kind"] == "stateless"}
    assert {s for s in apis if "proxies" not in PROFILES[s]} == set()
    assert {s for s in apis if "http" not in PROFILES[s]["health"]["any"][0]} == set()


@pytest.mark.parametrize(
    "check",
    [
        {},
        {"http": {}},
        {"http": {"port": 0}},
        {"http": {"port": "5000"}},
        {"http": {"port": 5000, "path": "v3"}},
        {"tcp": {"port": 6379, "send": "PING"}},
        {"command": {"argv": []}},
        {"command": {"argv": ["true"], "expect": "yes"}},
        {"command": {"argv": ["true"], "members": ""}},
        {"command": "true"},
        {"master": "redis; reboot"},
        {"haproxy": "socket"},
        {"http": {"port": 80}, "tcp": {"port": 80}},
        {"units": ["httpd"]},
    ],
    ids=str,
)
def test_schema_refuses_checks(check):
    profile = {"kind": "host", "health": {"any": [check]}}
    assert validator().is_valid({"something": {"kind": "host", "health": {"any": [{"tcp": {"port": 80}}]}}})
    assert not validator().is_valid({"something": profile})
