"""What Neutron's agents have set up, before and after: real processes in the real namespace of this test."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ansible.module_utils import tripleo_update_agents as agents
from ansible.module_utils.tripleo_update_record import Records

from tripleo_update_plugin.adapters import ansible, extensions
from tripleo_update_plugin.overcloud.model import RUNNERS
from tripleo_update_plugin.playbooks.health_checks import checks_of

ROUTER, OTHER, NETWORK = "qrouter-1a", "snat-2b", "qdhcp-3c"
CATALOGUE = extensions.load_catalogue()
LONG_AGO = time.time() - 100_000


class Host:
    """Neutron's files; namespaces, all of them names for the one that this test is in; processes that a test starts."""

    def __init__(self, folder):
        self.neutron, self.namespaces, self.bin = folder / "neutron", folder / "netns", folder / "bin"
        self.records = Records(str(folder / "record"))
        self.running = {}
        for each in (self.neutron, self.namespaces, self.bin):
            each.mkdir()

    def has(self, *names):
        for name in names:
            (self.namespaces / name).symlink_to(f"/proc/{os.getpid()}/ns/net")

    def runs(self, name):
        """A process of that name; as an agent it is a script, as an agent's is."""
        path = self.bin / name
        if name.startswith("neutron"):
            path.write_text("import time\ntime.sleep(600)\n")
            command = [sys.executable, str(path)]
        else:
            shutil.copy(shutil.which("sleep"), path)
            command = [str(path), "600"]
        self.running[name] = subprocess.Popen(command)

    def stops(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def wrote(self, path, text="", when=None):
        """A file of an agent, written now or at some time."""
        file = self.neutron / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if when:
            os.utime(file, (when, when))

    @property
    def places(self):
        return {"neutron": str(self.neutron), "namespaces": str(self.namespaces)}

    def note(self, what):
        with self.records.alone():
            self.records.note(what, json.loads(json.dumps(agents.seen(what, **self.places))))

    def awaited(self, what):
        return agents.awaited(self.records, what, **self.places)


@pytest.fixture
def host(tmp_path):
    made = Host(tmp_path)
    yield made
    for name in list(made.running):
        made.stops(name)


def waits_until(look, wanted):
    deadline = time.monotonic() + 20
    while (found := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == wanted


def with_routers(host):
    """Two routers that are highly available, and a node that serves them."""
    host.has(ROUTER, OTHER, NETWORK, "something-else")
    host.runs("keepalived")
    host.wrote("ha_confs/1a/keepalived.conf", when=LONG_AGO)
    host.wrote("ha_confs/1a/state", "primary\n")
    host.wrote("ha_confs/2b/keepalived.conf", when=LONG_AGO)
    host.wrote("ha_confs/2b/state", "backup")
    waits_until(lambda: agents.seen("routers", **host.places).get(ROUTER, {}).get("runs"), True)
    host.note("routers")


def test_what_there_is_is_told_by_namespaces(host):
    with_routers(host)
    seen = agents.seen("routers", **host.places)
    assert set(seen) == {ROUTER, OTHER}
    assert (seen[ROUTER]["runs"], seen[ROUTER]["state"], seen[OTHER]["state"]) == (True, "primary", "backup")
    assert seen[ROUTER]["written"] == pytest.approx(LONG_AGO)
    unserved = {"runs": False, "written": None, "state": "", "agent": False}
    assert agents.seen("networks", **host.places) == {NETWORK: unserved}
    assert agents.seen("networks", str(host.neutron), "/nowhere") == {}


def test_nothing_is_awaited_without_a_note_and_a_note_is_taken_away_when_all_is_there(host):
    assert host.awaited("routers") == ""
    with_routers(host)
    assert host.records.notes().keys() == {"routers"}
    assert host.awaited("routers") == "" and host.records.notes() == {}


def test_a_namespace_that_is_missing_is_awaited(host):
    with_routers(host)
    (host.namespaces / OTHER).unlink()
    assert host.awaited("routers") == "1 of 2 routers are not back: snat-2b (there is no such namespace)"
    assert host.records.notes(), "the note stays for the next look"
    host.has(OTHER)
    assert host.awaited("routers") == ""


def test_a_router_that_was_deleted_meanwhile_is_not(host):
    with_routers(host)
    (host.namespaces / OTHER).unlink()
    shutil.rmtree(host.neutron / "ha_confs/2b")
    assert host.awaited("routers") == ""


def test_the_keepalived_of_a_router_is_awaited(host):
    with_routers(host)
    host.stops("keepalived")
    assert f"2 of 2 routers are not back: {ROUTER} (no keepalived runs there), {OTHER}" in host.awaited("routers")


@pytest.mark.parametrize(
    ("state", "word"), [("fault", "fault"), ("unknown", "unknown"), ("", "not known"), ("x", "not known")]
)
def test_a_router_that_is_neither_primary_nor_backup_is_awaited(host, state, word):
    with_routers(host)
    host.wrote("ha_confs/1a/state", state)
    assert f"{ROUTER} (its state is {word}" in host.awaited("routers")
    host.wrote("ha_confs/1a/state", "master")
    assert host.awaited("routers") == ""


def runs_agent(host):
    """A process that is just being started has its name in a moment."""
    host.runs("neutron-l3-agent")
    waits_until(lambda: agents.seen("routers", **host.places)[ROUTER]["agent"], True)


def test_an_agent_that_has_not_begun_yet_is_awaited(host):
    with_routers(host)
    runs_agent(host)
    host.note("routers")
    host.stops("neutron-l3-agent")
    told = f"2 of 2 routers are not back: {ROUTER} (no neutron-l3-agent runs), {OTHER} (no neutron-l3-agent runs)"
    assert host.awaited("routers") == told
    runs_agent(host)
    host.wrote("ha_confs/1a/keepalived.conf")
    host.wrote("ha_confs/2b/keepalived.conf")
    assert host.awaited("routers") == ""


def test_an_agent_that_is_younger_than_what_it_has_to_set_up_has_not_come_to_it(host):
    with_routers(host)
    runs_agent(host)
    told = "2 of 2 routers are not back: qrouter-1a (the agent has not come to it yet), snat-2b (the agent has"
    assert host.awaited("routers")[: len(told)] == told
    host.wrote("ha_confs/1a/keepalived.conf")
    assert host.awaited("routers").startswith("1 of 2 routers are not back: snat-2b (the agent has not come")
    host.wrote("ha_confs/2b/keepalived.conf")
    assert host.awaited("routers") == ""


def test_a_network_is_one_of_the_other_agent(host):
    host.has(NETWORK, "qdhcp-4d", "qdhcp-5e", "qdhcp-6f")
    host.runs("dnsmasq")
    host.runs("neutron-l3-agent")
    for id in ("3c", "4d", "5e", "6f"):
        host.wrote(f"dhcp/{id}/host", when=LONG_AGO)
    waits_until(lambda: agents.seen("networks", **host.places)[NETWORK]["runs"], True)
    host.note("networks")
    host.stops("dnsmasq")
    assert host.awaited("networks").startswith("4 of 4 networks are not back: qdhcp-3c (no dnsmasq runs there), ")
    assert host.awaited("networks").endswith(", and others")
    host.runs("dnsmasq")
    waits_until(lambda: host.awaited("networks"), "")


def test_a_note_that_cannot_be_read_is_told(host):
    with_routers(host)
    (Path(host.records.folder) / "notes.json").write_text("[")
    assert "notes.json cannot be read" in host.awaited("routers")


def run(host, folder, tasks):
    """Errors of *tasks* on the host "n"."""
    (folder / "i.yaml").write_text(
        yaml.safe_dump({"all": {"hosts": {"n": {
            "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False,
            "tripleo_update_marks": host.records.folder, "tripleo_update_neutron_state": str(host.neutron),
        }}}})
    )  # fmt: skip
    playbook = ansible.write_playbook([{"hosts": ["n"], "gather_facts": False, "tasks": tasks}], folder / "p.yaml")
    outcome, _ = ansible.run(
        playbook, folder / "i.yaml", {"n"}, ansible.Settings(binary=ansible.find_ansible()), timeout=100, silence=100,
        cancelled=lambda: False,
    )  # fmt: skip
    return outcome.nodes["n"].error


@pytest.mark.parametrize(("service", "what"), [("neutron_l3", "routers"), ("neutron_dhcp", "networks")])
def test_the_catalogue_notes_in_the_drain_and_looks_in_the_gate(host, tmp_path, service, what):
    profile = CATALOGUE.profile(service)
    for runner in RUNNERS:
        assert any("settled" in check for check in checks_of([(profile, runner)], {})), runner
        [task] = profile.of_runner("drain", runner)
    host.has(ROUTER, NETWORK)
    here = {**task, "tripleo_update_agent": {**task["tripleo_update_agent"], "namespaces": str(host.namespaces)}}
    assert not run(host, tmp_path, [here])
    [noted] = host.records.notes()[what]
    (host.namespaces / noted).unlink()
    host.has("qrouter-9", "qdhcp-9")
    assert not run(host, tmp_path, [here]), "again, after an update that broke off"
    assert list(host.records.notes()[what]) == [noted]
    [look] = [check for check in profile.of_runner("health", "container") if "settled" in check]
    asked = {**look["settled"], "namespaces": str(host.namespaces)}
    health = {"name": "look", "tripleo_update_health": {
        "checks": [{"services": [service], "settled": asked}], "node": "n", "folder": host.records.folder,
    }}  # fmt: skip
    assert f"1 of 1 {what} are not back: {noted} (there is no such namespace)" in run(host, tmp_path, [health])
    host.has(noted)
    assert not run(host, tmp_path, [health]) and host.records.notes() == {}


def test_a_node_without_any_notes_nothing(host, tmp_path):
    task = {"name": "note", "tripleo_update_agent": {
        "what": "routers", "folder": host.records.folder, "namespaces": str(host.namespaces),
    }}  # fmt: skip
    assert not run(host, tmp_path, [task]) and host.records.notes() == {}
