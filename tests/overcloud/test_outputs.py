import json
from copy import deepcopy

import pytest

from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.overcloud import export, outputs
from tripleo_update_plugin.overcloud.nodes import role_in
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.testing import RELEASES, an_overcloud, stack_outputs

SMALL = an_overcloud(Controller=(1, ["mysql"]), Compute=(2, ["nova_compute"]))


def small(**changes):
    return {**deepcopy(stack_outputs(SMALL)), **changes}


def stack_show(found):
    """What ``openstack stack show -f json`` prints."""
    entries = [{"output_key": key, "output_value": value, "description": "…"} for key, value in found.items()]
    return {"id": "6d3c0f1e", "stack_name": "overcloud", "parameters": {}, "outputs": entries, "parent": None}


def output_show_as_text(found):
    """What ``openstack stack output show --all -f json`` prints: JSON inside of JSON."""
    return {key: json.dumps({"output_key": key, "output_value": value}) for key, value in found.items()}


def output_show_as_objects(found):
    return {key: {"output_key": key, "output_value": value} for key, value in found.items()}


@pytest.mark.parametrize("form", [dict, output_show_as_text, output_show_as_objects])
def test_every_form_of_outputs_says_the_same(form):
    assert outputs.read_document(form(small())) == (small(), "")


def test_stack_show_also_tells_the_stack():
    assert outputs.read_document(stack_show(small())) == (small(), "overcloud")


def test_an_output_without_a_value_is_none():
    assert outputs.read_document({"outputs": [{"output_key": "A", "output_error": "…"}]}) == ({"A": None}, "")


@pytest.mark.parametrize("form", [stack_show, output_show_as_text, output_show_as_objects])
def test_an_output_that_heat_could_not_make_is_refused_with_heat_s_reason(form):
    document = form(small(BlacklistedHostnames=None))
    broken = {"output_key": "BlacklistedHostnames", "output_value": None, "output_error": "must operate on a list"}
    if "outputs" in document:
        document["outputs"] = [e if e["output_key"] != broken["output_key"] else broken for e in document["outputs"]]
    else:
        document["BlacklistedHostnames"] = json.dumps(broken) if form is output_show_as_text else broken
    with pytest.raises(BadOutputs, match="could not make the output BlacklistedHostnames: must operate on a list"):
        outputs.read_document(document)


@pytest.mark.parametrize("status", ["UPDATE_FAILED", "UPDATE_IN_PROGRESS", "DELETE_COMPLETE", 7])
def test_a_stack_that_is_not_complete_is_refused(status):
    with pytest.raises(BadOutputs, match=f"in state {status}"):
        outputs.read_document({**stack_show(small()), "stack_status": status})
    assert outputs.read_document({**stack_show(small()), "stack_status": "UPDATE_COMPLETE"})[1] == "overcloud"


def without(found, key, role):
    inner = found[key]["server_ids"] if key == "ServerIdData" else found[key]
    del inner[role]
    return found


@pytest.mark.parametrize("key", ["RoleNetHostnameMap", "RoleNetIpMap", "ServerIdData", "RoleData"])
def test_a_role_that_one_output_does_not_have_is_refused(key):
    with pytest.raises(BadOutputs, match=rf"{key} does not have the role Compute, of which .* has nodes"):
        outputs.parse(without(small(), key, "Compute"), "overcloud")


@pytest.mark.parametrize("networks", [None, {}, {"ctlplane": []}])
def test_nodes_do_not_vanish_from_the_hostname_map(networks):
    found = small()
    found["RoleNetHostnameMap"]["Compute"] = networks
    with pytest.raises(BadOutputs, match=r"RoleNetIpMap of role Compute|has no nodes of the role Compute"):
        outputs.parse(found, "overcloud")
    found["RoleNetIpMap"]["Compute"] = {}
    with pytest.raises(BadOutputs, match=r"ServerIdData .*Compute|has no nodes of the role Compute"):
        outputs.parse(found, "overcloud")


@pytest.mark.parametrize("nothing", [None, []])
def test_a_role_with_nodes_has_services(nothing):
    found = small()
    found["EnabledServices"]["Controller"] = nothing
    with pytest.raises(BadOutputs, match="EnabledServices names no service of role Controller"):
        outputs.parse(found, "overcloud")


