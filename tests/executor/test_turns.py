"""Which machine probes an update: the word is Mistral's, and the first who asks has it."""

import time

import pytest

from tripleo_update_plugin import conf
from tripleo_update_plugin.executor.prober import turns


class Memory:
    """Mistral's, with what one prober of one update has told."""

    def __init__(self, by="", told=0.0):
        self.kept = (by, told) if by else None

    def begin_watch(self, execution, by, watch, told):
        is_new = self.kept is None
        self.kept = self.kept or (by, told)
        return is_new

    def watcher(self, execution):
        return self.kept or ("", 0.0)


def test_of_two_machines_that_ask_for_the_first_time_one_probes():
    memory = Memory()
    assert [turns.is_ours(memory, "1", machine, {}) for machine in ("a", "b", "a", "b")] == [True, False, True, False]


@pytest.mark.parametrize(("seconds_ago", "taken_over"), [(1, False), (20, False), (40, True)])
def test_another_machine_takes_over_when_nothing_was_told_for_half_a_minute(seconds_ago, taken_over):
    memory = Memory("a", time.time() - seconds_ago)
    assert turns.is_ours(memory, "1", "b", {}) == taken_over
    assert turns.is_another(memory, "1", "b") != taken_over
    assert turns.is_ours(memory, "1", "a", {}), "its own prober may have died a second ago"


def test_after_the_last_word_of_an_update_that_goes_on_anybody_may_begin():
    assert turns.is_ours(Memory("a", 0.0), "1", "b", {})


def test_the_probers_of_another_work_folder_are_others(tmp_path):
    def name(folder):
        told = tmp_path / "mistral.conf"
        told.write_text(f"[tripleo_update]\nwork_dir = {folder}\n")
        return turns.name_of(conf.load((str(told),)))

    assert name("/one") != name("/other")
    assert name("/one") == name("/one")
