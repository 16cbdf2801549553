"""Edits of the catalogue by Siteforge itself: of one field of some tenants, and not a character more.

A YAML library that writes what it has read would keep comments, but lay the file out anew. Here the text is changed
where the parser says that the field stands, and read again: unless that gives the old values and the new one, nothing
is written. See docs/adr/0014-suspension.md.
"""

import copy
import difflib
import itertools
import json
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteforge import catalogue, document
from siteforge.document import Document, Path_
from siteforge.errors import CatalogueError, SettingsError, printable

_BOM = "\ufeff"
_NAMED = 3
_NEAR = 300
"""Characters before a value in which its key is looked for."""


@dataclass(frozen=True)
class Edit:
    """A change of one file of a catalogue, which is not made yet."""

    path: Path
    file: str
    """What messages call it."""
    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Whether there is anything to change."""
        return self.before != self.after

    @property
    def diff(self) -> str:
        """The change as a person reads it, and `git apply` takes it."""
        before, after = (text.removeprefix(_BOM).splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, f"a/{self.file}", f"b/{self.file}"))

    def write(self) -> None:
        """Make it; who reads the file meanwhile sees the old one or the new one.

        Raises:
            SettingsError: the file changed since it was read, or can't be written.
        """
        target = self.path.resolve()
        temporary = target.with_name(f".{target.name}.part")
        try:
            if target.read_bytes() != self.before.encode():
                raise SettingsError(f"{self.file}: somebody changed it in this moment - run the command again")
            temporary.write_bytes(self.after.encode())
            shutil.copymode(target, temporary)
            temporary.replace(target)
        except OSError as error:
            raise SettingsError(f"{self.file} can't be written: {error.strerror} - check its permissions") from None


def switch(path: Path, tenant: str, field: str, on: bool, file: str = "") -> Edit:
    """The edit that turns a field of a tenant on or off.

    A field that isn't there comes into a line of its own below the name; to turn it off, there is nothing to do.

    Args:
        path: the catalogue, a file or a folder.
        tenant: whose field.
        field: one that is true or false, false when left out.
        on: what it shall be.
        file: what messages call the catalogue; its path when empty.

    Raises:
        CatalogueError: the catalogue can't be read, or has no such tenant.
        SettingsError: the file is laid out in a way in which the field has no safe place.
    """
    found, source, place = catalogue.locate(path, tenant, file)
    bom, text = _read(found)
    if _value(source, place).get(field, False) is on:
        return Edit(found, source.file, bom + text, bom + text)
    word = "true" if on else "false"
    change = _replaced if field in _value(source, place) else _added
    wanted = copy.deepcopy(source.value)
    _value_in(wanted, place)[field] = on
    after = _changed(text, [change(text, source, place, (field,), word)])
    if _reading(after, source.file) != wanted:
        raise _no_safe_place(source, [tenant], f"{field}: {word}")
    return Edit(found, source.file, bom + text, bom + after)


def assign(path: Path, field: tuple[str, str], values: Mapping[str, str | None], file: str = "") -> list[Edit]:
    """The edits that give a field of several tenants its texts: one for each file, be there something to change or not.

    Args:
        path: the catalogue, a file or a folder.
        field: one within a part of a tenant, as `("wordpress", "image")`.
        values: by tenant; None takes the field away, and its part with it where that has nothing else.
        file: what messages call the catalogue; its path when empty.

    Raises:
        CatalogueError: the catalogue can't be read, or has no such tenant.
        SettingsError: a file is laid out in a way in which the field has no safe place.
    """
    left = set(values)
    edits = []
    for found, source, known in catalogue.places(path, file):
        own = {name: values[name] for name in known if name in values}
        left -= set(own)
        bom, text = _read(found)
        wanted = copy.deepcopy(source.value)
        changes = [_assignment(text, source, known[name], field, value, wanted) for name, value in own.items()]
        after = _changed(text, changes)
        if after != text and _reading(after, source.file) != wanted:
            raise _no_safe_place(source, own, ".".join(field))
        edits.append(Edit(found, source.file, bom + text, bom + after))
    if left:
        raise catalogue.no_tenant(min(left), file or str(path))
    return edits


_Change = tuple[int, int, str]
"""Where in the text something begins and ends, and what shall stand there."""

_NO_CHANGE: _Change = (0, 0, "")


def _read(path: Path) -> tuple[str, str]:
    """A file's byte order mark, if it has one, and its text."""
    raw = path.read_bytes().decode()
    return (_BOM, raw.removeprefix(_BOM)) if raw.startswith(_BOM) else ("", raw)


