"""The HTTP endpoints of the sandbox's nodes, and of its virtual IP address, on loopback addresses of their own.

A node answers for a service only while that service runs there; otherwise the connection is cut. The virtual address
answers, as HAProxy would, while some node runs the load balancer and some node runs the service behind it. A node's
HAProxy says on its stats socket which servers it finds up, and takes no orders there, as TripleO sets it up.

Run as ``python -m tripleo_update_plugin.sandbox.endpoint_server --nodes FOLDER``.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tripleo_update_plugin.sandbox.nodes import HORIZON_PORT, STATS_PORT, Node, nodes_in, vip_of

_HEALTHY = b"OK\n"

#: {port: (service, what it says)}
PORTS = {
    2022: ("nova_migration_target", _HEALTHY),
    5000: ("keystone", b'{"version": {"id": "v3.14", "status": "stable"}}\n'),
    6080: ("nova_vnc_proxy", _HEALTHY),
    6379: ("redis", _HEALTHY),
    8000: ("heat_api_cfn", _HEALTHY),
    8004: ("heat_api", _HEALTHY),
    8080: ("ceph_rgw", _HEALTHY),
    HORIZON_PORT: ("horizon", _HEALTHY),
    8774: ("nova_api", _HEALTHY),
    8775: ("nova_metadata", _HEALTHY),
    8776: ("cinder_api", _HEALTHY),
    8778: ("placement", _HEALTHY),
    9200: ("mysql", b"Galera cluster node is synced.\n"),
    9292: ("glance_api", _HEALTHY),
    9293: ("glance_api_internal", _HEALTHY),
    9696: ("neutron_api", _HEALTHY),
    11211: ("memcached", _HEALTHY),
}
#: What is no HTTP: {what is asked: what is answered}.
_WORDS = {b"PING\r\n": b"+PONG\r\n", b"version\r\n": b"VERSION 1.5.22\r\n"}
_BALANCED = (5000,)
_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


async def _answer(
    is_up: Callable[[], bool], body: bytes, reader: asyncio.StreamReader, out: asyncio.StreamWriter
) -> None:
    try:
        line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
        if line not in _WORDS:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        if is_up():
            out.write(_WORDS.get(line) or _HEAD % len(body) + body)
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


def _stats(nodes: tuple[Node, ...]) -> str:
    """What "show stat" says of keystone_public: of its fields the name, the server, the sessions and the status."""
    row = "keystone_public,{},0,0,0,0" + "," * 12 + "{}"
    up = {node.name: node.serves("keystone") for node in nodes if (node.folder / "services" / "keystone").is_dir()}
    rows = [row.format(f"{name}.internalapi.localdomain", "UP" if is_up else "DOWN") for name, is_up in up.items()]
    return "\n".join(["# pxname,svname", *rows, row.format("BACKEND", "UP" if any(up.values()) else "DOWN"), "", ""])


def _is_balanced(nodes: tuple[Node, ...], service: str) -> bool:
    return any(node.serves("haproxy") for node in nodes) and any(node.serves(service) for node in nodes)


async def _serve(folder: Path) -> None:
    nodes = nodes_in(folder)
    for port, (service, body) in PORTS.items():
        hosts = [node for node in nodes if (node.folder / "services" / service).is_dir()]
        for node in hosts:
            await asyncio.start_server(partial(_answer, partial(node.serves, service), body), node.address, port)
        if hosts and port in _BALANCED:
            is_up = partial(_is_balanced, nodes, service)
            await asyncio.start_server(partial(_answer, is_up, body), vip_of(hosts[0].address), port)
    for node in nodes:
        if (node.folder / "services" / "haproxy").is_dir():
            await asyncio.start_server(partial(_answer_stats, nodes, node), node.address, STATS_PORT)
    await asyncio.Event().wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="The HTTP endpoints of the sandbox's nodes")
    parser.add_argument("--nodes", required=True, type=Path)
    asyncio.run(_serve(parser.parse_args().nodes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
