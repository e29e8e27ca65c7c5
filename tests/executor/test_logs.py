"""What is it doing right now? The log of a job says so, in every line."""

import re

from test_runner import told, wait

from tripleo_update_plugin.executor import logs

LINE = re.compile(r"[-\d]{10} [:\d]{8} (INFO|ERROR) stack=overcloud batch=b-1 phase=(\S+)( node=\S+)?: (.*)")


def lines(job):
    return [found.groups() for line in job.log.read_text().splitlines() if (found := LINE.match(line))]


def test_a_log_says_which_task_of_which_phase_began(desk, undercloud):
    job, _ = desk.hand_in(desk.request("drain", nodes=["ctl-0", "ctl-1"]))
    told(undercloud)
    assert ("INFO", "drain", None, "Drain web: began") in lines(job)
    wait(lambda: ("INFO", "drain", None, "Mistral was told (action-1): SUCCESS") in lines(job))


def test_a_log_names_the_node_that_failed_while_the_phase_still_runs(desk, nodes, undercloud):
    nodes.sick("gate", "ctl-2")
    nodes.slow("gate", 3)
    job, _ = desk.hand_in(desk.request("gate"), name="gate-before.b-1")
    wait(lambda: job.log.exists() and any(line[2] == " node=ctl-2" for line in lines(job)))
    assert undercloud.told == []
    assert ("ERROR", "gate_before", " node=ctl-2", "Web answers: failed") in lines(job)
    told(undercloud)


def test_what_a_request_is_about():
    request = {"phase": "gate", "workflow": "wf-1", "parameters": {"stack": "s", "batch": "b-2", "moment": "after"}}
    assert logs.in_words(logs.about(request)) == "stack=s execution=wf-1 batch=b-2 phase=gate_after"
    assert logs.about({"phase": "discover", "parameters": {"stack": "s"}})["batch"] == ""
