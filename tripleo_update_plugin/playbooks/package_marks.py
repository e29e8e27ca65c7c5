"""What did earlier attempts at the packages of a node find and leave there? Marks on the node tell.

``<mark>.begun`` holds what was there before anything was changed, ``<mark>.done`` is written after everything else; a
mark names one batch of one update. One that has begun and is not done has perhaps updated packages whose services go on
with the old code, and it may have stopped some. No later check for updates shows that. So whoever comes next, of
whichever update, takes over what is unfinished: packages count as changed since the attempt that found them older, and
what ran then runs in the end.
"""

from collections.abc import Mapping
from typing import Any

from tripleo_update_plugin.playbooks.plays import Task

MARK_TASK = "Has this batch updated the node already"

#: Conditions: the batch has updated the node; an attempt of its own has begun; one of another batch is unfinished.
IS_DONE = "tripleo_update_done.stat.exists"
HAS_BEGUN = "tripleo_update_earlier.stat.exists"
IS_LEFT = "tripleo_update_unfinished | length > 0"

_WITH_ENDING = (
    "(tripleo_update_marks_there.files | map(attribute='path') | select('search', '[.]{0}$')"
    " | map('regex_replace', '[.]{0}$', '') | list)"
)
_READ = "tripleo_update_left.results | default([]) | selectattr('content', 'defined') | map(attribute='content')"

#: Lazy variables of every play. ``was`` is what the node had before anything was changed: ``packages``, those of them
#: that are ``not_yet_run``, and the units that were ``running``.
VARIABLES: Mapping[str, Any] = {
    "tripleo_update_path": "{{ tripleo_update_marks | default('/var/lib/tripleo-update') }}/{{ tripleo_update_mark }}",
    "tripleo_update_unfinished": f"{{{{ {_WITH_ENDING.format('begun')} | difference({_WITH_ENDING.format('done')})"
    " | difference([tripleo_update_path]) | sort }}",
    "tripleo_update_found_before": f"{{{{ {_READ} | map('b64decode') | map('from_json') | list }}}}",
    "tripleo_update_was": "{{ tripleo_update_begun.content | b64decode | from_json }}",
}

#: What the node runs and has, and what attempts before ours found otherwise. The latter may be of other services.
_FOUND = """\
{% set all = namespace(old=tripleo_update_packages.stdout_lines, running=[]) -%}
{% for before in tripleo_update_found_before -%}
{% set all.old = all.old | intersect(before.packages | difference(before.not_yet_run | default([]))) -%}
{% set all.running = all.running | union(before.running) -%}
{% endfor -%}
{{ {
  'packages': tripleo_update_packages.stdout_lines,
  'not_yet_run': tripleo_update_packages.stdout_lines | difference(all.old),
  'running': tripleo_update_running | union(all.running | intersect(tripleo_update_flow.units)),
  'limited_to': tripleo_update_flow.limited_to,
} | to_json }}"""

#: Whether an unfinished attempt at some services, or at all, is finished by this one.
_IS_FINISHED_TOO = (
    "not tripleo_update_flow.limited_to"
    " or (item.1.limited_to | default([]) and not item.1.limited_to | difference(tripleo_update_flow.limited_to))"
)


def looked_for() -> list[Task]:
    """Is the work done, has it begun, and what have others left unfinished?"""
    folder = "{{ tripleo_update_path | dirname }}"
    return [
        {"name": MARK_TASK, "stat": {"path": "{{ tripleo_update_path }}.done"}, "register": "tripleo_update_done"},
        {
            "name": "Has an earlier attempt begun",
            "stat": {"path": "{{ tripleo_update_path }}.begun"},
            "register": "tripleo_update_earlier",
        },
        {
            "name": "Which attempts there were",
            "find": {"paths": folder, "patterns": ["*.begun", "*.done"]},
            "register": "tripleo_update_marks_there",
        },
    ]


def remembered() -> list[Task]:
    """Write down what was there, once: later, units are stopped and packages are new.

    Asks for the variable ``tripleo_update_running`` and the result ``tripleo_update_packages``.
    """
    return [
        _folder(),
        {
            "name": "What unfinished attempts had found",
            "slurp": {"src": "{{ item }}.begun"},
            "loop": "{{ tripleo_update_unfinished }}",
            "register": "tripleo_update_left",
        },
        {
            "name": "Write down what there is",
            "copy": {"content": _FOUND, "dest": "{{ tripleo_update_path }}.begun", "mode": "0600"},
            "when": f"not {HAS_BEGUN}",
        },
        {
            "name": "Read what there was",
            "slurp": {"src": "{{ tripleo_update_path }}.begun"},
            "register": "tripleo_update_begun",
        },
    ]


def finished() -> list[Task]:
    """After everything else, so that a node which has the mark is updated, and so is what others had left."""
    return [
        _folder(),
        {"name": "Mark the node as updated by this batch", "copy": _done("{{ tripleo_update_path }}")},
        {
            "name": "What others had left is finished, too",
            "copy": _done("{{ item.0 }}"),
            "loop": "{{ tripleo_update_unfinished | zip(tripleo_update_found_before) | list }}",
            "loop_control": {"label": "{{ item.0 }}"},
            "when": _IS_FINISHED_TOO,
        },
    ]


def _folder() -> Task:
    path = "{{ tripleo_update_path | dirname }}"
    return {"name": "A folder for marks", "file": {"path": path, "state": "directory", "mode": "0700"}}


def _done(path: str) -> dict[str, Any]:
    return {"content": "", "dest": f"{path}.done", "mode": "0600", "force": False}
