"""What the records on the nodes keep from happening, and what they make possible: real Ansible, a played undercloud."""

import json
import time

import pytest
from test_runner import ended, told, wait

from tripleo_update_plugin import conf
from tripleo_update_plugin.executor.jobs.job import Job
from tripleo_update_plugin.executor.runner import ownership
from tripleo_update_plugin.executor.runner.work import Work
from tripleo_update_plugin.overcloud.outputs import digest
from tripleo_update_plugin.playbooks.plays import Phase


def record(nodes, name="ctl-0"):
    path = nodes.folder / "records" / name / "owner.json"
    return json.loads(path.read_text()) if path.exists() else None


def put(nodes, name, **owner):
    """Another undercloud's claim."""
    path = nodes.folder / "records" / name / "owner.json"
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    now = time.time()
    claim = {
        "format": 1, "undercloud": "other", "stack": "overcloud", "update": "u-other", "batch": "b-9",
        "phase": "update", "attempt": 1, "machine": "director-2", "job": "update.b-9",
        "services": None, "since": now, "until": now + 600, "working": True, "drained": True, "failed": "",
    }  # fmt: skip
    path.write_text(json.dumps({**claim, **owner}))


def done(desk, undercloud, phase, **parameters):
    """(state, output) of a phase that is handed in."""
    before = len(undercloud.told)
    name = f"{phase}-{parameters['moment']}.b-1" if "moment" in parameters else None
    job, _ = desk.hand_in(desk.request(phase, task=f"task-{before}", **parameters), name=name)
    _, state, output = told(undercloud, before + 1)[before]
    wait(lambda: ended(job))
    return state, output


def test_a_batch_holds_its_nodes_from_the_first_gate_to_the_last(desk, nodes, undercloud):
    seen = []
    for phase, more in [
        ("gate", {"moment": "before"}), ("drain", {}), ("update", {}), ("restore", {}), ("gate", {"moment": "after"}),
    ]:  # fmt: skip
        state, output = done(desk, undercloud, phase, update="u-1", **more)
        assert state == "SUCCESS", output
        now = record(nodes) or {}
        seen.append((now.get("update"), now.get("working"), now.get("drained")))
    claimed, drained, updated, restored, free = seen
    assert claimed == ("u-1", True, False)
    assert drained == updated == ("u-1", False, True)
    assert restored == ("u-1", False, False) and free == (None, None, None)


@pytest.mark.parametrize("phase", ["drain", "update"])
def test_nothing_begins_on_a_node_that_another_update_holds(desk, nodes, undercloud, phase):
    put(nodes, "ctl-0")
    state, output = done(desk, undercloud, phase, update="u-1", timeout=30)
    assert state == "ERROR"
    assert "ctl-0 is at work since" in output["error"] and "update u-other of stack overcloud" in output["error"]
    assert nodes.asked == []
    assert record(nodes)["update"] == "u-other"


@pytest.mark.parametrize(("silence", "wait"), [(None, 1800), (600, 300)])
def test_a_claim_that_waits_is_not_taken_for_a_task_that_hangs(tmp_path, silence, wait):
    request = {"phase": "drain", "parameters": {"stack": "overcloud", "nodes": ["ctl-0"], "silence": silence}}
    work = Work(job=Job(tmp_path / "wf-1" / "drain.b-1"), request=request, conf=conf.load(), cancelled=lambda: False)
    claim = ownership.framed(work, Phase(plays=())).plays[0]["tasks"][0]
    assert claim["tripleo_update_record"]["wait"] == wait


def test_a_gate_does_not_open_while_another_update_has_a_node_of_the_same_service(desk, nodes, undercloud):
    """Cancel, then start: the first update's job is still at work on ctl-1 when the second asks for ctl-0."""
    put(nodes, "ctl-1")
    state, output = done(desk, undercloud, "gate", moment="before", update="u-1", allowed={"web": 1})
    assert state == "ERROR" and output["not_started"]
    assert "web: ctl-1 is at work since" in output["error"]
    assert "with ctl-0 2 of 3 would be down, 1 may be" in output["error"]
    assert record(nodes) is None, "a gate that stays shut leaves nobody's claim behind"


def test_where_there_is_room_for_both_the_gate_opens(desk, nodes, undercloud):
    put(nodes, "ctl-1")
    state, output = done(desk, undercloud, "gate", moment="before", update="u-1", allowed={"web": 2})
    assert state == "SUCCESS", output
    assert "gate ctl-2" in nodes.asked and record(nodes)["update"] == "u-1"