def _changed(text: str, changes: list[_Change]) -> str:
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _assignment(
    text: str, source: Document, tenant: Path_, field: tuple[str, str], value: str | None, wanted: Any
) -> _Change:
    """The change of one tenant, which is made to what is `wanted`, too."""
    part, key = field
    target = _value_in(wanted, tenant)
    fields = target.get(part, {})
    if fields.get(key) == value:
        return _NO_CHANGE
    if value is None:
        alone = len(fields) == 1
        del (target if alone else fields)[part if alone else key]
        return _removed(text, source, tenant, field, field if alone else (key,))
    if part not in target:
        target[part] = {key: value}
        return _added(text, source, tenant, field, value)
    change = _replaced if key in fields else _put_first
    fields[key] = value
    return change(text, source, tenant, field, value)


def _replaced(text: str, source: Document, tenant: Path_, field: tuple[str, ...], word: str) -> _Change:
    start, end = source.span((*tenant, *field))
    quoted = text[start] in "\"'"
    return start, end, json.dumps(word, ensure_ascii=False) if quoted else word


def _put_first(text: str, source: Document, tenant: Path_, field: tuple[str, ...], word: str) -> _Change:
    """The change that puts a field before all others of its part."""
    start, _ = source.span((*tenant, field[0]))
    if text[start] == "{":
        return start + 1, start + 1, _in_flow(text, source, tenant, field[-1:], word) + ", " * (text[start + 1] != "}")
    column = start - (text.rfind("\n", 0, start) + 1)
    return start, start, f"{field[-1]}: {word}{_newline(text)}{' ' * column}"


def _added(text: str, source: Document, tenant: Path_, field: tuple[str, ...], word: str) -> _Change:
    """The change that puts a field behind the name."""
    start, end = source.span((*tenant, "name"))
    if text[source.span(tenant)[0]] == "{":
        return end, end, f", {_in_flow(text, source, tenant, field, word)}"
    quote = _quote(text[:start])
    indent = " " * (source.problem((*tenant, "name"), "", at_key=True).column - 1)
    newline = _newline(text)
    above = "".join(f"{indent}{'  ' * depth}{quote}{key}{quote}:{newline}" for depth, key in enumerate(field[:-1]))
    line = f"{above}{indent}{'  ' * (len(field) - 1)}{quote}{field[-1]}{quote}: {word}{newline}"
    rest = text.find("\n", end)
    return (len(text), len(text), newline + line) if rest < 0 else (rest + 1, rest + 1, line)


def _in_flow(text: str, source: Document, tenant: Path_, field: tuple[str, ...], word: str) -> str:
    quote = _quote(text[: source.span((*tenant, "name"))[0]])
    # In braces, a plain text may not have every character.
    written = word if word in ("true", "false") else json.dumps(word, ensure_ascii=False)
    for depth, key in enumerate(reversed(field)):
        inner = f"{{{written}}}" if depth else written
        written = f"{quote}{key}{quote}: {inner}"
    return written


def _removed(text: str, source: Document, tenant: Path_, field: tuple[str, ...], keys: tuple[str, ...]) -> _Change:
    """The change that takes away a field, and with it what only it was in: `keys` lead from there to the field."""
    start, end = source.span((*tenant, *field))
    near = max(0, start - _NEAR)
    lead = re.search("".join(rf"[\"']?{key}[\"']?\s*:\s*\{{?\s*" for key in keys) + "$", text[near:start])
    begin = near + lead.start() if lead else start
    if text[source.span((*tenant, *field[: -len(keys)]))[0]] != "{":
        rest = text.find("\n", end)
        return text.rfind("\n", 0, begin) + 1, len(text) if rest < 0 else rest + 1, ""
    closed = re.compile(rf"(\s*\}}){{{lead[0].count('{') if lead else 0}}}").match(text, end)
    end = closed.end() if closed else end
    if after := re.compile(r"\s*,\s*").match(text, end):
        return begin, after.end(), ""
    return len(text[:begin].rstrip().removesuffix(",").rstrip()), end, ""


def _quote(before: str) -> str:
    """The quotes of the key that a text ends with."""
    key = before.rstrip().removesuffix(":").rstrip()
    return key[-1] if key[-1] in "\"'" else ""


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _no_safe_place(source: Document, tenants: Collection[str], line: str) -> SettingsError:
    named = ", ".join(itertools.islice(tenants, _NAMED)) + (" and others" if len(tenants) > _NAMED else "")
    who = f"the tenant {named} is" if len(tenants) == 1 else f"one of the tenants {named} is"
    return SettingsError(
        f"{printable(source.file)}: {who} written in a way that leaves no safe place for `{line}` - write it yourself"
    )


def _value(source: Document, path: Path_) -> dict[str, Any]:
    return _value_in(source.value, path)


def _value_in(value: Any, path: Path_) -> dict[str, Any]:
    for step in path:
        value = value[step]
    assert isinstance(value, dict), "a tenant is a mapping"
    return value


def _reading(text: str, file: str) -> Any:
    """What the text says; nothing if something is wrong with it."""
    try:
        read = document.parse(text.encode(), file)
    except CatalogueError:
        return None
    return None if read.problems else read.value
