"""An update fails with the overcloud's secrets in whatever it says: they are found nowhere afterwards."""

import json
from urllib.parse import quote

import pytest
from test_runner import ended, told, wait

#: Under names that overclouds use, in the forms that their values have.
SECRETS = {
    "AdminPassword": "Vx7mQadminQ",
    "hacluster_pwd": "Vx7mQ'ha\"cluster",
    "tripleo::haproxy::stats_pass": "Vx7mQ stats of  haproxy",
    "nova::database_connection": "mysql+pymysql://nova:Vx7mQdatabase@192.0.2.7/nova",
    "keystone::fernet_keys": {"/etc/keystone/fernet-keys/0": {"content": "Vx7mQ-fernet="}},
    "ceph_client_key": "/Vx7mQceph+key==",
    "SwiftHashSuffix": "Vx7mQsuffix",
    "octavia_ca_private_key": "-----BEGIN PRIVATE KEY-----\nVx7mQMIIEowIBAAKCAQEA\n-----END PRIVATE KEY-----\n",
}
PLANTED = "Vx7mQ"


def texts(value):
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    return [value]


SAYS = [form for text in texts(SECRETS) for form in (text, json.dumps(text), repr(text), quote(text, safe=""))]


@pytest.fixture
def secretive(undercloud):
    """An overcloud whose update sets, prints and fails with all its secrets."""
    said = {"secrets": SAYS}
    argv = ["sh", "{{ stand_in }}", "update", "{{ inventory_hostname }}"]
    undercloud.outputs["RoleData"]["Controller"] |= {
        "config_settings": dict(SECRETS),
        "update_tasks": [
            {"name": f"Set {SECRETS['AdminPassword']} of everybody", "set_fact": said},
            {"name": "Show them", "debug": {"msg": "{{ secrets }}"}},
            {"name": "Ask with them", "command": {"argv": argv}, "register": "asked", "ignore_errors": True},
            {"name": "Tell", "fail": {"msg": "{{ secrets | join(' and ') }} were refused: {{ asked.stderr }}"}},
        ],
    }
    undercloud.outputs["AdminPassword"] = SECRETS["AdminPassword"]
    return undercloud


def test_secrets_of_an_update_that_fails_with_them_are_nowhere(desk, nodes, secretive):
    nodes.sick("update", "ctl-0", says="\n".join(SAYS))
    job, _ = desk.hand_in(desk.request("update"))
    [(_, state, output)] = told(secretive)
    wait(lambda: ended(job))
    assert state == "ERROR" and "Tell: " in output["error"] and "***" in output["error"]
    assert PLANTED not in json.dumps(secretive.told)
    assert PLANTED not in json.dumps(secretive.environments), "what Mistral keeps by name, for people to look at"
    written = [path for path in desk.work.rglob("*") if path.is_file()]
    assert job.log in written and "Show them" in job.log.read_text()
    assert [path for path in written if PLANTED in path.read_text(errors="replace")] == []
    assert [path for path in (nodes.folder / "records").rglob("*.json") if PLANTED in path.read_text()] == []
