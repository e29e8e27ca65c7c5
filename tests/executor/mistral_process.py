"""A real Mistral in a process of its own, as a test asks it; see real_mistral.py."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import keystone

CONFIG = """
[DEFAULT]
transport_url = fake:/
log_file = {folder}/mistral.log
[api]
host = 127.0.0.1
port = {port}
max_limit = {max_limit}
[database]
connection = sqlite:///{folder}/mistral.sqlite
[executor]
type = local
[notifier]
type = local
[pecan]
auth_enable = False
[cron_trigger]
enabled = False
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mistral:
    def __init__(self, folder, config):
        self.config = config
        self.folder = folder
        self.client = keystone.mistral_client(options.load((str(config),)))
        self._process = None

    def start(self):
        script = Path(__file__).with_name("real_mistral.py")
        with (self.folder / "mistral.out").open("a") as out:
            self._process = subprocess.Popen([sys.executable, script, self.config], stdout=out, stderr=out)
        self.wait(self._answers)

    def _answers(self):
        try:
            self.client.workbooks.list()
        except Exception:
            return False
        return True

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, condition, seconds=90):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.2)
        raise AssertionError("it did not happen in time")

    def run_action(self, name, **given):
        """An ad-hoc action execution: {state, output} when it is over."""
        action = self.client.action_executions.create(name, given, save_result=True)
        assert action.state == "RUNNING"
        return self.action(action.id)

    def action(self, identity_):
        self.wait(lambda: self.client.action_executions.get(identity_).state != "RUNNING")
        action = self.client.action_executions.get(identity_)
        return action.state, json.loads(action.output)["result"]

    def run_workflow(self, name, **given):
        execution = self.client.executions.create(name, workflow_input=given)
        self.wait(lambda: self.client.executions.get(execution.id).state not in ("RUNNING", "IDLE"))
        return self.client.executions.get(execution.id)

    def tasks(self, execution):
        return {task.name: task for task in self.client.tasks.list(workflow_execution_id=execution)}

    def output_of(self, task):
        [action] = self.client.action_executions.list(task_execution_id=task.id)
        return self.action(action.id)[1]
