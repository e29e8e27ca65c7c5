import pytest

from tripleo_update_plugin.overcloud import architecture, outputs
from tripleo_update_plugin.testing import an_overcloud, stack_outputs


def puppet(*profiles):
    return {"step_config": "\n".join(f"include ::tripleo::profile::{profile}" for profile in profiles)}


OLD = puppet("pacemaker::database::mysql", "pacemaker::keystone", "pacemaker::haproxy", "base::ntp")
NEW = puppet("pacemaker::database::mysql", "base::keystone", "pacemaker::haproxy", "base::ntp")
PLAIN = puppet("base::database::mysql", "base::keystone", "base::ntp")
BUNDLES = {
    "docker_config": {"step_2": {"mysql_init_bundle": {"image": "mariadb"}}, "step_3": {"keystone": {}}},
    **puppet("pacemaker::database::mysql_bundle", "base::keystone", "pacemaker::haproxy_bundle"),
}
CONTAINERS = {"docker_config": {"step_2": {"mysql": {}}, "step_3": {"keystone": {}}}, **PLAIN}


def read(data, *services):
    found = {
        "EnabledServices": {"Controller": ["mysql", "keystone", "haproxy", "ntp", *services]},
        "RoleData": {"Controller": data},
        "RoleNetHostnameMap": {"Controller": {"ctlplane": ["controller-0"]}},
    }
    return outputs.parse(found, "overcloud")


@pytest.mark.parametrize(
    ("data", "services", "expected", "packaging"),
    [
        (OLD, ["pacemaker"], "pacemaker", "packages"),
        (NEW, ["pacemaker"], "pacemaker-core", "packages"),
        (BUNDLES, ["pacemaker"], "pacemaker-bundles", "containers"),
        (PLAIN, [], "none", "packages"),
        (CONTAINERS, [], "none", "containers"),
    ],
)
def test_four_architectures_and_two_packagings(data, services, expected, packaging):
    overcloud = read(data, *services)
    assert (overcloud.architecture, overcloud.packaging) == (expected, packaging)


@pytest.mark.parametrize(
    ("data", "mysql", "keystone"),
    [
        (OLD, "pacemaker", "pacemaker"),
        (NEW, "pacemaker", "systemd"),
        (PLAIN, "systemd", "systemd"),
        (BUNDLES, "bundle", "container"),
        (CONTAINERS, "container", "container"),
    ],
)
def test_who_runs_a_service(data, mysql, keystone):
    runners = read(data).runners["Controller"]
    assert (runners["mysql"], runners["keystone"]) == (mysql, keystone)


def test_liberty_and_mitaka_were_always_of_the_old_kind():
    assert architecture.architecture_of(True, "packages", "mitaka", ()) == "pacemaker"
    assert architecture.architecture_of(False, "packages", "mitaka", ()) == "none"


def test_a_cluster_without_the_service_pacemaker_is_still_a_cluster():
    assert read(NEW).architecture == "pacemaker-core"


def test_the_word_pacemaker_alone_means_nothing():
    script = "include ::tripleo::profile::base::keystone\n# pacemaker"
    data = {"step_config": script, "docker_config": {"step_1": {"pacemaker": {}}}}
    assert architecture.pacemaker_services(data) == set()


def test_clustercheck_is_no_resource():
    assert architecture.pacemaker_services(puppet("pacemaker::clustercheck")) == set()


@pytest.mark.parametrize(
    ("profile", "service"),
    [
        ("database::redis_bundle", "redis"),
        ("manila::share_bundle", "manila_share"),
        ("cinder::volume", "cinder_volume"),
        ("apache", "horizon"),
        ("neutron::ovs", "neutron_ovs_agent"),
        ("haproxy_bundle", "haproxy"),
    ],
)
def test_puppet_names_become_service_names(profile, service):
    assert architecture.pacemaker_services(puppet(f"pacemaker::{profile}")) == {service}


def test_the_wrapper_of_newer_releases_is_found_in_nested_blocks():
    inner = {"vars": {"tripleo_ha_wrapper_service_name": "redis"}}
    tasks = [{"block": [{"rescue": [inner]}]}, "not a task", {"vars": None}]
    assert architecture.pacemaker_services({"deploy_steps_tasks": tasks}) == {"redis"}


def test_data_per_service_is_believed_before_the_role_s():
    services = {
        "mysql": {"kolla_config": {"x": {}}, **puppet("pacemaker::database::mysql_bundle")},
        "keystone": {"puppet_config": {"config_image": "keystone"}},
        "ntp": {"puppet_config": {}, "step_config": "include ::tripleo::profile::base::ntp"},
        "haproxy": puppet("pacemaker::haproxy"),
        "gone": {"docker_config": {"step_1": {}}},
    }
    found = stack_outputs(an_overcloud(Controller=(1, ["mysql", "keystone", "ntp", "haproxy"])))
    overcloud = outputs.parse(found, "overcloud", {"Controller": services})
    assert overcloud.runners["Controller"] == {
        "mysql": "bundle",
        "keystone": "container",
        "ntp": "systemd",
        "haproxy": "pacemaker",
    }


def test_the_message_broker_keeps_its_puppet_name():
    runners = architecture.runners_of(["oslo_messaging_rpc"], puppet("pacemaker::rabbitmq_bundle"), "containers")
    assert runners == {"oslo_messaging_rpc": "bundle"}
