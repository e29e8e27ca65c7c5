"""A prober's session: real servers, a real clock, and an update that is only memory."""

import asyncio
import time

import loopback
import pytest
from test_runner import wait

from tripleo_update_plugin.errors import ExecutionNotFound, MistralUnavailable
from tripleo_update_plugin.executor.prober.access import Means
from tripleo_update_plugin.executor.prober.loop import STARVED
from tripleo_update_plugin.executor.prober.session import GONE, Session, Superseded
from tripleo_update_plugin.outcome.verdicts import Watch
from tripleo_update_plugin.rules.probes import Pace, Probe, Tolerance

PACE = Pace(rate=10, timeout=0.5, retry=1)


class Update:
    """An update that runs until it is ended; it may be away, or gone for good."""

    def __init__(self):
        self.now, self.told, self.pauses, self.away = "RUNNING", [], 0, None

    def state(self):
        if self.away:
            raise self.away
        return self.now

    def pause(self):
        if self.away:
            raise self.away
        self.pauses += 1
        was_running, self.now = self.now == "RUNNING", "PAUSED" if self.now == "RUNNING" else self.now
        return was_running

    def tell(self, watch):
        if self.away:
            raise self.away
        self.told.append(Watch.from_dict(watch))


@pytest.fixture
def web():
    server = loopback.Server(loopback.Web())
    yield server
    server.close()


def a_session(web, update=None, **more):
    probe = Probe(name="web", kind="http", pace=PACE, hosts=("127.0.0.1",), port=web.port)
    given = {
        "probes": (probe,), "left_out": (), "tolerance": Tolerance(), "means": Means(),
        "undercloud": update or Update(), "keep": lambda watch: None, "begun": lambda: None, "say": lambda text: None,
        **more,
    }  # fmt: skip
    return Session(**given)


def play(session, *script):
    """Run *session* through *script*, pairs of seconds to wait and what to do then; the last snapshot."""

    async def run():
        running = asyncio.create_task(session.run())
        for seconds, act in script:
            await asyncio.sleep(seconds)
            act()
        return await asyncio.wait_for(running, 20)

    return asyncio.run(run())


def test_a_prober_that_another_machine_has_taken_over_from_ends(web):
    update, said = Update(), []
    session = a_session(web, update, say=said.append)
    play(session, (0.5, lambda: setattr(update, "away", Superseded("another machine probes it"))))
    assert said == ["another machine probes it"]
    assert update.now == "RUNNING"


def the_end(session):
    return lambda: setattr(session.undercloud, "now", "SUCCESS")


def test_all_is_asked_at_the_set_rate_and_the_end_is_seen(web):
    begun, kept = [], []
    session = a_session(web, begun=lambda: begun.append(1), keep=kept.append)
    seen = play(session, (3, the_end(session)))
    [watched] = seen.probes
    seconds = watched.track.last_sent - watched.track.first_sent
    assert seen.ended and begun == [1] and kept
    assert abs(watched.track.requests - 1 - 10 * seconds) <= 2 and watched.track.answered == watched.track.requests
    assert seen.breaches == () and session.undercloud.pauses == 0 and session.undercloud.told
    assert web.accepted == watched.track.requests


def test_the_rate_does_not_depend_on_the_answers(web):
    session = a_session(web)
    seen = play(session, (1, lambda: setattr(web, "fault", "mute")), (2, the_end(session)))
    [watched] = seen.probes
    track = watched.track
    assert abs(track.requests - 1 - 10 * (track.last_sent - track.first_sent)) <= 2
    assert track.outages[-1].error == "no answer within 0.5 s" and track.outages[-1].end is None


def test_what_clients_would_not_notice_pauses_nothing(web):
    session = a_session(web)
    mend = (0.5, lambda: setattr(web, "fault", ""))
    seen = play(session, (1, lambda: setattr(web, "fault", "cut")), mend, (2, the_end(session)))
    [watched] = seen.probes
    [outage] = watched.track.outages
    assert 0.3 <= outage.seconds <= 0.9 and watched.track.failed == 0 and watched.track.failed_first >= 3
    assert seen.breaches == () and session.undercloud.pauses == 0


def test_more_than_is_allowed_pauses_the_update_once_an_outage(web):
    session = a_session(web)
    update = session.undercloud
    paused_at = []
    seen = play(
        session,
        (1, lambda: setattr(web, "fault", "cut")),
        (3.5, lambda: paused_at.append((update.now, update.pauses))),
        (0, lambda: setattr(update, "now", "RUNNING")),  # an operator lets it go on
        (1.5, lambda: setattr(web, "fault", "")),
        (1, lambda: setattr(web, "fault", "cut")),
        (3.5, the_end(session)),
    )
    assert paused_at == [("PAUSED", 1)] and update.pauses == 2
    assert [(breach.probe, breach.paused) for breach in seen.breaches] == [("web", True), ("web", True)]
    assert "in spite of 1 s of retries (the connection was cut); allowed: 0" in seen.breaches[0].text
    assert update.told[-1].breaches


