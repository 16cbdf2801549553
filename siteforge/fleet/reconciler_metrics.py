"""A reconciler's own metrics for Prometheus; those of the tenants are `siteforge.fleet.metrics`'."""

import math
from collections.abc import Callable, Iterator
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from siteforge.fleet.metrics import Looks
from siteforge.fleet.reconciler import Round

_OUTCOMES = ("succeeded", "failed", "held")
_FIGURES = {
    "reconciler_held": "1 while nothing is done because too many tenants drifted at once.",
    "reconciler_drifted_tenants": "Tenants that drifted, by the last round.",
    "reconciler_changed_tenants": "Tenants that are not deployed as the catalogue says, by the last round.",
    "reconciler_postponed_tenants": "Tenants that failed and are tried again later, by the last round.",
}
"""What one round says, NaN where that isn't known."""
_RUN_OUTCOMES = ("succeeded", "failed", "stopped")
_BUCKETS = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
"""In seconds: a round that does nothing takes one or two, a run for many tenants minutes."""


class _Tenants(Collector):
    """The metrics of the tenants, told by who leads alone: the others don't look."""

    def __init__(self, looks: Looks, leading: Callable[[], bool]) -> None:
        self._looks, self._leading = looks, leading

    def collect(self) -> Iterator[Metric]:
        if self._leading():
            yield from self._looks.registry.collect()


class Rounds:
    """Counts rounds.

    Args:
        leading: whether this reconciler is the one that acts.
    """

    def __init__(self, leading: Callable[[], bool]) -> None:
        self.registry = CollectorRegistry()
        self._looks = Looks()
        self.registry.register(_Tenants(self._looks, leading))

        def gauge(name: str, says: str) -> Gauge:
            return Gauge(f"siteforge_{name}", says, registry=self.registry)

        gauge("reconciler_leading", "1 for the reconciler that acts, 0 for each other.").set_function(
            lambda: float(leading())
        )
        self._figures = dict.fromkeys(_FIGURES, math.nan)
        for name, says in _FIGURES.items():
            # Only who leads knows, and only of its last round.
            gauge(name, says).set_function(partial(self._figure, name, leading))
        self._last = gauge(
            "reconciler_last_success_timestamp_seconds", "When the last round ended that succeeded, 0 for none yet."
        )
        self._rounds = Counter("siteforge_reconciler_rounds", "Rounds by outcome.", ["outcome"], registry=self.registry)
        self._took = Histogram(
            "siteforge_reconciler_round_duration_seconds",
            "How long rounds take that come to their end.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._runs = Counter(
            "siteforge_reconciler_runs", "Runs of Pulumi by outcome.", ["outcome"], registry=self.registry
        )
        self._run_took = Histogram(
            "siteforge_reconciler_run_duration_seconds",
            "How long runs of Pulumi take.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._found = Counter("siteforge_drift_found", "Differences found.", registry=self.registry)
        self._repaired = Counter("siteforge_drift_repaired", "Differences undone by a run.", registry=self.registry)
        for outcome in _OUTCOMES:
            self._rounds.labels(outcome)
        for outcome in _RUN_OUTCOMES:
            self._runs.labels(outcome)

    def _figure(self, name: str, leading: Callable[[], bool]) -> float:
        return self._figures[name] if leading() else math.nan

    def ended(self, done: Round, seconds: float) -> None:
        """Take note of a round that came to its end, and of how long it took."""
        self._looks.succeeded(done.statuses, seconds)
        self._took.observe(seconds)
        figures = (bool(done.held), len(done.drifted), len(done.changed), len(done.postponed))
        self._figures = dict(zip(_FIGURES, map(float, figures), strict=True))
        self._found.inc(done.differences)
        self._repaired.inc(done.repaired)
        for outcome in done.summary.outcomes if done.summary else ():
            how = "stopped" if outcome.stopped else "succeeded" if outcome.succeeded else "failed"
            self._runs.labels(how).inc()
            self._run_took.observe(outcome.seconds)
        self._rounds.labels("held" if done.held else "succeeded" if done.succeeded else "failed").inc()
        if done.succeeded:
            self._last.set_to_current_time()

    def failed(self) -> None:
        """Take note of a round that could not come to its end: nothing is known of the fleet."""
        self._looks.failed()
        self._figures = dict.fromkeys(_FIGURES, math.nan)
        self._rounds.labels("failed").inc()
