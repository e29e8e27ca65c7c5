"""What does an update consist of beyond the nodes? Tasks that run once, from the undercloud, as the operator asks.

Services of an overcloud bring them (RoleConfig, external_update_steps_tasks, from Queens on), and tags tell them apart.
When each is due is what TripleO's guide to minor updates says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tripleo_update_plugin.names import is_safe_name

TASKS = "external_update_steps_tasks"

#: When a step beyond the nodes is due.
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A step of an update that is not in the plan, and that the operator takes: BEFORE or AFTER it, and ``why``."""

    when: str
    command: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """As the schema ``plan.json`` has it."""
        return {"when": self.when, "command": self.command, "why": self.why}

#: {tag: (when, why)}, in the order in which they are due.
_DUE = {
    "container_image_prepare": (BEFORE, "the images are where the nodes take them from"),
    "ovn": (BEFORE, "OVN's controllers are updated on all nodes before its databases"),
    "ceph": (AFTER, "Ceph's daemons are updated in Ceph's own order"),
    "online_upgrade": (AFTER, "data of the services' databases is brought to its new form"),
}
_UNKNOWN = (AFTER, "the overcloud's templates have tasks of that tag, and know when they are due")
#: Of Ansible, and of TripleO for all of its external tasks.
_NO_PART = frozenset({"always", "never", "external", "external_update", "external_update_steps", "tagged", "untagged"})


def steps(outputs: Mapping[str, Any], stack: str) -> tuple[Beyond, ...]:
    """Each part of the external update of *stack*, by the tag that runs it, in the order in which they are due."""
    config = outputs.get("RoleConfig")
    tags = set(_parts(_parsed(config.get(TASKS)))) if isinstance(config, Mapping) else set()
    known = [tag for tag in _DUE if tag in tags]
    due = {tag: _DUE.get(tag, _UNKNOWN) for tag in (*known, *sorted(tags - set(known)))}
    return tuple(
        Beyond(when=when, why=why, command=f"openstack overcloud external-update run --stack {stack} --tags {tag}")
        for tag, (when, why) in due.items()
    )


def tags_only(config: Mapping[str, Any]) -> list[dict[str, list[str]]]:
    """Of the external tasks in an output RoleConfig, what steps() needs and anybody may see: tags that are known."""
    return [{"tags": [tag]} for tag in sorted(set(_parts(_parsed(config.get(TASKS)))) & set(_DUE))]


def _parts(tasks: Iterable[Any]) -> Iterator[str]:
    """Of every task the tag that is known, or its first; a task has those of its block as well."""
    for task in tasks:
        if not isinstance(task, Mapping):
            continue
        tags = [tag for tag in _tags(task) if tag not in _NO_PART and is_safe_name(tag)]
        yield from ([tag for tag in tags if tag in _DUE] or tags)[:1]
        if isinstance(task.get("block"), list) and not tags:
            yield from _parts(task["block"])


def _tags(task: Mapping[str, Any]) -> list[str]:
    tags = task.get("tags") or ()
    words = tags.split(",") if isinstance(tags, str) else tags
    return [str(word).strip() for word in words] if isinstance(words, list | tuple) else []


def _parsed(tasks: Any) -> list[Any]:
    """Tasks are a list, or one as text, by release. What is neither has no tags to go by."""
    try:
        found = yaml.safe_load(tasks) if isinstance(tasks, str) else tasks
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    return found if isinstance(found, list) else []
