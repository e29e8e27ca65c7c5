"""What one batch learns of the others of its update: who is at work, who failed, and on which nodes."""

from types import SimpleNamespace

from tripleo_update_plugin.executor.runner import other_batches


class MistralWithBatches:
    """Executions of one root, as the API gives them: newest last or not, JSON as text."""

    def __init__(self, *executions):
        self.executions = SimpleNamespace(get=self._get, list=lambda **_: [self._get(name) for name in self._all])
        self.tasks = SimpleNamespace(list=lambda **query: self._tasks(**query))
        self.action_executions = SimpleNamespace(list=lambda **query: self._actions(**query))
        self._all = {each["id"]: each for each in executions}

    def _get(self, name):
        return SimpleNamespace(to_dict=lambda: {"root_execution_id": "root", **self._all[name]})

    def _tasks(self, workflow_execution_id, state):
        return [SimpleNamespace(id=workflow_execution_id)] if self._all[workflow_execution_id].get("told") else []

    def _actions(self, task_execution_id, include_output):
        output = {"result": self._all[task_execution_id]["told"]}
        return [SimpleNamespace(to_dict=lambda: {"output": output})]


def batch(name, state="SUCCESS", nodes=("n-0",), created=1, **more):
    given = {"batch": name, "nodes": list(nodes), "digest": "d"}
    return {"id": f"{name}-{created}", "state": state, "created_at": created, "input": given, **more}


def test_siblings_that_failed_or_are_under_way():
    client = MistralWithBatches(
        batch("me"),
        batch("me", "ERROR", created=0),
        batch("b-1", "ERROR", ["a", "b"], told={"nodes": {"a": {"ok": False}, "b": {"ok": True}}}),
        batch("b-2", "RUNNING", ["c"]),
        batch("b-3", "ERROR", ["d"], told={"not_started": True, "nodes": {}}),
        batch("b-4", "ERROR", ["e"], created=1, told={"nodes": {"e": {"ok": False}}}),
        batch("b-4", "SUCCESS", ["e"], created=2),
        batch("b-5", "ERROR", ["f", "g"], told={"error": "lost"}),
    )
    found = other_batches.of(client, "me-1")
    assert {each.batch: each.failed for each in found if each.failed} == {"b-1": ("a",), "b-5": ("f", "g")}
    assert other_batches.in_flight(found) == {"c"}
    assert other_batches.over_budget(found, 3) == ""
    assert other_batches.over_budget(found, 2) == "not started: batches b-1, b-5 failed (3 nodes, a, f, g; allowed: 2)"


def test_a_batch_without_an_update_around_it_has_no_siblings():
    assert other_batches.of(MistralWithBatches(), None) == ()
