"""`siteforge backup` and `siteforge backups`: copies of tenants' sites in a folder or a bucket."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siteforge.cli import manifests as printing
from siteforge.cli import options
from siteforge.cli.logs import duration, seconds
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.errors import printable

if TYPE_CHECKING:
    # Imported where they are used: a client of the cluster takes a fifth of a second.
    from siteforge.fleet.archives import Backup
    from siteforge.fleet.places import Place
    from siteforge.fleet.project import Project
    from siteforge.fleet.retention import Rule
    from siteforge.fleet.rounds import Round


def place(text: str) -> "Place":
    """The place that an option names, as `fleet.places.parse` reads it."""
    from siteforge.fleet import places

    return places.parse(text)


def rule(text: str) -> "Rule":
    """What `--keep` says: a number of backups, or an age.

    Raises:
        typer.BadParameter: it is neither.
    """
    from siteforge.fleet.retention import Rule

    if text.isascii() and text.isdecimal() and int(text):
        return Rule(newest=int(text))
    return Rule(seconds=seconds(text))


_PLACE_HELP = "A folder or s3://BUCKET/PREFIX; the project's `backups` if left out."

# Typer wants a class here; what comes is what `place` returns.
FromOption = Annotated[
    Any,
    typer.Option(
        "--from",
        metavar="PLACE",
        parser=place,
        help=_PLACE_HELP,
    ),
]
ToOption = Annotated[
    Any,
    typer.Option(
        "--to",
        metavar="PLACE",
        parser=place,
        help=_PLACE_HELP,
    ),
]
MaintenanceOption = Annotated[
    bool, typer.Option("--maintenance", help="Keep visitors out meanwhile: for a site that never rests.")
]


def folder(project: "Project", given: "Place | None") -> "Place":
    """Where backups are."""
    return given or project.backups


def backup(
    tenant: Annotated[
        str | None,
        typer.Argument(
            metavar="TENANT",
            help="A tenant of the catalogue.",
            autocompletion=options.complete_tenant,
            show_default=False,
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Every tenant.")] = False,
    stack: StackOption = None,
    to: ToOption = None,
    keep: Annotated[
        list[Any] | None,
        typer.Option(
            "--keep",
            metavar="N|AGE",
            parser=rule,
            help="Then remove a tenant's other backups: all but its newest N, or those of an age as in 30d, or both.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="With --all: how many tenants at once.")] = 1,
    maintenance: MaintenanceOption = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source", metavar="FOLDER", help="Take the project's files from here first.", show_default=False
        ),
    ] = None,
    manifests: Annotated[
        bool,
        typer.Option("--manifests", help="With --all: print the objects that do this in the cluster, by the clock."),
    ] = False,
    image: Annotated[
        str | None, typer.Option("--image", help="With --manifests: the image of Siteforge.", show_default=False)
    ] = None,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="CRON", help="With --manifests: when a round begins.")
    ] = "15 2 * * *",
    storage: Annotated[
        str, typer.Option("--storage", metavar="SIZE", help="With --manifests: of the volume, if --to is a folder.")
    ] = "10Gi",
    output: OutputOption = Output.TEXT,
) -> None:
    """Copy a tenant's database and files, as they are at one moment, into one file.

    Exits with 1 if a tenant could not be copied; then there is no new file of it, and the old ones stay.

    Examples: siteforge backup blog-aku; siteforge backup --all --to s3://backups/prod --keep 7 --keep 30d;
    siteforge backup --all --to s3://backups/prod --keep 7 --manifests --image IMAGE | kubectl apply -f -
    """
    from siteforge.fleet import rounds
    from siteforge.fleet.project import Project
    from siteforge.fleet.source import Source

    if (tenant is None) is not everyone:
        raise typer.BadParameter("name one, or use --all", param_hint="TENANT")
    if manifests:
        if not everyone or not image or not to:
            raise typer.BadParameter("needs --all, --image and --to", param_hint="--manifests")
        _show(stack, image, schedule, storage, to, [*_words(to, keep or (), jobs, maintenance)])
        return
    if source:
        Source(source, Path.cwd()).take()
    project = Project.find(stack)
    if source:
        project.ensure([project.stack])
    specs = [options.known(project, tenant)] if tenant else project.tenants
    with project.cluster() as cluster:
        done = rounds.take(
            cluster,
            map(project.configuration.blueprint, specs),
            folder(project, to),
            keep or (),
            jobs=jobs,
            maintenance=maintenance,
            suspended=tenant is not None,
            progress=tell,
        )
    failures = done.failed | (done.skipped if tenant else {})
    if output is Output.JSON and everyone:
        typer.echo(json.dumps(_report(done), indent=2))
    elif output is Output.JSON:
        typer.echo("".join(json.dumps(data(one), indent=2) for one in done.taken), nl=bool(done.taken))
    else:
        for one in done.taken:
            typer.echo(printable(f"{one.about.time}  {one.path}"))
        for one in done.removed:
            typer.echo(printable(f"removed {one.path}"))
    for reason in (done.skipped | failures).values():
        for line in reason.splitlines():
            typer.echo(printable(line), err=True)
    if failures:
        raise typer.Exit(1)


def _words(to: "Place", keep: "Sequence[Rule]", jobs: int, maintenance: bool) -> Iterator[str]:
    """The same options as words of a command."""
    yield from ("--to", str(to))
    for one in keep:
        yield from ("--keep", str(one.newest) if one.newest else duration(int(one.seconds)))
    if jobs > 1:
        yield from ("--jobs", str(jobs))
    if maintenance:
        yield "--maintenance"


def _show(stack: str | None, image: str, schedule: str, storage: str, to: "Place", words: "Sequence[str]") -> None:
    """Print the objects that take backups in the cluster.

    Raises:
        typer.BadParameter: a volume can't be mounted there.
    """
    from siteforge.fleet.project import Project
    from siteforge.specs import backups as specs

    if isinstance(to, Path) and not to.is_absolute():
        raise typer.BadParameter(f"{printable(str(to))}: not from / on, where a volume is mounted - as in /backups")
    folder = str(to) if isinstance(to, Path) else None
    runner = printing.runner(Project.find(stack), "siteforge-backups", image)
    printing.show(specs.manifests(specs.Scheduled(runner, schedule, tuple(words), folder, storage)))


def _report(done: "Round") -> dict[str, Any]:
    return {
        "taken": [data(one) for one in done.taken],
        "removed": [str(one.path) for one in done.removed],
        "skipped": done.skipped,
        "failed": done.failed,
    }


def backups(
    tenant: TenantName,
    stack: StackOption = None,
    source: FromOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the complete backups of a tenant, the newest first; it needn't be in the catalogue any more.

    Example: siteforge backups blog-aku
    """
    from siteforge.fleet import archives
    from siteforge.fleet.project import Project

    found, problems = archives.listed(folder(Project.find(stack), source), tenant)
    if output is Output.JSON:
        typer.echo(json.dumps([data(one) for one in found], indent=2))
    for problem in problems:
        typer.echo(printable(problem), err=True)
    if output is Output.TEXT:
        for one in found:
            size = f"{one.size / 2**20:.1f}Mi"
            typer.echo(printable(f"{one.about.time}  {size:>9}  WordPress {one.about.wordpress_version}  {one.path}"))


def data(one: "Backup") -> dict[str, Any]:
    """A backup as JSON has it."""
    return {"path": str(one.path), **dataclasses.asdict(one.about), "parts": [dataclasses.asdict(p) for p in one.parts]}


def tell(step: str) -> None:
    """Say on standard error what is being done."""
    typer.echo(printable(f"{step} ..."), err=True)
