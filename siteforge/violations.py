"""The rules that a tenant's fields break: what pydantic found, for the person who reads it.

Pydantic's own wording changes between versions; only its error types are relied on
(docs.pydantic.dev/latest/errors/validation_errors).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from siteforge.document import Path_, shorten
from siteforge.suggestions import did_you_mean


@dataclass(frozen=True)
class Violation:
    """One rule that a value breaks."""

    path: Path_
    """Where the value stands, or should."""
    reason: str
    value: str
    """The value, shortened; empty when there is none to show."""
    fix: str
    at_key: bool = False
    """It is the key that is wrong, not the value."""
    empty: bool = False
    """There is a key and nothing behind it."""


_KINDS = {
    "string_type": ("not a text", "put it in quotes"),
    "int_type": ("not a whole number", "write digits only, without quotes, as in 2"),
    "bool_type": ("neither true nor false", "write true or false, without quotes"),
    "bool_parsing": ("neither true nor false", "write true or false"),
}
"""The reason and fix for what is no single value of the right type, by pydantic's type of error."""

_NESTED_KINDS = {
    "list_type": ("not a list", "begin each item with `- `"),
    "model_type": ("not a mapping", "write `key: value` lines below it"),
    "dict_type": ("not a mapping", "write `key: value` lines below it"),
}
"""The same for what is no list or mapping."""

_BOUNDS = {
    "greater_than_equal": ("less than {ge}", "use at least {ge}"),
    "less_than_equal": ("more than {le}", "use at most {le}"),
    "too_short": ("fewer than {min_length} items", "write at least {min_length}"),
    "too_long": ("more than {max_length} items", "write at most {max_length}"),
    "literal_error": ("not one of the choices", "use {expected}"),
}
"""The same for a value out of bounds, with what pydantic says of them."""


def violations(error: ValidationError, model: type[BaseModel]) -> Iterator[Violation]:
    """Everything that pydantic found wrong with values of `model`, in the spelling that they were written in.

    Args:
        error: what validating them raised.
        model: the model that they were validated against.
    """
    for detail in error.errors(include_url=False):
        path, at_key = locate(detail)
        kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
        nested = isinstance(value, Mapping | list)
        shown = "" if nested else shorten(value)
        if kind == "missing":
            yield Violation(path, "missing", "", _example(path, model))
        elif kind == "extra_forbidden":
            yield Violation(path, "unknown key", "", did_you_mean(str(path[-1]), _keys(path, model)), at_key=True)
        elif kind == "siteforge_rule":
            yield Violation(path, detail["msg"], shown, context["fix"], at_key, empty=value is None)
        elif kind in _BOUNDS:
            reason, fix = (text.format(**context) for text in _BOUNDS[kind])
            yield Violation(path, reason, shown, fix, empty=value is None)
        elif kind in _NESTED_KINDS:
            reason, fix = _NESTED_KINDS[kind]
            yield Violation(path, reason, shown, fix, empty=value is None)
        else:
            reason, fix = _KINDS.get(kind, (detail["msg"], ""))
            if nested:
                fix = "write one value, not a list or mapping"
            yield Violation(path, reason, shown, fix, at_key, empty=value is None)


def locate(detail: ErrorDetails) -> tuple[Path_, bool]:
    """Where the value stands that an error of pydantic is about, and whether it is a key of a mapping."""
    path = detail["loc"]
    # Pydantic adds "[key]" below a key that is wrong. It may also be the name of one.
    if path[-1:] == ("[key]",) and path[-2:-1] == (detail["input"],) and detail["type"] != "extra_forbidden":
        return path[:-1], True
    return path, False


def _keys(path: Path_, model: type[BaseModel]) -> list[str]:
    """The keys of the mapping that the last part of `path` stands in."""
    return [field.alias or name for name, field in _mapping(path, model).model_fields.items()]


def _example(path: Path_, model: type[BaseModel]) -> str:
    field = _field(_mapping(path, model), path[-1])
    return f"add `{path[-1]}: {field.examples[0] if field.examples else '...'}`"


def _mapping(path: Path_, model: type[BaseModel]) -> type[BaseModel]:
    """The model of the mapping that the last part of `path` stands in."""
    for part in path[:-1]:
        if isinstance(part, str):
            model = next(_models(_field(model, part).annotation))
    return model


def _field(model: type[BaseModel], key: str | int) -> FieldInfo:
    return next(field for name, field in model.model_fields.items() if key in (field.alias, name))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type such as `list[Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
