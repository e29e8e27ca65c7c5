"""What goes on on a node after its job has ended here: a real sshd, and a task that neither hangup nor SIGTERM ends."""

import os
import signal
import time

import fake_undercloud
import pytest
import sshd
from test_records import done, record
from test_runner import ended, told, wait

from tripleo_update_plugin.executor.jobs import leftovers

pytestmark = pytest.mark.ssh

SECONDS = 15  # that the task takes on the node


@pytest.fixture
def nodes(tmp_path, nodes):
    """Nodes that are reached through sshd, and whose tasks are stubborn."""
    server = sshd.Sshd(tmp_path)
    server.let_in(nodes.inventory, fake_undercloud.NODES)
    (nodes.folder / "stand-in.sh").write_text(sshd.STUBBORN.format(folder=nodes.folder))
    yield nodes
    server.close()


def begun(desk, nodes, **parameters):
    """The job of a drain that is at work on ctl-0."""
    nodes.slow("drain", SECONDS)
    job, _ = desk.hand_in(desk.request("drain", update="u-1", **parameters))
    wait(lambda: nodes.asked == ["drain ctl-0 begins"])
    nodes.slow("drain", 0)
    return job


def gone(job):
    """The runner and all that it started here are killed; the node knows nothing of it."""
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    wait(lambda: ended(job))
    leftovers.end(job.folder)


def test_another_update_is_kept_off_until_what_was_begun_has_ended(desk, nodes, undercloud):
    gone(begun(desk, nodes))
    state, output = done(desk, undercloud, "drain", update="u-2", timeout=30)
    assert state == "ERROR" and nodes.asked == ["drain ctl-0 begins"]
    assert "ctl-0 is at work since" in output["error"] and ", sh (" in output["error"]
    assert record(nodes)["update"] == "u-1"
    wait(lambda: nodes.asked[-1] == "drain ctl-0 ends")


def test_the_next_attempt_waits_until_what_was_begun_has_ended(desk, nodes, undercloud):
    began = time.monotonic()
    gone(begun(desk, nodes))
    states = []
    while not states or (states[-1] != "SUCCESS" and time.monotonic() < began + 6 * SECONDS):
        undercloud.environments.pop("tripleo-update-node.u-1.ctl-0", None)  # it takes part again, as after 'retry'
        state, output = done(desk, undercloud, "drain", update="u-1", timeout=30)
        states.append(state)
        assert state == "SUCCESS" or "an earlier attempt is still at work there: " in output["error"]
    assert states[0] == "ERROR" and states[-1] == "SUCCESS"
    assert nodes.asked == ["drain ctl-0 begins", "drain ctl-0 ends"] * 2, "never two at once"


def test_the_deadline_ends_ansible_here_and_the_node_stays_held(desk, nodes, undercloud):
    job = begun(desk, nodes, timeout=6)
    assert told(undercloud)[0][1] == "ERROR" and "its deadline" in undercloud.told[0][2]["error"]
    wait(lambda: ended(job))
    state, output = done(desk, undercloud, "drain", update="u-2", timeout=30)
    assert state == "ERROR" and "ctl-0 is at work since" in output["error"]
    assert nodes.asked == ["drain ctl-0 begins"]
