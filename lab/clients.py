"""The clients of the lab's overcloud: an open loop of requests through the VIP, independent of the plugin.

A request is tried once; if that fails, again and again for 15 seconds. What was confirmed is remembered, and looked
for afterwards. Nothing here knows what an update is.
"""

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import amqp
import pymysql

from lab.configuration import ADMIN_PASSWORD, CLIENT, CLIENT_PASSWORD
from lab.topology import VIP
from lab.verdict import Request

TIMEOUT = 5.0  # seconds for one attempt's connection, and for each of its answers
RETRIES = 15.0  # seconds from the first attempt on
_PAUSE = 0.25
_MOST = 400  # requests under way at the same time


class Client(Protocol):
    """``attempt`` raises if it does not work; many threads call it. ``confirmed`` is what must not be lost."""

    name: str
    rate: float
    fresh: bool
    confirmed: set[int]

    def attempt(self, number: int) -> None: ...

    def found(self) -> set[int]:
        """What is there of it, when all attempts have ended. Raises if nobody answers."""


@dataclass(slots=True)
class Findings:
    """What the clients found out beyond success and failure."""

    stale: int = 0
    errors: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def saw_stale(self) -> None:
        with self.guard:
            self.stale += 1

    def saw_error(self, client: str, error: Exception) -> None:
        with self.guard:
            if len(self.errors) < 200:
                text = " ".join(str(error).split())[:120]
                self.errors.append(f"{time.monotonic() - self.began:.1f} {client}: {type(error).__name__}: {text}")


@dataclass(slots=True)
class Database:
    """A row written and the newest one read, on a new connection each, or on one of a pool."""

    name: str
    rate: float
    fresh: bool
    findings: Findings
    pool: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)
    confirmed: set[int] = field(default_factory=set)
    newest: int = -1
    guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for _ in range(0 if self.fresh else 8):
            self.pool.put(None)

    def attempt(self, number: int) -> None:
        if self.fresh:
            with closing(_sql()) as session:
                self._ask(session, number)
            return
        session = self.pool.get(timeout=TIMEOUT)
        try:
            session = session or _sql()
            self._ask(session, number)
        except Exception:
            with suppress(Exception):
                session.close()
            session = None
            raise
        finally:
            self.pool.put(session)

    def _ask(self, session: Any, number: int) -> None:
        with self.guard:
            known = self.newest
        with session.cursor() as cursor:
            cursor.execute("INSERT INTO probe (who, seq) VALUES (%s, %s)", (self.name, number))
            with self.guard:
                self.confirmed.add(number)
                self.newest = max(self.newest, number)
            cursor.execute("SELECT MAX(seq) FROM probe WHERE who = %s", (self.name,))
            if cursor.fetchone()[0] < known:
                self.findings.saw_stale()

    def found(self) -> set[int]:
        with closing(_sql()) as session, session.cursor() as cursor:
            cursor.execute("SELECT seq FROM probe WHERE who = %s", (self.name,))
            return {row[0] for row in cursor.fetchall()}


def _sql() -> Any:
    return pymysql.connect(
        host=VIP, user=CLIENT, password=CLIENT_PASSWORD, database="lab", autocommit=True,
        connect_timeout=TIMEOUT, read_timeout=TIMEOUT, write_timeout=TIMEOUT,
    )  # fmt: skip


@dataclass(slots=True)
class Identity:
    """A project changed and read again, on new connections."""

    findings: Findings
    name: str = "api"
    rate: float = 5.0
    fresh: bool = True
    token: str = ""
    confirmed: set[int] = field(default_factory=set)  # stays empty: what was written is overwritten
    projects: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def prepare(self, count: int = 90) -> None:
        """A token, and projects that one request at a time has for itself."""
        user = {"name": "admin", "domain": {"id": "default"}, "password": ADMIN_PASSWORD}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer, headers = _http("POST", "/v3/auth/tokens", "", {"auth": {"identity": identity, "scope": scope}})
        self.token = headers["X-Subject-Token"]
        for i in range(count):
            made, _ = _http("POST", "/v3/projects", self.token, {"project": {"name": f"lab-{time.time_ns()}-{i}"}})
            self.projects.put(made["project"]["id"])
        assert answer["token"]

    def attempt(self, number: int) -> None:
        project = self.projects.get(timeout=TIMEOUT)
        try:
            _http("PATCH", f"/v3/projects/{project}", self.token, {"project": {"description": str(number)}})
            answer, _ = _http("GET", f"/v3/projects/{project}", self.token)
        finally:
            self.projects.put(project)
        if answer["project"]["description"] != str(number):
            self.findings.saw_stale()

    def found(self) -> set[int]:
        return set()


