"""HAProxy through its stats socket: which servers there are, how they are, and what a person or we made of them."""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import csv
import socket
from contextlib import closing

__metaclass__ = type

SECONDS = 10  # for a connection

#: Bits of srv_admin_state in "show servers state" (HAProxy 1.6 on), by the management guide: forced by the socket.
_FORCED_MAINT, _FORCED_DRAIN = 0x01, 0x08


class Refused(Exception):
    """HAProxy does not answer, or does not do as it is told."""


class Silent(Refused):
    """It does not answer in time."""


class HAProxy:
    """The HAProxy behind a stats socket, a *path* or host:port."""

    def __init__(self, path):
        self.path = path

    def ask(self, line):
        """What it answers to one command. Refused if nothing listens, Silent if nothing is said in time."""
        try:
            with closing(self._connection()) as link:
                link.sendall(line.encode() + b"\n")
                return b"".join(iter(lambda: link.recv(65536), b"")).decode("utf-8", "replace")
        except socket.timeout:
            raise Silent("its stats socket gives no answer within %d s" % SECONDS)
        except EnvironmentError as error:
            raise Refused("its stats socket does not answer (%s)" % type(error).__name__)

    def _connection(self):
        if not self.path.startswith("/"):
            address, _, port = self.path.rpartition(":")
            return socket.create_connection((address, int(port)), SECONDS)
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(SECONDS)
        try:
            link.connect(self.path)
        except EnvironmentError:
            link.close()
            raise
        return link

    def table(self):
        """What "show stat" says: a mapping of its columns for each proxy, server and BACKEND."""
        return list(csv.DictReader(self.ask("show stat").lstrip("# ").splitlines()))

    def servers(self, proxies):
        """Rows of table() of the servers in *proxies*."""
        rows = [row for row in self.table() if row["pxname"] in proxies]
        return [row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")]

    def forced(self):
        """{(proxy, server): "ready", "drain" or "maint"}: what somebody told it, whatever its health is."""
        lines = [line.split() for line in self.ask("show servers state").splitlines()]
        known = [words for words in lines if len(words) > 6 and words[0].isdigit() and words[6].isdigit()]
        if known:
            return dict(((words[1], words[3]), _of_bits(int(words[6]))) for words in known)
        return dict(((row["pxname"], row["svname"]), _of_status(row["status"])) for row in self.table())

    def set_state(self, proxy, server, state):
        """Make a server "ready", "drain" or "maint". Refused if it may not be told so here."""
        answer = self.ask("set server %s/%s state %s" % (proxy, server, state)).strip()
        if answer:
            raise Refused(answer.splitlines()[0])


def is_up(row):
    """Whether a server gets sessions, by its row of HAProxy's table; where HAProxy checks none, it gets them."""
    return row["status"].startswith(("UP", "no check"))


def is_of(server, nodes):
    """Whether a *server* is that of one of *nodes*: it is called like one, or like one with a domain."""
    return server.split(".")[0] in nodes


def missed(rows, proxy, going, away, allowed):
    """["<proxy>/<server>"] that nobody knew to be down, where more of *proxy* would be down than *allowed*.

    *rows* are those of servers; nodes that are *going* will be down, those *away* are known to be.
    """
    known = list(going) + list(away)
    down = [r["svname"] for r in rows if r["pxname"] == proxy and (is_of(r["svname"], known) or not is_up(r))]
    others = [server for server in down if not is_of(server, known)]
    return ["%s/%s" % (proxy, server) for server in others] if len(down) > int(allowed) else []


def _of_bits(bits):
    return "maint" if bits & _FORCED_MAINT else "drain" if bits & _FORCED_DRAIN else "ready"


def _of_status(status):
    """HAProxy 1.5. "MAINT (via ...)" follows another server and is not its own."""
    return "maint" if status == "MAINT" else "drain" if status.startswith("DRAIN") else "ready"
