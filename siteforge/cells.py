"""Cells: a catalogue split over several stacks of the same program, each with some of the tenants.

A tenant belongs to one of a fixed number of buckets, by a hash of its name, and a bucket to a cell, by a file:

    cells:
      - stack: prod-a
        buckets: 0-511
      - stack: prod-b
        buckets: 512-1023

The hash never changes, and nothing but the file says where a bucket is: growth moves the buckets that it
names and no other tenant. `siteforge cells` changes the file, and moves what Pulumi knows of the tenants.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from siteforge import document
from siteforge.constraints import rule
from siteforge.document import Document, Path_
from siteforge.errors import CatalogueError, CellsError, Problem
from siteforge.tenant_spec import TenantSpec
from siteforge.violations import violations

BUCKETS = 1024
"""Fixed for ever: another number would send nearly every tenant elsewhere."""

_RANGE = re.compile(r"(?P<first>[0-9]{1,4})(-(?P<last>[0-9]{1,4}))?", re.ASCII)
_STACK = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,99}", re.ASCII)


def bucket(tenant: str) -> int:
    """The bucket of a tenant, from 0: the first four bytes of SHA-256 of its name, modulo BUCKETS."""
    return int.from_bytes(hashlib.sha256(tenant.encode()).digest()[:4]) % BUCKETS


def _stack_name(text: str) -> str:
    if not _STACK.fullmatch(text):
        raise rule("not the name of a stack", "use letters, digits, '-', '_' and '.', as in prod-a")
    return text


def _ranges(text: str) -> str:
    parse_buckets(text)
    return text


def parse_buckets(text: str) -> list[int]:
    """The buckets of a text as in `0-127, 300`.

    Raises:
        PydanticCustomError: it is none.
    """
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (1, 0)
        if not first <= last < BUCKETS:
            raise rule("not a list of buckets", f"write ranges from 0 to {BUCKETS - 1}, as in 0-127, 300")
        found += range(first, last + 1)
    return found


def write_buckets(buckets: Iterable[int]) -> str:
    """The shortest text that `parse_buckets` reads as these buckets."""
    parts: list[list[int]] = []
    for number in sorted(buckets):
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)


class Cell(BaseModel):
    """A stack and the buckets that it has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    stack: Annotated[str, AfterValidator(_stack_name)]
    buckets: Annotated[str, AfterValidator(_ranges)]


class Move(BaseModel):
    """A move of buckets to another stack that has begun and not ended."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    stack: Annotated[str, AfterValidator(_stack_name)]
    """Where they go."""
    buckets: Annotated[str, AfterValidator(_ranges)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cells: Annotated[list[Cell], Field(min_length=1)]
    moving: Move | None = None


@dataclass(frozen=True)
class Cells:
    """Which stack has which buckets."""

    file: str
    stacks: tuple[str, ...]
    """In the order of the file."""
    owner: tuple[str, ...]
    """The stack of each bucket."""
    moving: Move | None = None

    @classmethod
    def single(cls, stack: str) -> Self:
        """A catalogue that one stack has as a whole."""
        return cls("", (stack,), (stack,) * BUCKETS)

    def stack(self, tenant: str) -> str:
        """The stack that has a tenant."""
        return self.owner[bucket(tenant)]

    def buckets(self, stack: str) -> list[int]:
        """The buckets that a stack has."""
        return [number for number, owner in enumerate(self.owner) if owner == stack]

    def tenants(self, stack: str, specs: Sequence[TenantSpec]) -> list[TenantSpec]:
        """Those of `specs` that a stack has.

        Raises:
            CellsError: the stack is no cell, or tenants are on their way from one cell to another: a run of either
                would make what the other still has, or delete what it has not taken over yet.
        """
        if stack not in self.stacks:
            known = ", ".join(self.stacks)
            raise CellsError(
                f"{self.file}: the stack {stack} is no cell - use one of {known}, or `siteforge cells add`"
            )
        if self.moving is not None:
            raise CellsError(
                f"{self.file}: buckets {self.moving.buckets} are on their way to {self.moving.stack}"
                " - finish that with `siteforge cells resume`"
            )
        return [spec for spec in specs if self.stack(spec.name) == stack]


def load(path: Path) -> Cells:
    """Read the file of cells.

    Raises:
        CatalogueError: anything in it is wrong; carries every problem of the file.
    """
    source = document.read(path, str(path))
    problems = list(source.problems)
    if source.value is None:
        problems.append(source.problem((), "an empty file", fix="begin with `cells:`"))
    if problems:
        raise CatalogueError(problems)
    try:
        file = _File.model_validate(source.value)
    except ValidationError as error:
        found = (
            source.problem(one.path, one.reason, one.value, one.fix, at_key=one.at_key)
            for one in violations(error, _File)
        )
        raise CatalogueError(found) from None
    owner: dict[int, str] = {}
    problems = [*_assign(source, file, owner)]
    if problems:
        raise CatalogueError(problems)
    stacks = tuple(cell.stack for cell in file.cells)
    return Cells(str(path), stacks, tuple(owner[number] for number in range(BUCKETS)), file.moving)


def text(cells: Cells) -> str:
    """The file of these cells."""
    lines = [
        "# Which stack has which buckets of tenants. `siteforge cells` changes it: by hand, tenants would be",
        "# deleted by one stack and made by another (docs/cells.md).",
        "cells:",
    ]
    for stack in cells.stacks:
        lines += [f"  - stack: {stack}", f'    buckets: "{write_buckets(cells.buckets(stack))}"']
    if cells.moving:
        lines += ["moving:", f"  stack: {cells.moving.stack}", f'  buckets: "{cells.moving.buckets}"']
    return "\n".join(lines) + "\n"


def _assign(source: Document, file: _File, owner: dict[int, str]) -> Iterator[Problem]:
    names: set[str] = set()
    for index, cell in enumerate(file.cells):
        base: Path_ = ("cells", index)
        if cell.stack in names:
            yield source.problem((*base, "stack"), "the same stack twice", cell.stack, "write its buckets in one entry")
        names.add(cell.stack)
        taken = sorted({number for number in parse_buckets(cell.buckets) if number in owner})
        if taken:
            reason = f"buckets {write_buckets(taken)} are those of {owner[taken[0]]} already"
            yield source.problem((*base, "buckets"), reason, cell.buckets, "let one stack have them")
        for number in parse_buckets(cell.buckets):
            owner.setdefault(number, cell.stack)
    missing = [number for number in range(BUCKETS) if number not in owner]
    if missing:
        reason = f"no stack has the buckets {write_buckets(missing)}"
        yield source.problem(("cells",), reason, fix="give them to one: their tenants would be in none")
