"""What can go wrong with a sandbox?"""

from tripleo_update_plugin.errors import UpdateError


class SandboxError(UpdateError):
    """The sandbox, or a node of it, cannot be brought up, changed, or taken down."""

    remedy = "'tripleo-update-sandbox down' removes what is left; the logs are in its state folder."
