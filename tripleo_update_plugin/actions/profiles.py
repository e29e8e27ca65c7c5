"""What an executor goes by, as a Mistral action: its service profiles, and the project in which it talks to Mistral."""

from typing import Any

from mistral_lib import actions


class Profiles(actions.Action):  # type: ignore[misc]
    """Which profiles this executor has for some services, {service: SHA-256 (hex) of it}; changes nothing.

    The output has 'projects' besides: the id of the project that 'asks', and the executor's 'own', null if unknown.
    """

    def __init__(self, services: list[str]) -> None:
        self.services = services

    def run(self, context: Any) -> dict[str, dict[str, Any]]:
        from oslo_config import cfg

        from tripleo_update_plugin import conf
        from tripleo_update_plugin.adapters import extensions, keystone

        # Read anew, as every phase does: the file may have changed since the executor was started.
        own = conf.load(tuple(cfg.CONF.config_file or ()), tuple(cfg.CONF.config_dir or ()))
        catalogue = extensions.load_catalogue(*own[conf.GROUP].services)
        asks = getattr(getattr(context, "security", None), "project_id", None)
        return {
            "profiles": {service: catalogue.profile(service).digest for service in self.services},
            "projects": {"asks": asks, "own": keystone.project_of(own)},
        }
