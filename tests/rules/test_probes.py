import pytest

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.rules.probes import Pace, Tolerance, parse, select
from tripleo_update_plugin.testing import an_overcloud, stack_outputs

CLOUD = an_overcloud(
    Controller=(3, ["mysql", "keystone", "cinder_api", "heat_api", "heat_api_cfn", "oslo_messaging_rpc"])
)
VIP = "10.0.0.5"


def selected(wanted=None, endpoints=(), vips=None, outputs=None):
    from dataclasses import replace

    overcloud = replace(CLOUD, endpoints=dict(endpoints), vips=vips or {})
    return select(parse({"probes": wanted or {}})[0], overcloud, outputs or stack_outputs(overcloud))


def test_what_nobody_says_is_the_default():
    wanted, tolerance = parse({})
    assert wanted.stack and wanted.pace == Pace(rate=1, timeout=2, retry=15) and wanted.more == ()
    assert tolerance == Tolerance(failed=0)


def test_every_public_endpoint_of_a_deployed_service_is_asked_once():
    found = selected(
        endpoints={
            "CinderPublic": f"https://{VIP}:13776/v1/%(tenant_id)s",
            "CinderV3Public": f"https://{VIP}:13776/v3/%(tenant_id)s",
            "CinderInternal": "http://172.16.2.5:8776",
            "HeatCfnPublic": f"http://{VIP}:8000/v1",
            "KeystonePublic": "http://[2001:db8::5]:5000",
            "SaharaPublic": f"http://{VIP}:8386",
        }
    )
    asked = {p.name: (p.kind, p.hosts, p.port, p.tls, p.path) for p in found.probes if p.kind == "http"}
    assert asked == {
        "CinderPublic": ("http", (VIP,), 13776, True, "/"),
        "HeatCfnPublic": ("http", (VIP,), 8000, False, "/"),
        "KeystonePublic": ("http", ("2001:db8::5",), 5000, False, "/"),
    }
    assert found.left_out == ("SaharaPublic",)


def test_the_database_is_asked_behind_its_vip_and_the_broker_at_its_nodes():
    outputs = {"RoleNetIpMap": {"Controller": {"ctlplane": ["192.168.24.9"], "internal_api": ["172.16.2.9"]}}}
    endpoints = {"MysqlInternal": "mysql+pymysql://172.16.2.5:3306"}
    asked = {p.name: p for p in selected(endpoints=endpoints, outputs=outputs).probes}
    assert set(asked) == {"database", "database (pooled)", "messaging"}
    assert asked["database"].hosts == ("172.16.2.5",) and not asked["database"].pooled
    assert asked["database (pooled)"].pooled and asked["messaging"].hosts == ("172.16.2.9",)


def test_without_an_endpoint_the_database_is_at_the_internal_vip():
    [new, _] = [p for p in selected(vips={"internal_api": "172.16.2.5"}).probes if p.kind == "sql"]
    assert new.hosts == ("172.16.2.5",)
    assert [p for p in selected().probes if p.kind == "sql"] == []


def test_the_policy_skips_replaces_and_adds():
    endpoints = {"KeystonePublic": f"http://{VIP}:5000", "HeatPublic": f"http://{VIP}:8004"}
    mine = {"name": "KeystonePublic", "kind": "http", "url": "https://cloud.example/v3?x=1", "status": 200}
    found = selected({"skip": ["HeatPublic", "messaging"], "more": [mine]}, endpoints).probes
    [probe] = found
    assert (probe.hosts, probe.port, probe.path, probe.statuses) == (("cloud.example",), 443, "/v3?x=1", (200,))
    assert selected({"stack": False, "more": [mine]}, endpoints).probes == found


def test_a_probe_has_its_own_pace_and_else_that_of_all():
    mine = [
        {"name": "a", "kind": "tcp", "host": "h", "port": 1, "rate": 5},
        {"name": "b", "kind": "icmp", "host": "h"},
        {"name": "c", "kind": "command", "argv": ["true"]},
        {"name": "d", "kind": "amqp", "hosts": ["h", "i"]},
    ]
    more = parse({"probes": {"timeout": 1, "more": mine}})[0].more
    assert [(p.pace.rate, p.pace.timeout) for p in more] == [(5, 1), (1, 1), (1, 1), (1, 1)]
    assert (more[2].argv, more[3].hosts, more[3].port) == (("true",), ("h", "i"), 5672)


@pytest.mark.parametrize(
    ("probes", "says"),
    [
        ({"rate": 0.1}, "it takes 3"),
        ({"rate": 0}, "rate"),
        ({"timeout": 100}, "timeout"),
        ({"more": [{"name": "x", "kind": "http", "url": "ftp://h/"}]}, "url"),
        ({"more": [{"name": "x", "kind": "http", "url": "http://h/a b"}]}, "url"),
        ({"more": [{"name": "x", "kind": "http", "url": "http://h/\r\nX: y"}]}, "url"),
        ({"more": [{"name": "x", "kind": "http", "url": "http://user:pw@h/"}]}, "url"),
        ({"more": [{"name": "x", "kind": "http", "url": "http://h:99999/"}]}, "url"),
        ({"more": [{"name": "x", "kind": "http", "url": "http://h/", "status": ["200"]}]}, "status"),
        ({"more": [{"name": "x", "kind": "tcp", "host": "-oProxy=x", "port": 1}]}, "host"),
        ({"more": [{"name": "x", "kind": "tcp", "host": "h"}]}, "port"),
        ({"more": [{"name": "x", "kind": "carrier-pigeon"}]}, "kind"),
        ({"more": [{"name": "x\n", "kind": "icmp", "host": "h"}]}, "name"),
        ({"more": [{"name": "x", "kind": "command", "argv": []}]}, "argv"),
        ({"more": [{"name": "x", "kind": "command", "argv": "rm -rf /"}]}, "argv"),
        ({"more": [{"name": "x", "kind": "icmp", "host": "h"}] * 2}, "two of them"),
        ({"more": [{"kind": "icmp"}]}, "name"),
        ({"more": 5}, "probes"),
    ],
)
def test_what_cannot_be_asked_is_refused(probes, says):
    with pytest.raises(BadPolicy, match=says):
        parse({"probes": probes})


@pytest.mark.parametrize("failed", [-1, True, "0", 1.5])
def test_a_tolerance_is_a_number_or_nothing(failed):
    with pytest.raises(BadPolicy, match="availability"):
        parse({"availability": {"failed": failed}})
    assert parse({"availability": {"failed": None}})[1].failed is None
