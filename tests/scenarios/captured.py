"""Overclouds as real Heats gave them, made from the real TripleO templates with invented values (captured.tar.xz).

``NAME.json`` is {output: value}, ``NAME.services.json`` each service's own data out of the nested service chains.
"""

import functools
import json
import tarfile
from pathlib import Path

from tripleo_update_plugin.overcloud.nodes import RESOURCE_GROUP_MEMBERS
from tripleo_update_plugin.overcloud.snapshot import Snapshot

ARCHIVE = Path(__file__).parent / "captured.tar.xz"
NAMES = ("newton-ha", "newton-oldha", "newton-single", "ocata-single", "train-ha", "zed-ha", "zed-single")

#: No output of this overcloud names a node; its Heat had them in the resource groups.
OCATA_MEMBERS = {
    "Controller": [{"name": "overcloud-controller-0", "address": "192.168.24.10", "server_id": ""}],
    "Compute": [{"name": "overcloud-novacompute-0", "address": "192.168.24.11", "server_id": ""}],
}


@functools.cache
def _files():
    with tarfile.open(ARCHIVE) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def outputs_of(name):
    """All outputs, as Heat.outputs() would give them but for Newton's service chains."""
    found = json.loads(_files()[f"{name}.json"])
    return {**found, RESOURCE_GROUP_MEMBERS: OCATA_MEMBERS} if name == "ocata-single" else found


def services_of(name):
    text = _files().get(f"{name}.services.json")
    return json.loads(text) if text else None


def snapshot_of(name):
    return Snapshot.of(name, outputs_of(name), services_of(name))