def test_whoever_is_excluded_is_a_node():
    with pytest.raises(BadOutputs, match=r"BlacklistedHostnames has 'compute-7.example', which is no node"):
        outputs.parse(small(BlacklistedHostnames=["", "compute-7.example"]), "overcloud")


def test_exclusions_by_name_and_by_address_are_the_same():
    address = next(node.address for node in SMALL.nodes if node.name == "compute-1")
    found = small(BlacklistedHostnames=["", "Compute-1", ""], BlacklistedIpAddresses=["", address, ""])
    assert [n.name for n in outputs.parse(found, "overcloud").nodes if n.excluded] == ["compute-1"]
    with pytest.raises(BadOutputs, match=f"BlacklistedIpAddresses has {address} of compute-1"):
        outputs.parse({**found, "BlacklistedHostnames": ["", "", ""]}, "overcloud")


def test_exclusions_hold_wherever_the_nodes_are_read_from():
    found = {k: v for k, v in small(BlacklistedHostnames=["compute-1"]).items() if k != "RoleNetHostnameMap"}
    assert [n.name for n in outputs.parse(found, "overcloud").nodes if n.excluded] == ["compute-1"]
    members = {"Compute": [{"name": "compute-1"}], "Controller": [{"name": "controller-0"}]}
    found["ResourceGroupMembers"] = members
    assert [n.name for n in outputs.parse(found, "overcloud").nodes if n.excluded] == ["compute-1"]


def test_an_export_of_empty_outputs_can_be_read():
    snapshot = Snapshot.of("overcloud", small(BlacklistedHostnames=[], RoleConfig={}, VipMap={}))
    exported = export.from_document(json.loads(json.dumps(export.to_document(snapshot))))
    assert exported.overcloud() == snapshot.overcloud()


@pytest.mark.parametrize("document", [[], "x", None, {"outputs": ["x"]}, {"outputs": [{"value": 1}]}])
def test_what_is_not_outputs(document):
    with pytest.raises(BadOutputs):
        outputs.read_document(document)


def test_output_show_that_was_cut_off_names_the_output():
    with pytest.raises(BadOutputs, match="RoleData"):
        outputs.read_document({"RoleData": '{"output_key": "RoleData", "output_va'})


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("packaging", ["containers", "packages"])
def test_builders_and_parser_agree(release, packaging):
    overcloud = an_overcloud(
        release=release,
        packaging=packaging,
        excluded=["compute-1"],
        Controller=(3, ["pacemaker", "mysql", "oslo_messaging_rpc", "keystone"]),
        Compute=(2, ["nova_compute"]),
    )
    assert outputs.parse(stack_outputs(overcloud), "overcloud") == overcloud


def test_the_digest_does_not_see_the_order_of_keys():
    backwards = dict(reversed(small().items()))
    assert outputs.digest(backwards) == outputs.digest(small()) == SMALL.digest
    assert outputs.digest(small(VipMap={})) != SMALL.digest


def test_names_are_shortened_and_lowered_and_keep_their_place():
    hostnames = {"Compute": {"ctlplane": ["B-1.ctlplane.example", "a-0.ctlplane.example"]}}
    found = small(RoleNetHostnameMap=hostnames, RoleNetIpMap={"Compute": {"ctlplane": ["fd00::1", "fd00::2"]}})
    found["ServerIdData"] = {"server_ids": {"Compute": ["one", "two"]}}
    nodes = outputs.parse(found, "overcloud").nodes
    assert [(n.name, n.address, n.server_id) for n in nodes] == [("a-0", "fd00::2", "two"), ("b-1", "fd00::1", "one")]


def test_excluded_nodes_stay_nodes():
    found = small(BlacklistedHostnames=["", "compute-1.ctlplane.localdomain", ""])
    nodes = {n.name: bool(n.excluded) for n in outputs.parse(found, "overcloud").nodes}
    assert nodes == {"compute-0": False, "compute-1": True, "controller-0": False}


@pytest.mark.parametrize("nothing", [None, {}, {"ctlplane": []}, {"ctlplane": None}])
def test_an_empty_role_has_no_nodes(nothing):
    found = small()
    for key in ("RoleNetHostnameMap", "RoleNetIpMap"):
        found[key]["Compute"] = nothing
    found["ServerIdData"]["server_ids"]["Compute"] = None
    assert [n.name for n in outputs.parse(found, "overcloud").nodes] == ["controller-0"]


OPTIONAL = ["RoleNetIpMap", "ServerIdData", "VipMap", "EndpointMap", "RoleData", "BlacklistedHostnames"]


