"""Is there what the documentation names: modules, files, commands, actions, keys, environments of tox?

And is everything that people and Mistral can call named there?
"""

import configparser
import json
import re

import pytest
import yaml

from .pages import PACKAGE, ROOT, files, flowing, literals, page, pages, tables

PAGES = pages()
WINGS = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}

#: Commands of python-tripleoclient itself, in some of its releases.
_STOCK = {"prepare", "run", "converge"}


def _section(file, section):
    config = configparser.ConfigParser(strict=True)
    config.read(ROOT / file)
    return config[section]


def entries(group):
    """{name: where it leads to} of one group of entry points."""
    lines = _section("setup.cfg", "entry_points")[group].strip().splitlines()
    return {name.strip(): target.strip() for name, _, target in (line.partition("=") for line in lines)}


COMMANDS = {name.removeprefix("overcloud_update_").replace("_", " ") for name in entries("openstack.tripleoclient.v2")}
ACTIONS = set(entries("mistral.actions"))
WORKBOOK = yaml.safe_load((ROOT / "workbooks/tripleo_update.yaml").read_text())


def is_defined(name, text):
    """Whether Python or YAML *text* gives *name* a meaning: a function, a class, a value, a key."""
    return bool(re.search(rf"^\s*(async def|def|class) {name}\b|^\s*\"?{name}\"?\s*[:=]", text, re.MULTILINE))


def is_there(dotted):
    """Whether there is a module of this path, or a name in one.

    >>> is_there("tripleo_update_plugin.rollout"), is_there("tripleo_update_plugin.rollout.prepare")
    (True, True)
    >>> is_there("tripleo_update_plugin.rollout.nothing"), is_there("tripleo_update_plugin.nothing")
    (False, False)
    """
    path = ROOT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module = path.parent.with_suffix(".py")
    return module.is_file() and is_defined(path.name, module.read_text())


def file_of(name):
    """The file or folder called *name*, from the root or from the package on; None if there is none."""
    return next((path for path in (ROOT / name, PACKAGE / name) if path.exists()), None)


