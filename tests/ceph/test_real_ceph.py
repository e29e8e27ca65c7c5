"""Drains, restores and gates of the catalogue, on a real Ceph of one monitor and three OSDs."""

import subprocess

import pytest

from ceph.one_node import CLUSTER, OneNodeCeph, View

pytestmark = pytest.mark.ceph


@pytest.fixture(scope="module")
def ceph(tmp_path_factory):
    made = OneNodeCeph(tmp_path_factory.mktemp("ceph"))
    yield made
    made.close()


@pytest.fixture(params=["packages", "cephadm"])
def view(ceph, tmp_path, request):
    return View(ceph, tmp_path, cephadm=request.param == "cephadm")


def test_nobody_is_let_in_without_the_monitor_s_key(ceph):
    asked = ["ceph", "--cluster", CLUSTER, "--connect-timeout", "10", "mgr", "stat"]  # by itself it tries for 300 s
    plain = subprocess.run([*ceph.inside, *asked], capture_output=True, text=True)
    assert plain.returncode and "keyring" in plain.stderr


def test_data_stays_in_place_while_a_node_is_away(ceph, view):
    assert view.gate("ctl-0", "ceph-0") == {}
    assert view.drain("ceph-0") == {} and ceph.flags() == {"noout", "norebalance"}
    ceph.stop_osd(0)
    assert "not all placement groups are active with all their replicas" in view.gate("ceph-0")["ceph-0"]
    assert "placement groups would be offline without the OSDs of ceph-1" in view.drain("ceph-1")["ceph-1"]
    ceph.start_osd(0)
    ceph.wait(lambda: view.gate("ceph-0") == {}, 120)
    assert view.restore("ceph-0") == {} and ceph.flags() == set()


def test_osds_that_cannot_be_spared_together_are_not_drained(ceph, view):
    errors = view.drain("ceph-0", "ceph-1")
    assert set(errors) == {"ceph-0", "ceph-1"}
    assert "placement groups would be offline without the OSDs of ceph-0, ceph-1" in errors["ceph-0"]
    assert ceph.flags() == set()


def test_a_flag_of_the_operator_s_stays(ceph, view):
    ceph.ask("osd", "set", "noout")
    try:
        assert view.drain("ceph-2") == {} and ceph.flags() == {"noout", "norebalance"}
        assert view.restore("ceph-2") == {} and ceph.flags() == {"noout"}
    finally:
        ceph.ask("osd", "unset", "noout")


def test_data_that_only_moves_elsewhere_holds_nobody_up(ceph, view):
    ceph.ask("osd", "pool", "set", "data", "size", "2")
    ceph.ask("osd", "set", "norebalance")
    ceph.ask("osd", "crush", "reweight", "osd.0", "0")
    try:
        ceph.wait(ceph.moves, 60)
        ceph.wait(lambda: view.gate("ceph-1") == {}, 60)
        assert ceph.moves()
    finally:
        ceph.ask("osd", "crush", "reweight", "osd.0", "0.00198")
        ceph.ask("osd", "unset", "norebalance")
        ceph.ask("osd", "pool", "set", "data", "size", "3")
        ceph.wait(ceph.is_clean, 120)
