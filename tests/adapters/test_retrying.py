"""What was away for a moment is asked again; a server that answers badly on purpose, and real clients."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from heatclient import client as heat
from heatclient import exc as heat_errors
from keystoneauth1 import exceptions
from keystoneauth1.session import Session
from mistralclient.api.base import APIException
from mistralclient.api.v2.client import Client

from tripleo_update_plugin.adapters import retrying
from tripleo_update_plugin.adapters.retrying import Patience, PatientSession
from tripleo_update_plugin.commands.base import CloudCommand
from tripleo_update_plugin.errors import MistralUnavailable

BODY = b'{"id": "1", "state": "RUNNING", "stack": {"id": "1", "stack_name": "overcloud"}}'


class Moody:
    """Answers as *moods* say, one after the other: a status, ``cut`` before or ``half`` in the answer; then well."""

    def __init__(self, *moods, port=0):
        self.moods, self.asked = list(moods), []
        moody = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                moody.asked.append(self.command)
                mood = moody.moods.pop(0) if moody.moods else 200
                if mood == "cut":
                    return
                status = 200 if mood == "half" else mood
                self.send_response(201 if self.command == "POST" and status == 200 else status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(BODY) * (2 if mood == "half" else 1)))
                self.end_headers()
                self.wfile.write(BODY)

            do_GET = do_PUT = do_POST = _serve  # noqa: N815

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def moody():
    made = []

    def make(*moods, port=0):
        made.append(Moody(*moods, port=port))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def port():
    """One that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def mistral(url, **patience):
    return Client(mistral_url=url, session=PatientSession(Session(timeout=5), Patience(**patience)))


@pytest.mark.parametrize("mood", [429, 502, 503, 504, "cut", "half"])
def test_what_passes_is_asked_again(moody, mood):
    server = moody(mood)
    assert mistral(server.url, seconds=5).executions.get("1").state == "RUNNING"
    assert server.asked == ["GET", "GET"]


@pytest.mark.parametrize("mood", [400, 401, 403, 404, 409, 500])
def test_an_answer_is_an_answer(moody, mood):
    server = moody(mood)
    with pytest.raises(APIException):
        mistral(server.url, seconds=5).executions.get("1")
    assert server.asked == ["GET"]


def test_without_patience_the_first_failure_is_the_last(moody):
    server = moody(503)
    with pytest.raises(APIException):
        mistral(server.url).executions.get("1")
    assert server.asked == ["GET"]


def test_heat_is_waited_for_too_though_its_client_wants_errors_returned(moody):
    server, patient = moody(503, 502), PatientSession(Session(), Patience(seconds=5))
    assert heat.Client("1", session=patient, endpoint_override=server.url).stacks.get("1").stack_name == "overcloud"
    server.moods = [503] * 9
    patient = PatientSession(Session(), Patience(seconds=0.1))
    with pytest.raises(heat_errors.HTTPServiceUnavailable):
        heat.Client("1", session=patient, endpoint_override=server.url).stacks.get("1")


@pytest.mark.parametrize(("mood", "times"), [(503, 2), (429, 2), (502, 1), (504, 1), ("cut", 1), ("half", 1)])
def test_what_begins_something_is_only_sent_again_if_it_was_not_carried_out(moody, mood, times):
    server = moody(mood)
    try:
        mistral(server.url, seconds=5).executions.create("a workflow")
    except (exceptions.ClientException, APIException):
        assert times == 1
    assert server.asked == ["POST"] * times


def test_nobody_has_heard_what_was_said_before_anybody_listened(moody, port):
    servers = []
    late = threading.Timer(0.7, lambda: servers.append(moody(port=port)))
    late.start()
    assert mistral(f"http://127.0.0.1:{port}", seconds=10).executions.create("a workflow").id == "1"
    assert servers[0].asked == ["POST"]


def test_waiting_ends_in_time_and_when_it_is_told_to(port):
    said = []
    client, began = mistral(f"http://127.0.0.1:{port}", seconds=1, say=said.append), time.monotonic()
    with pytest.raises(exceptions.ConnectFailure):
        client.executions.get("1")
    assert said == [f"waits: Unable to establish connection to http://127.0.0.1:{port}/executions/1 (for up to 1 s)"]
    assert 0.4 < time.monotonic() - began < 1
    began = time.monotonic()
    with pytest.raises(exceptions.ConnectFailure):
        mistral(f"http://127.0.0.1:{port}", seconds=60, stopped=lambda: True).executions.get("1")
    assert time.monotonic() - began < 0.4


def test_pauses_grow_and_it_is_said_once_why(moody):
    said = []
    server = moody(503, 503, 503)
    assert mistral(server.url, seconds=9, quiet=1, say=said.append).executions.get("1").id == "1"
    assert said == [f"waits: {server.url}/executions/1 answers 503 (for up to 9 s)", "goes on: it answers again"]
    server.moods = [503]
    assert mistral(server.url, seconds=9, quiet=1, say=said.append).executions.get("1").id == "1"
    assert len(said) == 2, "of what was over before anybody noticed nothing is said"


def test_any_error_can_be_worth_another_try_but_not_the_end_of_the_program():
    left = [OSError("one"), ValueError("two")]

    def ask():
        if left:
            raise left.pop()
        return "told"

    assert Patience(seconds=5).call(ask, lambda error: True) == "told"
    left.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        Patience(seconds=5).call(ask, lambda error: True)


def test_looking_ends_when_it_is_done_or_too_late():
    looks = iter(range(100))
    assert retrying.until(lambda: next(looks), lambda found: found == 3, seconds=5, pause=0.01) == 3
    assert retrying.until(lambda: "no", lambda found: False, seconds=0.05, pause=0.01) == "no"


class Cloud:
    """What openstackclient gives a command: a session, and clients made with it."""

    def __init__(self, url):
        self.session = Session()
        self._url = url

    @property
    def workflow_engine(self):
        return Client(mistral_url=self._url, session=self.session)

    @property
    def client_manager(self):
        return self

    def prepare_to_run_command(self, command):
        assert command.auth_required


class Command(CloudCommand):
    def take_action(self, parsed_args):
        """Nothing but to have clients."""


def test_commands_wait_and_say_so(moody, capsys):
    server = moody(503, 503, 503)
    mistral = Command(Cloud(server.url), None).mistral()
    assert mistral.state_of("1") == "RUNNING"
    said = capsys.readouterr().err
    assert said == f"waits: {server.url}/executions/1 answers 503 (for up to 30 s)\ngoes on: it answers again\n"
    server.moods = [404]
    with pytest.raises(MistralUnavailable):
        mistral.pause("1")
