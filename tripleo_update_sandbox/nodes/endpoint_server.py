"""The endpoints of the sandbox's nodes, and of their virtual IP address, on loopback addresses of their own.

A node answers for a service only while that service runs there; otherwise the connection is cut. The virtual address
answers, as HAProxy would, while some node runs the load balancer and some node runs the service behind it. The database
and the message broker say no more than their greeting. A node's HAProxy says on its stats socket which servers it finds
up, and takes no orders there, as TripleO sets it up.

Run as ``python -m tripleo_update_sandbox.nodes.endpoint_server --nodes FOLDER``.
"""

import argparse
import asyncio
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tripleo_update_sandbox.nodes.nodes import HORIZON_PORT, STATS_PORT, Node, nodes_in, vip_of

_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
_MYSQL_GREETING = b"\x0a10.11.0-sandbox\0" + bytes(4) + b"sandbox-\0" + bytes(18) + b"sandbox-part\0"
_AMQP_START = struct.pack(">HHBBLL5sL5s", 10, 10, 0, 9, 0, 5, b"PLAIN", 5, b"en_US")

Speech = Callable[[asyncio.StreamReader], Awaitable[bytes]]


def _http(body: bytes) -> Speech:
    async def speak(reader: asyncio.StreamReader) -> bytes:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        return _HEAD % len(body) + body

    return speak


def _line(answer: bytes) -> Speech:
    """Says *answer* to whatever is asked in a line."""

    async def speak(reader: asyncio.StreamReader) -> bytes:
        await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
        return answer

    return speak


async def _mysql(_reader: asyncio.StreamReader) -> bytes:
    return struct.pack("<L", len(_MYSQL_GREETING)) + _MYSQL_GREETING


async def _amqp(reader: asyncio.StreamReader) -> bytes:
    """Connection.Start, once the client has sent its header of eight bytes."""
    await asyncio.wait_for(reader.readexactly(8), 5)
    return struct.pack(">BHL", 1, 0, len(_AMQP_START)) + _AMQP_START + b"\xce"


@dataclass(frozen=True, slots=True)
class Face:
    """What is at one port: of the nodes, of the virtual address, or of both."""

    service: str
    speak: Speech
    on_nodes: bool = True
    on_vip: bool = True


_API = _http(b'{"versions": []}\n')
_SESSION = _http(b"OK\n")
FACES = {
    2022: Face("nova_migration_target", _SESSION, on_vip=False),
    3306: Face("mysql", _mysql, on_nodes=False),
    5000: Face("keystone", _http(b'{"version": {"id": "v3.14", "status": "stable"}}\n')),
    5672: Face("oslo_messaging_rpc", _amqp, on_vip=False),
    6080: Face("nova_vnc_proxy", _SESSION),
    6379: Face("redis", _line(b"+PONG\r\n"), on_vip=False),
    8000: Face("heat_api_cfn", _API),
    8004: Face("heat_api", _API),
    8080: Face("ceph_rgw", _API),
    8774: Face("nova_api", _API),
    8775: Face("nova_metadata", _API),
    8776: Face("cinder_api", _API),
    8778: Face("placement", _API),
    9200: Face("mysql", _http(b"Galera cluster node is synced.\n"), on_vip=False),
    9292: Face("glance_api", _API),
    9293: Face("glance_api_internal", _API),
    9696: Face("neutron_api", _API),
    11211: Face("memcached", _line(b"VERSION 1.5.22\r\n"), on_vip=False),
    HORIZON_PORT: Face("horizon", _http(b"<title>Login</title>\n")),
}


async def _answer(
    is_up: Callable[[], bool], speak: Speech, reader: asyncio.StreamReader, out: asyncio.StreamWriter
) -> None:
    try:
        answer = await speak(reader)
        if is_up():
            out.write(answer)
            await out.drain()
        else:
            out.transport.abort()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        out.transport.abort()
    finally:
        out.close()


async def _answer_stats(
    nodes: tuple[Node, ...], own: Node, reader: asyncio.StreamReader, out: asyncio.StreamWriter
) -> None:
    try:
        line = await asyncio.wait_for(reader.readline(), 5)
        if not own.serves("haproxy"):
            out.transport.abort()
            return
        out.write(_stats(nodes).encode() if line == b"show stat\n" else b"Permission denied\n\n")
        await out.drain()
    except (OSError, TimeoutError):
        out.transport.abort()
    finally:
        out.close()


#: The first columns of "show stat"; there are sixty more.
_COLUMNS = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status"


def _stats(nodes: tuple[Node, ...]) -> str:
    """What "show stat" says of keystone_public: of its fields the name, the server, the sessions and the status."""
    row = "keystone_public,{},0,0,0,0" + "," * 12 + "{}"
    up = {node.name: node.serves("keystone") for node in nodes if (node.folder / "services" / "keystone").is_dir()}
    rows = [row.format(f"{name}.internalapi.localdomain", "UP" if is_up else "DOWN") for name, is_up in up.items()]
    return "\n".join([_COLUMNS, *rows, row.format("BACKEND", "UP" if any(up.values()) else "DOWN"), "", ""])


def _is_balanced(nodes: tuple[Node, ...], service: str) -> bool:
    return any(node.serves("haproxy") for node in nodes) and any(node.serves(service) for node in nodes)


async def _serve(folder: Path) -> None:
    nodes = nodes_in(folder)
    for port, face in FACES.items():
        hosts = [node for node in nodes if (node.folder / "services" / face.service).is_dir()]
        for node in hosts if face.on_nodes else ():
            is_up = partial(node.serves, face.service)
            await asyncio.start_server(partial(_answer, is_up, face.speak), node.address, port)
        if hosts and face.on_vip:
            is_up = partial(_is_balanced, nodes, face.service)
            await asyncio.start_server(partial(_answer, is_up, face.speak), vip_of(hosts[0].address), port)
    for node in nodes:
        if (node.folder / "services" / "haproxy").is_dir():
            await asyncio.start_server(partial(_answer_stats, nodes, node), node.address, STATS_PORT)
    await asyncio.Event().wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="The endpoints of the sandbox's nodes")
    parser.add_argument("--nodes", required=True, type=Path)
    asyncio.run(_serve(parser.parse_args().nodes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
