"""`siteforge drift`: what in the cluster is not as the catalogue says."""

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from siteforge.cli.options import Output, OutputOption, StackOption, TenantsOption
from siteforge.document import shorten
from siteforge.errors import printable

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.differences import Difference
    from siteforge.fleet.drift import Report

DRIFT = 3
"""The exit code of a cluster that is not as the catalogue says."""

_MEND = "siteforge up --drifted"


def drift(tenant: TenantsOption = None, stack: StackOption = None, output: OutputOption = Output.TEXT) -> None:
    """Compare the cluster with the catalogue: what was deleted, changed or added, by whom and when.

    Exits with 0 if there is no difference, with 3 if there is one, with 1 if that could not be told.

    Examples: siteforge drift; siteforge drift --tenant blog-aku; siteforge drift --output json
    """
    from siteforge.fleet.drift import drifted
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    with project.cluster() as cluster:
        report = drifted(project, cluster, tenant)
    if output is Output.JSON:
        typer.echo(json.dumps(data(report), indent=2))
    else:
        for line in lines(report):
            typer.echo(line)
    if not report.clean:
        raise typer.Exit(DRIFT)


def data(report: "Report") -> dict[str, Any]:
    """The report as JSON has it."""
    return dataclasses.asdict(report) | {"seconds": round(report.seconds, 3)}


def lines(report: "Report") -> Iterator[str]:
    """The report as a person reads it; the last line says how many tenants drifted, and what mends it."""
    for name, found in sorted(report.tenants.items()):
        yield f"{name}:"
        # All of a namespace goes with it.
        gone = [one for one in found if one.kind == "Namespace" and one.change == "deleted"]
        for one in gone or found:
            yield f"  {_line(one)}"
    for one in report.strays:
        yield f"Namespace/{one.name}: the catalogue has no such tenant{_by(one)}"
    yield _summary(report)


def _line(one: "Difference") -> str:
    what = f"{one.kind}/{one.name}"
    if not one.field:
        return f"{what}: {one.change}{', with all that was in it' if one.kind == 'Namespace' else ''}{_by(one)}"
    wanted, found = _texts(one.wanted, one.found)
    if one.change == "deleted":
        return f"{what}: being deleted since {found}"
    said = f"added {found}" if one.change == "added" else f"{wanted} -> {found}"
    return f"{what}: {printable(one.field)}: {said}{_by(one)}"


def _texts(*values: Any) -> Iterator[str]:
    """Each on one line. Of long texts, the first line that differs: both may begin with the same hundred."""
    if all(isinstance(value, str) and "\n" in value for value in values):
        pairs = zip(*(value.splitlines() for value in values), strict=False)
        number, pair = next(((at, pair) for at, pair in enumerate(pairs, 1) if len(set(pair)) > 1), (0, ()))
        if number:
            yield from (f"line {number}: {shorten(text)}" for text in pair)
            return
    for value in values:
        yield "nothing" if value is None else shorten(value if isinstance(value, str) else json.dumps(value))


def _by(one: "Difference") -> str:
    if one.by is None:
        return ""
    through = f" through {printable(one.by.subresource)}" if one.by.subresource else ""
    when = f", {printable(one.by.time)}" if one.by.time else ""
    return f" (by {printable(one.by.manager)}{through}{when})"


def _summary(report: "Report") -> str:
    cost = f"{report.requests} requests, {report.seconds:.1f} s"
    if report.clean:
        return f"{report.compared} tenants, no drift ({cost})"
    parts = [f"{len(report.tenants)} of {report.compared} tenants drifted"] if report.tenants else []
    fixes = []
    found = [one for own in report.tenants.values() for one in own]
    if any(one.mended for one in found):
        fixes.append(f"`{_MEND}` mends what was deleted and changed")
    if not all(one.mended for one in found):
        fixes.append("remove by hand what was added (docs/drift.md)")
    if report.strays:
        parts.append(f"{len(report.strays)} namespaces are no tenant's")
        fixes.append("put those tenants back into the catalogue, or delete their namespaces")
    return f"{', '.join(parts)} ({cost}) - {'; '.join(fixes)}"