@pytest.mark.parametrize("failed", [1000, None])
def test_what_the_policy_allows_pauses_nothing(web, failed):
    session = a_session(web, tolerance=Tolerance(failed=failed))
    seen = play(session, (1, lambda: setattr(web, "fault", "cut")), (3, the_end(session)))
    assert seen.probes[0].track.failed > 0 and session.undercloud.pauses == 0


def test_what_never_answered_is_not_held_against_the_update(web):
    web.fault = "cut"
    session = a_session(web)
    seen = play(session, (3, the_end(session)))
    assert seen.probes[0].track.unanswered > 10 and seen.breaches == () and session.undercloud.pauses == 0


def test_a_prober_that_did_not_run_claims_nothing_of_that_time(web):
    """Blocked as by SIGSTOP or a machine with no time for it: what failed then is nobody's fault."""
    session = a_session(web)
    stalls = []

    def stall():
        web.fault = "mute"
        began = time.time()
        time.sleep(1.5)
        stalls.append((began, time.time()))
        web.fault = ""

    seen = play(session, (1, stall), (2, the_end(session)))
    track = seen.probes[0].track
    [blind] = track.blind
    assert blind.why == STARVED and track.outages == []
    [(began, ended)] = stalls
    assert blind.start <= began + 0.2 and blind.end >= ended - 0.2 and blind.end - blind.start < 2.5


def test_it_goes_on_while_mistral_is_away(web):
    session = a_session(web)
    update = session.undercloud
    seen = play(
        session,
        (1, lambda: setattr(update, "away", MistralUnavailable("gone"))),
        (0, lambda: setattr(web, "fault", "cut")),
        (3, lambda: setattr(update, "away", None)),
        (2.5, the_end(session)),
    )
    assert update.pauses == 1 and seen.breaches[0].paused and seen.probes[0].track.requests > 50


def test_it_ends_when_the_update_is_gone_or_mistral_does_not_come_back(web):
    gone = Update()
    gone.away = ExecutionNotFound("deleted")
    assert play(a_session(web, gone)).ended
    away = Update()
    away.away = MistralUnavailable("away")
    assert play(a_session(web, away, patience=1.0)).ended


def test_the_next_prober_goes_on_and_owns_up_to_the_gap(web):
    first = a_session(web)
    seen = play(first, (1.5, the_end(first)))
    time.sleep(0.5)
    second = a_session(web, before=Watch.from_dict(seen.to_dict()))
    again = play(second, (1.5, the_end(second)))
    before, after = seen.probes[0].track, again.probes[0].track
    assert after.requests > before.requests and after.first_sent == before.first_sent
    [blind] = after.blind
    assert blind.why == GONE and blind.end - blind.start > 0.3


def test_it_can_be_tried_without_an_update(web, desk, undercloud):
    url = f"http://127.0.0.1:{web.port}/"
    probes = {"rate": 5, "more": [{"name": "web", "kind": "http", "url": url}, {"name": "run", "kind": "command"}]}
    probes["more"][1]["argv"] = ["true"]
    desk.hand_in(desk.request("probe", seconds=2, probes=probes), name="probe")
    wait(lambda: undercloud.told)
    [(_, state, output)] = undercloud.told
    assert state == "SUCCESS" and output["ok"] and output["phase"] == "probe"
    web_, run = output["probes"]["web"], output["probes"]["run"]
    assert web_["requests"] == web_["answered"] >= 5 and web_["error"] == ""
    assert run["requests"] == 0 and "probe_commands" in run["error"]


def test_probes_that_cannot_be_are_refused(desk, undercloud):
    desk.hand_in(desk.request("probe", seconds=2, probes={"rate": 0}), name="probe")
    wait(lambda: undercloud.told)
    [(_, state, output)] = undercloud.told
    assert state == "ERROR" and "rate" in output["error"]


def test_it_breaks_loudly(web):
    """A probe that is no longer asked without anybody noticing would look like one that is always answered."""

    def say(text):
        raise KeyError(text)

    session = a_session(web, say=say)
    with pytest.raises(ExceptionGroup):
        play(session, (1, lambda: setattr(web, "fault", "cut")), (3, the_end(session)))


def test_what_it_may_not_ask_is_said_and_the_rest_is_asked(web):
    asked = a_session(web).probes
    session = a_session(web, probes=(*asked, Probe(name="login", kind="command", pace=PACE, argv=("true",))))
    seen = play(session, (1.5, the_end(session)))
    [well, refused] = seen.probes
    assert well.track.answered and not refused.track.requests
    assert "probe_commands" in refused.track.blind[0].why