@pytest.mark.parametrize("key", OPTIONAL)
def test_what_is_only_nice_to_have_may_be_missing(key):
    missing = {k: v for k, v in small().items() if k != key}
    nodes = outputs.parse(missing, "overcloud").nodes
    assert [node.name for node in nodes] == ["compute-0", "compute-1", "controller-0"]


@pytest.mark.parametrize("key", [*OPTIONAL, "EnabledServices", "RoleNetHostnameMap", "RoleConfig"])
def test_null_is_not_the_same_as_nothing(key):
    with pytest.raises(BadOutputs, match=f"output {key} (is null|should be a list)"):
        outputs.parse(small(**{key: None}), "overcloud")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "RoleNetIpMap",
            {"Compute": {"ctlplane": ["192.0.2.1"]}},
            "RoleNetIpMap of role Compute does not have the 2 addresses",
        ),
        ("ServerIdData", {"server_ids": {"Compute": ["a", "b", "c"]}}, "does not have the 2 servers of role Compute"),
        ("RoleNetHostnameMap", {"Compute": ["compute-0"]}, "should be a mapping"),
        ("RoleNetHostnameMap", {"Compute": {"ctlplane": "compute-0"}}, "list of names"),
        ("RoleNetHostnameMap", {"Compute": {"ctlplane": [None]}}, "list of names"),
        ("RoleNetHostnameMap", {"Unheard": {"ctlplane": ["x-0"]}}, "EnabledServices does not know it"),
        ("EnabledServices", {"Compute": "nova_compute"}, "not a list of services"),
        ("EnabledServices", ["nova_compute"], "should be a mapping"),
        ("EnabledServices", {"Compute; rm": ["nova_compute"]}, "'Compute; rm'"),
        ("EnabledServices", {"Compute": ["nova_compute", "x\n- y"]}, "not a service name"),
    ],
)
def test_misaligned_and_misshapen_outputs_are_named(key, value, words):
    with pytest.raises(BadOutputs, match=words):
        outputs.parse(small(**{key: value}), "overcloud")


