"""A node whose services are as a test wants them: stand-in commands in a folder, servers on a loopback address."""

import socketserver
import threading
from pathlib import Path

COMMANDS = (
    *("ceph", "clustercheck", "crm_mon", "crm_resource", "docker", "mongo", "multipathd", "mysql", "ovs-appctl", "pcs"),
    *("podman", "rabbitmq-diagnostics", "rabbitmq-upgrade", "rabbitmqctl", "ss", "stonith_admin", "systemctl", "virsh"),
)

#: What they say of a healthy node "n" in a cluster of three.
HEALTHY = {
    "ceph": '"quorum_names": ["n", "o"]\n"available": true\n33 pgs: 32 active+clean, 1 active+clean+scrubbing; 1 GB\n'
    "cephfs:1 {0=n=up:active}\n",
    "clustercheck": "",
    "crm_mon": '<crm_mon version="2.1.2"><summary><current_dc with_quorum="true"/></summary>\n<nodes>\n'
    + "".join(f'<node name="{name}" id="1" online="true" standby="false"/>\n' for name in ("n", "ctl-0", "ctl-1"))
    + "</nodes></crm_mon>\n",
    "crm_resource": "",
    "mongo": "1\n",
    "multipathd": "",
    "mysql": "wsrep_cluster_size\t3\nwsrep_cluster_status\tPrimary\n",
    "ovs-appctl": "connected\n",
    "pcs": "",
    "rabbitmq-diagnostics": "",
    "rabbitmq-upgrade": "",
    "rabbitmqctl": "{true,3,[]}\n",
    "ss": "u_str LISTEN 0 1 @ISCSIADM_ABSTRACT_NAMESPACE 2 * 0\nUNCONN 0 0 127.0.0.1:5555 0.0.0.0:*\n",
    "virsh": "",
}

#: Notes each call. Says what says/COMMAND holds, and ends with what code/COMMAND holds, 1 if it has nothing to say.
_STAND_IN = r"""#!/bin/sh
here=${0%/bin/*} me=${0##*/}
echo "$me $*" >>"$here/calls"
case "$me $*" in "ceph "*" node ls osd") cat "$here/osds"; exit ;; esac
read -r engine 2>/dev/null <"$here/engine" || engine=podman
case "$me" in "$engine") me=podman ;; podman | docker) exit 127 ;; esac
case "$me ${1:-}" in
    "systemctl is-active") shift; for unit; do cat "$here/units/$unit" 2>/dev/null || echo inactive; done ;;
    "systemctl list-units") cat "$here/listed" 2>/dev/null ;;
    "crm_resource --locate") cat "$here/resources/$3" 2>/dev/null ;;
    "podman ps") case "$*" in *--quiet*) cat "$here/ids" ;; *) cat "$here/containers" ;; esac 2>/dev/null ;;
    "crm_resource --resource") cat "$here/roles/$2" 2>/dev/null ;;
    "podman exec") shift 2; command=$1; shift; exec "$here/bin/$command" "$@" ;;
    *)
        [ -f "$here/says/$me" ] || exit 1
        cat "$here/says/$me"
        read -r code 2>/dev/null <"$here/code/$me" && exit "$code" ;;
esac
exit 0
"""


