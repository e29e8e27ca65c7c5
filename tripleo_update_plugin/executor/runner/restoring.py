"""Nodes back into use by their records alone, whoever left them: it takes no plan, and no profiles."""

from collections.abc import Mapping
from typing import Any

from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.executor.runner import ownership
from tripleo_update_plugin.executor.runner.work import Output, Results, Scene, Work
from tripleo_update_plugin.playbooks import records


def restore(work: Work, scene: Scene) -> Output:
    """Undo what was changed for the nodes, on them and on all others; free those for which nothing is left.

    Every node's answer has ``put_back`` and ``left``: what was undone, and what was not and why. Hosts that do not
    answer are named: what was changed from there shows again when they are back.
    """
    everybody = [node.name for node in scene.overcloud.nodes]
    outcome, results = work.run(records.undone(work.nodes, everybody), scene, results_of=[records.UNDO_TASK])
    nodes = {name: _node(name, outcome.nodes[name], results) for name in work.nodes}
    if done := [name for name, node in nodes.items() if node["ok"]]:
        freed, _ = work.run(records.freed(done, None), scene, late=True)
        for name in done:
            nodes[name] |= {"ok": freed.nodes[name].ok, "error": work.redact(freed.nodes[name].error)}
    silent = sorted(name for name, node in outcome.nodes.items() if node.unreachable and name not in nodes)
    errors = [f"{name}: {node['error']}" for name, node in nodes.items() if not node["ok"]]
    return work.output(error="; ".join(errors), nodes=nodes, silent=silent)


def _node(name: str, run: ansible.NodeRun, results: Results) -> Output:
    told = [tasks.get(records.UNDO_TASK) or {} for tasks in results.values()]
    done, left = _of(name, "put_back", told), _of(name, "left", told)
    error = run.error or "; ".join(left)
    return {
        "ok": not error, "started": run.started, "finished": run.finished, "error": error,
        "put_back": done, "left": left,
    }  # fmt: skip


def _of(node: str, key: str, told: list[Mapping[str, Any]]) -> list[str]:
    return [text for result in told for text in (result.get(key) or {}).get(node, ())]


def unlock(work: Work, scene: Scene) -> Output:
    """Forget whose the nodes are and how sick they were before; what is out of use stays so and is told as ``left``."""
    nodes = {
        name: {"ok": node.ok, "started": node.started, "finished": node.finished, "error": work.redact(node.error)}
        for name, node in ownership.let_go(work, scene, None, forget=True).items()
    }
    errors = [f"{name}: {node['error']}" for name, node in nodes.items() if not node["ok"]]
    return work.output(error="; ".join(errors), nodes=nodes)
