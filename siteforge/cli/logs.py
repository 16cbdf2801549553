"""`siteforge logs`: the logs of a tenant's pods as one."""

import json
import re
import signal
import threading
from typing import Annotated, Literal

import typer

from siteforge.cli import options
from siteforge.cli.options import Output, OutputOption, StackOption, TenantName
from siteforge.errors import printable

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


def seconds(text: str) -> int:
    """The seconds of a duration as in `90s`, `10m`, `1h30m` or `2d`.

    Raises:
        typer.BadParameter: it is none.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise typer.BadParameter(f"{printable(text)} is no duration - write it as in 90s, 10m, 1h30m or 2d")
    return max(sum(int(number) * _UNITS[unit] for number, unit in parts), 1)


def duration(of_seconds: int) -> str:
    """So many seconds as `seconds` reads them, in the largest unit that has them whole."""
    unit, size = next((unit, size) for unit, size in reversed(_UNITS.items()) if of_seconds % size == 0)
    return f"{of_seconds // size}{unit}"


def logs(
    tenant: TenantName,
    stack: StackOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")] = False,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail", min=0, help="The last lines of each container: 100, or with --since all, unless this says more."
        ),
    ] = None,
    since: Annotated[
        int | None, typer.Option("--since", parser=seconds, metavar="AGE", help="Nothing older, as in 10m or 1h30m.")
    ] = None,
    component: Annotated[
        Literal["wordpress", "mariadb"] | None, typer.Option("--component", "-c", help="One of the two; both if not.")
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show the logs of a tenant's pods in the order of time, each line after the name of its pod.

    Exits with 1 if there is no pod with a log, or the cluster can't be asked. As JSON, each line is an object.

    Examples: siteforge logs blog-aku; siteforge logs blog-aku --follow --component wordpress --since 10m
    """
    from rich.console import Console
    from rich.text import Text

    from siteforge import names
    from siteforge.fleet import logs as fleet_logs
    from siteforge.fleet.project import Project

    project = Project.find(stack)
    namespace = names.namespace(options.known(project, tenant).name)
    if tail is None and since is None:
        tail = fleet_logs.LAST
    console = Console(soft_wrap=True, highlight=False, markup=False)
    colours: dict[str, str] = {}
    stop = threading.Event()

    def interrupt(*_: object) -> None:
        # No exception in the middle of whatever is being done: it might leave a lock of the client held. A second
        # Ctrl-C does raise one, should the API server not answer.
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with project.cluster() as cluster:
        if follow:
            signal.signal(signal.SIGINT, interrupt)
            lines = fleet_logs.follow(cluster, namespace, component, tail=tail, seconds=since, stop=stop)
        else:
            lines = fleet_logs.read(cluster, namespace, component, tail=tail, seconds=since)
        for line in lines:
            if output is Output.JSON:
                where = {"pod": line.source.pod, "container": line.source.container}
                typer.echo(json.dumps({"time": line.time, **where, "text": line.text}))
                continue
            prefix = str(line.source)
            colour = colours.setdefault(prefix, _COLOURS[len(colours) % len(_COLOURS)])
            # What visitors write into a log must not act on the terminal.
            console.print(Text(prefix, colour), printable(line.text.expandtabs()))
