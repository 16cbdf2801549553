"""The catalogue: a YAML file that lists the tenants. The one place where YAML becomes values."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from siteforge import addresses, blueprint, document
from siteforge.document import Document, Path_, shorten
from siteforge.errors import CatalogueError, Problem
from siteforge.suggestions import did_you_mean
from siteforge.tenant_spec import Catalogue, TenantSpec
from siteforge.violations import violations

_TOP_KEYS = tuple(Catalogue.model_fields)


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
    specs: list[TenantSpec] = []
    error = CatalogueError(_problems(source, specs))
    if error.problems:
        raise error
    return specs


def _problems(source: Document, specs: list[TenantSpec]) -> Iterator[Problem]:
    """Everything that is wrong, found as far as it is asked for; tenants without mistakes go to `specs`."""
    yield from source.problems
    # What is no proper YAML is no proper value either, and needs no second message.
    told = {problem.path for problem in source.problems}
    yield from (problem for problem in _problems_of_values(source, specs) if problem.path not in told)


def _problems_of_values(source: Document, specs: list[TenantSpec]) -> Iterator[Problem]:
    tenants = yield from _tenants(source)
    for index, tenant in enumerate(tenants):
        base: Path_ = ("tenants", index)
        yield from _empty_values(source, base, tenant)
        try:
            spec = TenantSpec.model_validate(tenant, by_alias=True, by_name=False)
        except ValidationError as error:
            for found in violations(error, TenantSpec):
                # _empty_values() has reported those, wherever they stand.
                if not found.empty:
                    path = (*base, *found.path)
                    yield source.problem(path, found.reason, found.value, found.fix, at_key=found.at_key)
        else:
            specs.append(spec)
            for path, reason, fix in blueprint.conflicts(spec):
                yield source.problem((*base, *path), reason, fix=fix)
    yield from _duplicates(source, tenants)
    yield from _shared_domains(source, tenants)


def _tenants(source: Document) -> Generator[Problem, None, list[Any]]:
    """The list under `tenants`; empty if there is something else."""
    fix = "list at least one tenant under `tenants:`; to remove all, run `pulumi destroy`"
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


def _duplicates(source: Document, tenants: list[Any]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, tenant in enumerate(tenants):
        name = tenant.get("name") if isinstance(tenant, Mapping) else None
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.lower(), index)
        if earlier != index:
            line = source.problem(("tenants", earlier, "name"), "").line
            reason = f"the same name as the tenant in line {line}"
            yield source.problem(("tenants", index, "name"), reason, shorten(name), "choose another name")


def _shared_domains(source: Document, tenants: list[Any]) -> Iterator[Problem]:
    """Domains of two tenants, however they are written; twice in one list is a rule of the list itself."""
    first: dict[str, int] = {}
    for index, tenant in enumerate(tenants):
        names = tenant.get("domains") if isinstance(tenant, Mapping) else None
        for place, name in enumerate(names if isinstance(names, list) else []):
            try:
                domain = addresses.domain(name) if isinstance(name, str) else None
            except PydanticCustomError:
                continue
            earlier = first.setdefault(domain, index) if domain else index
            if earlier != index:
                line = source.problem(("tenants", earlier, "domains"), "").line
                reason = f"a domain of the tenant {shorten(tenants[earlier].get('name', ''))} in line {line} already"
                path = ("tenants", index, "domains", place)
                yield source.problem(path, reason, shorten(name), "let one tenant have it")
