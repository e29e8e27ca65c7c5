"""The services of the hosts: configured, started for the first time, whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lab import configuration, hosts
from lab.errors import LabError
from lab.hosts import wait_until
from lab.site import Site
from lab.topology import VIP, Host, Topology

_LIMITS = "[Service]\nLimitNOFILE=16384\n"


def on_all(some: tuple[Host, ...], do: Callable[[Host], object]) -> None:
    """*do* for each host, side by side; the first error is raised."""
    with ThreadPoolExecutor(max(1, len(some))) as pool:
        list(pool.map(do, some))


def configure(site: Site, topology: Topology) -> None:
    def configure_one(host: Host) -> None:
        for service, write in _WRITERS.items():
            if service in host.services:
                write(site, topology, host)
        hosts.execute(site, host, "systemctl", "daemon-reload")

    on_all(topology.hosts, configure_one)


def _mysql(site: Site, topology: Topology, host: Host) -> None:
    hosts.write(site, host, "/etc/mysql/mariadb.conf.d/60-galera.cnf", configuration.galera(topology, host))
    # Pacemaker's agent runs the server without systemd, which would have made these.
    hosts.write(site, host, "/var/log/mysql.log", "", owner="mysql")
    hosts.write(site, host, "/etc/tmpfiles.d/mysqld.conf", "d /run/mysqld 0755 mysql mysql\n")
    hosts.execute(site, host, "systemd-tmpfiles", "--create", "mysqld.conf")


def _rabbitmq(site: Site, topology: Topology, host: Host) -> None:
    hosts.write(site, host, "/etc/rabbitmq/rabbitmq-env.conf", configuration.rabbitmq_environment(host))
    hosts.write(site, host, "/etc/rabbitmq/rabbitmq.conf", configuration.rabbitmq(topology, host))
    hosts.write(site, host, "/var/lib/rabbitmq/.erlang.cookie", configuration.COOKIE, 0o400, "rabbitmq")
    hosts.write(site, host, "/etc/systemd/system/rabbitmq-server.service.d/lab.conf", _LIMITS)


def _haproxy(site: Site, topology: Topology, host: Host) -> None:
    hosts.write(site, host, "/etc/haproxy/haproxy.cfg", configuration.haproxy(topology))


def _redis(site: Site, _topology: Topology, host: Host) -> None:
    hosts.write(site, host, "/etc/redis/redis.conf", configuration.redis(host), 0o640, "redis")
    # Pacemaker's agent runs it without systemd, which would have made this.
    hosts.write(site, host, "/etc/tmpfiles.d/redis.conf", "d /run/redis 0755 redis redis\n")
    hosts.execute(site, host, "systemd-tmpfiles", "--create", "redis.conf")


def _keepalived(site: Site, topology: Topology, host: Host) -> None:
    hosts.write(site, host, "/etc/keepalived/keepalived.conf", configuration.keepalived(topology, host))


def _memcached(site: Site, _topology: Topology, host: Host) -> None:
    text = (hosts.root(site, host) / "etc/memcached.conf").read_text()
    lines = [f"-l {host.address}" if line.startswith("-l ") else line for line in text.splitlines()]
    hosts.write(site, host, "/etc/memcached.conf", "\n".join(lines) + "\n")


def _keystone(site: Site, topology: Topology, host: Host) -> None:
    etc = hosts.root(site, host) / "etc/keystone"
    text = configuration.merged_ini((etc / "keystone.conf").read_text(), configuration.keystone(topology))
    hosts.write(site, host, "/etc/keystone/keystone.conf", text, 0o640)
    hosts.execute(site, host, "chown", "root:keystone", "/etc/keystone/keystone.conf")
    workers = configuration.keystone_workers((etc / "keystone-uwsgi.ini").read_text())
    hosts.write(site, host, "/etc/keystone/keystone-uwsgi.ini", workers)
    hosts.write(site, host, "/etc/systemd/system/keystone.service.d/lab.conf", configuration.keystone_unit(host))


_WRITERS = {
    "mysql": _mysql,
    "oslo_messaging_rpc": _rabbitmq,
    "redis": _redis,
    "haproxy": _haproxy,
    "keepalived": _keepalived,
    "memcached": _memcached,
    "keystone": _keystone,
}


def start(site: Site, topology: Topology) -> None:
    """The first start of everything, by systemd; with Pacemaker, the cluster takes over afterwards."""
    light = {
        "memcached": "memcached", "haproxy": "haproxy", "keepalived": "keepalived", "clustercheck": "clustercheck",
        "nova_compute": "openstack-nova-compute",
    }  # fmt: skip

    def start_light(host: Host) -> None:
        units = [unit for service, unit in light.items() if service in host.services]
        if units:
            hosts.execute(site, host, "systemctl", "start", *units)

    on_all(topology.hosts, start_light)
    if not topology.having("keepalived"):  # until the cluster holds the address
        hosts.execute(site, topology.having("haproxy")[0], "ip", "address", "add", f"{VIP}/24", "dev", "eth0")
    with ThreadPoolExecutor(2) as pool:
        messaging = pool.submit(_start_rabbitmq, site, topology)
        _start_galera(site, topology)
        _start_keystone(site, topology)
        messaging.result()
    wait_until("every server of HAProxy is up", lambda: all_up(site, topology), 180)


def _start_rabbitmq(site: Site, topology: Topology) -> None:
    first, *others = topology.having("oslo_messaging_rpc")
    hosts.execute(site, first, "systemctl", "start", "rabbitmq-server")
    on_all(tuple(others), lambda host: hosts.execute(site, host, "systemctl", "start", "rabbitmq-server"))
    name, password = configuration.CLIENT, configuration.CLIENT_PASSWORD
    hosts.execute(site, first, "rabbitmqctl", "-q", "add_user", name, password)
    hosts.execute(site, first, "rabbitmqctl", "-q", "set_permissions", name, ".*", ".*", ".*")
    running = ("rabbitmqctl", "-q", "eval", "length(rabbit_mnesia:cluster_nodes(running)).")
    wait_until(
        "all brokers are one cluster",
        lambda: hosts.execute(site, first, *running).strip() == str(len(others) + 1),
        120,
    )


_DATABASES = f"""\
CREATE DATABASE keystone;
CREATE DATABASE lab;
GRANT ALL ON keystone.* TO keystone@'%' IDENTIFIED BY '{configuration.KEYSTONE_PASSWORD}';
GRANT ALL ON lab.* TO {configuration.CLIENT}@'%' IDENTIFIED BY '{configuration.CLIENT_PASSWORD}';
CREATE TABLE lab.probe (id BIGINT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(40), seq BIGINT, KEY (who, seq));
"""


def _start_galera(site: Site, topology: Topology) -> None:
    first, *others = topology.having("mysql")
    hosts.execute(site, first, "galera_new_cluster")
    hosts.execute(site, first, "mariadb", stdin=_DATABASES)
    for host in others:
        hosts.execute(site, host, "systemctl", "start", "mariadb")


def galera_size(site: Site, topology: Topology) -> int:
    """Members of the primary component, as the first host that answers sees it; 0 if none does."""
    for host in topology.having("mysql"):
        said = hosts.try_execute(
            site, host, "mariadb", "-NBe", "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'", timeout=20
        )
        if said.returncode == 0 and said.stdout.split():
            return int(said.stdout.split()[-1])
    return 0


def _start_keystone(site: Site, topology: Topology) -> None:
    first, *others = topology.having("keystone")

    def manage(*words: str) -> None:
        hosts.execute(site, first, "runuser", "-u", "keystone", "--", "keystone-manage", *words)

    hosts.execute(site, first, "chown", "-R", "keystone:keystone", "/var/log/keystone", "/var/lib/keystone")
    manage("db_sync")
    owner = ("--keystone-user", "keystone", "--keystone-group", "keystone")
    for kind in ("fernet_setup", "credential_setup"):
        hosts.execute(site, first, "keystone-manage", kind, *owner)
    keys = hosts.root(site, first) / "etc/keystone"
    for host in others:
        for folder in ("fernet-keys", "credential-keys"):
            for file in (keys / folder).iterdir():
                hosts.write(site, host, f"/etc/keystone/{folder}/{file.name}", file.read_text(), 0o600)
            hosts.execute(site, host, "chown", "-R", "keystone:keystone", f"/etc/keystone/{folder}")
    manage(
        "bootstrap", "--bootstrap-password", configuration.ADMIN_PASSWORD, "--bootstrap-region-id", "lab",
        "--bootstrap-public-url", f"http://{VIP}:5000/v3/",
    )  # fmt: skip
    on_all((first, *others), lambda host: hosts.execute(site, host, "systemctl", "restart", "keystone"))


def servers_down(site: Site, host: Host) -> list[str]:
    """Servers that the HAProxy of *host* does not find up, and should: of redis, that is the master alone."""
    table = hosts.execute(
        site, host, "python3", "-c",
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('/var/lib/haproxy/stats')\n"
        "s.sendall(b'show stat\\n')\nprint(b''.join(iter(lambda: s.recv(65536), b'')).decode())",
    )  # fmt: skip
    rows = [line.split(",") for line in table.splitlines() if line and not line.startswith("#")]
    servers = [row for row in rows if row[0] != configuration.MASTER_PROXY and row[1] not in ("FRONTEND", "BACKEND")]
    return [f"{row[0]}/{row[1]} {row[17]}" for row in servers if not row[17].startswith("UP")]


def all_up(site: Site, topology: Topology) -> bool:
    try:
        return not any(servers_down(site, host) for host in topology.having("haproxy"))
    except LabError:
        return False


def status(site: Site, topology: Topology) -> list[str]:
    """One line a host: what of it is well."""
    lines = []
    for host in topology.hosts:
        if hosts.outer(site, host) is None:
            lines.append(f"{host.name:<28}off")
            continue
        failed = hosts.try_execute(site, host, "systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
        units = [line.split()[0] for line in failed.splitlines() if line.strip()]
        words = [f"failed: {', '.join(units)}"] if units else ["up"]
        if "haproxy" in host.services:
            down = servers_down(site, host)
            words.append(f"HAProxy misses {', '.join(down)}" if down else "HAProxy finds all servers up")
        lines.append(f"{host.name:<28}{'; '.join(words)}")
    return [*lines, f"{'galera':<28}{galera_size(site, topology)} of {len(topology.having('mysql'))}"]
