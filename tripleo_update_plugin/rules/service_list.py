"""Which services has an overcloud, who runs each, how many of it may be down, and why?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.architecture import PerService
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules.allowances import Allowance, resolve
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.rules.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """One service. ``budget`` is how many of its ``nodes`` may be down at once, ``bound_by`` says who set it and why.

    ``run_by`` are of model.RUNNERS, more than one where roles differ, or 'host' for what only configures a host.

    ``update_tasks`` names the tasks that the service itself brings to an update, "" for one without a name; None where
    its own data was not read.
    """

    service: str
    kind: str
    run_by: tuple[str, ...]
    nodes: int
    budget: int
    bound_by: str
    update_tasks: tuple[str, ...] | None = None


def services_of(
    overcloud: Overcloud, catalogue: Catalogue, policy: Policy, own: PerService | None = None
) -> list[ServiceLine]:
    """All deployed services, in natural order; *own* is each service's own data. Raises BadPolicy as resolve() does."""
    allowances = resolve(policy, catalogue, overcloud, Facts())
    lines = []
    for service in overcloud.services:
        profile = catalogue.profile(service)
        count = len(overcloud.hosts_of(service))
        allowance = allowances.get(service)
        runners = {runners[service] for runners in overcloud.runners.values() if service in runners}
        lines.append(
            ServiceLine(
                service=service,
                kind=profile.kind,
                # What only configures a host has no runner of its own, unless Pacemaker has a resource for it.
                run_by=naturally(runners if profile.is_bounded else runners - {"systemd", "container"}) or ("host",),
                nodes=count,
                budget=allowance.allowed if allowance else count,
                bound_by=_bound_by(allowance, policy) if allowance else profile.why or "nothing: no client notices",
                update_tasks=update_tasks_of(service, own),
            )
        )
    return lines


def update_tasks_of(service: str, own: PerService | None) -> tuple[str, ...] | None:
    """Names of the update tasks that *service* brings, from its *own* data; of the role with most of them."""
    found = [services[service] for services in (own or {}).values() if service in services]
    if not found:
        return None
    return max((_task_names(data.get("update_tasks")) for data in found), key=len)


def tasks_told(services: Iterable[str], own: PerService | None) -> Iterator[str]:
    """A line per service whose *own* data was read: how many update tasks it brings, and their names where known."""
    for service in naturally(services):
        tasks = update_tasks_of(service, own)
        if tasks is not None:
            named = ", ".join(task for task in tasks if task)
            count = f"{len(tasks)} update task{'' if len(tasks) == 1 else 's'}"
            yield f"{service} brings {count}{f': {named}' if named else ''}"


def _task_names(tasks: object) -> tuple[str, ...]:
    listed = tasks if isinstance(tasks, list) else []
    return tuple(str(task.get("name") or "") for task in listed if isinstance(task, Mapping))


def _bound_by(allowance: Allowance, policy: Policy) -> str:
    waiver = policy.waiver_of(allowance.service) if allowance.free < 1 else None
    source = f"{allowance.source}: {allowance.budget}"
    if allowance.source == "catalogue" and allowance.budget.of(allowance.of) > allowance.limit:
        source = f"limit: {allowance.limit}"
    reason = f"waived: {waiver.reason}" if waiver else allowance.why
    return f"{source} ({reason})" if reason else source
