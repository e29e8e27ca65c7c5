"""What do the runner and the prober say while they work, and in which form?

A line of a job's log is ``<time> <LEVEL> stack=S execution=E batch=B phase=P node=N: <text>``; what is not known is
left out. So "what is it doing right now", of one node or of all, is a search for words. The log is private (0600), and
Ansible's own output stands in between, without secrets of the overcloud.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

#: The fields of a line, in their order.
FIELDS = ("stack", "execution", "batch", "phase", "node")

_NAME = "tripleo_update"


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger that says in every line what it is about."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return f"{in_words(self.extra or {})}: {msg}", kwargs

    def of(self, **more: str) -> "Log":
        """The same log for something narrower, e.g. ``of(node="controller-0")``."""
        return Log(self.logger, {**(self.extra or {}), **more})


def in_words(about: Mapping[str, object]) -> str:
    """The fields that are known, as text.

    >>> in_words({"phase": "drain", "stack": "overcloud", "node": ""})
    'stack=overcloud phase=drain'
    """
    return " ".join(f"{field}={about[field]}" for field in FIELDS if about.get(field))


def about(request: Mapping[str, Any]) -> dict[str, str]:
    """What the *request* of a job is about; a phase that has moments is named with its moment."""
    given = request.get("parameters") or {}
    moment = given.get("moment")
    phase = f"{request.get('phase', '')}{f'_{moment}' if moment else ''}"
    execution = request.get("workflow") or request.get("execution") or ""
    return {"stack": given.get("stack", ""), "execution": execution, "batch": given.get("batch", ""), "phase": phase}


def to_standard_output(level: str = "INFO", **fields: str) -> Log:
    """A log whose lines go to standard output, which of a job is its log file; *level* is one of logging's names."""
    logger = logging.getLogger(_NAME)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level)
    return Log(logger, fields)


def silent(**fields: str) -> Log:
    """A log that nobody reads, where no job is carried out."""
    logger = logging.Logger(_NAME)
    logger.addHandler(logging.NullHandler())
    return Log(logger, fields)
