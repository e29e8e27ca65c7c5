"""How an attempt can fail, and in which words: those of this package, never what a server or a library says."""

import asyncio
import errno
import socket
import ssl


class CannotAsk(Exception):
    """This executor cannot ask that at all; it says why."""


class Unanswered(Exception):
    """An attempt failed; it says how."""


_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "the connection was cut",
    errno.EPIPE: "the connection was cut",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the network",
    errno.ETIMEDOUT: "no answer",
}


def in_words(error: BaseException, timeout: float) -> str:
    """Why an attempt failed.

    >>> in_words(ConnectionRefusedError(111, "secret"), 2.0), in_words(TimeoutError(), 2.0)
    ('connection refused', 'no answer within 2 s')
    """
    if isinstance(error, Unanswered):
        return str(error)
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, OSError):
        return _WORDS.get(error.errno or 0) or f"it could not be reached ({errno.errorcode.get(error.errno or 0, '?')})"
    return f"unexpected {type(error).__name__}"
