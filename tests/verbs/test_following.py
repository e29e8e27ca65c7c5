"""Whoever follows an update stays until nothing is at work, whatever Mistral says meanwhile, or does not say."""

import dataclasses

import pytest

from tripleo_update_plugin.errors import MistralUnavailable
from tripleo_update_plugin.testing import FakeMistral
from tripleo_update_plugin.verbs import holding
from tripleo_update_plugin.verbs.following import Follower

from .updates import Clock, plan, settled, standing, started

FIRST = plan().batches[0].id


def follow(id, mistral, meanwhile=lambda now: None):
    """(the states seen, what was said)"""
    clock, said = Clock(meanwhile), []
    follower = Follower(id, mistral, mistral.notes, said.append, 10.0, clock.sleep, clock)
    return [standing.execution.state for standing in follower.looks()], said


def test_it_ends_with_the_update():
    mistral = FakeMistral()
    states, said = follow(started(mistral), mistral)
    assert states[0] == "RUNNING" and states[-1] == "SUCCESS" and said == []


def test_it_ends_where_a_person_is_waited_for_and_nothing_is_at_work():
    mistral = FakeMistral()
    id = started(mistral)
    holding.pause(standing(id, mistral), mistral, mistral.notes, "ann")
    assert follow(id, mistral)[0][-1] == "PAUSED"


@pytest.mark.parametrize("hold", [FakeMistral.cancel, FakeMistral.pause])
def test_it_stays_while_a_phase_of_an_update_that_mistral_calls_over_is_at_work(hold):
    mistral = FakeMistral()
    mistral.hung = {FIRST}
    id = started(mistral)
    hold(mistral, id)

    def the_phase_ends(now):
        if now >= 1050.0:
            run = mistral.run(id)
            batch = run.batches[FIRST]
            phases = tuple(dataclasses.replace(phase, state="SUCCESS") for phase in batch.phases)
            run.batches[FIRST] = dataclasses.replace(batch, phases=phases)

    states, _ = follow(id, mistral, the_phase_ends)
    assert len(states) == 6


def test_it_survives_mistral_being_away_and_says_so_once_a_minute():
    mistral = FakeMistral()
    id = started(mistral)

    def away(now):
        mistral.outage = "connection refused" if now < 1185.0 else ""

    states, said = follow(id, mistral, away)
    assert states[-1] == "SUCCESS"
    assert [line.split(";")[0] for line in said[:-1]] == ["Mistral does not answer: connection refused"] * 3
    assert said[-1] == "Mistral answers again after 180 s"


def test_it_does_not_begin_with_a_mistral_that_is_away():
    mistral = FakeMistral()
    id = started(mistral)
    mistral.outage = "connection refused"
    with pytest.raises(MistralUnavailable):
        follow(id, mistral)


def test_a_phase_of_which_nobody_hears_is_looked_after_then_given_up():
    mistral = FakeMistral()
    mistral.hung = {FIRST}
    id = started(mistral)
    mistral.notes.beat(id, mistral.a_beat(FIRST, "update"))
    asked = []
    states, said = follow(id, mistral, lambda now: asked.append((now, len(mistral.calls))))
    assert states[-1] == "ERROR"
    assert said == [f"{FIRST}: no sign of life for 90 s: its phase counts as failed"]
    assert next(now for now, calls in asked if calls) == 1050.0, "an executor was asked after half a minute"
    assert "undercloud (pid 1)" in settled(id, mistral).execution.run_of(FIRST).error
    assert not mistral.notes.beats(id)


def test_silence_while_mistral_is_away_says_nothing_about_a_phase():
    mistral = FakeMistral()
    mistral.hung = {FIRST}
    id = started(mistral)
    mistral.notes.beat(id, mistral.a_beat(FIRST, "update"))

    def away(now):
        mistral.outage = "away" if 1060.0 <= now < 1300.0 else ""
        if now >= 1360.0:
            mistral.notes.beat(id, mistral.a_beat(FIRST, "update", doing="it lives"))
            mistral.hung.clear()
            mistral.notes.drop_beat(id, FIRST)

    states, said = follow(id, mistral, away)
    assert states[-1] == "SUCCESS"
    assert not any("counts as failed" in line for line in said)
