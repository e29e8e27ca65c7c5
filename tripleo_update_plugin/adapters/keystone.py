"""keystoneauth: clients of Heat and Mistral, made from the options of ``conf``."""

from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters.retrying import Patience, PatientSession

#: A request that takes longer (seconds) is given up, unless [tripleo_update] timeout says otherwise.
_REQUEST_TIMEOUT = 120


#: Whoever asks for a client and says nothing else waits for nobody.
_NONE = Patience()


def session(conf: Any, patience: Patience = _NONE) -> Any:
    """A keystoneauth session that has *patience*; ``auth_type = none`` works with endpoint overrides."""
    from keystoneauth1 import loading

    auth = loading.load_auth_from_conf_options(conf, options.GROUP)
    made = loading.load_session_from_conf_options(conf, options.GROUP, auth=auth)
    made.timeout = made.timeout or _REQUEST_TIMEOUT
    return PatientSession(made, patience)


def project_of(conf: Any) -> str | None:
    """The id of the project that sessions work in; None where there is none, or Keystone does not tell."""
    from keystoneauth1 import exceptions

    try:
        found = session(conf).get_project_id()
    except exceptions.ClientException:
        return None
    return str(found) if found else None


def _where(conf: Any) -> dict[str, Any]:
    group = conf[options.GROUP]
    return {"region_name": group.region_name, "interface": group.interface}


def heat_client(conf: Any, patience: Patience = _NONE) -> Any:
    """A client of python-heatclient; each of its requests has *patience* if Heat is away."""
    from heatclient import client

    override = conf[options.GROUP].heat_endpoint
    more = {"endpoint_override": override} if override else {}
    return client.Client("1", session=session(conf, patience), **_where(conf), **more)


def mistral_client(conf: Any, patience: Patience = _NONE) -> Any:
    """A client of python-mistralclient; each of its requests has *patience* if Mistral is away.

    MistralUnavailable where Keystone does not say where it is.
    """
    from mistralclient.api.v2 import client

    from tripleo_update_plugin.adapters.mistral_errors import translated

    made = session(conf, patience)
    with translated("be found"):
        url = conf[options.GROUP].mistral_endpoint or made.get_endpoint(service_type="workflowv2", **_where(conf))
    return client.Client(mistral_url=url, session=made)
