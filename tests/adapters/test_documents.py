import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.errors import BadInput, BadOutputs, BadPlan, BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules import probes
from tripleo_update_plugin.rules.budget import Percent
from tripleo_update_plugin.rules.failure_limits import MaxFailed
from tripleo_update_plugin.testing import a_catalogue, an_overcloud, stack_outputs

OVERCLOUD = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(4, ["nova_compute"]))
PLAN = plan_update(OVERCLOUD, a_catalogue(), facts=Facts(down=frozenset({"compute-1"})))


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return written


def test_outputs_are_read_from_json_and_yaml(write):
    found = stack_outputs(OVERCLOUD)
    assert documents.read_snapshot(write("a.json", found)) == Snapshot.of("overcloud", found)
    assert documents.read_snapshot(write("a.txt", yaml.safe_dump(found)), "west") == Snapshot.of("west", found)
    shown = {"stack_name": "east", "outputs": [{"output_key": k, "output_value": v} for k, v in found.items()]}
    assert documents.read_snapshot(write("b.json", shown)) == Snapshot.of("east", found)
    assert documents.read_snapshot(write("b.json", shown), "west").stack == "west"


@pytest.mark.parametrize("text", ["{", "a: [", "\x00", "- x: y\n z", "[" * 100_000])
def test_what_is_neither_json_nor_yaml_is_named(write, text):
    path = write("odd", text)
    with pytest.raises(BadOutputs, match="odd is neither JSON nor YAML") as refusal:
        documents.read_snapshot(path)
    assert len(refusal.value.message) < 1000


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "odd").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadOutputs, match="neither JSON nor YAML"):
        documents.read_snapshot(str(tmp_path / "odd"))


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(BadOutputs, match=r"No such file|Is a directory"):
        documents.read_snapshot(str(tmp_path / name))


def test_yaml_builds_no_objects(write):
    with pytest.raises(BadPolicy, match="neither JSON nor YAML"):
        documents.read_policy([write("p.yaml", "canary: !!python/object/apply:os.getpid []")])


def test_later_policies_win(write):
    one = write("one.yaml", "budgets: {mysql: 1, nova_compute: 10%}\ncanary: true")
    two = write("two.yaml", "budgets: {nova_compute: 25%}\ncanary: false")
    policy = documents.read_policy([one, two])
    assert policy.budgets["nova_compute"] == Percent(25)
    assert set(policy.budgets) == {"mysql", "nova_compute"}
    assert not policy.canary


def test_a_policy_may_name_probes_of_every_kind(write):
    text = """
probes:
  stack: false
  skip: [HorizonPublic]
  rate: 2
  timeout: 1.5
  retry: 5
  more:
  - {name: tokens, kind: http, url: "https://cloud.example/v3", status: [200], body: v3, verify: false, rate: 1}
  - {name: one, kind: http, url: "http://cloud.example/", status: 300}
  - {name: address, kind: icmp, host: 203.0.113.7}
  - {name: ssh, kind: tcp, host: 203.0.113.7, port: 22}
  - {name: cell, kind: sql, host: 172.16.2.9, pooled: true}
  - {name: bus, kind: amqp, hosts: [172.16.2.11, 172.16.2.12]}
  - {name: login, kind: command, argv: [check, login]}
availability: {failed: 3}
"""
    policy = documents.read_policy([write("p.yaml", text)])
    wanted, tolerance = probes.parse(policy.probes)
    assert [probe.kind for probe in wanted.more] == ["http", "http", "icmp", "tcp", "sql", "amqp", "command"]
    assert tolerance.failed == 3 and not wanted.stack


def test_how_many_nodes_may_fail(write):
    text = "max_failed: {update: 5, roles: {Compute: 3.0}, services: {mysql: 0}}"
    found = documents.read_policy([write("p.yaml", text)]).max_failed
    assert found == MaxFailed(update=5, roles={"Compute": 3}, services={"mysql": 0})
    assert documents.read_policy([write("p.yaml", "max_failed: 2")]).max_failed == MaxFailed(update=2)


def test_seconds_are_whole(write):
    found = documents.read_policy([write("p.yaml", "durations: {default: 600.0, roles: {Compute: 60.0}}")]).durations
    assert str(found.to_dict()) == "{'default': 600, 'roles': {'Compute': 60}, 'nodes': {}, 'services': {}}"


def test_how_long_phases_may_take(write):
    text = "deadlines: {default: 3600.0, phases: {drain: 600}, roles: {Compute: {drain: 7200}}, at_a_time: 5}"
    policy = documents.read_policy([write("p.yaml", f"{text}\nsilence: 900.0")])
    found = policy.deadlines
    assert str(policy.silence) == "900"
    assert found.of("drain", "Compute") == 7200
    assert str(found.to_dict()) == (
        "{'default': 3600, 'at_a_time': 5, 'phases': {'drain': 600}, 'roles': {'Compute': {'drain': 7200}}}"
    )


