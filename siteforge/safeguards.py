"""What an edit of the catalogue may not do to data, told before anything is touched.

A stack's outputs say what its last run made of each tenant; that is compared with what the catalogue says now.
Kubernetes would refuse some of it late, when other objects are changed already, and some of it never: it deletes
what it is told to delete.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from siteforge.blueprint import Blueprint, Volume
from siteforge.errors import UnsafeError
from siteforge.quantities import parse

Records = Mapping[str, Mapping[str, Any]]
"""What the stack's output `tenants` says, by tenant; those of earlier versions say less."""

REMOVABLE_PERCENT: Final = 33
"""A third: an edit of more is more often a slip than meant (a wrong branch, half a file)."""

_PARTS = {"wordpress": "wordpress.volume", "mariadb": "database.volume"}
_NAMED = 5


def volumes(tenant: Blueprint) -> dict[str, Volume]:
    """A tenant's volumes by the name of their claim."""
    return {"wordpress": tenant.site.volume} | ({"mariadb": tenant.database.volume} if tenant.database else {})


def check(
    records: Records,
    tenants: Iterable[Blueprint],
    moved: Collection[str],
    percent: int,
    file: str,
    only: Collection[str] = (),
) -> None:
    """Make sure that what the catalogue says now loses no data that nobody gave up.

    Args:
        records: what there is.
        tenants: what the catalogue says this stack has.
        moved: tenants of the catalogue that another stack has.
        percent: the share of the tenants that may be removed at once; a single one always may.
        file: what messages call the catalogue.
        only: the tenants that the run is confined to; all when empty.

    Raises:
        UnsafeError: it would; carries everything found.
    """
    wanted = {tenant.name: tenant for tenant in tenants}
    gone = [name for name in records if name not in wanted and name not in moved]
    about = set(only) or {*records, *wanted}
    problems = [
        # Of all that are gone: several confined runs would each remove a small share.
        *(_many(gone, len(records), percent) if about.intersection(gone) else ()),
        *(problem for name in gone if name in about for problem in _removed(name, records[name])),
        # What a frozen tenant's line says is not done, and judged when it is.
        *(
            problem
            for name, tenant in wanted.items()
            if name in about and not tenant.frozen
            for problem in _changed(tenant, records.get(name, {}))
        ),
    ]
    if problems:
        raise UnsafeError("\n".join(f"{file}: {problem}" for problem in problems))


def _removed(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    if record.get("frozen"):
        yield f"tenant {name}: removed, but frozen - put it back with `frozen: false`, run `pulumi up`, then remove it"
    elif record.get("deletionProtection"):
        yield (
            f"tenant {name}: removed, but protected - put it back with `deletionProtection: false`, run `pulumi up`,"
            " then remove it: its volumes go with it"
        )


def _many(gone: list[str], there: int, percent: int) -> Iterator[str]:
    if len(gone) > 1 and len(gone) * 100 > percent * there:
        named = ", ".join(gone[:_NAMED]) + (", ..." if len(gone) > _NAMED else "")
        yield (
            f"{len(gone)} of {there} tenants are removed ({named}), more than {percent} % - put them back, or"
            f" allow it with `pulumi config set siteforge:removablePercent {-(-len(gone) * 100 // there)}`"
        )


def _changed(tenant: Blueprint, record: Mapping[str, Any]) -> Iterator[str]:
    now = volumes(tenant)
    for claim, was in record.get("volumes", {}).items():
        where = f"tenant {tenant.name}: {_PARTS[claim]}"
        if claim in now:
            yield from (f"{where}.{problem}" for problem in _volume(was, now[claim]))
        elif record.get("deletionProtection"):
            yield (
                f"{where}: it would be deleted with its data, but is protected - set `deletionProtection: false`,"
                " run `pulumi up`, then change it"
            )


def _volume(was: Mapping[str, Any], now: Volume) -> Iterator[str]:
    size, storage_class, mode = was["size"], was["storageClass"], was["accessMode"]
    if parse(now.size) < parse(size):
        yield f"size: {size} now, {now.size} in the catalogue: a volume can't shrink - write `size: {size}`"
    # A class that is left out stands for whatever the volume has.
    if now.storage_class is not None and now.storage_class != storage_class:
        yield (
            f"storageClass: {storage_class} now, {now.storage_class} in the catalogue: it is fixed once created"
            f" - write `storageClass: {storage_class}`, or move the site to a new tenant"
        )
    if now.storage_class is None and was["classWritten"]:
        yield (
            f"storageClass: {storage_class} now, none in the catalogue: it is fixed once created"
            f" - write `storageClass: {storage_class}`"
        )
    if now.access_mode != mode:
        yield (
            f"accessMode: {mode} now, {now.access_mode} in the catalogue: it is fixed once created"
            f" - write `accessMode: {mode}`, or move the site to a new tenant"
        )
