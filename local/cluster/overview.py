"""How the cluster is doing, as text for people."""

import time

from local.cluster import report, settings
from local.cluster.layout import NODE, outside


def status() -> str:
    """The cluster's state, addresses and programs, one line each."""
    layout = outside()
    known, found = settings.load(layout), report.load(layout)
    if known is None:
        return "cluster      none yet; make one: make up"
    kind = "simulated: pods are not real, no site answers" if known.simulated else f"real, node {NODE}"
    if found is None or not report.alive(found):
        return f"cluster      stopped ({kind}); its data is kept in {layout.home}; start it: make up"
    lines = [
        f"cluster      {found.phase} ({kind}), supervisor pid {found.supervisor.pid}",
        f"API server   {known.server}",
        *([] if known.simulated else [f"network      {known.network.cidr}, node and DNS at {known.network.node}"]),
        f"kubeconfig   {layout.kubeconfig}",
        f"logs         {layout.logs}",
        "",
        f"{'program':<26}{'state':<10}{'since':<12}restarts",
        *(line(name, program, time.time()) for name, program in found.programs.items()),
    ]
    return "\n".join(lines)


def running() -> bool:
    """Whether this clone's cluster runs, be it ready or not."""
    found = report.load(outside())
    return found is not None and report.alive(found)


def line(name: str, program: report.Status, now: float) -> str:
    """One program's line.

    Args:
        now: Unix time.
    """
    running, finished = ("up", "done") if program.ready else ("starting", "down")
    state = running if program.pid else finished
    since = duration(now - program.since) if program.since else "-"
    return f"{name:<26}{state:<10}{since:<12}{program.restarts}"


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
