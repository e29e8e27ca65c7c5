"""Good files, and one thing in them that is not: whatever it is, they are taken, or refused in words."""

import json
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.outcome import simulation
from tripleo_update_plugin.overcloud import export
from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Fencing
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan import comparison
from tripleo_update_plugin.planner import planner
from tripleo_update_plugin.rules.policy import Policy
from tripleo_update_plugin.terminal import printable
from tripleo_update_plugin.testing import an_overcloud, stack_outputs
from tripleo_update_plugin.workflows import workbook

CLOUD = an_overcloud(
    Controller=(3, ["pacemaker", "mysql", "keystone", "haproxy"]), Compute=(4, ["nova_compute", "ovn_controller"])
)
OUTPUTS = {**stack_outputs(CLOUD), "BlacklistedIpAddresses": [""] * 7, "KeystoneURL": "http://192.168.24.2:5000"}
MEMBERS = {f"controller-{n}": "online" for n in range(3)}
FACTS = Facts(
    down=frozenset({"compute-1"}), leaders={"mysql": "controller-0"}, failed={"compute-0": ("x.service",)},
    clusters=(Cluster(
        seen_from="controller-0", quorum=True, members=MEMBERS, resources={"galera-bundle": "bundle"}, fencing=True,
        troubles={"galera-bundle": {"compute-0": "unmanaged"}}, failures={"galera": ("galera-bundle-0",)},
        fenced={"controller-0": Fencing(action="reboot", status="success", completed="2026-01-01")},
    ),),
    absent={"compute-1": {"mysql": "galera-bundle"}},
    managed_by={"controller-0": {"mysql": "bundle"}}, updates={"compute-0": 3},
    unanswered={"compute-0": {"units": "x"}}, pending_reboot=frozenset({"compute-0"}),
)  # fmt: skip
POLICY = {
    "budgets": {"nova_compute": "50%", "keystone": 1}, "order": [{"first": "mysql", "then": "keystone"}],
    "domains": {"a": ["compute-0"], "b": ["compute-1"]}, "durations": {"default": 600, "roles": {"Compute": 60}},
    "service_waves": ["ovn_controller"], "ramp": [1, "50%"],
    "checkpoints": [{"before": "role:Compute", "reason": "look"}], "canary": True,
    "approve": "after-canary", "max_failed": 1, "extra_vars": {"a": [1, {"b": None}]},
    "waivers": [{"service": "mysql", "reason": "night"}], "accept": [{"name": "service:mysql", "reason": "known"},
        {"name": "haproxy:mysql", "reason": "known", "nodes": ["controller-0"], "roles": ["Controller"]}],
    "solver_time": 0, "availability": {"failed": 3},
    "probes": {"skip": ["KeystonePublic"], "rate": 2, "more": [
        {"name": "x", "kind": "http", "url": "http://x.example/", "status": [200]},
        {"name": "y", "kind": "command", "argv": ["true"]}, {"name": "z", "kind": "sql", "hosts": ["a", "b"]}]},
}  # fmt: skip
PROFILE = {"mysql": {
    "kind": "quorum", "max_unavailable": 1, "limit": "quorum", "after": ["pacemaker"], "wave": "first",
    "why": "a joining node needs a donor", "units": {"systemd": ["mariadb"]}, "proxies": {"mysql": "drain"},
    "health": {"any": [{"tcp": {"port": 3306}}]},
    "drain": {"any": [{"name": "Stop", "command": {"argv": ["true"]}}]},
}}  # fmt: skip
SERVICES = {"Controller": {"mysql": {
    "service_name": "mysql", "docker_config": {"step_1": {"mysql": {"image": "db", "start_order": 1}}},
    "step_config": "include ::x", "update_tasks": [{"name": "x"}], "deploy_steps_tasks": [{"vars": {"a": "b"}}],
}}}  # fmt: skip
SNAPSHOT = Snapshot.of("overcloud", OUTPUTS)
EXPORT = export.to_document(Snapshot(
    stack="overcloud", outputs=SNAPSHOT.outputs, digest=SNAPSHOT.digest, digests=SNAPSHOT.digests, facts=FACTS,
))  # fmt: skip
PLAN = rollout.prepare(SNAPSHOT, Policy(solver_time=0), [], Facts(down=frozenset({"compute-1"}))).to_dict()

