"""What is accepted in a policy reaches the nodes by the action's parameters: real Ansible, a played undercloud."""

import json

import pytest
import yaml
from fake_undercloud import PROFILES
from test_records import done

WEB = [{"name": "service:web", "roles": ["Controller"]}]


@pytest.fixture
def sick(nodes):
    """On every node nothing answers on the port of web."""
    profile = yaml.safe_load(PROFILES)
    profile["web"]["health"] = {"any": [{"tcp": {"port": 1}}]}
    (nodes.profiles / "web.yaml").write_text(yaml.safe_dump(profile))


def before(nodes):
    return nodes.folder / "records" / "ctl-0" / "before.json"


def put_well(nodes):
    """An update has begun to change the node on which web was well."""
    before(nodes).parent.mkdir(parents=True)
    before(nodes).write_text(json.dumps({"ctl-0": {"names": ["service:web"], "sick": {}, "begun": True}}))


def test_a_gate_that_stays_shut_says_how_to_accept_what_is_sick(desk, nodes, undercloud, sick):
    state, output = done(desk, undercloud, "gate", moment="before", update="u-1", allowed={"web": 3})
    assert state == "ERROR" and "web is sick: nothing answers on port 1" in output["error"]
    assert output["error"].endswith("""in the policy that it is so: 'accept: [{name: "service:web", reason: "…"}]'""")
    assert output["accepted"] == []


def test_what_is_accepted_passes_both_gates_and_is_named(desk, nodes, undercloud, sick):
    given = {"update": "u-1", "accept": WEB}
    state, output = done(desk, undercloud, "gate", moment="before", allowed={"web": 3}, **given)
    assert state == "SUCCESS", output
    assert output["accepted"] == ["web is sick: nothing answers on port 1 (ctl-0, ctl-1, ctl-2)"]
    assert "accepted: web is sick: nothing answers on port 1" in desk.jobs[-1].log.read_text()
    for phase in ("drain", "update", "restore"):
        assert done(desk, undercloud, phase, update="u-1")[0] == "SUCCESS"
    assert json.loads(before(nodes).read_text())["ctl-0"]["sick"] == {"port 1": 2}
    state, output = done(desk, undercloud, "gate", moment="after", **given)
    assert state == "SUCCESS" and output["accepted"] == ["web is sick: nothing answers on port 1 (ctl-0)"]
    assert not before(nodes).exists()


def test_peers_without_the_service_are_down_though_it_is_accepted(desk, nodes, undercloud, sick):
    given = {"moment": "before", "update": "u-1", "accept": WEB}
    state, output = done(desk, undercloud, "gate", allowed={"web": 2}, **given)
    assert state == "ERROR" and output["not_started"]
    assert "ctl-1 is without web, which is accepted" in output["error"]
    assert "with ctl-0 3 of 3 would be down, 2 may be" in output["error"]


@pytest.mark.parametrize("where", [{"nodes": ["ctl-0", "ctl-1"]}, {"roles": ["Compute"]}])
def test_what_is_accepted_elsewhere_is_not_here(desk, nodes, undercloud, sick, where):
    accept = [{"name": "service:web", **where}]
    state, output = done(desk, undercloud, "gate", moment="before", update="u-1", allowed={"web": 3}, accept=accept)
    assert state == "ERROR" and "ctl-2" in output["error"]
    assert ("ctl-0" in output["error"].split(": Every")[0]) == ("roles" in where)


def test_after_an_update_that_broke_it_the_gate_says_that_it_was_well(desk, nodes, undercloud, sick):
    put_well(nodes)
    state, output = done(desk, undercloud, "gate", moment="after", update="u-1", accept=WEB)
    assert state == "ERROR" and "accepted only as it was before: well" in output["error"]
    assert "'openstack overcloud update unlock' makes a node forget" in output["error"]
    state, output = done(desk, undercloud, "gate", moment="before", update="u-2", allowed={"web": 3}, accept=WEB)
    assert state == "ERROR" and "accepted only as it was before: well" in output["error"]
    assert done(desk, undercloud, "unlock", batch="unlock", force=True)[0] == "SUCCESS"
    assert not before(nodes).exists(), "a person says that it counts as well"


def test_putting_a_node_back_into_use_says_nothing_of_its_health(desk, nodes, undercloud):
    put_well(nodes)
    assert done(desk, undercloud, "restore", batch="restore", by_record=True)[0] == "SUCCESS"
    assert before(nodes).exists()
