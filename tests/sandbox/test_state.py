"""Is the state folder itself, and nobody else's: after a crash, after a reboot, beside other people's files?"""

import os
import stat

import pytest

from tripleo_update_sandbox import lifecycle
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.state import State, default_folder
from tripleo_update_sandbox.undercloud import clouds, configuration, servers
from tripleo_update_undercloud.server_processes import free_ports


@pytest.fixture
def empty(tmp_path):
    state = State(tmp_path / "state")
    state.prepare()
    return state


WHERE = servers.Endpoints(1001, 1002)


def test_the_folder_is_private(empty):
    assert stat.S_IMODE(empty.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(empty.marker.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"TRIPLEO_UPDATE_SANDBOX": "/a", "XDG_STATE_HOME": "/b"}, "/a"),
        ({"XDG_STATE_HOME": "/b"}, "/b/tripleo-update-sandbox"),
    ],
)
def test_where_the_folder_is(environ, folder):
    assert str(default_folder(environ)) == folder


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_note_that_a_crash_spoilt_is_no_process(empty, spoilt):
    (empty.folder / "run/heat.json").write_text(spoilt)
    assert empty.process("heat") is None
    assert servers.running(empty, "heat") is None


def test_the_same_ports_are_taken_again_if_they_are_free(empty):
    first = servers.Endpoints(*free_ports(2))
    empty.remember("ports", {"heat": first.heat_port, "mistral": first.mistral_port})
    assert servers.choose(empty, None, None) == first
    assert servers.choose(empty, 5, None) == servers.Endpoints(5, first.mistral_port)


def test_down_removes_what_a_reboot_left(empty):
    stale = {"pid": os.getpid(), "started": 1, "boot": "the boot before"}
    for name in ("heat", "mistral", "endpoints"):
        empty.remember(name, stale)
    (empty.work / "job").mkdir()
    (empty.work / "job/pid").write_text(f"{os.getpid()}\n")
    (empty.folder / "heat.sqlite").write_text("")
    assert lifecycle.down(empty)
    assert not empty.folder.exists()


def test_down_of_nothing_is_fine(tmp_path):
    assert lifecycle.down(State(tmp_path / "nothing")) is False


def test_a_folder_of_someone_else_is_left_alone(tmp_path):
    (tmp_path / "precious").write_text("x")
    for step in (lambda: lifecycle.down(State(tmp_path)), State(tmp_path).prepare, State(tmp_path).remove):
        with pytest.raises(SandboxError):
            step()
    assert (tmp_path / "precious").exists()


def test_two_commands_do_not_meet(empty):
    with empty.lock(), pytest.raises(SandboxError, match="at work"), empty.lock():
        pass


def test_clouds_yaml_is_linked_where_the_user_has_none_and_taken_back(empty, tmp_path):
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    clouds.publish(empty, WHERE, environ)
    link = tmp_path / "config/openstack/clouds.yaml"
    made_link = link.is_symlink()
    clouds.withdraw(empty)
    assert made_link
    assert not (tmp_path / "config").exists()


def test_clouds_yaml_of_the_user_is_left_alone(empty, tmp_path):
    own = tmp_path / "config/openstack/clouds.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("clouds: {}")
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    clouds.publish(empty, WHERE, environ)
    assert f"export OS_CLIENT_CONFIG_FILE={empty.clouds}" in clouds.advice(empty, environ)
    assert str(own) in clouds.advice(empty, environ)
    clouds.withdraw(empty)
    assert own.read_text() == "clouds: {}"


def test_a_link_that_became_the_users_is_left_alone(empty, tmp_path):
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    clouds.publish(empty, WHERE, environ)
    link = tmp_path / "config/openstack/clouds.yaml"
    link.unlink()
    link.write_text("clouds: {}")
    clouds.withdraw(empty)
    assert link.read_text() == "clouds: {}"


def test_configuration_is_private_and_keeps_what_was_asked(empty):
    configuration.write_heat(empty, 1001)
    configuration.write_mistral(empty, 1002, configuration.executor_options(empty, 1001, 1002))
    text = (empty.folder / "mistral.conf").read_text()
    assert "heat_endpoint = http://127.0.0.1:1001/v1/admin" in text
    assert "[DEFAULT]\ntransport_url = fake:/" in text
    assert {stat.S_IMODE(path.stat().st_mode) for path in empty.folder.glob("*.conf")} == {0o600}