def test_a_node_that_is_left_out_of_use_counts_as_down(desk, nodes, undercloud):
    put(nodes, "ctl-2", working=False, until=0)
    state, output = done(desk, undercloud, "gate", moment="before", update="u-1", allowed={"web": 1})
    assert state == "ERROR" and "ctl-2 is out of use since" in output["error"]


def test_another_batch_of_the_same_update_may_be_at_work_where_the_plan_has_room(desk, nodes, undercloud):
    put(nodes, "ctl-1", update="u-1")
    nodes.sick("gate", "ctl-1")
    state, output = done(desk, undercloud, "gate", moment="before", update="u-1", allowed={"web": 2})
    assert state == "SUCCESS", output


def test_a_phase_that_fails_says_so_on_the_node(desk, nodes, undercloud):
    nodes.sick("update", "ctl-0")
    assert done(desk, undercloud, "update", update="u-1")[0] == "ERROR"
    now = record(nodes)
    assert now["failed"].startswith("Update web") and not now["working"]


def test_an_update_goes_on_without_a_node_that_fails_within_the_budget(desk, nodes, undercloud):
    nodes.sick("update", "ctl-2")
    both = {"update": "u-1", "nodes": ["ctl-0", "ctl-2"], "max_failed": 1}
    state, output = done(desk, undercloud, "update", **both)
    assert state == "SUCCESS" and output["quarantined"] == ["ctl-2"] and not output["nodes"]["ctl-2"]["ok"]
    nodes.forget()
    assert done(desk, undercloud, "restore", **both)[0] == "SUCCESS"
    assert nodes.asked == ["restore ctl-0"], "later phases leave it as it is"
    state, output = done(desk, undercloud, "restore", update="u-1", nodes=["ctl-2"])
    assert state == "SUCCESS" and output["nothing_to_do"]


@pytest.mark.parametrize(("most", "state"), [(1, "ERROR"), (2, "SUCCESS")])
def test_a_budget_of_those_that_have_a_service_counts_by_role(desk, nodes, undercloud, most, state):
    limits = {"update": 9, "services": {"web": {"most": most, "roles": ["Controller"]}}}
    nodes.sick("update", "ctl-1")
    one = done(desk, undercloud, "update", update="u-1", nodes=["ctl-1"], max_failed=limits)
    nodes.sick("update", "ctl-2")
    other = {"update": "u-1", "batch": "b-2", "nodes": ["ctl-0", "ctl-2"], "max_failed": limits}
    assert [one[0], done(desk, undercloud, "update", **other)[0]] == ["SUCCESS", state]
    note = json.loads(undercloud.environments["tripleo-update-node.u-1.ctl-2"]["variables"])
    assert (note["role"], note["batch"]) == ("Controller", "b-2")


def test_beyond_the_budget_no_other_batch_begins(desk, nodes, undercloud):
    nodes.sick("update", "ctl-2")
    assert done(desk, undercloud, "update", update="u-1", nodes=["ctl-2"])[0] == "ERROR"
    nodes.forget()
    given = {"moment": "before", "nodes": ["ctl-1"], "allowed": {"web": 3}}
    waiting = desk.request("gate", task="task-9", batch="b-2", update="u-1", **given)
    job, _ = desk.hand_in(waiting, name="gate-before.b-2")
    wait(lambda: beat(undercloud, "u-1", "b-2").get("waits_for"))
    said = beat(undercloud, "u-1", "b-2")["waits_for"]
    assert said == "batch b-1 failed (1 node, ctl-2; allowed: 0)"
    assert nodes.asked == []
    another = {"moment": "before", "update": "u-2", "nodes": ["ctl-0"], "allowed": {"web": 2}}
    assert done(desk, undercloud, "gate", **another)[0] == "SUCCESS"
    del undercloud.environments["tripleo-update-node.u-1.ctl-2"]
    wait(lambda: ended(job))
    assert undercloud.told[-1][1] == "SUCCESS", "it goes on as soon as it may"
    assert not beat(undercloud, "u-1", "b-2")


def beat(undercloud, update, batch):
    """The sign of life of a phase; empty if there is none."""
    kept = undercloud.environments.get(f"tripleo-update-beat.{update}.{batch}")
    return json.loads(kept["variables"]) if kept else {}


def test_a_restore_needs_neither_digest_nor_the_stack_as_it_was(desk, nodes, undercloud):
    planned = {"update": "u-1", "digest": digest(undercloud.outputs)}
    assert done(desk, undercloud, "drain", **planned)[0] == "SUCCESS"
    undercloud.outputs = {**undercloud.outputs, "BlacklistedIpAddresses": [""]}
    state, output = done(desk, undercloud, "restore", **planned)
    assert state == "SUCCESS", output
    assert nodes.asked[-1] == "restore ctl-0"
    assert done(desk, undercloud, "drain", **planned)[0] == "ERROR", "what a plan decided is still bound to it"


