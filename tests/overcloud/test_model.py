import pytest

from tripleo_update_plugin.testing import an_overcloud


def test_an_overcloud_finds_its_nodes():
    overcloud = an_overcloud(Controller=(2, ["mysql", "ntp"]), Compute=(11, ["ntp"]))
    assert overcloud.nodes[-1].name == "controller-1"
    assert overcloud.node("compute-10").role == "Compute"
    assert overcloud.hosts_of("mysql") == {"controller-0", "controller-1"}
    assert overcloud.services == ("mysql", "ntp")
    with pytest.raises(KeyError):
        overcloud.node("compute-11")
