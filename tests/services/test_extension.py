"""The example extension, installed by pip into a folder of its own and seen by another process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "service-profiles"

_ASK = """
import json
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import BadProfile
try:
    catalogue = load_catalogue()
except BadProfile as error:
    print(json.dumps({"error": error.message}))
else:
    print(json.dumps({name: [str(p.budget), p.why, list(p.drain)] for name, p in catalogue.profiles.items()}))
"""


@pytest.fixture
def catalogue_with(tmp_path):
    """What a process that has *source* installed finds in the catalogue."""

    def installed(source):
        shutil.copytree(source, tmp_path / "source")
        target = tmp_path / "site"
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
        done = subprocess.run([*pip, "--target", target, tmp_path / "source"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        # stevedore keeps what it found for a path in the user's cache folder.
        env = {**os.environ, "PYTHONPATH": str(target), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        asked = subprocess.run([sys.executable, "-c", _ASK], env=env, capture_output=True, text=True, check=True)
        return json.loads(asked.stdout)

    return installed


def test_an_installed_extension_adds_a_service_and_replaces_another(catalogue_with):
    profiles = catalogue_with(EXAMPLE)
    assert profiles["valkey"] == ["1", "a majority of its sentinels has to agree on a new primary", ["any"]]
    assert profiles["memcached"] == ["half", "what is lost here is computed again in milliseconds", []]
    assert "mysql" in profiles


def test_without_it_the_catalogue_is_the_built_in_one():
    asked = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    profiles = json.loads(asked.stdout)
    assert "valkey" not in profiles and profiles["memcached"][0] == "1"


def test_a_bad_entry_of_an_extension_is_named_with_its_place(catalogue_with, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "bad")
    file = tmp_path / "bad" / "more_services" / "more.yaml"
    text = file.read_text().replace("max_unavailable: half", "max_unavailable: most")
    file.write_text(text)
    line = text.splitlines().index("memcached:") + 1
    error = catalogue_with(tmp_path / "bad")["error"]
    assert f"more_services/more.yaml:{line}: memcached/max_unavailable: 'most' is not valid" in error
