"""What answers on a port of a node, with TLS or without?"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import errno
import re
import socket
import ssl
from contextlib import closing

try:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
except ImportError:  # Python 2
    from httplib import HTTPConnection, HTTPException, HTTPSConnection

__metaclass__ = type

SECONDS = 10  # for a connection


def unverified():
    """The node is asked by its address, for which no certificate is made; nothing secret is sent."""
    return ssl._create_unverified_context()


def _get(connection, path):
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(65536).decode("utf-8", "replace")


def get_plain_or_tls(address, asked):
    path = asked.get("path", "/")
    try:
        status, body = _get(HTTPConnection(address, int(asked["port"]), timeout=SECONDS), path)
    except (EnvironmentError, HTTPException) as error:
        if getattr(error, "errno", None) == errno.ECONNREFUSED and "tls_port" not in asked:
            raise
    else:
        if status != 400:  # what Apache says to plain HTTP where it expects TLS
            return status, body
    port = int(asked.get("tls_port", asked["port"]))
    return _get(HTTPSConnection(address, port, timeout=SECONDS, context=unverified()), path)


def talk(link, send, expect):
    with closing(link):
        link.settimeout(SECONDS)
        link.sendall(send)
        heard = b""
        while not re.search(expect, heard):
            more = link.recv(4096)
            if not more:
                return False
            heard += more
    return True


def packed(address):
    """The bytes of an address, which are the same however it is spelled; Python 2 has no module ipaddress."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, address)
        except (socket.error, ValueError):
            pass
    return address
