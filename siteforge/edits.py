"""Edits of the catalogue by Siteforge itself: of one field of one tenant, and not a character more.

A YAML library that writes what it has read would keep comments, but lay the file out anew. Here the text is changed
where the parser says that the field stands, and read again: unless that gives the old values and the new one, nothing
is written. See docs/adr/0014-suspension.md.
"""

import copy
import difflib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteforge import catalogue, document
from siteforge.document import Document, Path_
from siteforge.errors import CatalogueError, SettingsError, printable

_BOM = "\ufeff"


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
    raw = found.read_bytes().decode()
    bom, text = (_BOM, raw.removeprefix(_BOM)) if raw.startswith(_BOM) else ("", raw)
    word = "true" if on else "false"
    entry = _value(source, place)
    if entry.get(field, False) is on:
        return Edit(found, source.file, raw, raw)
    after = _replaced(text, source, (*place, field), word) if field in entry else _added(text, source, place, field)
    wanted = copy.deepcopy(source.value)
    _at(wanted, place)[field] = on
    if _reading(after, source.file) != wanted:
        raise SettingsError(
            f"{printable(source.file)}: the tenant {tenant} is written in a way that leaves no safe place for"
            f" `{field}: {word}` - write it yourself"
        )
    return Edit(found, source.file, raw, bom + after)


def _replaced(text: str, source: Document, path: Path_, word: str) -> str:
    start, end = source.span(path)
    return text[:start] + word + text[end:]


def _added(text: str, source: Document, tenant: Path_, field: str) -> str:
    """The text with a field, true, behind the name."""
    start, end = source.span((*tenant, "name"))
    key = text[:start].rstrip().removesuffix(":").rstrip()
    quote = key[-1] if key[-1] in "\"'" else ""
    line = f"{quote}{field}{quote}: true"
    if text[source.span(tenant)[0]] == "{":
        return f"{text[:end]}, {line}{text[end:]}"
    indent = " " * (source.problem((*tenant, "name"), "", at_key=True).column - 1)
    newline = "\r\n" if "\r\n" in text else "\n"
    rest = text.find("\n", end)
    if rest < 0:
        return f"{text}{newline}{indent}{line}{newline}"
    return f"{text[: rest + 1]}{indent}{line}{newline}{text[rest + 1 :]}"


def _value(source: Document, path: Path_) -> dict[str, Any]:
    found = _at(source.value, path)
    assert isinstance(found, dict), "a tenant is a mapping"
    return found


def _at(value: Any, path: Path_) -> Any:
    for step in path:
        value = value[step]
    return value


def _reading(text: str, file: str) -> Any:
    """What the text says; nothing if something is wrong with it."""
    try:
        read = document.parse(text.encode(), file)
    except CatalogueError:
        return None
    return None if read.problems else read.value