def test_a_policy_of_nothing_allows_nothing_special(write):
    assert documents.read_policy([write("empty.yaml", "{}")]) == documents.read_policy([])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("budget: {}", "'budget'"),
        ("budgets: {mysql: most}", "budgets.mysql"),
        ("budgets: {mysql: -1}", "budgets.mysql"),
        ("approve: sometimes", "approve"),
        ("canary: maybe", "canary"),
        ("max_failed: -1", "max_failed"),
        ("max_failed: {}", "max_failed"),
        ("max_failed: {roles: {Compute: -1}}", "max_failed"),
        ("max_failed: {update: .nan}", "line 1: .nan"),
        ("deadlines: {default: 0}", "deadlines.default"),
        ("deadlines: {default: 604801}", "deadlines.default"),
        ("deadlines: {phases: {reboot: 60}}", "deadlines.phases"),
        ("deadlines: {phases: {drain: .inf}}", "line 1: .inf"),
        ("deadlines: {roles: {Compute: {drain: '60'}}}", "deadlines.roles.Compute"),
        ("deadlines: {at_a_time: 0}", "deadlines.at_a_time"),
        ("silence: 60", "silence"),
        ("waivers: [{service: mysql}]", "reason"),
        ("waivers: [{service: mysql, reason: ''}]", "waivers.0.reason"),
        ("accept: [{name: 'unit:x'}]", "accept.0: 'reason' is a required property"),
        ("accept: [{name: 'unit:x', reason: ''}]", "accept.0.reason"),
        ("accept: [{name: 'unit:x', reason: x, service: y}]", "accept.0"),
        ("accept: [{name: mysql, reason: x}]", "accept.0.name"),
        ("accept: [{name: 'unit:x', reason: x, nodes: []}]", "accept.0.nodes"),
        ("accept: [{name: 'unit:{{ x }}', reason: x}]", "'unit:{{ x }}' is no name"),
        ("order: [{first: a}]", "'then'"),
        ("order: [[a, b]]", "order.0"),
        ("domains: {a: b}", "domains.a"),
        ("[1]", "object"),
    ],
)
def test_a_policy_that_is_none_names_file_and_place(write, text, place):
    with pytest.raises(BadPolicy) as refusal:
        documents.read_policy([write("p.yaml", text)])
    assert "p.yaml" in refusal.value.message and place in refusal.value.message


def test_all_faults_of_a_policy_are_told_at_once(write):
    path = write("p.yaml", "max_failed: -1\ncanary: maybe\nbudget: {}\nbudgets: {mysql: most}")
    with pytest.raises(BadPolicy) as refusal:
        documents.read_policy([path])
    lines = refusal.value.message.splitlines()
    assert len(lines) == 4 and all(line.startswith(f"{path}: ") for line in lines)
    assert all(any(place in line for line in lines) for place in ("max_failed", "canary", "'budget'", "budgets.mysql"))
    many = write("p.yaml", "budgets:\n" + "".join(f"  s{n}: most\n" for n in range(1000)))
    with pytest.raises(BadPolicy) as refusal:
        documents.read_policy([many])
    assert len(refusal.value.message.splitlines()) == 6 and refusal.value.message.endswith("and more")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("canary: true\nbudgets:\n  # few\n  mysql: most\n", [4]),
        ("canary: true\nmax_failed: 1\n\nbudget: {}\n", [4]),
        ("order:\n- {first: a, then: b}\n- first: a\n  than: b\n", [3, 4]),
        ("waivers:\n- service: mysql\n", [2]),
        ("[1]", [1]),
        ('{"canary": true,\n "probes": {\n  "rate": "fast"}}', [3]),
        ("x: &a {mysql: most}\nbudgets: *a\n", [1, 1]),
    ],
)
def test_a_fault_of_a_policy_has_its_line(write, text, lines):
    path = write("p.yaml", text)
    with pytest.raises(BadPolicy) as refusal:
        documents.read_policy([path])
    told = [line.removeprefix(f"{path}: ") for line in refusal.value.message.splitlines()]
    assert sorted(int(line.removeprefix("line ").partition(":")[0]) for line in told) == lines


def test_what_a_schema_cannot_say_names_the_file_as_well(write):
    path = write("p.yaml", "extra_vars: {ansible_user: x}")
    with pytest.raises(BadPolicy, match=r"p.yaml: extra_vars: 'ansible_user'"):
        documents.read_policy([path])


