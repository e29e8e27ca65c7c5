"""What the sandbox's Heat, Mistral and Ansible are told: the text of their configuration files."""

import configparser
import io
import json
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

from tripleo_update_sandbox.state import State, write_private

_LARGEST = str(32 * 1024 * 1024)  # bytes of a template or a request; all outputs of 300 nodes are about 2 MB

#: What Ansible needs to reach nodes that are folders.
_NODES = Path(__file__).parents[1] / "nodes"

Sections = Mapping[str, Mapping[str, str]]


def heat_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1/admin"


def mistral_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v2"


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
        "database": {"connection": f"sqlite:///{state.folder / 'heat.sqlite'}"},
        "paste_deploy": {"flavor": "noauth", "api_paste_config": str(state.folder / "heat-paste.ini")},
        "oslo_policy": {"enforce_new_defaults": "false"},
    }


def paste_sections() -> Sections:
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


def mistral_sections(state: State, port: int, heat_port: int) -> Sections:
    return {
        "DEFAULT": {"transport_url": "fake:/"},
        "api": {"host": "127.0.0.1", "port": str(port), "validation_mode": "enabled"},
        "database": {"connection": f"sqlite:///{state.folder / 'mistral.sqlite'}"},
        "executor": {"type": "local"},
        "notifier": {"type": "local"},
        "pecan": {"auth_enable": "False"},
        "cron_trigger": {"enabled": "False"},
        # Work that a crash cut off becomes ERROR half a minute after the restart, not after an hour.
        "action_heartbeat": {"check_interval": "5", "max_missed_heartbeats": "6", "first_heartbeat_timeout": "120"},
        "tripleo_update": {
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
            "mistral_endpoint": mistral_url(port),
        },
    }


def ansible_sections(state: State) -> Sections:
    return {
        "defaults": {
            "connection_plugins": str(_NODES / "connection"),
            "roles_path": str(_NODES / "roles"),
            "local_tmp": str(state.folder / "tmp"),
            "interpreter_python": sys.executable,
            "gathering": "explicit",
            "host_key_checking": "False",
            "retry_files_enabled": "False",
            "deprecation_warnings": "False",
            "localhost_warning": "False",
            "nocows": "1",
        },
        # Ours are YAML; by default that is tried after four others, each of which has to be loaded.
        "inventory": {"enable_plugins": "yaml, ini, host_list"},
        "ssh_connection": {"pipelining": "True"},
        "connection": {"pipelining": "True"},
        "persistent_connection": {"control_path_dir": str(state.folder / "tmp")},
    }


def to_ini(sections: Sections) -> str:
    # RawConfigParser keeps "DEFAULT" to itself; under another name it is a section like the others.
    parser = configparser.RawConfigParser(default_section="\0")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_dict(sections)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def write_all(state: State, heat_port: int, mistral_port: int) -> None:
    """Writes every configuration file, and the databases in the mode that lets readers and a writer work at once."""
    write_private(state.folder / "heat.conf", to_ini(heat_sections(state, heat_port)))
    write_private(state.folder / "heat-paste.ini", to_ini(paste_sections()))
    write_private(state.folder / "token.json", json.dumps(token()))
    write_private(state.folder / "mistral.conf", to_ini(mistral_sections(state, mistral_port, heat_port)))
    write_private(state.ansible_config, to_ini(ansible_sections(state)))
    for name in ("heat.sqlite", "mistral.sqlite"):
        database = sqlite3.connect(state.folder / name)
        database.execute("PRAGMA journal_mode=WAL")
        database.close()
