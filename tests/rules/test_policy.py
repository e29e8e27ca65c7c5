import pytest

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.allowances import resolve
from tripleo_update_plugin.rules.budget import Count, Percent
from tripleo_update_plugin.rules.failure_limits import MaxFailed
from tripleo_update_plugin.rules.policy import Durations, Policy, Waiver, merge, parse_policy
from tripleo_update_plugin.rules.service_list import services_of
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

THREE = an_overcloud(Controller=(3, ["pacemaker", "mysql", "keystone", "ntp"]), Compute=(8, ["nova_compute", "ntp"]))


def resolved(data=None, overcloud=THREE, down=()):
    return resolve(parse_policy(data or {}), a_catalogue(), overcloud, Facts(down=frozenset(down)))


def test_later_policies_add_to_mappings_and_replace_the_rest():
    first = {"budgets": {"mysql": 1, "haproxy": 1}, "canary": True, "order": [{"first": "a", "then": "b"}]}
    second = {"budgets": {"mysql": "quorum"}, "order": []}
    assert merge([first, second]) == {"budgets": {"mysql": "quorum", "haproxy": 1}, "canary": True, "order": []}
    assert merge([]) == {}


def test_merging_changes_none_of_its_documents():
    first, second = {"budgets": {"mysql": 1}}, {"budgets": {"redis": 1}}
    merge([first, second])
    assert first == {"budgets": {"mysql": 1}}


def test_a_policy_is_read_in_whole():
    policy = parse_policy(
        {
            "budgets": {"nova_compute": "25%", "mysql": 1},
            "order": [{"first": "mysql", "then": "keystone"}],
            "domains": {"rack-1": ["compute-0"], "rack-2": ["compute-1", "compute-2"]},
            "canary": True,
            "approve": "after-canary",
            "max_failed": 2,
            "durations": {"roles": {"Controller": 1200}, "nodes": {"compute-7": 60}},
            "waivers": [{"service": "*", "reason": "lab"}],
            "services": ["/etc/profiles"],
        }
    )
    assert policy == Policy(
        budgets={"nova_compute": Percent(25), "mysql": Count(1)},
        order=(("mysql", "keystone"),),
        domains={"compute-0": "rack-1", "compute-1": "rack-2", "compute-2": "rack-2"},
        canary=True,
        approve="after-canary",
        max_failed=MaxFailed(update=2),
        waivers=(Waiver(service="*", reason="lab"),),
        services=("/etc/profiles",),
        durations=Durations(roles={"Controller": 1200}, nodes={"compute-7": 60}),
    )


@pytest.mark.parametrize("data", [{}, dict.fromkeys(("budgets", "order", "domains", "waivers", "services"))])
def test_nothing_said_is_the_default(data):
    assert parse_policy(data) == Policy()


def test_a_node_in_two_domains_is_refused():
    with pytest.raises(BadPolicy, match="node a is in x and in y"):
        parse_policy({"domains": {"x": ["a"], "y": ["a"]}})


def test_a_budget_that_is_none_is_refused():
    with pytest.raises(BadPolicy, match="'many' is neither"):
        parse_policy({"budgets": {"mysql": "many"}})


def test_the_catalogue_s_budgets_in_numbers():
    found = {a.service: (a.allowed, a.of, a.limit) for a in resolved().values()}
    assert found == {
        "keystone": (1, 3, 2),
        "mysql": (1, 3, 1),
        "nova_compute": (4, 8, 8),
        "pacemaker": (1, 3, 1),
    }


def test_a_policy_s_budget_takes_the_place_of_the_catalogue_s():
    found = resolved({"budgets": {"nova_compute": "25%", "keystone": 2, "ntp": 3}})
    assert {s: (a.allowed, a.source) for s, a in found.items()} == {
        "keystone": (2, "policy"),
        "mysql": (1, "catalogue"),
        "nova_compute": (2, "policy"),
        "ntp": (3, "policy"),
        "pacemaker": (1, "catalogue"),
    }


def test_a_budget_of_zero_is_no_missing_budget():
    assert resolved({"budgets": {"keystone": 0}})["keystone"].allowed == 0


def test_nodes_that_are_down_are_taken_off():
    allowance = resolved(down=["compute-1", "compute-2", "controller-0"])["nova_compute"]
    assert (allowance.allowed, allowance.down, allowance.free) == (4, 2, 2)