def _http(method: str, path: str, token: str, body: Any = None) -> tuple[dict[str, Any], Any]:
    with closing(http.client.HTTPConnection(VIP, 5000, timeout=TIMEOUT)) as connection:
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        text = response.read()
    if response.status >= 400:
        raise OSError(f"{method} {path.split('/')[2]}: {response.status}")
    return json.loads(text), response.headers


@dataclass(slots=True)
class Messages:
    """Messages published with confirms, to a quorum queue; the client knows all brokers, as services do."""

    brokers: tuple[str, ...]
    findings: Findings
    name: str = "amqp"
    rate: float = 20.0
    fresh: bool = False
    queue_name: str = field(default_factory=lambda: f"lab-{time.time_ns()}")
    channels: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)
    confirmed: set[int] = field(default_factory=set)
    turn: int = 0

    def prepare(self) -> None:
        with self._connection() as connection:
            connection.channel().queue_declare(
                self.queue_name, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
            )
        for _ in range(6):
            self.channels.put(None)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        connection = self._connect()
        try:
            yield connection
        finally:
            with suppress(Exception):
                connection.close()

    def _connect(self) -> Any:
        """The next broker that answers."""
        for attempt in range(len(self.brokers)):
            self.turn += 1
            connection = amqp.Connection(
                f"{self.brokers[self.turn % len(self.brokers)]}:5672", CLIENT, CLIENT_PASSWORD, confirm_publish=True,
                connect_timeout=TIMEOUT / 2, read_timeout=TIMEOUT, write_timeout=TIMEOUT,
            )  # fmt: skip
            try:
                connection.connect()
                return connection
            except Exception:
                if attempt + 1 == len(self.brokers):
                    raise
        raise AssertionError("there are brokers")

    def attempt(self, number: int) -> None:
        channel = self.channels.get(timeout=TIMEOUT)
        try:
            channel = channel or self._connect().channel()
            message = amqp.Message(str(number), delivery_mode=2)
            channel.basic_publish(message, routing_key=self.queue_name, timeout=TIMEOUT)
        except Exception:
            with suppress(Exception):
                channel.connection.collect()
            channel = None
            raise
        finally:
            self.channels.put(channel)
        self.confirmed.add(number)

    def found(self) -> set[int]:
        found = set()
        with self._connection() as connection:
            channel = connection.channel()
            while message := channel.basic_get(self.queue_name, no_ack=True):
                found.add(int(message.body))
            channel.queue_delete(self.queue_name)
        return found


def lost(client: Client, seconds: float = 30.0) -> int:
    """How much of what was confirmed is not there; all of it, if nobody answers for so many *seconds*."""
    deadline = time.monotonic() + seconds
    while client.confirmed:
        try:
            return len(client.confirmed - client.found())
        except Exception:  # whatever a library makes of it
            if time.monotonic() > deadline:
                return len(client.confirmed)
            time.sleep(1)
    return 0


def load(
    client: Client, findings: Findings, stop: threading.Event, clock: Callable[[], float] = time.monotonic
) -> list[Request]:
    """Requests at the client's rate, however long the earlier ones take, until *stop*; returns when all have ended."""
    requests: list[Request] = []

    def one(number: int) -> None:
        requests.append(_insist(client, number, findings, clock))

    began, number = clock(), 0
    with ThreadPoolExecutor(_MOST) as pool:
        while not stop.wait(max(0.0, began + number / client.rate - clock())):
            pool.submit(one, number)
            number += 1
    return requests


def _insist(client: Client, number: int, findings: Findings, clock: Callable[[], float]) -> Request:
    started, first_ok = clock(), True
    while True:
        try:
            client.attempt(number)
            return Request(started=started, finished=clock(), first_ok=first_ok, ok=True)
        except Exception as error:  # whatever a library makes of it, the client was not served
            if first_ok:
                findings.saw_error(client.name, error)
            first_ok = False
        if clock() - started > RETRIES:
            return Request(started=started, finished=clock(), first_ok=False, ok=False)
        time.sleep(_PAUSE)
