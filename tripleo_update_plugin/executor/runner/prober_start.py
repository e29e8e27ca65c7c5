"""Every phase sees to it that its update is being probed: who comes first starts the prober, the others find it.

So a prober that was killed is started again by the next phase, also of a batch that is rerun days later, and none
keeps an update from ending, as a task of the workflow would that nobody ends.
"""

import time
from collections.abc import Mapping
from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.executor.jobs.job import Job, launch_prober
from tripleo_update_plugin.executor.prober import turns
from tripleo_update_plugin.outcome.verdicts import Watch
from tripleo_update_plugin.workflows.workbook import stack_of

NAME = "probes"


def see_to_it(request: Mapping[str, Any], conf: Any) -> Job | None:
    """The job that probes the update *request* belongs to, started unless it runs; None if it belongs to none."""
    if not request.get("workflow"):
        return None
    mistral = Mistral(keystone.mistral_client(conf))
    root, workflow = mistral.root_of(request["workflow"])
    if not stack_of(workflow):
        return None
    if not turns.is_ours(mistral, root, turns.name_of(conf), Watch(until=time.time()).to_dict()):
        return None  # another machine probes it
    job = Job.make(conf[options.GROUP].work_dir, root, NAME)
    files = {key: request[key] for key in ("config_files", "config_dirs")}
    job.keep_going({"execution": root, "workflow": workflow, **files}, launch_prober)
    return job
