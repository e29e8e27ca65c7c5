"""What is said of an update that is over, while a phase of it is at work and after that."""

import dataclasses

from tripleo_update_plugin.testing import FakeMistral
from tripleo_update_plugin.verbs import looking

from .updates import plan, standing, started

FIRST = plan().batches[0]


def test_a_phase_at_work_in_a_cancelled_update_is_named_and_later_what_it_left():
    mistral = FakeMistral()
    mistral.hung = {FIRST.id}
    id = started(mistral)
    mistral.cancel(id)
    at_work = standing(id, mistral)
    (line,) = looking.not_ended(at_work, plan())
    assert line == f"at work: {FIRST.id} ({FIRST.nodes[0]}): {at_work.doing(at_work.at_work[0])}"

    run = mistral.run(id)
    batch = run.batches[FIRST.id]
    ended = tuple(dataclasses.replace(phase, state="SUCCESS") for phase in batch.phases)
    run.batches[FIRST.id] = dataclasses.replace(batch, phases=ended)
    left, remedy = looking.not_ended(standing(id, mistral), plan())
    assert left.startswith(f"left with services out of use: {FIRST.id}")
    assert f"restore --stack overcloud {FIRST.nodes[0]}" in remedy
