"""What an overcloud keeps secret, and what is told all the same."""

import json
from types import SimpleNamespace

import pytest

from tripleo_update_plugin.adapters.ansible import Event
from tripleo_update_plugin.executor.jobs.job import Job
from tripleo_update_plugin.executor.runner import redaction
from tripleo_update_plugin.executor.runner.work import Work

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAx+7q/4Zt\nq9s8LLk3/x0cVn2QJ0b5Xw==\n-----END PRIVATE KEY-----\n"


def test_secrets_of_the_overcloud_are_not_told():
    outputs = {
        "AdminPassword": "hunter22",
        "RoleData": {"Controller": {"config_settings": {"keystone::fernet_keys": {"0": {"content": "abc=def="}}}}},
        "EndpointMap": {"KeystonePublic": {"host": "overcloud.example"}},
        "short_key": "no",
    }
    redact = redaction.redactor(outputs)
    assert redact("hunter22 at overcloud.example with abc=def=: no") == "*** at overcloud.example with ***: no"
    assert len(redact("x" * 1000)) == redaction.LIMIT


KEYS = (
    "hacluster_pwd", "tripleo::haproxy_stats_pass", "passphrase", "db_pass", "MysqlRootPw", "barbican::kek",
    "ADMIN_LOGIN", "ceph_authkey", "PrivateKey", "privatekey", "apikey", "ApiKey", "api-key", "sshkey", "credentials",
    "aodh_credential", "snmp_community", "swift::hash_suffix", "SwiftHashSuffix", "swift_hash_path_suffix",
    "client_secret", "cookies", "auth_token", "fernet_keys", "KeystoneFernetKey", "corosync::authkey",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_keys_that_sound_like_a_secret(key):
    redact = redaction.redactor({"RoleData": {"x": [{key: "w0rd-of-it"}]}})
    assert redact("it said w0rd-of-it, twice") == "it said ***, twice"


@pytest.mark.parametrize(
    "key", ["keystone::public_url", "monkey", "turkey", "compass", "bypass_mode", "passive", "locator", "host"]
)
def test_keys_that_do_not(key):
    assert redaction.redactor({key: "w0rd-of-it"})("it said w0rd-of-it") == "it said w0rd-of-it"


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ({"password": 12345678}, "login with 12345678"),
        ({"password": "/Zk3+abc/def=="}, "login with /Zk3+abc/def=="),
        ({"ceph_key": "/Zk3+abc/def=="}, "login with /Zk3+abc/def=="),
        ({"passwords": {"mysql": "mond4y"}}, "login with mond4y"),
        ({"password": "it's \"so\"\\"}, json.dumps({"x": "it's \"so\"\\"})),
        ({"password": "it's \"so\"\\"}, repr(["it's \"so\"\\"])),
        ({"password": "gr\u00fc\u00df-gott"}, json.dumps("gr\u00fc\u00df-gott")),
        ({"password": "a/b+c@d:e"}, "http://x/?p=a%2Fb%2Bc%40d%3Ae"),
        ({"connection": "mysql+pymysql://nova:S3cr3t@172.16.2.5/nova"}, "cannot log in as nova with S3cr3t"),
        ({}, "mysql+pymysql://nova:S3cr3t@172.16.2.5/nova is away"),
        ({"key": PEM}, f"said {PEM}"),
        ({"key": PEM}, f"said {' '.join(PEM.split())}"),
        ({"key": PEM}, f"said {PEM!r}"),
        ({"key": PEM}, "line 2 is MIIEowIBAAKCAQEAx+7q/4Zt"),
        ({"a": {"pwd": "two  words\there"}}, "it is two words here"),
        ({}, "ran with --password=S3cr3t --login=S3cr3t hacluster_pwd: S3cr3t"),
        ({}, '{"api_key": "S3cr3t", "passphrase": "S3cr3t \\" S3cr3t", "credentials": "S3cr3t"}'),
        ({}, "{'sshkey': 'S3cr3t S3cr3t', 'community': 'S3cr3t', 'kek': 'S3cr3t'}"),
        ({}, "{\\\"db_pass\\\": \\\"S3cr3t\\\"}"),
    ],
)  # fmt: skip
def test_secrets_in_every_form(outputs, text):
    told = redaction.redactor(outputs)(text)
    assert "***" in told
    secrets = ("12345678", "Zk3+abc", "mond4y", "so", "gott", "b%2Bc", "S3cr3t", "MIIEow", "words", "x0cVn2QJ0b5Xw")
    assert not [secret for secret in secrets if secret in told]


@pytest.mark.parametrize(
    "value", ["/etc/pki/tls/key.pem", "/v3", "service", "https://overcloud.example", "{{ x }}", "/dev:/dev", True]
)
def test_what_only_stands_near_a_secret_is_told(value):
    redact = redaction.redactor({"authtoken": {"project": value}})
    assert redact(f"it is {value}.") == f"it is {value}."


def test_a_container_that_is_called_after_a_secret_makes_no_holes():
    container = {"command": ["/bin/bash", "-c", "for i in 1 2 3; do\n  echo nothing\ndone"], "volumes": ["/run:/run"]}
    redact = redaction.redactor({"docker_config": {"step_4": {"nova_libvirt_init_secret": container}}})
    assert redact("/bin/bash: /run:/run: done; echo nothing") == "/bin/bash: /run:/run: done; echo nothing"


def test_the_name_of_a_task_is_told_without_secrets(tmp_path):
    heard = []
    conf = {"tripleo_update": SimpleNamespace(update_timeout=60)}
    request = {"phase": "update", "parameters": {}}
    work = Work(job=Job(tmp_path), request=request, conf=conf, cancelled=lambda: False, hear=heard.append)
    work.redact = redaction.redactor({"AdminPassword": "hunter22"})
    work._note(Event(kind="began", task="Set hunter22, password=other"))
    assert heard == [Event(kind="began", task="Set ***, password=***")]


def test_what_is_told_is_printable():
    assert redaction.redactor({})("failed \x1b[2J") == "failed \\x1b[2J"
