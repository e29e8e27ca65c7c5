"""Jobs from beginning to end: a real process, a real ansible-playbook, an undercloud that is played."""

import os
import signal
import stat
import threading
import time

import pytest
import yaml


def wait(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def ended(job):
    lock = job.try_lock()
    if lock is None:
        return False
    os.close(lock)
    return True


def told(undercloud, count=1):
    wait(lambda: len(undercloud.told) >= count)
    return undercloud.told


def test_a_phase_is_done_and_told(desk, nodes, undercloud):
    job, outcome = desk.hand_in(desk.request("drain", nodes=["ctl-0", "ctl-1"]))
    [(action, state, output)] = told(undercloud)
    assert (outcome, action, state) == ("started", "action-1", "SUCCESS")
    assert output["ok"] and output["batch"] == "b-1" and output["phase"] == "drain" and not output["nothing_to_do"]
    assert {name: node["ok"] for name, node in output["nodes"].items()} == {"ctl-0": True, "ctl-1": True}
    assert output["nodes"]["ctl-0"]["finished"] >= output["nodes"]["ctl-0"]["started"] > 0
    assert sorted(nodes.asked) == ["drain ctl-0", "drain ctl-1"]
    wait(lambda: ended(job))
    assert not job.private.exists() and not (job.folder / "pid").exists()


def test_what_is_written_is_private(desk, undercloud):
    job, _ = desk.hand_in(desk.request("drain"))
    told(undercloud)
    wait(lambda: ended(job))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in job.folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(desk.work.stat().st_mode) == 0o700


def test_only_the_failed_node_fails_and_its_output_is_in_the_log_without_secrets(desk, nodes, undercloud):
    nodes.sick("drain", "ctl-1", says="hunter22hunter was refused")
    job, _ = desk.hand_in(desk.request("drain", nodes=["ctl-0", "ctl-1"]))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and not output["ok"]
    assert output["nodes"]["ctl-0"]["ok"] and not output["nodes"]["ctl-1"]["ok"]
    assert output["nodes"]["ctl-1"]["error"] == "Drain web: non-zero return code (1)"
    assert output["error"] == "ctl-1: Drain web: non-zero return code (1)", "and it says where"
    assert "hunter22" not in str(output)
    wait(lambda: ended(job))
    assert "*** was refused" in job.log.read_text()


def test_an_update_runs_the_playbook_of_the_overcloud(desk, nodes, undercloud):
    desk.hand_in(desk.request("update", nodes=["ctl-0", "ctl-2"]))
    [(_, state, output)] = told(undercloud)
    assert (state, output["error"]) == ("SUCCESS", "")
    assert sorted(nodes.asked) == ["update ctl-0", "update ctl-2"]


def test_what_an_update_that_broke_off_left_to_be_done_comes_first(desk, nodes, undercloud):
    profile = yaml.safe_load((nodes.profiles / "web.yaml").read_text())
    task = {"name": "Start web", "command": {"argv": ["sh", "{{ stand_in }}", "again", "{{ inventory_hostname }}"]}}
    profile["web"]["again"] = {"any": [task]}
    (nodes.profiles / "web.yaml").write_text(yaml.safe_dump(profile))
    desk.hand_in(desk.request("update"))
    assert told(undercloud)[0][1] == "SUCCESS"
    assert nodes.asked == ["again ctl-0", "update ctl-0"]


def test_a_node_that_fails_does_not_break_the_others_off(desk, nodes, undercloud):
    nodes.sick("update", "ctl-2")
    desk.hand_in(desk.request("update", nodes=["ctl-0", "ctl-2"]))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and sorted(nodes.asked) == ["update ctl-0", "update ctl-2"]
    assert output["nodes"]["ctl-0"]["ok"] and "Update web" in output["nodes"]["ctl-2"]["error"]


def test_a_gate_looks_at_the_peers_too(desk, nodes, undercloud):
    nodes.sick("gate", "ctl-2")
    desk.hand_in(desk.request("gate"), name="gate-before.b-1")
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and output["moment"] == "before"
    assert output["nodes"]["ctl-0"]["ok"] and output["peers"]["ctl-1"]["ok"] and not output["peers"]["ctl-2"]["ok"]


def test_a_gate_skips_what_is_known_to_be_down(desk, nodes, undercloud):
    nodes.sick("gate", "ctl-2")
    desk.hand_in(desk.request("gate", down=["ctl-2"]), name="gate-before.b-1")
    [(_, state, output)] = told(undercloud)
    assert state == "SUCCESS" and "ctl-2" not in output["peers"]


def test_a_stack_that_has_changed_is_not_touched(desk, nodes, undercloud):
    desk.hand_in(desk.request("drain", digest="0" * 64))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and "has changed since the plan was made" in output["error"]
    assert nodes.asked == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"nodes": ["nobody"]}, "no node nobody"),
        ({"only": ["web"]}, "Heat has no data of web by itself"),
    ],
)
def test_what_cannot_be_done_is_refused(desk, nodes, undercloud, changes, says):
    desk.hand_in(desk.request("update", **changes))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and says in output["error"]
    assert nodes.asked == []


