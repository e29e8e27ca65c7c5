"""Captured overclouds: what is read of them, and that their exports say the same and hold no secret."""

import copy
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from captured import NAMES, outputs_of, services_of, snapshot_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tripleo_update_plugin.adapters import documents, extensions
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.overcloud import export, outputs
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules import service_list
from tripleo_update_plugin.rules.policy import parse_policy

HERE = Path(__file__).parent
CATALOGUE = extensions.load_catalogue()
WAIVED = parse_policy({"waivers": [{"service": "*", "reason": "one controller"}]})


def plan(snapshot):
    return plan_update(snapshot.overcloud(), CATALOGUE, WAIVED, snapshot.facts, outputs=snapshot.digests)


@pytest.mark.parametrize(
    ("name", "release", "architecture", "packaging", "nodes", "controllers_services"),
    [
        ("newton-ha", "newton", "pacemaker-core", "packages", 8, {"pacemaker": 5, "systemd": 50}),
        ("newton-oldha", "newton", "pacemaker", "packages", 5, {"pacemaker": 30, "systemd": 26}),
        ("newton-single", "newton", "none", "packages", 2, {"systemd": 54}),
        ("ocata-single", "ocata", "none", "packages", 2, {"systemd": 55}),
        ("train-ha", "train", "pacemaker-bundles", "containers", 8, {"bundle": 7, "container": 34, "systemd": 10}),
        ("zed-ha", "wallaby", "pacemaker-bundles", "containers", 8, {"bundle": 6, "container": 42, "systemd": 3}),
        ("zed-single", "wallaby", "none", "containers", 2, {"container": 48}),
    ],
)
def test_what_is_read(name, release, architecture, packaging, nodes, controllers_services):
    overcloud = snapshot_of(name).overcloud()
    assert (overcloud.release, overcloud.architecture, overcloud.packaging) == (release, architecture, packaging)
    assert len(overcloud.nodes) == nodes and all(node.address for node in overcloud.nodes)
    assert Counter(overcloud.runners["Controller"].values()) == controllers_services


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_as_good_as_the_stack(name, request):
    snapshot = snapshot_of(name)
    text = json.dumps(export.to_document(snapshot), indent=1, sort_keys=True) + "\n"
    path = HERE / name / "outputs.json"
    if request.config.getoption("--update-scenarios", False):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"what is exported of {name} has changed"
    exported = documents.read_snapshot(str(path))
    assert exported.overcloud() == snapshot.overcloud()
    assert plan(exported).to_dict() == plan(snapshot).to_dict()
    if snapshot.services:
        own = service_list.update_tasks_of("mysql", exported.services)
        assert len(own) == len(service_list.update_tasks_of("mysql", snapshot.services))


@pytest.mark.parametrize("name", ["ocata-single", "train-ha", "zed-ha"])
def test_a_plan_is_the_same_with_and_without_per_service_data(name):
    assert plan(Snapshot.of(name, outputs_of(name))).to_dict() == plan(snapshot_of(name)).to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_small(name):
    assert len(json.dumps(export.to_document(snapshot_of(name)))) < 40_000


SECRET = "xyzzy-4Tq9"


def planted(value):
    """*value* with the secret in place of every text in it, and beside it in every mapping and list."""
    if isinstance(value, dict):
        return {**{key: planted(inner) for key, inner in value.items()}, SECRET: SECRET}
    if isinstance(value, list):
        return [*(planted(inner) for inner in value), SECRET]
    return SECRET if isinstance(value, str) else value


def plantings(value, depth):
    """Copies of *value*, each with the secret in one place of it: in all of it, and down to *depth* in a part of it."""
    yield planted(value)
    if depth and isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            for inner in plantings(value[key], depth - 1):
                copied = copy.copy(value)
                copied[key] = inner
                yield copied


def exported(name, found, services):
    """The export as text; "" where the outputs are refused, which names no other output than the bad one."""
    try:
        snapshot = Snapshot(stack=name, outputs=found, services=services, digest="")
        return json.dumps(export.to_document(snapshot))
    except UpdateError:
        return ""


#: Where planning gets names from; a secret is none of them.
NAMED = {"EnabledServices", "RoleNetHostnameMap", "HostsEntry", "ResourceGroupMembers"}

#: How deep the secret is buried in what an export keeps a part of; the others are dropped whole. RoleData has some
#: thousand places: the fields of its roles stand for them.
DEPTHS = {"RoleNetIpMap": 3, "ServerIdData": 3, "RoleData": 2, "ServiceChains": 3, "EndpointMap": 1}


