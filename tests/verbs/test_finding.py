"""An update is named by its ID, by the beginning of it, as the latest one, or not at all."""

import pytest

from tripleo_update_plugin import rollout
from tripleo_update_plugin.errors import Ambiguous, BadInput, ExecutionNotFound
from tripleo_update_plugin.testing import FakeMistral
from tripleo_update_plugin.verbs import finding

from .updates import plan, settled, started


@pytest.fixture
def mistral():
    return FakeMistral()


def test_a_whole_id_is_taken_as_it_is(mistral):
    id = "01234567-89ab-cdef-0123-456789abcdef"
    mistral.outage = "not asked"
    assert finding.find(id, "", mistral) == id


def test_the_beginning_of_an_id_will_do_if_no_other_begins_so(mistral):
    first = started(mistral)
    settled(first, mistral)
    second = started(mistral)
    shared = next(n for n in range(36) if first[n] != second[n])
    for id in (first, second):
        assert finding.find(id[: shared + 1], "", mistral) == id
    with pytest.raises(ExecutionNotFound, match="begins with ffff0000"):
        finding.find("ffff0000", "", mistral)


def test_more_than_one_that_may_be_meant_are_named(mistral):
    one, two = started(mistral), rollout.start(plan("other"), mistral)
    with pytest.raises(Ambiguous) as refusal:
        finding.find("", "", mistral)
    assert one in refusal.value.message and two in refusal.value.message
    assert finding.find("", "other", mistral) == two


def test_what_is_no_id_is_refused(mistral):
    for text in ("newest", "../x", "0123%"):
        with pytest.raises(BadInput, match="is no ID"):
            finding.find(text, "", mistral)


def test_latest_is_the_newest_whatever_became_of_it(mistral):
    with pytest.raises(ExecutionNotFound, match="there is no update"):
        finding.find("latest", "", mistral)
    first = started(mistral)
    settled(first, mistral)
    assert finding.find("latest", "", mistral) == first
    second = rollout.start(plan("other"), mistral)
    assert finding.find("latest", "", mistral) == second
    assert finding.find("latest", "overcloud", mistral) == first


def test_one_that_has_ended_is_meant_only_where_it_can_be(mistral):
    first = started(mistral)
    settled(first, mistral)
    with pytest.raises(ExecutionNotFound, match="that has not ended"):
        finding.find("", "", mistral)
    assert finding.find("", "", mistral, ended=True) == first
    second = started(mistral)
    settled(second, mistral)
    assert finding.find("", "", mistral, ended=True) == second
    settled(rollout.start(plan("other"), mistral), mistral)
    with pytest.raises(Ambiguous, match="updates of overcloud"):
        finding.find("", "", mistral, ended=True)


def test_the_stack_is_the_only_one_that_was_ever_updated(mistral):
    assert finding.stack_of("named", mistral) == "named"
    with pytest.raises(BadInput, match="no stack"):
        finding.stack_of("", mistral)
    started(mistral)
    assert finding.stack_of("", mistral) == "overcloud"
    rollout.start(plan("other"), mistral)
    with pytest.raises(Ambiguous, match="other, overcloud"):
        finding.stack_of("", mistral)
