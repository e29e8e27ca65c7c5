"""Are the options of commands and of the executors those that the documentation tells?"""

import re
from importlib.metadata import EntryPoint

import pytest
from osc_lib.command import command

from tripleo_update_plugin import conf

from .pages import literals, page, prose, tables
from .test_named import COMMANDS, entries, row_of

CLASSES = {
    name.removeprefix("overcloud_update_").replace("_", " "): EntryPoint(name, target, "").load()
    for name, target in entries("openstack.tripleoclient.v2").items()
}


def parser_of(name):
    """What reads the arguments of a command."""
    return _parser(CLASSES[name])


def _parser(kind):
    class Whole(kind):
        def take_action(self, parsed_args):
            """What osc-lib's own kinds leave open."""

    return Whole(None, None).get_parser("")


def own_options(name):
    """The long options of a command but those of its kind (``-f`` and the like)."""
    own = next(kind for kind in (command.Lister, command.ShowOne, command.Command) if issubclass(CLASSES[name], kind))
    known, common = (_parser(kind)._option_string_actions for kind in (CLASSES[name], own))
    return {option for option in known if option.startswith("--")} - set(common)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_options_of_a_command_are_told(name):
    in_row, in_prose = (
        {option for literal in literals(text) for option in re.findall(r"--[a-z-]+", literal)}
        for text in (" ".join(row_of(name)), prose(page("cli")))
    )
    assert in_row <= own_options(name), "none is told that is not there"
    assert own_options(name) <= in_row | in_prose, "and none is left out"


def test_the_options_of_the_executors_and_their_defaults_are_told():
    told = {
        name: (literals(default) or [""])[0]
        for names, default, _ in tables(page("actions"))[0] for name in literals(names)
    }  # fmt: skip
    assert told == {option.name: "" if option.default in (None, []) else str(option.default) for option in conf.OPTIONS}
