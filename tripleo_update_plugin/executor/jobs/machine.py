"""What is the matter with this machine, in words, where a file cannot be written or read?"""

import errno
import platform

_FULL = (errno.ENOSPC, errno.EDQUOT)


def in_words(error: BaseException) -> str:
    """What kept a phase from its files, and what to do about it; "" for an *error* that is about something else.

    >>> in_words(ValueError("no"))
    ''
    """
    if not isinstance(error, OSError) or not error.errno or not (error.filename or error.errno in _FULL):
        return ""
    machine, where = platform.node(), str(error.filename or "the work folder")
    if error.errno in _FULL:
        return f"no space is left on {machine} for {where}: make room, then 'openstack overcloud update retry' goes on"
    return f"{where} on {machine}: {error.strerror}; mend that, then 'openstack overcloud update retry' goes on"
