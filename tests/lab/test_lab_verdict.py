"""The judge's arithmetic: seconds in, a verdict out."""

import dataclasses
import threading

from lab import clients, verdict
from lab.clients import Findings
from lab.verdict import Judgement, Request, Stream, stream_of


def answered(started, took=0.1, first_ok=True, ok=True):
    return Request(started=started, finished=started + took, first_ok=first_ok, ok=ok)


def a_judgement(**changes):
    streams = {
        "sql-new": Stream(fresh=True, requests=1000, failed_first=0, failed=0, longest_gap=0.5),
        "sql-pooled": Stream(fresh=False, requests=1000, failed_first=8, failed=0, longest_gap=1.6),
    }
    streams = {name: dataclasses.replace(s, **changes.pop(name.replace("-", "_"), {})) for name, s in streams.items()}
    return Judgement(**{"streams": streams, "lost": 0, "stale": 0, "seconds": 100.0, "errors": ()} | changes)


def test_a_gap_is_the_longest_time_without_a_success_and_reaches_to_both_ends():
    requests = [answered(2.0), answered(3.0), answered(9.0)]
    assert stream_of(requests, True, began=0.0, ended=10.0).longest_gap == 6.0
    assert stream_of(requests, True, began=0.0, ended=30.0).longest_gap == 30.0 - 9.1


def test_a_client_that_never_succeeds_has_a_gap_as_long_as_the_run():
    stream = stream_of([answered(1.0, 15.0, first_ok=False, ok=False)], True, began=0.0, ended=20.0)
    assert (stream.failed_first, stream.failed, stream.longest_gap) == (1, 1, 20.0)


def test_a_request_that_a_retry_saved_failed_at_first_only():
    stream = stream_of([answered(1.0, 2.0, first_ok=False), answered(2.0)], True, began=0.0, ended=4.0)
    assert (stream.requests, stream.failed_first, stream.failed) == (2, 1, 0)


def test_one_in_a_thousand_new_connections_may_fail_at_first_and_no_more():
    assert verdict.faults(a_judgement(sql_new={"failed_first": 1})) == ()
    assert verdict.faults(a_judgement(sql_new={"failed_first": 2})) == ("2 of 1000 new connections failed at first",)


def test_pooled_connections_may_break_as_long_as_a_retry_saves_them():
    assert verdict.faults(a_judgement(sql_pooled={"failed_first": 500})) == ()
    assert verdict.faults(a_judgement(sql_pooled={"failed": 1})) == ("1 failed in spite of retries",)


def test_what_was_lost_or_stale_is_a_fault():
    assert verdict.faults(a_judgement(lost=1, stale=2)) == ("1 lost", "2 stale reads")


def test_clients_that_did_nothing_prove_nothing():
    [fault] = verdict.faults(a_judgement(sql_pooled={"requests": 0}))
    assert "nothing is proved" in fault


def test_a_judgement_survives_being_written_down():
    judgement = a_judgement(errors=("1.0 sql-new: gone",))
    again = Judgement.from_dict(judgement.to_dict())
    assert again.to_dict() == judgement.to_dict()
    assert again.failed_first_pooled == 8


class Flaky:
    """Fails every third request at its first attempt; ends the load after thirty requests."""

    name, rate, fresh = "flaky", 200.0, True

    def __init__(self, stop):
        self.attempts, self.stop = [], stop

    def attempt(self, number):
        self.attempts.append(number)
        if number >= 29:
            self.stop.set()
        if number % 3 == 0 and self.attempts.count(number) == 1:
            raise ConnectionResetError("cut")


def test_a_loop_insists_where_an_attempt_fails_and_counts_it_once():
    findings, stop = Findings(), threading.Event()
    client = Flaky(stop)
    requests = clients.load(client, findings, stop)
    assert len(requests) == len(set(client.attempts)) >= 30
    assert all(request.ok for request in requests)
    failed = [request for request in requests if not request.first_ok]
    assert len(failed) == len({n for n in client.attempts if n % 3 == 0}) == len(findings.errors)


class Slow:
    """Answers nobody before five have asked."""

    name, rate, fresh = "slow", 50.0, True

    def __init__(self, stop):
        self.five, self.stop = threading.Barrier(5), stop

    def attempt(self, number):
        if number < 5:
            self.five.wait(30)
            self.stop.set()


def test_slow_answers_do_not_keep_the_next_request_from_being_made():
    stop = threading.Event()
    requests = clients.load(Slow(stop), Findings(), stop)
    assert len(requests) >= 5
    assert all(request.first_ok for request in requests)


class Kept:
    """Has confirmed five things, of which *kept* are there; answers at the *after*-th question only."""

    confirmed = frozenset(range(5))

    def __init__(self, kept, after=1):
        self.kept, self.left = kept, after

    def found(self):
        self.left -= 1
        if self.left > 0:
            raise ConnectionRefusedError
        return self.kept


def test_what_was_confirmed_and_is_not_there_is_lost():
    assert clients.lost(Kept({0, 1, 2, 3, 4, 99})) == 0
    assert clients.lost(Kept({0, 1, 4}, after=2)) == 2


def test_where_nobody_answers_any_more_all_that_was_confirmed_is_lost():
    assert clients.lost(Kept(set(), after=1000), seconds=0.0) == 5
