"""The phase discover: what do the nodes say of themselves?"""

import time
from collections.abc import Callable

from tripleo_update_plugin.adapters.ansible import Outcome
from tripleo_update_plugin.executor.runner import node_facts
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.overcloud import outputs as stack_outputs
from tripleo_update_plugin.overcloud.facts import Facts

#: Nodes answer one after the other: while members come and go, some see them and some do not. So they are asked again.
LOOKS = 3
_PAUSE = 5.0  # seconds between two looks


def discover(work: Work, scene: Scene) -> Output:
    """Ask the nodes, all of them unless some are given; the answer has ``facts`` (overcloud.facts.Facts as data)."""
    outcome, found = when_settled(
        lambda: _ask(work, scene), lambda: work.cancelled() or work.seconds_left < _PAUSE, time.sleep
    )
    told = work.tell(outcome)
    silent = (node["error"] for name, node in told["nodes"].items() if not node["ok"] and name not in found.down)
    unasked = outcome.error or next(silent, "")
    return {**told, "ok": not unasked, "error": work.redact(unasked), "facts": found.to_dict()}


def _ask(work: Work, scene: Scene) -> tuple[Outcome, Facts]:
    overcloud, catalogue = scene.overcloud, work.catalogue()
    asked = work.nodes or tuple(node.name for node in overcloud.nodes)
    outcome, results = work.run(node_facts.questions(overcloud, asked, catalogue), scene, node_facts.TASKS)
    return outcome, node_facts.answers(overcloud, catalogue, outcome, results, stack_outputs.images(scene.outputs))


def when_settled(
    ask: Callable[[], tuple[Outcome, Facts]], no_time: Callable[[], bool], sleep: Callable[[float], None]
) -> tuple[Outcome, Facts]:
    """What *ask* says once the cluster is not just changing; after LOOKS looks, or with *no_time*, whatever it says."""
    for _ in range(LOOKS - 1):
        outcome, found = ask()
        if not _is_changing(found) or no_time():
            return outcome, found
        sleep(_PAUSE)
    return ask()


def _is_changing(found: Facts) -> bool:
    """Whether the members of a cluster do not see the same, or one is about to join."""
    return len(found.views) > 1 or any("pending" in view.members.values() for view in found.views)
