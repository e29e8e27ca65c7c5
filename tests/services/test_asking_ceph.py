"""How Ceph is asked: whoever deployed it, whatever its cluster's name; and what is said where it does not answer."""

import json
import socket

import pytest
from ansible.module_utils.tripleo_update_ceph import cannot_spare, whole, why

OWN = socket.gethostname().split(".")[0]
FSID = "11111111-2222-3333-4444-555555555555"
ANSIBLE = ["docker", "exec", "ceph-mon-ctl-0"]
CEPHADM = ["podman", "exec", f"ceph-{FSID}-mon-ctl-0"]


def asked(inside, folders=(), configured=(), argv=("ceph", "osd", "dump")):
    """The command, without ceph and what is asked of it, where a monitor's and a configuration's folder hold that."""
    listed = {"/var/lib/ceph/mon": folders, "/etc/ceph": configured}

    def answer(words):
        assert words[: len(inside)] == inside and words[len(inside)] == "ls", "only folders are looked at"
        return 0, "".join(f"{name}\n" for name in listed[words[-1]])

    first, *options, osd, dump = whole(list(argv), inside, answer)
    assert (first, osd, dump) == ("ceph", "osd", "dump")
    return " ".join(options)


def own_key(cluster, id):
    return f"--cluster {cluster} -n mon. -k /var/lib/ceph/mon/{cluster}-{id}/keyring"


@pytest.mark.parametrize(
    ("inside", "folders", "wanted"),
    [
        ([], [f"ceph-{OWN}"], own_key("ceph", OWN)),
        ([], [f"dcn0-{OWN}"], own_key("dcn0", OWN)),
        ([], [f"site-a-{OWN}"], own_key("site-a", OWN)),
        (ANSIBLE, ["dcn0-ctl-0"], own_key("dcn0", "ctl-0")),
        (ANSIBLE, ["central-other", f"dcn0-{OWN}"], own_key("dcn0", OWN)),
        (CEPHADM, ["ceph-ctl-0.example"], own_key("ceph", "ctl-0.example")),
        (CEPHADM, ['{"quorum_names":', '["ctl-0"]}'], own_key("ceph", "ctl-0")),
        (["podman", "exec", f"ceph-{FSID}-mon.ctl-0"], [], own_key("ceph", "ctl-0")),
    ],
    ids=["packages", "another name", "a name with a hyphen", "ceph-ansible", "two monitors", "cephadm",
         "cephadm, no list", "cephadm before 16"],
)  # fmt: skip
def test_it_is_asked_with_the_monitor_s_own_key(inside, folders, wanted):
    assert asked(inside, folders) == wanted


@pytest.mark.parametrize(
    ("configured", "cluster"),
    [(["dcn0.conf", "dcn0.client.admin.keyring"], "dcn0"), (["a.conf", "b.conf"], "ceph"), ([], "ceph")],
)
def test_without_a_monitor_s_folder_the_administrator_asks(configured, cluster):
    assert asked(ANSIBLE, [], configured) == f"--cluster {cluster}"


@pytest.mark.parametrize(
    ("inside", "folders", "wanted"),
    [
        ([], ["ceph-x", "dcn0-x"], own_key("dcn0", "x")),
        ([], ["ceph-x"], "--cluster dcn0"),
        (CEPHADM, ["ceph-ctl-0"], own_key("ceph", "ctl-0")),
    ],
    ids=["of two", "not here", "cephadm knows one name only"],
)
def test_a_cluster_that_is_named_is_the_one_that_is_asked(inside, folders, wanted):
    assert asked(inside, folders, argv=("ceph", "--cluster", "dcn0", "osd", "dump")) == wanted


def test_no_name_is_as_good_as_none():
    assert asked([], ["dcn0-x"], argv=("ceph", "--cluster", "", "osd", "dump")) == own_key("dcn0", "x")


@pytest.mark.parametrize(
    ("code", "err", "reason"),
    [
        (13, "RADOS permission denied", "ceph has no key that the cluster accepts"),
        (1, "auth: unable to find a keyring on /etc/ceph/keyring: (2)", "ceph has no key that the cluster accepts"),
        (1, "ObjectNotFound('... (error calling conf_read_file)')", "ceph has no configuration of that cluster"),
        (1, "[errno 110] error connecting to the cluster", "no monitor of Ceph answers"),
        (1, "timed out", "no monitor of Ceph answers"),
        (22, "secret", "ceph ended with 22"),
    ],
)
def test_what_is_wrong_is_told_in_words(code, err, reason):
    assert why(code, err) == reason


HOSTS = {"hci-0": [0, 3], "hci-1.example": [1], "hci-2": [2]}


@pytest.mark.parametrize(
    ("nodes", "osds", "code", "reason"),
    [
        (["hci-0"], ["0", "3"], 0, ""),
        (["hci-1", "hci-0"], ["0", "3", "1"], 16, "placement groups would be offline without the OSDs of hci-0, hci-1"),
        (["hci-2"], ["2"], 11, "placement groups would be offline without the OSDs of hci-2"),
        (["hci-2"], ["2"], 13, "ceph has no key that the cluster accepts"),
        (["ctl-0"], None, 16, ""),
    ],
)
def test_osds_of_a_batch_are_asked_for_together(nodes, osds, code, reason):
    calls = []

    def ask(words):
        calls.append(words)
        return (0, json.dumps(HOSTS), "") if words == ["node", "ls", "osd"] else (code, "", "")

    assert cannot_spare(nodes, ask) == reason
    assert calls[1:] == ([["osd", "ok-to-stop", *osds]] if osds else [])


@pytest.mark.parametrize(("code", "out", "reason"), [(13, "", "no key"), (0, "", "not tell"), (0, "[1]", "not tell")])
def test_where_osds_are_has_to_be_known(code, out, reason):
    assert reason in cannot_spare(["hci-0"], lambda _: (code, out, ""))
