"""A real Mistral that lists no more than two things at a time: everything is seen all the same."""

import time

import pytest
from mistral_process import CONFIG, Mistral, free_port

from tripleo_update_plugin.adapters import mistral as adapter
from tripleo_update_plugin.adapters.mistral_environments import Environments

pytestmark = pytest.mark.functional

BATCHES = [f"batch-{number}" for number in range(1, 6)]

BOOK = """
version: '2.0'
name: {name}
workflows:
  update:
    tasks: {{{tasks}}}
"""


@pytest.fixture(scope="module")
def mistral(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("mistral"), free_port()
    path = folder / "mistral.conf"
    group = f"[tripleo_update]\nauth_type = none\nmistral_endpoint = http://127.0.0.1:{port}/v2\n"
    path.write_text(group + CONFIG.format(folder=folder, port=port, max_limit=2))
    server = Mistral(folder, path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def started(mistral):
    """Five updates, the newest first; and five workflows that are none."""
    tasks = ", ".join(f"{name}: {{action: std.noop}}" for name in BATCHES)
    names = [f"tripleo-update.overcloud.00000000000{number}" for number in range(5)]
    for name in [*names, *(f"other{number}" for number in range(5))]:
        mistral.client.workbooks.create(BOOK.format(name=name, tasks=tasks))
        mistral.run_workflow(f"{name}.update")
        time.sleep(1.1)  # Mistral tells the time of one from that of another by seconds
    return [f"{name}.update" for name in reversed(names)]


def test_every_update_is_listed_and_each_of_its_batches(mistral, started):
    assert len(mistral.client.executions.list()) == 2, "the client by itself sees no more"
    view = adapter.Mistral(mistral.client)
    updates = view.updates()
    assert [update.workflow for update in updates] == started
    assert sorted(batch.id for batch in view.execution(updates[0].id).batches) == BATCHES


def test_everything_kept_under_a_name_is_found(mistral):
    kept = Environments(mistral.client)
    for number in range(4):
        kept.keep(f"a.{number}", "", {"number": number})
        time.sleep(1.1)
    assert dict(kept.under("a.")) == {f"a.{number}": {"number": number} for number in range(4)}
