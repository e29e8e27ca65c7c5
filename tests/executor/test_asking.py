"""Every kind of probe against a server that answers, and fails in every way it is told to."""

import asyncio
import ssl
import time

import loopback
import pytest

from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.executor.prober.access import Login, Means
from tripleo_update_plugin.executor.prober.asking import asker_of
from tripleo_update_plugin.executor.prober.failures import CannotAsk, in_words
from tripleo_update_plugin.rules.probes import Pace, Probe

PACE = Pace(timeout=1.0)
LOGIN = Login(user="probe", password="let-me-in")


@pytest.fixture
def serve():
    """Starts servers, and ends them."""
    servers = []

    def start(talk, tls=None):
        servers.append(loopback.Server(talk, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def probe(kind, server, **more):
    return Probe(
        name="p", kind=kind, pace=PACE, **{"hosts": ("127.0.0.1",), "port": getattr(server, "port", 0), **more}
    )


def ask(one, means=None):
    """'' if it was answered, else why not."""
    _, asker = asker_of(one, means or Means())

    async def attempt():
        async with asyncio.timeout(one.pace.timeout):
            await asker()

    try:
        asyncio.run(attempt())
    except Exception as error:
        return in_words(error, one.pace.timeout)
    return ""


KINDS = {"http": loopback.Web(), "sql": loopback.Database(), "amqp": loopback.broker}


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_works_and_fails_and_works_again(serve, kind):
    server = serve(KINDS[kind])
    one = probe(kind, server)
    assert ask(one) == ""
    for fault, says in (("cut", "was cut"), ("mute", "no answer within 1 s"), ("wrong", "is not")):
        server.fault = fault
        assert says in ask(one)
    server.fault = ""
    assert ask(one) == ""


@pytest.mark.parametrize("kind", [*KINDS, "tcp"])
def test_where_nobody_listens_the_connection_is_refused(kind):
    assert ask(probe(kind, None, port=loopback.free_port())) == "connection refused"


def test_a_connection_is_all_that_tcp_asks_for(serve):
    server = serve(loopback.broker)
    server.fault = "mute"
    assert ask(probe("tcp", server)) == ""
    deadline = time.monotonic() + 5  # the server may learn of it a moment later
    while not server.accepted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.accepted == 1


@pytest.mark.parametrize(
    ("status", "more", "says"),
    [
        (200, {}, ""),
        (300, {}, ""),
        (401, {}, ""),
        (500, {}, "status 500"),
        (503, {}, "status 503"),
        (401, {"statuses": (200,)}, "status 401"),
        (503, {"statuses": (200, 503)}, ""),
        (200, {"body": "is well"}, ""),
        (200, {"body": "is lost"}, "lacks the expected text"),
    ],
)
def test_which_answers_count(serve, status, more, says):
    web = loopback.Web(status)
    answer = ask(probe("http", serve(web), path="/v3?a=b", **more))
    assert says in answer and bool(says) == bool(answer)
    assert len(web.heads) == 1 and web.heads[0].startswith(b"GET /v3?a=b HTTP/1.0\r\n")


def test_certificates_are_checked(serve, tmp_path):
    tls, cert = loopback.certificate(tmp_path)
    one = probe("http", serve(loopback.Web(), tls), tls=True)
    assert "the certificate is not valid" in ask(one)
    assert ask(one, Means(checked=ssl.create_default_context(cafile=cert))) == ""
    assert ask(probe("http", serve(loopback.Web(), tls), tls=True, verify=False)) == ""
    plain = serve(loopback.Web())
    plain.fault = "wrong"
    assert ask(probe("http", plain, tls=True)) == "TLS failed"


def test_a_detour_changes_where_it_connects_and_not_what_it_asks_for(serve):
    web = loopback.Web()
    server = serve(web)
    one = probe("http", server, hosts=("cloud.example",), port=80)
    assert ask(one, Means(detours={"cloud.example:80": f"127.0.0.1:{server.port}"})) == ""
    assert b"Host: cloud.example:80\r\n" in web.heads[0]


def test_a_database_that_refuses_says_its_number(serve):
    assert ask(probe("sql", serve(loopback.Database(refuses=1040)))) == "the database refuses: error 1040"


def test_with_a_login_it_is_queried(serve):
    database = loopback.Database()
    one = probe("sql", serve(database))
    assert ask(one, Means(logins={"sql": LOGIN})) == "" and "SELECT 1" in database.queries
    wrong = Means(logins={"sql": Login(user="probe", password="wrong")})
    assert ask(one, wrong) == "the database says error 1045"
    assert asker_of(one, wrong)[0] == "new connection, query" and "wrong" not in repr(wrong.logins)


def test_a_pooled_connection_is_kept_until_it_breaks(serve):
    database = loopback.Database()
    level, asker = asker_of(probe("sql", serve(database), pooled=True), Means(logins={"sql": LOGIN}))
    assert level == "pooled connection, query"

    async def three():
        answers = []
        for deaf in (False, False, True, False):
            database.deaf = deaf
            try:
                await asker()
                answers.append("")
            except Exception as error:
                answers.append(in_words(error, 1))
        return answers

    assert asyncio.run(three()) == ["", "", "the database says error 2013", ""]
    assert database.sessions == 2


def test_clients_take_the_next_broker(serve):
    mute, well = serve(loopback.broker), serve(loopback.broker)
    mute.fault = "mute"
    detours = {"a:5672": f"127.0.0.1:{mute.port}", "b:5672": f"127.0.0.1:{well.port}"}
    one = probe("amqp", None, hosts=("a", "b"), port=5672)
    assert ask(one, Means(detours=detours)) == ""
    well.fault = "cut"
    assert ask(one, Means(detours=detours)) == "the connection was cut"


def test_with_a_login_a_broker_that_only_greets_has_not_answered(serve):
    one = probe("amqp", serve(loopback.broker))
    assert ask(one) == ""
    assert ask(one, Means(logins={"amqp": LOGIN})) != ""


def test_with_a_login_a_message_goes_there_and_back(serve):
    played = loopback.Broker()
    one, means = probe("amqp", serve(played)), Means(logins={"amqp": LOGIN})
    assert asker_of(one, means)[0] == "new connection, confirmed publish and consume"
    assert ask(one, means) == "" and b"let-me-in" in played.logins[0]
    played.loses = True
    assert ask(one, means) == "the message did not come back"
    played.loses, played.refuses = False, True
    assert ask(one, means) not in ("", "the message did not come back")


def test_echo_of_this_very_machine():
    assert ask(probe("icmp", None)) == ""
    assert ask(probe("icmp", None, hosts=("240.0.0.1",))) != ""


@pytest.mark.parametrize(
    ("command", "says"), [("true", ""), ("false", "exit code 1"), ("sleep 9", "no answer within 1 s")]
)
def test_a_command_speaks_by_its_exit_code(command, says):
    began = time.monotonic()
    one = Probe(name="p", kind="command", pace=PACE, argv=tuple(command.split()))
    assert ask(one, Means(commands=True)) == says
    assert time.monotonic() - began < 5


def test_what_an_executor_may_not_do_it_says():
    with pytest.raises(CannotAsk, match="probe_commands"):
        asker_of(Probe(name="p", kind="command", argv=("true",)), Means())
    with pytest.raises(CannotAsk, match="probe_credentials"):
        asker_of(probe("sql", None, pooled=True), Means())


def test_credentials_are_a_private_file(tmp_path):
    from tripleo_update_plugin import conf as options

    secret, config = tmp_path / "logins.yaml", tmp_path / "mistral.conf"
    config.write_text(f"[tripleo_update]\nprobe_credentials = {secret}\n")
    for text, says in (("sql: {user: a}", "is not"), ("{", "is not"), ("sql: 5", "is not")):
        secret.write_text(text)
        secret.chmod(0o600)
        with pytest.raises(BadInput, match=says):
            Means.of(options.load((str(config),)))
    secret.write_text("sql: {user: probe, password: let-me-in}")
    assert Means.of(options.load((str(config),))).logins == {"sql": LOGIN}
    secret.chmod(0o644)
    with pytest.raises(BadInput, match="can be read by others"):
        Means.of(options.load((str(config),)))
