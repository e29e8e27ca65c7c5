"""What is a name, and in which order names come."""

import pytest

from tripleo_update_plugin.names import is_safe_name, naturally


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
