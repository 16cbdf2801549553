"""A fleet's status as text and as data."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from siteforge.cli import drift, tables
from siteforge.errors import printable
from siteforge.fleet.diagnosis import Reason
from siteforge.fleet.status import Condition, TenantStatus, Usage, Volume, healthy

_STYLES = {
    Condition.DEGRADED: "bold red",
    Condition.UNKNOWN: "bold magenta",
    Condition.DRIFTED: "bold yellow",
    Condition.FROZEN: "cyan",
    Condition.PROGRESSING: "yellow",
    Condition.SUSPENDED: "dim",
    Condition.READY: "green",
}

_Column = tuple[str, Callable[[TenantStatus, datetime], str]]

_COLUMNS: tuple[_Column, ...] = (
    ("TENANT", lambda one, now: one.name),
    ("CONDITION", lambda one, now: one.condition),
    ("PODS", lambda one, now: f"{one.ready}/{one.wanted}"),
    ("RESTARTS", lambda one, now: str(one.restarts)),
    ("WORDPRESS", lambda one, now: one.version or "-"),
    ("QUOTA", lambda one, now: f"{one.fullest.share:.0%} {one.fullest.resource}" if one.fullest else "-"),
    ("VOLUMES", lambda one, now: ", ".join(volume.capacity or volume.phase for volume in one.volumes) or "-"),
    ("DEPLOYED", lambda one, now: age(one.deployed, now)),
    ("AGE", lambda one, now: age(one.created, now)),
    ("URL", lambda one, now: one.url or "-"),
    ("REASON", lambda one, now: one.why),
)
_WIDE: tuple[_Column, ...] = (
    *_COLUMNS[:5],
    ("IMAGES", lambda one, now: ", ".join(image.image for image in one.images) or "-"),
    ("QUOTA", lambda one, now: ", ".join(map(str, filter(_used, one.quota))) or "-"),
    ("VOLUMES", lambda one, now: ", ".join(map(_volume, one.volumes)) or "-"),
    *_COLUMNS[7:9],
    ("CRON", lambda one, now: age(one.cron, now)),
    ("STACK", lambda one, now: one.stack),
    *_COLUMNS[9:],
)


def age(since: str, now: datetime) -> str:
    """How long ago a time in RFC 3339 was, in its largest unit: `3d`; `-` for no time."""
    if not since:
        return "-"
    seconds = max((now - datetime.fromisoformat(since)).total_seconds(), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.0f}s"


def worst_first(statuses: Sequence[TenantStatus]) -> list[TenantStatus]:
    """The same in another order: what a screen that is too small should show."""
    order = list(Condition)
    return sorted(statuses, key=lambda one: order.index(one.condition))


def table(statuses: Sequence[TenantStatus], now: datetime, *, wide: bool) -> Text:
    """A line a tenant, a last one that counts, and below them all that is known of those that fail."""
    columns = _WIDE if wide else _COLUMNS
    rows = [[cell(one, now) for _, cell in columns] for one in statuses]
    heads = [head for head, _ in columns]
    first, *others = tables.lines(heads, rows)
    text = Text(first, style="bold", end="")
    start = first.index(heads[1])
    for one, row in zip(statuses, others, strict=True):
        line = Text(row)
        line.stylize(_STYLES[one.condition], start, start + len(one.condition))
        text.append("\n").append_text(Text("").append_text(line))
    return text.append(f"\n\n{_count(statuses)}").append_text(_details(statuses, now))


def _count(statuses: Sequence[TenantStatus]) -> str:
    counts = Counter(one.condition for one in statuses)
    told = ", ".join(f"{counts[condition]} {condition}" for condition in Condition if counts[condition])
    return f"{len(statuses)} tenant{'s' * (len(statuses) != 1)}: {told}\n"


def _details(statuses: Sequence[TenantStatus], now: datetime) -> Text:
    text = Text()
    for one in statuses:
        if lines := list(_detail(one, now)):
            text.append("\n").append(one.name, "bold").append("  ").append(one.condition, _STYLES[one.condition])
            text.append("".join(f"\n{line}" for line in lines)).append("\n")
    return text


def _detail(one: TenantStatus, now: datetime) -> Iterator[str]:
    for reason in one.reasons:
        yield f"  {reason}"
    for difference in one.drift:
        yield f"  {drift.line(difference)}"
    if one.events:
        yield "  events"
    for event in one.events:
        times = f" ({event.count} times)" if event.count > 1 else ""
        yield f"    {age(event.time, now):>4}  {event.reason}  {event.object}: {event.message}{times}"
    for log in one.logs:
        yield f"  last lines of {log.pod}, container {log.container}"
        yield from (f"    {line}" for line in log.lines)


def _used(usage: Usage) -> bool:
    return usage.used != "0"


def _volume(volume: Volume) -> str:
    size = volume.capacity or f"{volume.requested} {volume.phase}"
    return f"{volume.claim} {'' if volume.used is None else f'{_bytes(volume.used)}/'}{size}"


def _bytes(number: int) -> str:
    return f"{number / 2**30:.1f}Gi" if number >= 2**30 else f"{number / 2**20:.0f}Mi"


def as_data(statuses: Sequence[TenantStatus], now: datetime) -> dict[str, Any]:
    """The same for programs: the fields of `TenantStatus`, and what is told from them."""
    return {
        "at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "healthy": healthy(statuses),
        "tenants": [_tenant(one) for one in statuses],
    }


def _tenant(one: TenantStatus) -> dict[str, Any]:
    data = dataclasses.asdict(one)
    data["condition"] = one.condition.value
    data["version"] = one.version
    data["reasons"] = [_reason(reason) for reason in one.reasons]
    for part in ("images", "quota", "volumes", "events", "logs", "drift"):
        data[part] = [{key: _plain(value) for key, value in entry.items()} for entry in data[part]]
    return data


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "cause": reason.cause.name.title().replace("_", ""),
        "object": reason.object,
        "container": reason.container,
        "detail": reason.detail,
        "passes": reason.cause.passes,
        "fix": reason.cause.fix,
        "message": printable(str(reason)),
    }
