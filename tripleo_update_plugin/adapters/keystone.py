"""keystoneauth: clients of Heat and Mistral, made from the options of ``conf``."""

from typing import Any

from tripleo_update_plugin import conf as options

#: A request that takes longer (seconds) is given up, unless [tripleo_update] timeout says otherwise.
_REQUEST_TIMEOUT = 120


def session(conf: Any) -> Any:
    """A keystoneauth session; ``auth_type = none`` works with endpoint overrides."""
    from keystoneauth1 import loading

    auth = loading.load_auth_from_conf_options(conf, options.GROUP)
    made = loading.load_session_from_conf_options(conf, options.GROUP, auth=auth)
    made.timeout = made.timeout or _REQUEST_TIMEOUT
    return made


def _where(conf: Any) -> dict[str, Any]:
    group = conf[options.GROUP]
    return {"region_name": group.region_name, "interface": group.interface}


def heat_client(conf: Any) -> Any:
    from heatclient import client

    override = conf[options.GROUP].heat_endpoint
    more = {"endpoint_override": override} if override else {}
    return client.Client("1", session=session(conf), **_where(conf), **more)


def mistral_client(conf: Any) -> Any:
    from mistralclient.api.v2 import client

    made = session(conf)
    url = conf[options.GROUP].mistral_endpoint or made.get_endpoint(service_type="workflowv2", **_where(conf))
    return client.Client(mistral_url=url, session=made)
