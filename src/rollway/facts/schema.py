"""The JSON Schema of the release file, for editors: made from the models that read it."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from rollway.facts.explain import explanation
from rollway.facts.extends import EXTENDS
from rollway.facts.fact import UNKNOWN_WORD, Fact
from rollway.facts.model import Release
from rollway.facts.shape import may_be_none

SCHEMA_FILE = "release.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = {
    "type": "string",
    "pattern": r"^ *([0-9]+(\.[0-9]+)?[smhdw] *)+$",
    "examples": ["15m", "2h", "3d"],
}
_TEXT = {"type": ["string", "number"]}  # `version: 2.10` is taken as it is written
_FILE = {"type": "string", "minLength": 1}
_FILES = {
    "description": "files that this one is laid over, relative to its folder; later ones win",
    "anyOf": [_FILE, {"type": "array", "items": _FILE}, {"type": "null"}],
    "examples": ["org.yaml"],
}
_WAYS = (
    "A fact is written as a plain value, as unknown, as {value: …, source: …} with who says so, "
    "or as {assume: …, because: …}."
)


def json_schema() -> dict[str, Any]:
    """Draft 2020-12: what `load_release` accepts, but for what must hold between values."""
    schema = Release.model_json_schema(schema_generator=_Generator)
    schema = _renamed(schema)
    schema["properties"] = {EXTENDS: _FILES, **schema["properties"]}
    return {
        "$schema": _DIALECT,
        "$id": SCHEMA_FILE,
        **schema,
        "title": "Rollway release file",
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, taught what people may write where the models hold something stricter."""

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"enum": [True, False, "yes", "no", "on", "off"]}

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return {**super().str_schema(schema), **_TEXT}

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return dict(_DURATION)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        section = schema["cls"]
        if issubclass(section, Fact):
            return _fact(made["properties"]["value"]["anyOf"][0])
        made.pop("title", None)
        required = made.get("required", [])
        for key, value in made.get("properties", {}).items():
            made["properties"][key] = _property(section, key, value, key in required)
        return made


def _property(section: type[BaseModel], key: str, schema: JsonSchemaValue, required: bool) -> JsonSchemaValue:
    """A key's schema with its explanation; a key that may be left out may also be left empty."""
    kept = {word: value for word, value in schema.items() if word not in ("default", "title", "description")}
    told = {"description": explanation(section, key)}
    if required:
        return {**told, **kept}
    choices = kept["anyOf"] if set(kept) == {"anyOf"} else [kept]
    if may_be_none(section.model_fields[key].annotation):
        choices = [*choices, {"const": UNKNOWN_WORD}]
    if {"type": "null"} not in choices:
        choices = [*choices, {"type": "null"}]
    return {**told, "anyOf": choices}


def _fact(value: JsonSchemaValue) -> JsonSchemaValue:
    known = {"anyOf": [value, {"const": UNKNOWN_WORD}]}
    note = {"anyOf": [dict(_TEXT), {"type": "null"}]}
    return {
        "description": _WAYS,
        "anyOf": [
            value,
            {"const": UNKNOWN_WORD},
            {"type": "null"},
            _mapping({"value": known, "source": {**note, "description": "who or what says so"}}),
            _mapping({"assume": value, "because": {**note, "description": "why one may assume it"}}),
        ],
    }


def _mapping(properties: dict[str, JsonSchemaValue]) -> JsonSchemaValue:
    first = next(iter(properties))
    return {"type": "object", "properties": properties, "required": [first], "additionalProperties": False}


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """The definitions of facts under readable names, such as `Fact_low_medium_high`."""
    names: dict[str, str] = {}
    for old, definition in schema["$defs"].items():
        if old.startswith("Fact_"):
            names[old] = f"Fact_{_gist(definition['anyOf'][0])}"

    def visit(value: Any) -> Any:
        if isinstance(value, list):
            return [visit(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            name = value["$ref"].removeprefix("#/$defs/")
            return {**value, "$ref": f"#/$defs/{names.get(name, name)}"}
        return {key: visit(item) for key, item in value.items()}

    renamed: dict[str, Any] = visit({key: value for key, value in schema.items() if key != "$defs"})
    definitions = {names.get(name, name): visit(value) for name, value in schema["$defs"].items()}
    return {**renamed, "$defs": dict(sorted(definitions.items()))}


def _gist(value: JsonSchemaValue) -> str:
    if "enum" in value:
        return "_".join(str(word) for word in value["enum"] if word not in ("yes", "no", "on", "off"))
    kind = (
        "duration"
        if value.get("pattern") == _DURATION["pattern"]
        else str(value.get("format", value["type"]))
    )
    bounds = "_".join(f"{value[word]:g}" for word in ("minimum", "maximum") if word in value)
    return re.sub(r"\W+", "_", f"{kind}_{bounds}".strip("_"))
