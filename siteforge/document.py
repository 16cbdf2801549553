"""YAML text as plain values, with the place of each.

A small, strict part of YAML 1.2: its core schema (so `no` is a text and 0777 a number), one document,
no aliases, merge keys or tags, no duplicate keys. What YAML 1.1 would have turned into something else
stays what was written, and a value has one place in the file, which an error can point at.

PyYAML's event stream is used rather than its constructors: events carry positions, and building from
them needs no recursion, so that deep nesting is an error message and not a RecursionError.
"""

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from siteforge.errors import CatalogueError, Problem

MAXIMUM_BYTES = 2**20
MAXIMUM_DEPTH = 20

Path_ = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the top."""

_NULL = re.compile(r"~|null|Null|NULL|", re.ASCII)
_TRUE = re.compile(r"true|True|TRUE", re.ASCII)
_FALSE = re.compile(r"false|False|FALSE", re.ASCII)
_INTEGER = re.compile(r"[-+]?[0-9]{1,100}", re.ASCII)
_PREFIXED = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    re.ASCII,
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Document:
    """What a file says, and where it says it."""

    file: str
    value: Any
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the YAML itself, though the rest of it could be read."""
    _places: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    _key_places: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def problem(self, path: Path_, reason: str, value: str = "", fix: str = "", *, at_key: bool = False) -> Problem:
        """A problem with the value at `path`, or with its key; with the nearest parent's place where it is absent."""
        places = self._key_places if at_key else self._places
        known = path
        while known and known not in places:
            known, places = known[:-1], self._places
        line, column = places.get(known, (1, 1))
        return Problem(self.file, line, column, render_path(path), reason, value, fix)


def render_path(path: Path_) -> str:
    """A path as people write it: `tenants[2].wordpress.image`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shorten(part)}" if text else shorten(part)
    return text


def shorten(value: object) -> str:
    """A value on one line of at most 60 characters, for a message."""
    text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read(path: Path, file: str) -> Document:
    """Read a file.

    Args:
        path: the file.
        file: what messages call it.

    Raises:
        CatalogueError: it is missing, no regular file, unreadable, too large, not UTF-8, or not YAML at all.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _unusable(file, "not a file", "name a YAML file")
        raw = path.read_bytes() if path.stat().st_size <= MAXIMUM_BYTES else None
    except FileNotFoundError:
        raise _unusable(file, "no such file", "create it, or name the right one in siteforge:catalogue") from None
    except OSError as error:
        raise _unusable(file, f"can't be read: {error.strerror}", "check its permissions") from None
    if raw is None or len(raw) > MAXIMUM_BYTES:
        raise _unusable(file, "larger than 1 MiB", "split the catalogue")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unusable(file, "not UTF-8", "save it as UTF-8", line) from None
    return parse(text, file)


def parse(text: str, file: str) -> Document:
    """Parse one YAML document.

    Raises:
        CatalogueError: the text is not YAML, or holds more than one document or too deep a nesting.
    """
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _unusable(file, "a character that YAML does not allow", "remove it", line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = f"not valid YAML: {error.problem or error.context}"
        raise CatalogueError([Problem(file, line, column, "", reason, fix="check indentation and quotes")]) from None
    except (RecursionError, ValueError) as error:
        raise _unusable(file, f"not valid YAML: {shorten(str(error))}", "check indentation and quotes") from None
    return builder.document


def _unusable(file: str, reason: str, fix: str, line: int = 1) -> CatalogueError:
    return CatalogueError([Problem(file, line, 1, "", reason, fix=fix)])


@dataclass
class _Open:
    """A mapping or list whose end was not seen yet."""

    value: dict[str, Any] | list[Any]
    path: Path_
    key: str | None = None
    skip_next: bool = False
    """The next value belongs to a key that is wrong: read it, but don't keep it."""


class _Builder:
    """Builds the document from events, with a stack of its own instead of recursion."""

    def __init__(self, file: str) -> None:
        self.document = Document(file, None)
        self._stack: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "a second document", "keep one document in the file, without ---")
        elif isinstance(event, yaml.AliasEvent):
            self._reject(event, f"alias *{shorten(event.anchor)}", "write the value out")
            self._place(None, event)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._stack.pop()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.tag is not None:
            self._reject(event, f"tag {shorten(event.tag)}", "remove it; quote the value if it is a text")
        if self._awaits_key():
            self._key(event)
        else:
            self._place(event.value if event.style else _resolve(event.value), event)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if len(self._stack) >= MAXIMUM_DEPTH:
            self._stop(event, f"nested more than {MAXIMUM_DEPTH} deep", "a catalogue needs no such depth")
        if event.tag is not None:
            self._reject(event, f"tag {shorten(event.tag)}", "remove it")
        if self._awaits_key():
            self._stop(event, "a list or mapping as a key", "use a text as the key")
        container: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(container, event)
        self._stack.append(_Open(container, path))

    def _awaits_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _key(self, event: yaml.ScalarEvent) -> None:
        mapping = self._stack[-1]
        assert isinstance(mapping.value, dict)
        mapping.key = event.value
        place = _start(event)
        path = (*mapping.path, event.value)
        if event.value == "<<" and not event.style:
            self._reject(event, "merge key <<", "write the fields out: merging hides what a tenant gets")
            mapping.skip_next = True
        elif event.value in mapping.value:
            first = self.document._key_places[path][0]
            self._reject(event, f"the key {shorten(event.value)} twice, first in line {first}", "keep one")
            mapping.skip_next = True
        else:
            self.document._key_places[path] = place

    def _place(self, value: Any, event: yaml.Event) -> Path_:
        """Put a value where it belongs and remember its place; returns its path."""
        place = _start(event)
        if not self._stack:
            self.document.value = value
            self.document._places[()] = place
            return ()
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            path: Path_ = (*parent.path, len(parent.value))
            parent.value.append(value)
        else:
            assert parent.key is not None
            path = (*parent.path, parent.key)
            parent.key = None
            if parent.skip_next:
                parent.skip_next = False
                return path
            parent.value[path[-1]] = value  # type: ignore[index]
        self.document._places[path] = place
        return path

    def _reject(self, event: yaml.Event, reason: str, fix: str) -> None:
        path = render_path(self._stack[-1].path) if self._stack else ""
        self.document.problems.append(Problem(self.document.file, *_start(event), path, reason, fix=fix))

    def _stop(self, event: yaml.Event, reason: str, fix: str) -> None:
        self._reject(event, reason, fix)
        raise CatalogueError(self.document.problems)


def _start(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None  # events of a stream always have marks
    return event.start_mark.line + 1, event.start_mark.column + 1


def _resolve(text: str) -> bool | int | float | str | None:
    """A plain scalar by the core schema of YAML 1.2 (yaml.org/spec/1.2.2, section 10.3.2)."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
