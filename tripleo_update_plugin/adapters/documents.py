"""Files in and out: outputs, policies, plans. YAML or JSON, checked by JSON Schemas; errors name the file."""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tripleo_update_plugin import strict_json
from tripleo_update_plugin.adapters import yaml_safe
from tripleo_update_plugin.adapters.saving import save
from tripleo_update_plugin.errors import BadInput, BadOutputs, BadPlan, BadPolicy, shortened
from tripleo_update_plugin.overcloud import export, outputs
from tripleo_update_plugin.overcloud.architecture import PerService
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.rules import policy

#: Faults of one file that are told at once.
_MOST_FAULTS = 5

_PLAIN = "Write everything once, and as plain data: texts, numbers, lists and mappings."


def read_snapshot(path: str, stack: str = "", services: PerService | None = None) -> Snapshot:
    """An overcloud from a file: of stack outputs, or an export.

    *stack* names it, else the file does, else it is ``overcloud``. *services* go before those in the file.
    """
    document = _read(path, BadOutputs)
    if not export.is_export(document):
        found, name = outputs.read_document(document)
        return Snapshot.of(stack or name or "overcloud", found, services)
    if document["format"] != export.FORMAT:
        raise BadOutputs(f"{path} is no export that this version reads: its format is not {export.FORMAT}")
    check("export.json", document, path, BadOutputs)
    plans = _schema("plan.json")
    facts = {**plans["properties"]["facts"], "$defs": plans["$defs"]}
    _check(facts, document.get("facts"), path, BadOutputs, within="facts")
    snapshot = export.from_document(document)
    return dataclasses.replace(snapshot, stack=stack or snapshot.stack, services=services or snapshot.services)


def read_services(path: str) -> PerService:
    """Per-service data, {role: {service: role_data}}, from a file."""
    return outputs.checked_services(_read(path, BadOutputs), path)


def write_export(snapshot: Snapshot, path: str) -> None:
    """The snapshot as JSON, without secrets; all of it or nothing."""
    save(json.dumps(export.to_document(snapshot), indent=1, sort_keys=True) + "\n", path)


def read_policy(paths: Iterable[str]) -> policy.Policy:
    """One policy from several files; later ones win."""
    documents, named = [], []
    for path in paths:
        text = _text(path, BadPolicy)
        document = _parsed(text, path, BadPolicy)
        if document is None:
            raise BadPolicy(f"{path} is empty", "Leave it out, or write '{}' for a policy that asks for nothing.")
        _check(_schema("policy.json"), document, path, BadPolicy, text=text)
        documents.append(document)
        named.append(path)
    try:
        return policy.parse_policy(policy.merge(documents))
    except BadPolicy as error:
        raise BadPolicy(f"{', '.join(named)}: {error.message}", error.remedy) from error


def read_data(path: str) -> Any:
    """What a file of YAML or JSON holds, unchecked. BadInput if it is neither."""
    return _read(path, BadInput)


def read_plan(path: str) -> Plan:
    """A plan as ``plan --save`` wrote it. BadPlan if it is not one, or if what its digest binds was edited."""
    document = _read(path, BadPlan)
    return plan_of(document, path)


def plan_of(document: Any, source: str) -> Plan:
    """A plan from parsed data; *source* goes into the errors."""
    check("plan.json", document, source, BadPlan)
    _check_recorded(document["policy"], source)
    plan = Plan.from_dict(document)
    if plan.digest != document["digest"]:
        raise BadPlan(f"{source}: the digest does not fit: outputs, policy or facts were edited after planning")
    for problem in safety.tangles(plan):
        raise BadPlan(f"{source}: {problem}")
    return plan


def _check_recorded(recorded: Mapping[str, Any], source: str) -> None:
    """Raise BadPlan unless *recorded*, the policy in a plan, is what a policy can come to."""
    given, resolved = _schema("policy.json"), _schema("plan.json")["properties"]["policy"]["properties"]
    schema = {**given, "properties": {**given["properties"], **dict.fromkeys(resolved, True)}}
    _check(schema, recorded, source, BadPlan, within="policy")
    try:
        policy.check_recorded(recorded)
    except BadPolicy as error:
        raise BadPlan(f"{source}: policy: {error.message}") from error


def write_plan(plan: Plan, path: str) -> None:
    """The plan as JSON or YAML, by the file's ending; all of it or nothing."""
    data = plan.to_dict()
    save(json.dumps(data, indent=2) + "\n" if path.endswith(".json") else yaml.safe_dump(data, sort_keys=False), path)


def check(schema: str, document: Any, source: str, error: type[BadInput]) -> None:
    """Raise *error* with what in *document* the package's *schema* does not allow: all of it, or the first few."""
    _check(_schema(schema), document, source, error)


def _check(
    schema: Mapping[str, Any], document: Any, source: str, error: type[BadInput], within: str = "", text: str = ""
) -> None:
    """Like check(); *document* is what is found ``within`` another, or what the *text* of a file says, by its lines."""
    problems = list(islice(_Validator(schema).iter_errors(document), _MOST_FAULTS + 1))
    faults = [_line(problem, text) + _in_words(problem, within) for problem in problems[:_MOST_FAULTS]]
    if faults:
        more = ["and more"] if len(problems) > _MOST_FAULTS else []
        raise error("\n".join(f"{source}: {fault}" for fault in [*faults, *more]))


def _in_words(problem: jsonschema.ValidationError, within: str) -> str:
    """Where a fault is and what it is; of several things that would be right the one that is nearest."""
    nearest = jsonschema.exceptions.best_match([problem]) or problem
    place = shortened(".".join([*filter(None, [within]), *map(str, nearest.absolute_path)]), 100)
    return f"{place}: {shortened(nearest.message, 200)}" if place else shortened(nearest.message, 200)


def _line(problem: jsonschema.ValidationError, text: str) -> str:
    if not text:
        return ""
    path = list(problem.absolute_path)
    given, schema = problem.instance, problem.schema
    if problem.validator == "additionalProperties" and isinstance(given, Mapping) and isinstance(schema, Mapping):
        path += [key for key in given if key not in schema.get("properties", ())][:1]  # a key, not the mapping
    return f"line {yaml_safe.line_of(text, path)}: "


#: Numbers are numbers: neither yes and no, nor NaN or infinity; 1.0 is as whole as 1.
_NUMBERS = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many({
    "integer": lambda _, value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
})  # fmt: skip
_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_NUMBERS)  # type: ignore[no-untyped-call]


@cache
def _schema(name: str) -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads((resources.files("tripleo_update_plugin.schemas") / name).read_text())
    return data


def _read(path: str, error: type[BadInput]) -> Any:
    return _parsed(_text(path, error), path, error)


def _text(path: str, error: type[BadInput]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as problem:
        raise error(f"{path}: {problem.strerror}", "Check the path.") from problem
    except UnicodeDecodeError as problem:
        raise error(f"{path} is neither JSON nor YAML: {yaml_safe.reason(problem)}") from problem


def _parsed(text: str, path: str, error: type[BadInput]) -> Any:
    try:
        # JSON first: it is much the faster parser, and outputs are megabytes.
        if text.lstrip()[:1] in ("{", "["):
            return strict_json.load(text)
        return yaml_safe.load_strictly(text)
    except strict_json.Unreadable as problem:
        raise error(f"{path}: {problem}", _PLAIN) from problem
    except (ValueError, yaml.YAMLError, RecursionError) as problem:
        raise error(f"{path} is neither JSON nor YAML: {yaml_safe.reason(problem)}") from problem
