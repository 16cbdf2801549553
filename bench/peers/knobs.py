"""Siteforge with one thing changed at a time: what each of its settings is worth."""

from collections.abc import Mapping

from bench.peers.siteforge import Siteforge


class _Knob(Siteforge):
    """Siteforge but for one thing."""

    changed: Mapping[str, str] = {}
    """Variables of the environment; those that Siteforge sets give way to them."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Those of Siteforge, and what is changed."""
        return {**super().variables, **self.changed}


def _knob(
    name: str,
    title: str,
    *,
    cell: int = Siteforge.cell,
    readiness: str = Siteforge.readiness,
    options: tuple[str, ...] = (),
    **changed: str,
) -> type[Siteforge]:
    own = {"cell": cell, "readiness": readiness, "options": options, "changed": changed}
    return type(name, (_Knob,), {"name": name, "title": title, **own})


KNOBS: dict[str, type[Siteforge]] = {
    knob.name: knob
    for knob in (
        *(_knob(f"cells-{size}", f"cells of {size} tenants", cell=size) for size in (10, 50, 100)),
        _knob("awaits", "Pulumi waits for each object", readiness="pulumi"),
        _knob("jobs-1", "one run at a time", options=("--jobs", "1")),
        *(_knob(f"parallel-{n}", f"{n} operations of a run at once", PULUMI_PARALLEL=str(n)) for n in (8, 128)),
        _knob("debug-log", "the SDK's debug messages sent", SITEFORGE_DEBUG_LOG="yes"),
        _knob("engine-log", "the engine's log of its own written", SITEFORGE_ENGINE_LOG="yes"),
        _knob("stack-traces", "the SDK's stack traces sent", SITEFORGE_STACK_TRACES="yes"),
        _knob("garbage", "Python's own pace of garbage collection", SITEFORGE_GARBAGE="yes"),
        _knob("checkpoints", "the state written with each operation", PULUMI_SKIP_CHECKPOINTS="false"),
        _knob("qps", "the provider's own limit of requests", PULUMI_K8S_CLIENT_QPS="50", PULUMI_K8S_CLIENT_BURST="100"),
        *(_knob(f"heap-{mib}", f"Go's heaps kept to {mib} MiB", GOMEMLIMIT=f"{mib}MiB") for mib in (200, 250, 350)),
        _knob("gogc", "Go's own pace of garbage collection", GOGC="100"),
    )
}
"""By name."""