def test_a_stack_of_containers_without_update_tasks_is_refused(desk, undercloud):
    undercloud.outputs = {
        **undercloud.outputs, "RoleConfig": {},
        "RoleData": {"Controller": {"service_names": ["web"], "kolla_config": {"web": {}}}},
    }  # fmt: skip
    desk.hand_in(desk.request("update"))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and "no update tasks of its own" in output["error"]


PACKAGES = """
case $1 in
  check) exit $(cat {folder}/updates) ;;
  *) echo "$*" >> {folder}/asked; [ ! -f {folder}/broken ] || exit 1 ;;
esac
"""


@pytest.fixture
def of_packages(nodes, undercloud, tmp_path):
    """An overcloud of packages; the commands of its nodes come from the operator's variables and from PATH."""
    undercloud.outputs = {key: undercloud.outputs[key] for key in (
        "EnabledServices", "RoleNetHostnameMap", "RoleNetIpMap", "ServerIdData"
    )}  # fmt: skip
    script = tmp_path / "packages.sh"
    script.write_text(PACKAGES.format(folder=nodes.folder))
    (nodes.folder / "updates").write_text("100")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rpm").write_text("#!/bin/sh\necho 'web 1-1.noarch'\n")
    (tmp_path / "bin" / "rpm").chmod(0o755)
    return {
        "tripleo_update_package_command": ["sh", str(script), "update"],
        "tripleo_update_check_command": ["sh", str(script), "check"],
    }  # fmt: skip


@pytest.fixture
def in_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)


def test_packages_are_updated_once_and_a_second_attempt_does_nothing(desk, nodes, undercloud, of_packages, in_path):
    (nodes.folder / "broken").write_text("")
    job, _ = desk.hand_in(desk.request("update", extra_vars=of_packages))
    assert told(undercloud)[0][1] == "ERROR"
    wait(lambda: ended(job))
    marks, update = nodes.folder / "records" / "ctl-0", job.folder.parent.name
    begun = [f"{update}.b-1.begun"]
    assert [path.name for path in marks.glob(f"{update}*")] == begun, "done is not written before the work is"
    (nodes.folder / "broken").unlink()
    desk.hand_in(desk.request("update", extra_vars=of_packages), "action-2")
    assert told(undercloud, 2)[1][1] == "SUCCESS"
    wait(lambda: ended(job))
    assert nodes.asked == ["update", "update"] and (marks / f"{update}.b-1.done").exists()
    desk.hand_in(desk.request("update", task="again", extra_vars=of_packages), "action-3")
    _, state, output = told(undercloud, 3)[2]
    assert state == "SUCCESS" and output["nothing_to_do"] and nodes.asked == ["update", "update"]


def test_where_no_package_has_an_update_nothing_is_touched(desk, nodes, undercloud, of_packages, in_path):
    (nodes.folder / "updates").write_text("0")
    desk.hand_in(desk.request("update", extra_vars=of_packages))
    _, state, output = told(undercloud)[0]
    assert state == "SUCCESS" and output["nothing_to_do"] and nodes.asked == []


def test_nothing_to_do_says_so(desk, nodes, undercloud):
    (nodes.profiles / "web.yaml").write_text("web: {kind: stateless, why: half of them stay}\n")
    desk.hand_in(desk.request("drain"))
    [(_, state, output)] = told(undercloud)
    assert state == "SUCCESS" and output["nothing_to_do"]


def test_a_gate_says_what_it_cannot_check(desk, nodes, undercloud):
    (nodes.profiles / "web.yaml").write_text("web: {kind: stateless, why: half of them stay}\n")
    desk.hand_in(desk.request("gate"), name="gate-before.b-1")
    [(_, state, output)] = told(undercloud)
    assert state == "SUCCESS" and output["unchecked"] == ["web"]


def test_who_comes_while_it_runs_joins(desk, nodes, undercloud):
    nodes.slow("drain", 2)
    request = desk.request("drain")
    assert [desk.hand_in(request, f"action-{i}")[1] for i in (1, 2, 3)] == ["started", "joined", "joined"]
    assert {action for action, _, _ in told(undercloud, 3)} == {"action-1", "action-2", "action-3"}
    assert nodes.asked == ["drain ctl-0"]


def test_who_comes_after_success_gets_the_same_result(desk, nodes, undercloud):
    job, _ = desk.hand_in(desk.request("drain"))
    told(undercloud)
    wait(lambda: ended(job))
    _, outcome = desk.hand_in(desk.request("drain"), "action-2")
    first, second = told(undercloud, 2)
    assert outcome == "repeated" and second[0] == "action-2" and first[1:] == second[1:]
    assert nodes.asked == ["drain ctl-0"]