HOSTILE = ["<% $.x %>", "{{ x }}", "a b", "-o", "$(id)", "a\nb", "a:b", "..", "", "x'"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_host_name_is_refused(name):
    found = small(RoleNetHostnameMap={"Controller": {"ctlplane": [name]}}, RoleNetIpMap={}, ServerIdData={})
    with pytest.raises(BadOutputs, match="not a host name"):
        outputs.parse(found, "overcloud")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_stack_name_is_refused(name):
    with pytest.raises(BadOutputs, match="not a stack name"):
        outputs.parse(small(), name)


def test_a_node_in_two_roles_is_refused():
    found = small(RoleNetIpMap={}, ServerIdData={})
    found["RoleNetHostnameMap"]["Controller"]["ctlplane"] = ["COMPUTE-1.ctlplane.localdomain"]
    with pytest.raises(BadOutputs, match="compute-1 is in the roles"):
        outputs.parse(found, "overcloud")


def test_an_overcloud_without_nodes_or_services_is_refused():
    with pytest.raises(BadOutputs, match="no output names a node"):
        outputs.parse(small(RoleNetHostnameMap={}, HostsEntry=None), "overcloud")
    with pytest.raises(BadOutputs, match="names any service"):
        outputs.parse({}, "overcloud")


HOSTS = """192.0.2.1 undercloud.ctlplane.localdomain undercloud.ctlplane
192.0.2.5 overcloud.localdomain
192.0.2.11 overcloud-controller-0.localdomain overcloud-controller-0
192.0.2.12 overcloud-novacompute-10.localdomain overcloud-novacompute-10
192.0.2.13 overcloud-novacompute-2.localdomain overcloud-novacompute-2

192.0.2.1 undercloud.localdomain undercloud
"""


def on_one_line(text):
    return text.replace("\n", " ")


def by_backslash_and_n(text):
    return text.replace("\n", "\\n")


@pytest.mark.parametrize("form", [str, str.splitlines, on_one_line, by_backslash_and_n])
def test_nodes_of_newton_come_from_hosts_entry(form):
    enabled = {"Controller": ["mysql"], "Compute": ["nova_compute"]}
    overcloud = outputs.parse({"EnabledServices": enabled, "HostsEntry": form(HOSTS)}, "overcloud")
    assert overcloud.release == "newton"
    assert [(n.name, n.role, n.address) for n in overcloud.nodes] == [
        ("overcloud-controller-0", "Controller", "192.0.2.11"),
        ("overcloud-novacompute-2", "Compute", "192.0.2.13"),
        ("overcloud-novacompute-10", "Compute", "192.0.2.12"),
    ]


def test_services_may_come_from_role_data_alone():
    found = {k: v for k, v in small().items() if k != "EnabledServices"}
    assert outputs.parse(found, "overcloud").hosts_of("mysql") == {"controller-0"}


def test_vips_and_endpoints():
    vips = {"ctlplane": "192.0.2.5", "redis": "", "ctlplane_uri": "192.0.2.5", "ctlplane_subnet": "24", "x": None}
    found = small(VipMap=vips, EndpointMap={"KeystonePublic": {"uri": "http://192.0.2.5"}, "Odd": "x", "Empty": {}})
    overcloud = outputs.parse(found, "overcloud")
    assert overcloud.vips == {"ctlplane": "192.0.2.5"}
    assert overcloud.endpoints == {"KeystonePublic": "http://192.0.2.5"}


def test_no_digest_is_of_a_password_alone():
    told = outputs.digests(small(AdminPassword="monday"))
    assert told["AdminPassword"] == ""
    assert outputs.digest(small(AdminPassword="monday")) != outputs.digest(small(AdminPassword="sunday"))


def test_what_changed_is_told_by_output():
    before = outputs.digests(small())
    now = outputs.digests({**{k: v for k, v in small().items() if k != "VipMap"}, "HostsEntry": [], "Fresh": 1})
    assert outputs.differences(before, now) == "changed: HostsEntry; new: Fresh; gone: VipMap"
    assert outputs.differences(before, before) == ""


@pytest.mark.parametrize("address", ["{{ lookup('pipe', 'id') }}", "-oProxyCommand=id", "192.0.2.1 b"])
def test_a_hostile_address_is_refused(address):
    found = small(RoleNetHostnameMap={"Controller": {"ctlplane": ["a-0"]}}, ServerIdData={})
    found["RoleNetIpMap"] = {"Controller": {"ctlplane": [address]}}
    with pytest.raises(BadOutputs):
        outputs.parse(found, "overcloud")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("BlacklistedHostnames", 7),
        ("BlacklistedHostnames", [7]),
        ("RoleData", {"Compute": "x"}),
        ("RoleNetIpMap", {"Compute": ["192.0.2.1"]}),
        ("ServerIdData", ["x"]),
        ("VipMap", {"ctlplane": "{{ x }}"}),
        ("VipMap", {"ctlplane": ["192.0.2.1"]}),
        ("EndpointMap", {"KeystonePublic": {"uri": 7}}),
        ("RoleData", {"Compute": {"step_config": 7}}),
        ("RoleData", {"Compute": {"deploy_steps_tasks": {"a": "b"}}}),
        ("RoleData", {"Compute": {"puppet_config": "x"}}),
    ],
)
def test_other_shapes_are_refused_by_name(key, value):
    with pytest.raises(BadOutputs, match=key):
        outputs.parse(small(**{key: value}), "overcloud")


def newton(hosts, *roles, **more):
    enabled = {role: ["ntp"] for role in roles}
    return outputs.parse({"EnabledServices": enabled, "HostsEntry": hosts, **more}, "overcloud")


def test_nodes_whose_role_is_not_in_their_name_are_never_lost():
    hosts = [*HOSTS.splitlines(), "192.0.2.20 rack1.localdomain rack1", "192.0.2.21 over-unheard-0.x over-unheard-0"]
    with pytest.raises(BadOutputs, match="HostsEntry does not tell the role of rack1, over-unheard-0") as refusal:
        newton(hosts, "Controller", "Compute")
    assert "--stack NAME" in refusal.value.remedy


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("over-cloud-controlplane2-0", "ControlPlane2"),
        ("computehci-12", "ComputeHCI"),
        ("x-hci-0", "HCI"),
        ("x-novacompute-1", "Compute"),
        ("x-compute-1", "Compute"),
        ("x-my-role-3", "My-Role"),
        ("x-compute_a-3", "Compute_A"),
        ("compute", ""),
        ("x-recompute-0", ""),
    ],
)
def test_default_host_names_tell_the_role(name, role):
    assert role_in(name, ["Compute", "ComputeHCI", "HCI", "ControlPlane2", "My-Role", "Role", "Compute_A"]) == role


