"""Variables for Ansible: data, by names that are nobody else's; one rule for the policy and for the actions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleo_update_plugin.actions import handover
from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.rules import variables
from tripleo_update_plugin.rules.policy import parse_policy

GIVEN = {"stack": "overcloud", "digest": "d", "batch": "b-1", "nodes": ["ctl-0"]}


@pytest.mark.parametrize(
    "good",
    [
        {}, {"a": 1, "_b": [None, True, {"x": 2.5}]}, {"tripleo_update_package_command": ["dnf", "-y", "update"]},
        {"tripleo_version": "x"}, {"ansible": "x"},
    ],
)  # fmt: skip
def test_plain_data_passes(good):
    assert variables.checked(good) == good


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"ansible_connection": "local"}, "not a variable that a policy may set"),
        ({"ANSIBLE_python_interpreter": "sh"}, "not a variable that a policy may set"),
        ({"ansible_ssh_common_args": "-o ProxyCommand=id"}, "not a variable that a policy may set"),
        ({"tripleo_update_flow": {}}, "tripleo_update_package_command and tripleo_update_check_command"),
        ({"tripleo_update_marks": "/var/lib/marks"}, "not a variable that a policy may set"),
        ({"tripleo_update_package_command": "dnf -y update"}, "a list of words is expected"),
        ({"tripleo_update_check_command": ["dnf", 1]}, "a list of words is expected"),
        ({"tripleo_update_check_command": []}, "a list of words is expected"),
        ({"inventory_hostname_short": "x"}, "not a variable that a policy may set"),
        ({"hostvars": {}}, "not a variable that a policy may set"), ({"None": 1}, "not a name"),
        ({1: "a"}, "not a name"), ({"a-b": 1}, "not a name"), ({"": 1}, "not a name"),
        ({"a": "{{ lookup('pipe', 'id') }}"}, "looks like an expression"), ({"a": ["<% $.x %>"]}, "expression"),
        ({"a": {"{% x %}": 1}}, "expression"), ({"a": {1: 2}}, "cannot be a key"),
        ({"a": {"__ansible_unsafe": "x"}}, "cannot be a key"), ({"a": math.nan}, "not a finite number"),
        ({"a": [math.inf]}, "not a finite number"), ({"a": {1, 2}}, "a set is no plain data"), ([1], "a mapping"),
        ("x", "a mapping"),
    ],
)  # fmt: skip
def test_everything_else_is_refused_by_name(bad, says):
    with pytest.raises(BadPolicy, match="extra_vars") as caught:
        variables.checked(bad)
    assert says in str(caught.value)


def test_a_loop_does_not_hang():
    loop = []
    loop.append(loop)
    with pytest.raises(BadPolicy, match="nested more than 20 deep"):
        variables.checked({"a": loop})


def test_aliases_of_aliases_do_not_hang():
    value = ["x"]
    for _ in range(15):
        value = [value] * 10
    with pytest.raises(BadPolicy, match="more than 10000 values"):
        variables.checked({"a": value})


TEXTS = st.sampled_from(
    ["a", "ansible_x", "tripleo_update_check_command", "<%", "{{", "{#", "__ansible_x", "x-y", "1", ""]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS | st.integers(), inner, max_size=2),
    max_leaves=6,
)


def accepts(check, *arguments):
    try:
        check(*arguments)
    except BadPolicy:
        return False
    return True


@given(st.dictionaries(TEXTS, VALUES, max_size=3))
def test_what_passes_the_policy_passes_the_action_and_the_other_way_round(extra_vars):
    by_policy = accepts(parse_policy, {"extra_vars": extra_vars})
    assert by_policy == accepts(handover.check, "update", {**GIVEN, "extra_vars": extra_vars})