def test_another_task_of_the_same_workflow_is_new_work(desk, nodes, undercloud):
    job, _ = desk.hand_in(desk.request("restore", task="undo_drain"))
    told(undercloud)
    wait(lambda: ended(job))
    assert desk.hand_in(desk.request("restore", task="restore"), "action-2")[1] == "started"
    told(undercloud, 2)
    assert nodes.asked == ["restore ctl-0", "restore ctl-0"]


def test_after_a_failure_there_is_a_new_attempt(desk, nodes, undercloud):
    nodes.sick("drain", "ctl-0")
    job, _ = desk.hand_in(desk.request("drain"))
    told(undercloud)
    wait(lambda: ended(job))
    nodes.well("drain", "ctl-0")
    assert desk.hand_in(desk.request("drain"), "action-2")[1] == "started"
    assert [state for _, state, _ in told(undercloud, 2)] == ["ERROR", "SUCCESS"]
    assert job.request()["attempt"] == 2


def test_many_at_once_start_one(desk, nodes, undercloud):
    nodes.slow("drain", 2)
    start, outcomes = threading.Barrier(8), []

    def hand_in(number):
        start.wait()
        outcomes.append(desk.hand_in(desk.request("drain"), f"action-{number}")[1])

    threads = [threading.Thread(target=hand_in, args=(i,)) for i in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(outcomes) == ["joined"] * 7 + ["started"]
    assert len({action for action, _, _ in told(undercloud, 8)}) == 8
    assert nodes.asked == ["drain ctl-0"]


def test_two_jobs_do_not_change_one_node_at_the_same_time(desk, nodes, undercloud):
    nodes.slow("drain", 4)
    first, _ = desk.hand_in(desk.request("drain", nodes=["ctl-0", "ctl-1"]))
    wait(lambda: len(nodes.asked) == 2)
    desk.hand_in(desk.request("restore", nodes=["ctl-1", "ctl-2"]), "action-2", owner="wf-2")
    refused, done = told(undercloud, 2)
    assert refused[1] == "ERROR" and f"ctl-1 is being worked on by job {first.folder}" in refused[2]["error"]
    assert done[1] == "SUCCESS" and not any(line.startswith("restore") for line in nodes.asked)


def test_mistral_is_told_when_it_is_back(desk, undercloud):
    undercloud.away = True
    job, _ = desk.hand_in(desk.request("drain"))
    wait(lambda: job.result())
    time.sleep(1.5)
    assert undercloud.told == []
    undercloud.away = False
    assert told(undercloud)[0][1] == "SUCCESS"


def test_who_mistral_has_forgotten_is_not_told_for_ever(desk, undercloud):
    undercloud.unknown.add("action-1")
    job, _ = desk.hand_in(desk.request("drain"))
    wait(lambda: job.result())
    wait(lambda: ended(job))
    assert job.pending() == []


def test_the_deadline_ends_ansible(desk, nodes, undercloud):
    nodes.slow("drain", 300)
    job, _ = desk.hand_in(desk.request("drain", timeout=4))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and "its deadline" in output["error"]
    wait(lambda: ended(job))
    wait(lambda: not sleepers(job))


def test_silence_ends_ansible_and_names_the_node(desk, nodes, undercloud):
    nodes.slow("drain", 300, node="ctl-1")
    job, _ = desk.hand_in(desk.request("drain", nodes=["ctl-0", "ctl-1"], silence=3))
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and output["error"] == "ended after 3 s without a result: ctl-1 at 'Drain web'"
    assert not output["nodes"]["ctl-1"]["ok"]
    wait(lambda: ended(job))
    wait(lambda: not sleepers(job))


def test_asked_to_end_it_ends_ansible_and_says_so(desk, nodes, undercloud):
    nodes.slow("drain", 300)
    job, _ = desk.hand_in(desk.request("drain"))
    wait(lambda: nodes.asked)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGTERM)
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and "ended on request" in output["error"]
    wait(lambda: ended(job))
    wait(lambda: not sleepers(job))


def test_what_a_killed_runner_left_behind_is_ended_first(desk, nodes, undercloud):
    nodes.slow("drain", 300)
    job, _ = desk.hand_in(desk.request("drain"))
    wait(lambda: nodes.asked)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    wait(lambda: ended(job))
    assert sleepers(job)
    nodes.slow("drain", 0)
    assert desk.hand_in(desk.request("drain"), "action-2")[1] == "started"
    assert {(action, state) for action, state, _ in told(undercloud, 2)} == {
        ("action-1", "SUCCESS"),
        ("action-2", "SUCCESS"),
    }
    wait(lambda: not sleepers(job))


def test_an_unexpected_error_is_told_without_details(desk, undercloud):
    request = desk.request("drain")
    request["parameters"]["only"] = 5
    job, _ = desk.hand_in(request)
    [(_, state, output)] = told(undercloud)
    assert state == "ERROR" and output["error"].startswith("unexpected TypeError in phase drain; the log is")
    assert "Traceback" in job.log.read_text()


def sleepers(job):
    from tripleo_update_plugin.executor.jobs import leftovers

    return list(leftovers.of(job.folder))
