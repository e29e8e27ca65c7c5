"""What are the sandbox's Heat and Mistral told in their configuration files?"""

import json
from collections.abc import Mapping

from tripleo_update_sandbox.state import State
from tripleo_update_undercloud.configuration import Sections, mistral_sections, mistral_url, to_ini
from tripleo_update_undercloud.files import write_private

_LARGEST = str(32 * 1024 * 1024)  # bytes of a template or a request; all outputs of 300 nodes are about 2 MB


def heat_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1/admin"


def heat_sections(state: State, port: int) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": "fake:/",
            "num_engine_workers": "1",
            "max_json_body_size": _LARGEST,
            "max_template_size": _LARGEST,
            "keystone_backend": "heat.engine.clients.os.keystone.fake_keystoneclient.FakeKeystoneClient",
            "deferred_auth_method": "password",
            "heat_metadata_server_url": f"http://127.0.0.1:{port}/",
        },
        "noauth": {"token_response": str(state.folder / "token.json")},
        "database": {"connection": f"sqlite:///{state.database('heat')}"},
        "paste_deploy": {"flavor": "noauth", "api_paste_config": str(state.folder / "heat-paste.ini")},
        "oslo_policy": {"enforce_new_defaults": "false"},
    }


def paste_sections() -> Sections:
    """The filters in front of Heat's API: no Keystone among them."""

    def of_heat(factory: str) -> Mapping[str, str]:
        return {"paste.filter_factory": "heat.common.wsgi:filter_factory", "heat.filter_factory": factory}

    pipeline = "request_id faultwrap noauth context versionnegotiation apiv1app"
    return {
        "composite:heat-api": {
            "paste.composite_factory": "heat.api:pipeline_factory",
            "default": pipeline,
            "noauth": pipeline,
        },
        "app:apiv1app": {
            "paste.app_factory": "heat.common.wsgi:app_factory",
            "heat.app_factory": "heat.api.openstack.v1:API",
        },
        "filter:request_id": {"paste.filter_factory": "oslo_middleware.request_id:RequestId.factory"},
        "filter:faultwrap": of_heat("heat.api.openstack:faultwrap_filter"),
        "filter:noauth": {"paste.filter_factory": "heat.common.noauth:filter_factory"},
        "filter:context": {"paste.filter_factory": "heat.common.context:ContextMiddleware_filter_factory"},
        "filter:versionnegotiation": of_heat("heat.api.openstack:version_negotiation_filter"),
    }


def token() -> dict[str, object]:
    """What Heat takes for Keystone's answer about everyone who calls."""
    default = {"id": "default", "name": "Default"}
    return {
        "token": {
            "is_domain": False,
            "methods": ["password"],
            "roles": [{"id": "admin", "name": "admin"}],
            "expires_at": "2099-01-01T00:00:00.000000",
            "issued_at": "2020-01-01T00:00:00.000000",
            "project": {"domain": default, "id": "admin", "name": "admin"},
            "user": {"domain": default, "id": "admin", "name": "admin"},
            "catalog": [],
            "audit_ids": ["sandbox"],
        }
    }


def executor_options(state: State, heat_port: int, mistral_port: int) -> dict[str, str]:
    """How executors get to the sandbox's nodes, Heat and Mistral: the options of ``[tripleo_update]``."""
    return {
        "work_dir": str(state.work),
        "ssh_user": "sandbox",
        "forks": "10",
        "gate_timeout": "60",  # nothing here takes longer to come back
        "gate_delay": "1",
        "inventory": str(state.inventory),
        "ansible_config": str(state.ansible_config),
        "probe_detours": str(state.detours),
        "auth_type": "none",
        "heat_endpoint": heat_url(heat_port),
        "mistral_endpoint": mistral_url(mistral_port),
    }


def write_heat(state: State, port: int) -> None:
    """Writes the files that Heat reads when it starts."""
    write_private(state.folder / "heat.conf", to_ini(heat_sections(state, port)))
    write_private(state.folder / "heat-paste.ini", to_ini(paste_sections()))
    write_private(state.folder / "token.json", json.dumps(token()))


def write_mistral(state: State, port: int, options: Mapping[str, str]) -> None:
    """Writes the file that Mistral reads when it starts; its executors read their *options* anew for every phase."""
    sections = mistral_sections(port, state.database("mistral"), options)
    write_private(state.folder / "mistral.conf", to_ini(sections))
