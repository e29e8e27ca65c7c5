"""What is Mistral told in its configuration file, when it is one process on loopback with a database in a file?"""

import configparser
import io
import sqlite3
from collections.abc import Mapping
from pathlib import Path

Sections = Mapping[str, Mapping[str, str]]

#: The group of this package's own options, which executors read: see ``tripleo_update_plugin.conf``.
OPTIONS = "tripleo_update"


def mistral_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v2"


def mistral_sections(port: int, database: Path, options: Mapping[str, str]) -> Sections:
    """The sections of mistral.conf, {section: {option: value}}, for everybody on this machine without authentication.

    *options* are those of ``[tripleo_update]``: how executors get to the nodes, to Heat, and to this Mistral.
    """
    return {
        "DEFAULT": {"transport_url": "fake:/"},
        "api": {"host": "127.0.0.1", "port": str(port), "validation_mode": "enabled"},
        "database": {"connection": f"sqlite:///{database}"},
        "executor": {"type": "local"},
        "notifier": {"type": "local"},
        "pecan": {"auth_enable": "False"},
        "cron_trigger": {"enabled": "False"},
        # Work that a crash cut off becomes ERROR half a minute after the restart, not after an hour.
        "action_heartbeat": {"check_interval": "5", "max_missed_heartbeats": "6", "first_heartbeat_timeout": "120"},
        OPTIONS: options,
    }


def to_ini(sections: Sections) -> str:
    # RawConfigParser keeps "DEFAULT" to itself; under another name it is a section like the others.
    parser = configparser.RawConfigParser(default_section="\0")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_dict(sections)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def prepare_database(path: Path) -> None:
    """Makes the SQLite file unless it is there, in the mode that lets readers and a writer work at once."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.close()
