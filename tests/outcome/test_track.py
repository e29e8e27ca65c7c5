"""The arithmetic of availability, against a second way to count it."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from tripleo_update_plugin.outcome.track import NOT_YET, Attempt, Track

RETRY = 5.0

#: One attempt a second each: answered, failed, or failed while the prober was starved.
histories = st.lists(st.sampled_from("+++-*"), max_size=60).map("".join)


def track_of(history, start=0.0, track=None):
    track = track or Track(retry=RETRY, period=1.0)
    for i, what in enumerate(history):
        spoiled = "starved" if what == "*" else ""
        track.note(Attempt(sent=start + i, succeeded=what == "+", seconds=0.01, error="cut", spoiled=spoiled))
    return track


def pieces_of(history):
    """(start, text) of the parts between spoiled attempts, the first from its first answer on."""
    found, start = [], 0
    for part in history.split("*"):
        found.append((start, part))
        start += len(part) + 1
    return found


def failures(history):
    """Failed attempts after the first answer, as places."""
    first = history.find("+")
    return [i for i, what in enumerate(history) if what == "-" and 0 <= first < i]


@given(histories)
def test_counts_add_up(history):
    track = track_of(history)
    assert track.requests == len(history)
    assert track.answered == history.count("+") == sum(track.latency.values())
    assert track.spoiled == history.count("*")
    assert track.failed_first == len(failures(history))
    assert track.requests == track.answered + track.failed_first + track.spoiled + track.unanswered


@given(histories)
def test_a_request_has_failed_if_nothing_within_its_retry_window_was_answered(history):
    expected = 0
    for place in failures(history):
        later = history[place + 1 :]
        known = later.split("*")[0]  # beyond a starved attempt nobody knows
        expected += len(known) > RETRY and "+" not in known[: int(RETRY)]
    assert track_of(history).failed == expected


@given(histories)
def test_outages_are_the_runs_of_failures(history):
    failed = set(failures(history))
    starts = [i for i in sorted(failed) if i - 1 not in failed]
    outages = track_of(history).outages
    assert [outage.start for outage in outages] == starts
    assert sum(outage.attempts for outage in outages) == len(failed)
    for outage in outages:
        until = next((i for i in range(int(outage.start), len(history)) if i not in failed), None)
        assert outage.end == until
        assert outage.seconds == (outage.last if until is None else until) - outage.start


@given(histories)
def test_the_longest_gap_is_between_two_answers_or_lasts_to_the_end(history):
    longest, seen_any = 0.0, False
    for start, part in pieces_of(history):
        if not seen_any and "+" not in part:
            continue
        answers = [start + i for i, what in enumerate(part) if what == "+"]
        seen_any = seen_any or bool(answers)
        if answers:
            edges = [*answers, start + len(part) - 1]
            longest = max([longest, *(b - a for a, b in itertools.pairwise(edges))])
    assert track_of(history).longest_gap == longest


@given(histories)
def test_every_second_is_claimed_or_blind(history):
    """No time without an answer counts as proved: it is in an outage, or nothing is said of it."""
    track = track_of(history)
    for i, what in enumerate(history):
        blind = any(b.start <= i < b.end for b in track.blind)
        out = any(o.start <= i <= o.until for o in track.outages)
        assert what == "+" or blind or out


@given(histories, histories)
def test_it_goes_on_from_what_was_stored(first, second):
    stored = Track.from_dict(json.loads(json.dumps(track_of(first).to_dict())))
    assert track_of(second, len(first), stored) == track_of(first + second)


def test_before_its_first_answer_nothing_is_held_against_it():
    track = track_of("---+")
    assert (track.unanswered, track.failed_first, track.outages) == (3, 0, [])
    assert [(b.start, b.end, b.why) for b in track.blind] == [(0.0, 3.0, f"{NOT_YET} (cut)")]


def test_what_is_stored_stays_small_and_never_claims_too_much():
    track = track_of("+" + "-+" * 200)
    assert len(track.outages) == 60 and track.more_outages == 140 and track.failed_first == 200
    assert sum(outage.seconds for outage in track.outages) + track.more_seconds == 200
    blind = track_of("+*++++" * 200)
    assert len(blind.blind) <= 60 and blind.spoiled == 200
    for i in range(200):
        assert any(b.start <= 6 * i + 1 < b.end for b in blind.blind)
    assert len(json.dumps(track.to_dict())) < 12000


@given(st.lists(st.floats(min_value=0.0001, max_value=60), min_size=1))
def test_percentiles_are_right_to_a_quarter(latencies):
    track = Track(retry=RETRY, period=1)
    for i, seconds in enumerate(latencies):
        track.note(Attempt(sent=float(i), succeeded=True, seconds=seconds))
    ordered = sorted(latencies)
    for share in (0.5, 0.95, 1.0):
        true = ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]
        assert true * 0.999 <= track.percentile(share) <= max(0.001, true * 1.2501)
    assert Track(retry=RETRY, period=1).percentile(0.5) == 0
