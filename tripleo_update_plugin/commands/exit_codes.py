"""What does the exit code of a command say? One number for each thing that a script would do something else about."""

from collections.abc import Mapping

from tripleo_update_plugin.outcome.control import FAILED as NODE_FAILED
from tripleo_update_plugin.outcome.control import Quarantine
from tripleo_update_plugin.outcome.execution import Execution

WELL = 0
FAILED = 1  # the update failed or was aborted, or what was given cannot be used
USAGE = 2  # argparse's own
PAUSED = 3  # the update is paused, or waits for a person
COULD_NOT_LOOK = 4  # Mistral or Heat does not answer: nothing is said of the update
INTERRUPTED = 130  # the shell's own, for Ctrl-C


def of(execution: Execution, left_out: Mapping[str, Quarantine]) -> int:
    """The code for an update at which nothing is at work any more; *left_out* are nodes that it went on without."""
    if execution.state == "PAUSED":
        return PAUSED
    failed = any(note.kind == NODE_FAILED for note in left_out.values())
    return WELL if execution.state == "SUCCESS" and not failed else FAILED
