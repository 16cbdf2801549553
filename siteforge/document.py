"""YAML text as plain values, with the place of each.

A small, strict part of YAML 1.2: its core schema (so `no` is a text), one document, no aliases, merge keys
or tags, no duplicate keys, and of numbers only the plain decimal ones: 0777 is 511 to one reader, 777 to
another. What is written is what is meant, and a value has one place in the file, which an error can point at.

PyYAML's event stream is used rather than its constructors: events carry positions, and building from
them needs no recursion, so that deep nesting is an error message and not a RecursionError.
"""

import codecs
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import yaml

from siteforge.errors import MAXIMUM_PROBLEMS, CatalogueError, Problem, printable

MAXIMUM_BYTES = 2**20
MAXIMUM_DEPTH = 20
MAXIMUM_VALUES = 100_000
"""Reading that many takes about a second."""

Path_ = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the top."""


class WrittenFloat(float):
    """A number with a fraction or an exponent, shown as it was written: 8.10 is not 8.1."""

    _written: str

    def __new__(cls, written: str) -> Self:
        """Read a number as Python writes it, too."""
        number = super().__new__(cls, written)
        number._written = written
        return number

    def __repr__(self) -> str:
        return self._written

    __str__ = __repr__


@dataclass
class Document:
    """What a file says, and where it says it."""

    file: str
    value: Any
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the YAML itself, though the rest of it could be read."""
    _places: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    _key_places: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    _spans: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def span(self, path: Path_) -> tuple[int, int]:
        """Where a value begins and, of one that is no mapping or list, ends: in characters of the text."""
        return self._spans[path]

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
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{shorten(part) or repr('')}"
    return text


def shorten(value: object) -> str:
    """A value on one line of at most 60 characters, for a message."""
    text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)
    text = printable(text[:61])
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
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unusable(file, "not a file", "name a YAML file")
        with path.open("rb") as opened:
            raw = opened.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise _unusable(file, "no such file", "create it, or name the right one") from None
    except OSError as error:
        raise _unusable(file, f"can't be read: {error.strerror}", "check its name and permissions") from None
    if len(raw) > MAXIMUM_BYTES:
        raise _unusable(file, "larger than 1 MiB", "split the catalogue")
    return parse(raw.removeprefix(codecs.BOM_UTF8), file)


def parse(raw: bytes, file: str) -> Document:
    """Parse one YAML document.

    Raises:
        CatalogueError: the text is not UTF-8, not YAML, or holds more than one document or too deep a nesting.
    """
    builder = _Builder(file)
    try:
        for event in yaml.parse(raw.decode(), Loader=yaml.CSafeLoader):
            builder.take(event)
            if builder.finished:
                break
    except UnicodeDecodeError as error:
        raise _unusable(file, "not UTF-8", "save it as UTF-8", raw[: error.start]) from None
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes.
        before = raw[: error.position]
        raise _unusable(file, "a character that YAML does not allow", "remove it", before) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = f"not valid YAML: {error.problem or error.context}"
        problem = Problem(file, line, column, "", reason, fix="check indentation and quotes")
        raise CatalogueError([*builder.document.problems, problem]) from None
    return builder.document


def _unusable(file: str, reason: str, fix: str, before: bytes = b"") -> CatalogueError:
    """The whole file is of no use, because of what stands after `before`."""
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    return CatalogueError([Problem(file, line, column, "", reason, fix=fix)])


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
        self.finished = False
        """What follows is not looked at."""
        self._values = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            if self._awaits_key():
                self._stop(event, f"alias *{shorten(event.anchor)} as a key", "use a text as the key")
            path = self._place(None, event)
            self._reject(event, path, f"alias *{shorten(event.anchor)}", fix="write the value out")
        elif isinstance(event, yaml.DocumentStartEvent) and () in self.document._places:
            self._reject(event, (), "a second document", fix="keep one document in the file, without ---")
            self.finished = True

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._awaits_key():
            path = self._key(event)
        else:
            path = self._place(event.value if event.style else _resolve(event.value), event)
            if not event.style and _is_odd_number(event.value):
                fix = "write it as in 5 or 0.5, or in quotes if it is a text"
                self._reject(event, path, "not a plain decimal number", shorten(event.value), fix)
        if event.tag is not None:
            self._reject(event, path, f"tag {shorten(event.tag)}", fix="remove it; quote the value if it is a text")

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if len(self._stack) >= MAXIMUM_DEPTH:
            self._stop(event, f"nested more than {MAXIMUM_DEPTH} deep", "a catalogue needs no such depth")
        if self._awaits_key():
            self._stop(event, "a list or mapping as a key", "use a text as the key")
        container: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(container, event)
        self._stack.append(_Open(container, path))
        if event.tag is not None:
            self._reject(event, path, f"tag {shorten(event.tag)}", fix="remove it")

    def _awaits_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _key(self, event: yaml.ScalarEvent) -> Path_:
        """Take the key of the next value; returns the path of both."""
        mapping = self._stack[-1]
        assert isinstance(mapping.value, dict)
        mapping.key = event.value
        path = (*mapping.path, event.value)
        if event.value == "<<" and not event.style:
            fix = "write the fields out: merging hides what a tenant gets"
            self._reject(event, mapping.path, "merge key <<", fix=fix)
            mapping.skip_next = True
        elif event.value in mapping.value:
            first = self.document._key_places[path][0]
            reason = f"the key {shorten(event.value)} twice, first in line {first}"
            self._reject(event, mapping.path, reason, fix="keep one")
            mapping.skip_next = True
        else:
            self.document._key_places[path] = _start(event)
        return path

    def _place(self, value: Any, event: yaml.Event) -> Path_:
        """Put a value where it belongs and remember its place; returns its path."""
        self._values += 1
        span = _span(event)
        if self._values > MAXIMUM_VALUES:
            self._stop(event, f"more than {MAXIMUM_VALUES} values", "split the catalogue")
        if not self._stack:
            self.document.value = value
            self.document._places[()], self.document._spans[()] = _start(event), span
            return ()
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            path: Path_ = (*parent.path, len(parent.value))
            parent.value.append(value)
        else:
            assert parent.key is not None
            path = (*parent.path, parent.key)
            key, parent.key = parent.key, None
            if parent.skip_next:
                parent.skip_next = False
                return path
            parent.value[key] = value
        self.document._places[path], self.document._spans[path] = _start(event), span
        return path

    def _reject(self, event: yaml.Event, path: Path_, reason: str, value: str = "", fix: str = "") -> None:
        problem = Problem(self.document.file, *_start(event), render_path(path), reason, value, fix)
        self.document.problems.append(problem)
        if len(self.document.problems) > MAXIMUM_PROBLEMS:
            raise CatalogueError(self.document.problems)

    def _stop(self, event: yaml.Event, reason: str, fix: str) -> None:
        self._reject(event, self._stack[-1].path if self._stack else (), reason, fix=fix)
        raise CatalogueError(self.document.problems)


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None  # events of a stream always have marks
    return mark.line + 1, mark.column + 1


def _span(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


_CONSTANTS: Final[dict[str, bool | None]] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_NUMBER = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|0o[0-7]+|0x[0-9a-fA-F]+",
    re.ASCII,
)
"""All that the core schema takes for a number."""


def _resolve(text: str) -> bool | int | float | str | None:
    """A plain scalar by the core schema of YAML 1.2 (yaml.org/spec/1.2.2, section 10.3.2)."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return WrittenFloat(text) if _DECIMAL.fullmatch(text) else text


def _is_odd_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and not _DECIMAL.fullmatch(text)
