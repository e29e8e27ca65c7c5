"""A container's health check that has been wrong for months: the update goes well once that is accepted by name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Sandbox, a_sandbox
from test_update import report, save_plan, updates

pytestmark = pytest.mark.functional

COMPUTE = "overcloud-novacompute-0"
CHECK = "tripleo_nova_compute_healthcheck"

#: systemctl as the sandbox has it, but that health check has failed.
SYSTEMCTL = f"""#!/bin/sh
export SANDBOX_NODE="${{0%/bin/*}}"
real="$SANDBOX_NODE/real/systemctl"
[ "$1" = is-active ] || exec "$real" "$@"
shift
code=3
for unit; do
    case $unit in
        {CHECK}) echo failed ;;
        *) "$real" is-active "$unit" && code=0 ;;
    esac
done
exit $code
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """One controller and two computes; the check of the first one's container fails, though the container is fine."""
    made = a_sandbox(tmp_path, "--controllers", 1, "--computes", 2, "--ceph", 0, "--pace", "0.1")
    command = made.nodes[COMPUTE].folder / "bin" / "systemctl"
    real = command.parents[1] / "real" / "systemctl"
    real.parent.mkdir()
    real.symlink_to(command.readlink())
    command.unlink()
    command.write_text(SYSTEMCTL)
    command.chmod(0o755)
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr


def test_a_health_check_that_was_sick_before_is_accepted_by_name(sandbox: Sandbox):
    limits = ("--limit", "role:Compute")
    plain = sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", *limits)
    assert f"accept it by name in the policy): {COMPUTE}: {CHECK}" in plain.stderr
    accept = [{"name": "unit:tripleo_nova_compute", "reason": "its check asks a wrong port", "roles": ["Compute"]}]
    policy = sandbox.home / "policy.json"
    policy.write_text(json.dumps({"accept": accept}))
    plan = save_plan(sandbox, *limits, "--policy", policy)
    assert not [text for text in json.loads(plan.read_text())["warnings"] if CHECK in text]
    done = sandbox.openstack("overcloud", "update", "start", "--yes", "--wait", plan)
    assert done.returncode == 0, done.stderr
    id = updates(sandbox)[0]["id"]
    _, outcomes = report(sandbox, id)
    assert outcomes[COMPUTE]["outcome"] == "updated"
    said = sandbox.openstack("overcloud", "update", "report", id).stderr
    assert "accepted: unit:tripleo_nova_compute (role Compute): its check asks a wrong port" in said
    logs = [path.read_text() for path in sandbox.state.rglob("gate-*/log")]
    assert sum("accepted: nova_compute is sick: unhealthy: tripleo_nova_compute" in text for text in logs) >= 2
