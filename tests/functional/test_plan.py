"""Planning against a real Heat, and the same from files: what an operator can get without changing anything."""

import json

import pytest
import yaml
from conftest import Sandbox

from tripleo_update_sandbox.overcloud.containers import sample_outputs

pytestmark = pytest.mark.functional


def plan(sandbox: Sandbox, *options: object) -> dict:
    path = sandbox.home / "plan.json"
    done = sandbox.openstack("overcloud", "update", "plan", "--save", path, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


def refused(done, *words: str, code: int = 1) -> None:
    """A clear error on stderr: the exit *code*, all *words* in it, no traceback, nothing on stdout."""
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def test_heat_and_every_kind_of_file_give_the_same_plan(sandbox: Sandbox):
    shown = sandbox.openstack("stack", "show", "-f", "json", "overcloud")
    listed = sandbox.openstack("stack", "output", "show", "--all", "-f", "json", "overcloud")
    files = {}
    for name, text in (("show", shown.stdout), ("outputs", listed.stdout), ("plain", json.dumps(sample_outputs()))):
        files[name] = sandbox.home / f"{name}.json"
        files[name].write_text(text)
    from_heat = plan(sandbox, "--stack", "overcloud", "--no-facts")
    for path in files.values():
        assert plan(sandbox, "--outputs", path) == from_heat


def test_facts_come_from_the_nodes(sandbox: Sandbox):
    made = plan(sandbox, "--stack", "overcloud")
    assert made["facts"]["down"] == []
    assert not [w for w in made["warnings"] if "live facts" in w]


def test_a_node_that_is_off_is_down_and_counts(sandbox: Sandbox):
    sandbox.cli("node", "overcloud-cephstorage-1", "off")
    try:
        done = sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud")
        refused(done, "ceph_osd", "1 down already", "waiver")
    finally:
        sandbox.cli("node", "overcloud-cephstorage-1", "on")


def test_plan_prints_one_row_per_batch_in_any_format(sandbox: Sandbox):
    done = sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", "--no-facts", "-f", "json")
    rows = json.loads(done.stdout)
    assert set(rows[0]) == {"id", "wave", "nodes", "roles", "comes after", "takes down", "closed by"}
    assert sorted(node for row in rows for node in row["nodes"]) == sorted(sandbox.nodes)
    assert yaml.safe_load(
        sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", "--no-facts", "-f", "yaml").stdout
    ) == rows


def test_services_say_who_runs_them_and_what_bounds_them(sandbox: Sandbox):
    done = sandbox.openstack("overcloud", "update", "services", "--stack", "overcloud", "-f", "json")
    rows = {row["service"]: row for row in json.loads(done.stdout)}
    assert rows["mysql"]["run by"] == ["bundle"]
    assert rows["mysql"]["budget"] == 1
    assert "majority" in rows["mysql"]["bound by"]
    assert rows["nova_api"]["run by"] == ["container"]


def test_the_workbook_is_checked_and_uploaded(sandbox: Sandbox):
    path = sandbox.home / "plan.yaml"
    sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", "--no-facts", "--save", path)
    done = sandbox.openstack("overcloud", "update", "workbook", "--upload", path)
    assert done.returncode == 0, done.stderr
    name = yaml.safe_load(done.stdout)["name"]
    found = json.loads(sandbox.openstack("workbook", "list", "-f", "json").stdout)
    assert {name, "tripleo_update"} <= {row["Name"] for row in found}


def test_no_secret_of_the_outputs_is_in_a_plan_or_a_workbook(sandbox: Sandbox):
    path = sandbox.home / "plan.yaml"
    sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", "--no-facts", "--save", path)
    printed = sandbox.openstack("overcloud", "update", "workbook", path).stdout
    secret = sample_outputs()["AdminPassword"]
    assert len(secret) > 8
    assert secret not in path.read_text() + printed


def test_bad_input_is_refused_with_a_remedy(sandbox: Sandbox, tmp_path):
    bad = tmp_path / "bad.json"
    for text, word in (("{", "neither JSON nor YAML"), ("[]", "mapping"), ('{"x": 1}', "EnabledServices")):
        bad.write_text(text)
        refused(sandbox.openstack("overcloud", "update", "plan", "--outputs", bad), word)
    refused(sandbox.openstack("overcloud", "update", "plan", "--stack", "nowhere"), "nowhere", "stack list")
    refused(sandbox.openstack("overcloud", "update", "plan"), "--stack")
    refused(sandbox.openstack("overcloud", "update", "workbook", bad), "bad.json")


def test_without_mistral_a_plan_is_made_and_says_what_it_lacks(sandbox: Sandbox):
    done = sandbox.openstack(
        "overcloud", "update", "plan", "--stack", "overcloud", "-f", "json",
        OS_CLOUD="", OS_AUTH_TYPE="none", OS_ENDPOINT=sandbox.status["heat"]["url"],
        OS_WORKFLOWV2_ENDPOINT_OVERRIDE="http://127.0.0.1:9/v2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "waits: Unable to establish connection to http://127.0.0.1:9/v2" in done.stderr
    assert "Mistral does not answer" in done.stderr
    assert "planned without live facts" in done.stderr
