"""What can go wrong with the trials themselves, not with what they try."""

from tripleo_update_plugin.errors import UpdateError


class FaultsError(UpdateError):
    remedy = "The sandbox's folder has the logs; 'tripleo-update-sandbox down --state DIR' takes it away."
