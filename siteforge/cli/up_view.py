"""What `siteforge up` and `siteforge preview` did, as text and as data."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import typer

from siteforge.cli import tables
from siteforge.errors import printable
from siteforge.fleet.engine import Outcome, Verb
from siteforge.fleet.up import NOT_FINISHED, Findings, Summary

_NAMED = 10
_ROWS = 20
"""Of a table of cells: those that failed, and those that took longest."""


def show(verb: Verb, found: Findings, summary: Summary, seconds: float, *, tenants: int, frozen: Sequence[str]) -> None:
    """Print it: what went wrong on standard error, a line for each of several cells, a line for all of them.

    Args:
        verb: what was done.
        found: what there was to do.
        summary: how it ended.
        seconds: how long it took.
        tenants: how many the catalogue has.
        frozen: those of them that are left as they are.
    """
    for outcome in summary.outcomes:
        if verb == "preview":
            typer.echo(outcome.output.rstrip())
    for note in summary.notes:
        typer.echo(printable(note), err=True)
    cut = sorted(name for name, reasons in summary.failed.items() if reasons == [NOT_FINISHED])
    if cut:
        typer.echo(f"{NOT_FINISHED}: {_some(cut)}", err=True)
    for name in sorted(summary.failed.keys() - set(cut)):
        for line in reasons(name, summary.failed[name]):
            typer.echo(line, err=True)
    for problem in summary.problems:
        typer.echo(problem, err=True)
    if frozen:
        typer.echo(f"frozen, left as {'they are' if len(frozen) > 1 else 'it is'}: {_some(frozen)}")
    if not found.runs:
        typer.echo(f"{tenants} tenants, nothing to do ({seconds:.1f} s)")
        return
    for line in table(summary):
        typer.echo(line)
    changes = Counter[str]()
    for outcome in summary.outcomes:
        changes.update(outcome.changes)
    said = ", ".join(f"{number} {what}" for what, number in sorted(changes.items()) if what != "same") or "no changes"
    stopped = "stopped: " if summary.stopped else ""
    about, bad = len(found.tenants), len(summary.failed)
    typer.echo(
        f"{stopped}{about - bad} of {about} tenants {'up' if verb == 'up' else 'previewed'},"
        f" {tenants} in all: {said} ({seconds:.1f} s)"
    )


def table(summary: Summary) -> list[str]:
    """A line for each of several cells, those that failed first, then those that took longest; of one, none."""
    cells: dict[str, list[Outcome]] = {}
    for outcome in summary.outcomes:
        cells.setdefault(outcome.run.stack, []).append(outcome)
    if len(cells) < 2:
        return []
    kinds = sorted({kind for outcome in summary.outcomes for kind in outcome.changes})
    rows = sorted(_Row.of(runs, summary.failed) for runs in cells.values())
    heads = ["CELL", "TENANTS", *map(str.upper, kinds), "FAILED", "SECONDS"]
    shown = tables.lines(heads, [row.cells(kinds) for row in rows[:_ROWS]])
    return [*map(printable, shown), *([f"and {len(rows) - _ROWS} more"] if len(rows) > _ROWS else [])]


@dataclass(frozen=True, order=True)
class _Row:
    """What was done in a cell, in the order in which it is worth reading."""

    spared: int
    """Its failures, negated; so are its seconds."""
    sooner: float
    stack: str
    tenants: int = field(compare=False)
    changes: Counter[str] = field(compare=False)

    @classmethod
    def of(cls, runs: Sequence[Outcome], failed: Collection[str]) -> Self:
        """Of all runs of a cell, one after the other."""
        tenants = {name for one in runs for name in one.run.tenants}
        changes = Counter[str]()
        for one in runs:
            changes.update(one.changes)
        bad = len(tenants & set(failed)) + sum(len(one.problems) for one in runs)
        return cls(-bad, -sum(one.seconds for one in runs), runs[0].run.stack, len(tenants), changes)

    def cells(self, kinds: Iterable[str]) -> list[str]:
        """Its columns."""
        counts = (str(self.changes[kind]) for kind in kinds)
        return [self.stack, str(self.tenants), *counts, str(-self.spared), f"{-self.sooner:.1f}"]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def reasons(what: str, said: Sequence[str]) -> Iterator[str]:
    """A line for each reason, the first beside what they are about."""
    first, *others = said or ["failed, and Pulumi doesn't say why"]
    yield printable(f"{what}: {first}")
    yield from (printable(f"  {reason}") for reason in others)


def as_data(found: Findings, summary: Summary, seconds: float) -> dict[str, Any]:
    """The same for programs."""
    return {
        "tenants": found.tenants,
        "failed": summary.failed,
        "problems": summary.problems,
        "notes": summary.notes,
        "stopped": summary.stopped,
        "seconds": round(seconds, 3),
        "runs": [
            {
                "stack": outcome.run.stack,
                "tenants": outcome.run.tenants,
                "confined": outcome.run.confined,
                "code": outcome.code,
                "changes": outcome.changes,
                "seconds": round(outcome.seconds, 3),
            }
            for outcome in summary.outcomes
        ],
    }
