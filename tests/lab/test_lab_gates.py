"""Sick services and what the gates made of them; that they are sick indeed is seen in the lab."""

import dataclasses

import pytest

from lab import cli, gates, sickness
from lab.gates import Trial
from lab.topology import ARCHITECTURES, topology

HELD = Trial(
    architecture="keepalived", service="keystone", words="hangs", held="no answer", open=True, date="2026-11-22 14:00"
)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_service_is_made_sick_once(architecture):
    overcloud = topology(architecture)
    made_sick = [each.service for each in sickness.sicknesses(overcloud)]
    # Tells HAProxy about galera, and is asked wherever galera is.
    assert sorted(made_sick) == sorted({s for host in overcloud.hosts for s in host.services} - {"clustercheck"})


def test_what_pacemaker_runs_is_taken_from_it_and_not_stopped_behind_its_back():
    by_service = {each.service: each for each in sickness.sicknesses(topology("pacemaker"))}
    for service in ("haproxy", "keystone", "memcached"):
        assert by_service[service].cause[:3] == ("pcs", "resource", "ban")
    assert list(by_service)[-1] == "pacemaker", "whatever runs there leaves with it"


def test_a_gate_has_to_stay_shut_while_its_service_is_sick_and_only_then():
    assert HELD.is_as_it_should_be
    assert not dataclasses.replace(HELD, held="").is_as_it_should_be
    assert not dataclasses.replace(HELD, open=False).is_as_it_should_be
    assert "NOTHING: the update would go on" in dataclasses.replace(HELD, held="").cells()
    assert "NOT OPEN" in dataclasses.replace(HELD, open=False).cells()


def test_trials_are_kept_until_they_are_made_again(tmp_path):
    other = dataclasses.replace(HELD, architecture="pacemaker-core")
    gates.save([HELD, other], tmp_path / "gates")
    gates.save([dataclasses.replace(HELD, held="")], tmp_path / "gates")
    assert gates.load(tmp_path / "gates") == [dataclasses.replace(HELD, held=""), other]
    assert gates.load(tmp_path / "nothing") == []


def test_the_short_suite_is_one_careful_update_and_the_long_one_has_everything():
    assert cli.suite(short=True) == [("run", "--architecture", "keepalived", "--busy")]
    whole = cli.suite(short=False)
    for architecture in ARCHITECTURES:
        assert ("run", "--architecture", architecture) in whole
        assert ("run", "--architecture", architecture, "--control", "all-at-once") in whole
    assert ("run", "--architecture", "pacemaker-core", "--fault", "ssh-cut") in whole
    assert len(set(whole)) == len(whole) == len(ARCHITECTURES) * 3 + 4 + 2
