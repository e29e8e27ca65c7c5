"""In which project does an executor work? keystoneauth, and a Keystone that is played."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import keystone


class _Keystone(BaseHTTPRequestHandler):
    def do_GET(self):
        links = [{"rel": "self", "href": f"http://127.0.0.1:{self.server.server_port}/v3/"}]
        self._answer(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["auth"]["scope"]["project"]["name"]
        token = {"project": {"id": f"id-of-{name}", "name": name}, "catalog": [], "methods": ["password"],
                 "expires_at": "2099-01-01T00:00:00Z", "user": {"id": "u", "name": "u"}}  # fmt: skip
        self._answer(201, {"token": token})

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Subject-Token", "t")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Keystone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v3"
    server.shutdown()
    server.server_close()


def configured(path, **values):
    path.write_text("[tripleo_update]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
    return options.load((str(path),))


def logs_in(url):
    return {
        "auth_type": "password", "auth_url": url, "username": "mistral", "password": "x", "project_name": "service",
        "user_domain_name": "Default", "project_domain_name": "Default",
    }  # fmt: skip


def test_keystone_tells_the_project(url, tmp_path):
    assert keystone.project_of(configured(tmp_path / "m.conf", **logs_in(url))) == "id-of-service"


def test_without_keystone_there_is_none(tmp_path):
    assert keystone.project_of(configured(tmp_path / "m.conf", auth_type="none")) is None
    assert keystone.project_of(configured(tmp_path / "m.conf", **logs_in("http://127.0.0.1:9/v3"))) is None
