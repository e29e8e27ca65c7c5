"""What an overcloud keeps secret, and what is told all the same."""

from tripleo_update_plugin.executor.runner import redaction


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
