"""A RabbitMQ of our own: a node name, an epmd, a cookie and a folder that no other one shares."""

import os
import socket
import struct
from pathlib import Path

from distributed.server import Server
from tripleo_update_undercloud.server_processes import free_ports

_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one in /usr/sbin insists on the system's folders


def broker(folder: Path, port: int, env: dict[str, str]) -> Server:
    """RabbitMQ on loopback, with the user that it has from the start (guest)."""
    own = folder / "rabbitmq"
    own.mkdir(mode=0o700)
    config = own / "rabbitmq.conf"
    config.write_text(f"listeners.tcp.local = 127.0.0.1:{port}\n")
    (own / "plugins").write_text("[].\n")
    distribution, mapper = free_ports(2)
    settings = {
        "HOME": str(own),  # of the cookie
        "RABBITMQ_NODENAME": f"tripleo-update-{os.getpid()}-{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_CONF_ENV_FILE": str(own / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(own / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(own / "data"),
        "RABBITMQ_LOG_BASE": str(own / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(own / "pid"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    return Server(name="rabbitmq", folder=folder, command=[_PROGRAM], env={**env, **settings},
                  answers=lambda: _greets(port))  # fmt: skip


def url(port: int) -> str:
    return f"rabbit://guest:guest@127.0.0.1:{port}/"


def _greets(port: int) -> bool:
    """Whether it answers AMQP's header with Connection.Start."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(7)[:3] == struct.pack(">BH", 1, 0)
    except OSError:
        return False
