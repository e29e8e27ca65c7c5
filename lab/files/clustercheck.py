#!/usr/bin/python3
"""Is the database of this host in sync? As a command by its exit code, with --serve over HTTP on port 9200."""

import http.server
import socketserver
import sys

import pymysql

SYNCED = "4"


def in_sync() -> tuple[bool, str]:
    """(whether it is, why not)."""
    try:
        session = pymysql.connect(unix_socket="/run/mysqld/mysqld.sock", user="root", connect_timeout=2, read_timeout=2)
        with session, session.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE variable_name IN ('wsrep_local_state', 'wsrep_ready')")
            state = {name.lower(): value for name, value in cursor.fetchall()}
    except (pymysql.MySQLError, OSError) as error:
        return False, type(error).__name__
    return state.get("wsrep_local_state") == SYNCED and state.get("wsrep_ready") == "ON", str(state)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        well, why = in_sync()
        body = (why + "\n").encode()
        self.send_response(200 if well else 503)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    do_OPTIONS = do_HEAD = do_GET  # noqa: N815 - the names are those of the standard library

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        Server(("", 9200), Answer).serve_forever()
    sys.exit(0 if in_sync()[0] else 1)
