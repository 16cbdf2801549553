"""The catalogue: a YAML file that lists the tenants, or a folder of them. The one place where YAML becomes values."""

import itertools
import os
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from siteforge import addresses, blueprint, document
from siteforge.document import Document, Path_, shorten
from siteforge.errors import CatalogueError, Problem
from siteforge.suggestions import did_you_mean
from siteforge.tenant_spec import Catalogue, TenantSpec
from siteforge.violations import violations

_TOP_KEYS = tuple(Catalogue.model_fields)
_NO_TENANTS = "list at least one tenant under `tenants:`; to remove all, run `pulumi destroy`"
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Entry:
    """A tenant as it is written, and where."""

    source: Document
    path: Path_
    value: Any

    def problem(self, path: Path_, reason: str, value: str = "", fix: str = "", *, at_key: bool = False) -> Problem:
        return self.source.problem((*self.path, *path), reason, value, fix, at_key=at_key)

    def place(self, path: Path_, seen_from: Document) -> str:
        """Where a value stands, for a message about another one."""
        found = self.problem(path, "")
        return f"line {found.line}" if self.source is seen_from else f"{found.file}:{found.line}"


def load(path: Path, file: str = "") -> list[TenantSpec]:
    """Read the tenants of a catalogue.

    Args:
        path: the file; or a folder, of whose files (*.yaml, *.yml) each is a catalogue, or one tenant's fields.
        file: what messages call it; its path when empty.

    Raises:
        CatalogueError: anything in it is wrong; carries every problem found.
    """
    file = file or str(path)
    if not _is_folder(path):
        return from_document(document.read(path, file))
    files = _files(path, file)
    if not files:
        problem = Problem(file, 1, 1, "", "a folder without a *.yaml file", fix=_NO_TENANTS)
        raise CatalogueError([problem])
    sources: list[Document] = []
    unusable: list[Problem] = []
    for one, called in files:
        try:
            sources.append(document.read(one, called))
        except CatalogueError as error:
            unusable += error.problems
    return _checked(sources, unusable, _entries_of_a_folder)


def places(path: Path, file: str = "") -> Iterator[tuple[Path, Document, dict[str, Path_]]]:
    """Where tenants are written: each file, what it says, and the place of each tenant in it, by name.

    Args:
        path, file: as of `load`.

    Raises:
        CatalogueError: the catalogue can't be read.
    """
    file = file or str(path)
    folder = _is_folder(path)
    for one, called in _files(path, file) if folder else [(path, file)]:
        source = document.read(one, called)
        entries = _without_problems(_entries_of_a_folder(source) if folder else _entries(source))
        named = [entry for entry in entries if isinstance(entry.value, Mapping)]
        yield one, source, {str(entry.value.get("name")): entry.path for entry in reversed(named)}


def locate(path: Path, name: str, file: str = "") -> tuple[Path, Document, Path_]:
    """Where a tenant is written: the file, what that says, and the tenant's place in it.

    Args:
        path, file: as of `load`.
        name: a tenant's.

    Raises:
        CatalogueError: the catalogue can't be read, or has no such tenant.
    """
    for one, source, known in places(path, file):
        if name in known:
            return one, source, known[name]
    raise no_tenant(name, file or str(path))


def no_tenant(name: str, file: str) -> CatalogueError:
    """That a catalogue has no tenant of a name."""
    return CatalogueError([Problem(file, 1, 1, "", f"no tenant {shorten(name)}")])


def _is_folder(path: Path) -> bool:
    # Unlike the path's own method, this one takes a name that no file can have for that of no folder.
    return os.path.isdir(path)  # noqa: PTH112


def _files(folder: Path, called: str) -> list[tuple[Path, str]]:
    """The files of a catalogue, and what messages call them."""
    # Sorted, so that the order of tenants is the same on every machine.
    files = sorted(one for one in folder.iterdir() if one.suffix in (".yaml", ".yml") and not one.name.startswith("."))
    return [(one, f"{called.rstrip('/')}/{one.name}") for one in files]


def from_document(source: Document) -> list[TenantSpec]:
    """The tenants of a document that was read already.

    Raises:
        CatalogueError: as `load`.
    """
    return _checked([source], [], _entries)


_Entries = Generator[Problem, None, list["_Entry"]]


def _checked(
    sources: list[Document], unusable: list[Problem], entries: Callable[[Document], _Entries]
) -> list[TenantSpec]:
    """The tenants of documents, of which `entries` knows where they are."""
    specs: list[TenantSpec] = []
    error = CatalogueError(itertools.chain(unusable, _problems(sources, entries, specs)))
    if error.problems:
        raise error
    return specs


