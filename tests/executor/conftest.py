from uuid import NAMESPACE_OID, uuid5

import fake_undercloud
import pytest

from tripleo_update_plugin.executor.jobs import job as jobs
from tripleo_update_plugin.executor.jobs import leftovers
from tripleo_update_plugin.overcloud.outputs import digest


@pytest.fixture
def nodes(tmp_path):
    return fake_undercloud.Nodes(tmp_path)


@pytest.fixture
def undercloud():
    fake = fake_undercloud.FakeUndercloud(fake_undercloud.outputs())
    yield fake
    fake.close()


@pytest.fixture
def desk(tmp_path, nodes, undercloud):
    """Where requests are handed in; ends what is still running afterwards."""
    path = fake_undercloud.configuration(
        tmp_path / "mistral.conf", tmp_path / "work", nodes, f"{undercloud.url}/heat", f"{undercloud.url}/mistral"
    )
    made = Desk(tmp_path / "work", path, undercloud)
    yield made
    for job in made.jobs:
        leftovers.end(job.folder)


class Desk:
    def __init__(self, work, config, undercloud):
        self.work = work
        self.config = config
        self.undercloud = undercloud
        self.jobs = []

    def request(self, phase, task="task-1", **parameters):
        given = {
            "stack": "overcloud", "digest": digest(self.undercloud.outputs), "batch": "b-1", "nodes": ["ctl-0"],
            "only": None, "down": None, "timeout": 60,
            **({"moment": "before"} if phase == "gate" else {}), **parameters,
        }  # fmt: skip
        return {
            "phase": phase, "parameters": given, "workflow": None, "task": task,
            "config_files": [str(self.config)], "config_dirs": [],
        }  # fmt: skip

    def job(self, owner="wf-1", name="drain.b-1"):
        """The job of an execution that tests call *owner*; its id is a UUID, as Mistral's are."""
        job = jobs.Job.make(str(self.work), str(uuid5(NAMESPACE_OID, owner)), name)
        self.jobs.append(job)
        return job

    def hand_in(self, request, report_to="action-1", owner="wf-1", name=None):
        job = self.job(owner, name or f"{request['phase']}.{request['parameters']['batch']}")
        return job, job.attach(request, report_to, jobs.launch_runner)