@pytest.mark.parametrize("hosts", [7, [7], {"a": "b"}])
def test_hosts_of_another_shape_are_refused(hosts):
    with pytest.raises(BadOutputs, match="HostsEntry"):
        newton(hosts, "Controller")


MEMBERS = {
    "Controller": [{"name": "Rack1", "address": "192.0.2.11", "server_id": "f0"}],
    "Compute": [{"name": "rack2", "address": "", "server_id": None}],
    "Spare": None,
}


def test_members_of_resource_groups_go_before_hosts_and_after_the_hostname_map():
    overcloud = newton(HOSTS, "Controller", "Compute", ResourceGroupMembers=MEMBERS)
    assert [(n.name, n.role, n.address, n.server_id) for n in overcloud.nodes] == [
        ("rack1", "Controller", "192.0.2.11", "f0"),
        ("rack2", "Compute", "", ""),
    ]
    hostnames = {"Controller": {"ctlplane": ["mapped-0"]}}
    overcloud = newton(HOSTS, "Controller", "Compute", ResourceGroupMembers=MEMBERS, RoleNetHostnameMap=hostnames)
    assert [node.name for node in overcloud.nodes] == ["mapped-0"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Controller": ["x"]}, "should be a list of"),
        ({"Controller": {"name": "x"}}, "should be a list of"),
        ({"Unheard": [{"name": "x"}]}, "EnabledServices does not know it"),
        ({"Controller": [{"name": "x", "address": "{{ x }}"}]}, "not an IP address"),
        ({"Controller": [{"address": "192.0.2.1"}]}, "is not a host name"),
        (["x"], "should be a mapping"),
    ],
)
def test_members_of_another_shape_are_refused(members, words):
    with pytest.raises(BadOutputs, match=words):
        newton(HOSTS, "Controller", "Compute", ResourceGroupMembers=members)


def test_newton_s_service_chains_are_bound_by_the_digest_and_are_but_signs():
    services = {
        "Controller": {
            "ntp": {"step_config": "include ::tripleo::profile::pacemaker::ntp", "config_settings": {"key": "sesame"}},
            "not_enabled": {},
        },
        "Unheard": {},
    }
    found = outputs.with_service_chains({"EnabledServices": {"Controller": ["ntp"]}, "HostsEntry": HOSTS}, services)
    assert set(found["ServiceChains"]) == {"Controller"} and set(found["ServiceChains"]["Controller"]) == {"ntp"}
    assert "sesame" not in json.dumps(found)
    alone = {**found, "HostsEntry": HOSTS.splitlines()[2]}
    assert outputs.parse(alone, "overcloud").runners["Controller"]["ntp"] == "pacemaker"
    assert outputs.with_service_chains(small(), services) == small()


def test_each_service_s_own_data_tells_who_runs_it():
    services = {"Controller": {"mysql": {"step_config": "include ::tripleo::profile::pacemaker::database::mysql"}}}
    hosts = "192.0.2.10 a.localdomain over-controller-0"
    root = {"EnabledServices": {"Controller": ["mysql", "pacemaker"]}, "HostsEntry": hosts}
    assert outputs.parse(root, "overcloud").runners["Controller"]["mysql"] == "systemd"
    assert outputs.parse(root, "overcloud", services).runners["Controller"]["mysql"] == "pacemaker"


def test_what_the_stack_says_of_its_services_is_not_replaced():
    found = {"EnabledServices": {"Controller": ["ntp"]}, "ServiceChains": {"Controller": {"ntp": {}}}}
    assert outputs.with_service_chains(found, {"Controller": {"ntp": {"step_config": "x"}}}) == found


def test_images_of_containers_by_role():
    steps = {
        "step_1": {"mysql_bootstrap": {"image": "r/mariadb:1", "command": ["x"]}},
        "step_4": {"keystone": {"image": "r/keystone:1"}, "odd": "text", "unnamed": {"net": "host"}},
        "step_5": None,
    }
    found = {"RoleData": {"Controller": {"docker_config": steps}, "Compute": None, "Ceph": {"docker_config": {}}}}
    assert outputs.images(found) == {
        "Controller": {"mysql_bootstrap": "r/mariadb:1", "keystone": "r/keystone:1"},
        "Compute": {},
        "Ceph": {},
    }
    assert outputs.images({}) == {}
