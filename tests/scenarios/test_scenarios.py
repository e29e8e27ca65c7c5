"""Each folder here is an overcloud and a policy, and what comes of them.

``outputs.yaml`` (or ``.json``) holds stack outputs, or what ``overcloud update export`` saved, which a bug report can
bring; ``overcloud.yaml`` gives roles, counts and services instead. ``services.yaml`` (each service's own data),
``policy.yaml``, ``facts.yaml`` (without it every node answers) and ``limit.yaml`` are optional. ``plan.txt`` is what
the operator reads, ``workbook.yaml`` what Mistral runs: ``pytest tests/scenarios --update-scenarios`` writes them.
"""

from pathlib import Path

import pytest
import yaml

from tripleo_update_plugin.adapters import documents, extensions
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.scope import parse_limit
from tripleo_update_plugin.testing import an_overcloud, stack_outputs
from tripleo_update_plugin.workflows import workbook

HERE = Path(__file__).parent
SCENARIOS = sorted(folder for folder in HERE.iterdir() if list(folder.glob("o*.*")))


@pytest.fixture(scope="session")
def catalogue():
    return extensions.load_catalogue()


def read(path, default):
    return yaml.safe_load(path.read_text()) if path.exists() else default


def snapshot_in(folder):
    """The overcloud of a scenario."""
    services = read(folder / "services.yaml", None)
    found = [path for path in folder.glob("outputs.*") if path.suffix in (".yaml", ".json")]
    if found:
        return documents.read_snapshot(str(found[0]), services=services)
    data = read(folder / "overcloud.yaml", None)
    roles = {role: (entry["count"], entry["services"]) for role, entry in data.pop("roles").items()}
    overcloud = an_overcloud(**data, **roles)
    return Snapshot.of(overcloud.stack, stack_outputs(overcloud), services)


def planned(folder, catalogue):
    snapshot = snapshot_in(folder)
    overcloud = snapshot.overcloud()
    policy = documents.read_policy([str(path) for path in folder.glob("policy.yaml")])
    facts = Facts.from_dict(read(folder / "facts.yaml", {}))
    limit = parse_limit(read(folder / "limit.yaml", []), overcloud)
    plan = plan_update(overcloud, catalogue, policy, facts, limit, snapshot.digests)
    assert list(safety.problems(plan, overcloud)) == []
    return plan


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_scenario(folder, catalogue, request):
    plan = planned(folder, catalogue)
    made = {"plan.txt": str(plan), "workbook.yaml": workbook.to_yaml(workbook.render(plan))}
    if request.config.getoption("--update-scenarios", False):
        for name, text in made.items():
            (folder / name).write_text(text)
    for name, text in made.items():
        assert text == (folder / name).read_text(), f"{folder.name}/{name} has changed"


def test_there_are_scenarios():
    assert {"composable", "three-controllers"} <= {folder.name for folder in SCENARIOS}


def test_a_hundred_computes_take_ten_waves(catalogue):
    plan = planned(HERE / "composable", catalogue)
    assert (plan.waves, plan.lower_bound, len(plan.nodes)) == (10, 10, 122)
