"""Updates in memory that tests of the verbs act on."""

from tripleo_update_plugin import rollout
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import an_overcloud, stack_outputs
from tripleo_update_plugin.verbs.looking import look

OVERCLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]), Compute=(2, ["nova_compute"]))
OUTPUTS = {**stack_outputs(OVERCLOUD), "RoleConfig": {"update_steps_playbook": "[]"}}


def plan(stack="overcloud", **policy):
    return rollout.prepare(Snapshot.of(stack, OUTPUTS), parse_policy(policy), [])


def started(mistral, **policy):
    """The id of an update that has just begun."""
    return rollout.start(plan(**policy), mistral)


def standing(id, mistral):
    """Where an update stands; in memory it goes on by being looked at."""
    return look(id, mistral, mistral.notes)


def settled(id, mistral, most=60):
    """Where an update stands when nothing happens by itself any more."""
    for _ in range(most):
        found = standing(id, mistral)
        if found.execution.state != "RUNNING":
            return found
    raise AssertionError("the update does not end")


class Clock:
    """A clock that goes on when somebody sleeps; *meanwhile* happens then."""

    def __init__(self, meanwhile=lambda now: None):
        self.now = 1000.0
        self._meanwhile = meanwhile

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self._meanwhile(self.now)
