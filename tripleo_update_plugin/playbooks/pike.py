"""What Pike's own update playbook did, as plays of ours: it asks for a group that inventories no longer have."""

from collections.abc import Iterable
from typing import Any


def plays_of_tasks(roles: Iterable[str]) -> list[dict[str, Any]]:
    """A play for each of *roles*, with the files that download() writes for Pike: update tasks, then deploy tasks.

    Pike's own playbook does the same, but for a group and a variable that inventories do not have any more.
    """
    return [
        {
            "name": f"Run update of {role}",
            "hosts": role,
            "serial": "{{ update_serial }}",
            "any_errors_fatal": True,
            "vars": {"role_name": role},
            "tasks": [
                _by_step(f"{role}/update_tasks.yaml", "start=0 end=5"),
                _by_step("deploy_steps_tasks.yaml", "start=1 end=5"),
            ],
        }
        for role in sorted(roles)
    ]


def _by_step(file: str, steps: str) -> dict[str, Any]:
    return {"include_tasks": file, "with_sequence": steps, "loop_control": {"loop_var": "step"}}