class StandInNode:
    """Everything is healthy until something is made sick."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("bin", "units", "resources", "roles", "says", "code"):
            (folder / part).mkdir(parents=True)
        script = folder / "stand-in"
        script.write_text(_STAND_IN)
        script.chmod(0o755)
        for command in COMMANDS:
            (folder / "bin" / command).symlink_to(script)
        for command in HEALTHY:
            self.says(command)
        self.puts("listed", "").puts("containers", "").puts("ids", "").puts("calls", "").puts("osds", "{}")

    @property
    def path(self) -> str:
        return f"{self.folder}/bin:/usr/bin:/bin"

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def puts(self, name: str, text: str | None) -> "StandInNode":
        """Writes a file; takes it away if *text* is None."""
        if text is None:
            (self.folder / name).unlink(missing_ok=True)
        else:
            (self.folder / name).write_text(text)
        return self

    def says(self, command: str, text: str | None = None, code: int = 0) -> None:
        self.puts(f"says/{command}", HEALTHY[command] if text is None else text)
        self.puts(f"code/{command}", f"{code}\n" if code else None)

    def run_all(self, checks: list[dict]) -> None:
        """Units and resources of *checks* run."""
        for check in checks:
            for unit in (*check.get("units", ()), *check.get("containers", ())):
                self.puts(f"units/{unit}", "active\n")
            for resource in (*check.get("here", ()), *check.get("somewhere", ())):
                self.puts(f"resources/{resource}", f"resource {resource} is running on: n\n")
        for check in checks:
            if "master" in check:
                line = f"resource {check['master']} is running on: "
                self.puts(f"resources/{check['master']}", f"{line}n\n{line}o Master\n")


class Servers:
    """Answers HTTP, memcached and redis on many ports of one loopback address; those in ``sick`` do so badly."""

    def __init__(self, address: str, ports: set[int]) -> None:
        self.address, self.sick = address, set()
        self._servers = [_Server((address, port), _Handler) for port in sorted(ports)]
        for server in self._servers:
            server.owner = self
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 50
    owner: Servers


class _Handler(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        line = self.rfile.readline()
        sick = self.server.server_address[1] in self.server.owner.sick
        if line.startswith(b"GET "):
            self.wfile.write(b"HTTP/1.0 503 Sick\r\n\r\n" if sick else b'HTTP/1.0 200 OK\r\n\r\n{"health":"true"}')
        elif not sick:
            self.wfile.write({b"PING\r\n": b"+PONG\r\n", b"version\r\n": b"VERSION 1.5\r\n"}.get(line, b""))
        else:
            self.wfile.write(b"-LOADING\r\n")


#: The first columns of "show stat"; there are sixty more.
_COLUMNS = (
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight"
)


class FakeHAProxy:
    """A stats socket. ``servers`` is {(proxy, server): (sessions, status)}; at level user it takes no orders."""

    def __init__(self, address: str, servers: dict[tuple[str, str], tuple[int, str]], level: str = "admin") -> None:
        self.servers, self.level, self.heard = dict(servers), level, []
        self._server = socketserver.ThreadingTCPServer((address, 0), _StatsHandler)
        self._server.daemon_threads = True
        self._server.owner = self
        self.socket = f"{address}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, line: str) -> str:
        self.heard.append(line)
        if line == "show stat":
            return self._table()
        if self.level != "admin":
            return "Permission denied\n\n"
        if line == "show servers state":
            return self._states()
        _, _, name, _, state = line.split()
        key = tuple(name.split("/"))
        self.servers[key] = (self.servers[key][0], {"ready": "UP", "drain": "DRAIN", "maint": "MAINT"}[state])
        return "\n"

    def _states(self) -> str:
        """The columns that matter are the proxy, the server and the bits of its administrative state."""
        bits = {"MAINT": 1, "DRAIN": 8}
        rows = [
            f"1 {proxy} {i} {server} 192.0.2.1 2 {bits.get(status, 0)} 1 1 0"
            for i, ((proxy, server), (_, status)) in enumerate(self.servers.items())
        ]
        return "\n".join(["1", "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state", *rows, "", ""])

    def _table(self) -> str:
        row = "{},{},0,0,{},0" + "," * 12 + "{},1"
        rows = [row.format(proxy, server, *rest) for (proxy, server), rest in self.servers.items()]
        for proxy in dict.fromkeys(proxy for proxy, _ in self.servers):
            up = any(status == "UP" for (of, _), (_, status) in self.servers.items() if of == proxy)
            rows += [row.format(proxy, "BACKEND", 0, "UP" if up else "DOWN")]
        return "\n".join([_COLUMNS, *rows, "", ""])


class _StatsHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(self.server.owner.answer(self.rfile.readline().decode().strip()).encode())
