"""A real sshd on loopback, of the user who runs the tests, and nodes that are reached through it."""

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import yaml

SSHD = "/usr/sbin/sshd"

#: Done on a node: takes a while, and neither a hangup nor a closed pipe ends it.
STUBBORN = """
trap '' HUP PIPE TERM
echo "$1 $2 begins" >> {folder}/asked
[ -f {folder}/slow-$1 ] && sleep $(cat {folder}/slow-$1)
echo "$1 $2 ends" >> {folder}/asked
exit 0
"""


def _key(path: Path) -> Path:
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(made, check=True)
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sshd:
    """Started at once; ``close()`` ends it."""

    def __init__(self, folder: Path):
        self.key, self.port = _key(folder / "key"), _free_port()
        options = {
            "Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": _key(folder / "host_key"),
            "AuthorizedKeysFile": f"{self.key}.pub", "StrictModes": "no", "UsePAM": "no", "PidFile": "none",
            "PermitRootLogin": "prohibit-password", "PasswordAuthentication": "no",
        }  # fmt: skip
        config = folder / "sshd_config"
        config.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where root's sshd keeps nothing, and insists on it
        with (folder / "sshd.log").open("w") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "sshd does not listen"
                time.sleep(0.1)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def let_in(self, inventory: Path, nodes: Iterable[str]) -> None:
        """The *nodes* of an *inventory* are reached over ssh from now on, whatever their addresses."""
        known = yaml.safe_load(inventory.read_text())
        known["all"]["hosts"] = {node: {"ansible_host": "127.0.0.1"} for node in nodes}
        known["all"]["vars"] |= {
            "ansible_connection": "ssh", "ansible_port": self.port,
            "ansible_user": getpass.getuser(), "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no",
        }  # fmt: skip
        inventory.write_text(yaml.safe_dump(known))
