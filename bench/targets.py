"""Ratios within one run, held against what Siteforge aims at: printed as met or missed, never asserted."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.results import Results, Row

OURS = "siteforge"


@dataclass(frozen=True)
class Target:
    """An aim.

    Args:
        aim: in words, with its limit.
        limit: for the value.
        value: computed from a run; None where it wasn't measured.
        at_least: whether the value may not be less, instead of not more.
    """

    aim: str
    limit: float
    value: Callable[[Results], float | None]
    at_least: bool = False


@dataclass(frozen=True)
class Verdict:
    """A target and what a run says of it.

    Args:
        value: None where it wasn't measured.
        verdict: met, missed or not measured.
    """

    aim: str
    limit: float
    value: float | None
    verdict: str


def judge(results: Results) -> list[Verdict]:
    """Every target, in their order."""
    verdicts = []
    for target in TARGETS:
        value = target.value(results)
        if value is None:
            verdict = "not measured"
        else:
            verdict = "met" if (value >= target.limit if target.at_least else value <= target.limit) else "missed"
        verdicts.append(Verdict(target.aim, target.limit, value, verdict))
    return verdicts


def seconds(results: Results, tenants: int, peer: str, work: str) -> float | None:
    """Seconds of a work that was done."""
    row = results.find(tenants, peer, work)
    return row.seconds if row and row.outcome == "done" else None


def ratio(one: float | None, other: float | None) -> float | None:
    """One by the other; None if either wasn't measured."""
    return one / other if one is not None and other else None


def against(work: str, tenants: int, peer: str, other_work: str | None = None) -> Callable[[Results], float | None]:
    """Our seconds by a peer's. A peer that was cut off took at least its deadline, so the ratio is at most this."""

    def value(results: Results) -> float | None:
        other = results.find(tenants, peer, other_work or work)
        known = other.seconds if other and other.outcome in ("done", "cut off") else None
        return ratio(seconds(results, tenants, OURS, work), known)

    return value


def growth(
    work: str, small: int, large: int, figure: Callable[[Row], float | None]
) -> Callable[[Results], float | None]:
    """Our figure with many tenants by that with few."""

    def value(results: Results) -> float | None:
        rows = [results.find(size, OURS, work) for size in (small, large)]
        few, many = (figure(row) if row and row.outcome == "done" else None for row in rows)
        return ratio(many, few)

    return value


def _change_by_empty(tenants: int) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        empty = next(results.of("empty", "no_op"), None)
        return ratio(seconds(results, tenants, OURS, "change_one"), empty.seconds if empty else None)

    return value


def _drift_by_lists(tenants: int) -> Callable[[Results], float | None]:
    """Without the interpreter's start, which both have once."""

    def value(results: Results) -> float | None:
        start = next(results.of("interpreter", "no_op"), None)
        ours, lists = (seconds(results, tenants, peer, "drift_check") for peer in (OURS, "floor"))
        if start is None or start.seconds is None or ours is None or lists is None or lists <= start.seconds:
            return None
        return (ours - start.seconds) / (lists - start.seconds)

    return value


def _drift_requests(tenants: int) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        rows = [results.find(tenants, peer, "drift_check") for peer in (OURS, "floor")]
        ours, lists = (row.own_requests if row and row.outcome == "done" else None for row in rows)
        return ratio(ours, lists)

    return value


def _speed(small: int, large: int) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        few, many = (seconds(results, size, OURS, "create") for size in (small, large))
        per_tenant = ratio(few, small), ratio(many, large)
        return ratio(per_tenant[0], per_tenant[1])

    return value


def _peak(tenants: int) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        row = results.find(tenants, OURS, "create")
        return row.peak_bytes / 2**30 if row and row.peak_bytes and row.outcome == "done" else None

    return value


TARGETS = (
    Target("create 200, ready: at most 2.0 times the floor", 2.0, against("create", 200, "floor")),
    Target("create 200, ready: at most half of Helm, 8 at once", 0.5, against("create", 200, "helm8")),
    Target("create 200, ready: at most 1/20 of a naive Pulumi program", 1 / 20, against("create", 200, "naive")),
    Target(
        "change one tenant: of 1,000 within 1.15 times of 50",
        1.15,
        growth("change_one", 50, 1000, lambda row: row.seconds),
    ),
    Target("change one tenant of 1,000: at most 1.6 times an empty program", 1.6, _change_by_empty(1000)),
    Target(
        "drift check of 1,000: at most 1/60 of `pulumi refresh --preview-only`",
        1 / 60,
        against("drift_check", 1000, "refresh"),
    ),
    Target("drift check of 1,000: at most 5 times the LISTs alone, interpreter aside", 5.0, _drift_by_lists(1000)),
    Target("drift check of 1,000: no more requests than the LISTs' pages, and a fifth", 1.2, _drift_requests(1000)),
    Target(
        "create: bytes to the backend linear, those of 1,000 at most 5.5 times those of 200",
        5.5,
        growth("create", 200, 1000, lambda row: row.backend_bytes),
    ),
    Target("create 1,000: peak memory at most 1.5 GiB", 1.5, _peak(1000)),
    Target("status of 1,000: at most 2 s", 2.0, lambda results: seconds(results, 1000, OURS, "status")),
    Target("create 5,000: at least 0.85 of the speed of 500", 0.85, _speed(500, 5000), at_least=True),
)