ODD = st.sampled_from([
    None, True, False, 0, 1, -1, 7, 10**17, 0.5, float("nan"), float("inf"), "", " ", "x", "nobody", "controller-0",
    "Controller", "mysql", "010", "25%", "{{ x }}", "<% $ %>", "../x", "a\nb", "\x1b[2J", "é" * 300, "-o", "fe80::1%x",
    "127.0.0.1", "10.0.0.1", [], {}, [[]], {"x": {}}, ["x", "x"], [None], {"": 1},
    {"x": [1, {"y": "z"}]}, date(2026, 1, 1),
])  # fmt: skip


def places(value, path=()):
    """Where something stands in *value*."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def mutated(draw, good):
    """*good* data with one thing or two in it replaced, taken away, added or given another name."""
    data = deepcopy(good)
    for _ in range(draw(st.integers(1, 2))):
        if not (found := list(places(data))):
            break
        *path, last = draw(st.sampled_from(found))
        holder = data
        for key in path:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "replace", "take away", "add", "rename"])):
            case "replace":
                holder[last] = deepcopy(draw(ODD))
            case "take away":
                del holder[last]
            case "add" if isinstance(holder, list):
                holder.append(deepcopy(draw(ODD)))
            case "add":
                holder[draw(st.sampled_from(["x", "", 7, "policy", "Controller"]))] = deepcopy(draw(ODD))
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["x", "", 7, True, "Compute", "é\x1b"]))] = holder.pop(last)
    return data


def used(plan):
    """What is done with a plan, wherever it comes from."""
    str(plan)
    workbook.render(plan)
    comparison.compare(plan, plan)
    simulation.timeline(plan, simulation.simulate(plan, simulation.Assumptions(seconds=simulation.seconds_of(plan))))
    documents.plan_of(json.loads(json.dumps(plan.to_dict())), "again")
    rollout.check_inputs(plan)


def of_outputs(path):
    used(rollout.prepare(documents.read_snapshot(path), Policy(solver_time=0), []))


def of_policy(path):
    used(rollout.prepare(SNAPSHOT, documents.read_policy([path]), []))


def of_plan(path):
    used(documents.read_plan(path))


def of_profile(path):
    catalogue = load_catalogue(str(Path(path).parent))
    used(planner.plan_update(CLOUD, catalogue, Policy(solver_time=0), outputs=SNAPSHOT.digests))


def of_services(path):
    SNAPSHOT.of("overcloud", OUTPUTS, documents.read_services(path)).overcloud()


def of_durations(path):
    simulation.parse_durations(documents.read_data(path), path)


KINDS = {
    "outputs": (OUTPUTS, of_outputs), "export": (EXPORT, of_outputs), "policy": (POLICY, of_policy),
    "plan": (PLAN, of_plan), "profile": (PROFILE, of_profile), "services": (SERVICES, of_services),
    "durations": (POLICY["durations"], of_durations),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_files_are_taken(kind, tmp_path):
    good, read = KINDS[kind]
    path = tmp_path / "file.yaml"
    path.write_text(json.dumps(good))
    read(str(path))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=max(70, settings.default.max_examples), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_file_holds_it_is_taken_or_refused_in_words(kind, tmp_path, data):
    good, read = KINDS[kind]
    document = data.draw(mutated(good))
    path = tmp_path / "file.yaml"
    path.write_text(yaml.dump(document, allow_unicode=True), encoding="utf-8")
    if data.draw(st.booleans()):
        path.write_text(json.dumps(document, default=str), encoding="utf-8")
    try:
        read(str(path))
    except UpdateError as refusal:
        text = str(refusal)
        assert refusal.remedy and len(text) < 1500 and printable(text) == text
