"""YAML, by the safe loader only; libyaml's where PyYAML has it, which is ten times as fast.

``load`` is for text of our own. ``load_strictly`` is for what people write, and takes less: YAML says things that
nobody means (``010`` is 8, ``1:30`` is 90, the last of two keys wins), and a few lines of it can hold more than any
memory does.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from tripleo_update_plugin.errors import first_line, shortened
from tripleo_update_plugin.strict_json import MOST_DIGITS, Unreadable, twice

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG = "tag:yaml.org,2002:"
_NAMED = {"timestamp": "a date", "binary": "bytes", "set": "a set", "omap": "an ordered mapping", "pairs": "pairs"}

#: How many values aliases may make of a text.
_MOST = 1_000_000

#: What YAML reads with another base than ten: octal, or with colons.
_ODD_NUMBER = re.compile(r"[-+]?0[0-9_]+\Z|.*:")


def load(text: str) -> Any:
    """What ``yaml.safe_load`` gives. Raises yaml.YAMLError."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def load_strictly(text: str) -> Any:
    """What *text* holds, if it is plain data: mappings by text, lists, texts, finite numbers, yes, no and nothing.

    Raises Unreadable with the line, for keys that are there twice and numbers that are not read as people mean them as
    well; yaml.YAMLError if it is no YAML, RecursionError where it is nested too deep.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _Sizes().of(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def line_of(text: str, path: Iterable[str | int]) -> int:
    """The line of what is at *path*, keys and numbers, in *text*: of its key in a mapping, else of the value itself.

    Of a path that ends before *text* does, the last part that is there counts. JSON will do as well. *text* is one that
    load_strictly() has taken.
    """
    loader = _Loader(text)
    try:
        node, line = loader.get_single_node(), 1
    finally:
        loader.dispose()
    found: tuple[yaml.Node, yaml.Node] | None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        else:
            found = None
        if found is None:
            break
        line, node = _line(found[0]), found[1]
    return line


def reason(error: Exception) -> str:
    """Why a text is no YAML, or cannot be read, in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark and error.problem:
        return shortened(f"{error.problem} in line {error.problem_mark.line + 1}")
    return first_line(error)


class _Sizes:
    """How many values each node of a text stands for, aliases followed; every node is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, int | None] = {}

    def of(self, node: yaml.Node) -> int:
        key = id(node)
        if key in self._known:
            if (size := self._known[key]) is None:
                raise Unreadable(f"line {_line(node)}: an alias stands for what it is a part of")
            return size
        self._known[key] = None
        size = 1 + sum(map(self.of, _inside(node)))
        if size > _MOST:
            raise Unreadable(f"line {_line(node)}: aliases make more than {_MOST:,} values of it")
        self._known[key] = size
        return size


def _inside(node: yaml.Node) -> Iterator[yaml.Node]:
    """The nodes in a node; Unreadable if it is not plain data by itself."""
    kind = node.tag.removeprefix(_TAG)
    if kind in _NAMED:
        raise Unreadable(f"line {_line(node)}: {_NAMED[kind]} is no plain data; put it in quotes if a text is meant")
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            _check_key(key, seen)
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.ScalarNode) and kind in ("int", "float"):
        _check_number(node, kind)


def _check_key(key: yaml.Node, seen: dict[str, int]) -> None:
    if key.tag == f"{_TAG}merge":
        return
    if key.tag != f"{_TAG}str":
        shown = repr(key.value)[:100] if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
        raise Unreadable(f"line {_line(key)}: the key {shown} is not a text; put it in quotes")
    if key.value in seen:
        raise Unreadable(twice(key.value, _line(key), seen[key.value]))
    seen[key.value] = _line(key)


def _check_number(node: yaml.ScalarNode, kind: str) -> None:
    text = node.value
    if _ODD_NUMBER.match(text):
        raise Unreadable(
            f"line {_line(node)}: {text!r:.50} is another number to YAML than it seems; write it without a leading 0 "
            "and without colons, or put it in quotes if a text is meant"
        )
    if len(text) > MOST_DIGITS and kind == "int":
        raise Unreadable(f"line {_line(node)}: {text:.50} is out of the range of numbers")
    if kind == "float" and not math.isfinite(float(re.sub(r"[_.](?=inf|nan)|_", "", text.lower()))):
        raise Unreadable(f"line {_line(node)}: {text:.50} is not a finite number")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
