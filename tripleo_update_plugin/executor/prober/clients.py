"""Askers that log in: a query to the database, a message to the broker and back. Blocking libraries, in threads."""

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from tripleo_update_plugin.executor.prober.access import Means
from tripleo_update_plugin.executor.prober.failures import CannotAsk, Unanswered
from tripleo_update_plugin.rules.probes import Probe


def asker_of(probe: Probe, means: Means) -> tuple[str, Callable[[], Awaitable[None]]]:
    """(how deep it asks, the asker) of a probe for whose kind there are credentials."""
    level, ask = _broker(probe, means) if probe.kind == "amqp" else _database(probe, means)

    async def in_thread() -> None:
        await asyncio.get_running_loop().run_in_executor(means.threads, ask)

    return level, in_thread


def _database(probe: Probe, means: Means) -> tuple[str, Callable[[], None]]:
    try:
        import pymysql
    except ImportError as error:
        raise CannotAsk("PyMySQL is not installed here") from error
    login, timeout = means.logins["sql"], probe.pace.timeout
    host, port = means.way_to(probe.hosts[0], probe.port)
    idle: deque[Any] = deque()

    def connect() -> Any:
        return pymysql.connect(
            host=host, port=port, user=login.user, password=login.password,
            connect_timeout=timeout, read_timeout=timeout, write_timeout=timeout,
        )  # fmt: skip

    def ask() -> None:
        try:
            connection = idle.popleft() if probe.pooled and idle else connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    cursor.fetchone()
            except BaseException:
                connection._force_close()
                raise
        except pymysql.err.MySQLError as error:
            code = error.args[0] if error.args and isinstance(error.args[0], int) else "?"
            raise Unanswered(f"the database says error {code}") from None
        if probe.pooled:
            idle.append(connection)
        else:
            connection.close()

    return ("pooled connection, query" if probe.pooled else "new connection, query"), ask


def _broker(probe: Probe, means: Means) -> tuple[str, Callable[[], None]]:
    try:
        import amqp
    except ImportError as error:
        raise CannotAsk("amqp is not installed here") from error
    login, timeout = means.logins["amqp"], probe.pace.timeout
    share = timeout / len(probe.hosts)  # a node that is off must not use up the time of the others

    def connect() -> Any:
        error: Exception = Unanswered("there is no broker")
        for name in probe.hosts:
            host, port = means.way_to(name, probe.port)
            made = amqp.Connection(
                host=f"{host}:{port}", userid=login.user, password=login.password, virtual_host=login.vhost,
                confirm_publish=True, connect_timeout=share, read_timeout=timeout, write_timeout=timeout,
            )  # fmt: skip
            try:
                made.connect()
                return made
            except (OSError, amqp.exceptions.AMQPError) as refused:
                made.collect()
                error = refused
        raise error

    def ask() -> None:
        body = uuid.uuid4().bytes
        try:
            connection = connect()
            try:
                channel = connection.channel()
                queue = channel.queue_declare(exclusive=True, auto_delete=True).queue
                channel.basic_publish_confirm(amqp.Message(body), routing_key=queue, timeout=timeout)
                found = channel.basic_get(queue, no_ack=True)
                if found is None or bytes(found.body) != body:
                    raise Unanswered("the message did not come back")
                connection.close()
            finally:
                connection.collect()
        except amqp.exceptions.AMQPError as error:
            raise Unanswered(f"the broker says error {getattr(error, 'code', 0)}") from None

    return "new connection, confirmed publish and consume", ask
