"""`siteforge drift`: what in the cluster is not as the catalogue says."""

import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siteforge.cli.options import Output, OutputOption, StackOption, TenantsOption
from siteforge.document import shorten
from siteforge.errors import printable

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.cluster import Cluster
    from siteforge.fleet.differences import Difference
    from siteforge.fleet.drift import Report
    from siteforge.fleet.history import Entry
    from siteforge.fleet.project import Project

DRIFT = 3
"""The exit code of a cluster that is not as the catalogue says."""


HistoryOption = Annotated[
    bool, typer.Option("--history", help="What the reconciler found, when, and whether it was repaired; exits with 0.")
]


def drift(
    tenant: TenantsOption = None,
    stack: StackOption = None,
    output: OutputOption = Output.TEXT,
    history: HistoryOption = False,
) -> None:
    """Compare the cluster with the catalogue: what was deleted, changed or added, by whom and when.

    Exits with 0 if there is no difference, with 3 if there is one, with 1 if that could not be told.

    Examples: siteforge drift; siteforge drift --tenant blog-aku; siteforge drift --output json
    """
    from siteforge.fleet.drift import drifted
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    with project.cluster() as cluster:
        if history:
            _show_history(project, cluster, tenant or [], output)
            return
        report = drifted(project, cluster, tenant or None)
    if output is Output.JSON:
        typer.echo(json.dumps(data(report), indent=2))
    else:
        for line in lines(report):
            typer.echo(line)
    if not report.clean:
        raise typer.Exit(DRIFT)


def _show_history(project: "Project", cluster: "Cluster", tenants: list[str], output: Output) -> None:
    from siteforge.fleet import history

    entries = history.read(cluster, project.name, project.cells.stacks)
    wanted = [one for one in entries if not tenants or one.tenant in tenants]
    if output is Output.JSON:
        typer.echo(json.dumps(history.data(wanted), indent=2))
        return
    for one in wanted:
        typer.echo(past(one))
    typer.echo(f"{len(wanted)} entries, {sum(not one.ended for one in wanted)} of them not ended")


def past(one: "Entry") -> str:
    """One entry of the history as a person reads it."""
    ends = {"there": "still there", "repairing": "under repair", "repaired": "repaired", "gone": "undone by others"}
    end = f"{ends[one.state]}{f' {one.ended}' if one.ended else ''}"
    return f"{one.found} {one.tenant} {line(one.difference)} - {end}"


def data(report: "Report") -> dict[str, Any]:
    """The report as JSON has it."""
    return dataclasses.asdict(report) | {"seconds": round(report.seconds, 3)}


def lines(report: "Report") -> Iterator[str]:
    """The report as a person reads it; the last line says how many tenants drifted, and what to do."""
    for name, found in sorted((report.tenants | report.frozen).items()):
        yield f"{name}: frozen, left as it is" if name in report.frozen else f"{name}:"
        # All that was in a namespace is gone with it.
        gone = [one for one in found if (one.kind, one.change) == ("Namespace", "deleted")]
        for one in gone or found:
            yield f"  {line(one)}"
    for one in report.strays:
        yield printable(f"Namespace/{one.name}: the catalogue has no such tenant{_by(one)}")
    yield _summary(report)


def line(one: "Difference") -> str:
    """One difference as a person reads it."""
    return printable(f"{one.kind}/{one.name}: {_what(one)}{_by(one)}")


def _what(one: "Difference") -> str:
    if not one.field:
        return f"{one.change}{', with all that was in it' if one.kind == 'Namespace' else ''}"
    if one.change == "deleted":
        return f"being deleted since {one.found}"
    wanted, found = _texts(one.wanted, one.found)
    if one.change == "added":
        return f"{one.field}: added {found}"
    return f"{one.field}: {'differs' if wanted == found else f'{wanted} -> {found}'}"


def _texts(wanted: Any, found: Any) -> tuple[str, str]:
    """Both on one line. Of texts of several lines, the first line that differs: the others fill a screen."""
    if isinstance(wanted, str) and isinstance(found, str) and "\n" in wanted:
        pairs = itertools.zip_longest(wanted.splitlines(), found.splitlines(), fillvalue="")
        differing = ((number, *pair) for number, pair in enumerate(pairs, 1) if len(set(pair)) > 1)
        number, wanted, found = next(differing, (1, wanted, found))
        return f"line {number}: {_text(wanted)}", f"line {number}: {_text(found)}"
    return _text(wanted), _text(found)


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    return shorten(value if isinstance(value, str) else json.dumps(value))


def _by(one: "Difference") -> str:
    if one.by is None:
        return ""
    through = f" through {one.by.subresource}" if one.by.subresource else ""
    return f" (by {one.by.manager}{through}{f', {one.by.time}' if one.by.time else ''})"


def _summary(report: "Report") -> str:
    strays, found = len(report.strays), [one for own in report.tenants.values() for one in own]
    cost = f"({report.requests} requests, {report.seconds:.1f} s)"
    if report.clean:
        return f"{report.compared} tenants, no drift {cost}"
    what, fixes = [], []
    if found:
        what.append(f"{len(report.tenants)} of {report.compared} tenants drifted")
    if report.mendable:
        fixes.append("`siteforge up --drifted` sets it back")
    if not all(one.mended for one in found):
        fixes.append("what others added is to be removed by hand (docs/drift.md)")
    if strays:
        what.append(f"{strays} namespace{'s' * (strays != 1)} without a tenant")
        fixes.append("`siteforge up` deletes namespaces that it made, others are to be deleted by hand")
    return f"{', '.join(what)} {cost} - {'; '.join(fixes)}"
