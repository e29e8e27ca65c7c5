"""Is what CONTRIBUTING.rst says of tests and of the gate so?"""

import ast
import re

from .pages import ROOT, files, flowing, literals

CONTRIBUTING = (ROOT / "CONTRIBUTING.rst").read_text()


def patches(source):
    """What the Python text *source* patches: imports of mocks, and what monkeypatch replaces or deletes."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        if any(re.match(r"(unittest\.)?mock\b", f"{module}.{name}".lstrip(".")) for name in names):
            yield f"line {node.lineno}: a mock"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _REPLACING:
            yield ast.unparse(node)


_REPLACING = {f"monkeypatch.{verb}" for verb in ("setattr", "delattr", "setitem", "delitem")}


def test_nothing_is_patched_but_a_cache_of_stevedore_s():
    tests = [path for path in files(ROOT / "tests") if path.suffix == ".py"]
    found = {str(path.relative_to(ROOT)): list(patches(path.read_text())) for path in tests}
    assert {name: calls for name, calls in found.items() if calls} == {
        "tests/adapters/test_extensions.py": ["monkeypatch.setattr(ExtensionManager, 'ENTRY_POINT_CACHE', {})"]
    }


def test_patches_are_seen():
    for source in ("import unittest.mock", "from unittest import mock", "from mock import patch", "import mock as m"):
        assert list(patches(source)) == ["line 1: a mock"]
    assert list(patches("monkeypatch.setattr(cp_sat, 'solver', None)"))
    assert not list(patches("import mocking, a.mock\nfrom lab import mockery\nmonkeypatch.setenv('PATH', '')"))


def test_the_gate_runs_what_is_said():
    gate = re.search(r"tox\" --workdir \S+ -e ([\w,]+)", (ROOT / ".ci/run").read_text())
    said = re.search(r"It runs (.+?);", flowing(CONTRIBUTING))
    assert gate and said and sorted(gate.group(1).split(",")) == sorted(literals(said.group(1)))
