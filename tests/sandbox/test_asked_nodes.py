"""What a sandbox node answers to the questions before a plan, read as those of a real node are."""

from tripleo_update_plugin.library import tripleo_update_facts as module
from tripleo_update_sandbox.nodes import power
from tripleo_update_sandbox.nodes.node import find_node
from tripleo_update_sandbox.overcloud.tasks import image


def ask(node, units=(), packages=False):
    given = {"units": list(units), "packages": packages, "haproxy_socket": str(node.folder / "haproxy-stats")}
    answers, unanswered = module.facts(given, [str(node.folder / "bin")])
    assert unanswered == {}
    return answers


def copies(view):
    return {
        resource["name"]: [(copy["node"], copy["promoted"]) for copy in resource["instances"]]
        for resource in view["resources"]
    }


def test_the_cluster_and_what_it_runs_where(controller):
    view = ask(controller)["cluster"]
    assert view["quorum"] and {node["state"] for node in view["nodes"]} == {"online"}
    everywhere = [f"t-controller-{i}" for i in range(3)]
    found = copies(view)
    assert found["galera-bundle"] == [(name, True) for name in everywhere]
    assert found["rabbitmq-bundle"] == [(name, False) for name in everywhere]
    assert found["redis-bundle"] == [(name, name == "t-controller-0") for name in everywhere]
    assert found["openstack-cinder-volume"] == found["ip-10.0.0.5"] == [("t-controller-0", False)]


def test_a_replica_that_is_broken_is_still_one_and_a_cluster_says_what_it_was_told(controller, state):
    power.fault(controller, "mysql", broken=True)
    view = ask(controller)["cluster"]
    [galera] = [each for each in view["resources"] if each["name"] == "galera-bundle"]
    assert (galera["replicas"], len(galera["instances"])) == (3, 2)
    assert (view["fencing"], view["maintenance"], view["all_stopped"]) == (True, False, False)
    query = ["crm_attribute", "--type", "crm_config", "--name", "stonith-enabled", "--query", "--quiet"]
    assert controller.run(*query).returncode == 105
    for word in ("stonith-enabled=false", "maintenance-mode=true", "stop-all-resources=true"):
        assert controller.run("pcs", "property", "set", word).returncode == 0
    view = ask(find_node(state, "t-controller-1"))["cluster"]
    assert (view["fencing"], view["maintenance"], view["all_stopped"]) == (False, True, True)
    assert controller.run(*query).stdout == "false\n"
    assert controller.run(*query[:5], "--update", "true").returncode == 0
    assert controller.run("pcs", "property", "unset", "stop-all-resources").returncode == 0
    view = ask(controller)["cluster"]
    assert (view["fencing"], view["all_stopped"]) == (True, False)
    assert controller.run("pcs", "property", "set", "x=y").returncode == 64


def test_leaders_move_with_the_cluster(controller, state):
    controller.run("pcs", "cluster", "stop")
    assert ask(controller)["cluster"] is None
    other = ask(find_node(state, "t-controller-1"))["cluster"]
    assert [node["state"] for node in other["nodes"]] == ["offline", "online", "online"]
    assert copies(other)["redis-bundle"] == [("t-controller-1", True), ("t-controller-2", False)]
    assert copies(other)["openstack-cinder-volume"] == [("t-controller-1", False)]


def test_units_and_containers(compute):
    power.fault(compute, "nova_compute", broken=True)
    answers = ask(compute, ["tripleo_nova_compute", "tripleo_ovn_controller", "libvirtd"])
    assert answers["units"] == {"tripleo_nova_compute": "failed", "tripleo_ovn_controller": "active"}
    assert answers["cluster"] is None
    assert "nova_compute" not in answers["containers"]
    assert answers["containers"]["ovn_controller"] == image("ovn_controller")


def test_a_reboot_is_pending_until_the_node_boots(compute):
    assert ask(compute)["reboot"] is False
    (compute.folder / "reboot").touch()
    assert ask(compute)["reboot"] is True
    power.power(compute, on=False)
    power.power(compute, on=True)
    assert ask(compute)["reboot"] is False


def test_repositories_have_nothing_new(compute):
    assert ask(compute, packages=True)["updates"] == 0
