"""The lab's overclouds: what the services are told, and what the plugin makes of the outputs."""

import pytest

from lab import cluster, configuration, overcloud, undercloud, update, witness
from lab.topology import ARCHITECTURES, topology
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner import planner
from tripleo_update_plugin.rules.policy import parse_policy


def parsed(architecture):
    return outputs.parse(overcloud.outputs(topology(architecture)), "overcloud")


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [("keepalived", "none"), ("pacemaker-core", "pacemaker-core"), ("pacemaker", "pacemaker"),
     ("composable", "pacemaker-core")],
)  # fmt: skip
def test_the_plugin_sees_each_architecture_for_what_it_is(architecture, kind):
    found = parsed(architecture)
    assert (found.architecture, found.packaging, found.has_update_tasks) == (kind, "packages", True)
    for service in topology(architecture).clustered:
        [runner] = {runners[service] for runners in found.runners.values() if service in runners}
        assert runner == "pacemaker"


def plan(architecture, how):
    own, care = topology(architecture), undercloud.CARELESS if how in update.CONTROLS else undercloud.CAREFUL
    folder = undercloud.profiles(care)
    allowed = parse_policy(update.policy(own, how, folder))
    return planner.plan_update(parsed(architecture), load_catalogue(str(folder)), allowed, Facts(), None, {})


def core(batches):
    return [batch.nodes for batch in batches if not any("compute" in name for name in batch.nodes)]


@pytest.mark.parametrize("architecture", ["keepalived", "pacemaker-core", "pacemaker"])
@pytest.mark.parametrize("how", ["careful", "no-gates"])
def test_controllers_go_one_by_one_with_gates_and_without(architecture, how):
    assert [len(nodes) for nodes in core(plan(architecture, how).batches)] == [1, 1, 1]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_worst_control_takes_all_hosts_of_a_role_at_once(architecture):
    biggest = max(len(nodes) for nodes in core(plan(architecture, "all-at-once").batches))
    assert biggest >= 3


def test_no_two_databases_of_composable_roles_go_together():
    databases = [sum("database" in name for name in nodes) for nodes in core(plan("composable", "careful").batches)]
    assert sum(databases) == 3
    assert max(databases) == 1


def test_haproxy_calls_its_servers_as_tripleo_does_and_can_be_told_to_drain():
    text = configuration.haproxy(topology("keepalived"))
    assert "overcloud-controller-0.internalapi.localdomain 10.77.0.10:3306 backup check inter 2000 fall 5" in text
    assert "stats socket /var/lib/haproxy/stats mode 600 level admin" in text


def test_of_redis_haproxy_finds_the_master_alone():
    assert "listen redis" not in configuration.haproxy(topology("keepalived")), "Pacemaker promotes; keepalived cannot"
    proxy = configuration.haproxy(topology("pacemaker-core")).partition("listen redis\n")[2]
    assert "tcp-check expect string role:master\n" in proxy
    assert proxy.count("  server ") == 3
    own = topology("pacemaker-core").having("redis")[1]
    assert f"bind {own.address} 127.0.0.1\n" in configuration.redis(own)


def test_each_host_is_told_its_own_address_and_all_members():
    own = topology("composable")
    first = own.having("mysql")[0]
    text = configuration.galera(own, first)
    assert f"wsrep_node_address={first.address}\n" in text
    assert "gcomm://overcloud-database-0,overcloud-database-1,overcloud-database-2\n" in text
    assert "nodes.3 = rabbit@overcloud-messaging-2" in configuration.rabbitmq(own, own.having("oslo_messaging_rpc")[0])


def test_keepalived_prefers_a_different_host_on_each_and_names_only_the_others_as_peers():
    own = topology("keepalived")
    texts = [configuration.keepalived(own, host) for host in own.having("keepalived")]
    assert len({line for text in texts for line in text.splitlines() if "priority" in line}) == 3
    assert "    10.77.0.10\n" not in texts[0]
    assert "    10.77.0.11\n" in texts[0]


def test_uwsgi_keeps_what_it_is_not_told_to_change():
    text = "[uwsgi]\nprocesses = 8\nthreads=32\nplugins = python3,apparmor\napparmor-profile = keystone\nmaster = 1\n"
    assert configuration.keystone_workers(text) == (
        "[uwsgi]\nprocesses = 2\nthreads = 4\nplugins = python3\nmaster = 1\n"
    )


def test_an_update_stops_before_it_installs_and_starts_in_the_opposite_order():
    own = topology("keepalived")
    tasks = {task["name"]: task["command"]["argv"] for task in overcloud.update_tasks(own, own.hosts[0].services)}
    stopped, started = tasks["Stop the services"][2:], tasks["Start the services"][2:]
    assert stopped == list(reversed(started))
    assert started.index("mariadb") < started.index("keystone") < started.index("keepalived")
    assert list(tasks).index("Stop the services") < list(tasks).index("Update the packages")
    assert {"mariadb-server", "rabbitmq-server", "haproxy", "keystone"} <= set(tasks["Update the packages"])


def test_what_pacemaker_runs_is_stopped_with_the_cluster_and_not_by_its_unit():
    own = topology("pacemaker-core")
    tasks = {task["name"]: task["command"]["argv"] for task in overcloud.update_tasks(own, own.hosts[0].services)}
    assert tasks["Stop the services"][2:] == ["keystone", "memcached"]
    assert tasks["Stop the cluster"][:3] == ["pcs", "cluster", "stop"]


def test_with_composable_roles_a_resource_keeps_away_from_hosts_without_its_service():
    lines = [" ".join(line) for line in cluster.resources(topology("composable"))]
    assert any(line.endswith("location galera-clone avoids overcloud-messaging-0") for line in lines)
    assert not any("galera-clone avoids overcloud-database" in line for line in lines)


ONLINE = """\
  * Current DC: overcloud-controller-1 (version 2.1.5-a3f44794f94) - partition with quorum
Node List:
  * Online: [ overcloud-controller-0 overcloud-controller-1 overcloud-controller-2 ]
"""


def test_a_cluster_is_there_when_it_has_quorum_and_every_member():
    members = topology("pacemaker-core").having("pacemaker")
    assert cluster.is_online(ONLINE, members)
    assert not cluster.is_online(ONLINE.replace(" overcloud-controller-2 ]", " ]"), members)
    assert not cluster.is_online(ONLINE.replace("with quorum", "WITHOUT quorum"), members)
    assert not cluster.is_online("", members)


BEFORE = "mariadbd        101 Sun Nov 22 14:00:00 2026\nhaproxy         102 Sun Nov 22 14:00:00 2026\n"
AFTER = "mariadbd        101 Sun Nov 22 14:09:00 2026\nhaproxy         102 Sun Nov 22 14:00:00 2026\n"


def sight(listed, installs):
    return {"db": witness.Sight(processes=witness.processes_of(listed, ("mysql", "haproxy")), installs=installs)}


def test_a_witness_tells_what_was_not_restarted_and_what_was_updated_twice():
    assert witness.doubts(sight(BEFORE, 0), sight(AFTER, 1)) == ("haproxy was not restarted on db",)
    fresh = AFTER.replace("haproxy         102 Sun Nov 22 14:00", "haproxy         103 Sun Nov 22 14:08")
    assert witness.doubts(sight(BEFORE, 0), sight(fresh, 1)) == ()
    assert witness.doubts(sight(BEFORE, 0), sight(fresh, 2)) == ("db was updated 2 times",)
    assert witness.doubts(sight(BEFORE, 0), sight("", 1)) == ("haproxy does not run on db", "mysql does not run on db")