def test_a_budget_above_the_limit_is_refused_with_numbers():
    with pytest.raises(BadPolicy, match="mysql: 2 lets 2 of 3 be down, the limit is 1") as refusal:
        resolved({"budgets": {"mysql": 2}})
    assert "a joining node needs a donor" in refusal.value.message
    assert "Lower it to 1" in refusal.value.remedy


@pytest.mark.parametrize("service", ["mysql", "*"])
def test_a_waiver_lifts_the_limit(service):
    data = {"budgets": {"mysql": 2}, "waivers": [{"service": service, "reason": "lab"}]}
    assert resolved(data)["mysql"].allowed == 2


def test_a_waiver_of_another_service_does_not():
    with pytest.raises(BadPolicy):
        resolved({"budgets": {"mysql": 2}, "waivers": [{"service": "keystone", "reason": "lab"}]})


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"budgets": {"mysq": 1}}, "mysq"),
        ({"order": [{"first": "mysql", "then": "nova"}]}, "nova"),
        ({"waivers": [{"service": "redis", "reason": "x"}]}, "redis"),
        ({"domains": {"rack": ["compute-8"]}}, "compute-8"),
    ],
)
def test_a_name_that_nothing_has_is_refused(data, name):
    with pytest.raises(BadPolicy, match=f"'{name}'"):
        resolved(data)


def test_an_unknown_service_goes_one_at_a_time():
    overcloud = an_overcloud(Controller=(5, ["homemade"]))
    allowance = resolved(overcloud=overcloud)["homemade"]
    assert (allowance.allowed, allowance.kind) == (1, "unknown")


def test_budgets_count_over_all_roles():
    overcloud = an_overcloud(A=(2, ["pacemaker"]), B=(3, ["pacemaker"]))
    assert (resolved(overcloud=overcloud)["pacemaker"].of, resolved(overcloud=overcloud)["pacemaker"].allowed) == (5, 2)


def test_services_are_listed_with_what_binds_them():
    policy = parse_policy({"budgets": {"nova_compute": 3}})
    lines = {line.service: line for line in services_of(THREE, a_catalogue(), policy)}
    computes = lines["nova_compute"]
    assert (computes.nodes, computes.budget, computes.bound_by) == (8, 3, "policy: 3")
    assert lines["mysql"].bound_by == "catalogue: 1 (a joining node needs a donor)"
    assert lines["mysql"].run_by == ("bundle",)
    assert (lines["ntp"].budget, lines["ntp"].run_by) == (11, ("host",))


def test_a_waiver_that_is_needed_is_listed():
    overcloud = an_overcloud(Controller=(1, ["mysql"]))
    policy = parse_policy({"waivers": [{"service": "mysql", "reason": "one controller"}]})
    (line,) = services_of(overcloud, a_catalogue(), policy)
    assert (line.budget, line.bound_by) == (0, "limit: 0 (waived: one controller)")


def test_a_node_lasts_as_long_as_it_its_role_or_everything_does():
    durations = Durations(default=300, roles={"Compute": 200}, nodes={"compute-1": 100})
    found = [durations.of(n, r) for n, r in [("compute-1", "Compute"), ("compute-2", "Compute"), ("c-0", "Controller")]]
    assert found == [100, 200, 300]


@pytest.mark.parametrize("durations", [{"nodes": {"compute-99": 60}}, {"roles": {"Compue": 60}}])
def test_durations_of_what_is_not_there_are_refused(durations):
    with pytest.raises(BadPolicy, match=r"durations: the overcloud has no (node 'compute-99'|role 'Compue')"):
        resolved({"durations": durations})


def test_an_approval_after_the_canary_makes_one():
    assert parse_policy({"approve": "after-canary"}).canary
    assert not parse_policy({"approve": "every-wave"}).canary
    with pytest.raises(BadPolicy, match="forbids"):
        parse_policy({"approve": "after-canary", "canary": False})


PROBES = {
    "probes": {"retry": 5, "more": [{"name": "x", "kind": "icmp", "host": "h"}]},
    "availability": {"failed": None},
}


def test_a_plan_records_what_is_probed_and_only_where_the_policy_says_so():
    """The prober reads it from there; where nothing is said, nothing changes in a plan."""
    plan = plan_update(THREE, a_catalogue(), parse_policy(PROBES), Facts())
    assert {key: plan.policy[key] for key in PROBES} == PROBES
    assert not PROBES.keys() & plan_update(THREE, a_catalogue(), parse_policy({}), Facts()).policy.keys()


def test_probes_that_cannot_be_are_refused_with_the_policy():
    with pytest.raises(BadPolicy, match="it takes 3"):
        parse_policy({"probes": {"retry": 1}})
