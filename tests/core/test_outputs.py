import json
from copy import deepcopy

import pytest

from tripleo_update_plugin import outputs
from tripleo_update_plugin.errors import BadOutputs
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
    found = small(RoleNetHostnameMap=hostnames, RoleNetIpMap={"Compute": {"ctlplane": ["::1", "::2"]}})
    found["ServerIdData"] = {"server_ids": {"Compute": ["one", "two"]}}
    nodes = outputs.parse(found, "overcloud").nodes
    assert [(n.name, n.address, n.server_id) for n in nodes] == [("a-0", "::2", "two"), ("b-1", "::1", "one")]


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
def test_what_is_only_nice_to_have_may_be_null_or_missing(key):
    null = small(**{key: None})
    missing = {k: v for k, v in null.items() if k != key}
    assert outputs.parse(null, "overcloud").nodes != ()
    assert outputs.parse(null, "overcloud").nodes == outputs.parse(missing, "overcloud").nodes


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
    found = small(RoleNetHostnameMap={"Controller": {"ctlplane": [name]}}, RoleNetIpMap=None, ServerIdData=None)
    with pytest.raises(BadOutputs, match="not a host name"):
        outputs.parse(found, "overcloud")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_stack_name_is_refused(name):
    with pytest.raises(BadOutputs, match="not a stack name"):
        outputs.parse(small(), name)


def test_a_node_in_two_roles_is_refused():
    found = small(RoleNetIpMap=None, ServerIdData=None)
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

192.0.2.14 overcloud-unheard-0.localdomain overcloud-unheard-0
"""


@pytest.mark.parametrize("form", [str, str.splitlines])
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


def test_what_changed_is_told_by_output():
    before = outputs.digests(small())
    now = outputs.digests({**{k: v for k, v in small().items() if k != "VipMap"}, "HostsEntry": [], "Fresh": 1})
    assert outputs.differences(before, now) == "changed: HostsEntry; new: Fresh; gone: VipMap"
    assert outputs.differences(before, before) == ""


@pytest.mark.parametrize("address", ["{{ lookup('pipe', 'id') }}", "-oProxyCommand=id", "192.0.2.1 b"])
def test_a_hostile_address_is_refused(address):
    found = small(RoleNetHostnameMap={"Controller": {"ctlplane": ["a-0"]}}, ServerIdData=None)
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
    ],
)
def test_other_shapes_are_refused_by_name(key, value):
    with pytest.raises(BadOutputs, match=key):
        outputs.parse(small(**{key: value}), "overcloud")


def test_newton_joins_lines_of_its_hosts_by_a_backslash_and_an_n():
    hosts = r"192.0.2.10 a.localdomain over-controller-0\n192.0.2.11 b.localdomain over-controller-1"
    overcloud = outputs.parse({"EnabledServices": {"Controller": ["mysql"]}, "HostsEntry": hosts}, "overcloud")
    assert {node.name: node.address for node in overcloud.nodes} == {
        "over-controller-0": "192.0.2.10",
        "over-controller-1": "192.0.2.11",
    }


def test_each_service_s_own_data_tells_who_runs_it():
    services = {"Controller": {"mysql": {"step_config": "include ::tripleo::profile::pacemaker::database::mysql"}}}
    hosts = "192.0.2.10 a.localdomain over-controller-0"
    root = {"EnabledServices": {"Controller": ["mysql", "pacemaker"]}, "HostsEntry": hosts}
    assert outputs.parse(root, "overcloud").runners["Controller"]["mysql"] == "systemd"
    assert outputs.parse(root, "overcloud", services).runners["Controller"]["mysql"] == "pacemaker"
