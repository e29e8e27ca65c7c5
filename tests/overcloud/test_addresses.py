"""Addresses in outputs: what is one, and which are the same."""

from ipaddress import IPv4Address

import pytest

from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.addresses import canonical, is_address
from tripleo_update_plugin.testing import an_overcloud, stack_outputs

CLOUD = an_overcloud(Controller=(3, ["mysql", "haproxy"]), Compute=(2, ["nova_compute"]))
NO_ADDRESSES = {
    "a zone that is a template": "fe80::1%{{ lookup('pipe', 'id') }}",
    "a zone": "fe80::1%eth0",
    "a template": "{{ lookup('pipe', 'id') }}",
    "an option": "-oProxyCommand=id",
    "words": "192.0.2.1 b",
    "a number": 3221225985,
    "yes": True,
    "a list": ["192.0.2.1"],
    "a network": "192.0.2.0/24",
    "octal numbers": "192.0.02.1",
    "other digits": "١٩٢.0.2.1",
    "a line more": "192.0.2.1\n",
}
NO_MACHINES = (
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    str(IPv4Address(0)),
    "::",
    "224.0.0.5",
    "ff02::1",
    str(IPv4Address(-1 % 2**32)),
)


def parsed(**changes):
    return outputs.parse({**stack_outputs(CLOUD), **changes}, "overcloud")


def ips(*controllers, network="ctlplane"):
    own = {"ctlplane": ["192.0.2.11", "192.0.2.12", "192.0.2.13"], network: list(controllers)}
    return {"Controller": own, "Compute": {"ctlplane": ["192.0.2.21", "192.0.2.22"]}}


@pytest.mark.parametrize("address", [*NO_ADDRESSES.values(), *NO_MACHINES])
def test_a_node_has_the_address_of_a_machine(address):
    with pytest.raises(BadOutputs, match=r"RoleNetIpMap .*nothing with it is run"):
        parsed(RoleNetIpMap=ips("192.0.2.11", address, "192.0.2.13"))


@pytest.mark.parametrize("address", NO_ADDRESSES.values())
def test_addresses_in_other_networks_are_addresses_too(address):
    with pytest.raises(BadOutputs, match="network internal_api"):
        parsed(RoleNetIpMap=ips(address, network="internal_api"))


@pytest.mark.parametrize("address", [*NO_ADDRESSES.values(), *NO_MACHINES])
def test_a_vip_is_an_address(address):
    with pytest.raises(BadOutputs, match="VipMap"):
        parsed(VipMap={"internal_api": address})


def test_two_nodes_cannot_have_the_same_address_however_it_is_spelled():
    with pytest.raises(BadOutputs, match="controller-0 and controller-2 have the same address 2001:db8::5"):
        parsed(RoleNetIpMap=ips("2001:db8::5", "2001:db8::6", "2001:DB8:0:0::5"))


def test_no_node_has_the_address_of_a_vip():
    with pytest.raises(BadOutputs, match="controller-1 has the address 2001:db8::6, which VipMap"):
        parsed(RoleNetIpMap=ips("2001:db8::5", "2001:db8::6", "2001:db8::7"), VipMap={"x": "2001:DB8:0::6"})


def test_the_only_node_may_have_its_vip():
    cloud = an_overcloud(Controller=(1, ["mysql"]))
    found = {**stack_outputs(cloud), "VipMap": {"ctlplane": cloud.nodes[0].address}}
    assert outputs.parse(found, "standalone").vips == {"ctlplane": cloud.nodes[0].address}


def test_addresses_in_hosts_entry_are_looked_at_too():
    found = {k: v for k, v in stack_outputs(CLOUD).items() if k != "RoleNetHostnameMap"}
    found["HostsEntry"] = [f"127.0.0.1 {n.name}.localdomain {n.name}" for n in CLOUD.nodes]
    with pytest.raises(BadOutputs, match=r"HostsEntry has '127.0.0.1'"):
        outputs.parse(found, "overcloud")


def test_an_address_has_one_spelling():
    spelled = {"2001:DB8:0:0::5", "2001:db8::5", "2001:0db8:0000:0000:0000:0000:0000:0005"}
    assert {canonical(each) for each in spelled} == {"2001:db8::5"}
    assert canonical("::ffff:192.0.2.1") == "192.0.2.1" and canonical("no address") == "no address"
    assert not is_address("fe80::1%eth0")
