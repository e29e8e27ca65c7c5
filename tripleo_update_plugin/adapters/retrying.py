"""tenacity: what is worth trying again, for how long, and who hears of it meanwhile?

One policy for all that asks Heat, Mistral and Keystone. Tried again is what passes by itself: nobody listens, the
connection is cut, no answer comes in time, or a server says that it or the one behind it is away. Any other answer is
an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from keystoneauth1 import exceptions
from keystoneauth1.adapter import Adapter
from requests.exceptions import ChunkedEncodingError, ConnectTimeout
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_delay,
    stop_before_delay,
    wait_exponential,
    wait_fixed,
)
from urllib3.exceptions import NewConnectionError

from tripleo_update_plugin.errors import first_line

_T = TypeVar("_T")

#: Seconds between two tries: these, then twice as many each time, and no more than that.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0

#: HTTP: too many requests, bad gateway, unavailable, gateway timeout; and those of them that leave a request undone.
_AWAY = frozenset({429, 502, 503, 504})
_UNTOUCHED = frozenset({429, 503})

#: Requests that may be sent twice, because the second one changes nothing more (RFC 9110, 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


def _nobody(_: str) -> None:
    """Hears of it."""


def _never() -> bool:
    return False


class _Away(Exception):
    """A server's ``answer`` that it is away, for a client that wants errors returned and not raised."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer.status_code)
        self.answer = answer
        self.url, self.http_status = answer.url, answer.status_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long (``seconds``) what is away is waited for; without any, the first failure is the last.

    ``say`` hears once what is waited for, as soon as that takes more than ``quiet`` seconds, and once that it is over.
    Waiting ends early when ``stopped`` says so.
    """

    seconds: float = 0.0
    quiet: float = 0.0
    say: Callable[[str], object] = _nobody
    stopped: Callable[[], bool] = _never

    def call(self, ask: Callable[[], _T], passes: Callable[[Exception], bool]) -> _T:
        """What *ask* returns; it is asked again while it raises what *passes* by itself. The last error is raised."""
        told: list[str] = []

        def tell(state: RetryCallState) -> None:
            if not told and (state.seconds_since_start or 0.0) + state.upcoming_sleep > self.quiet:
                told.append(_why(state))
                self.say(f"waits: {told[0]} (for up to {self.seconds:.0f} s)")

        trying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Exception) and passes(error)),
            wait=wait_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE),
            stop=lambda state: self.stopped() or stop_before_delay(self.seconds)(state),
            before_sleep=tell,
            reraise=True,
        )
        result: _T = trying(ask)
        if told:
            self.say("goes on: it answers again")
        return result


def _why(state: RetryCallState) -> str:
    """What went wrong in a try, on one line."""
    error: Any = state.outcome.exception() if state.outcome else None
    if status := getattr(error, "http_status", 0):
        return f"{error.url} answers {status}"
    words = first_line(error)
    # keystoneauth's words go on with those of two libraries below, which say the same again.
    return words.split(": ")[0] if isinstance(error, exceptions.ConnectionError) else words


def is_passing(error: Exception) -> bool:
    """Whether what keeps a service from answering may pass by itself."""
    if isinstance(error, exceptions.UnknownConnectionError):
        return isinstance(error.original, ChunkedEncodingError)  # cut in the middle of an answer
    return isinstance(error, exceptions.RetriableConnectionFailure) or getattr(error, "http_status", 0) in _AWAY


def has_not_arrived(error: Exception) -> bool:
    """Whether a request has certainly not been carried out, so that it does no harm to send it again.

    Of a connection that was cut, nobody knows. That none was made, only the cause of keystoneauth's error tells.
    """
    if getattr(error, "http_status", 0) in _UNTOUCHED:
        return True
    cause: Any = error.__context__
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(cause, ConnectTimeout) or isinstance(reason, NewConnectionError)


def until(look: Callable[[], _T], is_done: Callable[[_T], bool], *, seconds: float, pause: float) -> _T:
    """What *look* returned last: as soon as that *is_done*, or after *seconds*. It is called every *pause* seconds."""
    looking = Retrying(
        retry=retry_if_result(lambda found: not is_done(found)),
        wait=wait_fixed(pause),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    last: _T = looking(look)
    return last


class PatientSession(Adapter):  # type: ignore[misc]
    """A keystoneauth *session* that waits for who is away. Clients made with it need not know.

    A request that would do something twice (POST) is only sent again if it has certainly not been carried out.
    """

    def __init__(self, session: Any, patience: Patience) -> None:
        super().__init__(session)
        self._patience = patience

    def __getattr__(self, name: str) -> Any:
        """What a session has and an adapter has not, e.g. the times that ``openstack --timing`` tells."""
        return getattr(self.session, name)

    def request(self, url: str, method: str, **options: Any) -> Any:
        """As keystoneauth's; what still fails when patience ends is raised or returned as there."""
        send = partial(super().request, url, method, **options)

        def ask() -> Any:
            answer = send()
            if answer.status_code in _AWAY:
                raise _Away(answer)
            return answer

        try:
            return self._patience.call(ask, is_passing if method.upper() in _IDEMPOTENT else has_not_arrived)
        except _Away as away:
            return away.answer
