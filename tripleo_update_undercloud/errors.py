"""What can go wrong with servers that are started here?"""

from tripleo_update_plugin.errors import UpdateError


class UndercloudError(UpdateError):
    """A server did not start, or does not answer."""

    remedy = "The server's own log says more."
