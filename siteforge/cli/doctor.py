"""`siteforge doctor`: what is well and what is not, from toolchain to tenants."""

import dataclasses
import json

import typer

from siteforge.cli.options import Output, OutputOption, StackOption
from siteforge.cli.problems import FAILED
from siteforge.errors import printable


def doctor(stack: StackOption = None, output: OutputOption = Output.TEXT) -> None:
    """Examine toolchain, stack, cluster and tenants, and say what to do about what is not well; changes nothing.

    Exits with 0 if runs can work, with 1 if something keeps them from it. A warning is neither.

    Example: siteforge doctor --output json
    """
    from siteforge.fleet.doctor import examine
    from siteforge.fleet.project import Project

    found = []
    for finding in examine(Project.find(stack)):
        found.append(finding)
        if output is Output.TEXT:
            fix = f" - {finding.fix}" if finding.fix else ""
            typer.echo(printable(f"{finding.level:<4}  {finding.part:<9}  {finding.text}{fix}"))
    if output is Output.JSON:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in found], indent=2))
    if any(finding.level == "fail" for finding in found):
        raise typer.Exit(FAILED)
