"""Is what the sandbox knows of TripleO checked when it is read, and does it fit together?"""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import tripleo_update_sandbox
from tripleo_update_sandbox import tables
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes import ports
from tripleo_update_sandbox.nodes.making import commands
from tripleo_update_sandbox.overcloud import containers, packages
from tripleo_update_sandbox.overcloud.services import known_services

ROOT = Path(tripleo_update_sandbox.__file__).parent
BALANCER = "balancer: {service: haproxy, port: 1993, variable: x}"
FILES = sorted(path for folder in ("nodes", "overcloud") for path in (ROOT / folder).glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_table_is_as_its_schema_wants_it(path):
    assert tables.read(path, path.stem) == yaml.safe_load(path.read_text())


def test_there_are_tables():
    assert {path.stem for path in FILES} == {path.stem for path in (ROOT / "schemas").glob("*.json")}


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("ports", "answers: [{port: 80, service: x, at: [vip], http: x}]\n" + BALANCER, r"answers.0.port: 80 is less"),
        ("ports", "answers: [{port: 8080, service: x, at: [moon], http: x}]\n" + BALANCER, "moon"),
        ("services", "keystone: {container: [keystone]}", "keystone: .*container"),
        ("services", "keystone: {names: ['$(id)']}", "names.0"),
        ("commands", "reboot: /sbin/reboot", "reboot"),
        ("tasks", "[", "tasks.yaml"),
    ],
)
def test_a_mistake_is_found_with_its_place(tmp_path, name, text, place):
    file = tmp_path / f"{name}.yaml"
    file.write_text(text)
    with pytest.raises(SandboxError, match=place):
        tables.read(file, name)


def twice(node):
    """The keys that a mapping in the YAML *node* has more than once."""
    if isinstance(node, yaml.MappingNode):
        keys = Counter(key.value for key, _ in node.value)
        yield from (key for key, count in keys.items() if count > 1)
        for _, value in node.value:
            yield from twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from twice(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_key_is_there_twice(path):
    """YAML takes the last of two, and says nothing."""
    assert list(twice(yaml.compose(path.read_text()))) == []
    assert list(twice(yaml.compose("a: [{b: 1, b: 2}]"))) == ["b"]


def test_every_command_has_a_function():
    parts = "".join(path.read_text() for path in (ROOT / "nodes" / "stand_ins").glob("*.sh"))
    functions = set(re.findall(r"^(run_\w+)\(\)", parts, re.MULTILINE))
    assert set(commands().values()) <= functions


def test_what_answers_is_a_service_of_a_sample():
    sample = {service for role in containers.roles().values() for service in role.services}
    assert {port.service for port in ports.ports()} | {ports.balancer().service} <= sample


def test_what_is_known_of_services_is_of_services_there_are():
    sample = {service for role in containers.roles().values() for service in role.services}
    assert set(known_services()) - sample == {"ceph_mds"}  # of captured outputs
    enabled = packages.Sample("x", 0, 0).outputs()["EnabledServices"]
    assert set(packages.services()) == {name for names in enabled.values() for name in names}


def test_the_documentation_names_every_table():
    text = (Path(__file__).parents[2] / "docs" / "source" / "sandbox.rst").read_text()
    named = set(re.findall(r"^   \* - ``([\w/]+\.yaml)``$", text, re.MULTILINE))
    assert named == {str(path.relative_to(ROOT.parent)) for path in FILES}
