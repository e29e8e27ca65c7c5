import pytest

from tripleo_update_plugin.outcome.failure_budget import Failed, excess

ROLES = {"roles": {"Compute": 1}, "services": {"mysql": {"most": 1, "roles": ["Controller", "Database"]}}}


def failed(**roles):
    return {name.replace("_", "-"): Failed(batch=f"b-{i}", role=role) for i, (name, role) in enumerate(roles.items())}


@pytest.mark.parametrize(
    ("limits", "nodes", "why"),
    [
        (0, {}, ""),
        (0, failed(cmp_0="Compute"), "batch b-0 failed (1 node, cmp-0; allowed: 0)"),
        (2, failed(cmp_0="Compute", cmp_1="Compute"), ""),
        (1, failed(cmp_1="Compute", cmp_0="Compute"), "batches b-0, b-1 failed (2 nodes, cmp-0, cmp-1; allowed: 1)"),
        ({"update": 9, **ROLES}, failed(ctl_0="Controller", cmp_0="Compute", cmp_1="Compute"),
         "batches b-1, b-2 failed (2 nodes of role Compute, cmp-0, cmp-1; allowed: 1)"),
        ({"update": 9, **ROLES}, failed(ctl_0="Controller", db_0="Database"),
         "batches b-0, b-1 failed (2 nodes with mysql, ctl-0, db-0; allowed: 1)"),
        ({"update": 1, **ROLES}, failed(cmp_0="Compute", ctl_0="Controller"),
         "batches b-0, b-1 failed (2 nodes, cmp-0, ctl-0; allowed: 1)"),
        (ROLES, failed(cmp_0="Compute", ctl_0="Controller"), ""),
        (ROLES, failed(cmp_0="Compute", net_0="Networker"),
         "batch b-1 failed (1 node that no limit speaks of, net-0; allowed: 0)"),
        (ROLES, failed(net_0=""), "batch b-0 failed (1 node that no limit speaks of, net-0; allowed: 0)"),
    ],
)  # fmt: skip
def test_what_may_fail(limits, nodes, why):
    assert excess(nodes, limits) == why
