"""The phase discover: what do the nodes say of themselves?"""

from tripleo_update_plugin.executor.runner import node_facts
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.overcloud import outputs as stack_outputs


def discover(work: Work, scene: Scene) -> Output:
    """Ask the nodes, all of them unless some are given; the answer has ``facts`` (overcloud.facts.Facts as data)."""
    overcloud, catalogue = scene.overcloud, work.catalogue()
    asked = work.nodes or tuple(node.name for node in overcloud.nodes)
    outcome, results = work.run(node_facts.questions(overcloud, asked, catalogue), scene, node_facts.TASKS)
    found = node_facts.answers(overcloud, catalogue, outcome, results, stack_outputs.images(scene.outputs))
    told = work.tell(outcome)
    silent = (node["error"] for name, node in told["nodes"].items() if not node["ok"] and name not in found.down)
    unasked = outcome.error or next(silent, "")
    return {**told, "ok": not unasked, "error": work.redact(unasked), "facts": found.to_dict()}