@pytest.mark.parametrize("text", ["budgets: {mysql: 0%}", "budgets: {mysql: 101%}", "domains: {a: [x], b: [x]}"])
def test_what_a_schema_cannot_say_is_checked_too(write, text):
    with pytest.raises(BadPolicy):
        documents.read_policy([write("p.yaml", text)])


@pytest.mark.parametrize("name", ["plan.json", "plan.yaml"])
@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, facts=None)], ids=["with facts", "without"])
def test_a_plan_survives_its_file(tmp_path, name, plan):
    path = tmp_path / name
    documents.write_plan(plan, str(path))
    assert documents.read_plan(str(path)) == plan
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_json_and_yaml_by_the_file_s_ending(tmp_path):
    for name, read in (("plan.json", json.loads), ("plan.yaml", yaml.safe_load)):
        documents.write_plan(PLAN, str(tmp_path / name))
        assert read((tmp_path / name).read_text()) == PLAN.to_dict()


def test_a_plan_takes_the_place_of_an_earlier_one(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("something longer than nothing\n" * 9999)
    documents.write_plan(PLAN, str(path))
    assert documents.read_plan(str(path)) == PLAN


def test_a_plan_that_cannot_be_written(tmp_path):
    with pytest.raises(BadInput, match="No such file") as refusal:
        documents.write_plan(PLAN, str(tmp_path / "missing" / "plan.yaml"))
    assert "folder" in refusal.value.remedy


def edited(**change):
    return {**PLAN.to_dict(), **change}


def batch_with(**change):
    first, *rest = PLAN.to_dict()["batches"]
    return edited(batches=[{**first, **change}, *rest])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (edited(outputs_digest="1" * 64), "the digest does not fit"),
        (edited(policy={}), "the digest does not fit"),
        (edited(facts=None), "the digest does not fit"),
        (edited(format=2), "format"),
        (edited(stack="a b"), "stack"),
        (edited(extra=1), "extra"),
        (edited(architecture="cloudy"), "architecture"),
        (edited(excluded={"<% $ %>": "x"}), "<% "),
        (batch_with(nodes=[]), r"batches\.0\.nodes"),
        (batch_with(nodes=["<% $.x %>"]), r"batches\.0\.nodes\.0"),
        (batch_with(nodes=["a", "a"]), r"batches\.0\.nodes"),
        (batch_with(id="1"), r"batches\.0\.id"),
        (batch_with(id="a b"), r"batches\.0\.id"),
        (batch_with(wave=0), r"batches\.0\.wave"),
        (batch_with(after=["batch-99"]), "batch-99"),
        (batch_with(only=[]), r"batches\.0\.only"),
        ({}, "required"),
        ([], "object"),
        (None, "object"),
    ],
)
def test_a_plan_that_was_spoilt_is_refused(data, words):
    with pytest.raises(BadPlan, match=words) as refusal:
        documents.plan_of(data, "plan.yaml")
    assert refusal.value.message.startswith("plan.yaml: ")
    assert len(refusal.value.message) < 500


def test_batches_may_be_edited():
    """The digest binds what the plan was made from; the safety check judges what became of the batches."""
    plan = documents.plan_of(batch_with(closed_by="by hand"), "plan.yaml")
    assert plan.batches[0].closed_by == "by hand"
    assert plan.key != PLAN.key


def test_two_batches_of_one_id_are_refused():
    data = PLAN.to_dict()
    data["batches"] = [data["batches"][0], *data["batches"]]
    with pytest.raises(BadPlan):
        documents.plan_of(data, "plan.yaml")


def test_every_schema_is_a_json_schema():
    from importlib import resources

    import jsonschema

    for file in resources.files("tripleo_update_plugin.schemas").iterdir():
        if Path(file.name).suffix == ".json":
            jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text()))
            assert json.loads(file.read_text())["additionalProperties"] is False


@pytest.mark.parametrize("text", ["[]", '{"Controller": []}', '{"Controller": {"mysql": 7}}', "{"])
def test_per_service_data_of_another_shape_is_refused(tmp_path, text):
    (tmp_path / "services.json").write_text(text)
    with pytest.raises(BadInput, match=r"services\.json"):
        documents.read_services(str(tmp_path / "services.json"))


def test_per_service_data_is_read(tmp_path):
    (tmp_path / "services.json").write_text('{"Controller": {"mysql": {"step_config": ""}}}')
    assert documents.read_services(str(tmp_path / "services.json")) == {"Controller": {"mysql": {"step_config": ""}}}


def an_export(tmp_path, **more):
    snapshot = Snapshot.of("east", {**stack_outputs(OVERCLOUD), "AdminPassword": "monday"})
    documents.write_export(replace(snapshot, **more), str(tmp_path / "east.json"))
    return snapshot, tmp_path / "east.json"


