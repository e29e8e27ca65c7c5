"""What do the nodes answer over the network, and what their virtual address, on loopback addresses of their own?

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
from functools import partial
from pathlib import Path

from tripleo_update_sandbox.nodes.node import Node, nodes_in, vip_of
from tripleo_update_sandbox.nodes.ports import Port, balancer, ports

_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
_MYSQL_GREETING = b"\x0a10.11.0-sandbox\0" + bytes(4) + b"sandbox-\0" + bytes(18) + b"sandbox-part\0"
_AMQP_START = struct.pack(">HHBBLL5sL5s", 10, 10, 0, 9, 0, 5, b"PLAIN", 5, b"en_US")

#: The first columns of "show stat"; there are sixty more.
_COLUMNS = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status"

Speech = Callable[[asyncio.StreamReader], Awaitable[bytes]]


async def _http(body: bytes, reader: asyncio.StreamReader) -> bytes:
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    return _HEAD % len(body) + body


async def _line(answer: bytes, reader: asyncio.StreamReader) -> bytes:
    """Says *answer* to whatever is asked in a line."""
    await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    return answer


async def _mysql(_reader: asyncio.StreamReader) -> bytes:
    return struct.pack("<L", len(_MYSQL_GREETING)) + _MYSQL_GREETING


async def _amqp(reader: asyncio.StreamReader) -> bytes:
    """Connection.Start, once the client has sent its header of eight bytes."""
    await asyncio.wait_for(reader.readexactly(8), 5)
    return struct.pack(">BHL", 1, 0, len(_AMQP_START)) + _AMQP_START + b"\xce"


_GREETINGS: dict[str, Speech] = {"amqp": _amqp, "mysql": _mysql}


def _speech(port: Port) -> Speech:
    if port.greeting is not None:
        return _GREETINGS[port.greeting]
    if port.http is not None:
        return partial(_http, port.http.encode())
    return partial(_line, (port.line or "").encode())


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
        if not own.serves(balancer().service):
            out.transport.abort()
            return
        out.write(_stats(nodes).encode() if line == b"show stat\n" else b"Permission denied\n\n")
        await out.drain()
    except (OSError, TimeoutError):
        out.transport.abort()
    finally:
        out.close()


def _stats(nodes: tuple[Node, ...]) -> str:
    """What "show stat" says of each proxy: of its fields the name, the server, the sessions and the status."""
    rows = [row for port in ports() if port.proxy for row in _rows(port, nodes)]
    return "\n".join([_COLUMNS, *rows, "", ""])


def _rows(port: Port, nodes: tuple[Node, ...]) -> list[str]:
    row = port.proxy + ",{},0,0,0,0" + "," * 12 + "{}"
    up = {node.name: node.serves(port.service) for node in nodes if node.has(port.service)}
    rows = [row.format(f"{name}.internalapi.localdomain", "UP" if is_up else "DOWN") for name, is_up in up.items()]
    return [*rows, row.format("BACKEND", "UP" if any(up.values()) else "DOWN")]


def _is_balanced(nodes: tuple[Node, ...], service: str) -> bool:
    return any(node.serves(balancer().service) for node in nodes) and any(node.serves(service) for node in nodes)


async def _serve(folder: Path) -> None:
    nodes = nodes_in(folder)
    for port in ports():
        hosts = [node for node in nodes if node.has(port.service)]
        speak = _speech(port)
        for node in hosts if port.is_on_nodes else ():
            is_up = partial(node.serves, port.service)
            await asyncio.start_server(partial(_answer, is_up, speak), node.address, port.port)
        if hosts and port.is_at_vip:
            is_up = partial(_is_balanced, nodes, port.service)
            await asyncio.start_server(partial(_answer, is_up, speak), vip_of(hosts[0].address), port.port)
    for node in nodes:
        if node.has(balancer().service):
            await asyncio.start_server(partial(_answer_stats, nodes, node), node.address, balancer().port)
    await asyncio.Event().wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="The endpoints of the sandbox's nodes")
    parser.add_argument("--nodes", required=True, type=Path)
    asyncio.run(_serve(parser.parse_args().nodes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
