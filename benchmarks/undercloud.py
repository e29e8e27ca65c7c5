"""A real Mistral for a benchmark: freshly set up, on loopback and SQLite."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mistralclient.api.client import client as mistral_client

from tripleo_update_sandbox import lifecycle
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import servers
from tripleo_update_sandbox.wanted import Wish


@contextmanager
def undercloud() -> Iterator[tuple[Any, Path]]:
    """(python-mistralclient's client of it, its database)."""
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder) / "sandbox")
        lifecycle.up(state, Wish(with_overcloud=False), lambda _: None)
        try:
            where = servers.endpoints(state)
            assert where is not None
            client = mistral_client(mistral_url=where.mistral, auth_type="none", project_id="admin")
            yield client, state.folder / "mistral.sqlite"
        finally:
            lifecycle.down(state)
