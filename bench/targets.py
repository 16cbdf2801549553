"""Ratios within one run, held against what Siteforge aims at: printed as met or missed, never asserted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.results import Results, Row

OURS = "siteforge"


Measure = Callable[[Results, int], float | None]
"""A value with so many tenants; None where it wasn't measured."""


@dataclass(frozen=True)
class Target:
    """An aim.

    Args:
        aim: in words, with its limit.
        limit: for the value.
        tenants: with how many it is aimed at.
        value: computed from a run.
        at_least: whether the value may not be less, instead of not more.
        elsewhere: whether it says something with fewer tenants, too.
    """

    aim: str
    limit: float
    tenants: int
    value: Measure
    at_least: bool = False
    elsewhere: bool = True

    def judge(self, results: Results, further: Mapping[str, Results]) -> "Verdict":
        """What a run says of it; else a further one; else this one with fewer tenants than are aimed at."""
        for name, run in {"": results, **further}.items():
            if (value := self.value(run, self.tenants)) is not None:
                return self._verdict(value, f" in {name}" if name else "")
        for size in reversed(results.sizes) if self.elsewhere else ():
            if size < self.tenants and (value := self.value(results, size)) is not None:
                return self._verdict(value, f" with {size:,}")
        return Verdict(self.aim, self.limit, None, "not measured")

    def _verdict(self, value: float, where: str) -> "Verdict":
        met = value >= self.limit if self.at_least else value <= self.limit
        return Verdict(self.aim, self.limit, value, f"{'met' if met else 'missed'}{where}")


@dataclass(frozen=True)
class Verdict:
    """A target and what a run says of it.

    Args:
        value: None where it wasn't measured.
        verdict: met, missed or not measured; and in which other run, or with how many tenants, if not as aimed at.
    """

    aim: str
    limit: float
    value: float | None
    verdict: str


def judge(results: Results, further: Mapping[str, Results] | None = None) -> list[Verdict]:
    """Every target, in their order.

    Args:
        further: other runs by name, for what this one didn't measure with as many tenants as are aimed at.
    """
    return [target.judge(results, further or {}) for target in TARGETS]


def seconds(results: Results, tenants: int, peer: str, work: str) -> float | None:
    """Seconds of a work that was done."""
    row = results.find(tenants, peer, work)
    return row.seconds if row and row.outcome == "done" else None


def ratio(one: float | None, other: float | None) -> float | None:
    """One by the other; None if either wasn't measured."""
    return one / other if one is not None and other else None


def against(work: str, peer: str) -> Measure:
    """Our seconds by a peer's. A peer that was cut off took at least its deadline, so the ratio is at most this."""

    def value(results: Results, tenants: int) -> float | None:
        other = results.find(tenants, peer, work)
        known = other.seconds if other and other.outcome in ("done", "cut off") else None
        return ratio(seconds(results, tenants, OURS, work), known)

    return value


def growth(work: str, small: int, figure: Callable[[Row], float | None]) -> Measure:
    """Our figure by that with few tenants."""

    def value(results: Results, tenants: int) -> float | None:
        if tenants <= small:
            return None
        rows = [results.find(size, OURS, work) for size in (small, tenants)]
        few, many = (figure(row) if row and row.outcome == "done" else None for row in rows)
        return ratio(many, few)

    return value


def _change_by_empty(results: Results, tenants: int) -> float | None:
    empty = next(results.of("empty", "no_op"), None)
    return ratio(seconds(results, tenants, OURS, "change_one"), empty.seconds if empty else None)


def _drift_by_lists(results: Results, tenants: int) -> float | None:
    """Without the interpreter's start, which both have once."""
    start = next(results.of("interpreter", "no_op"), None)
    ours, lists = (seconds(results, tenants, peer, "drift_check") for peer in (OURS, "floor"))
    if start is None or start.seconds is None or ours is None or lists is None or lists <= start.seconds:
        return None
    return (ours - start.seconds) / (lists - start.seconds)


def _drift_requests(results: Results, tenants: int) -> float | None:
    rows = [results.find(tenants, peer, "drift_check") for peer in (OURS, "floor")]
    ours, lists = (row.own_requests if row and row.outcome == "done" else None for row in rows)
    return ratio(ours, lists)


def _speed(small: int) -> Measure:
    """By that of so many tenants; 0 where it was begun and not done."""

    def value(results: Results, tenants: int) -> float | None:
        row = results.find(tenants, OURS, "create")
        if tenants > small and row and row.outcome in ("failed", "cut off"):
            return 0.0
        few, many = (seconds(results, size, OURS, "create") for size in (small, tenants))
        return ratio(ratio(few, small), ratio(many, tenants)) if tenants > small else None

    return value


def _peak(results: Results, tenants: int) -> float | None:
    row = results.find(tenants, OURS, "create")
    return row.peak_bytes / 2**30 if row and row.peak_bytes and row.outcome == "done" else None


def _status(results: Results, tenants: int) -> float | None:
    return seconds(results, tenants, OURS, "status")


TARGETS = (
    Target("create 200, ready: at most 2.0 times the floor", 2.0, 200, against("create", "floor")),
    Target("create 200, ready: at most half of Helm, 8 at once", 0.5, 200, against("create", "helm8")),
    Target("create 200, ready: at most 1/20 of a naive Pulumi program", 1 / 20, 200, against("create", "naive")),
    Target(
        "change one tenant: of 1,000 within 1.15 times of 50",
        1.15,
        1000,
        growth("change_one", 50, lambda row: row.seconds),
    ),
    Target("change one tenant of 1,000: at most 1.6 times an empty program", 1.6, 1000, _change_by_empty),
    Target(
        "drift check of 1,000: at most 1/60 of `pulumi refresh --preview-only`",
        1 / 60,
        1000,
        against("drift_check", "refresh"),
    ),
    Target("drift check of 1,000: at most 5 times the LISTs alone, interpreter aside", 5.0, 1000, _drift_by_lists),
    Target("drift check of 1,000: no more requests than the LISTs' pages, and a fifth", 1.2, 1000, _drift_requests),
    Target(
        "create: bytes to the backend linear, those of 1,000 at most 5.5 times those of 200",
        5.5,
        1000,
        growth("create", 200, lambda row: row.backend_bytes),
        elsewhere=False,
    ),
    Target("create 1,000: peak memory at most 1.5 GiB", 1.5, 1000, _peak),
    Target("status of 1,000: at most 2 s", 2.0, 1000, _status),
    Target("create 5,000: at least 0.85 of the speed of 500", 0.85, 5000, _speed(500), at_least=True),
)
