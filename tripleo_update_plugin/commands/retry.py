"""``openstack overcloud update retry`` and ``skip``."""

import argparse
from typing import TYPE_CHECKING

from tripleo_update_plugin.commands.updates import ActOnUpdate, Target
from tripleo_update_plugin.plan.words import some_names

if TYPE_CHECKING:
    from tripleo_update_plugin.verbs.recovering import Recovery


class RetryUpdate(ActOnUpdate):
    """Go on after a failure: begin the failed phases of all failed batches anew, and the update goes on with them.

    Also for phases of which nobody hears any more, because their machine or process died. Mend the cause first, with
    the reasons that 'overcloud update show' has. Nodes that failed in these batches take part again.
    """

    takes_ended = True

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        return "Begin what failed in the update of {stack} anew?" if target.standing.failed else ""

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        failed = target.standing.failed
        if not failed:
            return "Nothing has failed; phases of which nobody hears any more begin anew."
        return "Begins anew: " + "; ".join(f"{run.id} from {run.phase or 'its beginning'}" for run in failed)

    def act(self, target: Target, args: argparse.Namespace) -> str:
        begun = _recovery(self, target).retry()
        return f"{', '.join(begun)} began anew" if begun else "nothing had failed, so nothing began anew"


class SkipNode(ActOnUpdate):
    """Leave a node out of an update from now on, and let the rest go on.

    Phases that begin after this leave it as it is. If its batch failed, that begins anew without it. A node that is out
    of use counts as down for all others, so their gates may have to wait until it has been put back ('overcloud update
    restore'). --undo lets it take part again in what has not begun.
    """

    takes_ended = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("node", metavar="NODE", help="the node, as 'overcloud update report' shows it")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--reason", metavar="TEXT", help="why, for all who look at the update later")
        what.add_argument("--undo", action="store_true", help="let it take part again")

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        return "" if args.undo else "Leave the node out of the update of {stack}?"

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        if args.undo:
            return f"{args.node} takes part again in what has not begun."
        mine = {batch.id for batch in target.plan.batches if args.node in batch.nodes}
        lines = [f"{args.node} is left out from now on."]
        for run in target.standing.failed:
            if run.id in mine:
                others = [node for node in target.plan.batch(run.id).nodes if node != args.node]
                lines.append(f"{run.id} begins anew from {run.phase} with {some_names(others) or 'no node'}.")
        if any(run.id in mine for run in target.standing.at_work):
            lines.append("The phase that is at work on it ends first; it is left as that leaves it.")
        return "\n".join(lines)

    def act(self, target: Target, args: argparse.Namespace) -> str:
        recovery = _recovery(self, target)
        if args.undo:
            return recovery.take_in(args.node)
        begun = recovery.skip(args.node, args.reason)
        return f"{args.node} is left out" + (f"; {', '.join(begun)} began anew without it" if begun else "")


def _recovery(cmd: ActOnUpdate, target: Target) -> "Recovery":
    from tripleo_update_plugin.verbs.recovering import Recovery

    return Recovery(id=target.id, plan=target.plan, mistral=target.mistral, notes=target.notes, say=cmd.say)
