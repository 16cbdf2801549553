"""The catalogue: a YAML file that lists the tenants. The one place where YAML becomes values."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from siteforge import blueprint, document
from siteforge.document import Document, Path_, shorten
from siteforge.errors import CatalogueError, Problem
from siteforge.suggestions import did_you_mean
from siteforge.tenant_spec import TenantSpec

_TOP_KEYS = ("tenants",)


def load(path: Path, file: str = "") -> list[TenantSpec]:
    """Read the tenants of a catalogue.

    Args:
        path: the file.
        file: what messages call it; its path when empty.

    Raises:
        CatalogueError: anything in it is wrong; carries every problem of the file.
    """
    return from_document(document.read(path, file or str(path)))


def from_document(source: Document) -> list[TenantSpec]:
    """The tenants of a document that was read already.

    Raises:
        CatalogueError: as `load`.
    """
    problems = list(source.problems)
    entries = _entries(source, problems)
    specs: list[tuple[int, TenantSpec]] = []
    for index, entry in entries:
        try:
            spec = TenantSpec.model_validate(entry, by_alias=True, by_name=False)
        except ValidationError as error:
            problems += _explain(source, ("tenants", index), error)
        else:
            specs.append((index, spec))
            for path, reason, fix in blueprint.conflicts(spec):
                problems.append(source.problem(("tenants", index, *path), reason, fix=fix))
        problems += _empty_values(source, ("tenants", index), entry)
    problems += _duplicates(source, entries)
    if problems:
        raise CatalogueError(problems)
    return [spec for _, spec in specs]


def _entries(source: Document, problems: list[Problem]) -> list[tuple[int, Any]]:
    """The list under `tenants`, with its indices; what is wrong above it goes to `problems`."""
    fix = "list at least one tenant under `tenants:`; to remove all, run `pulumi destroy`"
    if source.value is None and not source.problems:
        raise CatalogueError([source.problem((), "an empty catalogue", fix=fix)])
    if not isinstance(source.value, dict):
        problem = source.problem((), "not a mapping", shorten(source.value), "begin with `tenants:`")
        raise CatalogueError([*problems, problem])
    for key in source.value.keys() - set(_TOP_KEYS):
        problems.append(_unknown_key(source, (key,), _TOP_KEYS))
    tenants = source.value.get("tenants")
    if not tenants:
        raise CatalogueError([*problems, source.problem(("tenants",), "no tenants", fix=fix)])
    if not isinstance(tenants, list):
        raise CatalogueError(
            [*problems, source.problem(("tenants",), "not a list", fix="begin each tenant with `- name: ...`")]
        )
    return list(enumerate(tenants))


def _empty_values(source: Document, path: Path_, value: Any) -> Iterator[Problem]:
    """Keys with nothing behind them: more likely forgotten than meant as "the plan's value"."""
    if value is None:
        yield source.problem(path, "no value", fix="write a value or remove the key")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _empty_values(source, (*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empty_values(source, (*path, index), item)


def _duplicates(source: Document, entries: list[tuple[int, Any]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, entry in entries:
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.lower(), index)
        if earlier != index:
            line = source.problem(("tenants", earlier, "name"), "").line
            reason = f"the same name as the tenant in line {line}"
            yield source.problem(("tenants", index, "name"), reason, shorten(name), "choose another name")


# The reason and fix for each type of error that pydantic itself may find in these models.
_TYPES = {
    "string_type": ("not a text", "put it in quotes"),
    "bool_type": ("neither true nor false", "write true or false, without quotes"),
    "int_type": ("not a whole number", "write a number without quotes, as in 2"),
    "int_from_float": ("not a whole number", "write a number without a fraction, as in 2"),
    "list_type": ("not a list", "write one entry a line, each after `- `"),
    "model_type": ("not a mapping", "write `key: value` lines below it"),
    "dict_type": ("not a mapping", "write `key: value` lines below it"),
}


def _explain(source: Document, base: Path_, error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        path = (*base, *detail["loc"])
        # So pydantic says that a key is wrong, not its value.
        if at_key := path[-1] == "[key]":
            path = path[:-1]
        kind, value, context = detail["type"], detail.get("input"), detail.get("ctx", {})
        shown = "" if isinstance(value, Mapping | list) else shorten(value)
        if kind == "missing":
            yield source.problem(path, "missing", fix=_example(path))
        elif kind == "extra_forbidden":
            yield _unknown_key(source, path, _known_keys(path))
        elif value is None:
            continue  # _empty_values() reports it, wherever it stands
        elif kind == "siteforge_rule":
            yield source.problem(path, detail["msg"], shown, context["fix"], at_key=at_key)
        elif kind in ("greater_than_equal", "less_than_equal"):
            low, high = ("less", "at least") if kind == "greater_than_equal" else ("more", "at most")
            bound = context.get("ge", context.get("le"))
            yield source.problem(path, f"{low} than {bound}", shown, f"use {high} {bound}")
        elif kind == "literal_error":
            yield source.problem(path, "not one of the choices", shown, f"use {context['expected']}")
        else:
            reason, fix = _TYPES.get(kind, (detail["msg"], ""))
            yield source.problem(path, reason, shown, fix)


def _unknown_key(source: Document, path: Path_, known: tuple[str, ...]) -> Problem:
    return source.problem(path, "unknown key", fix=did_you_mean(str(path[-1]), known), at_key=True)


def _known_keys(path: Path_) -> tuple[str, ...]:
    """The keys of the mapping that the last part of `path` stands in."""
    model = _model_at(path[2:-1])
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _example(path: Path_) -> str:
    field = next(field for field in _model_at(path[2:-1]).model_fields.values() if field.alias == path[-1])
    return f"add `{path[-1]}: {field.examples[0] if field.examples else '...'}`"


def _model_at(path: Path_) -> type[BaseModel]:
    model: type[BaseModel] = TenantSpec
    for part in path:
        if isinstance(part, int):
            continue  # an entry of a list, whose model was found with the list
        field = next(field for field in model.model_fields.values() if field.alias == part)
        candidates = (field.annotation, *get_args(field.annotation))
        model = next(kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel))
    return model
