"""What a run over the fleet has to do: which cells, and in each of them which tenants."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from siteforge import targets
from siteforge.cells import Cells
from siteforge.errors import CellsError, SettingsError
from siteforge.fleet.engine import Run
from siteforge.suggestions import did_you_mean


@dataclass(frozen=True)
class Cell:
    """A stack as it should be and as it was left."""

    stack: str
    wanted: Mapping[str, str]
    """The digest of each of its tenants."""
    recorded: Mapping[str, str] | None
    """The same when it last ran; None if `siteforge up` never ran it."""
    empty: bool = False
    """Whether Pulumi knows of nothing in it."""

    @property
    def changed(self) -> set[str]:
        """Tenants that are new, or whose objects may have to be others."""
        known = self.recorded or {}
        return {name for name, digest in self.wanted.items() if known.get(name) != digest}

    @property
    def gone(self) -> set[str]:
        """Tenants that it has and should no longer have."""
        return set(self.recorded or ()) - set(self.wanted)

    @property
    def size(self) -> int:
        """How many tenants it has or is to have."""
        return len(set(self.wanted) | self.gone)


def cells(layout: Cells, wanted: Mapping[str, str], records: Mapping[str, Mapping[str, str]]) -> list[Cell]:
    """The cells of a catalogue.

    Args:
        layout: which stack has which tenants.
        wanted: the digest of every tenant of the catalogue.
        records: the digests that each stack recorded.

    Raises:
        CellsError: a stack has a tenant that is another's by now: a run would delete it here, or make it twice.
    """
    for stack, recorded in records.items():
        for name in recorded:
            if name in wanted and layout.stack(name) != stack:
                where = f"{layout.file or 'the stack'}: the tenant {name}"
                raise CellsError(
                    f"{where} is to be in {layout.stack(name)}, and is in {stack}"
                    " - move it with `siteforge cells`, which keeps its data"
                )
    found = []
    for stack in layout.stacks:
        own = {name: digest for name, digest in wanted.items() if layout.stack(name) == stack}
        found.append(Cell(stack, own, records.get(stack)))
    return found


def may_be_empty(cell: Cell, present: Set[str]) -> bool:
    """Whether Pulumi may know of nothing in a cell: `siteforge up` never ran it, or none of its tenants is there.

    A cell that is to have nobody isn't looked at again and again.
    """
    return cell.recorded is None or (bool(cell.wanted) and present.isdisjoint(cell.wanted))


def runs(
    known: Iterable[Cell],
    *,
    present: Collection[str],
    asked: Collection[str] = (),
    drifted: Collection[str] = (),
    everything: bool = False,
) -> list[list[Run]]:
    """The runs that bring the cells to what the catalogue says: a list a cell, to be done one after the other.

    Args:
        known: the cells.
        present: tenants of whom there is something in the cluster.
        asked: tenants to look at; all when empty.
        drifted: tenants whose objects are not as they were made.
        everything: run every cell as a whole, whatever is known of it.

    Raises:
        SettingsError: a tenant is asked for that no cell has or had.
    """
    known = list(known)
    _check(asked, [name for cell in known for name in (*cell.wanted, *cell.gone)])
    return [found for cell in known if (found := _runs(cell, set(present), set(asked), set(drifted), everything))]


def without(known: Iterable[Run], tenants: Collection[str]) -> Iterator[Run]:
    """The same runs but for some tenants: whoever is left of a run is done, confined to them."""
    for run in known:
        left = [name for name in run.tenants if name not in tenants]
        if len(left) == len(run.tenants):
            yield run
            continue
        if left and not run.confined:
            # Who is confined relies on the provider that the whole run would have made first.
            yield replace(run, tenants=(), confined=True, refresh=False)
        for start in range(0, len(left), targets.MOST):
            yield replace(run, tenants=tuple(left[start : start + targets.MOST]), confined=True)


def _runs(cell: Cell, present: set[str], asked: set[str], drifted: set[str], everything: bool) -> list[Run]:
    all_of_it = set(cell.wanted) | cell.gone
    if everything and not asked:
        return [Run(cell.stack, tuple(sorted(all_of_it)), confined=False, size=cell.size)]
    # What plain Pulumi destroyed, or somebody deleted as a whole, is seen without looking at a tenant's objects.
    absent = set(cell.wanted) - present
    affected = all_of_it if everything else cell.changed | cell.gone | absent | (drifted & all_of_it)
    if asked:
        confined = [*_confined(cell, present, sorted(affected & asked))]
        first = [Run(cell.stack, (), confined=True, refresh=False, size=cell.size)] if cell.empty and confined else []
        return first + confined
    if not affected:
        return []
    # A run of the whole stack does more work, but in one go: worth it where most of it has to be done anyway.
    if len(affected) > targets.MOST or 2 * len(affected) > len(all_of_it):
        fresh = _new(cell, present, affected)
        return [Run(cell.stack, tuple(sorted(affected)), confined=False, refresh=not fresh, size=cell.size)]
    return [*_confined(cell, present, sorted(affected))]


def _confined(cell: Cell, present: Collection[str], names: Sequence[str]) -> Iterator[Run]:
    for start in range(0, len(names), targets.MOST):
        some = names[start : start + targets.MOST]
        fresh = _new(cell, present, some)
        yield Run(cell.stack, tuple(some), confined=True, refresh=not fresh, size=cell.size)


def _new(cell: Cell, present: Collection[str], names: Collection[str]) -> bool:
    """Whether none of them was ever made, so that there is nothing in the cluster to read first."""
    known = cell.empty or cell.recorded is not None
    return known and not set(names) & {*(cell.recorded or ()), *present}


def _check(asked: Collection[str], known: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            raise SettingsError(f"there is no tenant {name} - {did_you_mean(name, known)}")
