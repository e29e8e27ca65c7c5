"""Nodes without an undercloud: folders and stand-in commands only."""

from collections.abc import Iterator

import pytest

from tripleo_update_sandbox.nodes import making, power
from tripleo_update_sandbox.nodes.node import Node, find_node
from tripleo_update_sandbox.overcloud import captured
from tripleo_update_sandbox.overcloud.containers import sample_outputs
from tripleo_update_sandbox.state import State
from tripleo_update_undercloud import processes


@pytest.fixture
def state(tmp_path) -> Iterator[State]:
    """A state folder with three controllers, a compute and a Ceph node, all switched on."""
    state = State(tmp_path / "state")
    state.prepare()
    outputs = sample_outputs("t", controllers=3, computes=1, ceph=1)
    making.create(state, captured.hosts_of(outputs), captured.vips_of(outputs), pace=0)
    try:
        power.switch_on(state)
        yield state
    finally:
        processes.stop(processes.members(state.folder))


@pytest.fixture
def controller(state) -> Node:
    return find_node(state, "t-controller-0")


@pytest.fixture
def compute(state) -> Node:
    return find_node(state, "t-novacompute-0")
