"""A Heat and a Mistral that answer over HTTP as the real ones do, as far as a runner asks, and fake nodes."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import yaml

NODES = ("ctl-0", "ctl-1", "ctl-2")

PROFILES = """
web:
  kind: stateless
  why: half of them stay behind the balancer
  drain:
    any:
    - name: Drain web
      command: {argv: [sh, "{{ stand_in }}", drain, "{{ inventory_hostname }}"]}
  restore:
    any:
    - name: Restore web
      command: {argv: [sh, "{{ stand_in }}", restore, "{{ inventory_hostname }}"]}
  gate:
    any:
    - name: Web answers
      command: {argv: [sh, "{{ stand_in }}", gate, "{{ inventory_hostname }}"]}
"""

#: Notes what was asked; sleeps or fails where a file of that name says so.
STAND_IN = """
echo "$1 $2" >> {folder}/asked
[ -f {folder}/slow-$1 ] && sleep $(cat {folder}/slow-$1)
[ -f {folder}/slow-$1-$2 ] && sleep $(cat {folder}/slow-$1-$2)
[ -f {folder}/sick-$1-$2 ] && {{ cat {folder}/sick-$1-$2 >&2; exit 1; }}
exit 0
"""

UPDATE_PLAYBOOK = """
- hosts: Controller
  serial: "{{ update_serial | default(1) }}"
  gather_facts: false
  any_errors_fatal: true
  tasks:
  - import_tasks: Controller/update_tasks_step0.yaml
