"""Is what CONTRIBUTING.rst says of the gate so?"""

import re

from .pages import ROOT, flowing, literals

CONTRIBUTING = (ROOT / "CONTRIBUTING.rst").read_text()


def test_the_gate_runs_what_is_said():
    gate = re.search(r"tox\" --workdir \S+ -e ([\w,]+)", (ROOT / ".ci/run").read_text())
    said = re.search(r"It runs (.+?);", flowing(CONTRIBUTING))
    assert gate and said and sorted(gate.group(1).split(",")) == sorted(literals(said.group(1)))
