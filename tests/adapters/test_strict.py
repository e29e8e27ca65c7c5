"""Files that people write: what is not taken though it is well formed, and what is said of it."""

import json
import time

import pytest

from tripleo_update_plugin import strict_json
from tripleo_update_plugin.adapters import documents, yaml_safe
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import BadInput, BadOutputs, BadPolicy, BadProfile, first_line
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.testing import an_overcloud, stack_outputs

BOMB = "\n".join(["a0: &a0 [x, x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))])
REFUSED = {
    "budgets: {a: 1}\ncanary: true\nbudgets: {b: 1}": "line 3: the key 'budgets' is there already, in line 1",
    "a:\n  b: 1\n  'b': 2": "line 3: the key 'b' is there already, in line 2",
    "a: .nan": "line 1: .nan is not a finite number",
    "a: [1, -.INF]": "line 1: -.INF is not a finite number",
    "a: 1" + "0" * 400 + ".5": "line 1: 10000",
    "a: 010": "line 1: '010' is another number to YAML than it seems",
    "a: 1:30": "line 1: '1:30' is another number to YAML than it seems",
    "a: 1234567890123456789": "out of the range of numbers",
    "a:\n  when: 2026-11-26": "line 2: a date is no plain data",
    "a: !!binary aGk=": "line 1: bytes is no plain data",
    "a: !!set {x, y}": "line 1: a set is no plain data",
    "1: a": "line 1: the key '1' is not a text",
    "a: 1\nyes: b": "line 2: the key 'yes' is not a text",
    "? [a]\n: b": "line 1: the key a list or a mapping is not a text",
    "a: &a {x: *a}": "line 1: an alias stands for what it is a part of",
    "- &a [*a]": "an alias stands for what it is a part of",
    BOMB: "aliases make more than 1,000,000 values of it",
    BOMB.replace("[", "{<<: [").replace("]", "]}").replace("x, x, x, x", "{a: 1}, {b: 1}"): "aliases make more",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30].replace("\n", " "))
def test_yaml_that_is_not_what_it_seems(text):
    began = time.monotonic()
    with pytest.raises(strict_json.Unreadable) as refusal:
        yaml_safe.load_strictly(text)
    assert REFUSED[text] in str(refusal.value) and len(str(refusal.value)) < 300
    assert time.monotonic() < began + 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '{"a": 1,\n "b": {"a": 1, "c": [{"d": ":"}],\n "\\u0061": 2}}',
            "line 3: the key 'a' is there already, in line 2",
        ),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": 1e999}', "1e999 is out of the range"),
        ('{"a": 1234567890123456789}', "1234567890123456789 is out of the range"),
    ],
)
def test_json_that_is_not_what_it_seems(text, says):
    with pytest.raises(strict_json.Unreadable, match=says):
        strict_json.load(text)


def test_plain_data_is_taken_as_it_is():
    found = {"a": [1, -2.5, True, None, "010", "2026-11-26"], "b": {"1": "é", "c": 0}}
    assert strict_json.load(json.dumps(found)) == yaml_safe.load_strictly(json.dumps(found)) == found
    assert yaml_safe.load_strictly("a: &a {k: 1}\nb: *a\nc: {<<: *a, k: 2}") == {
        "a": {"k": 1},
        "b": {"k": 1},
        "c": {"k": 2},
    }
    assert yaml_safe.load_strictly("# nothing") is None


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_every_kind_of_file_is_read_strictly(tmp_path, name):
    path = tmp_path / name
    path.write_text('{"a": 1,\n"a": 2}' if name == "x.json" else "a: 1\na: 2")
    readers = {
        BadOutputs: [documents.read_snapshot, documents.read_services],
        BadPolicy: [lambda path: documents.read_policy([path])],
        BadInput: [documents.read_data, documents.read_plan],
    }
    for error, reads in readers.items():
        for read in reads:
            with pytest.raises(error, match=f"{name}: line 2: the key 'a' is there already, in line 1"):
                read(str(path))


def test_profiles_are_read_strictly(tmp_path):
    (tmp_path / "own.yaml").write_text("mysql:\n  kind: quorum\n  limit: 1\n  limit: 2\n")
    with pytest.raises(BadProfile, match=r"own.yaml: line 4: the key 'limit' is there already, in line 3"):
        load_catalogue(str(tmp_path))


def test_an_output_that_is_text_of_json_is_read_strictly_too():
    wrapped = '{"output_key": "RoleData", "output_value": {"a": 1, "a": 2}}'
    with pytest.raises(BadOutputs, match="output RoleData is not whole: line 1: the key 'a' is there already"):
        outputs.read_document({"RoleData": wrapped})


@pytest.mark.parametrize(
    "text",
    [
        "probes: {retry: 1000000000}", "probes: {retry: true}", "probes: {rate: 0}", "probes: {timeout: '2'}",
        "probes: {more: [{name: x, kind: http, url: 'http://x/', retry: 100000}]}",
        "probes: {more: [{name: x, kind: http, url: 'http://x/', status: 7}]}",
        "max_failed: true", "max_failed: 1.5", "budgets: {mysql: false}", "budgets: {mysql: 99999999}",
        "solver_time: true", "solver_time: 100000000", "availability: {failed: 100000000}", "ramp: [true]",
        "durations: {default: 1.5}", "durations: {roles: {Compute: true}}",
    ],
)  # fmt: skip
def test_numbers_have_ranges_and_are_neither_yes_nor_no(tmp_path, text):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadPolicy, match=r"p.yaml"):
        documents.read_policy([str(tmp_path / "p.yaml")])


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "0", "false", "''", "null", "---\n"])
def test_an_empty_policy_is_told(tmp_path, text):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadPolicy, match=r"p.yaml"):
        documents.read_policy([str(tmp_path / "p.yaml")])


def test_a_policy_may_ask_for_nothing(tmp_path):
    (tmp_path / "p.yaml").write_text("{}")
    assert documents.read_policy([str(tmp_path / "p.yaml")]) == documents.read_policy([])


def test_errors_are_short_whatever_the_file_holds(tmp_path):
    (tmp_path / "big.yaml").write_text(f"budgets: {{mysql: {['x' * 70_000]}}}\n")
    with pytest.raises(BadPolicy) as refusal:
        documents.read_policy([str(tmp_path / "big.yaml")])
    assert len(refusal.value.message) < 1000
    (tmp_path / "big.yaml").write_text(f"mysql: {{kind: quorum, why: {['x' * 70_000]}}}\n")
    with pytest.raises(BadProfile) as refusal:
        load_catalogue(str(tmp_path))
    assert len(refusal.value.message) < 1000
    assert len(first_line(ValueError("x" * 9999))) == 300


def test_facts_in_an_export_are_looked_at(tmp_path):
    path = tmp_path / "e.json"
    cloud = an_overcloud(Controller=(1, ["mysql"]))
    documents.write_export(documents.Snapshot.of("overcloud", stack_outputs(cloud)), str(path))
    document = json.loads(path.read_text())
    for facts in ({"down": [1], "leaders": {}}, {"down": [], "leaders": {}, "updates": {"a": True}}, {"down": []}, [1]):
        path.write_text(json.dumps({**document, "facts": facts}))
        with pytest.raises(BadOutputs, match=r"e.json: facts"):
            documents.read_snapshot(str(path))