"""


def outputs(nodes=NODES, services=("web",)):
    """Stack outputs of one role; its update asks the stand-in."""
    names = [f"{node}.ctlplane.localdomain" for node in nodes]
    argv = ["sh", "{{ stand_in }}", "update", "{{ inventory_hostname }}"]
    update = [{"name": "Update web", "command": {"argv": argv}}]
    ids = [f"id-{i}" for i in range(len(nodes))]
    return {
        "AdminPassword": "hunter22hunter",
        "EnabledServices": {"Controller": list(services)},
        "RoleData": {"Controller": {"service_names": list(services), "update_tasks": update}},
        "RoleConfig": {"update_steps_playbook": UPDATE_PLAYBOOK},
        "RoleNetHostnameMap": {"Controller": {"ctlplane": names, "canonical": names}},
        "RoleNetIpMap": {"Controller": {"ctlplane": [f"192.0.2.{i}" for i in range(len(nodes))]}},
        "ServerIdData": {"server_ids": {"Controller": ids}, "bootstrap_server_id": "id-0"},
        "VipMap": {"ctlplane": "192.0.2.100"},
    }


class FakeUndercloud:
    """``/heat`` serves one stack; ``/mistral`` remembers what action executions were told, unless it is ``away``."""

    def __init__(self, stack_outputs):
        self.outputs = stack_outputs
        self.told = []
        self.away = False
        self.heat_is_away = False
        self.unknown = set()
        self.states = {}  # of executions and action executions; RUNNING if they are not in it
        self.environments = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, path, body):
        if path.startswith("/heat/") and self.heat_is_away:
            return 503, {"error": {"message": "away"}}
        if path.startswith("/heat/stacks/"):
            entries = [{"output_key": key, "output_value": value} for key, value in self.outputs.items()]
            stack = {"id": "1", "stack_name": "overcloud", "stack_status": "CREATE_COMPLETE", "outputs": entries}
            if "/resources/" in path:
                return 404, {"error": {"message": "the stack has no resources"}}
            if "/environment" in path:
                return 200, {}
            return 200, {"resources": []} if "/resources" in path else {"stack": stack}
        if self.away:
            return 503, {"faultstring": "away"}
        if method == "PUT" and path.startswith("/mistral/action_executions/"):
            name = path.rsplit("/", 1)[1]
            if name in self.unknown:
                return 404, {"faultstring": "not found"}
            self.told.append((name, body["state"], body["output"]))
            return 200, {"id": name, **body}
        if path.startswith("/mistral/action_executions/"):
            name = path.rsplit("/", 1)[1]
            return 200, {"id": name, "state": self.states.get(name, "RUNNING")}
        if path.startswith("/mistral/executions/"):
            return self._execution(path.removeprefix("/mistral/executions/"))
        if path.startswith("/mistral/environments"):
            return self._environment(method, path.removeprefix("/mistral/environments"), body)
        return 404, {"faultstring": path}

    def _execution(self, path):
        """An update that is under way, and of which no batch has begun as far as Mistral tells."""
        if "/tasks" in path:
            return 200, {"tasks": []}
        workflow, time = "tripleo-update.overcloud.0123456789ab.update", "2020-01-01 00:00:00"
        return 200, {
            "id": path, "workflow_name": workflow, "state": self.states.get(path, "RUNNING"),
            "created_at": time, "updated_at": time,
        }  # fmt: skip

    def _environment(self, method, path, body):
        """What Mistral keeps by name."""
        name, _, query = path.removeprefix("/").partition("?")
        if method == "GET" and not name:
            prefix = parse_qs(query)["name"][0].removeprefix("has:")
            return 200, {"environments": [each for key, each in self.environments.items() if prefix in key]}
        if method in ("POST", "PUT"):
            if method == "POST" and body["name"] in self.environments:
                return 409, {"faultstring": "there is one"}
            self.environments[body["name"]] = {"id": body["name"], **body}
            return 201 if method == "POST" else 200, self.environments[body["name"]]
        if name not in self.environments:
            return 404, {"faultstring": "not found"}
        if method == "DELETE":
            return 204, self.environments.pop(name)
        return 200, self.environments[name]

    def _handler(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, answer = fake.answer(self.command, self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if self.path.startswith("/heat/stacks/overcloud"):
                    # Where Heat redirects to, and where its client looks for a stack's id.
                    self.send_header("Location", f"{fake.url}/heat/stacks/overcloud/1")
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

            def log_message(self, *_):
                pass

        return Handler


class Nodes:
    """Nodes that are this machine, and whose services are the stand-in."""

    def __init__(self, folder: Path):
        self.folder = folder
        stand_in = folder / "stand-in.sh"
        stand_in.write_text(STAND_IN.format(folder=folder))
        variables = {
            "ansible_connection": "local", "ansible_become": False,
            "ansible_python_interpreter": sys.executable, "stand_in": str(stand_in),
            "tripleo_update_marks": f"{folder}/records/{{{{ inventory_hostname }}}}",
        }  # fmt: skip
        self.inventory = folder / "local.yaml"
        self.inventory.write_text(yaml.safe_dump({"all": {"vars": variables}}))
        self.profiles = folder / "profiles"
        self.profiles.mkdir()
        (self.profiles / "web.yaml").write_text(PROFILES)

    @property
    def asked(self):
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def forget(self):
        """What was asked so far."""
        (self.folder / "asked").unlink(missing_ok=True)

    def slow(self, phase, seconds, node=""):
        """On all nodes, or on one alone."""
        (self.folder / (f"slow-{phase}-{node}" if node else f"slow-{phase}")).write_text(str(seconds))

    def sick(self, phase, node, says="no"):
        (self.folder / f"sick-{phase}-{node}").write_text(says)

    def well(self, phase, node):
        (self.folder / f"sick-{phase}-{node}").unlink()


def configuration(path, work_dir, nodes, heat, mistral, **more):
    """A configuration file as an executor would have it."""
    values = {
        "work_dir": work_dir, "auth_type": "none", "heat_endpoint": heat, "mistral_endpoint": mistral,
        "inventory": nodes.inventory, "services": nodes.profiles, "gate_timeout": 2, "gate_delay": 1, "patience": 0,
        **more,
    }  # fmt: skip
    path.write_text("[tripleo_update]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
    return path
