"""Are servers started, waited for and missed as they should be?"""

import socket
import stat

import pytest

from tripleo_update_undercloud import processes
from tripleo_update_undercloud.errors import UndercloudError
from tripleo_update_undercloud.server_processes import Awaited, environment, free_ports, is_free, spawn, wait


@pytest.fixture
def server(tmp_path):
    """Python's own web server, started as ours are; it serves its folder, which is empty but for its log."""
    port = free_ports(1)[0]
    log = tmp_path / "server.log"
    process = spawn("http.server", ["--bind", "127.0.0.1", str(port)], tmp_path, log)
    yield Awaited(name="web", process=process, port=port, path="/", log=log)
    processes.stop([process])


def test_free_ports_differ():
    assert len(set(free_ports(20))) == 20


def test_a_port_that_is_taken_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not is_free(taken.getsockname()[1])
    assert is_free(free_ports(1)[0])


def test_servers_know_no_cloud_of_the_users(tmp_path):
    given = {"OS_CLOUD": "prod", "ANSIBLE_CONFIG": "/x", "HEAT_X": "1", "MISTRAL_X": "1", "LANG": "C", "PATH": "/bin"}
    made = environment(tmp_path, given)
    assert {key for key in given if key in made} == {"LANG", "PATH"}
    assert made[processes.MEMBER] == str(tmp_path)


def test_a_server_is_waited_for(server, tmp_path):
    heard = []
    wait([server], lambda which, seconds: heard.append((which.name, seconds >= 0)))
    assert heard == [("web", True)]
    assert server.process in processes.members(tmp_path)
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600


def test_a_server_that_ends_says_why(tmp_path):
    log = tmp_path / "server.log"
    port = free_ports(1)[0]
    process = spawn("http.server", ["--no-such-option"], tmp_path, log)
    with pytest.raises(UndercloudError, match=r"(?s)web ended while it started.*no-such-option"):
        wait([Awaited(name="web", process=process, port=port, path="/", log=log)], lambda *_: None)


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(server, tmp_path):
    silent = Awaited(name="web", process=server.process, port=free_ports(1)[0], path="/", log=server.log)
    with pytest.raises(UndercloudError, match="did not answer within 0 s"):
        wait([silent], lambda *_: None, patience=0.2)


def test_an_error_is_no_answer(server):
    wait([server], lambda *_: None)
    assert server.answers()
    missing = Awaited(name="web", process=server.process, port=server.port, path="/nothing", log=server.log)
    assert not missing.answers()
