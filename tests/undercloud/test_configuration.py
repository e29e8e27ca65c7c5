"""Does Mistral's configuration file say what it was asked to, for a Mistral of whatever owner?"""

import configparser
import sqlite3
import stat

from tripleo_update_undercloud.configuration import mistral_sections, mistral_url, prepare_database, to_ini
from tripleo_update_undercloud.files import write_private


def test_mistral_listens_where_its_url_says_and_hands_the_options_on(tmp_path):
    text = to_ini(mistral_sections(1002, tmp_path / "m.sqlite", {"ssh_user": "somebody", "forks": "7"}))
    read = configparser.RawConfigParser(default_section="none")
    read.read_string(text)
    assert mistral_url(1002) == f"http://{read['api']['host']}:{read['api']['port']}/v2"
    assert read["database"]["connection"] == f"sqlite:///{tmp_path}/m.sqlite"
    assert dict(read["tripleo_update"]) == {"ssh_user": "somebody", "forks": "7"}
    assert read["DEFAULT"]["transport_url"] == "fake:/"


def test_what_is_asked_of_a_database_twice_is_done_once(tmp_path):
    for _ in range(2):
        prepare_database(tmp_path / "m.sqlite")
    database = sqlite3.connect(tmp_path / "m.sqlite")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_a_file_is_private_and_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old and much longer")
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
