"""Servers on loopback that answer as the real ones do, as far as a probe asks, and fail when they are told to."""

import asyncio
import hashlib
import socket
import ssl
import struct
import subprocess
import threading

GREETING = b"\x0a10.11.6-MariaDB\0" + struct.pack("<L", 7) + b"abcdefgh\0" + struct.pack("<HBHH", 0xF7FF, 33, 2, 0x80FF)
GREETING += bytes([21]) + bytes(10) + b"ijklmnopqrst\0mysql_native_password\0"
OK = b"\0\0\0\2\0\0\0"


class Server:
    """One port. ``fault``: '' answers, 'cut' closes at once, 'mute' says nothing, 'wrong' talks nonsense."""

    def __init__(self, talk, tls=None):
        self.fault = ""
        self.accepted = 0
        self._talk = talk
        self._loop = asyncio.new_event_loop()
        self._tls = tls
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        started = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self._server = self._loop.run_until_complete(started)
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        self.accepted += 1
        try:
            if self.fault == "cut":
                return
            if self.fault == "mute":
                await reader.read()
                return
            if self.fault == "wrong":
                writer.write(b"220 mail.example ESMTP\r\n")
                await writer.drain()
                return
            await self._talk(self, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if self.fault == "cut" else writer.close()

    def close(self):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _end(self):
        self._server.close()
        talks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


class Web:
    """Says what it is told to say."""

    def __init__(self, status=200, body=b"all is well"):
        self.status, self.body, self.heads = status, body, []

    async def __call__(self, server, reader, writer):
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 %d Whatever\r\nLocation: /elsewhere\r\n\r\n%s" % (self.status, self.body))
        await writer.drain()


class Database:
    """A MySQL server that knows one password and the query SELECT 1; ``deaf`` sessions die at their next query."""

    def __init__(self, refuses=0):
        self.password, self.refuses, self.queries, self.sessions, self.deaf = "let-me-in", refuses, [], 0, False

    async def __call__(self, server, reader, writer):
        if self.refuses:
            writer.write(self._packet(b"\xff" + struct.pack("<H", self.refuses) + b"#08004Too many connections", 0))
            await writer.drain()
            return
        self.sessions += 1
        writer.write(self._packet(GREETING, 0))
        login = (await self._read(reader))[1]
        if self._proof() not in login:
            writer.write(self._packet(b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied", 2))
            await writer.drain()
            return
        writer.write(self._packet(OK, 2))
        while True:
            _, command = await self._read(reader)
            if command[:1] != b"\x03" or self.deaf:
                return
            self.queries.append(command[1:].decode())
            writer.write(self._rows() if "SELECT 1" in self.queries[-1] else self._packet(OK, 1))
            await writer.drain()

    def _proof(self):
        """SHA1(password) xor SHA1(challenge + SHA1(SHA1(password))), as mysql_native_password has it."""
        first = hashlib.sha1(self.password.encode(), usedforsecurity=False).digest()
        second = hashlib.sha1(first, usedforsecurity=False).digest()
        third = hashlib.sha1(b"abcdefghijklmnopqrst" + second, usedforsecurity=False).digest()
        return bytes(a ^ b for a, b in zip(first, third, strict=True))

    def _rows(self):
        column = b"\x03def\0\0\0\x011\0\x0c" + struct.pack("<HLBHB", 63, 1, 8, 0x81, 0) + b"\0\0"
        end = b"\xfe\0\0\2\0"
        return b"".join(self._packet(p, i + 1) for i, p in enumerate([b"\x01", column, end, b"\x011", end]))

    @staticmethod
    def _packet(payload, number):
        return struct.pack("<L", len(payload))[:3] + bytes([number]) + payload

    @staticmethod
    async def _read(reader):
        head = await reader.readexactly(4)
        return head[3], await reader.readexactly(int.from_bytes(head[:3], "little"))


async def broker(server, reader, writer):
    """The greeting of an AMQP 0-9-1 broker, and no more."""
    assert await reader.readexactly(8) == b"AMQP\0\0\x09\x01"
    start = struct.pack(">HHBBLL5sL5s", 10, 10, 0, 9, 0, 5, b"PLAIN", 5, b"en_US")
    writer.write(struct.pack(">BHL", 1, 0, len(start)) + start + b"\xce")
    await writer.drain()


class Broker:
    """An AMQP 0-9-1 broker, as far as one message goes there and back; ``loses`` it, or ``refuses`` the login."""

    def __init__(self):
        self.loses = self.refuses = False
        self.logins = []

    async def __call__(self, server, reader, writer):
        await broker(server, reader, writer)
        self._writer, message = writer, b""
        while True:
            kind, channel, payload = await self._frame(reader)
            method = struct.unpack(">HH", payload[:4]) if kind == 1 else (0, 0)
            if method == (10, 11):
                self.logins.append(payload)
                if self.refuses:
                    return
            if kind == 3:
                message = b"" if self.loses else payload
                self._say(channel, 60, 80, struct.pack(">QB", 1, 0))
            elif method == (60, 70) and message:
                self._say(channel, 60, 71, struct.pack(">QBBBL", 1, 0, 0, 0, 0))
                self._send(2, channel, struct.pack(">HHQH", 60, 0, len(message), 0))
                self._send(3, channel, message)
            elif method in self._ANSWERS:
                self._say(channel, *self._ANSWERS[method])
            await writer.drain()

    #: {what is asked: (class, method, arguments) of the answer}
    _ANSWERS = {
        (10, 11): (10, 30, struct.pack(">HLH", 100, 131072, 0)),
        (10, 40): (10, 41, b"\0"),
        (10, 50): (10, 51, b""),
        (20, 10): (20, 11, bytes(4)),
        (20, 40): (20, 41, b""),
        (50, 10): (50, 11, b"\x03q-1" + bytes(8)),
        (60, 70): (60, 72, b"\0"),
        (85, 10): (85, 11, b""),
    }

    def _say(self, channel, klass, method, arguments):
        self._send(1, channel, struct.pack(">HH", klass, method) + arguments)

    def _send(self, kind, channel, payload):
        self._writer.write(struct.pack(">BHL", kind, channel, len(payload)) + payload + b"\xce")

    @staticmethod
    async def _frame(reader):
        kind, channel, size = struct.unpack(">BHL", await reader.readexactly(7))
        return kind, channel, (await reader.readexactly(size + 1))[:-1]


def certificate(folder):
    """(server's TLS context, file with the certificate that vouches for it), for 127.0.0.1."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
