import pytest

from tripleo_update_plugin.names import is_safe_name, naturally
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.testing import an_overcloud


def test_names_are_in_the_order_a_person_counts():
    assert naturally(["compute-10", "compute-2", "ceph-1", "compute-2"]) == ("ceph-1", "compute-2", "compute-10")


def test_numbers_and_words_in_the_same_place_can_be_compared():
    assert naturally(["a1", "ab", "1a", "a", "١٢"]) == ("a", "a1", "ab", "١٢", "1a")


@pytest.mark.parametrize("name", ["compute-0", "a", "10-ab.c_d", "x" * 255])
def test_safe_names(name):
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "-rf", "../x", "a b", "a\n", "a/b", "{{ x }}", "<% $.x %>", "a'b", "a:b", "x" * 256, "é", ".hidden", None, 7],
)
def test_unsafe_names(name):
    assert not is_safe_name(name)


def test_an_overcloud_finds_its_nodes():
    overcloud = an_overcloud(Controller=(2, ["mysql", "ntp"]), Compute=(11, ["ntp"]))
    assert overcloud.nodes[-1].name == "controller-1"
    assert overcloud.node("compute-10").role == "Compute"
    assert overcloud.hosts_of("mysql") == {"controller-0", "controller-1"}
    assert overcloud.services == ("mysql", "ntp")
    with pytest.raises(KeyError):
        overcloud.node("compute-11")


def test_facts_survive_being_written_and_read():
    facts = Facts(down=frozenset({"b-10", "b-2"}), leaders={"redis": "b-1"})
    assert facts.to_dict() == {"down": ["b-2", "b-10"], "leaders": {"redis": "b-1"}}
    assert Facts.from_dict(facts.to_dict()) == facts
    assert Facts.from_dict({"down": None}) == Facts()
