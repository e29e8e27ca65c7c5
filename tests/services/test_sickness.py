"""What was sick before an update and is accepted by name: it passes gates as long as it gets no worse.

The modules run as on a node, one process for each call, and keep their record there.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from standin_node import FakeHAProxy, Servers, StandInNode

from tripleo_update_plugin.adapters import ansible

PLUGIN = Path(ansible.__file__).parents[1]
ADDRESS = "127.88.7.9"
PORT = 28774

#: Runs a module of ours where Ansible would have put what it shares.
RUN = f"""
import runpy, sys
import ansible.module_utils
ansible.module_utils.__path__.append({str(PLUGIN / "module_utils")!r})
runpy.run_path(sys.argv.pop(), run_name="__main__")
"""

CONDUCTOR, CHECK = "tripleo_nova_conductor", "tripleo_nova_conductor_healthcheck"
UNIT, SERVICE = f"unit:{CONDUCTOR}", "service:nova_conductor"
LOOK = {"services": ["nova_conductor"], "containers": [CONDUCTOR]}

WELL = {CONDUCTOR: "active", CHECK: "inactive"}
UNHEALTHY = {CONDUCTOR: "active", CHECK: "failed"}  # as on the node that was reported
FAILED = {CONDUCTOR: "failed", CHECK: "failed"}
GONE = {CONDUCTOR: "inactive", CHECK: "failed"}
STARTING = {CONDUCTOR: "activating", CHECK: "inactive"}


class Update:
    """The gates of one node and what is done to it in between; what they say is what the modules print."""

    def __init__(self, folder, checks=(LOOK,), socket=""):
        self.node, self.records = StandInNode(folder / "n"), folder / "records"
        self.checks, self.socket, self.batch = list(checks), socket, "b-1"

    def is_now(self, states):
        for unit, state in states.items():
            self.node.puts(f"units/{unit}", f"{state}\n")
        return self

    def owner(self, phase):
        return {"update": "u-1", "batch": self.batch, "phase": phase}

    def module(self, name, **arguments):
        given = {"folder": str(self.records), "node": "n", **arguments}
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(PLUGIN / "library" / f"{name}.py")],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}), capture_output=True, text=True,
            env={"PATH": self.node.path, "HOME": str(self.node.folder)},
        )  # fmt: skip
        return json.loads(done.stdout or done.stderr)

    def gate(self, moment, *accept, claims=True):
        claim = {"claim": self.owner("gate"), "lease": 60} if claims and moment == "before" else {}
        return self.module(
            "tripleo_update_health", checks=self.checks, accept=list(accept), moment=moment, address=ADDRESS,
            haproxy_socket=self.socket, **claim,
        )  # fmt: skip

    def begins(self):
        self.module("tripleo_update_record", state="claim", owner=self.owner("update"), seconds=60)
        return self

    def is_freed(self, forget=False):
        self.module("tripleo_update_record", state="free", forget=forget)

    def goes(self, before, after, *accept):
        """What the two gates say of an update of a node that is so *before* and so *after*."""
        first = self.is_now(before).gate("before", *accept)
        assert not first.get("failed"), first
        return self.begins().is_now(after).gate("after", *accept)


@pytest.fixture
def update(tmp_path):
    return Update(tmp_path)


def test_what_is_sick_is_told_with_the_name_by_which_it_can_be_accepted(update):
    told = update.is_now(UNHEALTHY).gate("before")
    assert (told["sick"], told["names"]) == ({"nova_conductor": f"unhealthy: {CONDUCTOR}"}, [UNIT])


@pytest.mark.parametrize("accept", [UNIT, SERVICE])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WELL, WELL), (UNHEALTHY, UNHEALTHY), (UNHEALTHY, WELL), (FAILED, FAILED), (FAILED, UNHEALTHY),
        (GONE, FAILED), (FAILED, GONE), (STARTING, WELL),
    ],
)  # fmt: skip
def test_what_is_accepted_may_be_as_sick_as_it_was_or_less(update, accept, before, after):
    told = update.goes(before, after, accept)
    assert not told.get("failed"), told
    assert bool(told["accepted"]) == (after is not WELL)


@pytest.mark.parametrize("accept", [UNIT, SERVICE])
@pytest.mark.parametrize(
    ("before", "after", "was"),
    [
        (WELL, UNHEALTHY, "well"), (WELL, FAILED, "well"), (UNHEALTHY, FAILED, "unhealthy"),
        (UNHEALTHY, GONE, "unhealthy"), (UNHEALTHY, STARTING, "unhealthy"),
    ],
)  # fmt: skip
def test_what_is_accepted_may_not_be_worse(update, accept, before, after, was):
    told = update.goes(before, after, accept)
    assert told["failed"] and told["sick"]["nova_conductor"].endswith(f"; accepted only as it was before: {was}")
    assert told["names"] == [], "to accept it once more is no help"


def test_what_is_accepted_is_told(update):
    told = update.is_now(UNHEALTHY).gate("before", UNIT)
    assert (told["accepted"], told["without"]) == ({"nova_conductor": f"unhealthy: {CONDUCTOR}"}, [])
    told = update.is_now(FAILED).gate("before", UNIT)
    assert told["without"] == ["nova_conductor"], "a service that does not run stands in for nobody"


@pytest.mark.parametrize("accept", ["unit:tripleo_nova_api", "service:nova_api", "haproxy:nova_conductor", CONDUCTOR])
def test_another_name_accepts_nothing(update, accept):
    assert update.is_now(UNHEALTHY).gate("before", accept)["failed"]


def test_one_that_is_accepted_does_not_hide_another(tmp_path):
    update = Update(tmp_path, [LOOK, {"services": ["nova_api"], "containers": ["tripleo_nova_api"]}])
    told = update.is_now({**UNHEALTHY, "tripleo_nova_api": "failed"}).gate("before", UNIT)
    assert set(told["sick"]) == {"nova_api"} and set(told["accepted"]) == {"nova_conductor"}


def test_of_several_containers_one_that_was_unhealthy_has_to_run(tmp_path):
    """Else a name that is idle says nothing, for one profile serves all releases."""
    both = [CONDUCTOR, "tripleo_nova_conductor_cron"]
    update = Update(tmp_path, [{**LOOK, "containers": both}])
    told = update.goes({**UNHEALTHY, both[1]: "active"}, {CONDUCTOR: "inactive", CHECK: "inactive"}, UNIT)
    assert told["sick"]["nova_conductor"].startswith(f"not active: {CONDUCTOR} (inactive)")


def test_of_several_containers_one_that_did_not_run_need_not(tmp_path):
    both = [CONDUCTOR, "tripleo_nova_conductor_cron"]
    update = Update(tmp_path, [{**LOOK, "containers": both}])
    assert not update.goes({**GONE, both[1]: "active"}, GONE, UNIT).get("failed")


OTHER = "nova_conductor_cron\tUp 2 hours\n"


@pytest.mark.parametrize(
    ("before", "after", "more", "fails"),
    [
        ("Up 2 hours (unhealthy)", "Up 1 minute (unhealthy)", "", False),
        ("Up 2 hours (unhealthy)", "Up 1 minute (unhealthy)", OTHER, False),
        ("Up 2 hours (unhealthy)", "Exited (1)", "", True),
        ("Up 2 hours (unhealthy)", "Exited (1)", OTHER, True),
        ("Up 2 hours (healthy)", "Up 1 minute (unhealthy)", "", True),
        ("Exited (1)", "Up 1 minute (unhealthy)", "", False),
    ],
)
def test_containers_of_docker_alike(tmp_path, before, after, more, fails):
    update = Update(tmp_path, [{**LOOK, "containers": [CONDUCTOR, "tripleo_nova_conductor_cron"]}])
    update.node.puts("containers", f"nova_conductor\t{before}\n{more}")
    assert not update.gate("before", UNIT).get("failed")
    update.begins().node.puts("containers", f"nova_conductor\t{after}\n{more}")
    assert bool(update.gate("after", UNIT).get("failed")) == fails


def test_units_of_systemd_and_resources_of_pacemaker_alike(tmp_path):
    checks = [{"services": ["horizon"], "units": ["httpd"]}, {"services": ["mysql"], "here": ["galera-bundle"]}]
    update, names = Update(tmp_path, checks), ["unit:httpd", "unit:galera-bundle"]
    told = update.is_now({"httpd": "failed"}).gate("before")
    assert told["names"] == sorted(names)
    assert not update.goes({"httpd": "failed"}, {"httpd": "failed"}, *names).get("failed")
    update.node.puts("resources/galera-bundle", "resource galera-bundle is running on: n\n")
    update.is_freed(forget=True)
    assert set(update.goes({"httpd": "active"}, {"httpd": "failed"}, *names)["sick"]) == {"horizon"}


@pytest.fixture
def port():
    made = Servers(ADDRESS, {PORT})
    yield made
    made.close()


@pytest.mark.parametrize(("well_before", "fails"), [(False, False), (True, True)])
def test_a_service_is_accepted_with_all_that_is_looked_at(tmp_path, port, well_before, fails):
    update = Update(tmp_path, [{"services": ["nova_api"], "http": {"port": PORT}}])
    port.sick = set() if well_before else {PORT}
    assert not update.gate("before", "service:nova_api").get("failed")
    update.begins()
    port.sick = {PORT}
    assert bool(update.gate("after", "service:nova_api").get("failed")) == fails


def test_a_port_that_answered_badly_and_answers_no_more_is_worse(tmp_path, port):
    update = Update(tmp_path, [{"services": ["nova_api"], "http": {"port": PORT}}])
    port.sick = {PORT}
    assert not update.gate("before", "service:nova_api").get("failed")
    update.begins().checks = [{"services": ["nova_api"], "http": {"port": PORT}}]
    port.close()
    assert update.gate("after", "service:nova_api")["sick"]["nova_api"].startswith(f"nothing answers on port {PORT}")


def test_a_command_has_to_be_sick_in_the_same_way(tmp_path):
    members = {"argv": ["rabbitmqctl"], "members": "([0-9])", "least": "3"}
    update = Update(tmp_path, [{"services": ["rabbitmq"], "command": members}])
    update.node.says("rabbitmqctl", "2 members\n")
    assert not update.gate("before", "service:rabbitmq").get("failed")
    assert not update.begins().gate("after", "service:rabbitmq").get("failed")
    update.node.says("rabbitmqctl", "1 member\n")
    assert update.gate("after", "service:rabbitmq")["failed"]


def test_a_service_that_nobody_described_alike(tmp_path):
    update = Update(tmp_path, [{"services": ["novelty"], "like": "novelty"}])
    line = "tripleo_novelty.service loaded {} x\ntripleo_novelty_healthcheck.service loaded failed x\n"
    update.node.puts("listed", line.format("active"))
    assert update.gate("before")["names"] == ["service:novelty"]
    assert not update.gate("before", "service:novelty").get("failed")
    assert not update.begins().gate("after", "service:novelty").get("failed")
    update.node.puts("listed", line.format("inactive"))
    assert "none of its units and containers runs" in update.gate("after", "service:novelty")["sick"]["novelty"]


@pytest.fixture
def balancer():
    made = FakeHAProxy(ADDRESS, {("old", "n"): (0, "DOWN"), ("redis", "n"): (0, "UP")})
    yield made
    made.close()


def test_proxies_of_haproxy_alike(tmp_path, balancer):
    update = Update(tmp_path, [{"services": ["haproxy"], "haproxy": "stats"}], balancer.socket)
    told = update.gate("before")
    assert (told["sick"], told["names"]) == ({"haproxy": "no server is up for old"}, ["haproxy:old"])
    accept = ("haproxy:old", "haproxy:redis")
    assert update.gate("before", *accept)["without"] == [], "HAProxy itself runs"
    assert not update.begins().gate("after", *accept).get("failed")
    balancer.servers["redis", "n"] = (0, "DOWN")
    told = update.gate("after", *accept)
    assert told["sick"]["haproxy"] == "no server is up for redis; accepted only as it was before: well"


def test_what_the_update_broke_is_not_taken_for_what_was_before(update):
    assert not update.is_now(WELL).gate("before", UNIT).get("failed")
    update.begins().is_now(UNHEALTHY)
    assert update.gate("before", UNIT)["failed"], "the batch is tried again"
    update.is_freed()
    update.batch = "b-2"
    assert update.gate("before", UNIT)["failed"], "its nodes were put back into use, and another plan was made"
    update.is_freed(forget=True)
    assert not update.gate("before", UNIT).get("failed"), "a person says that it counts as well"


def test_what_was_sick_before_stays_known_when_the_batch_is_tried_again(update):
    assert not update.goes(UNHEALTHY, WELL, UNIT).get("failed")
    assert not update.gate("before", UNIT).get("failed")
    assert not update.begins().is_now(UNHEALTHY).gate("after", UNIT).get("failed")


def test_one_that_got_better_may_be_again_as_it_was_before_the_update(update):
    assert not update.goes(FAILED, UNHEALTHY, UNIT).get("failed")
    assert not update.gate("before", UNIT).get("failed")
    assert not update.begins().is_now(FAILED).gate("after", UNIT).get("failed")


def test_what_is_accepted_by_another_name_later_on_may_be_worse_than_before(update):
    assert update.goes(UNHEALTHY, FAILED, UNIT)["failed"]
    assert update.gate("before", UNIT)["failed"]
    assert not update.gate("before", UNIT, SERVICE).get("failed")
    assert not update.begins().gate("after", UNIT, SERVICE).get("failed")


def test_what_is_accepted_later_on_is_taken_as_it_is_then(update):
    assert not update.is_now(WELL).gate("before", UNIT).get("failed")
    update.begins().is_now(UNHEALTHY)
    assert not update.gate("before", UNIT, SERVICE).get("failed")
    assert not update.gate("after", UNIT, SERVICE).get("failed")


def test_of_what_nobody_looked_at_nothing_is_known(tmp_path):
    """A batch that updates one service only looks at that one."""
    update = Update(tmp_path, [{"services": ["nova_api"], "containers": ["tripleo_nova_api"]}])
    update.is_now({"tripleo_nova_api": "active", **UNHEALTHY})
    assert not update.gate("before", UNIT, SERVICE, "haproxy:x", "service:nova_api").get("failed")
    update.begins().checks.append(LOOK)
    assert not update.gate("before", UNIT, SERVICE).get("failed")
    assert not update.gate("after", UNIT, SERVICE).get("failed")


def test_a_gate_after_which_nothing_began_is_not_remembered(update):
    assert not update.is_now(WELL).gate("before", UNIT).get("failed")
    assert not update.is_now(UNHEALTHY).gate("before", UNIT).get("failed")
    assert not update.begins().gate("after", UNIT).get("failed")


def test_what_nobody_looked_at_before_is_not_accepted_after(update):
    assert update.begins().is_now(UNHEALTHY).gate("after", UNIT)["failed"]


def test_once_well_nothing_is_remembered(update):
    assert not update.goes(WELL, WELL, UNIT).get("failed")
    update.is_freed(forget=True)
    assert sorted(path.name for path in update.records.iterdir()) == ["lock"]


def test_peers_are_looked_at_in_the_same_way_and_nothing_is_written_there(update):
    told = update.is_now(UNHEALTHY).gate("before", UNIT, claims=False)
    assert not told.get("failed") and told["accepted"] and not update.records.exists()


def test_a_peer_that_this_update_broke_is_sick(update):
    assert not update.is_now(WELL).gate("before", UNIT).get("failed")
    update.begins().is_now(UNHEALTHY).is_freed()
    assert update.gate("before", UNIT, claims=False)["failed"]


def test_a_record_of_before_that_cannot_be_read_keeps_the_gate_shut(update):
    update.records.mkdir()
    (update.records / "before.json").write_text("{")
    told = update.is_now(UNHEALTHY).gate("before", UNIT)
    assert told["failed"] and "before.json cannot be read" in told["msg"]