def test_an_export_is_read_back_with_all_that_planning_needs(tmp_path):
    facts = Facts(down=frozenset({"compute-1"}), leaders={"mysql": "controller-0"})
    snapshot, path = an_export(tmp_path, facts=facts)
    read = documents.read_snapshot(str(path))
    assert read.overcloud() == snapshot.overcloud() and read.facts == facts
    assert (read.stack, read.digest, read.digests) == ("east", snapshot.digest, snapshot.digests)
    assert "monday" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    other = {"Controller": {"mysql": {"step_config": "include tripleo::profile::pacemaker::database::mysql"}}}
    assert documents.read_snapshot(str(path), "west", other).services == other


def test_what_describes_no_overcloud_is_not_exported(tmp_path):
    with pytest.raises(BadOutputs):
        documents.write_export(Snapshot.of("east", {"AdminPassword": "monday"}), str(tmp_path / "east.json"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "tripleo-update-export/2"}, "format"),
        ({"digest": "x"}, "digest"),
        ({"outputs": []}, "outputs"),
        ({"facts": {"down": "x"}}, "facts"),
        ({"services": {"Controller": []}}, "services"),
        ({"more": 1}, "more"),
    ],
)
def test_an_export_of_another_shape_is_refused(write, tmp_path, change, words):
    _, path = an_export(tmp_path)
    with pytest.raises(BadOutputs, match=words):
        documents.read_snapshot(write("odd.json", {**json.loads(path.read_text()), **change}))


def test_a_plan_is_no_export(write):
    with pytest.raises(BadOutputs, match="format"):
        documents.read_snapshot(write("plan.json", PLAN.to_dict()))


def edited(**changes):
    """A plan as data, with *changes*, whose digest fits again."""
    data = {**PLAN.to_dict(), **changes}
    return {**data, "digest": Plan.from_dict(data).digest}


def batches(**changes):
    first, *others = PLAN.to_dict()["batches"]
    return [{**first, **changes}, *others]


IDS = [batch.id for batch in PLAN.batches]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batches": batches(after=[IDS[0]])}, f"{IDS[0]} comes after itself"),
        ({"batches": batches(after=["nobody"])}, f"{IDS[0]} comes after nobody, which the plan has not"),
        ({"batches": [{**b, "after": [after]} for b, after in zip(batches(), IDS[1:] + IDS[:1], strict=True)]},
         "wait for one another in a circle"),
        ({"batches": batches(id=IDS[-1])}, f"the same id {IDS[-1]}"),
        ({"batches": batches(seconds=True)}, "batches.0.seconds"),
        ({"approvals": [{"id": "approval-1", "before": ["nobody"], "why": "x"}]}, "approval-1 is before nobody"),
        ({"approvals": [{"id": "approval-1", "before": [IDS[0]], "why": "x"}] * 2}, "the same id approval-1"),
        ({"policy": {"max_failed": float("nan")}}, "policy.max_failed"),
        ({"policy": {"max_failed": "1"}}, "policy.max_failed"),
        ({"policy": {"max_failed": {"services": {"mysql": 1}}}}, "policy.max_failed.services.mysql"),
        ({"policy": {"max_failed": {"roles": {"a b": 1}}}}, "policy.max_failed.roles"),
        ({"policy": {"max_faild": 1}}, "'max_faild'"),
        ({"policy": {"budgets": {"mysql": 1}}}, "policy.budgets.mysql"),
        ({"policy": {"budgets": {"mysql": {"max_unavailable": 1, "of": 3, "limit": True, "from": "x"}}}}, "limit"),
        ({"policy": {"order": [["a", "b"]]}}, "policy.order.0"),
        ({"policy": {"domains": {"compute-0": 7}}}, "policy.domains.compute-0"),
        ({"policy": {"ramp": ["many"]}}, "policy: ramp: 'many' is neither"),
        ({"policy": {"extra_vars": {"ansible_user": "x"}}}, "policy: extra_vars: 'ansible_user'"),
        ({"policy": {"probes": {"retry": 10**6}}}, "policy.probes.retry"),
        ({"policy": {"probes": {"rate": 0.001}}}, "policy: probes: in 15 s of retry"),
        ({"policy": {"limit": {"nodes": [7]}}}, "policy.limit.nodes.0"),
        ({"policy": {"services": "x"}}, "policy.services"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_named(write, changes, says):
    if "policy" in changes:
        changes = {"policy": {**PLAN.policy, **changes["policy"]}}
    with pytest.raises(BadPlan) as refusal:
        documents.plan_of(edited(**changes), "the plan")
    assert refusal.value.message.startswith("the plan: ") and says in refusal.value.message
