"""The fleet's status as a page: one HTML file that needs nothing else, from the values of `siteforge.fleet.status`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jinja2

from siteforge.fleet.history import Entry
from siteforge.fleet.status import Condition, TenantStatus

_ENTRIES = 50
"""Of the history: the newest."""

_DAY = 86400
_AGES = ((_DAY, "1 d"), (7 * _DAY, "7 d"), (30 * _DAY, "30 d"), (90 * _DAY, "90 d"))
_SHARES = tuple((limit / 100, f"{limit} %") for limit in (25, 50, 75, 90, 100))


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, in percent of the chart's width or height."""

    label: str
    count: int
    start: float
    """Where it begins: the shares of all bars before it."""
    share: float
    """Of all that is counted."""
    height: float
    """Compared with the highest bar."""


def page(statuses: Sequence[TenantStatus], title: str, now: datetime, history: Sequence[Entry] = ()) -> str:
    """The page.

    Args:
        statuses: of whom it tells.
        title: whose fleet it is: the project and the stack.
        now: when that was so.
        history: of drift, in the order of time; empty where no reconciler keeps one.
    """
    charts = {
        "Condition": bars((one.condition for one in statuses), list(Condition)),
        "Fullest line of the quota": shares([one.fullest.share for one in statuses if one.fullest]),
        "Last deployment": ages([_seconds(one.deployed, now) for one in statuses if one.deployed]),
    }
    if history:
        charts["Drift found"] = ages([_seconds(one.found, now) for one in history])
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("siteforge.fleet", "."),
        autoescape=True,  # log lines and events are whatever visitors and images write
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": lambda time: _seconds(time, now), "clock": _clock, "amount": _amount}
    return environment.get_template("report.html").render(
        title=title,
        now=now.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        tenants=statuses,
        ready=sum(one.condition is Condition.READY for one in statuses),
        conditions=list(Condition),
        charts=charts,
        history=history[: -_ENTRIES - 1 : -1],
    )


def bars(values: Iterable[Any], labels: Sequence[str]) -> list[Bar]:
    """How often each label is among the values."""
    counts = Counter(map(str, values))
    total, highest = sum(counts.values()) or 1, max(counts.values(), default=1)
    found: list[Bar] = []
    for label in labels:
        start = found[-1].start + found[-1].share if found else 0.0
        count = counts[str(label)]
        found.append(Bar(str(label), count, start, 100 * count / total, 100 * count / highest))
    return found


def shares(values: Iterable[float]) -> list[Bar]:
    """How many values, from 0 to 1, are up to each limit."""
    return _histogram(values, _SHARES, "more")


def ages(values: Iterable[float]) -> list[Bar]:
    """How many of so many seconds are up to each limit."""
    return _histogram(values, _AGES, "older")


def _histogram(values: Iterable[float], limits: Sequence[tuple[float, str]], rest: str) -> list[Bar]:
    def label(value: float) -> str:
        return next((name for limit, name in limits if value <= limit), rest)

    return bars(map(label, values), [*(name for _, name in limits), rest])


def _seconds(time: str, now: datetime) -> float:
    return max((now - datetime.fromisoformat(time)).total_seconds(), 0) if time else -1.0


def _clock(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%d %H:%M") if time else "-"


def _amount(number: int) -> str:
    return f"{number / 2**30:.1f}Gi" if number >= 2**30 else f"{number / 2**20:.0f}Mi"
