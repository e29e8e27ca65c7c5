"""How each kind of probe asks once. An asker returns when it was answered, and raises Unanswered when not."""

import asyncio
import os
import re
import socket
import struct
from collections.abc import Awaitable, Callable

from tripleo_update_plugin.executor.prober import clients
from tripleo_update_plugin.executor.prober.access import Means
from tripleo_update_plugin.executor.prober.failures import CannotAsk, Unanswered
from tripleo_update_plugin.rules.probes import Probe

Asker = Callable[[], Awaitable[None]]

_MOST_BODY = 65536  # bytes of an answer that are looked at for a text
_AMQP_HEADER = b"AMQP\x00\x00\x09\x01"


def asker_of(probe: Probe, means: Means) -> tuple[str, Asker]:
    """(how deep it asks, the asker) of *probe*. Raises CannotAsk where this executor cannot."""
    if probe.kind == "command" and not means.commands:
        raise CannotAsk("commands are not allowed here: [tripleo_update] probe_commands is not set")
    if probe.kind in means.logins:
        return clients.asker_of(probe, means)
    if probe.pooled:
        raise CannotAsk("a pooled connection needs credentials: [tripleo_update] probe_credentials")
    if probe.kind == "icmp":
        _icmp_socket(probe.hosts[0]).close()
    level, ask = _ASKERS[probe.kind]
    return level, lambda: ask(probe, means)


async def _http(probe: Probe, means: Means) -> None:
    """A connection of its own, HTTP/1.0, no redirect followed."""
    host = probe.hosts[0]
    reader, writer = await _connect(probe, means, host)
    try:
        name = f"[{host}]" if ":" in host else host
        head = f"GET {probe.path} HTTP/1.0\r\nHost: {name}:{probe.port}\r\nUser-Agent: tripleo-update\r\n\r\n"
        writer.write(head.encode())
        line = await reader.readline()
        found = re.match(rb"HTTP/1\.[01] (\d{3})", line)
        if not found:
            raise Unanswered("the connection was cut" if not line else "the answer is not HTTP")
        status = int(found.group(1))
        if status not in probe.statuses if probe.statuses else status >= 500:
            raise Unanswered(f"status {status}")
        if probe.body and probe.body.encode() not in await _rest(reader):
            raise Unanswered("the answer lacks the expected text")
    finally:
        writer.transport.abort()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while len(found) < _MOST_BODY and (more := await reader.read(_MOST_BODY)):
        found += more
    return found


async def _tcp(probe: Probe, means: Means) -> None:
    _, writer = await _connect(probe, means, probe.hosts[0])
    writer.transport.abort()


async def _sql(probe: Probe, means: Means) -> None:
    """The greeting that a MySQL server sends first: protocol version 10, or an error such as too many connections."""
    reader, writer = await _connect(probe, means, probe.hosts[0])
    try:
        greeting = await _exactly(reader, 7)
        if greeting[4] == 0xFF:
            raise Unanswered(f"the database refuses: error {int.from_bytes(greeting[5:7], 'little')}")
        if greeting[4] != 10:
            raise Unanswered("the greeting is not MySQL's")
    finally:
        writer.transport.abort()


async def _amqp(probe: Probe, means: Means) -> None:
    """The greeting of the first broker that can be had, as clients look for one; each gets its share of the time."""
    error: BaseException = Unanswered("there is no broker")
    for host in probe.hosts:
        try:
            return await asyncio.wait_for(_amqp_greeting(probe, means, host), probe.pace.timeout / len(probe.hosts))
        except (OSError, Unanswered) as failed:
            error = failed
    raise error


async def _amqp_greeting(probe: Probe, means: Means, host: str) -> None:
    """Connection.Start: a frame of type 1 with class 10, method 10."""
    reader, writer = await _connect(probe, means, host)
    try:
        writer.write(_AMQP_HEADER)
        frame = await _exactly(reader, 11)
        if frame[0] != 1 or struct.unpack(">HH", frame[7:11]) != (10, 10):
            raise Unanswered("the greeting is not AMQP's")
    finally:
        writer.transport.abort()


async def _exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    try:
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError as error:
        raise Unanswered("the connection was cut") from error


async def _connect(probe: Probe, means: Means, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address, port = means.way_to(host, probe.port)
    more = {"ssl": means.tls(probe.verify), "server_hostname": host} if probe.tls else {}
    return await asyncio.open_connection(address, port, **more)  # type: ignore[arg-type]


def _icmp_socket(host: str) -> socket.socket:
    """A socket for echo requests, which the kernel lets some groups have (net.ipv4.ping_group_range), and root."""
    family, protocol = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6) if ":" in host else (socket.AF_INET, socket.IPPROTO_ICMP)
    )
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        except PermissionError:
            continue
    raise CannotAsk("this executor's user may not send ICMP: see net.ipv4.ping_group_range")


async def _icmp(probe: Probe, means: Means) -> None:
    host, _ = means.way_to(probe.hosts[0], probe.port)
    loop = asyncio.get_running_loop()
    [(family, _, _, _, address), *_] = await loop.getaddrinfo(host, None)
    request, reply = (128, 129) if family == socket.AF_INET6 else (8, 0)
    token = os.urandom(16)
    with _icmp_socket(str(address[0])) as channel:
        await loop.sock_sendto(channel, _echo(request, token), address)
        while True:
            packet = await loop.sock_recv(channel, 2048)
            # A raw IPv4 socket gives the IP header, too.
            start = (packet[0] & 15) * 4 if channel.type == socket.SOCK_RAW and request == 8 else 0
            if packet[start] == reply and packet.endswith(token):
                return


def _echo(kind: int, token: bytes) -> bytes:
    """An ICMP echo request with its checksum (RFC 792, RFC 1071); the kernel does it once more for ICMPv6."""
    head = struct.pack(">BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1)
    total = sum(struct.unpack(f">{len(head + token) // 2}H", head + token))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">BBHHH", kind, 0, ~total & 0xFFFF, os.getpid() & 0xFFFF, 1) + token


async def _command(probe: Probe, means: Means) -> None:
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*probe.argv, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if code:
        raise Unanswered(f"exit code {code}")


_ASKERS: dict[str, tuple[str, Callable[[Probe, Means], Awaitable[None]]]] = {
    "http": ("new connection, request", _http),
    "tcp": ("new connection", _tcp),
    "icmp": ("echo", _icmp),
    "sql": ("new connection, greeting", _sql),
    "amqp": ("new connection, greeting", _amqp),
    "command": ("exit code", _command),
}
