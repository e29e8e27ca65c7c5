"""What is asked all the while an update lasts? The stack's endpoints, and what the policy names.

A probe is asked ``rate`` times a second, whether or not earlier requests have been answered. Each request has
``timeout`` seconds and is not repeated. A client would try again for ``retry`` seconds: so a request counts as failed
in spite of retries if none of those sent within that time after it was answered either.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.names import is_safe_name, naturally
from tripleo_update_plugin.overcloud.model import Overcloud

KINDS = ("http", "tcp", "icmp", "sql", "amqp", "command")

SQL_PORT, AMQP_PORT = 3306, 5672

#: Requests that may fail before an update is paused; more can only be meant as null, which never pauses.
MOST_FAILED = 1_000_000

#: Seconds: whoever has no answer for longer than an hour calls it failed, whatever his client does.
LONGEST_RETRY = 3600

#: A client tries at least so often within its time of retries: with fewer requests nothing could be said of retries.
_FEWEST_TRIES = 3

_BROKERS = ("oslo_messaging_rpc", "rabbitmq")
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,254}\Z")  # a name or an address; no option of a command
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. ()-]{0,99}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``rate`` requests a second, each with ``timeout`` seconds; clients would try again for ``retry`` seconds."""

    rate: float = 1.0
    timeout: float = 2.0
    retry: float = 15.0

    @property
    def period(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing to ask, of a ``kind`` in KINDS, which decides what of the fields below ``pace`` matters.

    An ``http`` probe gets ``path`` of the host, by TLS if ``tls`` is set; the certificate is checked if ``verify`` is.
    It succeeds with one of the ``statuses`` (without any, with all below 500), and with ``body`` in the answer.
    ``amqp`` and ``sql`` take the first of ``hosts`` that can be had, as clients do; a ``pooled`` one keeps its
    connection. ``argv`` is the command of a ``command``.
    """

    name: str
    kind: str
    pace: Pace = field(default_factory=Pace)
    hosts: tuple[str, ...] = ()
    port: int = 0
    tls: bool = False
    verify: bool = True
    path: str = "/"
    statuses: tuple[int, ...] = ()
    body: str = ""
    pooled: bool = False
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The key ``probes`` of the policy: whether the ``stack`` chooses some, which to ``skip``, and ``more``."""

    stack: bool = True
    pace: Pace = field(default_factory=Pace)
    skip: tuple[str, ...] = ()
    more: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The key ``availability`` of the policy: requests of one probe that may fail in spite of retries.

    None lets everything fail: the update is never paused for it.
    """

    failed: int | None = 0


def parse(data: Mapping[str, Any]) -> tuple[Wanted, Tolerance]:
    """The keys ``probes`` and ``availability`` of a policy that its JSON Schema accepts, or of a plan's record of it.

    Raises BadPolicy for what cannot be asked.
    """
    wanted, tolerance = data.get("probes") or {}, data.get("availability") or {}
    try:
        pace = _pace(wanted, Pace(), "probes")
        more = tuple(_probe(each, pace) for each in wanted.get("more") or ())
        failed = tolerance.get("failed", 0)
        _insist(failed is None or (type(failed) is int and 0 <= failed <= MOST_FAILED), "availability: failed", failed)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadPolicy(f"probes: {error}") from error
    names = [probe.name for probe in more]
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadPolicy(f"probes: two of them are called {twice[0]!r}")
    chosen = Wanted(
        stack=bool(wanted.get("stack", True)), pace=pace, skip=tuple(map(str, wanted.get("skip") or ())), more=more
    )
    return chosen, Tolerance(failed=failed)


def _insist(is_so: object, what: str, found: object) -> None:
    if not is_so:
        raise BadPolicy(f"{what}: {found!r} cannot be used")


def _pace(data: Mapping[str, Any], default: Pace, what: str) -> Pace:
    numbers = {key: data.get(key, getattr(default, key)) for key in ("rate", "timeout", "retry")}
    for key, number in numbers.items():
        _insist(type(number) in (int, float), f"{what}: {key}", number)
    pace = Pace(**{key: float(number) for key, number in numbers.items()})
    _insist(0 < pace.rate <= 100, f"{what}: rate (a second)", pace.rate)
    _insist(0 < pace.timeout <= 60, f"{what}: timeout (seconds)", pace.timeout)
    _insist(0 < pace.retry <= LONGEST_RETRY, f"{what}: retry (seconds)", pace.retry)
    if pace.rate * pace.retry < _FEWEST_TRIES:
        raise BadPolicy(
            f"{what}: in {pace.retry:g} s of retry there are {pace.rate * pace.retry:.1f} requests; it takes "
            f"{_FEWEST_TRIES} to tell a client that tries again",
            "Raise rate or retry.",
        )
    return pace


def _probe(data: Mapping[str, Any], default: Pace) -> Probe:
    name, kind = data["name"], data["kind"]
    _insist(isinstance(name, str) and _NAME.match(name), "probes: name", name)
    _insist(kind in KINDS, f"probes: {name}: kind", kind)
    probe = Probe(name=name, kind=kind, pace=_pace(data, default, f"probes: {name}"))
    if kind == "command":
        argv = data.get("argv") or ()
        words = isinstance(argv, list) and all(isinstance(word, str) and "\0" not in word for word in argv)
        _insist(argv and words, f"probes: {name}: argv", argv)
        return replace(probe, argv=tuple(argv))
    if kind == "http":
        return _of_url(probe, data)
    hosts = data.get("hosts") or [data.get("host")]
    for host in hosts:
        _insist(isinstance(host, str) and _HOST.match(host), f"probes: {name}: host", host)
    port = data.get("port", {"sql": SQL_PORT, "amqp": AMQP_PORT, "icmp": 1}.get(kind, 0))
    _insist(type(port) is int and 0 < port < 65536, f"probes: {name}: port", port)
    return replace(probe, hosts=tuple(hosts), port=port, pooled=bool(data.get("pooled")))


def _of_url(probe: Probe, data: Mapping[str, Any]) -> Probe:
    url = data.get("url") or ""
    scheme, host, port = _origin(url)
    _insist(scheme and not re.search(r"[\s\x00-\x20]", url), f"probes: {probe.name}: url", url)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    statuses = data.get("status") or ()
    statuses = (statuses,) if isinstance(statuses, int) else tuple(statuses)
    _insist(all(type(status) is int for status in statuses), f"probes: {probe.name}: status", statuses)
    verify, body = bool(data.get("verify", True)), str(data.get("body") or "")
    return replace(
        probe, hosts=(host,), port=port, tls=scheme == "https", verify=verify, path=path, statuses=statuses, body=body
    )


def _origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of an HTTP URL; an empty scheme if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0
    host = parts.hostname or ""
    fits = parts.scheme in ("http", "https") and _HOST.match(host) and not parts.username
    return (parts.scheme, host, port) if fits else ("", "", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The probes of an update, and the public endpoints that are none: nobody deployed what they lead to."""

    probes: tuple[Probe, ...]
    left_out: tuple[str, ...] = ()


def select(wanted: Wanted, overcloud: Overcloud, outputs: Mapping[str, Any]) -> Selection:
    """What to ask of *overcloud*, whose stack has *outputs*; a probe of the policy takes the place of its namesake."""
    public, left_out = _public_endpoints(overcloud, wanted.pace) if wanted.stack else ([], [])
    own = [*public, *_database(overcloud, wanted.pace), *_brokers(overcloud, outputs, wanted.pace)]
    named = {probe.name for probe in wanted.more}
    chosen = [p for p in own if p.name not in named and p.name not in wanted.skip] if wanted.stack else []
    return Selection(probes=(*chosen, *wanted.more), left_out=tuple(n for n in left_out if n not in wanted.skip))


def skipped_without_need(
    data: Mapping[str, Any], overcloud: Overcloud, outputs: Mapping[str, Any]
) -> Iterator[str]:
    """A warning for the names in ``probes.skip`` of a policy that are none of the probes that the stack chooses."""
    wanted, _ = parse(data)
    if not wanted.skip:
        return
    chosen = select(replace(wanted, skip=(), more=(), stack=True), overcloud, outputs)
    known = {probe.name for probe in chosen.probes} | {*chosen.left_out}
    if unknown := naturally(name for name in wanted.skip if name not in known):
        yield f"probes.skip names no probe of the stack: {', '.join(unknown)}"


def _public_endpoints(overcloud: Overcloud, pace: Pace) -> tuple[list[Probe], list[str]]:
    """A probe for each host and port of public endpoints, and the names of endpoints that lead to nothing deployed.

    TripleO's EndpointMap has all services that there could be.
    """
    services = [service.replace("_", "") for service in overcloud.services]
    probes: dict[tuple[str, str, int], Probe] = {}
    left_out = []
    for name in naturally(overcloud.endpoints):
        if not name.endswith("Public") or not is_safe_name(name):
            continue
        scheme, host, port = origin = _origin(overcloud.endpoints[name])
        if not scheme or not any(_leads_to(name, service) for service in services):
            left_out.append(name)
        elif origin not in probes:
            probes[origin] = Probe(name=name, kind="http", pace=pace, hosts=(host,), port=port, tls=scheme == "https")
    served = {name for name in left_out if _origin(overcloud.endpoints[name]) in probes}
    return list(probes.values()), [name for name in left_out if name not in served]


def _leads_to(endpoint: str, service: str) -> bool:
    """Whether a public endpoint is that of a service, its name without underscores.

    >>> _leads_to("HeatCfnPublic", "heatapicfn"), _leads_to("CinderV3Public", "cinderapi")
    (True, True)
    >>> _leads_to("SaharaPublic", "heatapi")
    False
    """
    name = re.sub(r"(V\d+)?Public\Z", "", endpoint)
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", name)
    return bool(words) and all(word.lower() in service for word in words)


def _database(overcloud: Overcloud, pace: Pace) -> Iterator[Probe]:
    """The database behind its VIP: a new connection every time, and one that is kept."""
    host = urlsplit(overcloud.endpoints.get("MysqlInternal", "")).hostname or overcloud.vips.get("internal_api", "")
    if "mysql" in overcloud.services and _HOST.match(host):
        new = Probe(name="database", kind="sql", pace=pace, hosts=(host,), port=SQL_PORT)
        yield from (new, replace(new, name="database (pooled)", pooled=True))


def _brokers(overcloud: Overcloud, outputs: Mapping[str, Any], pace: Pace) -> Iterator[Probe]:
    """The message broker. It has no VIP: clients know all its nodes, and take the next one if one is gone."""
    roles = naturally(node.role for node in overcloud.nodes if node.services & set(_BROKERS))
    networks = [(outputs.get("RoleNetIpMap") or {}).get(role) or {} for role in roles]
    listed: Iterable[Any] = [ip for each in networks for ip in each.get("internal_api") or each.get("ctlplane") or ()]
    hosts = tuple(str(ip) for ip in listed if ip and _HOST.match(str(ip)))
    if hosts:
        yield Probe(name="messaging", kind="amqp", pace=pace, hosts=hosts, port=AMQP_PORT)
