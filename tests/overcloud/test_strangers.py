"""Names in facts that are nobody's."""

from tripleo_update_plugin.overcloud import strangers
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.testing import an_overcloud

CLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]))


def test_what_fits_stays_as_it_is():
    facts = Facts(down=frozenset({"controller-1"}), leaders={"mysql": "controller-0"})
    assert strangers.without(CLOUD, facts) == (facts, ())


def test_what_is_said_of_nobody_is_told_and_left_out():
    facts = Facts(
        down=frozenset({"controller-1", "controler-2"}),
        leaders={"mysql": "controler-0", "keystone": "controller-0", "redis": "controller-0"},
        managed_by={"x-0": {"mysql": "systemd"}},
        absent={"x-2": {"mysql": "galera-bundle"}},
        updates={f"x-{n}": 1 for n in range(12)},
        pending_reboot=frozenset({"x-1"}),
    )
    left, told = strangers.without(CLOUD, facts)
    assert left == Facts(down=frozenset({"controller-1"}), leaders={"keystone": "controller-0"})
    assert told == (
        "facts name nodes that the overcloud has not, as down: controler-2",
        "facts name nodes that the overcloud has not, as pending_reboot: x-1",
        "facts name nodes that the overcloud has not, as managed_by: x-0",
        "facts name nodes that the overcloud has not, as updates: x-0, x-1, x-2 and 9 more",
        "facts name nodes that the overcloud has not, as absent: x-2",
        "facts name nodes that the overcloud has not, as leaders: controler-0",
        "facts name leaders of services that no node has: redis",
    )