@pytest.mark.parametrize("name", ["newton-oldha", "ocata-single", "zed-ha"])
def test_no_secret_gets_out_wherever_it_is(name):
    found, services = snapshot_of(name).outputs, services_of(name)
    changed = [
        ({**found, key: value}, services)
        for key in sorted(found.keys() - NAMED)
        for value in plantings(found[key], DEPTHS.get(key, 1))
    ]
    changed += [(found, {**services, "Controller": own}) for own in plantings(services["Controller"], 1)]
    texts = [text for text in (exported(name, *each) for each in changed) if text]
    assert len(texts) > 100
    assert not [text for text in texts if SECRET in text]


@pytest.mark.parametrize("name", ["zed-ha", "train-ha", "ocata-single"])
def test_no_value_of_the_settings_gets_out(name):
    """The captured values themselves: whatever is long and stands in a setting of a service, but for API addresses."""
    text = json.dumps(export.to_document(snapshot_of(name)))
    found = outputs_of(name)
    public = {entry["uri"] for entry in found["EndpointMap"].values()} | set().union(*found["EnabledServices"].values())
    values = {value for value in long_values(found["RoleData"]) if not value.startswith("http")} - public
    assert len(values) > 100 and found.get("AdminPassword", "no password") not in text
    assert not [value for value in values if value in text]


def long_values(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from long_values(inner)
    elif isinstance(value, str) and len(value) > 24:
        yield value


def less(found):
    """Outputs without most of their bulk, which nothing reads."""
    read = {"deploy_steps_tasks", "puppet_config", "step_config", "kolla_config", "service_names"}
    data = {role: {k: v for k, v in whole.items() if k in read} for role, whole in found.get("RoleData", {}).items()}
    kept = {key: value for key, value in found.items() if key not in ("RoleConfig", "RoleGroupVars")}
    return {**kept, "RoleData": data, "RoleConfig": {"update_steps_playbook": ""}} if data else kept


SMALL = {name: less(outputs_of(name)) for name in ("newton-ha", "zed-ha")}
JUNK = [None, 0, -1, True, 1.5, "", "x", "a b", [], [None], ["x"], [[]], {}, {"x": 1}, {"x": {}}, {"": []}]


@st.composite
def mutations(draw):
    """A captured overcloud with junk in some places of it, most of them places that are read."""
    found = copy.deepcopy(SMALL[draw(st.sampled_from(sorted(SMALL)))])
    for _ in range(draw(st.integers(1, 3))):
        place = found
        for _ in range(draw(st.integers(0, 4))):
            deeper = [key for key in keys_of(place) if isinstance(place[key], dict | list)]
            if not deeper:
                break
            place = place[draw(st.sampled_from(deeper))]
        if keys := keys_of(place):
            place[draw(st.sampled_from(keys))] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return found


def keys_of(place):
    return sorted(place) if isinstance(place, dict) else list(range(len(place)))


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(mutations(), st.sampled_from([None, "newton-ha", "zed-ha"]))
def test_whatever_the_outputs_are_there_is_a_plan_or_a_clear_error(found, services):
    try:
        snapshot = Snapshot.of("overcloud", found, services_of(services) if services else None)
        export.to_document(snapshot)
        assert plan(snapshot).nodes
    except UpdateError as refusal:
        assert refusal.message and refusal.remedy


def test_services_of_zed_say_who_runs_them_and_what_bounds_them():
    snapshot = snapshot_of("zed-ha")
    lines = service_list.services_of(snapshot.overcloud(), CATALOGUE, parse_policy({}), snapshot.services)
    rows = {line.service: line for line in lines}
    assert set(rows) == {service for names in outputs_of("zed-ha")["EnabledServices"].values() for service in names}
    assert all(line.run_by and line.bound_by for line in lines)
    assert (rows["mysql"].run_by, rows["mysql"].budget) == (("bundle",), 1)
    assert rows["nova_api"].run_by == rows["nova_compute"].run_by == ("container",)
    assert "Mariadb fetch and retag container image for pacemaker" in rows["mysql"].update_tasks
    assert rows["kernel"].update_tasks == ()


def test_scenarios_of_newton_differ_in_who_runs_what():
    old, new = (yaml.safe_load((HERE / name / "outputs.json").read_text()) for name in ("newton-oldha", "newton-ha"))
    assert old["outputs"]["EnabledServices"]["Controller"] != new["outputs"]["EnabledServices"]["Controller"]
    assert outputs.parse(old["outputs"], "x").runners["Controller"]["keystone"] == "pacemaker"
    assert outputs.parse(new["outputs"], "x").runners["Controller"]["keystone"] == "systemd"
