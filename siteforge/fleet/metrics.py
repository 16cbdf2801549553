"""The fleet's status as Prometheus metrics, named as its conventions ask (prometheus.io/docs/practices/naming).

Pure but for `Looks`, which counts: statuses in, metrics out. `siteforge metrics` serves them.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as Counted
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from siteforge.fleet.status import Condition, TenantStatus
from siteforge.quantities import parse

_OF_ONE = ("tenant", "stack")


def families(statuses: Sequence[TenantStatus], backups: Mapping[str, float]) -> Iterator[Metric]:
    """What is to be said of tenants: a fixed number of series for each, and one for each condition of the fleet.

    Args:
        statuses: how they are.
        backups: when each was last backed up, in seconds of Unix time, of those of which that is to be known.
    """
    counts = Counter(one.condition for one in statuses)
    yield _family(
        "siteforge_tenants", "Tenants by condition.", ["condition"], _rows(((c,), counts[c]) for c in Condition)
    )
    for name, says, value in _FIGURES:
        yield _family(name, says, _OF_ONE, _rows(((), value(one), one) for one in statuses))
    yield _family(
        "siteforge_tenant_condition",
        "1 for the condition that a tenant is in, 0 for each other.",
        (*_OF_ONE, "condition"),
        _rows(((c,), one.condition is c, one) for one in statuses for c in Condition),
    )
    yield _family(
        "siteforge_tenant_version_info",
        "Always 1; the WordPress version that runs, as its image's tag says.",
        (*_OF_ONE, "version"),
        _rows(((one.version,), 1, one) for one in statuses if one.version),
    )
    for suffix, side in (("used", "Used of"), ("hard", "The most there may be of")):
        yield _family(
            f"siteforge_tenant_quota_{suffix}",
            f"{side} what a tenant's quota counts, in cores, bytes or objects.",
            (*_OF_ONE, "resource"),
            _rows(
                ((usage.resource,), quantity, one)
                for one in statuses
                for usage in one.quota
                if (quantity := _quantity(getattr(usage, suffix))) is not None
            ),
        )
    yield _family(
        "siteforge_tenant_volume_capacity_bytes",
        "Size of a tenant's volume.",
        (*_OF_ONE, "claim"),
        _rows(
            ((volume.claim,), quantity, one)
            for one in statuses
            for volume in one.volumes
            if (quantity := _quantity(volume.capacity)) is not None
        ),
    )
    yield _family(
        "siteforge_tenant_volume_used_bytes",
        "Bytes on a tenant's volume, where its driver tells.",
        (*_OF_ONE, "claim"),
        _rows(((v.claim,), v.used, one) for one in statuses for v in one.volumes if v.used is not None),
    )
    yield _family(
        "siteforge_tenant_backup_timestamp_seconds",
        "Of when a tenant's newest complete backup is, 0 for none, where backups are looked for.",
        _OF_ONE,
        _rows(((), backups[one.name], one) for one in statuses if one.name in backups),
    )


_FIGURES: tuple[tuple[str, str, Callable[[TenantStatus], float]], ...] = (
    ("siteforge_tenant_pods_ready", "Pods of a tenant that are ready.", lambda one: one.ready),
    ("siteforge_tenant_pods_wanted", "Pods of a tenant that should be ready.", lambda one: one.wanted),
    ("siteforge_tenant_restarts", "Restarts of all containers of the pods there are.", lambda one: one.restarts),
    (
        "siteforge_tenant_drift",
        "Differences from the catalogue, where drift is looked for.",
        lambda one: len(one.drift),
    ),
    (
        "siteforge_tenant_deployed_timestamp_seconds",
        "When Siteforge last changed the tenant's workloads, 0 for never.",
        lambda one: _seconds(one.deployed),
    ),
)

_Row = tuple[list[str], float]


def _rows(
    values: "Iterable[tuple[Sequence[str], float] | tuple[Sequence[str], float, TenantStatus]]",
) -> Iterator[_Row]:
    for labels, value, *of in values:
        yield [*(label for one in of for label in (one.name, one.stack)), *labels], float(value)


def _family(name: str, says: str, labels: Sequence[str], rows: Iterable[_Row]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _quantity(text: str) -> float | None:
    """None for none, and for what somebody wrote in another notation."""
    try:
        return float(parse(text))
    except ValueError:
        return None


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp() if time else 0.0


class Looks(Collector):
    """What the looks at a fleet found, the last one's findings and how they went.

    After one that failed, nothing is said of any tenant: what isn't known must not read as well.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._statuses: list[TenantStatus] = []
        self._backups: Mapping[str, float] = {}
        self._lock = threading.Lock()
        self._ended = Counted("siteforge_looks", "Looks at the fleet by outcome.", ["outcome"], registry=self.registry)
        for outcome in ("succeeded", "failed"):
            self._ended.labels(outcome)
        self._took = Histogram(
            "siteforge_look_duration_seconds", "How long looks take that succeed.", registry=self.registry
        )
        self._last = Gauge(
            "siteforge_last_look_success_timestamp_seconds",
            "When the last look that succeeded ended, 0 for none yet.",
            registry=self.registry,
        )
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The tenants' part."""
        with self._lock:
            yield from families(self._statuses, self._backups)

    def succeeded(
        self, statuses: list[TenantStatus], seconds: float, backups: Mapping[str, float] | None = None
    ) -> None:
        """Take note of what a look found, and of how long it took."""
        with self._lock:
            self._statuses, self._backups = statuses, backups or {}
        self._ended.labels("succeeded").inc()
        self._took.observe(seconds)
        self._last.set_to_current_time()

    def failed(self) -> None:
        """Take note that a look did not succeed."""
        with self._lock:
            self._statuses = []
        self._ended.labels("failed").inc()
