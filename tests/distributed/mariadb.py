"""A MariaDB of our own: a folder, a socket, a port; nothing of the system's configuration is read."""

import getpass
import subprocess
from pathlib import Path

import pymysql

from distributed.server import Server

_USER, _PASSWORD = "mistral", "mistral"


def database(folder: Path, port: int, env: dict[str, str]) -> Server:
    """MariaDB on loopback. What it has by default, without any configuration, is latin1."""
    own = folder / "mariadb"
    own.mkdir(mode=0o700)
    (own / "tmp").mkdir()
    common = ["--no-defaults", f"--datadir={own / 'data'}", f"--user={getpass.getuser()}"]
    subprocess.run(
        ["/usr/bin/mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, capture_output=True, env=env,
    )  # fmt: skip
    command = [
        "/usr/sbin/mariadbd", *common, f"--socket={own / 'socket'}", f"--pid-file={own / 'pid'}", f"--port={port}",
        "--bind-address=127.0.0.1", f"--tmpdir={own / 'tmp'}", "--skip-name-resolve", "--max-connections=500",
        "--innodb-buffer-pool-size=64M",
    ]  # fmt: skip
    return Server(name="mariadb", folder=folder, command=command, env=env, answers=lambda: _answers(own))


def create(folder: Path, charset: str) -> None:
    """Makes Mistral's database, with the default collation of *charset*."""
    with _root(folder / "mariadb") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE mistral CHARACTER SET {charset}")
        cursor.execute(f"CREATE USER {_USER}@'%' IDENTIFIED BY '{_PASSWORD}'")
        cursor.execute(f"GRANT ALL ON mistral.* TO {_USER}@'%'")


def charset_of(folder: Path, column: str, table: str) -> str:
    """The character set that a *column* of Mistral's has."""
    question = "SELECT character_set_name FROM information_schema.columns " \
        "WHERE table_schema = 'mistral' AND table_name = %s AND column_name = %s"  # fmt: skip
    with _root(folder / "mariadb") as connection, connection.cursor() as cursor:
        cursor.execute(question, (table, column))
        return cursor.fetchone()[0]


def url(port: int) -> str:
    return f"mysql+pymysql://{_USER}:{_PASSWORD}@127.0.0.1:{port}/mistral?charset=utf8mb4"


def _root(own: Path) -> pymysql.connections.Connection:
    return pymysql.connect(unix_socket=str(own / "socket"), user="root")


def _answers(own: Path) -> bool:
    try:
        _root(own).close()
    except (OSError, pymysql.Error):
        return False
    return True
