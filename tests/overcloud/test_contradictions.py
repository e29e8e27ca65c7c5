"""What the nodes may not say without contradicting Heat, and what only they decide."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.errors import ContradictingFacts
from tripleo_update_plugin.overcloud import contradictions
from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Held
from tripleo_update_plugin.testing import an_overcloud

BUNDLED = an_overcloud(
    Controller=(2, ["pacemaker", "haproxy", "keystone"]),
    Database=(1, ["pacemaker", "mysql"]),
    ComputeHA=(1, ["pacemaker_remote", "nova_compute"]),
    Compute=(1, ["nova_compute"]),
)
MEMBERS = dict.fromkeys(["controller-0", "controller-1", "database-0"], "online")
VIEW = Cluster(
    seen_from="controller-0",
    quorum=True,
    members=MEMBERS,
    remotes={"computeha-0": "online"},
    resources={"galera-bundle": "bundle", "ip-10.0.0.5": "resource"},
)

HELD = Held(state="failed", update="u-1", batch="batch-2")


def facts(more=None, **cluster):
    return Facts(clusters=(replace(VIEW, **cluster),), **(more or {}))


def touching(overcloud):
    return {node.name for node in overcloud.nodes}


def found(known, overcloud=BUNDLED):
    return [str(each) for each in contradictions.contradictions_of(overcloud, known, touching(overcloud))]


def warned(known):
    return contradictions.warnings_of(BUNDLED, known, touching(BUNDLED))


@pytest.mark.parametrize("known", [Facts(), facts(), facts({"down": frozenset({"controller-1"})})])
def test_nodes_that_agree_or_say_nothing(known):
    contradictions.check(BUNDLED, known, touching(BUNDLED))
    assert found(known) == []


@pytest.mark.parametrize(
    ("resources", "sign"),
    [
        ({"galera-master": "clone", "openstack-core-clone": "clone"}, "openstack-core-clone, so it is pacemaker"),
        ({"galera-master": "clone"}, "galera-master, so it is pacemaker-core"),
    ],
)
def test_another_architecture(resources, sign):
    assert found(facts(resources=resources)) == [
        f"Heat: the architecture is pacemaker-bundles; nodes: controller-0 is in a cluster with {sign}. "
        "Finish the deployment or upgrade that Heat describes, or update the stack to what runs."
    ]


def test_a_cluster_where_heat_has_none():
    plain = an_overcloud(Controller=(1, ["mysql"]))
    [architecture, member] = found(facts(members={"controller-0": "online"}, remotes={}), plain)
    assert "Heat: the architecture is none; nodes: controller-0 is in a cluster with galera-bundle" in architecture
    assert "controller-0 (Controller) has neither pacemaker nor pacemaker_remote; nodes: it is a full member" in member


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ("standby", "'pcs node unstandby controller-1'"),
        ("maintenance", "'pcs node unmaintenance controller-1'"),
        ("offline", "Start it there"),
        ("pending", "ask again soon"),
        ("unclean", "'pcs stonith confirm controller-1'"),
    ],
)
def test_a_member_that_answers_but_is_out_of_service(state, remedy):
    [text] = found(facts(members={**MEMBERS, "controller-1": state}))
    assert "Heat: controller-1 (Controller) has the service pacemaker; nodes: the cluster, seen from" in text
    assert f"calls it {state}" in text and remedy in text


@pytest.mark.parametrize("why", [{"down": frozenset({"controller-1"})}, {"held": {"controller-1": HELD}}])
def test_a_member_that_is_down_or_held_is_counted_instead(why):
    assert found(facts(why, members={**MEMBERS, "controller-1": "offline"})) == []


@pytest.mark.parametrize("state", ["standby", "maintenance", "offline", "pending", "unclean"])
def test_a_member_under_repair_that_the_plan_does_not_touch_counts_as_down(state):
    known = facts(members={**MEMBERS, "controller-1": state})
    aside = contradictions.set_aside(BUNDLED, known, touched={"controller-0", "compute-0"})
    assert aside.away == {"controller-1"} and found(aside) == []
    warning, *more = warned(aside)
    assert warning.endswith(f"left alone: controller-1: the cluster, seen from controller-0, calls it {state}")
    assert ["pcs stonith confirm controller-1" in each for each in more] == [True] * (state == "unclean")
    assert contradictions.set_aside(BUNDLED, known, touched={"controller-1"}).away == frozenset()


def test_a_node_without_its_cluster_that_the_plan_does_not_touch_counts_as_down():
    known = facts({"unclustered": frozenset({"controller-1"})})
    assert contradictions.set_aside(BUNDLED, known, touched=()).away >= {"controller-1"}


def test_packages_that_cut_what_runs_on_a_node_are_a_warning():
    [warning] = warned(Facts(cutting={"a": ("openvswitch", "docker"), "b": ("openvswitch",)}))
    assert warning.endswith("where it updates (tripleo_update_package_command leaves them out): docker on a; "
                            "openvswitch on a, b")  # fmt: skip


def test_what_the_cluster_will_not_do_is_a_warning():
    assert warned(facts(fencing=True)) == ()
    [off] = warned(facts(fencing=False))
    assert off.startswith("fencing is off") and "'pcs property set stonith-enabled=true'" in off
    bans = {"ip-10.0.0.5": ("controller-1", "database-0")}
    [ban] = warned(facts(bans=bans))
    assert ban.startswith("a ban keeps ip-10.0.0.5 off controller-1, database-0")
    assert "'pcs resource clear ip-10.0.0.5'" in ban
    [_, ours] = warned(facts({"held": {"controller-1": HELD}}, bans=bans))
    assert "off database-0," in ours, "a ban of an update that is under way is its own"


def test_a_node_without_its_cluster_is_named_once():
    known = facts({"unclustered": frozenset({"database-0"})}, members={**MEMBERS, "database-0": "offline"})
    [text] = found(known)
    assert "database-0 (Database) has the service pacemaker; nodes: no cluster runs on database-0" in text


def test_a_node_that_the_cluster_does_not_know_and_one_that_heat_does_not():
    members = {"controller-0": "online", "controller-1": "online", "old-db-0": "online"}
    unknown, stranger = found(facts(members=members))
    assert "database-0 (Database) has the service pacemaker; nodes: the cluster" in unknown
    assert "does not know it: computeha-0 online, controller-0 online" in unknown
    assert "overcloud has no node old-db-0; nodes: it is a full member of the cluster" in stranger
    assert "pcs cluster node remove old-db-0" in stranger


def test_a_vote_where_there_should_be_none_and_the_other_way_round():
    members = {name: "online" for name in MEMBERS if name != "database-0"} | {"computeha-0": "online"}
    said = found(facts(members=members, remotes={"database-0": "online"}))
    assert any("computeha-0" in text and "as a full member, with a vote" in text for text in said)
    assert any("database-0" in text and "as a remote node, without a vote" in text for text in said)
    assert len(said) == 2


def test_a_cluster_in_two_parts_and_one_without_quorum():
    other = replace(VIEW, seen_from="controller-1", quorum=False, members={**MEMBERS, "controller-0": "offline"})
    [text] = found(Facts(clusters=(VIEW, other)))
    assert "controller-0 sees controller-0 online" in text and "controller-1 sees controller-0 offline" in text
    [text] = found(facts(quorum=False))
    assert "Heat: 3 nodes of overcloud have a vote" in text and "controller-0 sees no quorum" in text


def test_a_service_that_somebody_else_runs_is_named_with_all_its_nodes():
    changed = {"keystone": "systemd", "haproxy": "pacemaker"}
    said = found(facts({"managed_by": {"controller-0": {"keystone": "systemd"}, "controller-1": changed}}))
    assert said[0].startswith(
        "Heat: role Controller runs keystone by systemd, in a container; "
        "nodes: on controller-0, controller-1 it is run by systemd, from a package."
    )
    assert "role Controller runs haproxy by Pacemaker, in a container; nodes: on controller-1 it" in said[1]


def test_a_node_under_repair_may_run_its_services_otherwise_while_others_are_updated():
    known = facts({"managed_by": {"controller-0": {"keystone": "systemd"}}})
    assert contradictions.contradictions_of(BUNDLED, known, {"controller-1"}) == ()
    assert len(contradictions.contradictions_of(BUNDLED, known, {"controller-0"})) == 1


def test_the_error_names_both_sides_and_the_way_around():
    with pytest.raises(ContradictingFacts, match=r"Heat: .*; nodes: .*") as caught:
        contradictions.check(BUNDLED, facts(members={"controller-0": "online", "x-1": "online"}), touching(BUNDLED))
    assert "--no-facts" in str(caught.value) and str(caught.value).count("\n  - ") == 3


def test_of_many_contradictions_some_are_told():
    strangers = {f"x-{i}": "online" for i in range(20)}
    with pytest.raises(ContradictingFacts, match="and 12 more"):
        contradictions.check(BUNDLED, facts(members={**MEMBERS, **strangers}), touching(BUNDLED))


def newton(**runners):
    """Newton without per-service data: by the outputs, systemd runs everything."""
    made = an_overcloud(packaging="packages", Controller=(3, ["pacemaker", "mysql", "keystone", "nova_api"]))
    by_outputs = dict.fromkeys(made.runners["Controller"], "systemd") | runners
    return replace(made, release="newton", runners={"Controller": by_outputs})


OLD = {"galera-master": "clone", "openstack-core-clone": "clone"}
THREE = {f"controller-{i}": "online" for i in range(3)}
RUN_BY_PACEMAKER = {"mysql": "pacemaker", "keystone": "pacemaker"}


def test_the_nodes_decide_where_newton_s_outputs_cannot():
    said = facts({"managed_by": dict.fromkeys(THREE, RUN_BY_PACEMAKER)}, members=THREE, remotes={}, resources=OLD)
    overcloud = contradictions.settled(newton(), said)
    assert overcloud.architecture == "pacemaker"
    runs = overcloud.runners["Controller"]
    assert (runs["mysql"], runs["keystone"], runs["nova_api"]) == ("pacemaker", "pacemaker", "systemd")
    assert found(said, overcloud) == []
    assert len(found(said, newton())) == 2


def test_nodes_of_a_role_that_disagree_decide_nothing():
    said = dict.fromkeys(THREE, RUN_BY_PACEMAKER) | {"controller-2": {"mysql": "pacemaker"}}
    known = facts({"managed_by": said}, members=THREE, remotes={}, resources={"galera-master": "clone"})
    overcloud = contradictions.settled(newton(), known)
    assert overcloud.runners["Controller"]["mysql"] == "pacemaker"
    assert overcloud.runners["Controller"]["keystone"] == "systemd"
    [text] = found(known, overcloud)
    assert "runs keystone by systemd, from a package; nodes: on controller-0, controller-1 it" in text


def test_a_node_that_could_not_tell_is_no_disagreement():
    said = {"controller-0": RUN_BY_PACEMAKER, "controller-1": RUN_BY_PACEMAKER}
    for more in ({"unanswered": {"controller-2": {"cluster": "exit code 1"}}}, {"down": frozenset({"controller-2"})}):
        known = facts({"managed_by": said, **more}, members=THREE, remotes={}, resources=OLD)
        overcloud = contradictions.settled(newton(), known)
        assert overcloud.runners["Controller"]["keystone"] == "pacemaker"
        assert found(known, overcloud) == []


def test_what_heat_tells_the_nodes_do_not_decide():
    told = newton(mysql="pacemaker")
    said = facts(members=THREE, remotes={}, resources=OLD)
    assert contradictions.settled(told, said) == told
    assert contradictions.settled(BUNDLED, said) == BUNDLED
    assert "the architecture is pacemaker-core" in found(said, told)[0]


def test_warnings_are_what_forbids_nothing():
    known = Facts(
        held={"controller-1": HELD},
        failed={"controller-0": ("httpd", "ntpd")},
        pending_reboot=frozenset({"compute-10", "compute-2"}),
        unanswered={f"n-{i}": {"reboot": "no answer in time"} for i in range(5)},
    )
    assert warned(known) == (
        "counted as down, 'openstack overcloud update restore' puts back what is out of use: "
        "controller-1 is failed since 1970-01-01T00:00:00Z by update u-1, batch-2",
        "failed, and the gates will say so (mend it, or accept it by name in the policy): controller-0: httpd, ntpd",
        "a reboot is pending on compute-2, compute-10",
        "the nodes did not tell: reboot of n-0, n-1, n-2 and 2 more",
    )
    assert warned(Facts()) == ()