def test_a_restore_does_not_need_heat(desk, nodes, undercloud):
    assert done(desk, undercloud, "drain", update="u-1")[0] == "SUCCESS"
    undercloud.heat_is_away = True
    state, output = done(desk, undercloud, "restore", update="u-1")
    assert state == "SUCCESS", output
    assert nodes.asked[-1] == "restore ctl-0"


def test_heat_may_be_away_for_a_while(desk, nodes, undercloud):
    desk.config.write_text(desk.config.read_text().replace("patience = 0", "patience = 60"))
    undercloud.heat_is_away = True
    job, _ = desk.hand_in(desk.request("drain"))
    wait(lambda: job.log.exists() and "waits: Heat" in job.log.read_text())
    undercloud.heat_is_away = False
    assert told(undercloud)[0][1] == "SUCCESS"


def test_the_last_restore_of_a_batch_frees_the_node(desk, nodes, undercloud):
    assert done(desk, undercloud, "drain", update="u-1")[0] == "SUCCESS"
    assert done(desk, undercloud, "restore", update="u-1", last=True)[0] == "SUCCESS"
    assert record(nodes) is None


def noted(nodes, host, *changes):
    path = nodes.folder / "records" / host / "changes.json"
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.write_text(json.dumps(list(changes)))
    return path


def a_change(nodes, name, argv, node="ctl-0"):
    return {"for": node, "kind": "command", "name": name, "argv": argv, "container": None, "unknown": []}


def test_by_their_records_nodes_are_put_back_whoever_took_them_out(desk, nodes, undercloud):
    put(nodes, "ctl-0", working=False)
    mark = nodes.folder / "undone"
    own = noted(nodes, "ctl-0", a_change(nodes, "broker", ["touch", str(mark)]))
    other = noted(nodes, "ctl-2", a_change(nodes, "flag", ["true"]), a_change(nodes, "x", ["true"], node="ctl-1"))
    state, output = done(desk, undercloud, "restore", by_record=True, digest=None, batch="restore")
    assert state == "SUCCESS", output
    assert output["nodes"]["ctl-0"]["put_back"] == ["command broker", "command flag"]
    assert mark.exists() and not own.exists() and record(nodes) is None
    assert [change["for"] for change in json.loads(other.read_text())] == ["ctl-1"]


def test_what_could_not_be_put_back_is_named_and_the_rest_is_done(desk, nodes, undercloud):
    put(nodes, "ctl-0", working=False)
    mark = nodes.folder / "undone"
    noted(nodes, "ctl-0", a_change(nodes, "broker", ["touch", str(mark)]), a_change(nodes, "flag", ["false"]))
    state, output = done(desk, undercloud, "restore", by_record=True, digest=None, batch="restore")
    assert state == "ERROR" and "command flag: false ended with 1" in output["error"]
    assert output["nodes"]["ctl-0"]["put_back"] == ["command broker"] and mark.exists()
    assert output["nodes"]["ctl-0"]["left"] == ["command flag: false ended with 1"]
    assert record(nodes)["update"] == "u-other", "what is still out of use still counts as down"


def test_unlock_forgets_the_owner_and_nothing_else(desk, nodes, undercloud):
    put(nodes, "ctl-0")
    left = noted(nodes, "ctl-0", a_change(nodes, "broker", ["true"]))
    state, _ = done(desk, undercloud, "unlock", force=True, digest=None, batch="unlock")
    assert state == "SUCCESS" and record(nodes) is None and left.exists()


@pytest.mark.parametrize(("only", "said"), [(None, True), (["mysql"], False)])
def test_a_node_whose_last_gate_opened_is_known_to_be_up_to_date(desk, nodes, undercloud, only, said):
    state, output = done(desk, undercloud, "gate", update="u-1", moment="before", only=only)
    assert state == "SUCCESS", output
    state, output = done(desk, undercloud, "gate", update="u-1", moment="after", only=only)
    assert state == "SUCCESS", output
    facts = done(desk, undercloud, "discover", nodes=None)[1]["facts"]
    assert facts.get("updated", {}) == ({"ctl-0": digest(undercloud.outputs)} if said else {})


def test_what_a_record_says_is_among_the_facts(desk, nodes, undercloud):
    put(nodes, "ctl-0")
    state, output = done(desk, undercloud, "discover", nodes=None)
    assert state == "SUCCESS", output
    held = output["facts"]["held"]
    assert list(held) == ["ctl-0"]
    assert (held["ctl-0"]["state"], held["ctl-0"]["update"], held["ctl-0"]["batch"]) == ("at work", "u-other", "b-9")
