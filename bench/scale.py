"""docs/scale.md: what a hundred thousand tenants take, from the slopes of the results and nothing else."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import targets
from bench.fleet import Fleet
from bench.peers.siteforge import Siteforge
from bench.results import Results, Row
from local.steps import Failure
from siteforge.cells import BUCKETS

TENANTS = 100_000

_SERVICES, _NAMESPACES, _PODS, _PODS_OF_A_NODE = 10_000, 10_000, 150_000, 110
"""What Kubernetes is tested with (kubernetes/community, sig-scalability/configs-and-limits/thresholds.md)."""
_SHARE = 0.8
"""How full a cluster is planned to be."""
_WORKLOADS = ("Deployment", "StatefulSet", "CronJob")

_TITLES = {
    "create": "make all",
    "no_op": "nothing to do",
    "change_one": "change one",
    "status": "status",
    "drift_check": "drift check",
}

_PAGE = Path(__file__).with_suffix(".md")
"""What it is made from."""


@dataclass(frozen=True)
class _Slope:
    """A figure that grows by so much with each tenant."""

    few: float
    many: float
    each: float
    start: float

    def at(self, tenants: int) -> float:
        """With so many tenants."""
        return self.start + self.each * tenants


def text(results: Results, name: str) -> str:
    """The page.

    Args:
        results: of a run.
        name: of their file.

    Raises:
        Failure: the results have fewer than two numbers of tenants.
    """
    done = [row.tenants for row in results.of(targets.OURS, "create")]
    kinds = Counter(one["kind"] for one in Fleet(1).manifests("bench-0001"))
    pods = sum(kinds[kind] for kind in _WORKLOADS)
    bounds = {"Services": (_SERVICES, kinds["Service"]), "namespaces": (_NAMESPACES, 1), "pods": (_PODS, pods)}
    most = min(limit // own for limit, own in bounds.values())
    planned = int(most * _SHARE) // 100 * 100
    small, large = done[-2:] if len(done) > 1 else (0, 0)
    create = _slope(results, "create", small, large, lambda row: row.seconds)
    state = _slope(results, "create", small, large, lambda row: row.backend_bytes)
    control = _slope(results, "create", small, large, lambda row: sum(row.control_plane_cpu_seconds.values()))
    drift = _slope(results, "drift_check", small, large, lambda row: row.seconds)
    clusters = math.ceil(TENANTS / planned)
    return _PAGE.read_text().format(
        json=name,
        objects=results.objects,
        bounds="".join(f"| {name} | {limit:,} | {own} | {limit // own:,} |\n" for name, (limit, own) in bounds.items()),
        most=most,
        share=_SHARE,
        planned=planned,
        clusters=clusters,
        nodes=math.ceil(planned * pods / _PODS_OF_A_NODE),
        small=small,
        large=large,
        machine=", ".join(f"{key} {value}" for key, value in results.machine.items()),
        slopes="".join(_line(results, work, small, large, planned) for work in _TITLES),
        cell=Siteforge.cell,
        buckets=BUCKETS,
        per_buckets=BUCKETS * Siteforge.cell,
        cells=math.ceil(planned / Siteforge.cell),
        state=state.at(planned) / 1e9,
        all_state=state.at(planned) * clusters / 1e9,
        create=create.at(planned) / 60,
        drift=drift.at(planned),
        cpu=control.each,
    )


def _slope(results: Results, work: str, small: int, large: int, figure: Callable[[Row], float | None]) -> _Slope:
    """Of a figure of ours between two numbers of tenants.

    Raises:
        Failure: it wasn't measured with both.
    """
    rows = [results.find(size, targets.OURS, work) for size in (small, large)]
    few, many = (figure(row) if row and row.outcome == "done" else None for row in rows)
    if few is None or many is None or small == large:
        raise Failure(f"{work} wasn't measured with two numbers of tenants", fix='BENCH_TENANTS="50 200"')
    each = (many - few) / (large - small)
    return _Slope(few, many, each, few - each * small)


def _line(results: Results, work: str, small: int, large: int, planned: int) -> str:
    slope = _slope(results, work, small, large, lambda row: row.seconds)
    each = f"{slope.each * 1000:.1f} ms"
    return f"| {_TITLES[work]} | {slope.few:.1f} s, {slope.many:.1f} s | {each} | {slope.at(planned):.0f} s |\n"
