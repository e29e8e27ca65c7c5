"""What can go wrong, as a tree; every leaf says what to do about it.

::

    UpdateError
    ├── BadInput
    │   ├── BadOutputs          stack outputs that do not describe an overcloud
    │   ├── BadPolicy           a policy that cannot be followed
    │   ├── BadProfile          a service profile that cannot be used
    │   ├── BadPlan             a plan file that is not a plan, or breaks its own budgets
    │   ├── BadLimit            a --limit that selects nothing
    │   └── Ambiguous           more than one update may be meant
    ├── Infeasible              no order of updates keeps the budgets
    ├── CannotUpdate            the plan asks for what the actions cannot do on this overcloud
    ├── ContradictingFacts      Heat says one thing, the nodes another
    ├── OtherProject            Mistral's executors would report in another project
    ├── OtherProfiles           Mistral's executors go by other service profiles than the plan
    ├── StalePlan               the overcloud is no longer what the plan was made from
    ├── AlreadyRunning          another update of the same stack is under way
    ├── HasEnded                what is to be done cannot be done to an update that has ended
    ├── NotFound
    │   ├── StackNotFound
    │   └── ExecutionNotFound
    ├── Unavailable
    │   ├── HeatUnavailable
    │   ├── MistralUnavailable
    │   ├── ActionsMissing      Mistral runs, but without this package's actions
    │   └── FactsMissing        no node answers
    └── PhaseFailed             Ansible could not do a phase of a batch
"""

from tripleo_update_plugin.terminal import printable


class UpdateError(Exception):
    """An error an operator can act on: *what happened*, and the *remedy*."""

    remedy = ""

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = printable(message)
        self.remedy = printable(remedy or self.remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class BadInput(UpdateError):
    """Something the operator gave cannot be used."""


class BadOutputs(BadInput):
    remedy = (
        "Give the JSON of 'openstack stack show -f json STACK', of 'openstack stack output show --all -f json STACK', "
        "or a {key: value} file of an overcloud's outputs."
    )


class BadPolicy(BadInput):
    remedy = "See the policy reference in the documentation, or leave the key out to get its default."


class BadProfile(BadInput):
    remedy = "Correct the service profile; its schema is in the documentation of the service catalogue."


class BadPlan(BadInput):
    remedy = "Make the plan again with 'openstack overcloud update plan --save FILE'."


class BadLimit(BadInput):
    remedy = "Use role:NAME, node:NAME or service:NAME with names that 'openstack overcloud update services' shows."


class Ambiguous(BadInput):
    remedy = "Give more of its ID, or 'latest', or --stack NAME; 'openstack overcloud update list' shows them."


class Infeasible(UpdateError):
    remedy = (
        "Bring nodes that are down back first, or accept the downtime with a waiver in the policy, "
        "e.g. 'waivers: [{service: mysql, reason: maintenance window}]'."
    )


class CannotUpdate(UpdateError):
    """Said before anything is started, so that no batch fails half way."""


class ContradictingFacts(UpdateError):
    remedy = "Mend that first. '--no-facts' plans from the outputs alone, as if the nodes had not been asked."


class StalePlan(UpdateError):
    remedy = "Make the plan again with 'openstack overcloud update plan', read it, and start that one."


class OtherProject(UpdateError):
    """Mistral goes on with an execution as whoever reported to it last, and finds no workflow of another project."""

    remedy = (
        "Set project_name in [tripleo_update] of the executors' configuration to the operator's project, or start the "
        "update as a user of theirs."
    )


class OtherProfiles(UpdateError):
    """A plan is bounded by profiles, and its gates and drains are taken from them."""

    remedy = (
        "Name the policy's folders in 'services' of [tripleo_update] in the configuration of all executors, "
        "install the same extensions there as here, and restart the executors if you installed one."
    )


class AlreadyRunning(UpdateError):
    remedy = (
        "Follow it with 'openstack overcloud update follow', "
        "or end it with 'openstack overcloud update abort', which leaves nothing half done."
    )


class OutOfOrder(UpdateError):
    remedy = (
        "Update that stack first, all of it; or take 'first' out of the policy's related_stacks and make the plan anew."
    )


class HasEnded(UpdateError):
    remedy = "'openstack overcloud update report' shows what came of it. What is left takes a new plan."


class NotFound(UpdateError):
    """Something named by the operator does not exist."""


class StackNotFound(NotFound):
    remedy = "'openstack stack list' shows the stacks there are."


class ExecutionNotFound(NotFound):
    remedy = "'openstack overcloud update list' shows the updates there are."


class Unavailable(UpdateError):
    """A service of the undercloud does not answer."""


class HeatUnavailable(Unavailable):
    remedy = "Check that Heat runs and that OS_CLOUD or the OS_* variables point at it: 'openstack stack list'."


class MistralUnavailable(Unavailable):
    remedy = "Check that Mistral runs and that OS_CLOUD or the OS_* variables point at it: 'openstack workbook list'."


class ActionsMissing(Unavailable):
    remedy = "Install tripleo-update-plugin where Mistral's engines and executors run, and restart them."


class FactsMissing(Unavailable):
    remedy = "Check ssh_user, ssh_key and the group [tripleo_update] of the executor's configuration."


class PhaseFailed(UpdateError):
    """A phase of a batch did not end well on every node."""


def first_line(error: BaseException) -> str:
    """What a foreign error says, in one line that is not too long; its kind if it says nothing.

    >>> first_line(OSError("no route\nmore")), first_line(TimeoutError())
    ('no route', 'TimeoutError')
    """
    return shortened((str(error).strip() or type(error).__name__).splitlines()[0])


def shortened(text: str, most: int = 300) -> str:
    """*text*, cut where it is longer than *most* characters: an error may repeat all of a large file."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
