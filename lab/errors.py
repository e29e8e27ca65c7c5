"""What can go wrong in the lab."""

from tripleo_update_plugin.errors import UpdateError


class LabError(UpdateError):
    """The lab cannot do what it was asked for."""

    remedy = "'python -m lab down' removes what is left; the journals of the hosts tell more while they are up."
