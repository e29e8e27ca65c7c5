"""A real Ceph on this host, in namespaces and folders of its own, and what the catalogue does to it by real Ansible."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tripleo_update_plugin.adapters import ansible, extensions
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks.gates import Patience, gate_after
from tripleo_update_plugin.playbooks.plays import Phase, steps

CLUSTER = "dcn0"
SERVICES = {"ctl": frozenset({"ceph_mon", "ceph_mgr"}), "ceph": frozenset({"ceph_osd"})}
NODES = (
    Node(name="ctl-0", role="ctl", services=SERVICES["ctl"]),
    *(Node(name=f"ceph-{number}", role="ceph", services=SERVICES["ceph"]) for number in range(3)),
)
OVERCLOUD = Overcloud(
    stack="o", release="wallaby", architecture="none", packaging="containers", digest="d", nodes=NODES,
    runners={role: dict.fromkeys(names, "container") for role, names in SERVICES.items()},
)  # fmt: skip
CATALOGUE = extensions.load_catalogue()

_HERE = Path(__file__).parent
_UNSHARED = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]


class OneNodeCeph:
    """Started at once, ready within a minute; ``close()`` ends it."""

    def __init__(self, folder: Path):
        self.folder = folder
        with (folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [*_UNSHARED, str(_HERE / "one_node.sh"), str(folder), CLUSTER], stdout=log, stderr=log
            )
        self.wait(lambda: (folder / "ready").exists(), 180)
        self.fsid = (folder / "ready").read_text().strip()
        self.wait(self.is_clean, 120)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Until *condition* holds. AssertionError if it does not within *seconds*, or Ceph has ended."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"not within {seconds} s: {(self.folder / 'log').read_text()[-2000:]}"
            time.sleep(0.5)

    @property
    def inside(self) -> list[str]:
        """The beginning of a command that sees this Ceph."""
        (holder,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return ["nsenter", "--target", holder, "--net", "--mount", "--uts", "--"]

    def ask(self, *words: str) -> str:
        """What the administrator is told."""
        command = ["ceph", "--cluster", CLUSTER, "--keyring", str(self.folder / "admin"), *words]
        return subprocess.run([*self.inside, *command], check=True, capture_output=True, text=True).stdout

    def is_clean(self) -> bool:
        """Whether all placement groups are where they belong."""
        return all(state["name"] == "active+clean" for state in self._placement_groups()["num_pg_by_state"])

    def moves(self) -> bool:
        """Whether some are on their way to another place."""
        return any("remapped" in state["name"] for state in self._placement_groups()["num_pg_by_state"])

    def _placement_groups(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.ask("pg", "stat", "--format", "json"))["pg_summary"]
        return told

    def flags(self) -> set[str]:
        """Of those that an update sets, the ones that are set."""
        return set(self._osds()["flags"].split(",")) & {"noout", "norebalance"}

    def _osds(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.ask("osd", "dump", "--format", "json"))
        return told

    def stop_osd(self, number: int) -> None:
        """It is gone, and Ceph knows."""
        pattern = f"ceph-osd --cluster {CLUSTER} -i {number}$"
        subprocess.run([*self.inside[:-1], "--pid", "--", "pkill", "-f", pattern], check=True)
        self.wait(lambda: self._osds()["osds"][number]["up"] == 0, 60)

    def start_osd(self, number: int) -> None:
        script = 'hostname ceph-$1; exec ceph-osd --cluster "$0" -i "$1"'
        subprocess.run([*self.inside, "unshare", "--uts", "sh", "-c", script, CLUSTER, str(number)], check=True)


class View:
    """The node with the monitor as Ansible sees it: as packages leave it, or as cephadm does."""

    def __init__(self, ceph: OneNodeCeph, folder: Path, *, cephadm: bool):
        self._ceph, self._folder = ceph, folder
        self._bin = folder / "bin"
        self._bin.mkdir(parents=True)
        for engine in ("podman", "docker"):
            there = cephadm and engine == "podman"
            (self._bin / engine).write_text((_HERE / "podman.sh").read_text() if there else "#!/bin/sh\nexit 127\n")
            (self._bin / engine).chmod(0o755)

    def drain(self, *nodes: str) -> dict[str, str]:
        """{node: why it failed} of the catalogue's drain."""
        return self._run(steps("drain", OVERCLOUD, CATALOGUE, list(nodes)))

    def restore(self, *nodes: str) -> dict[str, str]:
        """Like drain()."""
        return self._run(steps("restore", OVERCLOUD, CATALOGUE, list(nodes)))

    def gate(self, *nodes: str) -> dict[str, str]:
        """Like drain(), of one look at everything."""
        return self._run(gate_after(OVERCLOUD, CATALOGUE, list(nodes), Patience(retries=1, delay=1)))

    def _run(self, phase: Phase) -> dict[str, str]:
        environment = {"PATH": f"{self._bin}:{os.environ['PATH']}", "FOLDER": str(self._folder)}
        environment |= {"FSID": self._ceph.fsid, "CLUSTER": CLUSTER}
        for play in phase.plays:
            play["environment"] = environment
            for task in play["tasks"]:
                task |= {"retries": 1, "delay": 0} if "until" in task else {}
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
        hosts = {node.name: {**local, "tripleo_update_marks": str(self._folder / node.name)} for node in NODES}
        inventory = self._folder / "inventory.yaml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        outcome, _ = ansible.run(
            ansible.write_playbook(list(phase.plays), self._folder / "plays.yaml"), inventory, phase.hosts,
            ansible.Settings(binary=self._ansible()), timeout=300, silence=300, cancelled=lambda: False,
        )  # fmt: skip
        return {name: node.error for name, node in outcome.nodes.items() if node.error}

    def _ansible(self) -> str:
        script = self._folder / "ansible-playbook"
        found = ansible.find_ansible()
        assert found and shutil.which("nsenter")
        script.write_text(f'#!/bin/sh\nexec {" ".join(self._ceph.inside)} {found} "$@"\n')
        script.chmod(0o755)
        return str(script)