def _problems(
    sources: list[Document], entries_of: Callable[[Document], _Entries], specs: list[TenantSpec]
) -> Iterator[Problem]:
    """Everything that is wrong, found as far as it is asked for; tenants without mistakes go to `specs`."""
    entries: list[_Entry] = []
    for source in sources:
        yield from source.problems
        # What is no proper YAML is no proper value either, and needs no second message.
        told = {problem.path for problem in source.problems}
        found = yield from _untold(told, entries_of(source))
        for entry in found:
            yield from _untold(told, _problems_of(entry, specs))
        entries += found
    told = {problem.path for source in sources for problem in source.problems} if len(sources) == 1 else set()
    yield from _untold(told, _duplicates(entries))
    yield from _untold(told, _shared_domains(entries))


def _untold(told: Collection[str], problems: Generator[Problem, None, _T]) -> Generator[Problem, None, _T]:
    """The problems of places of which nothing was said yet; returns what the generator returns."""
    while True:
        try:
            problem = next(problems)
        except StopIteration as end:
            return cast(_T, end.value)
        if problem.path not in told:
            yield problem


def _without_problems(entries: _Entries) -> list[_Entry]:
    """What such a generator returns, whatever it complains about."""
    while True:
        try:
            next(entries)
        except StopIteration as end:
            return cast("list[_Entry]", end.value)


def _problems_of(entry: _Entry, specs: list[TenantSpec]) -> Generator[Problem, None, None]:
    yield from _empty_values(entry, (), entry.value)
    try:
        spec = TenantSpec.model_validate(entry.value, by_alias=True, by_name=False)
    except ValidationError as error:
        for found in violations(error, TenantSpec):
            # _empty_values() has reported those, wherever they stand.
            if not found.empty:
                yield entry.problem(found.path, found.reason, found.value, found.fix, at_key=found.at_key)
    else:
        specs.append(spec)
        for path, reason, fix in blueprint.conflicts(spec):
            yield entry.problem(path, reason, fix=fix)


def _entries(source: Document) -> _Entries:
    """The tenants that stand under `tenants`."""
    tenants = yield from _tenants(source)
    return [_Entry(source, ("tenants", index), value) for index, value in enumerate(tenants)]


def _entries_of_a_folder(source: Document) -> _Entries:
    """The same of a file in a folder, which may also have the fields of one tenant."""
    if isinstance(source.value, dict) and "name" in source.value and "tenants" not in source.value:
        return [_Entry(source, (), source.value)]
    return (yield from _entries(source))


def _tenants(source: Document) -> Generator[Problem, None, list[Any]]:
    """The list under `tenants`; empty if there is something else."""
    fix = _NO_TENANTS
    if source.value is None:
        yield source.problem((), "an empty catalogue", fix=fix)
        return []
    if not isinstance(source.value, dict):
        shown = "" if isinstance(source.value, list) else shorten(source.value)
        yield source.problem((), "not a mapping", shown, "begin with `tenants:`")
        return []
    for key in source.value:
        if key not in _TOP_KEYS:
            yield source.problem((key,), "unknown key", fix=did_you_mean(key, _TOP_KEYS), at_key=True)
    tenants = source.value.get("tenants")
    if not tenants:
        yield source.problem(("tenants",), "no tenants", fix=fix)
        return []
    if not isinstance(tenants, list):
        yield source.problem(("tenants",), "not a list", fix="begin each tenant with `- name: ...`")
        return []
    return tenants


def _empty_values(entry: _Entry, path: Path_, value: Any) -> Iterator[Problem]:
    """Keys with nothing behind them: more likely forgotten than meant as "the plan's value"."""
    if value is None:
        yield entry.problem(path, "no value", fix="write a value or remove the key")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _empty_values(entry, (*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empty_values(entry, (*path, index), item)


def _duplicates(entries: list[_Entry]) -> Generator[Problem, None, None]:
    first: dict[str, _Entry] = {}
    for entry in entries:
        name = entry.value.get("name") if isinstance(entry.value, Mapping) else None
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.lower(), entry)
        if earlier is not entry:
            reason = f"the same name as the tenant in {earlier.place(('name',), entry.source)}"
            yield entry.problem(("name",), reason, shorten(name), "choose another name")


def _shared_domains(entries: list[_Entry]) -> Generator[Problem, None, None]:
    """Domains of two tenants, however they are written; twice in one list is a rule of the list itself."""
    first: dict[str, _Entry] = {}
    for entry in entries:
        names = entry.value.get("domains") if isinstance(entry.value, Mapping) else None
        for index, name in enumerate(names if isinstance(names, list) else []):
            try:
                domain = addresses.domain(name) if isinstance(name, str) else None
            except PydanticCustomError:
                continue
            earlier = first.setdefault(domain, entry) if domain else entry
            if earlier is not entry:
                whose = shorten(earlier.value.get("name", ""))
                reason = f"a domain of the tenant {whose} in {earlier.place(('domains',), entry.source)} already"
                yield entry.problem(("domains", index), reason, shorten(name), "let one tenant have it")
