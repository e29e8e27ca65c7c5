"""The command line itself, in this process: whatever a file holds or an argument is, it is taken or refused in words.

What is refused ends with 1 (argparse: with 2), within seconds, writes nothing, and prints no traceback, nothing that a
terminal obeys, and no bare error of Python's.
"""

import contextlib
import io
import json
import re
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openstackclient import shell
from test_mutations import KINDS, ODD, OUTPUTS, PLAN, mutated

from tripleo_update_plugin.terminal import printable

LONGEST = 5.0  # seconds of this process: how busy the machine is says nothing

#: {kind of file: the command that reads it, {} standing for it}
READS = {
    "outputs": ("plan", "--solver-time", "0", "--outputs", "{}"),
    "export": ("plan", "--solver-time", "0", "--outputs", "{}"),
    "policy": ("plan", "--solver-time", "0", "--outputs", "{good}", "--policy", "{}"),
    "services": ("plan", "--solver-time", "0", "--outputs", "{good}", "--services", "{}"),
    "plan": ("simulate", "{}"),
    "plan diff": ("plan", "diff", "{}", "{}"),
    "workbook": ("workbook", "{}"),
    "durations": ("simulate", "{plan}", "--durations", "{}"),
}
GOOD = {**{kind: good for kind, (good, _) in KINDS.items()}, "plan diff": PLAN, "workbook": PLAN}

#: What Python says of a fault that nobody thought of.
_BARE = re.compile(
    r"Traceback|object has no attribute|unhashable|not subscriptable|unexpected keyword|required positional"
    r"|^'[^']*'$|list index out of range|maximum recursion|invalid literal for int|NoneType",
    re.MULTILINE,
)


def said(folder, *arguments):
    """(exit code, standard output, standard error) of a command of ours; as the openstack client runs it."""
    out, err = io.StringIO(), io.StringIO()
    began = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(["overcloud", "update", *arguments])
        except SystemExit as end:  # argparse
            code = end.code
    assert time.process_time() - began < LONGEST, arguments
    return code, out.getvalue(), err.getvalue()


def check(folder, before, code, out, err):
    """The law."""
    text = "\n".join(line for line in err.splitlines() if not line.startswith("Could not load"))
    assert code in (0, 1, 2), text
    assert not _BARE.search(text), text
    # What argparse does not know it says as it was typed.
    assert printable(out) == out and (code == 2 or printable(text) == text)
    assert code == 0 or text.strip(), "a refusal says why"
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert code == 0 or after == before, "what is refused writes nothing"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for key in ("OS_CLOUD", "OS_AUTH_TYPE", "OS_ENDPOINT"):
        monkeypatch.delenv(key, raising=False)
    (tmp_path / "good.json").write_text(json.dumps(OUTPUTS))
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path


def run(folder, words, file):
    names = {"{}": str(file), "{good}": str(folder / "good.json"), "{plan}": str(folder / "plan.json")}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    answer = said(folder, *[names.get(word, word) for word in words])
    check(folder, before, *answer)
    return answer


@pytest.mark.parametrize("kind", READS)
def test_the_good_files_are_taken(folder, kind):
    file = folder / "file.json"
    file.write_text(json.dumps(GOOD[kind]))
    code, _, err = run(folder, READS[kind], file)
    assert code == 0, err


@pytest.mark.parametrize("kind", READS)
@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_file_holds(folder, kind, data):
    document = data.draw(mutated(GOOD[kind]))
    as_yaml = data.draw(st.booleans())
    file = folder / "file.json"
    text = yaml.dump(document, allow_unicode=True) if as_yaml else json.dumps(document, default=str)
    file.write_text(text, encoding="utf-8")
    run(folder, READS[kind], file)


WORDS = st.one_of(
    st.sampled_from([
        "--limit", "--policy", "--outputs", "--stack", "--services", "--save", "--explain", "--solver-time", "-f",
        "json", "yaml", "csv", "--no-facts", "--skip-current", "--fail", "--lost", "--at", "--seed", "-c", "nodes",
        "--help", "role:Compute", "node:compute-0", "service:mysql", "node:", ":", "nan", "-1", "1e9", "inf", ".", "",
        "/dev/null", "good.json", "plan.json", "missing.json", "x/y.json", "\x1b[2J", "é", "{{ x }}", "$(reboot)",
        "a" * 5000,
    ]),
    ODD.filter(lambda value: isinstance(value, str) and "\0" not in value),
)  # fmt: skip


@settings(suppress_health_check=list(HealthCheck))
@given(
    command=st.sampled_from([("plan",), ("plan", "diff"), ("simulate",), ("workbook",), ("services",)]),
    given_words=st.lists(WORDS, max_size=6),
)
def test_whatever_the_arguments_are(folder, command, given_words):
    for name in ("x.json", "file.json"):
        (folder / name).unlink(missing_ok=True)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    if "--save" in given_words:
        return  # a plan that is made is written, to whatever file is named
    check(folder, before, *said(folder, *command, *given_words))
