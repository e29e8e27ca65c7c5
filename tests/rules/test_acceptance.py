import pytest

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules import acceptance
from tripleo_update_plugin.rules.allowances import resolve
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import an_overcloud

CATALOGUE = load_catalogue()
THREE = an_overcloud(
    Controller=(3, ["pacemaker", "haproxy", "mysql", "nova_conductor", "novelty", "timezone"]),
    Compute=(2, ["nova_compute", "timezone"]),
)
UNIT = "unit:tripleo_nova_conductor"


def accepted(*names, **limits):
    return [{"name": name, "reason": "wrong since May", **limits} for name in names]


def resolved(entries):
    return resolve(parse_policy({"accept": entries}), CATALOGUE, THREE, Facts())


@pytest.mark.parametrize(
    "name",
    [
        "service:nova_conductor", "service:novelty", UNIT, "unit:galera-bundle", "haproxy:mysql", "haproxy:a_proxy.x",
        "haproxy:mysql/controller-1.internalapi.localdomain",
    ],
)  # fmt: skip
def test_what_there_is_can_be_accepted(name):
    resolved(accepted(name))


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (accepted("service:nova_conducter"), "accept: service:nova_conducter: no node of these has the service"),
        (accepted("service:timezone"), "no gate looks at timezone"),
        (accepted("unit:tripleo_nova_conducter"), "no profile of a service of these nodes has that unit"),
        (accepted("unit:tripleo_novelty"), "what has no profile is accepted as service:NAME"),
        (accepted(UNIT, roles=["Compute"]), "no profile of a service of these nodes has that unit"),
        (accepted(UNIT, roles=["Controler"]), "the overcloud has no role 'Controler'"),
        (accepted(UNIT, nodes=["controller-9"]), "the overcloud has no node 'controller-9'"),
        (accepted("haproxy:mysql", roles=["Compute"]), "no node of these has the service 'haproxy'"),
        (accepted("haproxy:mysql/controller-9.x"), "the overcloud has no node 'controller-9'"),
    ],
)
def test_what_fits_nothing_is_refused(entries, says):
    with pytest.raises(BadPolicy) as refusal:
        resolved(entries)
    assert says in refusal.value.message


NO_NAMES = [
    "container:x", "unit:", "unit:a/b", "haproxy:a/b/c", "haproxy:/b", "unit:{{ x }}", "unit:x\n", "unit:<% $ %>", 1,
]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "nova_conductor"}, "'nova_conductor' is no name of what may be sick"),
        *(({"name": name}, "is no name of what may be sick") for name in NO_NAMES),
        ({}, "None is no name"), ("unit:x", "is not a name with a reason"),
        ({"name": UNIT, "node": "x"}, "is not a name with a reason"),
        ({"name": UNIT, "nodes": "controller-0"}, "is no list of names"),
        ({"name": UNIT, "roles": ["{{ x }}"]}, "is no list of names"),
        ({"name": "haproxy:a/b", "nodes": ["b"]}, "a server is that of one node already"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(entry, says):
    with pytest.raises(BadPolicy) as refusal:
        acceptance.parse([entry])
    assert says in refusal.value.message


@pytest.mark.parametrize("data", ["unit:x", {"name": "unit:x"}, 1])
def test_a_list_is_expected(data):
    with pytest.raises(BadPolicy, match="a list of what may be sick is expected"):
        acceptance.parse(data)


def test_names_hold_on_the_nodes_and_roles_that_they_are_given_for():
    entries = [*accepted(UNIT, roles=["Controller"], nodes=["compute-0"]), *accepted("service:a")]
    found = acceptance.parse(entries)
    held = {node.name: acceptance.names_on(found, node.name, node.role) for node in THREE.nodes}
    assert held["controller-2"] == held["compute-0"] == ["service:a", UNIT] and held["compute-1"] == ["service:a"]


def test_servers_are_those_of_the_nodes_that_are_updated():
    found = acceptance.parse(accepted("haproxy:mysql/ctl-0.x", "haproxy:mysql/ctl-1.x", "haproxy:mysql", UNIT))
    assert acceptance.servers_of(found, ["ctl-1"]) == ["mysql/ctl-1.x"]


def test_a_plan_has_what_is_accepted_and_says_why_only_where_something_is():
    entries = accepted(UNIT, roles=["Controller"])
    plan = plan_update(THREE, CATALOGUE, parse_policy({"accept": entries}), Facts())
    assert plan.policy["accept"] == entries
    assert f"accepted: {UNIT} (role Controller): wrong since May\n" in str(plan)
    nothing = plan_update(THREE, CATALOGUE, parse_policy({"accept": []}), Facts())
    assert "accept" not in nothing.policy and "accepted" not in str(nothing)


def test_a_plan_warns_of_proxies_that_only_haproxy_knows():
    policy = parse_policy({"accept": accepted("haproxy:mysql", "haproxy:my_own")})
    warnings = [w for w in plan_update(THREE, CATALOGUE, policy, Facts()).warnings if "HAProxy knows" in w]
    assert [warning.split(": no")[0] for warning in warnings] == ["accept: haproxy:my_own"]


@pytest.mark.parametrize(
    ("names", "left"),
    [
        ([], ("tripleo_nova_conductor_healthcheck", "httpd")), ([UNIT], ("httpd",)),
        (["service:nova_conductor"], ("httpd",)), (["unit:httpd", UNIT], None),
    ],
)  # fmt: skip
def test_units_that_failed_are_a_warning_unless_they_are_accepted(names, left):
    failed = {"controller-0": ("tripleo_nova_conductor_healthcheck", "httpd")}
    found = acceptance.not_accepted(failed, acceptance.parse(accepted(*names)), CATALOGUE, THREE)
    assert found == ({"controller-0": left} if left else {})
