"""The HTTP endpoints of the sandbox's nodes, and of its virtual IP address, on loopback addresses of their own.

A node answers for a service only while that service runs there; otherwise the connection is cut. The virtual address
answers, as HAProxy would, while some node runs the load balancer and some node runs the service behind it.

Run as ``python -m tripleo_update_plugin.sandbox.endpoint_server --nodes FOLDER``.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tripleo_update_plugin.sandbox.nodes import Node, nodes_in, vip_of

#: {port: (service, what it says)}
PORTS = {
    5000: ("keystone", b'{"version": {"id": "v3.14", "status": "stable"}}\n'),
    9200: ("mysql", b"Galera cluster node is synced.\n"),
}
_BALANCED = (5000,)
_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


async def _answer(
    is_up: Callable[[], bool], body: bytes, reader: asyncio.StreamReader, out: asyncio.StreamWriter
) -> None:
    try:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        if is_up():
            out.write(_HEAD % len(body) + body)
            await out.drain()
        else:
            out.transport.abort()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        out.transport.abort()
    finally:
        out.close()


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
    await asyncio.Event().wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="The HTTP endpoints of the sandbox's nodes")
    parser.add_argument("--nodes", required=True, type=Path)
    asyncio.run(_serve(parser.parse_args().nodes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