def names_a_file(literal):
    """Whether *literal* can only be meant as one of our files: by the folder it begins with, or by its ending."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", literal):
        return False
    first = literal.split("/")[0]
    ours = "/" in literal and (first in WINGS or (ROOT / first).is_dir())
    return ours or literal.endswith((".py", ".rst"))


def missing(find):
    """{page: what *find* finds in its text and what is not there}."""
    found = {name: sorted(set(find(text))) for name, text in PAGES.items()}
    return {name: those for name, those in found.items() if those}


def test_every_module_named_is_there():
    dotted = re.compile(r"\btripleo_update_(?:plugin|sandbox|undercloud)(?:\.[A-Za-z_]\w*)+")
    assert missing(lambda text: [name for name in dotted.findall(text) if not is_there(name)]) == {}


def test_every_file_named_is_there():
    assert missing(lambda text: [name for name in literals(text) if names_a_file(name) and not file_of(name)]) == {}


def test_every_variable_and_module_named_is_in_the_code():
    sources = [path for folder in ROOT.glob("tripleo_update_*") for path in files(folder)]
    code = "\n".join(path.read_text() for path in [*sources, ROOT / "setup.cfg"])
    name = re.compile(r"\btripleo_update_[a-z_]+[a-z]\b")
    assert missing(lambda text: [each for each in name.findall(text) if not re.search(rf"\b{each}\b", code)]) == {}


def test_every_action_and_workflow_named_is_there():
    workflows = {f"{WORKBOOK['name']}.{workflow}" for workflow in WORKBOOK["workflows"]}
    name = re.compile(r"\btripleo_update\.[a-z]\w*")
    assert missing(lambda text: set(name.findall(text)) - ACTIONS - workflows - {"tripleo_update.yaml"}) == {}


def test_every_command_named_is_there():
    def strange(text):
        for words in re.findall(r"openstack overcloud update ([a-z]+(?: [a-z]+)?)", flowing(text)):
            if words not in COMMANDS and words.split()[0] not in COMMANDS | _STOCK:
                yield words

    assert missing(strange) == {}


def test_every_environment_named_is_there():
    known = {section.removeprefix("testenv:") for section in _tox() if section.startswith("testenv")} | {"py311"}

    def strange(text):
        for names in re.findall(r"tox -e ([\w,]+)", text):
            yield from set(names.split(",")) - known

    assert missing(strange) == {}
    assert set(strange((ROOT / ".ci/run").read_text())) == set()


def _tox():
    config = configparser.ConfigParser(strict=True)
    config.read(ROOT / "tox.ini")
    return config


def test_every_environment_is_named():
    environments = {name.removeprefix("testenv:") for name in _tox() if name.startswith("testenv:")} - {"venv"}
    text = (ROOT / "CONTRIBUTING.rst").read_text()
    assert {name for name in environments if f"``tox -e {name}``" not in text} == set()


def row_of(command):
    """What the table of commands says of one, ``plan diff`` being another than ``plan``; () where it is not there."""
    more = "" if command == "plan diff" else "(?! diff)"
    return next((row for row in tables(page("cli"))[0] if re.match(rf"``{command}\b{more}", row[0])), ())


def test_every_command_is_named():
    assert {command for command in COMMANDS if not row_of(command)} == set()
    adds = re.search(r"It adds (.+?)\.(?= |\n\n)", flowing((ROOT / "README.rst").read_text()))
    assert adds and {name.removeprefix("openstack overcloud update ") for name in literals(adds.group(1))} == COMMANDS


def test_every_action_is_named():
    described, looked_for = page("actions"), literals(page("start"))
    assert {action for action in ACTIONS if f"``{action}``" not in described} == set()
    assert {action for action in ACTIONS if action.removeprefix("tripleo_update.") not in looked_for} == set()


@pytest.mark.parametrize(("schema", "name"), [
    ("schemas/plan.json", "plan"), ("schemas/policy.json", "policy"), ("services/schema.json", "catalogue"),
])  # fmt: skip
def test_every_key_of_a_file_is_named(schema, name):
    said = flowing(page(name))
    document = json.loads((PACKAGE / schema).read_text())
    keys = {*document.get("properties", ()), *document["$defs"].get("batch", {}).get("properties", ())}
    keys |= {*document["$defs"].get("profile", {}).get("properties", ())}
    assert len(keys) > 10
    assert {key for key in keys if not re.search(rf"\b{key}\b", said)} == set()


# What follows is of the map alone, docs/source/architecture.rst, where paths count from the package.
MAP = page("architecture")


#: What the plugin does not import: it reads it, or hands it to Ansible.
DATA = {"services", "schemas", "library", "module_utils"}


def test_the_map_has_every_wing_in_the_order_of_imports():
    layers = [
        wing.strip() for line in _section("setup.cfg", "importlinter:contract:wings")["layers"].split("\n")
        for wing in line.split("|") if wing.strip()
    ]  # fmt: skip
    told = [name.rstrip("/").removesuffix(".py") for row in tables(MAP)[0] for name in literals(row[0])]
    code = {*WINGS, *(path.stem for path in PACKAGE.glob("[!_]*.py"))}
    assert [wing for wing in told if wing in layers] == layers
    assert set(told) >= code
    assert code == {*layers, *DATA}, "import-linter looks at all code"


def test_every_path_of_the_map_is_there():
    inside = re.compile(rf"(?<![\w/.-])(?:{'|'.join(sorted(WINGS))})\.[a-z_]+\b(?!/)")
    paths = [name for name in literals(MAP) if "/" in name and " " not in name]
    assert len(paths) > 50
    assert {name for name in paths if not file_of(name)} == set()
    assert {name for name in inside.findall(MAP) if not is_there(f"tripleo_update_plugin.{name}")} == set()


@pytest.mark.parametrize("row", [row for table in tables(MAP) for row in table], ids=lambda row: row[0][:40])
def test_every_name_in_a_row_of_the_map_is_in_a_file_of_the_row(row):
    said = literals(" ".join(row))
    texts = [path.read_text() for name in said if (path := file_of(name)) and path.is_file()]
    names = [name.removesuffix("()") for name in said if re.fullmatch(r"[\w.]+(\(\))?", name) and not file_of(name)]
    assert [name for name in names if not any(_is_in(text, name) for text in texts)] == []


def _is_in(text, name):
    return name in text if "." in name else is_defined(name, text)
