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
    except APIException as error:
        if missing and error.error_code == 404:
            raise ExecutionNotFound(missing) from error
        raise MistralUnavailable(f"Mistral could not {what}: {first_line(error)}") from error
    except auth_errors.NotFound as error:
        if missing:
            raise ExecutionNotFound(missing) from error
        raise MistralUnavailable(f"Mistral could not {what}: {first_line(error)}") from error
    except (auth_errors.ClientException, OSError) as error:
        raise MistralUnavailable(f"Mistral does not answer: {first_line(error)}") from error
