"""What does it mean for an operator when mistralclient raises something?"""

import contextlib
from collections.abc import Iterator

from keystoneauth1 import exceptions as auth_errors
from mistralclient.api.base import APIException

from tripleo_update_plugin.errors import ExecutionNotFound, MistralUnavailable, UpdateError, first_line


@contextlib.contextmanager
def translated(what: str, missing: str = "") -> Iterator[None]:
    """MistralUnavailable where Mistral cannot do *what*; ExecutionNotFound(*missing*) where there is no such thing."""
    try:
        yield
    except UpdateError:
        raise
    except (APIException, auth_errors.HttpError) as error:
        if missing and 404 in (getattr(error, "error_code", 0), getattr(error, "http_status", 0)):
            raise ExecutionNotFound(missing) from error
        raise MistralUnavailable(f"Mistral could not {what}: {first_line(error)}") from error
    except (auth_errors.ClientException, OSError) as error:
        raise MistralUnavailable(f"Mistral does not answer: {first_line(error)}") from error
