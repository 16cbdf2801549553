"""The committed JSON Schema of the catalogue, in a validator."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

FILE = Path(__file__).parents[2] / "schema" / "tenants.schema.json"
SCHEMA: dict[str, Any] = json.loads(FILE.read_text())


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    # In the schema's dialect (ECMA-262) $ is the very end; in Python's a line feed may follow.
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


_extend: Any = jsonschema.validators.extend
_VALIDATOR: Validator = _extend(jsonschema.Draft202012Validator, {"pattern": _pattern})(SCHEMA)


def rejected(value: Any) -> set[tuple[str | int, ...]]:
    """Where the schema finds something wrong, down to the missing or unknown key."""
    found: set[tuple[str | int, ...]] = set()
    error: Any
    for error in _VALIDATOR.iter_errors(value):
        path = tuple(error.absolute_path)
        keys: set[str] = set()
        if error.validator == "required":
            keys = set(error.validator_value) - set(error.instance)
        elif error.validator == "additionalProperties":
            keys = set(error.instance) - set(error.schema["properties"])
        elif "propertyNames" in error.absolute_schema_path:
            keys = {error.instance}
        found |= {(*path, key) for key in keys} or {path}
    return found


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema, or what it refers to, with its own description."""
    if "$ref" in schema:
        target: dict[str, Any] = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return target | {key: value for key, value in schema.items() if key != "$ref"}
    return schema
