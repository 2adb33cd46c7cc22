"""The editors' schema says the same as the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from rollway.facts import ReleaseFileError, json_schema, parse_release, skeleton
from rollway.facts import model as models
from rollway.facts.explain import EXPLANATIONS
from rollway.facts.places import parse_document
from rollway.facts.problems import SourceText
from rollway.facts.shape import fact_value

EXAMPLE = Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml"
SCHEMA = json_schema()
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
SILENT = {"$schema", "$id", "$defs", "title", "description", "examples", "default", "format"}


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """A validator for the words of JSON Schema that ours uses; any other word is an error of the test."""
    return all(WORDS[word](value, limit, schema) for word, limit in schema.items() if word not in SILENT)


def _has_type(value: Any, names: str | list[str]) -> bool:
    kinds = tuple(kind for name in ([names] if isinstance(names, str) else names) for kind in TYPES[name])
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)


def _is(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _keys_fit(value: Any, properties: dict[str, Any]) -> bool:
    return not isinstance(value, dict) or all(
        accepts(properties[key], inner) for key, inner in value.items() if key in properties
    )


def _no_more_keys(value: Any, more: bool, schema: dict[str, Any]) -> bool:
    return more or not isinstance(value, dict) or set(value) <= set(schema.get("properties", {}))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


WORDS: dict[str, Any] = {
    "$ref": lambda v, ref, _: accepts(SCHEMA["$defs"][ref.removeprefix("#/$defs/")], v),
    "anyOf": lambda v, options, _: any(accepts(option, v) for option in options),
    "type": lambda v, names, _: _has_type(v, names),
    "enum": lambda v, values, _: any(_is(v, one) for one in values),
    "const": lambda v, one, _: _is(v, one),
    "properties": lambda v, properties, _: _keys_fit(v, properties),
    "required": lambda v, keys, _: not isinstance(v, dict) or set(keys) <= set(v),
    "additionalProperties": _no_more_keys,
    "items": lambda v, item, _: not isinstance(v, list) or all(accepts(item, one) for one in v),
    "minItems": lambda v, least, _: not isinstance(v, list) or len(v) >= least,
    "minLength": lambda v, least, _: not isinstance(v, str) or len(v) >= least,
    "maxLength": lambda v, most, _: not isinstance(v, str) or len(v) <= most,
    "pattern": lambda v, pattern, _: not isinstance(v, str) or re.search(pattern, v) is not None,
    "minimum": lambda v, least, _: not _number(v) or v >= least,
    "maximum": lambda v, most, _: not _number(v) or v <= most,
    "exclusiveMinimum": lambda v, least, _: not _number(v) or v > least,
    "exclusiveMaximum": lambda v, most, _: not _number(v) or v < most,
}


def data(text: str) -> Any:
    return parse_document(SourceText("r.yaml", text)).plain()


def loads(text: str) -> bool:
    try:
        parse_release(text, "r.yaml")
    except ReleaseFileError:
        return False
    return True


@pytest.mark.parametrize("text", [EXAMPLE.read_text(), skeleton("demo", "1.0")], ids=["example", "skeleton"])
def test_what_ships_is_accepted_by_loader_and_schema(text: str) -> None:
    """The example and the skeleton carry no red line in an editor."""
    assert loads(text)
    assert accepts(SCHEMA, data(text))


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        ("architecture: {feature_flags: true}", True),
        ("architecture: {feature_flags: yes}", True),
        ("architecture: {feature_flags: unknown}", True),
        ("architecture: {feature_flags: }", True),
        ("architecture: {feature_flags: {value: true, source: Jo}}", True),
        ("architecture: {feature_flags: {value: unknown, source: Jo}}", True),
        ("architecture: {feature_flags: {assume: true, because: 12}}", True),
        ("architecture: {feature_flags: {assume: true, source: Jo}}", False),
        ("architecture: {feature_flags: {source: Jo}}", False),
        ("architecture: {feature_flags: {state: known, value: true}}", False),
        ("architecture: {feature_flags: maybe}", False),
        ("architecture: {feature_flags: 1}", False),
        ("architecture: {feature_flag: true}", False),
        ("architecture: {requests_per_second: -1}", False),
        ("architecture: {telemetry: High}", False),
        ("migration: {duration: 1h30m}", True),
        ("migration: {duration: 90}", False),
        ("migration: {duration: PT2H}", False),
        ("goals: {objective: 12}", True),
        ("goals: {objective: true}", False),
        ("goals:", True),
        ("goals: []", False),
        ("stakeholders: {groups: [{name: x, training_done: unknown}]}", True),
        ("stakeholders: {groups: [{name: x, training_done: 85}]}", False),
        ("stakeholders: {groups: [{users: 1}]}", False),
        ("agreements: {windows: [{opens: 22:00, closes: 04:00, days: [mon]}]}", True),
        ("agreements: {windows: [{opens: 9:00, closes: 10:00}]}", False),
        ("agreements: {windows: [{opens: 09:00, closes: 10:00, days: []}]}", False),
        ("kpis: [{name: a-b, kind: rate, signal: {type: x, anything: [1]}}]", True),
        ("kpis: [{name: a b, kind: rate, signal: {type: x}}]", False),
        ("kpis: [{name: a, kind: rate, signal: {}}]", False),
        ("rollout: {method: canary, shares: [0.1, 1], bake: 2h}", True),
        ("rollout: {shares: [0]}", False),
        ("rollout: {false_rollback: 1}", False),
        ("targets: {}", False),
    ],
)
def test_loader_and_schema_agree(line: str, sound: bool) -> None:
    """What the editor marks as wrong is what the loader refuses."""
    text = f"release: {{name: x, version: 1}}\n{line}\n"
    assert accepts(SCHEMA, data(text)) == sound
    assert loads(text) == sound


@pytest.mark.parametrize(
    "text", ["goals: {}", "release: {name: x}", "release: {name: X, version: 1}", "release:"]
)
def test_the_release_itself_is_required(text: str) -> None:
    """A file without name and version is refused by both."""
    assert not accepts(SCHEMA, data(text))
    assert not loads(text)


@settings(max_examples=60)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4))
def test_a_target_takes_any_option(value: Any) -> None:
    """The keys of a kind of target are its own business."""
    assert accepts(SCHEMA, {"release": {"name": "x", "version": "1"}, "target": {"type": "t", "o": value}})


def test_every_key_is_explained_in_model_and_schema() -> None:
    """Each key of each section has one line, no line is left over, and editors show it."""
    sections = {
        name: one
        for name, one in vars(models).items()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == models.__name__
    }
    del sections["Section"]
    assert {name: set(lines) for name, lines in EXPLANATIONS.items()} == {
        name: set(one.model_fields) for name, one in sections.items()
    }
    for name, lines in EXPLANATIONS.items():
        place = SCHEMA if name == "Release" else SCHEMA["$defs"][name]
        assert place["description"]
        for key, line in lines.items():
            assert place["properties"][key]["description"] == line


def test_the_schema_is_one_json_document_in_the_dialect_it_names() -> None:
    """It can be written to a file, refers only to itself, and names its definitions readably."""
    assert json.loads(json.dumps(SCHEMA, allow_nan=False)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    references = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(SCHEMA)))
    assert references == set(SCHEMA["$defs"])
    assert all(re.fullmatch(r"\w{3,60}", name) for name in SCHEMA["$defs"])


def test_facts_share_a_definition_only_with_their_like() -> None:
    """Two facts have the same definition exactly if their values have the same type."""
    shared: dict[str, set[str]] = {}
    for name in EXPLANATIONS:
        for key, field in getattr(models, name).model_fields.items():
            if (inner := fact_value(field.annotation)) is not None:
                place = SCHEMA["$defs"][name] if name != "Release" else SCHEMA
                reference = place["properties"][key]["anyOf"][0]["$ref"]
                shared.setdefault(reference, set()).add(str(inner))
    assert len(shared) > 8
    assert all(len(inners) == 1 for inners in shared.values())
