"""Fixtures: one undercloud of many processes for all tests of a file."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))  # faults lies beside the sources and is not installed

import debian

from distributed.undercloud import undercloud
from tripleo_update_sandbox.wanted import Wish


@pytest.fixture(scope="session", autouse=True)
def servers_are_installed():
    assert not debian.missing("distributed"), f"Run 'python {Path(debian.__file__)}' as root first, as tox does."


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Controllers and Ceph are lanes beside one another."""
    wish = Wish(controllers=3, computes=0, ceph=3, pace=10.0)
    with undercloud(tmp_path_factory.mktemp("distributed"), "utf8mb4", wish) as made:
        yield made


@pytest.fixture(scope="module")
def latin(tmp_path_factory):
    """The same with the character set that MariaDB has by default."""
    wish = Wish(controllers=0, computes=2, ceph=0, pace=0.2)
    with undercloud(tmp_path_factory.mktemp("latin"), "latin1", wish) as made:
        yield made
