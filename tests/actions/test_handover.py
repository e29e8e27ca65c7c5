"""What an executor is given by Mistral, and refuses before anything is started."""

import pytest

from tripleo_update_plugin.actions import handover
from tripleo_update_plugin.errors import BadPolicy

GIVEN = {"stack": "overcloud", "digest": "d", "batch": "b-1", "nodes": ["ctl-0"]}


@pytest.mark.parametrize(
    ("phase", "changes", "says"),
    [
        ("drain", {"nodes": ["../x"]}, "'../x' is not a name"),
        ("drain", {"nodes": []}, "no nodes given"),
        ("drain", {"batch": "a b"}, "'a b' is not a name"),
        ("drain", {"stack": "<% $ %>"}, "is not a name"),
        ("drain", {"only": ["{{ x }}"]}, "is not a name"),
        ("drain", {"digest": ""}, "digest"),
        ("drain", {"timeout": 0}, "timeout 0"),
        ("drain", {"timeout": "1"}, "timeout '1'"),
        ("drain", {"silence": 0}, "silence 0"),
        ("drain", {"max_failed": -1}, "max_failed"),
        ("drain", {"max_failed": {"roles": {"a b": 1}}}, "'a b' is not a name"),
        ("drain", {"timeout": True}, "timeout True"),
        ("drain", {"timeout": float("nan")}, "timeout nan"),
        ("drain", {"timeout": 10**9}, "timeout 1000000000"),
        ("drain", {"nodes": "ctl-0"}, "nodes: a str is not a list of names"),
        ("drain", {"nodes": {"ctl-0": 1}}, "nodes: a dict is not a list of names"),
        ("drain", {"max_failed": True}, "max_failed: True"),
        ("drain", {"max_failed": "many"}, "max_failed: 'many'"),
        ("gate", {"moment": "before", "accept": [{"name": "unit:{{ x }}"}]}, "is no name of what may be sick"),
        ("drain", {"accept": "unit:x"}, "accept: a list"),
        ("gate", {"moment": "before", "allowed": {"mysql": True}}, "mysql True: a whole number"),
        ("gate", {"moment": "before", "allowed": ["mysql"]}, "allowed: a list is not"),
        ("gate", {"moment": "before", "allowed": {"{{ x }}": 1}}, "is not a name"),
        ("probe", {"probes": {"retry": float("nan")}}, "retry"),
        ("probe", {"probes": {"more": [{"name": "x", "kind": "icmp", "host": "-f"}]}}, "host"),
        ("gate", {"moment": "never"}, "moment 'never'"),
        ("update", {"extra_vars": ["x"]}, "extra_vars"),
        ("update", {"extra_vars": {"a-b": 1}}, "extra_vars"),
        ("update", {"extra_vars": {"x": "{{ lookup('pipe', 'id') }}"}}, "extra_vars"),
        ("update", {"extra_vars": {"x": [{"y": "{% for %}"}]}}, "extra_vars"),
        ("update", {"extra_vars": {"x": {"{{ y }}": 1}}}, "extra_vars"),
        ("update", {"extra_vars": {"x": {"__ansible_unsafe": "y"}}}, "extra_vars"),
    ],
)
def test_bad_parameters_are_refused(phase, changes, says):
    with pytest.raises((ValueError, BadPolicy), match=says.replace("$", r"\$").replace("{", r"\{")):
        handover.check(phase, {**GIVEN, **changes})


def test_plain_variables_are_taken():
    given = {"tripleo_update_package_command": ["dnf", "-y", "update"], "n": 1, "o": {"p": [True, None, 0.5]}}
    handover.check("update", {**GIVEN, "extra_vars": given})
    handover.check("update", {**GIVEN, "extra_vars": None})
