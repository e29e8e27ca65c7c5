"""A database with the character set that MariaDB has by default takes all that the plugin writes."""

import json

import pytest
import yaml

from distributed import mariadb
from distributed.undercloud import Undercloud

pytestmark = [pytest.mark.functional, pytest.mark.slow, pytest.mark.distributed]


def test_it_is_latin1_indeed(latin: Undercloud):
    assert mariadb.charset_of(latin.folder, "definition", "workbooks_v2") == "latin1"


def test_an_update_goes_well_whatever_the_operator_writes(latin: Undercloud, tmp_path):
    policy = {"waivers": [{"service": "nova_compute", "reason": "Wartungsfenster → 保守"}]}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    latin.operator.plan("plan.json", "--policy", tmp_path / "policy.yaml")
    id = latin.operator.start("plan.json")
    assert latin.operator.wait_while(id, ("RUNNING",), 600) == "SUCCESS"
    shown = json.loads(latin.operator.must("report", "-f", "json", id))
    assert {row["outcome"] for row in shown} == {"updated"}
