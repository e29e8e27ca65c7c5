"""Does what the documentation shows work as it stands: policies, service profiles, command lines?"""

import re
import shlex
from textwrap import dedent

import pytest

from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.adapters.extensions import load_catalogue

from .pages import ROOT, page, pages
from .test_named import COMMANDS
from .test_options import parser_of


def blocks(text, language):
    """The code blocks of *language* in *text*."""
    found = re.findall(rf"^( *)\.\. code-block:: {language}\n\n((?:\1 +\S.*\n|\n)+)", text, re.MULTILINE)
    return [dedent(block) for _, block in found]


def shown():
    """(page, the arguments of an ``openstack overcloud update`` that it shows)."""
    for name, text in pages().items():
        for block in blocks(text, "console"):
            for line in re.findall(r"\$ openstack overcloud update (.+)", block):
                yield name, line


@pytest.mark.parametrize("block", [*blocks(page("policy"), "yaml"), *blocks(page("probes"), "yaml")])
def test_a_policy_that_is_shown_is_accepted(block, tmp_path):
    (tmp_path / "policy.yaml").write_text(block)
    assert documents.read_policy([str(tmp_path / "policy.yaml")])


def test_a_policy_with_services_of_one_s_own_is_accepted(tmp_path):
    [block] = [block for block in blocks(page("catalogue"), "yaml") if block.startswith("services:")]
    (tmp_path / "policy.yaml").write_text(block)
    assert documents.read_policy([str(tmp_path / "policy.yaml")]).services == ("/home/stack/services",)


def test_the_service_profiles_that_are_shown_are_accepted(tmp_path):
    profiles = [block for block in blocks(page("catalogue"), "yaml") if not block.startswith("services:")]
    (tmp_path / "profiles.yaml").write_text("".join(profiles))
    assert load_catalogue(str(tmp_path)).profile("glance_api").why == "each node has its own images"


@pytest.mark.parametrize(("name", "line"), list(shown()))
def test_a_command_line_that_is_shown_is_understood(name, line):
    words = shlex.split(line, comments=True)
    command = max((each for each in COMMANDS if words[: len(each.split())] == each.split()), key=len)
    assert parser_of(command).parse_args(words[len(command.split()) :])


def test_command_lines_are_shown():
    assert {name for name, _ in shown()} >= {"README.rst", "docs/source/start.rst", "docs/source/comparison.rst"}
    assert (ROOT / "README.rst").read_text().count("$ openstack overcloud update") > 2
