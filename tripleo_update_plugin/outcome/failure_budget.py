"""How many nodes may fail before an update begins no more batches? The runner and the simulation go by this."""

from collections.abc import Iterable, Mapping

from tripleo_update_plugin.names import naturally


def is_spent(failed: Iterable[str], max_failed: int) -> bool:
    """Whether more nodes have *failed* than the policy's *max_failed* lets the update go on without.

    >>> is_spent(["compute-3"], 1), is_spent(["compute-3"], 0)
    (False, True)
    """
    return len(frozenset(failed)) > max_failed


def refusal(failed: Mapping[str, str], max_failed: int) -> str:
    """Why no batch may begin, from {node that failed: its batch}; "" if one may.

    >>> refusal({"a": "b-1"}, 0)
    'not started: batch b-1 failed (1 node, a; allowed: 0)'
    """
    if not is_spent(failed, max_failed):
        return ""
    batches, nodes = naturally(failed.values()), naturally(failed)
    counted = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}, {', '.join(nodes[:5])}"
    plural = "" if len(batches) == 1 else "es"
    return f"not started: batch{plural} {', '.join(batches)} failed ({counted}; allowed: {max_failed})"
